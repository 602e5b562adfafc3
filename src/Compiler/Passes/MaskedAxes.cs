// In: an optimised function. Out: the function in which attention under a mask `j <= e` stops at the last j that any
// row may see.
using System.Collections.Immutable;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// dot(softmax(select(j &lt;= e, x, -inf)), v) over j &lt; n => the same over j &lt; m, with m = min(n, max(1, greatest
/// e + 1)), a size that the call computes. Everything left out is exp(-inf) = 0 times a value of v: the bits are the
/// same, except that an infinity or NaN of v in a place that no row sees does no harm. A row that sees nothing is NaN
/// throughout, with one element as with all.
/// </summary>
internal static class MaskedAxes
{
    public static Function Run(Function function, Rewrites rewrites)
    {
        // A function names the size of each limit once, however many layers use it.
        var names = GraphPrinter.Closure(function).SelectMany(f => f.Nodes).OfType<Extent>().Select(e => e.Variable)
            .ToHashSet();
        var before = names.Count;
        var known = new Dictionary<(Node Limit, long Plus, string Most), string>();
        var rewritten = new Rewriter((node, r) => node is Dot dot ? Shortened(dot, r) : null, rewrites, "masked-axes")
            .Run(function);
        return names.Count == before ? function : DeadCode.Run(rewritten);

        Node? Shortened(Dot dot, Rewriter r)
        {
            if (dot.ContractA is not [var axis] || Softmax(dot.Operands[0], axis) is not { } softmax
                || AttentionPattern.Limit(softmax.Scores, axis, [.. softmax.Scores.Type.Shape.Select(_ => Size.Zero)])
                    is not { Limit: var e, Plus: var plus }
                || !Varies(e) || Mentions(dot).Any(names.Contains)) return null;
            var most = dot.OperandType(0).Shape[axis];
            var limit = e.Type.Rank == 0 ? e
                : r.Add(new Reduce(ReduceOp.Max, e, [.. Enumerable.Range(0, e.Type.Rank)]));
            if (!known.TryGetValue((limit, plus, most.Text), out var name))
            {
                known[(limit, plus, most.Text)] = name = VariableName.Driver("m", names.Count + 1);
                names.Add(name);
                r.Add(new Extent(limit, name, plus, most));
            }
            var size = Size.Variable(name);
            var restriction = new Restriction(r, size, [softmax.Sum, softmax.Max], axis);
            return r.Add(
                dot.With([restriction.Of(dot.Operands[0], axis), restriction.Of(dot.Operands[1], dot.ContractB[0])]));
        }
    }

    private static IEnumerable<string> Mentions(Dot dot) => dot.OperandType(0).Shape.SelectMany(s => s.Variables());

    private static SoftmaxPattern? Softmax(Node p, int axis)
    {
        while (p is Graph.Convert { Type.DType.IsFloat: true } c) p = c.Operands[0];
        return RowPattern.SoftmaxOf(p, axis);
    }

    /// <summary>
    /// False for limits that are the same in every call of a shape: a causal mask over the text itself.
    /// </summary>
    private static bool Varies(Node e) => e is not (Iota or Const) && (e.Operands.IsEmpty || e.Operands.Any(Varies));

    /// <summary>Values restricted to the places below the size along one axis.</summary>
    private sealed class Restriction(Rewriter r, Size size, IReadOnlyList<Reduce> rows, int axis)
    {
        private readonly Dictionary<(Node, int), Node> known = [];

        public Node Of(Node node, int d)
        {
            if (known.TryGetValue((node, d), out var done)) return done;
            var shape = node.Type.Shape.SetItem(d, size);
            return known[(node, d)] = node switch
            {
                Const { IsSplat: true } c =>
                    r.Add(c.Type.DType.IsFloat ? Const.Of(c.Type.With(shape), c.FloatAt(0))
                        : Const.Of(c.Type.With(shape), c.Integers[0])),
                Iota i => r.Add(new Iota(i.Type.With(shape), i.Axis)),
                _ when node.Is(OpTraits.Elementwise) =>
                    r.Add(node.With([.. node.Operands.Select(o => Of(o, d))])),
                Transpose t => r.Add(t.With([Of(t.Operands[0], t.Permutation[d])])),
                Broadcast b when b.Axes.IndexOf(d) is >= 0 and var from =>
                    r.Add(new Broadcast(Of(b.Operands[0], from), shape, b.Axes)),
                Broadcast b => r.Add(new Broadcast(Row(b.Operands[0]), shape, b.Axes)),
                Reshape x when RowPattern.Kept(x) && RowPattern.Behind(x, d) is >= 0 and var from =>
                    r.Add(new Reshape(Of(x.Operands[0], from), shape, x.IsChecked)),
                Dot dot => r.Add(dot.With([.. Sides(dot, d)])),
                _ => r.Add(new Slice(node, [.. shape.Select(_ => Size.Zero)], shape, [.. shape.Select(_ => 1L)])),
            };
        }

        /// <summary>The reductions along the axis, of their restricted operands; everything else as it is.</summary>
        private Node Row(Node node) => node switch
        {
            Reduce reduce when rows.Contains(reduce) => r.Add(reduce.With([Of(reduce.Operands[0], axis)])),
            Reshape x when RowPattern.Kept(x) => r.Add(x.With([Row(x.Operands[0])])),
            Binary { Kind: BinaryOp.Div, Operands: [Const, var sum] } reciprocal =>
                r.Add(reciprocal.With([reciprocal.Operands[0], Row(sum)])),
            _ => node,
        };

        private IEnumerable<Node> Sides(Dot dot, int d)
        {
            var (a, b) = (dot.Operands[0], dot.Operands[1]);
            var (batch, free) = (dot.BatchA.Length, dot.FreeA.Length);
            if (d < batch) return [Of(a, dot.BatchA[d]), Of(b, dot.BatchB[d])];
            return d < batch + free ? [Of(a, dot.FreeA[d - batch]), b] : [a, Of(b, dot.FreeB[d - batch - free])];
        }
    }
}
