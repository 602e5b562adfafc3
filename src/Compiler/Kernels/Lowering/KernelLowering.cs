// In: a root of the fusion. Out: the kernels that compute its buffer: map, row or contraction.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>A kernel, still without a name, and the nodes whose buffers it is called with.</summary>
internal sealed record LoweredKernel(Kernel Kernel, ImmutableArray<Node> Arguments)
{
    /// <summary>
    /// The node whose elements the updated buffer has before the kernel runs: as a copy, or in its own memory, as the
    /// placement decides.
    /// </summary>
    public Node? Base { get; init; }

    /// <summary>Conditions that a call must meet, beyond the function's own checks.</summary>
    public ImmutableArray<EntryCheck> Checks { get; init; } = [];
}

/// <summary>
/// Where the elements of a value go in the target: called with the scope around the loops, it returns the map from an
/// index of the value to the index in the target.
/// </summary>
internal delegate Func<ImmutableArray<Size>, ImmutableArray<Size>> Placing(ElementLowering elements, Scope scope);

internal sealed class KernelLowering(FusionPlan fusion, (Reduce Of, Reduce Parts)? split = null)
{
    /// <summary>Elements of a flat vector loop in one job: 16 KiB of f32, half of a first-level cache.</summary>
    private const int FlatBlock = 4096;

    /// <summary>
    /// The most columns of a matrix that one job reduces, and their number if the matrix's is not known: a page, and a
    /// quarter of a page, of each row of f32. Narrower stretches are read from memory more slowly (for the figures see
    /// StatementPrinter.Rows).
    /// </summary>
    private const int MostColumns = 1024;

    internal const int LeastBlock = 256;

    /// <summary>Last axes with fewer elements do not fill a vector.</summary>
    private const int Narrow = 16;

    /// <summary>The most elements of a last axis that get a statement each.</summary>
    private const int MostTurned = 4;

    public IEnumerable<LoweredKernel> Lower(Node root)
    {
        if (root is Concat concat)
        {
            var start = Size.Zero;
            foreach (var part in concat.Operands)
            {
                var target = Target.Part(concat, start);
                yield return fusion.WritesPart(part) ? Anchored(part, target) : Map(part, root, (_, _) => target.At);
                start += part.Type.Shape[concat.Axis];
            }
        }
        else if (root is UpdateSlice or Scatter)
        {
            var x = root.Operands[0];
            // If x has no buffer of its own, its elements are computed in place in the target.
            if (!fusion.HasBuffer(x)) yield return Map(x, root, InPlace);
            var kernel = root is Scatter scatter ? IndexedLowering.Scatter(scatter, fusion) : Update((UpdateSlice)root);
            yield return kernel with { Base = fusion.HasBuffer(x) ? x : null };
        }
        else if (root is Sort or Result { Operands: [Sort] })
        {
            var sort = root as Sort ?? (Sort)root.Operands[0];
            var outputs = fusion.OutputsOf(sort);
            // One kernel for both results.
            if (ReferenceEquals(outputs[0], root)) yield return IndexedLowering.Sort(sort, outputs, fusion);
        }
        else if (fusion.AttentionOf(root) is { } attention && AttentionSplit.Applies(attention))
        {
            foreach (var kernel in AttentionSplit.Lower(root, attention, fusion)) yield return kernel;
        }
        else if (SumSplit.Of(root, fusion) is { } sum && SumSplit.Lower(sum, fusion) is var (kernel, all)
            && IsAffine(kernel.Kernel))
        {
            yield return kernel;
            var last = new KernelLowering(fusion, (sum, all));
            yield return FusionPlan.IsRowReduction(sum) ? last.Row(root, sum, Target.Own(root)) : last.Fill(root);
        }
        else yield return Anchored(root, Target.Own(root));
    }

    private LoweredKernel Anchored(Node root, Target target) =>
        fusion.CumulateOf(root) is { } cumulate ? IndexedLowering.Cumulate(root, cumulate, fusion, target)
        : fusion.AttentionOf(root) is { } attention ? AttentionLowering.Lower(root, attention, fusion, target)
        : fusion.DotOf(root) is { } dot ? ContractionLowering.Lower(root, dot, fusion, target)
        : fusion.RowOf(root) is { } reduction ? Row(root, reduction, target)
        : Fill(root);

    /// <summary>The map kernel that computes a node into its buffer.</summary>
    public LoweredKernel Fill(Node root) => Map(root, root, InPlace);

    private static readonly Placing InPlace = (_, _) => at => at;

    private LoweredKernel Update(UpdateSlice update) => Map(update.Operands[1], update, (elements, scope) =>
    {
        var start = elements.UpdateStart(update, scope);
        return at => [.. at.Select((i, d) => start[d] + i * update.Steps[d])];
    });

    /// <summary>
    /// Stores `value` into `target`, at the indices given by the placing. As many of the inner axes as keep every
    /// access affine form one flat vector loop; the outer ones are parallel.
    /// </summary>
    private LoweredKernel Map(Node value, Node target, Placing placing)
    {
        var plain = Map(value, target, placing, MapAxes.Of(value));
        return !IsAffine(plain.Kernel) && MapAxes.Finer(value, fusion.HasBuffer) is { } axes
            && Map(value, target, placing, axes) is var finer && IsAffine(finer.Kernel) ? finer : plain;
    }

    private LoweredKernel Map(Node value, Node target, Placing placing, MapAxes axes)
    {
        var rank = axes.Shape.Length;
        for (var outer = 0; ; outer++)
        {
            var lowered = TryMap(value, target, placing, axes, outer, FlatBlock);
            if (outer < rank - 1 && (!IsAffine(lowered.Kernel) || IsApartInBlocks(lowered.Kernel))) continue;
            if (outer == rank - 1 && outer > 0 && rank == value.Type.Rank
                && TryTurned(value, target, placing) is { } turned) return turned;
            if (outer == rank - 1 && outer > 0 && IsFewLanes(axes.Shape)
                && TryMap(value, target, placing, axes, outer - 1, FlatBlock) is var wider
                && IsAlongMostly(wider.Kernel)) return wider;
            var block = Block(lowered.Kernel, Size.Product(axes.Shape.Skip(outer)), outer > 0);
            return block == FlatBlock ? lowered : TryMap(value, target, placing, axes, outer, block);
        }
    }

    /// <summary>
    /// Elements of a flat vector loop with reductions in one job: about as many terms as there would be elements, in
    /// stretches of memory that are long enough, but at least four jobs for the workers.
    /// </summary>
    private static int Block(Kernel kernel, Size count, bool isInner)
    {
        var terms = Kernel.Statements(kernel.Body).OfType<Reduction>()
            .Select(r => r.Extent.IsConstant ? Math.Clamp(r.Extent.Value, 1, FlatBlock) : FlatBlock).DefaultIfEmpty(1)
            .Max();
        // The outputs of a small window make enough jobs.
        if (terms == 1 || (isInner && terms <= 64)) return FlatBlock;
        var quarter = count.IsConstant ? Math.Clamp((count.Value + 3) / 4, 64, MostColumns) : LeastBlock;
        return (int)(Math.Max(FlatBlock / terms, quarter) + 63) / 64 * 64;
    }

    /// <summary>
    /// If the last axis has few elements whose neighbours are read far apart (the colours of an image, moved last), the
    /// lanes go along the axis before it, and each element of the last one has a statement. Null if neighbours of that
    /// axis are far apart too.
    /// </summary>
    /// <remarks>
    /// [3, 224, 224] to the padded [230, 230, 3], AMD Zen 4, 1 thread: 265 us with three lanes of 16, 76 us this way.
    /// </remarks>
    private LoweredKernel? TryTurned(Node value, Node target, Placing placing)
    {
        var shape = value.Type.Shape;
        if (!shape[^1].IsConstant || shape[^1].Value is < 2 or > MostTurned
            || (shape[^2].IsConstant && shape[^2].Value < 16))
            return null;
        var draft = new KernelDraft(fusion.Loops);
        var elements = new ElementLowering(draft, fusion.HasBuffer);
        var nest = new LoopNest(draft, new BlockBuilder());
        var index = shape.SkipLast(2).Select(extent => nest.Parallel("i", extent)).ToList();
        var parent = nest.Scope([]);
        var place = placing(elements, parent);
        var lane = draft.Variable("j", shape[^2]);
        var scope = new Scope(parent, parent.Builder.Inner(), true, lane) { InVector = true };
        for (var last = 0; last < shape[^1].Value; last++)
        {
            ImmutableArray<Size> full = [.. index, Size.Variable(lane), last];
            var element = ReferenceEquals(value, target) ? elements.Root(value, full, scope)
                : elements.Element(value, full, scope);
            var buffer = draft.Buffer(target, isOutput: true, isUpdated: target is UpdateSlice);
            scope.Builder.Emit(new Store(buffer, Indexing.Linear(place(full), target.Type.Shape), element));
        }
        parent.Builder.Emit(new Loop(LoopKind.Vector, lane, shape[^2], scope.Builder.ToBlock()));
        var lowered = draft.Finish(nest);
        var isAlong = Kernel.Statements(lowered.Kernel.Body).OfType<Load>().Where(l => l.Offset.Mentions(lane))
            .ToList() is { Count: > 0 } loads
            && loads.All(l => l.Offset.AffineIn(lane) is var (stride, _) && stride.Is(1));
        return isAlong ? lowered : null;
    }

    private LoweredKernel TryMap(Node value, Node target, Placing placing, MapAxes axes, int outer, int block)
    {
        var draft = new KernelDraft(fusion.Loops);
        var shape = axes.Shape;
        // [224, 224, 3] to the padded [230, 230, 3]: 76 us with lanes along the colours alone, 26 us along the pixels
        // too (AMD Zen 4, 1 thread).
        var isNarrow = shape is [.., var last] && last.IsConstant && last.Value < Narrow;
        var elements = new ElementLowering(draft, fusion.HasBuffer, split) { UndividesGuards = isNarrow };
        var body = new BlockBuilder();
        var nest = new LoopNest(draft, body);
        var index = shape.Take(outer).Select(extent => nest.Parallel("i", extent)).ToList();
        var flat = shape.Skip(outer).ToImmutableArray();
        if (flat.IsEmpty)
        {
            var only = nest.Scope([]);
            Store(only, [], placing(elements, only));
            return draft.Finish(nest);
        }
        var count = Size.Product(flat);
        var position = Size.Zero;
        var extent = count;
        if (!(count.IsConstant && count.Value <= block))
        {
            var blocks = Size.FloorDiv(count + (block - 1), block);
            position = nest.Parallel("b", blocks) * block;
            extent = count.IsConstant && count.Value % block == 0 ? block : Size.Min(block, count - position);
        }
        var parent = nest.Scope([]);
        var place = placing(elements, parent);
        var lane = draft.Variable("j", extent);
        position += Size.Variable(lane);
        // The flat position is below the count, which the range of the last block alone does not tell.
        var at = flat.Length == 1 ? [position] : Indexing.Split(position, flat, draft.Ranges);
        var scope = new Scope(parent, parent.Builder.Inner(), true, lane) { InVector = true };
        Store(scope, at, place);
        parent.Builder.Emit(new Loop(LoopKind.Vector, lane, extent, scope.Builder.ToBlock()));
        return draft.Finish(nest);

        void Store(Scope scope, ImmutableArray<Size> inner, Func<ImmutableArray<Size>, ImmutableArray<Size>> place)
        {
            var full = axes.Whole([.. index, .. inner]);
            var element = ReferenceEquals(value, target)
                ? elements.Root(value, full, scope)
                : elements.Element(value, full, scope);
            var buffer = draft.Buffer(target, isOutput: true, isUpdated: target is UpdateSlice);
            scope.Builder.Emit(new Store(buffer, Indexing.Linear(place(full), target.Type.Shape), element));
        }
    }

    private LoweredKernel Row(Node root, Node reduction, Target target)
    {
        var draft = new KernelDraft(fusion.Loops);
        var elements = new ElementLowering(draft, fusion.HasBuffer, split);
        var body = new BlockBuilder();
        var nest = new LoopNest(draft, body);
        var full = reduction.OperandType(0).Shape;
        var kept = reduction.Type.Rank;
        var rows = full.Take(kept).ToImmutableArray();
        var index = rows.Select(extent => nest.Parallel("i", extent)).ToImmutableArray();
        var scope = nest.Scope([]);
        var ranges = draft.Ranges;
        if (Size.Product(root.Type.Shape).Equals(Size.Product(rows)))
        {
            var at = Indexing.Split(Indexing.Linear(index, rows), root.Type.Shape, ranges);
            var element = elements.Root(root, at, scope);
            scope.Builder.Emit(new Store(draft.Buffer(target.Node, isOutput: true), target.Offset(at), element));
        }
        else
        {
            var columns = full.Skip(kept).ToImmutableArray();
            var extent = Size.Product(columns);
            var lane = draft.Variable("j", extent);
            ImmutableArray<Size> element = [.. index, .. Indexing.Split(Size.Variable(lane), columns, ranges)];
            var at = Indexing.Split(Indexing.Linear(element, full), root.Type.Shape, ranges);
            var inner = new Scope(scope, scope.Builder.Inner(), true, lane) { InVector = true };
            var value = elements.Root(root, at, inner);
            inner.Builder.Emit(new Store(draft.Buffer(target.Node, isOutput: true), target.Offset(at), value));
            scope.Builder.Emit(new Loop(LoopKind.Vector, lane, extent, inner.Builder.ToBlock()));
        }
        return draft.Finish(nest);
    }

    /// <summary>
    /// True for reads that are far apart along the lanes, whose axis the blocks divide: with a loop over the axes
    /// before it, those reads lie along that loop, which backends can exploit.
    /// </summary>
    private static bool IsApartInBlocks(Kernel kernel) => Kernel.Statements(kernel.Body).OfType<Loop>()
        .Where(l => l.Kind == LoopKind.Vector).Any(l => Kernel.Statements(l.Body).OfType<Load>().Any(x =>
            x.Offset.AffineIn(l.Variable) is var (stride, _) && !stride.Is(0) && !stride.Is(1)
            && x.Offset.Terms.Any(t => t.Atoms.Any(a => a is FloorDivAtom))));

    /// <summary>
    /// True if the last axis fills only a part of a vector, and together with the axis before it at least one vector.
    /// </summary>
    private static bool IsFewLanes(ImmutableArray<Size> shape) => shape[^1].IsConstant && shape[^1].Value < Narrow
        && shape[^2].IsConstant && shape[^1].Value * shape[^2].Value >= 16;

    /// <summary>
    /// True if all stores and at least half of the loads access neighbours along the lanes. The other loads are done
    /// lane by lane, such as that of the mean of a group of two channels: x of [64, 28, 28, 8 groups of 2], silu of its
    /// norm, AMD Zen 4, 1 thread: 3.9 ms with two lanes of 16, 1.5 ms with all of them.
    /// </summary>
    private static bool IsAlongMostly(Kernel kernel)
    {
        if (Kernel.Statements(kernel.Body).OfType<Loop>().Where(l => l.Kind == LoopKind.Vector).ToList() is not [var lanes])
            return false;
        var all = Kernel.Statements(lanes.Body).ToList();
        bool IsAlong(Size offset) => offset.AffineIn(lanes.Variable) is var (stride, _) && stride.Is(1);
        var reads = all.OfType<Load>().Where(l => l.Offset.Mentions(lanes.Variable)).ToList();
        return all.OfType<Store>().All(s => IsAlong(s.Offset))
            && reads.All(l => l.Guards.All(g => g.Index.AffineIn(lanes.Variable) is not null))
            && 2 * reads.Count(l => IsAlong(l.Offset)) >= reads.Count;
    }

    /// <summary>True if no access inside a vector loop divides the loop's variable.</summary>
    private static bool IsAffine(Kernel kernel) => Kernel.Statements(kernel.Body).OfType<Loop>()
        .Where(l => l.Kind == LoopKind.Vector).All(l => Kernel.Statements(l.Body).All(s => s switch
        {
            Load x => x.Offset.AffineIn(l.Variable) is not null
                && x.Guards.All(g => g.Index.AffineIn(l.Variable) is not null),
            Store x => x.Offset.AffineIn(l.Variable) is not null,
            _ => true,
        }));
}
