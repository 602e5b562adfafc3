// In: a node. Out: what must hold of the axes it counts along before a call may compute it.
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

internal static class AxisChecks
{
    /// <summary>
    /// How much less than i32 holds an axis has that is counted along: so much may be added to an index, or taken from
    /// it, without a look.
    /// </summary>
    public const int Room = 1 << 16;

    /// <summary>
    /// A greatest element needs an element; an index, a count or a size needs a dtype that holds it: of i32 and u32,
    /// which are what a program has that asks for none. Narrower ones are asked for, and wrap.
    /// </summary>
    /// <param name="node">Any.</param>
    /// <param name="ranges">The variables of the loops around it.</param>
    public static IEnumerable<EntryCheck> Of(Node node, IndexRanges ranges)
    {
        switch (node)
        {
            case ArgReduce a:
                var (name, extent) = (a.Greatest ? "argmax" : "argmin", a.OperandType(0).Shape[a.Axis]);
                if (!ranges.NonNegative(extent - 1))
                    yield return new(CheckKind.AtMost, Size.Min(1, a.Type.Count), extent,
                        $"{name} is over an axis that is not empty");
                if (TooLarge(extent - 1, a.Type.DType, ranges) is { } axis)
                    yield return axis with { Message = $"the indices that {name} gives fit in {a.Type.DType.Name()}" };
                break;
            case Scatter s when s.Type.Shape[s.Axis].Is(0):
                yield return new(CheckKind.AtMost, Size.Min(1, s.OperandType(2).Count), 0,
                    "an indexed axis is not empty");
                break;
            case Sort s when s.Type.Shape[s.Axis] is var sorted && !(sorted.IsConstant && sorted.Value <= int.MaxValue):
                yield return new(CheckKind.AtMost, sorted, int.MaxValue, "a sorted axis has at most 2^31 - 1 elements");
                break;
            case Iota i when TooLarge(i.Type.Shape[i.Axis] - 1 + Room, i.Type.DType, ranges) is { } counted:
                yield return counted with { Message = $"the indices of an axis fit in {i.Type.DType.Name()}" };
                break;
            case SizeValue v when TooLarge(v.Size, v.Type.DType, ranges) is { } value:
                yield return value with { Message = $"a size that is used as a value fits in {v.Type.DType.Name()}" };
                break;
            // Checks are computed so that they see it; kernels wrap. What is narrow wraps too.
            case SizeValue v when v.Type.DType.Bytes() == 8 || v.Type.DType.IsFloat:
                if (v.Size.Terms.Any(t => t.Coefficient is not (1 or -1) || t.Atoms.Length > 1 || t.Atoms.Any(a =>
                        a is not VariableAtom)) && Greatest(v.Size, ranges) is { } most)
                    yield return new(CheckKind.AtMost, most, long.MaxValue, "a size that is used as a value fits in 64 bits");
                break;
        }
    }

    /// <summary>
    /// That a size fits in the dtype, in every iteration of the loops around it; null where that is certain, or the
    /// dtype was asked for.
    /// </summary>
    private static EntryCheck? TooLarge(Size size, DType dtype, IndexRanges ranges)
    {
        if (dtype is not (DType.I32 or DType.U32) || Greatest(size, ranges) is not { } greatest) return null;
        size = greatest;
        Size most = dtype == DType.I32 ? int.MaxValue : uint.MaxValue;
        // Of all constants: a difference of two that is too large would leave 64 bits.
        if (size.IsConstant && size.Value <= most.Value) return null;
        return new(CheckKind.AtMost, size, most, "");
    }

    /// <summary>
    /// The greatest value in the iterations of the loops around; null for what rises and falls with a loop, which no
    /// size expression gives.
    /// </summary>
    private static Size? Greatest(Size size, IndexRanges ranges)
    {
        foreach (var name in size.Variables().Where(ranges.Knows).ToList())
        {
            if (size.AffineIn(name) is not var (step, rest)) return null;
            if (ranges.NonNegative(step)) size = rest + step * (ranges.ExtentOf(name) - 1);
            else if (ranges.NonNegative(Size.Zero - step)) size = rest;
            else return null;
        }
        return size;
    }
}
