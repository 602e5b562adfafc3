// In: a function with loops. Out: the same function with loop-invariant work done once, before the loop.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// scan(x, w; { x * exp(w) }) => e = exp(w); scan(x, w, e; { x * e }): costly work that depends only on captured values
/// leaves the body; so does that of a while loop's condition and body. Work that could fail on an index stays, as the
/// loop may never run; branches of an `if` keep their work, as the other one may be taken.
/// </summary>
internal static class Hoist
{
    public static Function Run(Function function, Rewrites rewrites)
    {
        if (!function.Nodes.Any(n => n is RegionNode)) return function;
        var rebuild = new Rebuild(function);
        foreach (var node in function.Nodes)
        {
            if (node is not RegionNode loop)
            {
                rebuild.Copy(node);
                continue;
            }
            var operands = loop.Operands.Select(o => rebuild[o]).ToImmutableArray();
            rebuild.Add(loop, Loop(rebuild.Into, loop, [.. loop.Regions.Select(f => Run(f, rewrites))], operands,
                function.OriginOf(loop), rewrites));
        }
        return rebuild.Finish();
    }

    private static RegionNode Loop(Function outside, RegionNode loop, ImmutableArray<Function> regions,
        ImmutableArray<Node> operands,
        Origin origin, Rewrites rewrites)
    {
        var (carried, variable) = loop switch
        {
            Scan s => (s.Carried, s.Variable),
            While w => (w.Carried, ""),
            _ => (-1, ""),
        };
        if (carried < 0) return loop.WithRegions(regions, operands);
        for (var r = 0; r < regions.Length; r++)
        {
            foreach (var node in Invariant(regions[r], carried, variable))
            {
                if (!rewrites.MayGoOn) break;
                var before = operands.Length;
                operands = operands.Add(Copied(outside, regions[r], node, operands));
                rewrites.Add(
                    () => new("hoist", "same in every iteration", node.ToString(), $"operand {before} of {loop.Op}",
                        origin.Place));
                // Every region takes all operands; only this one uses the new one.
                regions =
                    [.. regions.Select((f, i) => WithInput(f, i == r ? node : null, node.Type, $"hoisted.{before}"))];
                return Loop(outside, loop, regions, operands, origin, rewrites);
            }
        }
        return loop.WithRegions(regions, operands);
    }

    /// <summary>The first node, if any, that is costly, loop-invariant, and used by something that is not.</summary>
    private static IEnumerable<Node> Invariant(Function body, int carried, string variable)
    {
        var same = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var costly = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < body.Inputs.Count; i++)
            if (i >= carried || (i < body.Results.Length && ReferenceEquals(body.Results[i], body.Inputs[i])))
                same.Add(body.Inputs[i]);
        foreach (var node in body.Nodes)
        {
            if (node is Input or State || node.MayFail || !node.Operands.All(same.Contains)) continue;
            if (node is Graph.Barrier || NodeFacts.Sizes(node).Any(s => s.Variables().Contains(variable))) continue;
            same.Add(node);
            if (node.Is(OpTraits.Costly) || node.Operands.Any(costly.Contains)) costly.Add(node);
        }
        var edge = body.Nodes.Where(n => !same.Contains(n)).SelectMany(n => n.Operands).Concat(body.Results)
            .ToHashSet(ReferenceEqualityComparer.Instance);
        return body.Nodes.Where(
            n => costly.Contains(n) && edge.Contains(n) && n.ResultTypes.Length == 1 && n is not Input).Take(1);
    }

    /// <summary>Copies the node and its operands into the function around the loop.</summary>
    private static Node Copied(Function outside, Function body, Node node, ImmutableArray<Node> operands)
    {
        var rebuild = new Rebuild(body, outside);
        foreach (var (input, operand) in body.Inputs.Zip(operands)) rebuild[input] = operand;
        return rebuild.CopyWithOperands(node);
    }

    /// <summary>The region with one more input, which replaces a node if one is given.</summary>
    private static Function WithInput(Function region, Node? replaced, Types.TensorType type, string name)
    {
        var rebuild = new Rebuild(region);
        foreach (var input in region.Inputs) rebuild.Copy(input);
        var extra = rebuild.Into.Add(new Input(name, type));
        if (replaced is not null) rebuild[replaced] = extra;
        rebuild.CopyAll();
        return DeadCode.Run(rebuild.Finish());
    }
}
