// In: a simplified function. Out: the same values, with the channels of convolutions last in memory between them.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// transpose(dot(window(pad x), w)) => transpose(dot(window(pad x'), w')), where x' is x with its channels last (NHWC)
/// and w' lies [kh, kw, c, o]: a contraction then reads and writes runs of channels. The transpose after it is carried
/// along through elementwise work, pads, windows, reductions, concats and residual sums up to the next convolution,
/// whose own transpose cancels it: between two layers there is none. Decided by shapes and dtypes only. The order of
/// the taps in a sum becomes (kh, kw, c), so it rounds differently from the graph as it was bound.
/// </summary>
internal sealed partial class Layout
{
    /// <summary>
    /// With channels last, the channels are the vector side of a contraction: with fewer than this the result keeps its
    /// places last. Half of a vector of 16 lanes.
    /// </summary>
    private const int FewChannels = 8;

    private readonly Rewrites rewrites;
    private readonly Function from;
    private readonly Function into;
    private readonly Uses users;
    private readonly Dictionary<Node, Ordered> values = new(ReferenceEqualityComparer.Instance);

    /// <summary>
    /// Values that a convolution wants with channels last while all their other users take them as they are.
    /// </summary>
    private readonly Dictionary<Node, Ordered> turned = new(ReferenceEqualityComparer.Instance);

    /// <summary>New dots that are convolutions: the transposes after them are carried along.</summary>
    private readonly HashSet<Node> convolutions = new(ReferenceEqualityComparer.Instance);

    /// <summary>
    /// New nodes that depend on no input: their order in memory costs a call nothing once they are packed.
    /// </summary>
    private readonly HashSet<Node> weightsOnly = new(ReferenceEqualityComparer.Instance);
    private Origin origin = Origin.None;

    private Layout(Function function, Rewrites rewrites)
    {
        (this.rewrites, from, users) = (rewrites, function, new Uses(function));
        into = new Function(function.Name);
    }

    /// <summary>A value with its axes in another order: axis d of the value is axis Order[d] of the node.</summary>
    private readonly record struct Ordered(Node Node, ImmutableArray<int> Order)
    {
        public bool IsNatural => IsIdentity(Order);

        /// <summary>The value's axes as they lie in memory.</summary>
        public ImmutableArray<int> Sequence => Inverse(Order);
    }

    public static Function Run(Function function, Rewrites? rewrites = null) =>
        GraphPrinter.Closure(function).Any(HasConvolution) ? new Layout(function, rewrites ?? new Rewrites()).Run()
            : function;

    private Function Run()
    {
        foreach (var check in from.Checks) into.Require(check);
        FindConvolutions();
        var live = Rewriter.Live(from);
        foreach (var node in from.Nodes)
        {
            if (!live[node.Id]) continue;
            origin = from.OriginOf(node);
            var value = values[node] = Moved(node);
            if (wishes.TryGetValue(node, out var order) && value.IsNatural && rewrites.MayGoOn)
                turned[node] = new(Turn(value.Node, Inverse(order)), order);
        }
        origin = Origin.None;
        into.Results = [.. from.Results.Select(Natural)];
        into.ResultNames = from.ResultNames;
        return DeadCode.Run(into);
    }

    /// <summary>The value of a node; counted as a rewrite where its axes or its operation change.</summary>
    private Ordered Moved(Node node)
    {
        if (rewrites.MayGoOn && Rule(node) is { } moved)
        {
            rewrites.Add(
                () => new("layout", $"{node.Op} with channels last", node.ToString(),
                    $"{moved.Node} [{string.Join(',', moved.Order)}]", origin.Place));
            return moved;
        }
        return Same(Add(node switch
        {
            RegionNode r =>
                r.WithRegions([.. r.Regions.Select(f => Run(f, rewrites))], [.. node.Operands.Select(Natural)]),
            _ => node.With([.. node.Operands.Select(Natural)]),
        }));
    }

    /// <summary>The node's value where an operand has its axes in another order; null where nothing changes.</summary>
    private Ordered? Rule(Node node) => node switch
    {
        Dot dot => Contraction(dot),
        Transpose t => Transposed(t),
        _ when (node.Is(OpTraits.Elementwise) || node is Graph.Barrier) && FirstOrder(node) is { } order =>
                Carried(node.With([.. node.Operands.Select(o => InOrder(o, order))]), order),
        Concat c when FirstOrder(node) is { } order =>
            Carried(new Concat([.. node.Operands.Select(o => InOrder(o, order))], order[c.Axis]), order),
        UpdateSlice u when IsTurned(u) && FirstOrder(node) is { } order => Updated(u, order),
        Pad or Slice or Reverse or Window or Fold or Gather or DynamicSlice or Reshape or Broadcast or Reduce or ArgReduce
            when Form(node, 0) is { IsNatural: false } x => Movement(node, x),
        _ => null,
    };

    private ImmutableArray<int>? FirstOrder(Node node)
    {
        foreach (var operand in node.Operands)
            if (!values[operand].IsNatural) return values[operand].Order;
        return null;
    }

    /// <summary>
    /// The operand in the order in which the node takes it: with channels last on the way to a convolution.
    /// </summary>
    private Ordered Form(Node node, int operand) =>
        onTheWay.Contains(node) && turned.TryGetValue(node.Operands[operand], out var own)
        ? own : values[node.Operands[operand]];

    /// <summary>The value in the order of its own axes.</summary>
    private Node Natural(Node old) => Turn(values[old].Node, values[old].Order);

    /// <summary>The node whose axis order[d] is axis d of the value.</summary>
    private Node InOrder(Node old, ImmutableArray<int> order)
    {
        if (turned.TryGetValue(old, out var own) && own.Order.SequenceEqual(order)) return own.Node;
        var value = values[old];
        var permutation = new int[order.Length];
        for (var d = 0; d < order.Length; d++) permutation[order[d]] = value.Order[d];
        return Turn(value.Node, [.. permutation]);
    }

    private static Ordered Same(Node node) => new(node, Identity(node.Type.Rank));

    /// <summary>The value of a new node; moving only axes of size 1 changes nothing.</summary>
    private Ordered Carried(Node node, ImmutableArray<int> order)
    {
        node = Add(node);
        var shape = order.Select(d => node.Type.Shape[d]).ToImmutableArray();
        return IsAscending(AxisGroup.Wide(shape).Select(d => order[d])) ? Same(Reshaped(node, shape))
            : new(node, order);
    }

    /// <summary>transpose x, joined with the movements of x: those that undo each other disappear.</summary>
    private Node Turn(Node x, ImmutableArray<int> permutation)
    {
        if (IsIdentity(permutation)) return x;
        var shape = permutation.Select(d => x.Type.Shape[d]).ToImmutableArray();
        if (IsAscending(AxisGroup.Wide(shape).Select(d => permutation[d]))) return Reshaped(x, shape);
        switch (x)
        {
            case Transpose t:
                return Turn(t.Operands[0], [.. permutation.Select(d => t.Permutation[d])]);
            case Const { IsSplat: true } c:
                return Add(
                    c.Type.DType.IsFloat ? Const.Of(c.Type.With(shape), c.Floats)
                    : Const.Of(c.Type.With(shape), c.Integers));
            case Iota i:
                return Add(new Iota(i.Type.With(shape), permutation.IndexOf(i.Axis)));
            case Broadcast b:
                var places = b.Axes.Select(a => permutation.IndexOf(a)).ToImmutableArray();
                return Add(
                    new Broadcast(Turn(b.Operands[0], [.. Enumerable.Range(0, places.Length).OrderBy(d => places[d])]),
                        shape, [.. places.Order()]));
            case Reshape { IsChecked: false, Operands: [Transpose or Broadcast or Reshape] } r when Before(r,
                permutation) is { } before:
                return Reshaped(Turn(r.Operands[0], before), shape);
        }
        return Add(new Transpose(x, permutation));
    }

    /// <summary>
    /// transpose (reshape x) => reshape (transpose x): the permutation of x, if the axes of each group stay together.
    /// </summary>
    private static ImmutableArray<int>? Before(Reshape reshape, ImmutableArray<int> permutation)
    {
        if (AxisGroup.Of(reshape) is not { } groups) return null;
        var before = Enumerable.Range(0, reshape.OperandType(0).Rank).Where(d => reshape.OperandType(0).Shape[d].Is(1))
            .ToList();
        var wide = permutation.Where(d => !reshape.Type.Shape[d].Is(1)).ToImmutableArray();
        for (var i = 0; i < wide.Length;)
        {
            if (groups.FirstOrDefault(g => g.To[0] == wide[i]) is not { } group
                || !wide.Skip(i).Take(group.To.Length).SequenceEqual(group.To))
                return null;
            before.AddRange(group.From);
            i += group.To.Length;
        }
        return [.. before];
    }

    private Node Reshaped(Node x, ImmutableArray<Size> shape)
    {
        while (x is Reshape { IsChecked: false } r) x = r.Operands[0];
        return x.Type.Equals(x.Type.With(shape)) ? x : Add(new Reshape(x, shape));
    }

    private T Add<T>(T node)
        where T : Node
    {
        if (node.Id >= 0) return node;
        node = into.Add(node, origin);
        if (node is State or Const
            || (!node.Operands.IsEmpty && node is not RegionNode && !node.MayFail
                && node.Operands.All(weightsOnly.Contains)))
            weightsOnly.Add(node);
        return node;
    }

    private static ImmutableArray<int> Identity(int rank) => [.. Enumerable.Range(0, rank)];

    private static bool IsIdentity(ImmutableArray<int> order) => order.SequenceEqual(Enumerable.Range(0, order.Length));

    private static bool IsAscending(IEnumerable<int> axes) => axes.Zip(axes.Skip(1)).All(p => p.First < p.Second);

    private static ImmutableArray<int> Inverse(ImmutableArray<int> order)
    {
        var inverse = new int[order.Length];
        for (var d = 0; d < order.Length; d++) inverse[order[d]] = d;
        return [.. inverse];
    }
}
