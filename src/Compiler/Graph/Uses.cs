// In: a function. Out: the nodes that use each node, in order.
namespace Accelerate.Compiler.Graph;

/// <summary>
/// The users of each node: one entry for each operand that is the node. Results and effects of the function are not
/// counted as uses. Nodes that are added later are unknown.
/// </summary>
internal sealed class Uses
{
    private readonly List<Node>[] users;

    public Uses(Function function)
    {
        users = [.. function.Nodes.Select(_ => new List<Node>())];
        foreach (var node in function.Nodes)
            foreach (var operand in node.Operands) users[operand.Id].Add(node);
    }

    /// <summary>The nodes with that operand, in the function's order.</summary>
    public IReadOnlyList<Node> this[Node node] => users[node.Id];
}
