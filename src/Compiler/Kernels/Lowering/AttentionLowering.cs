// In: the pattern of an attention and the exit of its epilogue. Out: one kernel; neither scores nor probabilities are
// stored.
using System.Collections.Immutable;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

internal static class AttentionLowering
{
    /// <summary>
    /// The keys of a block, part of the kernel's meaning. A packed block of 256 keys and values of 64 elements takes
    /// 128 KB, which fits into the second-level cache beside the rows; shorter blocks rescale the sums more often.
    /// </summary>
    private const int KeyBlock = 256;

    /// <summary>
    /// Where the epilogue is computed: batch axes, segment of the keys, row of queries, column of values; and the
    /// values known there.
    /// </summary>
    internal sealed record Place(KernelDraft Draft, ElementLowering Elements, Scope Scope, ImmutableArray<Size> Outer,
        Size Segment,
        Size M, ImmutableArray<Size> Row, Size E, Value Sum, Value Total, Value? Greatest);

    public static LoweredKernel Lower(Node root, AttentionPattern attention, FusionPlan fusion, Target target) =>
        Kernel(attention, fusion, null, p =>
    {
        var b = p.Scope.Builder;
        var type = attention.Values.Type.DType;
        // One division per row, not per element.
        var one = b.Binary(ScalarOp.Div, b.Float(1, type), p.Total);
        p.Elements.Bind(attention.Values, b.Binary(ScalarOp.Mul, p.Sum, one));
        var at = ContractionAxes.Forward(root, attention.Values, [.. p.Outer, .. p.Row, p.E], p.Draft.Ranges);
        var result = p.Elements.Root(root, at, p.Scope);
        b.Emit(new Store(p.Draft.Buffer(target.Node, isOutput: true), target.Offset(at), result));
    });

    /// <param name="attention">The pattern.</param>
    /// <param name="fusion">Which nodes have buffers.</param>
    /// <param name="segment">The number of keys in a segment, each of which is attended to separately; null for all
    /// keys.</param>
    /// <param name="store">Writes the epilogue; it receives the greatest scores if there are segments.</param>
    public static LoweredKernel Kernel(AttentionPattern attention, FusionPlan fusion, long? segment, Action<Place> store)
    {
        var (scores, values, masked) = (attention.Scores, attention.Values, attention.Masked);
        var (shape, batch) = (scores.Type.Shape, scores.BatchA.Length);
        var draft = new KernelDraft(fusion.Loops);
        var elements = new ElementLowering(draft, fusion.HasBuffer);
        var nest = new LoopNest(draft, new BlockBuilder());
        ImmutableArray<Size> outer = [.. Enumerable.Range(0, batch).Select(d => nest.Parallel("i", shape[d]))];
        // All queries that share their keys form one axis: those of a position, and the heads of a group.
        var rows = shape.Skip(batch).SkipLast(1).ToImmutableArray();
        var (all, number) = (shape[^1], Size.Zero);
        if (segment is { } length) number = nest.Parallel("p", Size.FloorDiv(all + (length - 1), length));
        var first = number * (segment ?? 0);
        var m = Axis("m", Size.Product(rows));
        var s = Axis("s", segment is { } most ? Size.Min(most, all - first) : all);
        var e = Axis("e", values.OperandType(1).Shape[values.FreeB[0]]);
        var k = Axis("k", scores.OperandType(0).Shape[scores.ContractA[0]]);
        var row = Indexing.Split(Size.Variable(m.Variable), rows, draft.Ranges);
        var at = first + Size.Variable(s.Variable);
        var parent = nest.Scope([]);
        var type = values.Type.DType;

        var query =
            Side(scores.Operands[0], scores.BatchA, scores.FreeA, row, scores.ContractA[0], Size.Variable(k.Variable),
                m, k);
        var key =
            Side(scores.Operands[1], scores.BatchB, scores.FreeB, [at], scores.ContractB[0], Size.Variable(k.Variable),
                s, k);
        var value =
            Side(values.Operands[1], values.BatchB, values.FreeB, [Size.Variable(e.Variable)], values.ContractB[0], at,
                e, s);

        var place = Reshaped([.. outer, .. row, at], shape, masked.Type.Shape, draft.Ranges);
        var limit = AttentionPattern.Limit(masked, place.Length - 1, place) is { } bound
            && !bound.At.Any(i => i.Mentions(s.Variable)) ? bound : null;
        Part? until = null;
        if (limit is not null)
        {
            var scope = Alone(m);
            var b = scope.Builder;
            // Clamped to the number of keys, before one is added to it.
            var last =
                b.Binary(ScalarOp.Min, b.Convert(elements.Element(limit.Limit, limit.At, scope), DType.I64),
                    b.Index(all));
            var count = limit.Plus == 0 ? last : b.Binary(ScalarOp.Add, last, b.Integer(limit.Plus, DType.I64));
            if (segment is not null) count = b.Binary(ScalarOp.Sub, count, b.Index(first));
            until = new(b.ToBlock(), count);
        }
        var seen = Alone(m, s);
        var product = seen.Builder.NewValue(type);
        elements.Bind(scores, product);
        // If the mask only limits the number of keys, the loop's bound replaces the select.
        var what = limit is { IsWhole: true } ? masked.Operands[1] : masked;
        var scored = elements.Element(what, place, seen);

        var weight = Alone();
        var difference = weight.Builder.NewValue(type);
        var weighted = VectorMath.ExpOfNonPositive(weight.Builder, difference);

        var epilogue = Alone(m, e);
        var (sum, total) = (epilogue.Builder.NewValue(type), epilogue.Builder.NewValue(type));
        var greatest = segment is null ? null : epilogue.Builder.NewValue(type);
        store(new(draft, elements, epilogue, outer, number, Size.Variable(m.Variable), row, Size.Variable(e.Variable),
            sum, total, greatest));

        parent.Builder.Emit(new Attend(m, s, e, k, KeyBlock, query, key, value, until, product,
            new(seen.Builder.ToBlock(), scored),
            difference, new(weight.Builder.ToBlock(), weighted), sum, total, greatest, epilogue.Builder.ToBlock()));
        return draft.Finish(nest);

        Axis Axis(string stem, Size extent) => new(draft.Variable(stem, extent), extent);

        // The parts are independent blocks: nothing is hoisted out of them.
        Scope Alone(params Axis[] axes) =>
            new(null, parent.Builder.Inner(), true, axes.Select(a => a.Variable)) { InVector = true };

        Part Side(Node operand, ImmutableArray<int> batchAxes, ImmutableArray<int> free, ImmutableArray<Size> own,
            int contracted, Size along,
            params Axis[] axes)
        {
            var index = new Size[operand.Type.Rank];
            for (var i = 0; i < batch; i++) index[batchAxes[i]] = outer[i];
            for (var i = 0; i < free.Length; i++) index[free[i]] = own[i];
            index[contracted] = along;
            var scope = Alone(axes);
            var element = elements.Element(operand, [.. index], scope);
            return new(scope.Builder.ToBlock(), element);
        }
    }

    /// <summary>
    /// The index of the same element in another shape; axes at the beginning or end that both shapes have keep their
    /// index, which saves divisions.
    /// </summary>
    private static ImmutableArray<Size> Reshaped(ImmutableArray<Size> index, ImmutableArray<Size> from,
        ImmutableArray<Size> to, IndexRanges ranges)
    {
        var shorter = Math.Min(from.Length, to.Length);
        var (head, tail) = (0, 0);
        while (head < shorter && from[head].Equals(to[head])) head++;
        while (tail < shorter - head && from[^(tail + 1)].Equals(to[^(tail + 1)])) tail++;
        var inner = Indexing.Linear(index[head..^tail], from[head..^tail]);
        return [.. index[..head], .. Indexing.Split(inner, to[head..^tail], ranges), .. index[^tail..]];
    }
}
