// The cotangents of operations that read or write at computed indices, and of sorts.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Autodiff;

internal static class PlaceRules
{
    public static void Gather(Backward r, Gather n, Node dy)
    {
        var (x, indices) = (n.Operands[0], n.Operands[1]);
        r.GiveInto(x, () => Into(r.Zeros(x.Type)), Into);
        Node Into(Node sum) => r.Add(new Scatter(ScatterOp.Add, sum, indices, dy, n.Axis));
    }

    public static void Scatter(Backward r, Scatter n, Node dy)
    {
        var (x, indices, updates) = (n.Operands[0], n.Operands[1], n.Operands[2]);
        Node Read(Node of) => r.Add(new Gather(of, indices, n.Axis));
        switch (n.Kind)
        {
            case ScatterOp.Add:
                r.Give(x, dy);
                if (r.Needs(updates)) r.Give(updates, Read(dy));
                break;
            case ScatterOp.Set:
                if (r.Needs(x))
                    r.Give(x, r.Add(new Scatter(ScatterOp.Set, dy, indices, r.Zeros(updates.Type), n.Axis)));
                if (r.Needs(updates)) r.Give(updates, r.Where(IsWinner(r, n, null), Read(dy)));
                break;
            case ScatterOp.Max or ScatterOp.Min:
                var isOld = r.Is(CompareOp.Eq, x, n);
                if (r.Needs(x)) r.Give(x, r.Where(isOld, dy));
                if (!r.Needs(updates)) break;
                var isNew = r.Of(BinaryOp.And, r.Is(CompareOp.Eq, updates, Read(n)),
                    r.Of(UnaryOp.Not, Read(isOld)));
                r.Give(updates, r.Where(IsWinner(r, n, isNew), Read(dy)));
                break;
            default:
                throw new NotDifferentiableException("the gradient of a scatter that multiplies", r.OriginOf(n),
                    "`exp` of a scatter that adds logarithms has one, where all factors are positive");
        }
    }

    /// <summary>
    /// True for the update that an element got its value from: of several for one element, the last that was set, or
    /// the first of those for which `mayBe` holds.
    /// </summary>
    private static Node IsWinner(Backward r, Scatter n, Node? mayBe)
    {
        var indices = n.Operands[1];
        var updates = n.Operands[2].Type;
        // The order of the writes: the flat position among the indices, the same along other axes.
        var flat = indices.Type.With(DType.I64).With([indices.Type.Count]);
        var all = indices.Type.Rank == 0 ? r.Fill(updates.With(DType.I64), 0L)
            : r.Spread(r.Shaped(r.Add(new Iota(flat, 0)), indices.Type.Shape), updates.Shape,
                [.. Enumerable.Range(n.Axis, indices.Type.Rank)]);
        var type = n.Type.With(DType.I64);
        var written = mayBe is null
            ? r.Add(new Scatter(ScatterOp.Set, r.Fill(type, -1L), indices, all, n.Axis))
            : r.Add(new Scatter(ScatterOp.Min, r.Fill(type, long.MaxValue), indices,
                r.Choose(mayBe, all, r.Fill(all.Type, long.MaxValue)), n.Axis));
        var isIt = r.Is(CompareOp.Eq, all, r.Add(new Gather(written, indices, n.Axis)));
        return mayBe is null ? isIt : r.Of(BinaryOp.And, isIt, mayBe);
    }

    public static void DynamicSlice(Backward r, DynamicSlice n, Node dy)
    {
        var x = n.Operands[0];
        var offsets = n.Operands.RemoveAt(0);
        r.GiveInto(x, () => Into(r.Zeros(x.Type), dy), sum =>
            Into(sum, r.Plus(r.Add(new DynamicSlice(sum, offsets, n.Axes, n.Starts, n.Type.Shape)), dy)));
        Node Into(Node whole, Node part) =>
            r.Add(new UpdateSlice(whole, part, offsets, n.Axes, n.Starts, Backward.Ones(x.Type.Rank)));
    }

    public static void UpdateSlice(Backward r, UpdateSlice n, Node dy)
    {
        var (x, update) = (n.Operands[0], n.Operands[1]);
        var offsets = n.Operands.RemoveRange(0, 2);
        if (r.Needs(x))
            r.Give(x, r.Add(new UpdateSlice(dy, r.Zeros(update.Type), offsets, n.Axes, n.Starts, n.Steps)));
        if (!r.Needs(update)) return;
        if (offsets.IsEmpty)
        {
            r.Give(update, r.Add(new Slice(dy, n.Starts, update.Type.Shape, n.Steps)));
            return;
        }
        // A dynamic slice has no steps: the whole range is read, then every step-th element of it.
        ImmutableArray<Size> spans = [.. update.Type.Shape.Select((size, d) => n.Steps[d] == 1 ? size
            : (size - 1) * n.Steps[d] + 1)];
        var part = r.Add(new DynamicSlice(dy, offsets, n.Axes, n.Starts, spans));
        r.Give(update, n.Steps.All(s => s == 1) ? part
            : r.Add(new Slice(part, [.. spans.Select(_ => Size.Zero)], update.Type.Shape, n.Steps)));
    }

    /// <summary>Each cotangent goes back to the place where its element was.</summary>
    public static void Sort(Backward r, Sort n, Node? dy)
    {
        if (dy is null) return;
        var x = n.Operands[0];
        var index = r.Add(new Result(n, 1));
        r.Give(x, r.Collected(x.Type, r.Positions(x.Type, index, n.Axis), dy));
    }
}
