// In: the functions compiled into one executable. Out: which state keeps its value, and which nodes are known from it.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// State is frozen when no function compiled into the executable assigns it: a value that depends only on it and on
/// constants is the same in all calls, and is computed before the first.
/// </summary>
internal sealed class FrozenState
{
    private readonly HashSet<string> assigned;

    private FrozenState(IEnumerable<string> assigned) => this.assigned = [.. assigned];

    /// <summary>The state that none of the functions assigns.</summary>
    public static FrozenState Of(params IEnumerable<Function> functions) => new(functions.SelectMany(f => f.Effects)
        .OfType<Assign>().Where(a => a.Storage != StorageClass.Inout).Select(a => a.Name));

    public bool Contains(State state) => !assigned.Contains(state.Name);
}

/// <summary>The nodes of a function whose value is the same in all calls.</summary>
internal sealed class KnownValues
{
    private readonly HashSet<Node> known = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Node> ofState = new(ReferenceEqualityComparer.Instance);

    /// <param name="function">A function, or a region of one.</param>
    /// <param name="frozen">State that no call changes.</param>
    /// <param name="inputs">The inputs of a region that stand for known values.</param>
    public KnownValues(Function function, FrozenState frozen, IReadOnlySet<Node>? inputs = null)
    {
        foreach (var node in function.Nodes)
        {
            var isGiven = node is State state ? frozen.Contains(state)
                : node is Input && inputs?.Contains(node) == true;
            if (!isGiven && !(MayBeKnown(node) && node.Operands.All(known.Contains) && !Picks(node))) continue;
            known.Add(node);
            if (isGiven || node.Operands.Any(ofState.Contains)) ofState.Add(node);
        }
    }

    public bool Contains(Node node) => known.Contains(node);

    /// <summary>True for a known value that depends on frozen state.</summary>
    public bool IsOfState(Node node) => ofState.Contains(node);

    private static bool MayBeKnown(Node node) => node is not (Input or State or RegionNode) && !node.IsEffect
        && node is not Graph.Barrier { Kind: not BarrierKind.Setup }
        && NodeFacts.Sizes(node).All(s => s.IsConstant);

    /// <summary>
    /// True for a node that fails when an index in the state is out of range or an axis is empty: the call has to
    /// report that, not the program's other functions.
    /// </summary>
    private bool Picks(Node node) => (node.MayFail && node.Operands.Skip(1).Any(ofState.Contains))
        || AxisChecks.Of(node, NoLoops).Any();

    private static readonly IndexRanges NoLoops = new();
}
