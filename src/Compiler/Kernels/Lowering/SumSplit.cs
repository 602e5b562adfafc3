// In: a root whose kernel reduces many terms to few elements. Out: two kernels: one for segments of the terms, one that
// combines them.
using System.Collections.Immutable;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// The columns of a tall matrix are too few to share: three of them are one job, however many rows there are. The first
/// kernel reduces each segment of the rows, in order; the second reduces the segments, in order, in place of the
/// original reduction. The sum of everything is split in the same way, with lane reductions for segments. Decided by
/// shapes alone, as the order of the additions changes the bits.
/// </summary>
internal static class SumSplit
{
    /// <summary>
    /// The terms of a segment, part of the meaning. Sums of the columns of [1000000, 3] f32 take 1.25 ms on 1 thread
    /// and 0.62 on 2 (1.29 and 1.29 unsplit), of [100000, 30] 161 and 80 µs (148 and 146), of [1000, 1000] 54 and 59
    /// (63 and 55); a call of [8, 8] 0.2 µs more (AMD Zen 4 virtual machine, minima).
    /// </summary>
    private const int Segment = 1024;

    /// <summary>
    /// The terms of a contiguous segment: 256 KiB of f32, some 10 us of reading memory. The sum of 16M f32 takes 2.07
    /// ms on 1 thread and 1.10 on 2 (2.15 and 2.02 unsplit), of 1M 44 and 25 µs (44 and 45).
    /// </summary>
    private const int RowSegment = 1 << 16;

    /// <summary>More columns, or rows, than these make enough jobs.</summary>
    private const int FewColumns = 1024, FewRows = 4;

    /// <summary>The reduction to split, of those that a root's kernel computes; null for none.</summary>
    public static Reduce? Of(Node root, FusionPlan fusion)
    {
        if (fusion.ReductionOf(root) is not { } reduce) return null;
        var (type, kept, terms) = (reduce.Type.DType, reduce.Type.Count, Terms(reduce));
        // The sum of a narrow type is rounded once, at its end. A loop's variable is no size of the call.
        var isWhole = ElementLowering.Accumulated(type, ReduceKind.Add) == type;
        var isOfCall = terms.Variables().Concat(kept.Variables()).All(v => VariableName.KindOf(v) == VariableKind.Size);
        if (!isWhole || !isOfCall || (terms.IsConstant && terms.Value < 2 * SegmentOf(reduce))) return null;
        // The reach of a mask is a reduction of integers, in each step of a decoder: it is short.
        var fits = FusionPlan.IsRowReduction(reduce)
            ? type.IsFloat && kept is { IsConstant: true, Value: <= FewRows } && root.Type.Count.Equals(kept)
            : AreRows(reduce) && !(kept.IsConstant && kept.Value > FewColumns)
                && !FusionPlan.IsOfWindow(reduce.Operands[0]);
        return fits ? reduce : null;
    }

    private static Size Terms(Reduce reduce) => Size.Product(reduce.Axes.Select(a => reduce.OperandType(0).Shape[a]));

    private static int SegmentOf(Reduce reduce) => FusionPlan.IsRowReduction(reduce) ? RowSegment : Segment;

    /// <summary>
    /// True if the first axes are reduced: a row of the others is contiguous, and there is no other axis to share.
    /// </summary>
    private static bool AreRows(Reduce reduce)
    {
        var shape = reduce.OperandType(0).Shape;
        var isReduced = Enumerable.Range(0, shape.Length).Where(d => !shape[d].Is(1)).Select(reduce.Axes.Contains)
            .ToList();
        return !isReduced.SkipWhile(r => r).Contains(true);
    }

    /// <summary>The kernel of the segments, and the reduction of its results.</summary>
    public static (LoweredKernel Kernel, Reduce All) Lower(Reduce reduce, FusionPlan fusion)
    {
        var draft = new KernelDraft(fusion.Loops);
        var elements = new ElementLowering(draft, fusion.HasBuffer);
        var nest = new LoopNest(draft, new BlockBuilder());
        var (kept, terms, length) = (reduce.Type.Shape, Terms(reduce), SegmentOf(reduce));
        var segments = Size.FloorDiv(terms + (length - 1), length);
        // This input belongs to no function: only the two kernels use it.
        var parts = new Input("parts", reduce.Type.With([segments, .. kept]));
        var segment = nest.Parallel("s", segments);
        Value Part(ImmutableArray<Size> at, Scope scope) =>
            elements.Part(reduce, at, segment * length, Size.Min(length, terms - segment * length), scope);
        void Store(ImmutableArray<Size> at, Value value, Scope scope) =>
            scope.Builder.Emit(
                new Store(draft.Buffer(parts, isOutput: true), Indexing.Linear([segment, .. at], parts.Type.Shape),
                    value));
        if (FusionPlan.IsRowReduction(reduce))
        {
            ImmutableArray<Size> row = [.. kept.Select(e => nest.Parallel("i", e))];
            var here = nest.Scope([]);
            Store(row, Part(row, here), here);
            return (draft.Finish(nest), new Reduce(reduce.Kind, parts, [0]));
        }
        var (position, extent) = (Size.Zero, reduce.Type.Count);
        if (!extent.IsConstant)
        {
            position =
                nest.Parallel("b",
                    Size.FloorDiv(extent + (KernelLowering.LeastBlock - 1),
                        KernelLowering.LeastBlock)) * KernelLowering.LeastBlock;
            extent = Size.Min(KernelLowering.LeastBlock, extent - position);
        }
        var parent = nest.Scope([]);
        var lane = draft.Variable("j", extent);
        var scope = new Scope(parent, parent.Builder.Inner(), true, lane) { InVector = true };
        var at = Indexing.Split(position + Size.Variable(lane), kept, draft.Ranges);
        Store(at, Part(at, scope), scope);
        parent.Builder.Emit(new Loop(LoopKind.Vector, lane, extent, scope.Builder.ToBlock()));
        return (draft.Finish(nest), new Reduce(reduce.Kind, parts, [0]));
    }
}
