// In: a function with calls. Out: the same function with the callees' nodes in place of the calls.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Passes;

/// <summary>`result k (call @f(x))` and `call @f(x)` => what @f computes of x.</summary>
public static class Inline
{
    public static Function Run(Function function)
    {
        while (GraphPrinter.Closure(function).Any(f => f.Nodes.Any(n => n is Call))) function = new Rewriter(Rule).Run(function);
        return function;
    }

    private static Node? Rule(Node node, Rewriter r)
    {
        if (node is not Call call) return null;
        var map = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (var (input, argument) in call.Callee.Inputs.Zip(call.Operands)) map[input] = argument;
        foreach (var inner in call.Callee.Nodes)
            if (!map.ContainsKey(inner)) map[inner] = r.Add(inner.With([.. inner.Operands.Select(o => map[o])]));
        ImmutableArray<Node> results = [.. call.Callee.Results.Select(x => map[x])];
        return results.Length == 1 ? results[0] : r.Add(new Graph.Tuple(results));
    }
}
