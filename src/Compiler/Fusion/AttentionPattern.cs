// In: a dot. Out: the attention that it ends, if any: scores by another dot, elementwise work on them, softmax over the
// keys.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Fusion;

/// <summary>
/// dot(softmax(f(dot(q, k))), v) over the keys, where nothing else uses the scores or the probabilities. Inside: the
/// nodes from the first dot to the second one's operand, which have no buffers.
/// </summary>
internal sealed record AttentionPattern(Dot Scores, Node Masked, Dot Values, ImmutableHashSet<Node> Inside)
{
    /// <summary>
    /// The attention that ends in a dot, given the users of nodes and which nodes have a buffer for another reason.
    /// </summary>
    public static AttentionPattern? Of(Dot values, Uses users, Func<Node, bool> isBuffered)
    {
        var p = values.Operands[0];
        var (shape, batch) = (p.Type.Shape, values.BatchA.Length);
        if (values.Type.DType is not (DType.F32 or DType.F64) || p.Type.DType != values.Type.DType
            || values.FreeB.Length != 1
            || values.ContractA is not [var axis] || axis != shape.Length - 1
            || !values.BatchA.SequenceEqual(Enumerable.Range(0, batch))) return null;
        var inside = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        while (p is Reshape) p = Into(p).Operands[0];
        if (p.Type.Rank == 0 || RowPattern.SoftmaxOf(p, p.Type.Rank - 1) is not var (_, power, difference, _, _)
            || difference.Operands[0] is not { } masked || !masked.Type.Shape[^1].Equals(shape[axis])) return null;
        foreach (var node in (Node[])[p, power, difference]) Into(node);
        for (var row = p.Operands[1]; !ReferenceEquals(row, power); row = RowPattern.Below(row)) Into(row);
        for (var row = difference.Operands[1]; !ReferenceEquals(row, masked); row = row.Operands[0]) Into(row);

        var dots = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var seen = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var open = new Stack<Node>([masked]);
        while (open.TryPop(out var node))
        {
            if (!seen.Add(node)) continue;
            if (node is Dot) dots.Add(node);
            else if (IsPointwise(node)) foreach (var operand in node.Operands) open.Push(operand);
        }
        var found = dots.Cast<Dot>()
            .Where(d => d.Type.DType == values.Type.DType && d.OperandType(0).DType == d.Type.DType
            && d.Type.Shape.SequenceEqual(shape) && d.BatchA.Length == batch && d.FreeB.Length == 1
            && d.ContractA.Length == 1)
                .ToList();
        if (found is not [var scores]) return null;

        // Every node after the scores that depends on them is elementwise work before the softmax, or part of it.
        Into(scores);
        var depends = new HashSet<Node>(ReferenceEqualityComparer.Instance) { scores };
        foreach (var node in seen.Where(n => n.Id > scores.Id).OrderBy(n => n.Id))
            if (node.Operands.Any(depends.Contains) && depends.Add(node)) Into(node);
        if (!depends.Contains(masked)) return null;
        foreach (var node in inside)
            if (isBuffered(node) || users[node].Any(u => !inside.Contains(u) && !ReferenceEquals(u, values)))
                return null;
        return ReferenceEquals(values.Operands[1], values.Operands[0]) || inside.Contains(values.Operands[1]) ? null
            : new(scores, masked, values, inside.ToImmutableHashSet<Node>(ReferenceEqualityComparer.Instance));

        Node Into(Node node)
        {
            inside.Add(node);
            return node;
        }
    }

    private static bool IsPointwise(Node node) =>
        node.Is(OpTraits.Elementwise) || node is Reshape;

    /// <summary>
    /// The number of keys a row sees under a mask that is false wherever the key is not below Limit + Plus: the limit,
    /// its index, and whether the mask consists of this comparison alone.
    /// </summary>
    public sealed record Bound(Node Limit, ImmutableArray<Size> At, long Plus, bool IsWhole);

    /// <param name="masked">The masked scores.</param>
    /// <param name="axis">The axis of the keys.</param>
    /// <param name="index">The place of a score; the index of the key is ignored.</param>
    public static Bound? Limit(Node masked, int axis, ImmutableArray<Size> index) =>
        masked is Select { Operands: [var mask, _, Const { IsSplat: true } fill] }
            && double.IsNegativeInfinity(fill.FloatAt(0))
            ? LimitOf(mask, axis, index) : null;

    private static Bound? LimitOf(Node mask, int axis, ImmutableArray<Size> index)
    {
        switch (mask)
        {
            case Broadcast b:
                return b.Axes.IndexOf(axis) is >= 0 and var from
                    ? LimitOf(b.Operands[0], from, [.. b.Axes.Select(a => index[a])]) : null;
            case Reshape r when RowPattern.Kept(r) && RowPattern.Behind(r, axis) is >= 0 and var behind:
                return LimitOf(r.Operands[0], behind, Behind(r, index));
            case Transpose t:
                var moved = new Size[index.Length];
                for (var i = 0; i < index.Length; i++) moved[t.Permutation[i]] = index[i];
                return LimitOf(t.Operands[0], t.Permutation[axis], [.. moved]);
            case Binary { Kind: BinaryOp.And } both:
                return (LimitOf(both.Operands[0], axis, index) ?? LimitOf(both.Operands[1], axis, index)) is { } part
                    ? part with { IsWhole = false } : null;
            case Compare { Kind: CompareOp.Le or CompareOp.Lt } c when RowPattern.IsIndex(c.Operands[0], axis):
                return Along(c.Operands[1], axis, index, c.Kind == CompareOp.Le ? 1 : 0);
            case Compare { Kind: CompareOp.Ge or CompareOp.Gt } c when RowPattern.IsIndex(c.Operands[1], axis):
                return Along(c.Operands[0], axis, index, c.Kind == CompareOp.Ge ? 1 : 0);
            default:
                return null;
        }
    }

    private static Bound? Along(Node node, int axis, ImmutableArray<Size> index, long plus)
    {
        while (node is Broadcast b)
        {
            index = [.. b.Axes.Select(a => index[a])];
            axis = b.Axes.IndexOf(axis);
            node = b.Operands[0];
            if (axis < 0) return node.Type.DType is DType.I32 or DType.I64 ? new(node, index, plus, true) : null;
        }
        return null;
    }

    /// <summary>The operand's index, where a reshape only adds or drops axes of one element.</summary>
    private static ImmutableArray<Size> Behind(Reshape r, ImmutableArray<Size> index)
    {
        var kept = new Queue<Size>(index.Where((_, d) => !r.Type.Shape[d].Is(1)));
        return [.. r.OperandType(0).Shape.Select(s => s.Is(1) ? Size.Zero : kept.Dequeue())];
    }
}
