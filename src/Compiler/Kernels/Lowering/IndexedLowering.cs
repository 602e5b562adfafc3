// In: a scatter, a running value or a sort. Out: the kernel that computes it, row by row.
using System.Collections.Immutable;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// Operations that go along one axis in order. The axes before it are parallel loops; those after it form one flat
/// vector loop, in blocks of <see cref="InnerBlock"/> that are jobs of their own.
/// </summary>
internal static class IndexedLowering
{
    /// <summary>
    /// Elements side by side in one job: 16 cache lines of f32, enough to pay for reading an index or starting a row.
    /// </summary>
    private const int InnerBlock = 256;

    /// <summary>
    /// Indices in order; each writes one element, or one part of the inner axes, of an output that already has values.
    /// </summary>
    public static LoweredKernel Scatter(Scatter scatter, FusionPlan fusion)
    {
        var rows = new Rows(fusion, scatter.Type.Shape, scatter.Axis);
        var (draft, elements) = (rows.Draft, rows.Elements);
        var indices = scatter.OperandType(1);
        var target = draft.Buffer(scatter, isOutput: true, isUpdated: true);
        var variable = draft.Variable("s", indices.Count);
        var serial = new Scope(rows.Parent, rows.Parent.Builder.Inner(), true, variable);
        var place = Indexing.Split(Size.Variable(variable), indices.Shape, draft.Ranges);
        var b = serial.Builder;
        var at = b.Convert(elements.Element(scatter.Operands[1], place, serial), DType.I64);
        var extent = scatter.Type.Shape[scatter.Axis];
        b.Flag(b.Binary(ScalarOp.Or, b.Compare(ScalarOp.Lt, at, b.Integer(0, DType.I64)),
            b.Compare(ScalarOp.Ge, at, b.Index(extent))));
        rows.Inner(serial, (scope, inner) =>
        {
            var update = elements.Element(scatter.Operands[2], [.. rows.Outer, .. place, .. inner], scope);
            var offset = Indexing.Linear([.. rows.Outer, Size.Variable(at.IndexName), .. inner], scatter.Type.Shape);
            ImmutableArray<Guard> guards = [new Guard(Size.Variable(at.IndexName), extent)];
            var value = update;
            if (scatter.Kind != ScatterOp.Set)
            {
                var old =
                    scope.Builder.Load(update.Type, target, offset, guards, scope.Builder.Constant(0, update.Type));
                value = ElementOps.Binary(scope.Builder, Enum.Parse<BinaryOp>(scatter.Kind.ToString()), old, update);
            }
            scope.Builder.Emit(new Store(target, offset, value) { Guards = guards });
        });
        rows.Parent.Builder.Emit(new Loop(LoopKind.Serial, variable, indices.Count, b.ToBlock()));
        return draft.Finish(rows.Nest);
    }

    /// <summary>The running value, in a register; elementwise work after it is its epilogue.</summary>
    public static LoweredKernel Cumulate(Node root, Cumulate cumulate, FusionPlan fusion, Target target)
    {
        var rows = new Rows(fusion, cumulate.Type.Shape, cumulate.Axis);
        var (draft, elements) = (rows.Draft, rows.Elements);
        var extent = cumulate.Type.Shape[cumulate.Axis];
        rows.Inner(rows.Parent, (scope, inner) =>
        {
            var variable = draft.Variable("s", extent);
            var position = cumulate.IsReversed ? extent - 1 - Size.Variable(variable) : Size.Variable(variable);
            ImmutableArray<Size> at = [.. rows.Outer, position, .. inner];
            var body = new Scope(scope, scope.Builder.Inner(), true, variable) { InVector = true };
            var type =
                ElementLowering.Accumulated(cumulate.Type.DType, Enum.Parse<ReduceKind>(cumulate.Kind.ToString()));
            var term = body.Builder.Convert(elements.Element(cumulate.Operands[0], at, body), type);
            var epilogue = new Scope(scope, scope.Builder.Inner(), true, variable) { InVector = true };
            var running = epilogue.Builder.NewValue(type);
            elements.Bind(cumulate, epilogue.Builder.Convert(running, cumulate.Type.DType));
            var value = elements.Root(root, at, epilogue);
            epilogue.Builder.Emit(new Store(draft.Buffer(target.Node, isOutput: true), target.Offset(at), value));
            scope.Builder.Emit(new Cumulation(Enum.Parse<ReduceKind>(cumulate.Kind.ToString()), variable, extent,
                body.Builder.ToBlock(), term, running, epilogue.Builder.ToBlock()));
        });
        return draft.Finish(rows.Nest);
    }

    /// <summary>Each job sorts one whole row along the axis; outputs are the sort itself and its results.</summary>
    public static LoweredKernel Sort(Sort sort, ImmutableArray<Node> outputs, FusionPlan fusion)
    {
        var draft = new KernelDraft(fusion.Loops);
        var elements = new ElementLowering(draft, fusion.HasBuffer);
        var nest = new LoopNest(draft, new BlockBuilder());
        var shape = sort.Type.Shape;
        var extent = shape[sort.Axis];
        var others = shape.Select((s, d) => d == sort.Axis ? Size.Zero : nest.Parallel("i", s)).ToImmutableArray();
        var parent = nest.Scope([]);
        var variable = draft.Variable("s", extent);
        var at = others.SetItem(sort.Axis, Size.Variable(variable));
        var body = new Scope(parent, parent.Builder.Inner(), true, variable) { InVector = true };
        var key = elements.Element(sort.Operands[0], at, body);
        var epilogue = parent.Builder.Inner();
        var (sorted, from) = (epilogue.NewValue(sort.Type.DType), epilogue.NewValue(sort.Index));
        foreach (var output in outputs)
        {
            epilogue.Emit(new Store(draft.Buffer(output, isOutput: true), Indexing.Linear(at, shape),
                output is Result { Index: 1 } ? from : sorted));
        }
        parent.Builder.Emit(
            new Ordering(sort.IsDescending, variable, extent, body.Builder.ToBlock(), key, sorted, from,
                epilogue.ToBlock()));
        return draft.Finish(nest);
    }

    /// <summary>The loops around one axis.</summary>
    private sealed class Rows
    {
        private readonly ImmutableArray<Size> behind;
        private readonly Size count;
        private readonly Size position = Size.Zero;
        private readonly Size extent;

        public Rows(FusionPlan fusion, ImmutableArray<Size> shape, int axis)
        {
            Elements = new ElementLowering(Draft, fusion.HasBuffer);
            Nest = new LoopNest(Draft, new BlockBuilder());
            Outer = [.. shape.Take(axis).Select(s => Nest.Parallel("i", s))];
            behind = [.. shape.Skip(axis + 1)];
            extent = count = Size.Product(behind);
            if (!(count.IsConstant && count.Value <= InnerBlock))
            {
                position = Nest.Parallel("b", Size.FloorDiv(count + (InnerBlock - 1), InnerBlock)) * InnerBlock;
                extent = Size.Min(InnerBlock, count - position);
            }
            Parent = Nest.Scope([]);
        }

        public KernelDraft Draft { get; } = new();

        public ElementLowering Elements { get; }

        public LoopNest Nest { get; }

        /// <summary>The index along the axes before it.</summary>
        public ImmutableArray<Size> Outer { get; }

        /// <summary>The scope inside the parallel loops.</summary>
        public Scope Parent { get; }

        /// <summary>Emits a vector loop over the axes after it, or only the body if they have one element.</summary>
        public void Inner(Scope outer, Action<Scope, ImmutableArray<Size>> body)
        {
            if (count.Is(1))
            {
                body(outer, [.. behind.Select(_ => Size.Zero)]);
                return;
            }
            var lane = Draft.Variable("j", extent);
            var scope = new Scope(outer, outer.Builder.Inner(), true, lane) { InVector = true };
            body(scope, Indexing.Split(position + Size.Variable(lane), behind, Draft.Ranges));
            outer.Builder.Emit(new Loop(LoopKind.Vector, lane, extent, scope.Builder.ToBlock()));
        }
    }
}
