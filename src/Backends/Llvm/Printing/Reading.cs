// In: a load where it is printed. Out: what it reads, as a key: equal ones read the same elements under the same
// conditions.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Made of definitions, never of names: a loop variable or an indirect value that has been defined again is another
/// instruction, so that what was loaded for the old one is not found for the new. The region is part of it, because an
/// instruction's result is not there behind the branch or loop it stands in.
/// </summary>
internal sealed record Reading(int Region, LaneLoop? Lanes, int Buffer, Size Offset, Reading.Condition? Guards,
    Operand? Fill)
{
    /// <summary>A guard and those behind it: a list that is compared by its elements.</summary>
    internal sealed record Condition(Size Index, Size Extent, Condition? Rest);

    public static Reading Of(Load load, int region, IndexPrinter index, Operand? fill) => new(region, index.Lanes,
        load.Buffer, index.Definition(load.Offset),
        load.Guards.Aggregate((Condition?)null, (rest, guard) =>
            new Condition(index.Definition(guard.Index), index.Definition(guard.Extent), rest)),
        fill);
}
