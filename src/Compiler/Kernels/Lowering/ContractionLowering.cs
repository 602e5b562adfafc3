// In: a dot and the exit of its epilogue. Out: one contraction kernel whose vector side is the output's contiguous one.
using System.Collections.Immutable;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

internal static class ContractionLowering
{
    public static LoweredKernel Lower(Node root, Dot dot, FusionPlan fusion, Target target)
    {
        var (shape, rank) = (dot.Type.Shape, dot.Type.Rank);
        var (batch, freeA) = (dot.BatchA.Length, dot.FreeA.Length);
        var axes = ContractionAxes.Of(root, dot, target, fusion);
        var swapped = axes.IsSwapped;
        var draft = new KernelDraft(fusion.Loops);
        var nest = new LoopNest(draft, new BlockBuilder());
        var index = new Size[rank];
        for (var d = 0; d < batch; d++) index[d] = nest.Parallel("i", shape[d]);
        foreach (var d in axes.RowsAlone) index[d] = nest.Parallel("i", shape[d]);
        foreach (var part in axes.Apart) Add(part, nest.Parallel("i", part.Extent));
        var rows = Flat("m", [.. axes.Rows.Select(d => new AxisPart(d, shape[d]))]);
        var columns = Flat("n", axes.Columns);
        return Build(draft, nest, [.. index], rows, columns);

        void Add(AxisPart part, Size value) => index[part.Axis] = (index[part.Axis] ?? Size.Zero) + value * part.Scale;

        Axis Flat(string stem, ImmutableArray<AxisPart> flat)
        {
            ImmutableArray<Size> extents = [.. flat.Select(p => p.Extent)];
            var axis = new Axis(draft.Variable(stem, Size.Product(extents)), Size.Product(extents));
            foreach (var (part, value) in flat.Zip(ContractionAxes.Parts(axis.Variable, extents, draft.Ranges)))
                Add(part, value);
            return axis;
        }

        LoweredKernel Build(KernelDraft draft, LoopNest nest, ImmutableArray<Size> index, Axis m, Axis n)
        {
            var elements = new ElementLowering(draft, fusion.HasBuffer);
            var k = dot.ContractA.Select(a => dot.OperandType(0).Shape[a])
                .Select(extent => new Axis(draft.Variable("k", extent), extent)).ToImmutableArray();
            var parent = nest.Scope([]);
            // f16 and bf16 accumulate in f32, whatever the result's dtype; a narrow result is rounded once, by the
            // epilogue.
            var sum = dot.Type.DType is DType.F16 or DType.BF16 ? DType.F32 : dot.Type.DType;
            var ((left, leftYield), (right, rightYield)) = (Side(0), Side(1));
            if (swapped) (left, leftYield, right, rightYield) = (right, rightYield, left, leftYield);
            var epilogue = new Scope(null, parent.Builder.Inner(), true, m.Variable, n.Variable) { InVector = true };
            var accumulator = epilogue.Builder.NewValue(sum);
            // Padding terms then change nothing: they are ±0 where the other side is finite, and ±0 + 0 is +0.
            var total = sum.IsFloat && left.Statements.Any(s => s is Load { Guards.IsEmpty: false })
                ? epilogue.Builder.Binary(ScalarOp.Add, accumulator, epilogue.Builder.Float(0, sum))
                : accumulator;
            elements.Bind(dot, epilogue.Builder.Convert(total, dot.Type.DType));
            var at = ContractionAxes.Forward(root, dot, index, draft.Ranges);
            var value = elements.Root(root, at, epilogue);
            epilogue.Builder.Emit(new Store(draft.Buffer(target.Node, isOutput: true), target.Offset(at), value));
            parent.Builder.Emit(
                new Contract(m, n, k, left, leftYield, right, rightYield, accumulator, epilogue.Builder.ToBlock()));
            return draft.Finish(nest);

            (Block Block, Value Yield) Side(int operand)
            {
                var (batchAxes, contract, free) = operand == 0
                    ? (dot.BatchA, dot.ContractA, dot.FreeA)
                    : (dot.BatchB, dot.ContractB, dot.FreeB);
                var element = new Size[dot.OperandType(operand).Rank];
                for (var i = 0; i < batch; i++) element[batchAxes[i]] = index[i];
                for (var i = 0; i < contract.Length; i++) element[contract[i]] = Size.Variable(k[i].Variable);
                for (var i = 0; i < free.Length; i++) element[free[i]] = index[batch + (operand == 0 ? 0 : freeA) + i];
                // The parts of a contraction are independent blocks: nothing is hoisted out of them.
                var scope =
                    new Scope(null, parent.Builder.Inner(), true, k.Select(a => a.Variable).Append(m.Variable)
                        .Append(n.Variable))
                    { InVector = true };
                var value = elements.Element(dot.Operands[operand], [.. element], scope);
                value = scope.Builder.Convert(value, sum);
                return (scope.Builder.ToBlock(), value);
            }
        }
    }
}
