// In: a node and an index of one of its elements. Out: the scalar value there, as statements of the kernel.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// Pulls values: movement operations turn into index arithmetic, elementwise ones into scalar operations, what has a
/// buffer is loaded. This is where accessors come from: an affine offset, guards from pads, at most one indirection.
/// </summary>
internal sealed class ElementLowering(KernelDraft draft, Func<Node, bool> hasBuffer)
{
    private readonly Dictionary<Node, Value> bound = new(ReferenceEqualityComparer.Instance);
    private Node? root;

    /// <summary>What the loads of a padded operand are guarded by, and what they give outside.</summary>
    private readonly record struct Context(ImmutableArray<Guard> Guards, Value? Fill)
    {
        public static readonly Context None = new([], null);

        public IEnumerable<Size> Indices => Guards.IsDefault ? [] : Guards.Select(g => g.Index);
    }

    /// <summary>Lets a node stand for a value that is there already: the accumulator of a contraction.</summary>
    public void Bind(Node node, Value value) => bound[node] = value;

    /// <summary>The value of the kernel's own root, which has a buffer but is computed here.</summary>
    public Value Root(Node node, ImmutableArray<Size> index, Scope scope)
    {
        root = node;
        return Element(node, index, scope, Context.None);
    }

    /// <summary>The value of a node at an index.</summary>
    public Value Element(Node node, ImmutableArray<Size> index, Scope scope) => Element(node, index, scope, Context.None);

    private Value Element(Node node, ImmutableArray<Size> index, Scope scope, Context context)
    {
        if (bound.TryGetValue(node, out var value)) return value;
        scope = scope.Home(index.Concat(context.Indices));
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
            case Unary u:
                return ElementOps.Unary(b, u.Kind, Of(0));
            case Binary x:
                return ElementOps.Binary(b, x.Kind, Of(0), Of(1));
            case Compare c:
                return b.Compare(Enum.Parse<ScalarOp>(c.Kind.ToString()), Of(0), Of(1));
            case Select:
                return b.Select(Of(0), Of(1), Of(2));
            case Graph.Convert convert:
                return Cast(Of(0), convert.OperandType(0).DType, convert.Type.DType, b);
            case Bitcast bitcast:
                return b.Bitcast(Of(0), bitcast.Type.DType);
            case StopGradient or Graph.Barrier:
                return Of(0);
            case Transpose t:
                var moved = new Size[index.Length];
                for (var d = 0; d < index.Length; d++) moved[t.Permutation[d]] = index[d];
                return Element(t.Operands[0], [.. moved], scope, context);
            case Reshape r:
                return Element(r.Operands[0],
                    Indexing.Split(Indexing.Linear(index, r.Type.Shape), r.OperandType(0).Shape, draft.Ranges), scope, context);
            case Broadcast x:
                return Element(x.Operands[0], [.. x.Axes.Select(a => index[a])], scope, context);
            case Slice s:
                return Element(s.Operands[0], [.. index.Select((i, d) => s.Starts[d] + i * s.Steps[d])], scope, context);
            case Reverse r:
                return Element(r.Operands[0],
                    [.. index.Select((i, d) => r.Axes.Contains(d) ? r.Type.Shape[d] - 1 - i : i)], scope, context);
            case Window w:
                var joined = index[w.Axis] * w.Stride + index[w.Axis + 1] * w.Dilation;
                return Element(w.Operands[0], index.RemoveAt(w.Axis).SetItem(w.Axis, joined), scope, context);
            case Pad p:
                return Padded(p, index, scope, context);
            case Gather g:
                return Gathered(g, index, scope, context);
            case Reduce r:
                return Reduced(r, r.Axes, Enum.Parse<ReduceKind>(r.Kind.ToString()), index, scope, context);
            case ArgReduce r:
                return Reduced(r, [r.Axis], r.Greatest ? ReduceKind.ArgMax : ReduceKind.ArgMin, index, scope, context);
            default:
                throw new LimitationException($"not supported: {node.Op} inside a kernel");
        }
    }

    private static Value Constant(Const c, BlockBuilder b) => c.Type.DType.IsFloat
        ? b.Float(c.Floats[0], c.Type.DType)
        : b.Integer(c.Integers[0], c.Type.DType);

    private static Value Cast(Value value, DType from, DType to, BlockBuilder b) => from == to ? value : b.Convert(value, to);

    private Value Load(Node node, ImmutableArray<Size> index, Scope scope, Context context)
    {
        if (node.Type.DType is DType.F16 or DType.BF16)
            throw new LimitationException($"not supported: {node.Type.DType.Name()} in kernels");
        var guards = context.Guards.RemoveAll(g => draft.Ranges.InRange(g.Index, g.Extent));
        var fill = guards.IsEmpty ? null : context.Fill ?? scope.Builder.Constant(0, node.Type.DType);
        return scope.Builder.Load(node.Type.DType, draft.Buffer(node), Indexing.Linear(index, node.Type.Shape), guards, fill);
    }

    private Value Padded(Pad pad, ImmutableArray<Size> index, Scope scope, Context context)
    {
        if (pad.Between.Any(n => n != 0)) throw new LimitationException("not supported: pad between elements");
        var x = pad.Operands[0];
        var inner = index.Select((i, d) => i - pad.Before[d]).ToImmutableArray();
        var own = Enumerable.Range(0, index.Length).Select(d => new Guard(inner[d], x.Type.Shape[d]))
            .Where(g => !draft.Ranges.InRange(g.Index, g.Extent)).ToImmutableArray();
        var guards = context.Guards.AddRange(own);
        if (own.IsEmpty) return Element(x, inner, scope, context);
        var outside = Element(pad.Operands[1], [], scope, Context.None);
        // A chain of movements down to a buffer: the load itself gives the padding.
        if (context.Guards.IsEmpty && EndsInBuffer(x)) return Element(x, inner, scope, new Context(guards, outside));
        var inside = Element(x, inner, scope, context with { Guards = guards });
        var b = scope.Builder;
        Value? holds = null;
        foreach (var guard in own)
        {
            var at = b.Index(guard.Index);
            var both = b.Binary(ScalarOp.And, b.Compare(ScalarOp.Ge, at, b.Integer(0, DType.I64)),
                b.Compare(ScalarOp.Lt, at, b.Index(guard.Extent)));
            holds = holds is null ? both : b.Binary(ScalarOp.And, holds, both);
        }
        return b.Select(holds!, inside, outside);
    }

    private bool EndsInBuffer(Node node)
    {
        while (!hasBuffer(node))
        {
            if (node is not (Transpose or Reshape or Broadcast or Slice or Reverse or Window)) return false;
            node = node.Operands[0];
        }
        return true;
    }

    private Value Gathered(Gather gather, ImmutableArray<Size> index, Scope scope, Context context)
    {
        var rank = gather.OperandType(1).Rank;
        var b = scope.Builder;
        var extent = gather.OperandType(0).Shape[gather.Axis];
        var at = b.Convert(Element(gather.Operands[1], [.. index.Skip(gather.Axis).Take(rank)], scope, context with { Fill = null }), DType.I64);
        var last = b.Index(extent - 1);
        var zero = b.Integer(0, DType.I64);
        var low = b.Compare(ScalarOp.Lt, at, zero);
        var high = b.Compare(ScalarOp.Gt, at, last);
        b.Emit(new Flag(b.Binary(ScalarOp.Or, low, high)));
        // Zero last: with an empty axis the last index is -1, and what is read must still lie behind the pointer.
        var bounded = b.Select(high, last, at);
        var clamped = b.Select(b.Compare(ScalarOp.Lt, bounded, zero), zero, bounded);
        draft.Ranges.Add(clamped.IndexName, extent);
        scope.Bind(clamped.IndexName);
        var inner = index.Take(gather.Axis).Append(Size.Variable(clamped.IndexName)).Concat(index.Skip(gather.Axis + rank));
        return Element(gather.Operands[0], [.. inner], scope, context);
    }

    private Value Reduced(Node node, ImmutableArray<int> axes, ReduceKind kind, ImmutableArray<Size> index, Scope scope, Context context)
    {
        var x = node.Operands[0];
        var key = $"reduce {node.Id} {string.Join(',', index)} {string.Join(',', context.Indices)}";
        return scope.Builder.Define(key, node.Type.DType, result =>
        {
            var reduced = axes.Select(a => x.Type.Shape[a]).ToImmutableArray();
            var variable = draft.Variable("r", Size.Product(reduced));
            var parts = Indexing.Split(Size.Variable(variable), reduced, draft.Ranges);
            var inner = new Size[x.Type.Rank];
            for (int d = 0, kept = 0; d < inner.Length; d++)
                inner[d] = axes.IndexOf(d) is >= 0 and var at ? parts[at] : index[kept++];
            var body = scope.Inner(variable);
            var lanes = !scope.InVector && !kind.IsArg() && Fusion.IsRowReduction(node);
            var value = Element(x, [.. inner], body, context);
            return new Reduction(result, kind, lanes, variable, Size.Product(reduced), body.Builder.ToBlock(), value);
        });
    }
}

internal static class ReduceKindExtensions
{
    public static bool IsArg(this ReduceKind kind) => kind is ReduceKind.ArgMax or ReduceKind.ArgMin;
}
