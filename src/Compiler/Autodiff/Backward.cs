// In: values of a graph with their cotangents, and leaves. Out: the leaves' cotangents, as nodes added to the same graph.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Autodiff;

/// <summary>
/// Reverse-mode differentiation, graph to graph: nodes are visited from the last to the first, and each passes the
/// cotangent of its value to its operands by its rule in <see cref="VjpTable"/>. There is no tape: rules refer to the
/// nodes of the forward pass. A gradient consists of nodes that have rules themselves, so it can be differentiated
/// again.
/// </summary>
internal sealed partial class Backward
{
    private readonly Function graph;
    private readonly FreshNames names;
    private readonly Dictionary<Node, Node?[]> cotangents = new(ReferenceEqualityComparer.Instance);
    private HashSet<Node> depends = new(ReferenceEqualityComparer.Instance);

    /// <summary>Values that were kept from the forward pass, each with the node that computes it.</summary>
    private readonly Dictionary<Node, Node> kept = new(ReferenceEqualityComparer.Instance);

    /// <summary>The node whose rule is being applied: added nodes are attributed to it.</summary>
    private Node? current;

    private Backward(Function graph, FreshNames names) => (this.graph, this.names) = (graph, names);

    /// <summary>
    /// The cotangents of the leaves: sum over the outputs of cotangent · d output / d leaf. Null for a leaf that no
    /// output depends on: its cotangent is 0.
    /// </summary>
    /// <param name="graph">The graph; the cotangents are added to it.</param>
    /// <param name="outputs">Values of the graph, each with its cotangent: a node of the same type.</param>
    /// <param name="leaves">Nodes of the graph. Their operands are treated as constant, so each has to stand for its
    /// value alone: see <see cref="BarrierKind.Leaf"/>.</param>
    /// <param name="names">Unused names, for the regions that are made.</param>
    /// <exception cref="NotDifferentiableException">An output depends on a leaf through an operation without a
    /// gradient.</exception>
    public static IReadOnlyList<Node?> Run(Function graph, IReadOnlyList<(Node Output, Node Cotangent)> outputs,
        IReadOnlyList<Node> leaves, FreshNames names)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(leaves);
        if (leaves.Count == 0 || outputs.Count == 0) return [.. leaves.Select(_ => (Node?)null)];
        var backward = new Backward(graph, names) { current = outputs[0].Output };
        // The nodes that the rules add follow these, and are no part of the forward pass.
        var first = leaves.Min(l => l.Id);
        List<Node> nodes = [.. graph.Nodes.Skip(first)];
        backward.Sweep(nodes, leaves, outputs.Select(o => (o.Output, (Node?)o.Cotangent)));
        return [.. leaves.Select(backward.Cotangent)];
    }

    /// <summary>Visits nodes from the last to the first; leaves have no rule to apply.</summary>
    private void Sweep(IReadOnlyList<Node> nodes, IReadOnlyList<Node> leaves,
        IEnumerable<(Node Value, Node? Cotangent)> seeds)
    {
        depends = Dependents(nodes, leaves, kept);
        foreach (var (value, cotangent) in seeds) Give(value, cotangent);
        var stops = leaves.ToHashSet<Node>(ReferenceEqualityComparer.Instance);
        for (var i = nodes.Count - 1; i >= 0; i--)
        {
            var node = nodes[i];
            if (stops.Contains(node) || !cotangents.TryGetValue(node, out var given)) continue;
            current = node;
            if (kept.TryGetValue(node, out var computed))
            {
                Give(computed, given[0]);
                continue;
            }
            var rule = VjpTable.Of(node);
            if (rule.Kind == VjpKind.None)
                throw new NotDifferentiableException(rule.Reason!, graph.OriginOf(node), rule.Help);
            rule.Apply!(this, node, given);
        }
    }

    /// <summary>The leaves, and the nodes whose value can be differentiated by one of them.</summary>
    private static HashSet<Node> Dependents(IEnumerable<Node> nodes, IEnumerable<Node> leaves,
        Dictionary<Node, Node>? kept = null)
    {
        var depends = new HashSet<Node>(leaves, ReferenceEqualityComparer.Instance);
        foreach (var node in nodes)
        {
            if (kept is not null && kept.TryGetValue(node, out var computed) ? depends.Contains(computed)
                : node.Operands.Any(depends.Contains) && VjpTable.Of(node).Kind != VjpKind.Zero) depends.Add(node);
        }
        return depends;
    }

    private Node? Cotangent(Node node) => cotangents.TryGetValue(node, out var given) ? given[0] : null;

    // ---- what rules use --------------------------------------------------------------------------------------------

    private bool Owns(Node node) =>
        node.Id >= 0 && node.Id < graph.Nodes.Count && ReferenceEquals(graph.Nodes[node.Id], node);

    internal Origin OriginOf(Node node) => graph.OriginOf(node);

    /// <summary>True if the operand's cotangent is used by a leaf.</summary>
    internal bool Needs(Node operand) => depends.Contains(operand);

    /// <summary>
    /// Adds to the cotangent of an operand's value; does nothing where it depends on no leaf, or for null.
    /// </summary>
    internal void Give(Node operand, Node? cotangent, int result = 0)
    {
        if (cotangent is null || !Needs(operand)) return;
        var type = operand.ResultTypes[result];
        if (!type.DType.IsFloat) return;
        if (!cotangent.Type.Equals(type))
            throw new InvalidOperationException($"the cotangent of {type} is {cotangent.Type}, from {current?.Op}");
        if (!cotangents.TryGetValue(operand, out var given))
            cotangents[operand] = given = new Node?[operand.ResultTypes.Length];
        given[result] = given[result] is { } sum
            ? MovementRules.Beside(this, sum, cotangent) ?? Plus(sum, cotangent) : cotangent;
    }

    /// <summary>
    /// Adds to the cotangent of a part of an operand. A cotangent that is already a loop's sum is changed in place:
    /// adding a whole tensor of zeros in every round would make a loop quadratic.
    /// </summary>
    internal void GiveInto(Node operand, Func<Node> whole, Func<Node, Node> into)
    {
        if (!Needs(operand)) return;
        if (sums.Contains(operand) && Cotangent(operand) is { } sum) cotangents[operand][0] = into(sum);
        else Give(operand, whole());
    }

    /// <summary>Operands whose cotangent is a sum carried by a loop.</summary>
    private readonly HashSet<Node> sums = new(ReferenceEqualityComparer.Instance);

    /// <summary>Adds a node to the graph, as part of the gradient of the current node.</summary>
    internal Node Add(Node node)
    {
        if (node.Id >= 0) return node;
        var before = graph.Nodes.Count;
        var added = graph.Add(node, current is null ? null : graph.OriginOf(current));
        if (graph.Nodes.Count > before && current is not null && Owns(current))
            graph.Belongs(added, graph.ForwardOf(current) ?? current);
        return added;
    }
}

/// <summary>Makes unused names.</summary>
/// <param name="Function">A name for a region, derived from the given one.</param>
/// <param name="Variable">A name for a loop's variable.</param>
internal sealed record FreshNames(Func<string, string> Function, Func<string> Variable);
