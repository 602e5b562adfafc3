// The cotangents of operations that combine elements along axes: reductions, running reductions, dots.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Autodiff;

internal static class AxisRules
{
    public static void Reduce(Backward r, Reduce n, Node dy)
    {
        var x = n.Operands[0];
        if (!r.Needs(x)) return;
        var kept = Backward.Axes(x.Type.Rank, d => !n.Axes.Contains(d));
        Node Back(Node y) => r.Spread(y, x.Type.Shape, kept);
        if (n.Axes.IsEmpty || n.Kind == ReduceOp.Add)
        {
            r.Give(x, Back(dy));
            return;
        }
        // All reduced axes become one, the last.
        ImmutableArray<int> order = [.. kept, .. n.Axes];
        var turned = r.Turned(x, order);
        ImmutableArray<Size> outer = [.. kept.Select(d => x.Type.Shape[d])];
        var rows = r.Shaped(turned, [.. outer, Size.Product(n.Axes.Select(d => x.Type.Shape[d]))]);
        var axis = outer.Length;
        // A reduction over no elements selects none, so none has a gradient.
        if (rows.Type.Shape[axis].Is(0)) return;
        Node Unrowed(Node y) => r.Turned(r.Shaped(y, turned.Type.Shape),
            [.. Enumerable.Range(0, order.Length).Select(d => order.IndexOf(d))]);
        var spread = r.Spread(dy, rows.Type.Shape, Backward.Axes(axis));
        switch (n.Kind)
        {
            case ReduceOp.Mul:
                // The product of all elements but this one, computed without division as some may be 0: those before it
                // times those after it.
                r.Give(x, Unrowed(r.Times(spread, r.Times(Exclusive(r, rows, axis, false),
                    Exclusive(r, rows, axis, true)))));
                break;
            default:
                // The places are stored, so they are only as wide as they have to be.
                var extent = rows.Type.Shape[axis];
                var place = extent.IsConstant && extent.Value <= int.MaxValue ? DType.I32 : DType.I64;
                var first = r.Add(new ArgReduce(n.Kind == ReduceOp.Max, rows, axis, place));
                var here = r.Add(new Iota(rows.Type.With(place), axis));
                var isFirst = r.Is(CompareOp.Eq, here,
                    r.Spread(first, rows.Type.Shape, Backward.Axes(axis)));
                r.Give(x, Unrowed(r.Where(isFirst, spread)));
                break;
        }
    }

    /// <summary>The running product up to, but without, the element itself.</summary>
    private static Node Exclusive(Backward r, Node x, int axis, bool isReversed) => r.Add(new Cumulate(ReduceOp.Mul,
        Before(r, x, axis, isReversed, r.Fill(TensorType.Scalar(x.Type.DType), 1.0)), axis, isReversed));

    public static void Cumulate(Backward r, Cumulate n, Node dy)
    {
        var x = n.Operands[0];
        if (!r.Needs(x)) return;
        switch (n.Kind)
        {
            case ReduceOp.Add:
                r.Give(x, r.Add(new Cumulate(ReduceOp.Add, dy, n.Axis, !n.IsReversed)));
                break;
            case ReduceOp.Mul:
                // d y[i] / d x[k] is the product before k times that of k+1 to i: the sum over i is a recurrence.
                r.Give(x, r.Times(Exclusive(r, x, n.Axis, n.IsReversed),
                    Recurrence(r, Shifted(r, x, n.Axis, n.IsReversed), dy, n.Axis, !n.IsReversed)));
                break;
            default:
                // The place of the element that is the running extreme; of equal elements, the first one that was met.
                var isMax = n.Kind == ReduceOp.Max;
                var places = x.Type.With(DType.I64);
                var here = r.Add(new Iota(places, n.Axis));
                var worst = r.Fill(TensorType.Scalar(x.Type.DType), isMax ? double.NegativeInfinity
                    : double.PositiveInfinity);
                var before = Before(r, n, n.Axis, n.IsReversed, worst);
                var isNew = r.Of(UnaryOp.Not, r.Is(isMax ? CompareOp.Le : CompareOp.Ge, x, before));
                var end = n.IsReversed ? Last(r, places, n.Axis) : r.Fill(places, 0L);
                var at = r.Add(new Cumulate(n.IsReversed ? ReduceOp.Min : ReduceOp.Max, r.Choose(isNew, here, end),
                    n.Axis, n.IsReversed));
                r.Give(x, r.Collected(x.Type, r.Positions(x.Type, at, n.Axis), dy));
                break;
        }
    }

    private static Node Last(Backward r, TensorType type, int axis) => type.Shape[axis].IsConstant
        ? r.Fill(type, type.Shape[axis].Value - 1)
        : r.Plus(r.Spread(r.Add(new SizeValue(type.Shape[axis], DType.I64)), type.Shape, []), r.Fill(type, -1L));

    /// <summary>The next element in the direction of the running product; 1 past the end.</summary>
    private static Node Shifted(Backward r, Node x, int axis, bool isReversed) =>
        Before(r, x, axis, !isReversed, r.Fill(TensorType.Scalar(x.Type.DType), 1.0));

    /// <summary>
    /// The previous element in the direction given: padded by one place at one end and cut by one at the other.
    /// </summary>
    private static Node Before(Backward r, Node x, int axis, bool isReversed, Node end)
    {
        ImmutableArray<Size> none = [.. x.Type.Shape.Select(_ => Size.Zero)];
        var (more, less) = (none.SetItem(axis, 1), none.SetItem(axis, -1));
        return r.Add(new Pad(x, end, isReversed ? less : more, isReversed ? more : less, [.. none.Select(_ => 0L)]));
    }

    /// <summary>y[i] = b[i] + a[i] y[i - 1] along an axis, or from its end; the value before the first is 0.</summary>
    private static Node Recurrence(Backward r, Node a, Node b, int axis, bool isReversed)
    {
        // Loops take slices along the first axis.
        ImmutableArray<int> order = [axis, .. Backward.Axes(a.Type.Rank, d => d != axis)];
        var (rowsA, rowsB) = (r.Turned(a, order), r.Turned(b, order));
        var row = rowsA.Type.With(rowsA.Type.Shape.RemoveAt(0));
        var loop = r.Loop(rowsA.Type.Shape[0], isReversed, [r.Zeros(row)], [rowsA, rowsB], (inner, x, round) =>
        {
            var y = inner.Plus(round(x[2]), inner.Times(round(x[1]), x[0]));
            return [y, y];
        });
        var rows = r.Add(new Result(loop, 1));
        if (isReversed) rows = r.Add(new Graph.Reverse(rows, [0]));
        return r.Turned(rows, Inverse(order));
    }

    /// <summary>
    /// da = dy · b and db = a · dy, contracted over the free axes of the other operand. The products are dots of the
    /// same form: nothing is transposed before them, and their axes come out in the order named here.
    /// </summary>
    public static void Dot(Backward r, Dot n, Node dy)
    {
        var (a, b) = (n.Operands[0], n.Operands[1]);
        var batch = n.BatchA.Length;
        ImmutableArray<int> batches = [.. Enumerable.Range(0, batch)];
        ImmutableArray<int> freeA = [.. Enumerable.Range(batch, n.FreeA.Length)];
        ImmutableArray<int> freeB = [.. Enumerable.Range(batch + n.FreeA.Length, n.FreeB.Length)];
        // Narrow operands are widened to the accumulator's dtype, as they were in the forward product.
        Node Wide(Node x) => r.As(x, n.Type.DType);
        if (r.Needs(a) && !OfImage(r, n, dy, Wide(b)))
        {
            var product = r.Add(new Dot(dy, Wide(b), batches, n.BatchB, freeB, n.FreeB));
            // Its axes: batch, a's own, then the contracted ones in b's order.
            ImmutableArray<int> behind = [.. n.ContractB.Order().Select(d => n.ContractA[n.ContractB.IndexOf(d)])];
            ImmutableArray<int> axes = [.. n.BatchA, .. n.FreeA, .. behind];
            r.Give(a, r.As(r.Turned(product, Inverse(axes)), a.Type.DType));
        }
        if (r.Needs(b))
        {
            var product = r.Add(new Dot(Wide(a), dy, n.BatchA, batches, n.FreeA, freeA));
            ImmutableArray<int> inner = [.. n.ContractA.Order().Select(d => n.ContractB[n.ContractA.IndexOf(d)])];
            ImmutableArray<int> axes = [.. n.BatchB, .. inner, .. n.FreeB];
            r.Give(b, r.As(r.Turned(product, Inverse(axes)), b.Type.DType));
        }
    }

    /// <summary>
    /// The gradient of a convolution by its image is a convolution of the cotangent with the reversed weight. If the
    /// left operand consists of windows with stride 1, this gives the image's cotangent directly; the cotangent of the
    /// windows, which would be as large as all of them and then folded, is never made. False if the dot has another
    /// form.
    /// </summary>
    private static bool OfImage(Backward r, Dot n, Node dy, Node b)
    {
        var windows = new Stack<Window>();
        var image = n.Operands[0];
        while (image is Window { Stride: 1 } w)
        {
            windows.Push(w);
            image = w.Operands[0];
        }
        if (windows.Count == 0) return false;

        // For each axis of the operand: the image's axis that it runs along, and whether it runs inside a window.
        List<(int Axis, bool IsInside)> axes = [.. Enumerable.Range(0, image.Type.Rank).Select(d => (d, false))];
        var of = new Dictionary<int, Window>();
        foreach (var w in windows)
        {
            var (axis, isInside) = axes[w.Axis];
            if (isInside || !of.TryAdd(axis, w)) return false;
            axes.Insert(w.Axis + 1, (axis, true));
        }
        bool IsFree(int axis) => n.FreeA.Contains(axes.IndexOf((axis, false)));
        if (!of.Keys.All(k => IsFree(k) && n.ContractA.Contains(axes.IndexOf((k, true))))) return false;

        // The cotangent is padded for the windows that begin before the image's first place or end after its last. The
        // gradient of the padding is not needed: the gradient is that of the image inside.
        var inner = image is Pad p && HasRoom(p) ? p : null;
        image = inner?.Operands[0] ?? image;
        Size Begin(int axis) => inner?.Before[axis] ?? Size.Zero;
        var batch = n.BatchA.Length;
        var before = new Size[dy.Type.Rank];
        var after = new Size[dy.Type.Rank];
        Array.Fill(before, Size.Zero);
        Array.Fill(after, Size.Zero);
        int At(int axis) => batch + n.FreeA.IndexOf(axes.IndexOf((axis, false)));
        foreach (var (axis, w) in of)
        {
            before[At(axis)] = (w.Extent - 1) * w.Dilation - Begin(axis);
            after[At(axis)] = image.Type.Shape[axis] + Begin(axis) - w.Count;
        }
        Node padded = r.Add(new Pad(dy, r.Zeros(TensorType.Scalar(dy.Type.DType)), [.. before], [.. after],
            [.. before.Select(_ => 0L)]));
        // Windows are added from the last axis on, so that earlier axes keep their numbers; then each axis's new place
        // is recorded.
        var moved = Enumerable.Range(0, dy.Type.Rank).ToArray();
        var inside = new Dictionary<int, int>();
        foreach (var (axis, w) in of.OrderByDescending(p => At(p.Key)))
            padded = r.Add(new Window(padded, At(axis), image.Type.Shape[axis], w.Extent, 1, w.Dilation));
        foreach (var (axis, _) in of.OrderBy(p => At(p.Key)))
        {
            var at = moved[At(axis)];
            inside[axis] = at + 1;
            for (var d = At(axis) + 1; d < moved.Length; d++) moved[d]++;
        }

        // Contracted: the axes that only the right operand had, and the places within a window, from its end.
        var turned = of.Keys.Select(k => n.ContractB[n.ContractA.IndexOf(axes.IndexOf((k, true)))]).ToList();
        var weight = r.Add(new Graph.Reverse(b, [.. turned.Order()]));
        var freeB = Enumerable.Range(batch + n.FreeA.Length, n.FreeB.Length).Select(d => moved[d]);
        var product = r.Add(new Dot(padded, weight, [.. Enumerable.Range(0, batch)], n.BatchB,
            [.. freeB, .. of.Keys.Select(k => inside[k])], [.. n.FreeB, .. turned]));

        // Its axes: batch, those along the image, then the other contracted ones, in the right operand's order.
        var rest = Enumerable.Range(0, b.Type.Rank).Where(d => n.ContractB.Contains(d) && !turned.Contains(d))
            .Select(d => axes[n.ContractA[n.ContractB.IndexOf(d)]].Axis);
        ImmutableArray<int> places = [.. n.BatchA.Select(d => axes[d].Axis), .. n.FreeA.Select(d => axes[d].Axis), .. rest];
        r.Give(image, r.As(r.Turned(product, Inverse(places)), image.Type.DType));
        return true;

        // True for padding along the windows only, and no wider than they reach.
        bool HasRoom(Pad p) => !r.Needs(p.Operands[1]) && p.Between.All(b => b == 0)
            && Enumerable.Range(0, p.Type.Rank).All(d => of.TryGetValue(d, out var w)
                ? IsKnown((w.Extent - 1) * w.Dilation - p.Before[d])
                    && IsKnown(p.OperandType(0).Shape[d] + p.Before[d] - w.Count)
                : p.Before[d].Is(0) && p.After[d].Is(0));
    }

    private static bool IsKnown(Size size) => size.IsConstant && size.Value >= 0;

    /// <summary>The permutation that sorts axes, each named by the place where it belongs.</summary>
    private static ImmutableArray<int> Inverse(ImmutableArray<int> axes) =>
        [.. Enumerable.Range(0, axes.Length).Select(d => axes.IndexOf(d))];
}
