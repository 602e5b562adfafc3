// In: a load at the point where it is printed. Out: a key for what it reads: equal keys read the same elements under
// the same conditions.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Made of definitions, never of names: a redefined loop variable or indirect value is another instruction, so that an
/// earlier load is not reused for it. The region is part of the key, because an instruction's result is not available
/// after its branch or loop.
/// </summary>
internal sealed record Reading(int Region, LaneLoop? Lanes, int Buffer, Size Offset, Reading.Condition? Guards,
    Operand? Fill)
{
    /// <summary>A guard and the following ones: a list that is compared by its elements.</summary>
    internal sealed record Condition(Size Index, Size Extent, Condition? Rest);

    public static Reading Of(Load load, int region, IndexPrinter index, Operand? fill) => new(region, index.Lanes,
        load.Buffer, index.Definition(load.Offset),
        load.Guards.Aggregate((Condition?)null, (rest, guard) =>
            new Condition(index.Definition(guard.Index), index.Definition(guard.Extent), rest)),
        fill);
}
