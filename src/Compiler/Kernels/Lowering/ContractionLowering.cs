// In: a dot and the exit of its epilogue. Out: one contraction kernel whose vector side is the output's contiguous one.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

internal static class ContractionLowering
{
    public static LoweredKernel Lower(Node root, Dot dot, Fusion fusion, Target target)
    {
        var (shape, rank) = (dot.Type.Shape, dot.Type.Rank);
        var (batch, freeA) = (dot.BatchA.Length, dot.FreeA.Length);

        // Where the output lies in memory, in terms of the dot's own index: the axis of stride 1 is the vector side.
        var probe = new IndexRanges();
        for (var d = 0; d < rank; d++) probe.Add(Name(d), shape[d]);
        var place = Offset([.. Enumerable.Range(0, rank).Select(d => Size.Variable(Name(d)))], probe);
        var last = Enumerable.Range(batch, rank - batch)
            .Where(d => !shape[d].Is(1)).Select(d => (Axis: d, Stride: Stride(place, d)))
            .Where(s => s.Stride is not null).OrderBy(s => s.Stride).Select(s => (int?)s.Axis).FirstOrDefault() ?? rank - 1;
        var swapped = last < batch + freeA;
        var axesA = Enumerable.Range(batch, freeA).ToList();
        var axesB = Enumerable.Range(batch + freeA, rank - batch - freeA).ToList();
        var (axesM, axesN) = swapped ? (axesB, axesA) : (axesA, axesB);
        axesN = [.. axesN.OrderByDescending(d => Stride(place, d) ?? long.MaxValue)];

        // As many axes of the vector side as lie together in the output are one; the others are parallel loops.
        for (var outer = 0; ; outer++)
        {
            var draft = new KernelDraft(fusion.Loops);
            var body = new BlockBuilder();
            var nest = new LoopNest(draft, body);
            var index = new Size[rank];
            for (var d = 0; d < batch; d++) index[d] = nest.Parallel("i", shape[d]);
            foreach (var d in axesN.Take(outer)) index[d] = nest.Parallel("i", shape[d]);
            var m = Flat("m", axesM);
            var n = Flat("n", axesN.Skip(outer).ToList());
            var store = Offset([.. index], draft.Ranges);
            if (outer < axesN.Count - 1 && store.AffineIn(n.Variable) is null) continue;
            return Build(draft, nest, [.. index], m, n);

            Axis Flat(string stem, List<int> axes)
            {
                ImmutableArray<Size> extents = [.. axes.Select(d => shape[d])];
                var axis = new Axis(draft.Variable(stem, Size.Product(extents)), Size.Product(extents));
                var parts = extents.Length == 1
                    ? [Size.Variable(axis.Variable)]
                    : Indexing.Split(Size.Variable(axis.Variable), extents, draft.Ranges);
                for (var i = 0; i < axes.Count; i++) index[axes[i]] = parts[i];
                return axis;
            }
        }

        string Name(int d) => $"d{d}'";

        long? Stride(Size offset, int d) => offset.AffineIn(Name(d)) is var (c, _)
            ? c.IsConstant ? c.Value : long.MaxValue - 1 - rank + d
            : null;

        Size Offset(ImmutableArray<Size> index, IndexRanges ranges) =>
            target.Offset(Forward(root, dot, index, ranges));

        LoweredKernel Build(KernelDraft draft, LoopNest nest, ImmutableArray<Size> index, Axis m, Axis n)
        {
            var elements = new ElementLowering(draft, fusion.HasBuffer);
            var k = dot.ContractA.Select(a => dot.OperandType(0).Shape[a])
                .Select(extent => new Axis(draft.Variable("k", extent), extent)).ToImmutableArray();
            var parent = nest.Scope([]);
            // f16 and bf16 accumulate in f32, whatever the result is; one of them is rounded once, by the epilogue.
            var sum = dot.Type.DType is DType.F16 or DType.BF16 ? DType.F32 : dot.Type.DType;
            var ((left, leftYield), (right, rightYield)) = (Side(0), Side(1));
            if (swapped) (left, leftYield, right, rightYield) = (right, rightYield, left, leftYield);
            var epilogue = new Scope(null, parent.Builder.Inner(), true, m.Variable, n.Variable) { InVector = true };
            var accumulator = epilogue.Builder.NewValue(sum);
            elements.Bind(dot, epilogue.Builder.Convert(accumulator, dot.Type.DType));
            var at = Forward(root, dot, index, draft.Ranges);
            var value = elements.Root(root, at, epilogue);
            epilogue.Builder.Emit(new Store(draft.Buffer(target.Node, isOutput: true), target.Offset(at), value));
            parent.Builder.Emit(new Contract(m, n, k, left, leftYield, right, rightYield, accumulator, epilogue.Builder.ToBlock()));
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
                // The parts of a contraction stand alone: nothing is hoisted out of them.
                var scope = new Scope(null, parent.Builder.Inner(), true, k.Select(a => a.Variable).Append(m.Variable).Append(n.Variable)) { InVector = true };
                var value = elements.Element(dot.Operands[operand], [.. element], scope);
                value = scope.Builder.Convert(value, sum);
                return (scope.Builder.ToBlock(), value);
            }
        }
    }

    /// <summary>The index at the region's exit of the element that the dot computes at `index`.</summary>
    private static ImmutableArray<Size> Forward(Node root, Dot dot, ImmutableArray<Size> index, IndexRanges ranges)
    {
        if (ReferenceEquals(root, dot)) return index;
        // The path from the dot to the exit; where several lead there, all map the index alike.
        var from = root.Operands.First(o => Reaches(o, dot));
        var before = Forward(from, dot, index, ranges);
        return root switch
        {
            Transpose t => [.. t.Permutation.Select(p => before[p])],
            Reshape r => Indexing.Split(Indexing.Linear(before, r.OperandType(0).Shape), r.Type.Shape, ranges),
            _ => before,
        };
    }

    private static bool Reaches(Node node, Dot dot)
    {
        if (node.Id < dot.Id) return false;
        return ReferenceEquals(node, dot) || node.Operands.Any(o => Reaches(o, dot));
    }
}
