// In: a node. Out: the conditions that the axes it counts along must meet before a call may compute it.
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

internal static class AxisChecks
{
    /// <summary>
    /// An axis that is counted along stays this much below the limit of i32: so much may be added to an index, or
    /// subtracted from it, without a check.
    /// </summary>
    public const int Room = 1 << 16;

    /// <summary>
    /// A greatest element needs an element; an index, a count or a size needs a dtype that holds it. Checked for i32
    /// and u32, which a program gets without asking for a dtype; narrower ones are explicit, and wrap.
    /// </summary>
    /// <param name="node">Any node.</param>
    /// <param name="ranges">The variables of the surrounding loops.</param>
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
            case SizeValue v when v.Type.DType is DType.I32 or DType.U32:
                var fits = $"a size that is used as a value fits in {v.Type.DType.Name()}";
                if (TooLarge(v.Size, v.Type.DType, ranges) is { } above) yield return above with { Message = fits };
                Size low = v.Type.DType == DType.I32 ? int.MinValue : 0;
                foreach (var least in Ends(v.Size, greatest: false, ranges))
                    if (!(least.IsConstant && least.Value >= low.Value) && !ranges.NonNegative(least - low))
                        yield return new(CheckKind.AtMost, low, least, fits);
                break;
            // Checks compute with overflow detection, while kernels wrap. Narrow dtypes wrap too.
            case SizeValue v when v.Type.DType.Bytes() == 8 || v.Type.DType.IsFloat:
                if (v.Size.Terms.Any(t => t.Coefficient is not (1 or -1) || t.Atoms.Length > 1
                    || t.Atoms.Any(a => a is not VariableAtom)))
                {
                    foreach (var most in Ends(v.Size, greatest: true, ranges))
                        yield return new(CheckKind.AtMost, most, long.MaxValue,
                            "a size that is used as a value fits in 64 bits");
                }
                break;
        }
    }

    /// <summary>
    /// The check that a size fits in the dtype, in every iteration of the surrounding loops; null if that is certain,
    /// or if the dtype was asked for.
    /// </summary>
    private static EntryCheck? TooLarge(Size size, DType dtype, IndexRanges ranges)
    {
        if (dtype is not (DType.I32 or DType.U32)) return null;
        Size most = dtype == DType.I32 ? int.MaxValue : uint.MaxValue;
        // One check for all constants: a difference of two that is too large would overflow 64 bits.
        var ends = Ends(size, greatest: true, ranges).Where(e => !(e.IsConstant && e.Value <= most.Value)).ToList();
        return ends.Count == 0 ? null : new(CheckKind.AtMost, ends.Aggregate(Size.Max), most, "");
    }

    /// <summary>
    /// The candidates for a size's greatest, or least, value in the iterations of loops: both ends of each loop whose
    /// variable it may rise or fall with. Empty if it is not affine in the variables.
    /// </summary>
    public static IReadOnlyList<Size> Ends(Size size, bool greatest, IEnumerable<string> loops,
        Func<string, Size> extentOf, IndexRanges ranges)
    {
        List<Size> ends = [size];
        foreach (var name in loops)
        {
            List<Size> next = [];
            foreach (var end in ends)
            {
                if (end.AffineIn(name) is not var (step, rest)) return [];
                var (rises, falls) = (ranges.NonNegative(step), ranges.NonNegative(Size.Zero - step));
                if (!(greatest ? rises : falls)) next.Add(rest);
                if (!(greatest ? falls : rises)) next.Add(rest + step * (extentOf(name) - 1));
            }
            ends = [.. next.Distinct()];
        }
        return ends;
    }

    private static IReadOnlyList<Size> Ends(Size size, bool greatest, IndexRanges ranges) =>
        Ends(size, greatest, size.Variables().Where(ranges.Knows).ToList(), ranges.ExtentOf, ranges);
}
