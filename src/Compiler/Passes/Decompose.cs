// In: a function with calls. Out: the same function with the calls inlined, and with plain values in place of nodes
// that only gradients look at.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// `result k (call @f(x))` and `call @f(x)` => the nodes of @f applied to x. Every region belongs to one node: the
/// callee's regions are copied, and renamed where their names are taken.
/// </summary>
internal static class Decompose
{
    public static Function Run(Function function)
    {
        while (GraphPrinter.Closure(function).Any(f => f.Nodes.Any(n => n is Call || IsLeaf(n))))
        {
            var names = Regions(function).Select(f => f.Name).ToHashSet();
            function = new Rewriter((node, r) => Rule(node, r, names)).Run(function);
        }
        return function;
    }

    /// <summary>Nodes that only gradients look at; gradients are already made here.</summary>
    private static bool IsLeaf(Node node) => node is Graph.Barrier { Kind: BarrierKind.Leaf } or StopGradient;

    private static IEnumerable<Function> Regions(Function function) =>
        function.Nodes.OfType<RegionNode>().SelectMany(n => n.Regions).SelectMany(r => Regions(r).Prepend(r))
            .Prepend(function);

    private static Node? Rule(Node node, Rewriter r, HashSet<string> names)
    {
        if (IsLeaf(node)) return node.Operands[0];
        if (node is not Call call) return null;
        var map = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (var (input, argument) in call.Callee.Inputs.Zip(call.Operands)) map[input] = argument;
        foreach (var inner in call.Callee.Nodes)
        {
            if (map.ContainsKey(inner)) continue;
            ImmutableArray<Node> operands = [.. inner.Operands.Select(o => map[o])];
            map[inner] = r.Add(inner is RegionNode region
                ? region.WithRegions([.. region.Regions.Select(f => Copy(f, names))], operands)
                : inner.With(operands), call.Callee.OriginOf(inner));
        }
        ImmutableArray<Node> results = [.. call.Callee.Results.Select(x => map[x])];
        return results.Length == 1 ? results[0] : r.Add(new Graph.Tuple(results));
    }

    private static Function Copy(Function region, HashSet<string> names)
    {
        var name = region.Name;
        for (var k = 2; !names.Add(name); k++) name = $"{region.Name}.{k}";
        var rebuild = new Rebuild(region, name);
        foreach (var node in region.Nodes)
        {
            if (node is RegionNode inner)
                rebuild.Add(inner, inner.WithRegions([.. inner.Regions.Select(f => Copy(f, names))],
                    [.. inner.Operands.Select(o => rebuild[o])]));
            else rebuild.Copy(node);
        }
        return rebuild.Finish();
    }
}
