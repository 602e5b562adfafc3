// In: a function and rules. Out: the function rebuilt with the rules applied until none fits.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// Drives every rewrite: nodes are rebuilt in order, and each is offered to the rule until the rule declines. The new
/// value inherits the origin of the one it replaces; regions are rewritten by the same rules. A rule names itself with
/// <see cref="By"/>.
/// </summary>
internal sealed class Rewriter(Func<Node, Rewriter, Node?> rule, Rewrites? rewrites = null, string pass = "")
{
    /// <summary>Regions that are done: a region shared by several nodes stays shared.</summary>
    private Dictionary<Function, Function> regions = new(ReferenceEqualityComparer.Instance);
    private Function into = new("");
    private Origin origin = Origin.None;

    private readonly Rewrites rewrites = rewrites ?? new Rewrites();
    private string ruleName = "";

    public Function Run(Function function)
    {
        into = new Function(function.Name);
        var map = new Node[function.Nodes.Count];
        var live = Live(function);
        foreach (var check in function.Checks) into.Require(check);
        foreach (var node in function.Nodes)
        {
            if (!live[node.Id]) continue;
            origin = function.OriginOf(node);
            var operands = node.Operands.Select(o => map[o.Id]).ToImmutableArray();
            var count = into.Nodes.Count;
            var value = Add(
                node is RegionNode region ? region.WithRegions([.. region.Regions.Select(Inner)], operands)
                : node.With(operands));
            while (rewrites.MayGoOn && !value.IsEffect && rule(value, this) is { } better
                && !ReferenceEquals(better, value))
            {
                var before = value;
                rewrites.Add(() => new(pass, ruleName, Text(before), Text(better), origin.Place));
                value = better;
            }
            if (value.Id >= count && function.ForwardOf(node) is { } forward && map[forward.Id] is { } of)
                into.Belongs(value, of);
            // An effect passes its operand through: users of its value use that.
            map[node.Id] = value is Print or Graph.Assert or Assign && !value.Operands.IsEmpty ? value.Operands[0]
                : value;
        }
        into.Results = [.. function.Results.Select(r => map[r.Id])];
        into.ResultNames = function.ResultNames;
        return into;
    }

    private Function Inner(Function region) => regions.TryGetValue(region, out var known) ? known
        : regions[region] = new Rewriter(rule, rewrites, pass) { regions = regions }.Run(region);

    /// <summary>Names the rule that gives the value.</summary>
    public Node By(string name, Node value)
    {
        ruleName = name;
        return value;
    }

    private static string Text(Node node) =>
        $"{node.Op}({string.Join(", ", node.Operands.Select(o => $"{o.Op} %{o.Id}"))}{(node.Attributes.Length > 0 ? "; " + node.Attributes : "")}): {node.Type}";

    /// <summary>Makes a node of the new function; called by the rules.</summary>
    /// <param name="node">The node.</param>
    /// <param name="within">Where in the replaced node it comes from; null for its own origin.</param>
    public T Add<T>(T node, Origin? within = null)
        where T : Node
    {
        // A source node belongs to the function it was made for, so it is copied.
        Node own = node.Id < 0 ? node : node.With(node.Operands);
        return (T)into.Add(own, within is null ? origin : within.Within(origin));
    }

    /// <summary>The nodes that results and effects need, and every input, which is part of the signature.</summary>
    internal static bool[] Live(Function function)
    {
        var live = new bool[function.Nodes.Count];
        foreach (var node in function.Results.Concat(function.Effects).Concat(function.Inputs)) live[node.Id] = true;
        for (var id = live.Length - 1; id >= 0; id--)
            if (live[id])
                foreach (var operand in function.Nodes[id].Operands) live[operand.Id] = true;
        return live;
    }
}
