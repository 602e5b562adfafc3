// The cotangents of movements: a cotangent comes back from the place where its element went.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Autodiff;

internal static class MovementRules
{
    public static void Slice(Backward r, Slice n, Node dy)
    {
        var x = n.Operands[0];
        r.GiveInto(x, Whole, sum =>
        {
            var part = r.Add(new Slice(sum, n.Starts, n.Type.Shape, n.Steps));
            return r.Add(new UpdateSlice(sum, r.Plus(part, dy), [], [], n.Starts, n.Steps));
        });

        Node Whole()
        {
            // An axis that may be empty has no places between its elements, so the cotangent is written into zeros.
            if (Enumerable.Range(0, x.Type.Rank).Any(d => n.Steps[d] > 1 && !IsSomething(n.Type.Shape[d])))
                return r.Add(new UpdateSlice(r.Zeros(x.Type), dy, [], [], n.Starts, n.Steps));
            var after = x.Type.Shape.Select((size, d) => size - n.Starts[d] - Spanned(n.Type.Shape[d], n.Steps[d]));
            return r.Add(new Pad(dy, r.Zeros(TensorType.Scalar(x.Type.DType)), n.Starts, [.. after],
                [.. n.Steps.Select(s => s - 1)]));
        }
    }

    /// <summary>
    /// The sum of two zero-padded parts, one of which ends where the other begins: they are concatenated, as after a
    /// split, and nothing is added. Null for all other nodes.
    /// </summary>
    public static Node? Beside(Backward r, Node a, Node b)
    {
        if (a is not Pad first || b is not Pad second || !IsInZeros(first) || !IsInZeros(second)) return null;
        if (Differing(first, second) is not { } axis) return null;
        if (IsNext(second, first)) (first, second) = (second, first);
        if (!IsNext(first, second)) return null;
        var whole = r.Add(new Concat([.. Parts(first), .. Parts(second)], axis));
        var (before, after) = (first.Before, first.After.SetItem(axis, second.After[axis]));
        return before.Concat(after).All(p => p.Is(0)) ? whole
            : r.Add(new Pad(whole, first.Operands[1], before, after, first.Between));

        bool IsNext(Pad one, Pad other) =>
            one.Before[axis] + one.OperandType(0).Shape[axis] == other.Before[axis];
        IEnumerable<Node> Parts(Pad pad) =>
            pad.Operands[0] is Concat c && c.Axis == axis ? c.Operands : [pad.Operands[0]];
    }

    private static bool IsInZeros(Pad pad) => pad.Between.All(b => b == 0)
        && pad.Operands[1] is Const { IsSplat: true, FoldedIndex: < 0 } value && value.Type.DType.IsFloat
        && value.Floats[0] == 0;

    /// <summary>The only axis along which two parts of the same type lie at different places.</summary>
    private static int? Differing(Pad a, Pad b)
    {
        List<int> axes = [.. Enumerable.Range(0, a.Type.Rank)
            .Where(d => a.Before[d] != b.Before[d] || a.After[d] != b.After[d])];
        return axes is [var axis] ? axis : null;
    }

    private static bool IsSomething(Size size) => size.IsConstant && size.Value > 0;

    /// <summary>From the first element to the last one, both included.</summary>
    private static Size Spanned(Size count, long step) => step == 1 ? count : (count - 1) * step + 1;

    public static void Pad(Backward r, Pad n, Node dy)
    {
        var (x, value) = (n.Operands[0], n.Operands[1]);
        Node Inner(Node of)
        {
            // Negative padding cuts elements off; those have no cotangent.
            var padded = of;
            if (n.Before.Concat(n.After).Any(MayCut))
            {
                var zero = r.Zeros(TensorType.Scalar(x.Type.DType));
                padded = r.Add(new Pad(of, zero, [.. n.Before.Select(Uncut)], [.. n.After.Select(Uncut)],
                    [.. n.Between.Select(_ => 0L)]));
            }
            return r.Add(new Slice(padded, [.. n.Before.Select(b => b + Uncut(b))], x.Type.Shape,
                [.. n.Between.Select(b => b + 1)]));
        }
        if (r.Needs(x)) r.Give(x, Inner(dy));
        if (!r.Needs(value)) return;
        // All places that hold padding.
        var one = r.Fill(TensorType.Scalar(x.Type.DType), 1.0);
        var isPadding = r.Add(new Pad(r.Zeros(x.Type), one, n.Before, n.After, n.Between));
        r.Give(value, r.Sum(r.Times(dy, isPadding), Backward.Axes(n.Type.Rank)));
    }

    private static bool MayCut(Size padding) => !(padding.IsConstant && padding.Value >= 0)
        && padding.Terms.Any(t => t.Coefficient < 0);

    private static Size Uncut(Size padding) => MayCut(padding) ? Size.Max(0, -padding) : Size.Zero;

    public static void Concat(Backward r, Concat n, Node dy)
    {
        var start = Size.Zero;
        foreach (var part in n.Operands)
        {
            ImmutableArray<Size> starts = [.. n.Type.Shape.Select((_, d) => d == n.Axis ? start : Size.Zero)];
            if (r.Needs(part))
                r.Give(part, r.Add(new Slice(dy, starts, part.Type.Shape, Backward.Ones(n.Type.Rank))));
            start += part.Type.Shape[n.Axis];
        }
    }

    /// <summary>A window of the cotangent, extended by zeros where windows reach past the size.</summary>
    public static void Fold(Backward r, Fold n, Node dy)
    {
        var (count, extent) = (n.OperandType(0).Shape[n.Axis], n.OperandType(0).Shape[n.Axis + 1]);
        var reach = (count - 1) * n.Stride + (extent - 1) * n.Dilation + 1;
        var missing = reach - n.Size;
        if (!(missing.IsConstant && missing.Value <= 0))
        {
            ImmutableArray<Size> none = [.. n.Type.Shape.Select(_ => Size.Zero)];
            dy = r.Add(new Pad(dy, r.Zeros(TensorType.Scalar(n.Type.DType)), none,
                none.SetItem(n.Axis, missing.IsConstant ? missing : Size.Max(0, missing)),
                [.. n.Type.Shape.Select(_ => 0L)]));
        }
        r.Give(n.Operands[0], r.Add(new Window(dy, n.Axis, count, extent, n.Stride, n.Dilation)));
    }
}
