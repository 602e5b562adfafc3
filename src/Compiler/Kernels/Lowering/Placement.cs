// In: the actions of a function in order, and where its results should go. Out: the storage of everything they write:
// in place where the overwritten value has no later use.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// A value that has to be in a storage at the end: as the whole of it, or as element Index of Count along a new first
/// axis.
/// </summary>
internal sealed record Want(Node Value, Storage Target, Size? Index = null, Size? Count = null);

/// <summary>An operand whose memory a result takes over, or gets a copy of.</summary>
internal sealed record Take(Node Operand, int Result);

/// <summary>
/// The action of a node: kernels, or a step with regions, or an effect. Taken operands are not among the reads.
/// </summary>
internal sealed record LoweredNode(Node Node, ImmutableArray<LoweredKernel> Kernels, ImmutableArray<Node> Reads,
    ImmutableArray<Node?> Writes, ImmutableArray<TensorType> Types, ImmutableArray<Take> Takes);

/// <summary>
/// Goes through the actions from the last to the first. A value wanted at the end is computed where it is wanted, and a
/// value whose memory a later action takes over is computed there, if that memory holds nothing that is still read; a
/// read in the same kernel counts as earlier if it is of the element that is written.
/// </summary>
internal sealed class Placement
{
    private const int End = int.MaxValue;

    private readonly IReadOnlyList<LoweredNode> actions;
    private readonly DraftBlock block;
    private readonly Dictionary<Node, Storage> places;
    private readonly Dictionary<Node, List<int>> reads = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, List<(int Action, Take Take)>> takes = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, List<Want>> wanted = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Storage, Node> holders = new(ReferenceEqualityComparer.Instance);
    private readonly List<Want> copies = [];
    private readonly Storage[][] targets;
    private readonly Want?[] slices;

    /// <param name="actions">The actions in order.</param>
    /// <param name="wants">The results of the function, and where they go.</param>
    /// <param name="sources">The storages of inputs, state and constants.</param>
    /// <param name="block">Owns the new temporaries.</param>
    public Placement(IReadOnlyList<LoweredNode> actions, IEnumerable<Want> wants,
        IReadOnlyDictionary<Node, Storage> sources, DraftBlock block)
    {
        (this.actions, this.block) = (actions, block);
        places = new(sources, ReferenceEqualityComparer.Instance);
        (targets, slices) = (new Storage[actions.Count][], new Want?[actions.Count]);
        for (var p = 0; p < actions.Count; p++)
        {
            foreach (var node in actions[p].Reads) Read(node, p);
            foreach (var take in actions[p].Takes)
            {
                if (!takes.TryGetValue(take.Operand, out var list)) takes[take.Operand] = list = [];
                list.Add((p, take));
            }
        }
        foreach (var want in wants)
        {
            if (want.Index is null
                && places.FirstOrDefault(s => ReferenceEquals(s.Value, want.Target)).Key is { } source)
                holders[want.Target] = source;
            if (sources.ContainsKey(want.Value))
            {
                copies.Add(want);
                Read(want.Value, End);
            }
            else if (wanted.TryGetValue(want.Value, out var list)) list.Add(want);
            else wanted[want.Value] = [want];
        }
        for (var p = actions.Count - 1; p >= 0; p--)
        {
            targets[p] = new Storage[actions[p].Types.Length];
            for (var k = 0; k < targets[p].Length; k++)
            {
                targets[p][k] = Choose(actions[p].Writes[k], p, k);
                if (actions[p].Writes[k] is { } written) places[written] = targets[p][k];
            }
        }
    }

    public IReadOnlyDictionary<Node, Storage> Places => places;

    /// <summary>The wants that no action fulfils, to be copied at the end.</summary>
    public IReadOnlyList<Want> Copies => copies;

    /// <summary>The storages of an action's results.</summary>
    public Storage[] TargetsOf(int action) => targets[action];

    /// <summary>The want that an action's kernels fulfil by storing into a slice; null for all others.</summary>
    public Want? SliceOf(int action) => slices[action];

    /// <summary>True if each load of one buffer reads the element that the kernel then stores into the other.</summary>
    public static bool SameElement(Kernel kernel, int read, int written)
    {
        var stores = Kernel.Statements(kernel.Body).OfType<Store>().Where(s => s.Buffer == written)
            .Select(s => s.Offset).Distinct().ToList();
        return stores.Count == 1 && Holds(kernel.Body);

        // Only inside loops and epilogues: elements read by a reduction or a side of a contraction may have been
        // overwritten.
        bool Holds(Block block) => block.Statements.All(s => s switch
        {
            Load l => l.Buffer != read || l.Offset.Equals(stores[0]),
            Compute or Literal or IndexValue or Flag or Store => true,
            Loop l => Holds(l.Body),
            Contract c => Holds(c.Epilogue) && !Loads(c.Left) && !Loads(c.Right),
            Reduction r => !Loads(r.Body),
            _ => false,
        });

        bool Loads(Block block) => Kernel.Statements(block).Any(s => s is Load l && l.Buffer == read);
    }

    private void Read(Node node, int action)
    {
        if (!reads.TryGetValue(node, out var list)) reads[node] = list = [];
        list.Add(action);
    }

    private Storage Choose(Node? written, int p, int k)
    {
        var action = actions[p];
        if (written is not null && wanted.TryGetValue(written, out var wants))
        {
            var here = wants.Find(
                w => w.Index is null ? IsFree(w.Target, p, k) : wants.Count == 1 && CanSlice(written, action, w));
            copies.AddRange(wants.Where(w => !ReferenceEquals(w, here)));
            if (here?.Index is not null) slices[p] = here;
            if (here is not null) return here.Target;
        }
        else if (written is not null && takes.TryGetValue(written, out var taken))
        {
            var (q, take) = taken.MaxBy(t => t.Action);
            var target = targets[q][take.Result];
            if (taken.Count(t => t.Action == q) == 1 && slices[q] is null && IsUnread(written, q, take.Result)
                && target.Type.Equals(action.Types[k]) && IsFree(target, p, k)) return target;
        }
        return new Storage(BufferKind.Temporary, action.Types[k], "", block);
    }

    /// <summary>True if an action may overwrite the value that the storage holds from the start.</summary>
    private bool IsFree(Storage target, int p, int k) => !holders.TryGetValue(target, out var held)
        || (IsUnread(held, p, k)
        && takes.GetValueOrDefault(held, []).All(t => t.Action < p || (t.Action == p && t.Take.Result == k)));

    /// <summary>
    /// True if no action after this one reads a node, and this one reads it only where its result k is written.
    /// </summary>
    private bool IsUnread(Node node, int p, int k) =>
        reads.GetValueOrDefault(node, []).All(r => r < p || (r == p && IsReadInPlace(actions[p], node, k)));

    private static bool IsReadInPlace(LoweredNode action, Node node, int k)
    {
        if (action.Kernels is not [var kernel] || action.Writes[k] is not { } written) return false;
        // The operand that the result takes over is in the memory before the kernel runs.
        if (action.Takes.Any(t => t.Result == k && !ReferenceEquals(t.Operand, node))) return false;
        int Buffer(Node n) => kernel.Arguments.ToList().FindIndex(a => ReferenceEquals(a, n));
        return SameElement(kernel.Kernel, Buffer(node), Buffer(written));
    }

    private bool CanSlice(Node written, LoweredNode action, Want want) =>
        action.Takes.IsEmpty && action.Types.Length == 1
        && !reads.ContainsKey(written) && !takes.ContainsKey(written) && action.Kernels.Length > 0
        && action.Kernels.All(kernel => Slice(kernel, written, want) is not null);

    /// <summary>The kernel with its result stored into a slice; null if that is not possible.</summary>
    public static Kernel? Slice(LoweredKernel kernel, Node written, Want want) => KernelSizes.Sliced(kernel.Kernel,
        kernel.Arguments.ToList().FindIndex(a => ReferenceEquals(a, written)), want.Index!, want.Count!);
}
