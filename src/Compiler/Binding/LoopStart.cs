// In: the locals that a loop may change, with their values before it. Out: their values in a round.
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Binding;

/// <summary>
/// The locals that a loop may change. In a round such a local has a new value of which only the type is known: an input
/// of the body. If it turns out that the body has not changed it, the value before the loop replaces the input.
/// </summary>
/// <param name="name">The loop's name.</param>
/// <param name="states">The state that it may change; state that the entry has not mentioned yet is added
/// later.</param>
internal sealed class LoopStart(string name, IReadOnlySet<StateMember> states)
{
    private readonly Function graph = new(name);

    /// <summary>
    /// A local: its value before the loop, that value as tensors where it can change, and its value in a round.
    /// </summary>
    public sealed record Start(Local Local, Value Before, Value Initial, Value Inside);

    public List<Start> Starts { get; } = [];

    /// <summary>For each node that represents a value in a round: the node of the value before the loop.</summary>
    public Dictionary<Node, Node> Initial { get; } = new(ReferenceEqualityComparer.Instance);

    public bool May(StateMember change) => states.Contains(change);

    public Start Begin(Local local, Value initial)
    {
        var leaves = new Queue<TensorValue>();
        foreach (var leaf in Elaborator.Leaves(initial))
        {
            var inside = graph.Add(new Input($"c{Initial.Count}", leaf.Node.Type));
            Initial[inside] = leaf.Node;
            leaves.Enqueue(new TensorValue(inside, graph, []));
        }
        var start = new Start(local, local.Value, initial, Elaborator.Rebuilt(initial, leaves));
        Starts.Add(start);
        return start;
    }

    public void Enter()
    {
        foreach (var start in Starts) start.Local.Value = start.Inside;
    }

    public void Leave()
    {
        foreach (var start in Starts) start.Local.Value = start.Before;
    }
}
