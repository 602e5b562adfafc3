// The rules of simplify that join two movements into one, or find a moved value that exists already.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

internal static partial class Simplify
{
    private static Node? Movement(Node node, Rewriter r) => node switch
    {
        // slice (concat x y) => slice x, if the slice lies in one part.
        Slice s when s.Operands[0] is Concat c && PartOf(s, c) is var (part, start) =>
            r.By("slice of concat", r.Add(new Slice(part, s.Starts.SetItem(c.Axis, start), s.Type.Shape, s.Steps))),

        // slice (pad x) => slice x, if no padding is left.
        Slice s when s.Operands[0] is Pad p && p.Between.All(b => b == 0) && Enumerable.Range(0, s.Type.Rank).All(d =>
            Fits(s.Starts[d] - p.Before[d], s.Type.Shape[d], s.Steps[d], p.OperandType(0).Shape[d])) =>
            r.By("slice of pad",
                r.Add(new Slice(p.Operands[0], [.. s.Starts.Zip(p.Before, (a, b) => a - b)], s.Type.Shape, s.Steps))),

        // pad (pad x v) v => pad x v
        Pad p when p.Operands[0] is Pad q && ReferenceEquals(p.Operands[1], q.Operands[1])
            && p.Between.Concat(q.Between).All(b => b == 0)
            && p.Before.Concat(q.Before).Concat(p.After).Concat(q.After).All(new IndexRanges().NonNegative) =>
            r.By("pad of pad", r.Add(new Pad(q.Operands[0], p.Operands[1], [.. p.Before.Zip(q.Before, (a, b) => a + b)],
                [.. p.After.Zip(q.After, (a, b) => a + b)], p.Between))),

        // slice (broadcast x) => broadcast x, if only repeated axes are cut.
        Slice s when s.Operands[0] is Broadcast b
            && b.Axes.All(d => s.Starts[d].Is(0) && s.Steps[d] == 1 && s.Type.Shape[d].Equals(b.Type.Shape[d])) =>
            r.By("slice of broadcast", r.Add(new Broadcast(b.Operands[0], s.Type.Shape, b.Axes))),

        // transpose (broadcast x) => broadcast x, if x's axes keep their order.
        Transpose t when t.Operands[0] is Broadcast b
            && b.Axes.Select(t.Permutation.IndexOf).ToImmutableArray() is var axes
            && axes.Zip(axes.Skip(1)).All(p => p.First < p.Second) =>
            r.By("transpose of broadcast", r.Add(new Broadcast(b.Operands[0], t.Type.Shape, axes))),

        Reshape { IsChecked: false } when node.Operands[0] is Broadcast { Axes.IsEmpty: true } b =>
            r.By("reshape of a repeated scalar", r.Add(new Broadcast(b.Operands[0], node.Type.Shape, []))),

        // reverse (reverse x) => reverse x along the axes that only one of them reverses.
        Reverse a when a.Operands[0] is Reverse b =>
            r.By("reverse of reverse",
                r.Add(new Reverse(b.Operands[0], [.. a.Axes.Except(b.Axes).Concat(b.Axes.Except(a.Axes)).Order()]))),
        Reverse a when a.Operands[0] is Broadcast b && a.Axes.Any(d => !b.Axes.Contains(d)) =>
            r.By("reverse of broadcast", r.Add(new Reverse(b, [.. a.Axes.Where(b.Axes.Contains)]))),

        // gather x (iota) => x, or its first part; not if the index would wrap in its dtype.
        Gather g when g.Operands[1] is Iota { Type.Rank: 1 } i && Counts(i)
            && Fits(0, i.Type.Shape[0], 1, g.OperandType(0).Shape[g.Axis]) =>
            r.By("gather of iota",
                r.Add(new Slice(g.Operands[0], [.. g.Type.Shape.Select(_ => Size.Zero)], g.Type.Shape,
                    [.. g.Type.Shape.Select(_ => 1L)]))),

        // dynamic_slice x at a constant => slice x, if it is in range.
        DynamicSlice s when Offsets(s) is { } starts && Enumerable.Range(0, s.Type.Rank).All(d =>
            Fits(starts[d], s.Type.Shape[d], 1, s.OperandType(0).Shape[d])) =>
            r.By("dynamic_slice at a constant",
                r.Add(new Slice(s.Operands[0], starts, s.Type.Shape, [.. starts.Select(_ => 1L)]))),

        Cumulate c when c.Type.Shape[c.Axis].Is(1) => r.By("cumulate of one element", c.Operands[0]),
        _ => null,
    };

    /// <summary>
    /// The part of a concat that contains a slice, and where the slice starts in it; null if that is not certain.
    /// </summary>
    private static (Node Part, Size Start)? PartOf(Slice slice, Concat concat)
    {
        var at = Size.Zero;
        foreach (var part in concat.Operands)
        {
            var (start, size) = (slice.Starts[concat.Axis] - at, part.Type.Shape[concat.Axis]);
            if (Fits(start, slice.Type.Shape[concat.Axis], slice.Steps[concat.Axis], size)) return (part, start);
            at += size;
        }
        return null;
    }

    /// <summary>
    /// True if start, start + step, … lie in [0, size) for all values of the sizes; the count is not 0.
    /// </summary>
    private static bool Fits(Size start, Size count, long step, Size size)
    {
        var behind = size - start - (count - 1) * step - 1;
        return start.IsConstant && start.Value >= 0 && behind.IsConstant && behind.Value >= 0;
    }

    private static bool Counts(Iota iota) =>
        iota.Type.DType == DType.I64 || (iota.Type.Shape[0].IsConstant && iota.Type.Shape[0].Value <= sbyte.MaxValue);

    /// <summary>The starts of a dynamic slice whose offsets are all constants.</summary>
    private static ImmutableArray<Size>? Offsets(DynamicSlice slice)
    {
        var starts = slice.Starts;
        for (var i = 0; i < slice.Axes.Length; i++)
        {
            if (slice.Operands[i + 1] is not Const { Integers: [var offset] } || Math.Abs(offset) > int.MaxValue)
                return null;
            starts = starts.SetItem(slice.Axes[i], starts[slice.Axes[i]] + offset);
        }
        return starts;
    }
}
