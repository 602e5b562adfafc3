// In: two tensors. Out: the same with one list of index axes and one shape, by the rules of broadcasting.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private readonly Dictionary<string, Index> indexOf = [];
    private readonly Dictionary<Index, (int Position, int Part)> indexOrder = new(ReferenceEqualityComparer.Instance);

    private Value Elementwise(TensorValue a, TensorValue b, Span span, Span leftSpan, Span rightSpan,
        Func<Node, Node, Node> make)
    {
        TensorValue[] both = [a, b];
        if (BroadcastShape(both, [leftSpan, rightSpan], span) is not { } shape) return Value.Poison;
        var (x, y, indices) = AlignPair(both[0], both[1], shape);
        return Tensor(make(x, y), indices);
    }

    /// <summary>Joins elementwise scalars over indices, which always fit.</summary>
    private TensorValue Join(TensorValue a, TensorValue b, Func<Node, Node, Node> make)
    {
        var (x, y, indices) = AlignPair(a, b, a.Rank >= b.Rank ? a.Shape : b.Shape);
        return Tensor(make(x, y), indices);
    }

    private (Node, Node, ImmutableArray<Index>) AlignPair(TensorValue a, TensorValue b, ImmutableArray<Size> shape)
    {
        (a, b) = (Whole(a), Whole(b));
        var indices = InOrder(a.Indices.Union(b.Indices));
        return (Spread(a, indices, shape).Node, Spread(b, indices, shape).Node, indices);
    }

    private ImmutableArray<Index> InOrder(IEnumerable<Index> indices) =>
        [.. indices.Distinct().OrderBy(i => indexOrder[i].Position).ThenBy(i => indexOrder[i].Part)];

    /// <summary>Splits the axes of indices that have been split since the tensor was made.</summary>
    private TensorValue Whole(TensorValue x)
    {
        if (!x.Indices.Any(i => i.Split is not null)) return x;
        ImmutableArray<Index> indices = [.. x.Indices.SelectMany(i => i.Axes)];
        return new(Reshaped(x.Node, [.. indices.Select(i => i.Extent), .. x.Shape]), Graph, indices);
    }

    /// <summary>
    /// The common shape: axes are aligned from the right; missing and literal 1 axes are repeated, equal sizes stay.
    /// Null after a diagnostic.
    /// </summary>
    private ImmutableArray<Size>? BroadcastShape(TensorValue[] values, Span[] spans, Span span)
    {
        var rank = values.Max(v => v.Rank);
        var shape = new Size[rank];
        for (var d = 1; d <= rank; d++)
        {
            (Size Size, int From)? common = null;
            for (var k = 0; k < values.Length; k++)
            {
                if (values[k].Rank < d) continue;
                var size = values[k].Shape[^d];
                if (common is not var (known, from) || (known.Is(1) && !size.Is(1)))
                {
                    common = (size, k);
                    continue;
                }
                if (size.Is(1) || size.Equals(known)) continue;
                if (Compare(known, size, $"{known} and {size} meet at {span.Place}") == Sameness.Checked)
                {
                    values[k] = Retype(values[k], values[k].Shape.SetItem(values[k].Rank - d, known));
                    continue;
                }
                Fail(Codes.BroadcastMismatch, span, $"the sizes {known} and {size} do not broadcast", null,
                    FromTheLast(values[from], values[k], spans[from], spans[k])
                        ?? Beginning(values[from], d, size, spans[from]) ?? Beginning(values[k], d, known, spans[k])
                        ?? Pairs(values[from], values[k], rank - d, spans[from], spans[k], Equalize(known, size,
                            MadeBy(values[k].Node) ?? MadeBy(values[from].Node)))
                        ?? ((StateOf(values[k].Node) ?? StateOf(values[from].Node)) is { } state
                            ? $"{state.Name} is declared as {state.Type}: axes meet from the last, and are equal or 1"
                            : Shorter(values[from], values[k])
                                ?? (values[from].Rank == values[k].Rank
                                    ? $"axis {rank - d} is {known} and {size}: " : "")
                                + "axes meet from the last, and are equal, or one of them is 1"),
                    new Label(spans[from], Describe(values[from])), new Label(spans[k], Describe(values[k])));
                return null;
            }
            shape[rank - d] = common!.Value.Size;
        }
        return [.. shape];
    }

    /// <summary>
    /// The help line for a tensor that has the other's axes except for trailing ones, as after a reduction: with axes
    /// of 1 in their places the two broadcast as intended.
    /// </summary>
    private static string? FromTheLast(TensorValue a, TensorValue b, Span aSpan, Span bSpan)
    {
        var (low, high, span, other) = a.Rank < b.Rank ? (a, b, aSpan, bSpan) : (b, a, bSpan, aSpan);
        // An index form has no reshape.
        if (low.Rank == high.Rank || !low.Indices.IsEmpty) return null;
        var next = 0;
        List<string> axes = [];
        foreach (var size in high.Shape)
        {
            var meets = next < low.Rank && low.Shape[next].Equals(size);
            axes.Add(meets ? size.Text : "1");
            if (meets) next++;
        }
        if (next < low.Rank) return null;
        // The condition of a choice is shortened with the whole choice.
        var text = span.Length > other.Length && span.To(other) == span ? "…" : Short(span);
        var reshaped = $"`reshape({text}, [{string.Join(", ", axes)}])`";
        return "axes meet from the last: " + (span.Text.Contains("axis:", StringComparison.Ordinal)
            || IsReduced(low.Node)
            ? $"reduce with `keep: true`, or write {reshaped}" : $"write {reshaped}");
    }

    /// <summary>
    /// Adds to a help line how to combine all rows of one with all of the other, if only the number of rows differs.
    /// </summary>
    private static string? Pairs(TensorValue a, TensorValue b, int axis, Span aSpan, Span bSpan, string? help)
    {
        if (help is null || a.Rank != b.Rank || a.Rank < 2 || axis != 0 || !a.Indices.IsEmpty || !b.Indices.IsEmpty
            || !a.Shape.Skip(1).SequenceEqual(b.Shape.Skip(1))) return help;
        return help + $"; all rows with all: {Written(Short(aSpan), a.Shape.Insert(1, Size.One))} and "
            + Written(Short(bSpan), b.Shape.Insert(0, Size.One));
    }

    /// <summary>
    /// The help line for a table of a fixed length, such as one of positions, that meets an axis of any size: take its
    /// first rows.
    /// </summary>
    private string? Beginning(TensorValue table, int fromLast, Size size, Span span)
    {
        if (StateOf(table.Node) is null || !table.Shape[^fromLast].IsConstant || size.IsConstant
            || !table.Indices.IsEmpty)
            return null;
        var colons = string.Concat(Enumerable.Repeat(":, ", table.Rank - fromLast));
        return $"the first {size} of {table.Shape[^fromLast]} are `{Short(span)}[{colons}:{size}]`";
    }

    /// <summary>The help line where several axes differ, as on the two ways of a residual block.</summary>
    private static string? Shorter(TensorValue a, TensorValue b)
    {
        if (a.Rank != b.Rank) return null;
        var differ = Enumerable.Range(0, a.Rank).Where(d => !a.Shape[d].Equals(b.Shape[d]) && !a.Shape[d].Is(1)
            && !b.Shape[d].Is(1)).ToList();
        return differ.Count < 2 ? null : $"they differ in the axes {string.Join(", ", differ.SkipLast(1))} and "
            + $"{differ[^1]}: bring one to the other's shape first, as a layer on the short way of a residual does";
    }

    /// <summary>True if a value comes out of a reduction, such as a mean under a name.</summary>
    private static bool IsReduced(Node node, int steps = 4) => node is Reduce or ArgReduce
        || (steps > 0 && node is Unary or Accelerate.Compiler.Graph.Binary or Accelerate.Compiler.Graph.Convert
            && node.Operands.Any(o => IsReduced(o, steps - 1)));

    /// <summary>
    /// The tensor over exactly these indices, in this order, with its own axes broadcast to the
    /// shape.
    /// </summary>
    private TensorValue Spread(TensorValue x, ImmutableArray<Index> indices, ImmutableArray<Size> shape)
    {
        var node = x.Node;
        ImmutableArray<Size> full = [.. indices.Select(i => i.Extent), .. shape];
        if (node is Const { IsSplat: true } c)
        {
            return new(Emit(c.Type.DType.IsFloat ? Const.Of(node.Type.With(full), [c.FloatAt(0)])
                : Const.Of(node.Type.With(full), [c.Integers[0]])), Graph, indices);
        }
        ImmutableArray<Index> mine = [.. indices.Where(x.Indices.Contains)];
        ImmutableArray<int> order = [.. mine.Select(i => x.Indices.IndexOf(i)),
            .. Enumerable.Range(x.Indices.Length, x.Rank)];
        node = Transposed(node, order);

        // Own axes of literal size 1 that have to grow are dropped, then repeated.
        var axes = mine.Select(i => indices.IndexOf(i)).ToList();
        var kept = mine.Select(i => i.Extent).ToList();
        var offset = indices.Length + shape.Length - x.Rank;
        for (var d = 0; d < x.Rank; d++)
        {
            if (x.Shape[d].Is(1) && !full[offset + d].Is(1)) continue;
            kept.Add(x.Shape[d]);
            axes.Add(offset + d);
        }
        if (kept.Count < node.Type.Rank) node = Reshaped(node, [.. kept]);
        if (!node.Type.Shape.SequenceEqual(full)) node = Emit(new Broadcast(node, full, [.. axes]));
        return new(node, Graph, indices);
    }
}
