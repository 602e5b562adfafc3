// In: a node and the index of one of its elements. Out: the scalar value there, as statements of the kernel.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// Pulls values: movement operations turn into index arithmetic, elementwise ones into scalar operations, buffered
/// nodes are loaded. This produces the accessors: an affine offset, guards from pads, at most one indirection.
/// </summary>
/// <param name="draft">The kernel.</param>
/// <param name="hasBuffer">True for nodes that are loaded.</param>
/// <param name="split">A reduction, and the reduction of its buffered partial results that replaces it; null for
/// none.</param>
internal sealed class ElementLowering(KernelDraft draft, Func<Node, bool> hasBuffer,
    (Reduce Of, Reduce Parts)? split = null)
{
    /// <summary>
    /// True to write guards without divisions where possible: guards of lanes that go along several axes are affine
    /// then.
    /// </summary>
    public bool UndividesGuards { get; init; }

    private readonly Dictionary<Node, Value> bound = new(ReferenceEqualityComparer.Instance);
    private Node? root;

    /// <summary>
    /// A bool value, and the scope where it is visible; an index out of range is a failure only where it holds.
    /// </summary>
    private sealed record Condition(Value Holds, Scope Scope);

    /// <summary>
    /// The guards of a padded operand's loads and their value outside; the condition of the surrounding `select`.
    /// </summary>
    /// <param name="Guards">The guards of the loads.</param>
    /// <param name="Fill">The value outside of the guards.</param>
    /// <param name="When">The condition under which the value is used.</param>
    /// <param name="FilledIn">The scope of the fill, if that is not as far out as the guards allow.</param>
    private readonly record struct Context(ImmutableArray<Guard> Guards, Value? Fill, Condition? When = null,
        Scope? FilledIn = null)
    {
        public static readonly Context None = new([], null);

        public IEnumerable<Size> Indices => Guards.Select(g => g.Index);

        public string Key => Guards.IsEmpty && When is null ? ""
            : $"|{string.Join(',', Guards.Select(g => $"{g.Index}<{g.Extent}"))}|{Fill?.Id}|{When?.Holds.Id}";
    }

    private readonly Dictionary<Node, bool> mayFlag = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, bool> loopMayFlag = new(ReferenceEqualityComparer.Instance);

    /// <summary>Gives a node an existing value: the accumulator of a contraction.</summary>
    public void Bind(Node node, Value value) => bound[node] = value;

    /// <summary>The value of the kernel's own root, which has a buffer but is computed here.</summary>
    public Value Root(Node node, ImmutableArray<Size> index, Scope scope)
    {
        root = node;
        return Element(node, index, scope, Context.None);
    }

    /// <summary>The value of a node at an index.</summary>
    public Value Element(Node node, ImmutableArray<Size> index, Scope scope) =>
        Element(node, index, scope, Context.None);

    private Value Element(Node node, ImmutableArray<Size> index, Scope scope, Context context)
    {
        if (bound.TryGetValue(node, out var value)) return value;
        scope = Home(node, index, scope, context);
        // A value that many operations share is lowered once: otherwise a chain of squares would take exponential time.
        var key = (node, string.Join(',', index) + context.Key);
        if (!scope.Known.TryGetValue(key, out value)) scope.Known[key] = value = Lower(node, index, scope, context);
        return value;
    }

    /// <summary>Emits the value in the outermost scope that can hold it.</summary>
    private Value Lower(Node node, ImmutableArray<Size> index, Scope scope, Context context)
    {
        var b = scope.Builder;
        if (hasBuffer(node) && !ReferenceEquals(node, root)) return Load(node, index, scope, context);
        if (ReferenceEquals(node, root)) root = null; // only the outermost mention is computed here
        Value Of(int operand) => Element(node.Operands[operand], index, scope, context);
        switch (node)
        {
            case Const c:
                return c.IsSplat ? Constant(c, b) : Load(c, index, scope, context);
            case Iota iota:
                return Cast(b.Index(index[iota.Axis]), DType.I64, iota.Type.DType, b);
            case SizeValue size:
                return Cast(b.Index(size.Size), DType.I64, size.Type.DType, b);
            case Graph.Random random:
                return Philox.Emit(b, Element(random.Operands[0], [], scope, context),
                    b.Index(Indexing.Linear(index, random.Type.Shape)));
            case Unary { Kind: UnaryOp.Exp } e when IsNotPositive(e.Operands[0]):
                return VectorMath.ExpOfDifference(b, Of(0));
            case Unary u:
                return ElementOps.Unary(b, u.Kind, Of(0));
            case Binary x:
                return ElementOps.Binary(b, x.Kind, Of(0), Of(1));
            case Compare c:
                return b.Compare(Enum.Parse<ScalarOp>(c.Kind.ToString()), Of(0), Of(1));
            case Select:
                return Selected(node, index, scope, context);
            case Graph.Convert convert:
                return Cast(Of(0), convert.OperandType(0).DType, convert.Type.DType, b);
            case Bitcast bitcast:
                return b.Bitcast(Of(0), bitcast.Type.DType);
            case StopGradient or Graph.Barrier:
                return Of(0);
            case var _ when node.Below(index, draft.Ranges) is { } below:
                return Element(node.Operands[0], below, scope, context);
            case Pad p:
                return Padded(p, index, scope, context);
            case Concat c:
                return Joined(c, 0, Size.Zero, index, scope, context);
            case Fold f:
                return Folded(f, index, scope, context);
            case DynamicSlice s:
                var start =
                    Start(s.OperandType(0).Shape, s.Starts, s.Axes, s.Operands.RemoveAt(0), s.Type.Shape, scope,
                        context);
                return Element(s.Operands[0], [.. index.Select((i, d) => start.Index[d] + i)], scope,
                    context with { Guards = context.Guards.AddRange(start.Guards) });
            case Gather g:
                return Gathered(g, index, scope, context);
            case Reduce r when split is var (whole, parts) && ReferenceEquals(r, whole):
                var together = Size.Variable(draft.Variable("r", parts.OperandType(0).Shape[0]));
                return b.Define($"reduce parts {string.Join(',', index)}", r.Type.DType, result =>
                {
                    var body = scope.Inner(together.ToString());
                    var part =
                        body.Builder.Load(r.Type.DType, draft.Buffer(parts.Operands[0]),
                            Indexing.Linear([together, .. index], parts.OperandType(0).Shape), [], null);
                    return new Reduction(result, Enum.Parse<ReduceKind>(r.Kind.ToString()), false, together.ToString(),
                        parts.OperandType(0).Shape[0], body.Builder.ToBlock(), part);
                });
            case Reduce r:
                return Reduced(r, r.Axes, Enum.Parse<ReduceKind>(r.Kind.ToString()), index, scope, context);
            case ArgReduce r:
                return Reduced(r, [r.Axis], r.Greatest ? ReduceKind.ArgMax : ReduceKind.ArgMin, index, scope, context);
            default:
                throw new LimitationException($"not supported: {node.Op} inside a kernel");
        }
    }

    /// <summary>True for x minus its maximum along some of its axes, as in softmax: at most 0, or NaN.</summary>
    private static bool IsNotPositive(Node node) =>
        node is Binary { Kind: BinaryOp.Sub } difference
        && difference.Operands[1] is Broadcast wide && wide.Operands[0] is Reduce { Kind: ReduceOp.Max } greatest
        && ReferenceEquals(greatest.Operands[0], difference.Operands[0])
        && wide.Axes.SequenceEqual(Enumerable.Range(0, difference.Type.Shape.Length).Except(greatest.Axes));

    private static Value Constant(Const c, BlockBuilder b) => c.Type.DType.IsFloat
        ? b.Float(c.Floats[0], c.Type.DType)
        : b.Integer(c.Integers[0], c.Type.DType);

    private static Value Cast(Value value, DType from, DType to, BlockBuilder b) =>
        from == to ? value : b.Convert(value, to);

    private Value Load(Node node, ImmutableArray<Size> index, Scope scope, Context context)
    {
        var guards = context.Guards.RemoveAll(g => draft.Ranges.InRange(g.Index, g.Extent));
        if (UndividesGuards) guards = [.. guards.Select(g => g.Undivided())];
        var fill = guards.IsEmpty ? null : context.Fill ?? scope.Builder.Constant(0, node.Type.DType);
        return scope.Builder.Load(node.Type.DType, draft.Buffer(node), Indexing.Linear(index, node.Type.Shape), guards,
            fill);
    }

    /// <summary>
    /// Both branches are computed; an index out of range in the branch that is not taken is no failure.
    /// </summary>
    private Value Selected(Node select, ImmutableArray<Size> index, Scope scope, Context context)
    {
        var b = scope.Builder;
        var condition = Element(select.Operands[0], index, scope, context);
        Value Branch(int operand, Func<Value> taken) => Element(select.Operands[operand], index, scope,
            MayFlag(select.Operands[operand]) ? context with { When = And(context.When, taken(), scope) } : context);
        var yes = Branch(1, () => condition);
        return b.Select(condition, yes, Branch(2, () => b.Unary(ScalarOp.Not, condition)));
    }

    private static Condition And(Condition? outer, Value holds, Scope scope)
    {
        if (outer is null) return new(holds, scope);
        var inner = outer.Scope.Depth > scope.Depth ? outer.Scope : scope;
        return new(inner.Builder.Binary(ScalarOp.And, outer.Holds, holds), inner);
    }

    /// <summary>
    /// The outermost scope for a node's value. A loop in which an index may be out of range stays where the condition
    /// is known under which that is a failure; any other index is flagged there, wherever it is computed.
    /// </summary>
    private Scope Home(Node node, IEnumerable<Size> index, Scope scope, Context context)
    {
        var home = scope.Home(index.Concat(context.Indices));
        if (context.FilledIn is { } filled && filled.Depth > home.Depth) home = filled;
        return context.When is { } when && when.Scope.Depth > home.Depth && LoopMayFlag(node) ? when.Scope : home;
    }

    /// <summary>True if a loop that computes the node's value may flag.</summary>
    private bool LoopMayFlag(Node node)
    {
        if (!MayFlag(node)) return false;
        if (!loopMayFlag.TryGetValue(node, out var known))
            loopMayFlag[node] = known = node.Is(OpTraits.Combines) || node.Operands.Any(LoopMayFlag);
        return known;
    }

    /// <summary>True if the node's value is read at an index that is itself a value.</summary>
    private bool MayFlag(Node node)
    {
        if (hasBuffer(node) || bound.ContainsKey(node)) return false;
        if (!mayFlag.TryGetValue(node, out var known))
            mayFlag[node] = known = node.Is(OpTraits.ReadsAtValue) || node.Operands.Any(MayFlag);
        return known;
    }

    /// <summary>Fails the call if the value is true and all conditions hold under which it is used.</summary>
    private static void Flag(Value bad, Scope scope, Context context)
    {
        if (!context.Guards.IsEmpty)
            bad = scope.Builder.Binary(ScalarOp.And, bad, Holds(context.Guards, scope.Builder));
        if (context.When is { } when)
        {
            if (when.Scope.Depth > scope.Depth) scope = when.Scope;
            bad = scope.Builder.Binary(ScalarOp.And, bad, when.Holds);
        }
        scope.Builder.Flag(bad);
    }

    private static Value Holds(IEnumerable<Guard> guards, BlockBuilder b)
    {
        Value? holds = null;
        foreach (var guard in guards)
        {
            var at = b.Index(guard.Index);
            var both = b.Binary(ScalarOp.And, b.Compare(ScalarOp.Ge, at, b.Integer(0, DType.I64)),
                b.Compare(ScalarOp.Lt, at, b.Index(guard.Extent)));
            holds = holds is null ? both : b.Binary(ScalarOp.And, holds, both);
        }
        return holds!;
    }

    private Value Padded(Pad pad, ImmutableArray<Size> index, Scope scope, Context context)
    {
        var x = pad.Operands[0];
        var guards = new List<Guard>();
        var inner = index.Select((i, d) => Spread(i - pad.Before[d], pad.Between[d] + 1, guards)).ToImmutableArray();
        guards.AddRange(inner.Select((i, d) => new Guard(i, x.Type.Shape[d])));
        return Guarded(x, inner, guards, _ =>
            Element(pad.Operands[1], [], scope, context with { Guards = [], Fill = null, FilledIn = null }), scope, context);
    }

    /// <summary>The element of the part that contains the index, searched from the k-th part on.</summary>
    private Value Joined(Concat concat, int k, Size start, ImmutableArray<Size> index, Scope scope, Context context)
    {
        var part = concat.Operands[k];
        var extent = part.Type.Shape[concat.Axis];
        var at = index.SetItem(concat.Axis, index[concat.Axis] - start);
        var guard = new Guard(at[concat.Axis], extent);
        return k == concat.Operands.Length - 1
            ? Element(part, at, scope, draft.Ranges.InRange(guard.Index, extent) ? context
                : context with { Guards = context.Guards.Add(guard) })
            : Guarded(part, at, [guard], _ =>
                Joined(concat, k + 1, start + extent, index, scope, context), scope, context, scope);
    }

    /// <summary>
    /// The sum over the places r of the window, in order, for which there is an i with i * Stride + r * Dilation = p.
    /// </summary>
    private Value Folded(Fold fold, ImmutableArray<Size> index, Scope scope, Context context)
    {
        var x = fold.Operands[0];
        var (count, extent) = (x.Type.Shape[fold.Axis], x.Type.Shape[fold.Axis + 1]);
        var type = Accumulated(fold.Type.DType, ReduceKind.Add);
        var sum = scope.Builder.Define($"fold {fold.Id} {string.Join(',', index)} {context.Key}", type, result =>
        {
            var variable = draft.Variable("r", extent);
            var r = Size.Variable(variable);
            var guards = new List<Guard>();
            var i = Spread(index[fold.Axis] - r * fold.Dilation, fold.Stride, guards);
            guards.Add(new Guard(i, count));
            var body = scope.Inner(variable);
            var value = Guarded(x, index.SetItem(fold.Axis, i).Insert(fold.Axis + 1, r), guards,
                home => home.Builder.Constant(0, fold.Type.DType), body, context);
            value = body.Builder.Convert(value, type);
            return new Reduction(result, ReduceKind.Add, false, variable, extent, body.Builder.ToBlock(), value);
        });
        return scope.Builder.Convert(sum, fold.Type.DType);
    }

    /// <summary>offset / step, with a guard that the remainder is 0.</summary>
    private Size Spread(Size offset, long step, List<Guard> guards)
    {
        if (step == 1) return offset;
        var quotient = SizeDivision.FloorDiv(offset, step, draft.Ranges);
        guards.Add(new Guard(offset - quotient * step, 1));
        return quotient;
    }

    /// <summary>The element if all guards hold, else the outside value.</summary>
    private Value Guarded(Node x, ImmutableArray<Size> index, IEnumerable<Guard> own, Func<Scope, Value> outside,
        Scope scope, Context context, Scope? filledIn = null)
    {
        var needed = own.Where(g => !draft.Ranges.InRange(g.Index, g.Extent)).ToImmutableArray();
        if (needed.IsEmpty) return Element(x, index, scope, context);
        // A load under the guards may move out of a loop as far as they do, and takes the fill with it.
        var fill = outside(scope.Home(needed.Select(g => g.Index)));
        // A chain of movements down to a buffer: the load itself supplies the padding.
        if (context.Guards.IsEmpty && EndsInBuffer(x))
            return Element(x, index, scope, context with { Guards = needed, Fill = fill, FilledIn = filledIn });
        // No further out than the element itself, which may have to stay where a condition is known.
        var b = Home(x, index.Concat(needed.Select(g => g.Index)), scope, context).Builder;
        var inside = Element(x, index, scope, context with { Guards = context.Guards.AddRange(needed) });
        return b.Select(Holds(needed, b), inside, fill);
    }

    private bool EndsInBuffer(Node node)
    {
        while (!hasBuffer(node))
        {
            if (!node.Is(OpTraits.View)) return false;
            node = node.Operands[0];
        }
        return true;
    }

    private Value Gathered(Gather gather, ImmutableArray<Size> index, Scope scope, Context context)
    {
        var rank = gather.OperandType(1).Rank;
        var extent = gather.OperandType(0).Shape[gather.Axis];
        var place = index.Skip(gather.Axis).Take(rank).ToImmutableArray();
        var home = Home(gather.Operands[1], place, scope, context);
        var at =
            home.Builder.Convert(Element(gather.Operands[1], place, home, context with { Fill = null, FilledIn = null }), DType.I64);
        var clamped = Clamped(at, extent, home, context);
        var inner = index.Take(gather.Axis).Append(clamped).Concat(index.Skip(gather.Axis + rank));
        return Element(gather.Operands[0], [.. inner], scope,
            context with { Guards = context.Guards.AddRange(Room(extent, gather.Type.Count, context)) });
    }

    /// <summary>The index clamped into [0, extent), as an index expression; flagged if it was outside.</summary>
    private Size Clamped(Value at, Size extent, Scope scope, Context context)
    {
        var b = scope.Builder;
        var last = b.Index(extent - 1);
        var zero = b.Integer(0, DType.I64);
        var low = b.Compare(ScalarOp.Lt, at, zero);
        var high = b.Compare(ScalarOp.Gt, at, last);
        Flag(b.Binary(ScalarOp.Or, low, high), scope, context);
        // Zero is applied last: with an empty axis the last index is -1, and the address must not lie before the
        // buffer.
        var bounded = b.Select(high, last, at);
        var clamped = b.Select(b.Compare(ScalarOp.Lt, bounded, zero), zero, bounded);
        draft.Ranges.Add(clamped.IndexName, extent);
        scope.Bind(clamped.IndexName);
        return Size.Variable(clamped.IndexName);
    }

    /// <summary>
    /// A clamped index needs at least one element: that is checked on entry, or guarded where a condition may keep the
    /// element from being read.
    /// </summary>
    private ImmutableArray<Guard> Room(Size extent, Size count, Context context)
    {
        if (draft.Ranges.NonNegative(extent - 1)) return [];
        if (context.When is not null || !context.Guards.IsEmpty) return [new Guard(0, extent)];
        draft.Checks.Add(new EntryCheck(CheckKind.AtMost, Size.Min(1, count), extent, "an indexed axis is not empty"));
        return [];
    }

    /// <summary>
    /// The index where a part of x begins, given starts and offsets: moved into x as a whole and flagged where it does
    /// not fit; and guards for parts larger than x.
    /// </summary>
    private (ImmutableArray<Size> Index, ImmutableArray<Guard> Guards) Start(ImmutableArray<Size> shape,
        ImmutableArray<Size> starts,
        ImmutableArray<int> axes, ImmutableArray<Node> offsets, ImmutableArray<Size> extents, Scope scope,
            Context context)
    {
        var guards = ImmutableArray.CreateBuilder<Guard>();
        for (var k = 0; k < axes.Length; k++)
        {
            var axis = axes[k];
            var home = Home(offsets[k], [], scope, context);
            var b = home.Builder;
            var offset = b.Convert(Element(offsets[k], [], home, context with { Fill = null, FilledIn = null }), DType.I64);
            if (!starts[axis].Is(0)) offset = b.Binary(ScalarOp.Add, offset, b.Index(starts[axis]));
            var places = shape[axis] - extents[axis] + 1;
            starts = starts.SetItem(axis, Clamped(offset, places, home, context));
            if (draft.Ranges.NonNegative(places - 1)) continue;
            if (context.When is not null || !context.Guards.IsEmpty) guards.Add(new Guard(0, places));
            else
            {
                // A part without elements reads nothing, whatever its other extents.
                var any = Size.Min(1, Size.Product(extents.RemoveAt(axis)));
                draft.Checks.Add(new EntryCheck(CheckKind.AtMost, extents[axis] * any, shape[axis],
                    "a slice fits in its axis"));
            }
        }
        return (starts, guards.ToImmutable());
    }

    /// <summary>
    /// Like the slice's start, for the elements that an update writes: `extents` of them along each axis, `steps`
    /// apart.
    /// </summary>
    public ImmutableArray<Size> UpdateStart(UpdateSlice update, Scope scope)
    {
        var extents = update.OperandType(1).Shape.Select(
            (s, d) => update.Steps[d] == 1 ? s : (s - 1) * update.Steps[d] + 1);
        return Start(update.Type.Shape, update.Starts, update.Axes, update.Operands.RemoveRange(0, 2), [.. extents],
            scope, Context.None).Index;
    }

    /// <summary>The reduction of only some of the terms, starting at `first`.</summary>
    public Value Part(Reduce node, ImmutableArray<Size> index, Size first, Size count, Scope scope) =>
        Reduced(node, node.Axes, Enum.Parse<ReduceKind>(node.Kind.ToString()), index, scope, Context.None,
            (first, count));

    private Value Reduced(Node node, ImmutableArray<int> axes, ReduceKind kind, ImmutableArray<Size> index, Scope scope,
        Context context,
        (Size First, Size Count)? some = null)
    {
        var x = node.Operands[0];
        var key = $"reduce {node.Id} {string.Join(',', index)} {context.Key}";
        var type = Accumulated(node.Type.DType, kind);
        var total = scope.Builder.Define(key, type, result =>
        {
            var reduced = axes.Select(a => x.Type.Shape[a]).ToImmutableArray();
            var extent = some?.Count ?? Size.Product(reduced);
            var variable = draft.Variable("r", extent);
            var parts = Indexing.Split((some?.First ?? Size.Zero) + Size.Variable(variable), reduced, draft.Ranges);
            var inner = new Size[x.Type.Rank];
            for (int d = 0, kept = 0; d < inner.Length; d++)
                inner[d] = axes.IndexOf(d) is >= 0 and var at ? parts[at] : index[kept++];
            var lanes = !scope.InVector && !kind.IsArg() && FusionPlan.IsRowReduction(node);
            var body = lanes ? scope.Lanes(variable) : scope.Inner(variable);
            // Terms that are products are added as in a contraction: half of the operations, and one rounding for each.
            if (kind == ReduceKind.Add && !lanes && x is Binary { Kind: BinaryOp.Mul } product && type.IsFloat
                && type == x.Type.DType
                && !hasBuffer(x) && !bound.ContainsKey(x))
            {
                var (a, b) =
                    (Element(product.Operands[0], [.. inner], body, context),
                        Element(product.Operands[1], [.. inner], body, context));
                return new Reduction(result, kind, lanes, variable, extent, body.Builder.ToBlock(), a) { Factor = b };
            }
            var value = Element(x, [.. inner], body, context);
            if (!kind.IsArg()) value = body.Builder.Convert(value, type);
            return new Reduction(result, kind, lanes, variable, extent, body.Builder.ToBlock(), value);
        });
        return scope.Builder.Convert(total, node.Type.DType);
    }

    /// <summary>A sum or product of f16 or bf16 is computed in f32 and rounded once, at its end.</summary>
    public static DType Accumulated(DType type, ReduceKind kind) =>
        type is DType.F16 or DType.BF16 && kind is ReduceKind.Add or ReduceKind.Mul ? DType.F32 : type;
}

internal static class ReduceKindExtensions
{
    public static bool IsArg(this ReduceKind kind) => kind is ReduceKind.ArgMax or ReduceKind.ArgMin;
}
