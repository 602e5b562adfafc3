// In: values of a function, and which of the nodes that compute them belong together. Out: a composite that computes
// them from the other nodes.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Graph;

/// <summary>
/// Extracts parts of graphs as functions: the opposite of `decompose`. Parts with equal computations, such as twelve
/// equal layers, share one function.
/// </summary>
internal sealed class Outliner
{
    private readonly Dictionary<string, Function> known = [];
    private readonly Dictionary<string, int> counts = [];

    /// <summary>
    /// True for values that a kernel generates from nothing: they are copied into the part, as an input would hide what
    /// they are.
    /// </summary>
    public static bool IsGenerated(Node node) => node is Const or Iota or SizeValue;

    /// <summary>The call that computes the results; null if there is nothing inside to compute.</summary>
    /// <param name="from">The function that contains the nodes; the call is not added to it yet.</param>
    /// <param name="composite">The name of the composite.</param>
    /// <param name="results">Nodes inside or outside.</param>
    /// <param name="isInside">Whether a node that is not generated belongs to the part.</param>
    /// <param name="first">Nodes outside that become the first operands, if the part reads them.</param>
    /// <param name="origin">The origin of a node inside, without the call's own part; null for none.</param>
    /// <param name="inside">The nodes of the part.</param>
    public Call? Outline(Function from, string composite, IReadOnlyList<Node> results, Func<Node, bool> isInside,
        IReadOnlyList<Node> first, Func<Node, Origin?> origin, out IReadOnlyList<Node> inside)
    {
        var (nodes, outside) = Below(results, n => IsGenerated(n) || isInside(n));
        inside = nodes;
        if (nodes.TrueForAll(IsGenerated)) return null;
        List<Node> operands = [.. first.Distinct().Where(outside.Contains)];
        operands.AddRange(outside.Except(operands).ToList());

        // A node's key contains everything but its operands, which are numbers of earlier nodes.
        var made = Copy(new Function(composite));
        var key = $"{composite}\n{string.Join('\n', made.Nodes.Select(n => n.KeyText))}\n"
            + string.Join(',', made.Results.Select(r => r.Id));
        if (!known.TryGetValue(key, out var callee))
        {
            var number = counts[composite] = counts.GetValueOrDefault(composite) + 1;
            known[key] = callee = Copy(new Function($"{composite}.{number}") { Composite = composite });
        }
        return new Call(callee, [.. operands]);

        Function Copy(Function into)
        {
            var rebuild = new Rebuild(from, into);
            for (var i = 0; i < operands.Count; i++)
                rebuild[operands[i]] = into.Add(new Input($"x{i}", operands[i].Type));
            foreach (var node in nodes) rebuild[node] = into.Add(node.On(rebuild.Map), origin(node));
            into.Results = [.. results.Select(r => rebuild[r])];
            into.ResultNames = [.. results.Select(_ => "")];
            return into;
        }
    }

    /// <summary>
    /// The nodes inside that the given ones depend on, operands first, in an order that depends only on them; and the
    /// nodes outside that they read.
    /// </summary>
    private static (List<Node> Inside, List<Node> Outside) Below(IEnumerable<Node> from, Func<Node, bool> isInside)
    {
        var (inside, outside) = (new List<Node>(), new List<Node>());
        var done = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var open = new Stack<Node>(from.Reverse());
        while (open.TryPeek(out var node))
        {
            if (!done.Contains(node) && isInside(node)
                && node.Operands.FirstOrDefault(o => !done.Contains(o)) is { } next)
            {
                open.Push(next);
                continue;
            }
            open.Pop();
            if (done.Add(node)) (isInside(node) ? inside : outside).Add(node);
        }
        return (inside, outside);
    }
}
