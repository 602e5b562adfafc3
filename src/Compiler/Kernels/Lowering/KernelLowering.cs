// In: a root of the fusion. Out: the kernels that compute its buffer: map, row or contraction.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>A kernel, still without a name, and the nodes whose buffers it is called with.</summary>
internal sealed record LoweredKernel(Kernel Kernel, ImmutableArray<Node> Arguments);

internal sealed class KernelLowering(Fusion fusion)
{
    /// <summary>Elements of a flat vector loop in one job: 16 KiB of f32, half of a first-level cache.</summary>
    private const int FlatBlock = 4096;

    public IEnumerable<LoweredKernel> Lower(Node root)
    {
        if (root is Concat concat)
        {
            var start = Size.Zero;
            foreach (var part in concat.Operands)
            {
                yield return Map(part, root, concat.Axis, start);
                start += part.Type.Shape[concat.Axis];
            }
        }
        else if (fusion.DotOf(root) is { } dot) yield return ContractionLowering.Lower(root, dot, fusion);
        else if (fusion.RowOf(root) is { } reduction) yield return Row(root, reduction);
        else yield return Map(root, root, 0, Size.Zero);
    }

    /// <summary>
    /// Stores `value` into `target`, shifted along one axis. As many of the inner axes as keep every access affine are
    /// one flat vector loop; the outer ones are parallel.
    /// </summary>
    private LoweredKernel Map(Node value, Node target, int axis, Size shift)
    {
        for (var outer = 0; ; outer++)
        {
            var lowered = TryMap(value, target, axis, shift, outer);
            if (outer >= value.Type.Rank - 1 || IsAffine(lowered.Kernel)) return lowered;
        }
    }

    private LoweredKernel TryMap(Node value, Node target, int axis, Size shift, int outer)
    {
        var draft = new KernelDraft();
        var elements = new ElementLowering(draft, fusion.HasBuffer);
        var shape = value.Type.Shape;
        var body = new BlockBuilder();
        var nest = new LoopNest(draft, body);
        var index = shape.Take(outer).Select(extent => nest.Parallel("i", extent)).ToList();
        var flat = shape.Skip(outer).ToImmutableArray();
        if (flat.IsEmpty)
        {
            Store(nest.Scope([]), []);
            return new(draft.Finish(nest.Close()), draft.Arguments);
        }
        var count = Size.Product(flat);
        var position = Size.Zero;
        var extent = count;
        if (!(count.IsConstant && count.Value <= FlatBlock))
        {
            var blocks = Size.FloorDiv(count + (FlatBlock - 1), FlatBlock);
            position = nest.Parallel("b", blocks) * FlatBlock;
            extent = Size.Min(FlatBlock, count - position);
        }
        var parent = nest.Scope([]);
        var lane = draft.Variable("j", extent);
        position += Size.Variable(lane);
        // The flat position is below the count, which the range of the last block alone does not say.
        var at = flat.Length == 1 ? [position] : Indexing.Split(position, flat, draft.Ranges);
        var scope = new Scope(parent, parent.Builder.Inner(), true, lane) { InVector = true };
        Store(scope, at);
        parent.Builder.Emit(new Loop(LoopKind.Vector, lane, extent, scope.Builder.ToBlock()));
        return new(draft.Finish(nest.Close()), draft.Arguments);

        void Store(Scope scope, ImmutableArray<Size> inner)
        {
            ImmutableArray<Size> full = [.. index, .. inner];
            var element = ReferenceEquals(value, target)
                ? elements.Root(value, full, scope)
                : elements.Element(value, full, scope);
            if (!full.IsEmpty) full = full.SetItem(axis, full[axis] + shift);
            scope.Builder.Emit(new Store(draft.Buffer(target, isOutput: true), Indexing.Linear(full, target.Type.Shape), element));
        }
    }

    private LoweredKernel Row(Node root, Node reduction)
    {
        var draft = new KernelDraft();
        var elements = new ElementLowering(draft, fusion.HasBuffer);
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
            scope.Builder.Emit(new Store(draft.Buffer(root, isOutput: true), Indexing.Linear(at, root.Type.Shape), element));
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
            inner.Builder.Emit(new Store(draft.Buffer(root, isOutput: true), Indexing.Linear(at, root.Type.Shape), value));
            scope.Builder.Emit(new Loop(LoopKind.Vector, lane, extent, inner.Builder.ToBlock()));
        }
        return new(draft.Finish(nest.Close()), draft.Arguments);
    }

    /// <summary>True when no access inside a vector loop divides the loop's variable.</summary>
    private static bool IsAffine(Kernel kernel) => Kernel.Statements(kernel.Body).OfType<Loop>()
        .Where(l => l.Kind == LoopKind.Vector).All(l => Kernel.Statements(l.Body).All(s => s switch
        {
            Load x => x.Offset.AffineIn(l.Variable) is not null && x.Guards.All(g => g.Index.AffineIn(l.Variable) is not null),
            Store x => x.Offset.AffineIn(l.Variable) is not null,
            _ => true,
        }));
}
