// The rules of the layout pass for contractions: which are convolutions, which axes are their channels, how they lie in
// memory.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

internal sealed partial class Layout
{
    /// <summary>
    /// The fewest places along the last axis that are used as lanes: three quarters of a vector of 16.
    /// </summary>
    private const int FewestPlaces = 12;

    /// <summary>The axis order that a convolution wants for a value, keyed by the value below its windows.</summary>
    private readonly Dictionary<Node, ImmutableArray<int>> wishes = new(ReferenceEqualityComparer.Instance);

    /// <summary>The movements between such a value and the convolution.</summary>
    private readonly HashSet<Node> onTheWay = new(ReferenceEqualityComparer.Instance);

    /// <summary>Depthwise convolutions that read images as they lie, by channels, if they lie so.</summary>
    private readonly HashSet<Dot> placesLast = new(ReferenceEqualityComparer.Instance);

    /// <summary>The operand of each convolution that is read through windows.</summary>
    private readonly Dictionary<Dot, int> images = new(ReferenceEqualityComparer.Instance);

    private static bool HasConvolution(Function function) =>
        function.Nodes.Any(n => n is Dot && n.Operands.Any(IsWindowed));

    private static bool IsWindowed(Node node)
    {
        while (node is Window or Pad or Slice or Reverse or Reshape or Transpose)
        {
            if (node is Window) return true;
            node = node.Operands[0];
        }
        return false;
    }

    /// <summary>Finds the operands that are read through windows, and which of their axes are channels.</summary>
    private void FindConvolutions()
    {
        var byPlaces = new Stack<(Dot Dot, Node Image, ImmutableArray<int> Channels)>();
        foreach (var dot in from.Nodes.OfType<Dot>())
        {
            var image = IsWindowed(dot.Operands[0]) ? 0 : IsWindowed(dot.Operands[1]) ? 1 : IsOfOneTap(dot) ? 0 : -1;
            if (image < 0) continue;
            images[dot] = image;
            var (contract, batch, channels) = image == 0
                ? (dot.ContractA, dot.BatchA, dot.FreeB.Select(a => dot.OperandType(1).Shape[a]))
                : (dot.ContractB, dot.BatchB, dot.FreeA.Select(a => dot.OperandType(0).Shape[a]));
            // A result with few channels has its places last; so should its operands, if they lie so.
            if (batch.IsEmpty && IsFew(Size.Product(channels))) continue;
            // The taps of the windows are contracted too; without channels among the contracted axes they are a batch
            // (depthwise).
            var found = Channels(dot.Operands[image], contract);
            if (found.Axes.IsEmpty)
            {
                if (PlacesAreLanes(dot.Operands[image]))
                {
                    byPlaces.Push((dot, dot.Operands[image], batch));
                    continue;
                }
                found = Channels(dot.Operands[image], batch);
            }
            if (!found.Axes.IsEmpty) Wish(found.Below, found.Axes, found.Way);
        }
        while (byPlaces.TryPop(out var depthwise))
        {
            var found = Channels(depthwise.Image, depthwise.Channels);
            if (!FlowsIntoWish(depthwise.Dot) && !LieLast(found.Below, found.Axes)) placesLast.Add(depthwise.Dot);
            else if (!found.Axes.IsEmpty) Wish(found.Below, found.Axes, found.Way);
        }
    }

    /// <summary>True for channels that a transpose has brought from the end: they are lanes where they lie.</summary>
    private static bool LieLast(Node below, ImmutableArray<int> channels) =>
        below is Transpose turned && !channels.IsEmpty
        && AxisGroup.Wide(turned.OperandType(0).Shape).TakeLast(channels.Length)
            .SequenceEqual(channels.Select(a => turned.Permutation[a]).Order());

    /// <summary>
    /// True where elementwise work and movements lead to an operand that another convolution wants with its channels
    /// last.
    /// </summary>
    private bool FlowsIntoWish(Dot dot)
    {
        var reached = new HashSet<Node>(ReferenceEqualityComparer.Instance) { dot };
        foreach (var node in from.Nodes.Skip(dot.Id + 1))
        {
            if (node is Dot or Window or Reduce or ArgReduce or RegionNode || !node.Operands.Any(reached.Contains))
                continue;
            if (wishes.ContainsKey(node)) return true;
            reached.Add(node);
        }
        return wishes.ContainsKey(dot);
    }

    /// <summary>True for a convolution with one tap: it contracts channels that lie before the places.</summary>
    private static bool IsOfOneTap(Dot dot) => dot.BatchA.IsEmpty && dot.FreeB.Length == 1 && dot.FreeA.Length > 1
        && dot.ContractA is [var channels] && AxisGroup.Wide(dot.OperandType(0).Shape) is { IsEmpty: false } wide
        && wide[^1] != channels;

    /// <summary>
    /// True for windows whose places can be the lanes as they lie, so that a depthwise convolution of images by
    /// channels transposes nothing: the windows along the last axis are neighbours, and a row of them fills most of a
    /// vector. 96 channels of 112 x 112, 3 x 3, 1 thread: 0.24 ms this way, 4.1 ms transposed to channels last and back
    /// (`accc time bench/conv.acc nchw … --kernels`, AMD Zen 4).
    /// </summary>
    private static bool PlacesAreLanes(Node windows)
    {
        // [.., places, taps]: windows along other axes, and axes of size 1, may come first.
        while (windows is Window or Reshape)
        {
            if (windows is Window { Stride: 1 } w && w.Axis == w.Type.Rank - 2)
                return !(w.Count.IsConstant && w.Count.Value < FewestPlaces);
            var (shape, from) = (windows.Type.Shape, windows.OperandType(0).Shape);
            if (windows is Window { Axis: var axis } ? axis >= shape.Length - 2
                : !from.TakeLast(2).SequenceEqual(shape.TakeLast(2)))
                return false;
            windows = windows.Operands[0];
        }
        return false;
    }

    private void Wish(Node below, ImmutableArray<int> channels, List<Node> way)
    {
        if (AxisGroup.Wide(below.Type.Shape) is var wide && wide.TakeLast(channels.Length).SequenceEqual(channels))
            return;
        wishes.TryAdd(below, Inverse([.. Enumerable.Range(0, below.Type.Rank).Except(channels), .. channels]));
        onTheWay.UnionWith(way);
    }

    /// <summary>
    /// The axes of the value below the windows that the given axes stem from, without those that are taps of a window.
    /// </summary>
    private static (Node Below, ImmutableArray<int> Axes, List<Node> Way) Channels(Node node, ImmutableArray<int> axes)
    {
        var way = new List<Node>();
        // A transpose below the windows is undone: the wish is for the order of its result.
        while (node is Window or Pad or Slice or Reverse or Reshape || (node is Transpose && IsWindowed(node)))
        {
            var shape = node.Type.Shape;
            var at = axes.Where(a => !shape[a].Is(1));
            way.Add(node);
            axes = node switch
            {
                Window w => [.. at.Where(a => a != w.Axis && a != w.Axis + 1).Select(a => a > w.Axis ? a - 1 : a)],
                Transpose t => [.. at.Select(a => t.Permutation[a])],
                Reshape r when AxisGroup.Of(r) is { } groups =>
                    [.. at.Select(a => groups.First(g => g.To.Contains(a))).Where(g => g.From.Length == 1)
                        .Select(g => g.From[0]).Distinct()],
                Reshape => [],
                _ => [.. at],
            };
            node = node.Operands[0];
        }
        return (node, [.. axes.Order()], way);
    }

    /// <summary>
    /// A contraction whose operand has its channels last: it reads the operand as it lies, and the weights in the order
    /// of the taps.
    /// </summary>
    private Ordered? Contraction(Dot dot)
    {
        var isConvolution = images.TryGetValue(dot, out var image);
        if (!isConvolution)
        {
            image = values[dot.Operands[0]].IsNatural ? 1 : 0;
            if (values[dot.Operands[image]].IsNatural) return null;
        }
        var (x, other) = (Form(dot, image), values[dot.Operands[1 - image]]);
        var (own, its) = image == 0
            ? (new Side(dot.BatchA, dot.ContractA, dot.FreeA, x), new Side(dot.BatchB, dot.ContractB, dot.FreeB, other))
            : (new Side(dot.BatchB, dot.ContractB, dot.FreeB, x),
                new Side(dot.BatchA, dot.ContractA, dot.FreeA, other));
        // The taps in the order in which they lie in memory, (kh, kw, c).
        var taps = Enumerable.Range(0, own.Contract.Length).OrderBy(k => own.Contract[k]).ToImmutableArray();
        (own, its) =
            (own with { Contract = [.. taps.Select(k => own.Contract[k])] },
                its with { Contract = [.. taps.Select(k => its.Contract[k])] });
        var (m, weights) = (x.Node, other.Node);
        var isDepthwise = isConvolution && its.Free.IsEmpty && own.Batch.Length == 1;
        if (isDepthwise && x.IsNatural && placesLast.Contains(dot))
            return Depthwise(Turn(weights, [.. its.Batch, .. its.Contract]));
        if (weightsOnly.Contains(weights))
        {
            weights = Turn(weights, [.. its.Batch, .. its.Contract, .. its.Lying]);
            if (isDepthwise && own.Batch[0] == m.Type.Rank - 1) return Depthwise(weights);
            its = its with
            {
                Batch = Identity(its.Batch.Length),
                Contract = [.. Identity(its.Contract.Length).Select(k => its.Batch.Length + k)]
            };
        }
        Node made = Add(new Dot(m, weights, own.Batch, its.Batch, own.Contract, its.Contract, dot.Type.DType));
        // With few channels as lanes, vectors are mostly empty; but places as lanes would lie a row of channels apart
        // in memory: 320 to 4 channels at 64 x 64 took 54 ms that way. The result is transposed by a step after the
        // contraction.
        var channelsOut = Size.Product(made.Type.Shape.Skip(own.Batch.Length + own.Free.Length));
        if (!x.IsNatural && own.Batch.IsEmpty && IsFew(channelsOut) && !channelsOut.Is(1))
            made = Add(new Graph.Barrier(made, BarrierKind.Materialise));
        else convolutions.Add(made);
        var ownPlaces = own.Free.Select(a => own.Batch.Length + own.Lying.IndexOf(a));
        var itsPlaces = its.Free.Select(a => own.Batch.Length + own.Free.Length + its.Lying.IndexOf(a));
        return Carried(made,
            [.. Identity(own.Batch.Length), .. image == 0 ? ownPlaces : itsPlaces, .. image == 0 ? itsPlaces
                : ownPlaces]);

        Ordered Depthwise(Node weights)
        {
            var kept = own.Free.AddRange(own.Batch).Order().ToList();
            return Carried(this.Depthwise(dot, m, weights, own),
                [.. own.Batch.Concat(own.Free).Select(a => kept.IndexOf(a))]);
        }
    }

    /// <summary>
    /// The axes of one operand of a dot, as axes of the node that holds it; `Lying`: the free ones in the order in
    /// which they lie.
    /// </summary>
    private sealed record Side(ImmutableArray<int> Batch, ImmutableArray<int> Contract, ImmutableArray<int> Free)
    {
        public Side(ImmutableArray<int> batch, ImmutableArray<int> contract, ImmutableArray<int> free, Ordered x)
            : this([.. batch.Select(a => x.Order[a])], [.. contract.Select(a => x.Order[a])],
                [.. free.Select(a => x.Order[a])])
        {
        }

        public ImmutableArray<int> Lying => [.. Free.Order()];
    }

    /// <summary>
    /// dot(windows x, w) with a batch of channels => sum over the taps of windows x * w: channels, or places, are
    /// lanes, taps a loop. It accumulates in the dot's dtype.
    /// </summary>
    private Node Depthwise(Dot dot, Node windows, Node weights, Side own)
    {
        var type = dot.Type.DType is DType.F16 or DType.BF16 ? DType.F32 : dot.Type.DType;
        Node In(Node x, DType to) => x.Type.DType == to ? x : Add(new Graph.Convert(x, to));
        // The weights lie [channels, taps..]; with channels last they should lie [taps.., channels].
        var axes = own.Batch.AddRange(own.Contract);
        ImmutableArray<int> order = [.. Identity(axes.Length).OrderBy(d => axes[d])];
        var repeated = Add(
            new Broadcast(In(Turn(weights, order), type), windows.Type.Shape, [.. order.Select(d => axes[d])]));
        var product = Add(new Binary(BinaryOp.Mul, In(windows, type), repeated));
        return In(Add(new Reduce(ReduceOp.Add, product, own.Contract)), dot.Type.DType);
    }
}
