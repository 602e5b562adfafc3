// In: the pattern of an attention of few rows over many keys. Out: two kernels: one for segments of the keys, one that
// combines them.
using System.Collections.Immutable;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// A decoding step has one row per head: the keys are what workers can share. The first kernel attends to each segment
/// of them separately and stores sums, totals and greatest scores; the second brings these to one scale and adds them
/// in order. Decided by shapes alone, as the order of the additions changes the bits.
/// </summary>
internal static class AttentionSplit
{
    /// <summary>
    /// The keys of a segment, part of the meaning: 512 KB of keys and values of 64 elements, some 20 us of reading
    /// memory.
    /// </summary>
    private const int Segment = 1024;

    /// <summary>More rows per head than this are work enough for a worker.</summary>
    private const int FewRows = 16;

    public static bool Applies(AttentionPattern attention)
    {
        var shape = attention.Scores.Type.Shape;
        var rows = Size.Product(shape.Skip(attention.Scores.BatchA.Length).SkipLast(1));
        return rows.IsConstant && rows.Value <= FewRows && !(shape[^1].IsConstant && shape[^1].Value <= Segment);
    }

    public static IEnumerable<LoweredKernel> Lower(Node root, AttentionPattern attention, FusionPlan fusion)
    {
        var (shape, values, type) = (attention.Scores.Type.Shape, attention.Values, attention.Values.Type.DType);
        var batch = shape.Take(attention.Scores.BatchA.Length).ToImmutableArray();
        var rows = shape.Skip(batch.Length).SkipLast(1).ToImmutableArray();
        var segments = Size.FloorDiv(shape[^1] + (Segment - 1), Segment);
        var columns = values.Type.Shape[^1];
        ImmutableArray<Size> each = [.. batch, segments, Size.Product(rows)];
        // These inputs belong to no function: only the two kernels use them.
        var sums = new Input("sums", values.Type.With([.. each, columns]));
        var totals = new Input("totals", values.Type.With(each));
        var highs = new Input("greatest", values.Type.With(each));
        yield return AttentionLowering.Kernel(attention, fusion, Segment, p =>
        {
            ImmutableArray<Size> at = [.. p.Outer, p.Segment, p.M];
            p.Scope.Builder.Emit(
                new Store(p.Draft.Buffer(sums, isOutput: true), Indexing.Linear([.. at, p.E], sums.Type.Shape), p.Sum));
            // The values of a row are stored by its first column only.
            var guards = ImmutableArray.Create(new Guard(p.E, 1));
            p.Scope.Builder.Emit(
                new Store(p.Draft.Buffer(totals, isOutput: true), Indexing.Linear(at, each),
                    p.Total)
                { Guards = guards });
            p.Scope.Builder.Emit(
                new Store(p.Draft.Buffer(highs, isOutput: true), Indexing.Linear(at, each),
                    p.Greatest!)
                { Guards = guards });
        });

        var draft = new KernelDraft(fusion.Loops);
        var elements = new ElementLowering(draft, fusion.HasBuffer);
        var nest = new LoopNest(draft, new BlockBuilder());
        ImmutableArray<Size> outer = [.. batch.Select(extent => nest.Parallel("i", extent))];
        var m = nest.Parallel("m", Size.Product(rows));
        var row = Indexing.Split(m, rows, draft.Ranges);
        var scope = nest.Scope([]);
        var b = scope.Builder;
        var greatest = Over(scope, ReduceKind.Max, (inner, p) => Load(inner, highs, p));
        var shift =
            b.Select(b.Compare(ScalarOp.Eq, greatest, b.Float(double.NegativeInfinity, type)), b.Float(0, type),
                greatest);
        var total =
            Over(scope, ReduceKind.Add, (inner, p) =>
                inner.Binary(ScalarOp.Mul, Scale(inner, p), Load(inner, totals, p)));
        var one = b.Binary(ScalarOp.Div, b.Float(1, type), total);
        var e = draft.Variable("e", columns);
        var lanes = new Scope(scope, b.Inner(), true, e) { InVector = true };
        var sum = Over(lanes, ReduceKind.Add, (inner, p) =>
            inner.Binary(ScalarOp.Mul, Scale(inner, p), Load(inner, sums, p, Size.Variable(e))));
        elements.Bind(values, lanes.Builder.Binary(ScalarOp.Mul, sum, one));
        var at = ContractionAxes.Forward(root, values, [.. outer, .. row, Size.Variable(e)], draft.Ranges);
        var target = Target.Own(root);
        var result = elements.Root(root, at, lanes);
        lanes.Builder.Emit(new Store(draft.Buffer(target.Node, isOutput: true), target.Offset(at), result));
        b.Emit(new Loop(LoopKind.Vector, e, columns, lanes.Builder.ToBlock()));
        yield return draft.Finish(nest);

        Value Load(BlockBuilder inner, Node node, Size segment, params Size[] column) =>
            inner.Load(type, draft.Buffer(node), Indexing.Linear([.. outer, segment, m, .. column], node.Type.Shape),
                [], null);

        Value Scale(BlockBuilder inner, Size segment) =>
            VectorMath.ExpOfNonPositive(inner, inner.Binary(ScalarOp.Sub, Load(inner, highs, segment), shift));

        Value Over(Scope around, ReduceKind kind, Func<BlockBuilder, Size, Value> term)
        {
            var variable = draft.Variable("p", segments);
            var body = around.Inner(variable);
            var yield = term(body.Builder, Size.Variable(variable));
            return around.Builder.Define($"over {variable}", type,
                r => new Reduction(r, kind, false, variable, segments, body.Builder.ToBlock(), yield));
        }
    }
}
