// The locals that a loop may change, with what they are before it, come in; what stands for them in a round goes out.
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Binding;

/// <summary>
/// What a loop may change. In a round such a local has a value of its own, of which only the type is known: an input of
/// the body; what the local was before the loop stands for it, once the body has not changed it.
/// </summary>
/// <param name="name">The loop's.</param>
/// <param name="states">The state that it may change; what of it the entry has not mentioned yet comes later.</param>
internal sealed class LoopStart(string name, IReadOnlySet<StateMember> states)
{
    private readonly Function graph = new(name);

    /// <summary>A local: what it is around the loop, that as tensors where it can change, what a round has.</summary>
    public sealed record Start(Local Local, Value Before, Value Initial, Value Inside);

    public List<Start> Starts { get; } = [];

    /// <summary>What a node that stands for a value in a round is before the loop.</summary>
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
