// In: an optimised function. Out: the function with folded constants, and the setup function that computes them once.
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// f(x) = x + g(constants) => f(x) = x + folded 0, setup() = g(constants). The setup is a program like any other: it is compiled
/// by the backend and run when the executable is made, so that a folded value has the bits that the call would compute.
/// Decided by shapes and dtypes only.
/// </summary>
public static class Constants
{
    /// <summary>Larger values are computed by each call: they would be read from memory again in any case.</summary>
    private const long MostElements = 1 << 24;

    /// <summary>The setup is null when there is nothing to fold.</summary>
    public static (Function Main, Function? Setup) Split(Function function)
    {
        var known = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var costly = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (var node in function.Nodes)
        {
            if (!IsKnown(node) || !node.Operands.All(known.Contains)) continue;
            known.Add(node);
            // Counting, comparing and moving cost a call less than a load: only behind something dearer is a load cheaper.
            if (NodeFacts.IsCostly(node) || node.Operands.Any(costly.Contains)) costly.Add(node);
        }
        // What is used by something that is not known: the largest known values.
        var edge = function.Nodes.Where(n => !known.Contains(n)).SelectMany(n => n.Operands).Concat(function.Results)
            .Where(n => costly.Contains(n) && n.Type.Count.Value <= MostElements && n.ResultTypes.Length == 1)
            .Distinct(ReferenceEqualityComparer.Instance).Cast<Node>().OrderBy(n => n.Id).ToList();
        if (edge.Count == 0) return (function, null);

        var setup = new Function(function.Name + ".setup");
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (var node in function.Nodes.Where(known.Contains))
        {
            var own = Rewriter.Copy(node, copies);
            copies[node] = setup.Add(own, function.OriginOf(node));
        }
        setup.Results = [.. edge.Select(n => copies[n])];
        return (Replaced(function, edge), DeadCode.Run(setup));
    }

    private static Function Replaced(Function function, List<Node> edge)
    {
        var main = new Function(function.Name);
        var map = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (var check in function.Checks) main.Require(check);
        foreach (var node in function.Nodes)
        {
            var own = edge.IndexOf(node) is >= 0 and var index ? Const.Folded(node.Type, index)
                : Rewriter.Copy(node, map);
            map[node] = main.Add(own, function.OriginOf(node));
        }
        main.Results = [.. function.Results.Select(r => map[r])];
        main.ResultNames = function.ResultNames;
        return DeadCode.Run(main);
    }

    /// <summary>True for what has the same value in every call when its operands have.</summary>
    private static bool IsKnown(Node node) => node is not (Input or State or Graph.Barrier or RegionNode) && !node.IsEffect
        && NodeFacts.Sizes(node).All(s => s.IsConstant);
}
