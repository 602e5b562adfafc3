// In: the actions of a function in the order of its nodes. Out: an order in which memory is freed early.
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// By default a kernel runs at the position of its last node. For a weight's gradient that is the update at the end of
/// a training step, and everything the gradient is computed from would stay alive until then. So a kernel runs as soon
/// as it can where that frees more memory than it takes. It does not overtake anything that may fail if it writes
/// memory that outlives the call, and never anything that reads the memory it writes.
/// </summary>
/// <remarks>Sizes that a call decides are assumed to be 64: one order serves all calls.</remarks>
internal sealed class KernelOrder
{
    private readonly IReadOnlyList<LoweredNode> actions;
    private readonly Function function;
    private readonly FusionPlan fusion;
    private readonly Dictionary<Node, List<Want>> wants = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Storage, Node> held = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, List<int>> readers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, int> open = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, long> bytes = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Node> made;
    private readonly int[] waiting;
    private readonly bool[] isDone;
    private readonly bool[] mayFail;
    private readonly List<LoweredNode> order = [];
    private int failing;

    /// <param name="actions">In an order in which they can run.</param>
    /// <param name="wanted">The results of the function, and where they go.</param>
    /// <param name="sources">The storages of inputs, state and constants.</param>
    /// <param name="function">The function they belong to.</param>
    /// <param name="fusion">Its kernels.</param>
    public static IReadOnlyList<LoweredNode> Of(IReadOnlyList<LoweredNode> actions, IEnumerable<Want> wanted,
        IReadOnlyDictionary<Node, Storage> sources, Function function, FusionPlan fusion) =>
        // A size that the call computes is available only to later actions.
        actions.Any(a => a.Node is Extent) ? actions : new KernelOrder(actions, wanted, sources, function, fusion).Run();

    private KernelOrder(IReadOnlyList<LoweredNode> actions, IEnumerable<Want> wanted,
        IReadOnlyDictionary<Node, Storage> sources, Function function, FusionPlan fusion)
    {
        (this.actions, this.function, this.fusion) = (actions, function, fusion);
        (waiting, isDone, mayFail) = (new int[actions.Count], new bool[actions.Count], new bool[actions.Count]);
        foreach (var want in wanted)
        {
            if (!wants.TryGetValue(want.Value, out var list)) wants[want.Value] = list = [];
            list.Add(want);
        }
        foreach (var (node, storage) in sources) held[storage] = node;
        made = new(actions.SelectMany(a => a.Writes).OfType<Node>(), ReferenceEqualityComparer.Instance);
        for (var p = 0; p < actions.Count; p++)
        {
            foreach (var node in Read(p))
            {
                if (!readers.TryGetValue(node, out var list)) readers[node] = list = [];
                list.Add(p);
                open[node] = open.GetValueOrDefault(node) + 1;
                if (made.Contains(node)) waiting[p]++;
            }
            mayFail[p] = MayFail(actions[p]);
            if (mayFail[p]) failing++;
        }
    }

    private IReadOnlyList<LoweredNode> Run()
    {
        for (var p = 0; p < actions.Count; p++)
        {
            if (isDone[p]) continue;
            var touched = new SortedSet<int>();
            Do(p, touched);
            while (touched.Count > 0)
            {
                var next = touched.Min;
                touched.Remove(next);
                if (!isDone[next] && MayRunEarly(next)) Do(next, touched);
            }
        }
        return order;
    }

    private IEnumerable<Node> Read(int action) =>
        actions[action].Reads.Concat(actions[action].Takes.Select(t => t.Operand)).Distinct();

    /// <summary>Runs an action; actions that may now run early as well are added to the touched ones.</summary>
    private void Do(int action, SortedSet<int> touched)
    {
        isDone[action] = true;
        order.Add(actions[action]);
        if (mayFail[action]) failing--;
        foreach (var node in Read(action))
        {
            // The last reader of a value frees it.
            if (--open[node] > 1) continue;
            foreach (var reader in readers[node]) touched.Add(reader);
        }
        foreach (var node in actions[action].Writes.OfType<Node>())
        {
            foreach (var reader in readers.GetValueOrDefault(node) ?? [])
            {
                waiting[reader]--;
                touched.Add(reader);
            }
        }
    }

    private bool MayRunEarly(int action)
    {
        var it = actions[action];
        if (waiting[action] > 0 || it.Kernels.IsEmpty || it.Node is RegionNode || mayFail[action]) return false;
        var frees = Read(action).Where(n => open[n] == 1 && IsTemporary(n)).Sum(Bytes);
        var takes = it.Writes.OfType<Node>().Where(IsTemporary).Sum(Bytes);
        if (frees <= takes) return false;
        // An overwritten operand must have no other reader left.
        if (it.Takes.Any(t => open[t.Operand] > 1)) return false;
        foreach (var want in it.Writes.OfType<Node>().SelectMany(n => wants.GetValueOrDefault(n) ?? []))
        {
            if (failing > 0 && want.Target.Kind != BufferKind.Temporary) return false;
            if (held.TryGetValue(want.Target, out var before)
                && open.GetValueOrDefault(before) > (Read(action).Contains(before) ? 1 : 0)) return false;
        }
        return true;
    }

    private bool IsTemporary(Node node) => made.Contains(node) && !wants.ContainsKey(node);

    private long Bytes(Node node)
    {
        if (!bytes.TryGetValue(node, out var count))
            bytes[node] = count = node.Type.Count.Evaluate(_ => 64) * node.Type.DType.Bytes();
        return count;
    }

    private bool MayFail(LoweredNode action) => action.Node switch
    {
        Graph.Assert => true,
        RegionNode => true,
        // The gradient of a gather scatters at the places that the gather reads: until its kernel has run, the gather
        // counts as one that may fail, so the scatter need not.
        Scatter scatter when function.Nodes.OfType<Gather>().Any(g => !fusion.IsConditional(g)
            && ReferenceEquals(g.Operands[1], scatter.Operands[1]) && g.OperandType(0).Shape[g.Axis].Equals(scatter.Type.Shape[scatter.Axis])) => false,
        _ => action.Kernels.Any(k => Kernel.Statements(k.Kernel.Body).Any(s => s is Flag)),
    };
}
