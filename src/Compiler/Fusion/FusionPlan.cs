// In: a function of primitive operations. Out: which nodes get a buffer, and which kernel computes each of the others.
// Decided by shapes and dtypes only: never by ISA, optimisation level or threads.
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Fusion;

/// <summary>
/// An anchor is a node that loops: a dot, a reduction. Each grows a region of the elementwise work after it, up to one
/// exit; the exit gets the buffer, the rest stays in registers. A node in no region is recomputed where it is used,
/// unless it is expensive and several kernels use it.
/// </summary>
internal sealed class FusionPlan
{
    /// <summary>The number up to which kernels that recompute one value are counted.</summary>
    private const int MostCounted = 64;

    private static readonly ConditionalWeakTable<Node, object> OfWindow = [];

    private readonly Function function;
    private readonly Uses users;
    private readonly HashSet<Node> buffered = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Node> parts = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Node> inline = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, Node> claimed = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, Node> anchors = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, AttentionPattern> attention = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, string> forward = new(ReferenceEqualityComparer.Instance);

    /// <param name="function">The function, or region of one, to lower.</param>
    /// <param name="loops">The ranges of the driver's loop variables around it; none if null.</param>
    /// <param name="apart">Nodes that get a buffer in any case.</param>
    public FusionPlan(Function function, IndexRanges? loops = null, IEnumerable<Node>? apart = null)
    {
        this.function = function;
        Loops = loops ?? new IndexRanges();
        foreach (var node in apart ?? []) buffered.Add(node);
        users = new Uses(function);

        foreach (var result in function.Results) buffered.Add(result);
        var isTaken = new HashSet<Node>(buffered, ReferenceEqualityComparer.Instance);
        foreach (var node in function.Nodes)
        {
            if (IsSource(node)) buffered.Add(node);
            if ((node is Concat && !IsChosenFrom(node))
                || node is UpdateSlice or Scatter or Result { Operands: [Sort] })
                buffered.Add(node);
            foreach (var operand in node.Operands)
                if (operand is Sort && node is not Result) buffered.Add(operand);
            // The driver's steps take whole tensors; a value that a kernel can generate is filled in where it is
            // needed.
            var taken = node is RegionNode or Print or Graph.Assert or Assign or Extent ? node.Operands.Length
                : node is UpdateSlice or Scatter ? 1 : 0;
            foreach (var operand in node.Operands.Take(taken).Where(o => node is Assign || !IsGenerated(o)))
                buffered.Add(operand);
        }
        KeepBelowConditions();
        ClaimAttention();
        foreach (var dot in function.Nodes.OfType<Dot>().Reverse()) Grow(dot, SameElement);
        foreach (var (dot, pattern) in attention)
            foreach (var node in pattern.Inside) claimed[node] = claimed[dot];
        foreach (var node in function.Nodes.Where(IsRowReduction)) Grow(node, InRow(node));
        foreach (var node in function.Nodes.OfType<Cumulate>()) Grow(node, IsElementwise);
        foreach (var node in function.Nodes.Where(n => n is Fold || (n is Reduce or ArgReduce && !IsRowReduction(n))))
            Grow(node, SameElement);
        BufferBelowWindowsAndDots();
        var kernels = BufferSharedExpensiveWork();
        KernelSize.Bound(function.Nodes, HasBuffer, MayBuffer, kernels.GetValueOrDefault, node => buffered.Add(node));
        // A part that its own kernel computes only for a concat is stored directly in the concat's buffer.
        foreach (var concat in function.Nodes.OfType<Concat>().Where(buffered.Contains))
        {
            foreach (var part in concat.Operands)
            {
                if (users[part].Count != 1 || isTaken.Contains(part) || !anchors.ContainsKey(part)) continue;
                // A part whose anchor is another kind of reduction is computed by the map kernel that stores the part.
                if (DotOf(part) is not null || RowOf(part) is not null || CumulateOf(part) is not null) parts.Add(part);
                buffered.Remove(part);
            }
        }
    }

    /// <summary>True for a part of a concat whose kernel stores it in the concat's buffer.</summary>
    public bool WritesPart(Node part) => parts.Contains(part);

    /// <summary>The ranges of the driver's loop variables.</summary>
    public IndexRanges Loops { get; }

    /// <summary>True for a node that kernels load instead of computing it.</summary>
    public bool HasBuffer(Node node) => buffered.Contains(node) && !IsGenerated(node);

    /// <summary>
    /// True for a node that may have a kernel of its own. A buffer's shape is the same in all iterations of a loop.
    /// </summary>
    private bool MayBuffer(Node node) => !buffered.Contains(node) && !claimed.ContainsKey(node)
        && !inline.Contains(node) && !IsGenerated(node) && node is not (Window or Graph.Tuple or Sort or RegionNode)
        && !node.Type.Shape.SelectMany(s => s.Variables()).Any(Loops.Knows);

    /// <summary>
    /// True for a node that may read at an index out of range, and is only used where a condition holds.
    /// </summary>
    public bool IsConditional(Node node) => inline.Contains(node);

    /// <summary>True for a node with a buffer that a kernel must compute.</summary>
    public bool IsRoot(Node node) => buffered.Contains(node) && !IsSource(node);

    /// <summary>
    /// A concat that a single elementwise operation or reduction reads, each element once, is a choice between its few
    /// parts there; any other has a buffer, into whose slices its parts are written.
    /// </summary>
    private bool IsChosenFrom(Node concat) => concat.Operands.Length <= 3
        && users[concat] is [var user] && (IsElementwise(user) || user is Reduce or Cumulate)
        && !function.Results.Contains(concat);

    /// <summary>The results of a node that are used.</summary>
    public IEnumerable<Result> ResultsOf(Node node) => users[node].OfType<Result>();

    /// <summary>The attentions that have a kernel each.</summary>
    public IEnumerable<AttentionPattern> Attentions => attention.Values;

    /// <summary>The attention, if any, in whose epilogue a root is computed.</summary>
    public AttentionPattern? AttentionOf(Node root) => DotOf(root) is { } dot ? attention.GetValueOrDefault(dot) : null;

    /// <summary>The dot, if any, in whose epilogue a root is computed.</summary>
    public Dot? DotOf(Node root) => anchors.GetValueOrDefault(root) as Dot;

    /// <summary>The root in whose kernel a dot is computed; null for one that has none.</summary>
    public Node? ExitOf(Dot dot) => claimed.GetValueOrDefault(dot);

    /// <summary>The row reduction, if any, whose row loop a root shares.</summary>
    public Node? RowOf(Node root) => anchors.GetValueOrDefault(root) is { } a && IsRowReduction(a) ? a : null;

    /// <summary>The reduction, if any, that a root's kernel computes for each of its elements or rows.</summary>
    public Reduce? ReductionOf(Node root) => anchors.GetValueOrDefault(root) as Reduce;

    /// <summary>The cumulation, if any, in whose epilogue a root is computed.</summary>
    public Cumulate? CumulateOf(Node root) => anchors.GetValueOrDefault(root) as Cumulate;

    /// <summary>
    /// The buffers that a sort writes, at least one: its used results, and the sort itself where it is used as its
    /// first result.
    /// </summary>
    public ImmutableArray<Node> OutputsOf(Sort sort) =>
        [.. users[sort].Where(u => u is Result).Append(sort).Where(buffered.Contains).Distinct().OrderBy(n => n.Id)];

    public static bool IsSource(Node node) =>
        node is Input or State or Const { IsSplat: false } or Result { Operands: [RegionNode] };

    /// <summary>A value that a kernel generates without reading anything: cheaper than a load.</summary>
    public static bool IsGenerated(Node node)
    {
        while (node is Broadcast or Reshape or Transpose or Graph.Convert) node = node.Operands[0];
        return node is Const { IsSplat: true } or Iota or SizeValue;
    }

    /// <summary>
    /// A reduction of the last axes, which lie together in memory: lanes run along the row. Other reductions run in
    /// order.
    /// </summary>
    public static bool IsRowReduction(Node node)
    {
        var axes = node switch { Reduce r => r.Axes, ArgReduce a => [a.Axis], _ => [] };
        if (axes.IsEmpty || IsOfWindow(node.Operands[0])) return false;
        var x = node.OperandType(0);
        return axes.SequenceEqual(Enumerable.Range(x.Rank - axes.Length, axes.Length));
    }

    /// <summary>
    /// True for elementwise work on a window: its places are apart in memory, however its axes have been reshaped.
    /// </summary>
    public static bool IsOfWindow(Node node)
    {
        var open = new Stack<Node>([node]);
        while (open.TryPeek(out var x))
        {
            // Asked at every reduction of a chain: the answer for a node is remembered.
            var isPassed = IsElementwise(x) || x is Transpose or Broadcast or Reshape;
            if (isPassed && x.Operands.FirstOrDefault(o => !OfWindow.TryGetValue(o, out _)) is { } operand)
            {
                open.Push(operand);
                continue;
            }
            open.Pop();
            OfWindow.AddOrUpdate(x, x is Window || (isPassed && x.Operands.Any(o => OfWindow.TryGetValue(o, out var of)
                && (bool)of)));
        }
        return OfWindow.TryGetValue(node, out var known) && (bool)known;
    }

    private static bool IsElementwise(Node node) => node.Is(OpTraits.Elementwise);

    private static bool IsMovement(Node node) =>
        node.Is(OpTraits.View) || node is DynamicSlice or Pad;

    private static bool SameElement(Node node) => IsElementwise(node) || node is Transpose or Reshape;

    /// <summary>
    /// The nodes that may share the row loop of a reduction: full-shaped and row-shaped elementwise work, its
    /// broadcasts and reductions.
    /// </summary>
    private static Func<Node, bool> InRow(Node reduction)
    {
        static string Key(IEnumerable<Size> shape) => string.Join(',', shape.Where(s => !s.Is(1)));
        var x = reduction.OperandType(0);
        var full = Key(x.Shape);
        var row = Key(reduction.Type.Shape);
        return node => node switch
        {
            _ when IsElementwise(node) => Key(node.Type.Shape) is var k && (k == full || k == row),
            Reshape r => Key(r.Type.Shape) == Key(r.OperandType(0).Shape) && Key(r.Type.Shape) is var k
                && (k == full || k == row),
            Broadcast b => Key(b.Type.Shape) == full && Key(b.OperandType(0).Shape) == row && row != full
                && b.Axes.SequenceEqual(Enumerable.Range(0, b.Axes.Length)),
            Reduce or ArgReduce =>
                IsRowReduction(node) && Key(node.OperandType(0).Shape) == full && Key(node.Type.Shape) == row,
            _ => false,
        };
    }

    /// <summary>
    /// Finds nodes that may read at an index out of range and are only used where a condition holds: they are computed
    /// in the kernel of the `select`, where the condition is known, however often that is. In a buffer they would fail
    /// the call.
    /// </summary>
    private void KeepBelowConditions()
    {
        var mayFlag = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (var node in function.Nodes)
            if (node.Is(OpTraits.ReadsAtValue) || node.Operands.Any(o => mayFlag.Contains(o) && !buffered.Contains(o)))
                mayFlag.Add(node);
        var conditional = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (var node in function.Nodes.Reverse())
        {
            if (buffered.Contains(node) || node is Dot or Sort or Cumulate || users[node].Count == 0) continue;
            if (users[node].All(
                u => conditional.Contains(u) || (u is Select && !ReferenceEquals(u.Operands[0], node))))
                conditional.Add(node);
        }
        conditional.IntersectWith(mayFlag);
        inline.UnionWith(conditional);
    }

    /// <summary>The nodes between the two dots of an attention belong to the second one, and have no buffer.</summary>
    private void ClaimAttention()
    {
        foreach (var dot in function.Nodes.OfType<Dot>())
        {
            if (inline.Contains(dot) || claimed.ContainsKey(dot)) continue;
            // A chain of products and softmaxes is one attention after the other: the dot that ends one begins none.
            if (AttentionPattern.Of(dot, users, n => buffered.Contains(n) || claimed.ContainsKey(n)
                || (n is Dot d && attention.ContainsKey(d))) is not { } pattern) continue;
            attention[dot] = pattern;
            foreach (var node in pattern.Inside) claimed[node] = dot;
        }
    }

    private void Grow(Node anchor, Func<Node, bool> fits)
    {
        if (claimed.ContainsKey(anchor) || inline.Contains(anchor)) return;
        var region = new HashSet<Node>(ReferenceEqualityComparer.Instance) { anchor };
        var order = new List<Node> { anchor };
        var depends = new HashSet<Node>(ReferenceEqualityComparer.Instance) { anchor };
        // The nodes that depend on the anchor, in order, up to the last user of the region.
        var (open, queued) = (new PriorityQueue<Node, int>(), new HashSet<Node>(ReferenceEqualityComparer.Instance));
        var candidates = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        Follow(anchor, isInside: true);
        while (candidates.Count > 0 && order.Count < 64)
        {
            var node = open.Dequeue();
            depends.Add(node);
            var isCandidate = candidates.Remove(node);
            var inner = node.Operands.Where(depends.Contains).ToList();
            var isInside = isCandidate && !claimed.ContainsKey(node) && inner.All(region.Contains) && fits(node)
                && (anchor is not Dot || SameIndex(node, inner, anchor));
            if (isInside)
            {
                region.Add(node);
                order.Add(node);
            }
            Follow(node, isInside);
        }

        void Follow(Node node, bool isInside)
        {
            foreach (var user in users[node])
            {
                if (queued.Add(user)) open.Enqueue(user, user.Id);
                if (isInside) candidates.Add(user);
            }
        }

        var exit = order[0];
        foreach (var candidate in Enumerable.Reverse(order))
        {
            if (!IsExit(candidate, region, anchor)) continue;
            exit = candidate;
            break;
        }
        // Attention reads its operands where they lie: a movement before it would only scatter the stores.
        while (anchor is Dot && exit is Transpose or Reshape && FeedsAttention(exit)) exit = exit.Operands[0];
        if (anchor is Dot sum && IsLongSum(sum) && Between(exit, region).Any(TurnsLast)) exit = sum;
        // A reduction in order has its lanes along the contiguous axis of its operand. If its result is stored in
        // another order, a kernel of its own transposes it: the result is smaller than the strided reads would be.
        if (anchor is Reduce or ArgReduce && !IsRowReduction(anchor) && Between(exit, region).Any(TurnsLast))
        {
            buffered.Add(exit);
            exit = anchor;
        }
        foreach (var node in Between(exit, region)) claimed[node] = exit;
        anchors[exit] = anchor;
        buffered.Add(exit);
    }

    /// <summary>
    /// True for a dot that reads far more than it stores, such as the gradient of a weight, a sum over all places of
    /// all images: its columns are the axes that lie together in the operands, and a result stored in another order is
    /// transposed by a kernel of its own. With the order of the result, the gradient of a 3 x 3 convolution of 32 to 64
    /// channels (64 images of 14 x 14, 1 thread) took 25.9 ms, as it gathered its operand one by one (`accc time
    /// bench/train_cnn.acc step … --kernels`, AMD Zen 3).
    /// </summary>
    internal static bool IsLongSum(Dot dot)
    {
        var terms = Size.Product(dot.ContractA.Select(a => dot.OperandType(0).Shape[a]));
        return dot.Type.Count.IsConstant && (!terms.IsConstant || 4 * terms.Value >= dot.Type.Count.Value);
    }

    private static bool TurnsLast(Node node) => node is Transpose t && t.Permutation[^1] != t.Permutation.Length - 1
        && !t.Type.Shape[^1].Is(1) && !t.OperandType(0).Shape[^1].Is(1);

    private bool FeedsAttention(Node node) => !buffered.Contains(node) && users[node].All(u => u is Dot dot
        ? attention.ContainsKey(dot)
            || (claimed.TryGetValue(dot, out var last) && last is Dot end && attention.ContainsKey(end))
        : u is Transpose or Reshape && FeedsAttention(u));

    /// <summary>All paths from the anchor lead through the exit, and no node before it is used outside.</summary>
    private bool IsExit(Node exit, HashSet<Node> region, Node anchor)
    {
        var between = Between(exit, region);
        return between.Contains(anchor) && between.All(n => ReferenceEquals(n, exit)
            || (users[n].All(between.Contains) && !buffered.Contains(n)));
    }

    private static HashSet<Node> Between(Node exit, HashSet<Node> region)
    {
        var found = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var open = new Stack<Node>([exit]);
        while (open.TryPop(out var node))
            if (region.Contains(node) && found.Add(node))
                foreach (var operand in node.Operands) open.Push(operand);
        return found;
    }

    /// <summary>
    /// A contraction computes each element once: all its uses in the epilogue must have the same index.
    /// </summary>
    private bool SameIndex(Node node, List<Node> inner, Node anchor)
    {
        string Path(Node n) => ReferenceEquals(n, anchor) ? "" : forward.GetValueOrDefault(n, "");
        var paths = inner.Select(Path).Distinct().ToList();
        if (paths.Count != 1) return false;
        forward[node] = node is Transpose or Reshape ? $"{paths[0]}>{node.Op}{node.Attributes}:{node.Type}" : paths[0];
        return true;
    }

    private void BufferBelowWindowsAndDots()
    {
        // A window or a contraction reads an element many times: its operand is computed once, into a buffer. So is a
        // depthwise convolution before a pointwise one. Of MobileNetV2's 6.27 ms (224 x 224, 1 thread, `accc time …
        // --kernels`, AMD Zen 4) the 17 depthwise kernels take 605 us, 466 us of them at the FMA bound, and the
        // pointwise ones after them run at 92 to 101 % of theirs but for the two of 24 columns (73 %, which pay for
        // 32): fusing the pairs could save less than 140 us (2.2 %), of which 97 us are in the four with stride 2.
        foreach (var node in function.Nodes)
        {
            if (node is not (Dot or Window)) continue;
            foreach (var operand in node.Operands)
            {
                var below = operand;
                if (attention.ContainsKey(node) && ReferenceEquals(operand, node.Operands[0])) continue;
                while (IsMovement(below) && !buffered.Contains(below) && !(node is Window && IsLaidOut(below)))
                    below = below.Operands[0];
                if (below is not (Const or Iota or SizeValue) && !inline.Contains(below)) buffered.Add(below);
            }
        }
        foreach (var node in function.Nodes.Where(
            n => n is Broadcast && IsExpensive(n.Operands[0]) && !inline.Contains(n.Operands[0])))
            if (!claimed.ContainsKey(node.Operands[0]) && node.OperandType(0).Rank > 0) buffered.Add(node.Operands[0]);
    }

    /// <summary>
    /// True for an operand that a window reads from a buffer of its own though it computes nothing: a transpose of the
    /// contiguous axis, and the padding of an image with few channels. A row of its taps, kw by channels, is then one
    /// run without a guard, which a contraction reads as such; with more channels each tap is a run that is long
    /// enough.
    /// </summary>
    private static bool IsLaidOut(Node node)
    {
        var (shape, last) = (node.Type.Shape, node.Type.Rank - 1);
        while (last > 0 && shape[last].Is(1)) last--;
        return node switch
        {
            Transpose t => t.Permutation[last] != t.Permutation.Where(d => !t.OperandType(0).Shape[d].Is(1))
                .DefaultIfEmpty(last).Max(),
            Pad p => shape.Length > 1 && shape[^1].IsConstant && shape[^1].Value < 8 && p.Before[^1].Is(0)
                && p.After[^1].Is(0),
            _ => false,
        };
    }

    /// <summary>
    /// Buffers expensive nodes that several kernels use. Returns, for each unbuffered node, the number of kernels that
    /// compute it, as far as it was counted.
    /// </summary>
    private Dictionary<Node, int> BufferSharedExpensiveWork()
    {
        var kernels = new Dictionary<Node, HashSet<Node>>(ReferenceEqualityComparer.Instance);
        foreach (var node in function.Nodes.Reverse())
        {
            var here = new HashSet<Node>(ReferenceEqualityComparer.Instance);
            if (buffered.Contains(node)) here.Add(node is Result { Operands: [Sort sort] } ? sort : node);
            else if (claimed.TryGetValue(node, out var exit)) here.Add(exit);
            else
            {
                foreach (var user in users[node])
                    if (here.Count < MostCounted) here.UnionWith(kernels[user]);
                if (here.Count > 1 && !inline.Contains(node)
                    && (IsExpensive(node) || (node is Select && node.Operands.Any(inline.Contains))))
                {
                    buffered.Add(node);
                    here = new(ReferenceEqualityComparer.Instance) { node };
                }
            }
            kernels[node] = here;
        }
        var counts = new Dictionary<Node, int>(ReferenceEqualityComparer.Instance);
        foreach (var (node, of) in kernels) counts[node] = of.Count;
        return counts;
    }

    /// <summary>A division costs as much as an element's load and store.</summary>
    private static bool IsExpensive(Node node) =>
        node.Is(OpTraits.Costly) || node is Binary { Kind: BinaryOp.Div or BinaryOp.Rem };
}
