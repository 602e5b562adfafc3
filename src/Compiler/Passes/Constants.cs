// In: an optimised function, and which state is frozen. Out: the function with folded constants, and its setup
// function, which computes them once.
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// f(x) = x + g(constants, frozen state) => f(x) = x + folded 0, setup() = g(constants, frozen state). The setup is an
/// ordinary program: the backend compiles it and it runs when the values of the state are known, so a folded value has
/// the same bits as if the call computed it. Decided by shapes and dtypes only.
/// </summary>
internal static class Constants
{
    /// <summary>
    /// Larger values are computed by each call, unless the state they are computed from is as large: that is read from
    /// memory in any case.
    /// </summary>
    private const long MostElements = 1 << 24;

    /// <param name="function">The function; one that already has a setup stays as it is.</param>
    /// <param name="frozen">State that no call changes.</param>
    public static Function Run(Function function, FrozenState frozen)
    {
        if (function.Setup is not null) return function;
        var known = new KnownValues(function, frozen);
        var edge = Edge(function, known);
        if (edge.Count == 0) return function;

        var rebuild = new Rebuild(function, new Function(function.Name + ".setup"));
        foreach (var node in function.Nodes.Where(known.Contains)) rebuild.Copy(node);
        var setup = rebuild.Into;
        setup.Results = [.. edge.Select(n => rebuild[n])];
        setup.ResultNames = Names(setup);
        var replaced = Replaced(function, edge);
        replaced.Setup = DeadCode.Run(setup);
        return replaced;
    }

    /// <summary>The values to fold: the largest worthwhile ones that a call reads.</summary>
    private static List<Node> Edge(Function function, KnownValues known)
    {
        var worth = Worth(function, known);
        var edge = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var seen = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var open = new Stack<Node>(
            function.Results.Concat(function.Nodes.Where(n => !known.Contains(n)).SelectMany(n => n.Operands)));
        while (open.TryPop(out var node))
        {
            if (!known.Contains(node) || !seen.Add(node)) continue;
            if (worth.Contains(node) && node.ResultTypes.Length == 1 && Fits(node)) edge.Add(node);
            else foreach (var operand in node.Operands) open.Push(operand);
        }
        return [.. edge.OrderBy(n => n.Id)];
    }

    /// <summary>
    /// The known values that a call could load more cheaply than compute. Counting, comparing and moving are cheap: a
    /// load pays only if something dearer is among their inputs, and only if the value is no larger than its inputs.
    /// </summary>
    private static HashSet<Node> Worth(Function function, KnownValues known)
    {
        var worth = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        // A barrier keeps its value in memory as it is: mere views of it are left to its readers.
        var kept = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var stored = Stored(function, known);
        foreach (var node in function.Nodes.Where(known.Contains))
        {
            if (node is Graph.Barrier || (node.Is(OpTraits.View) && kept.Contains(node.Operands[0]))) kept.Add(node);
            if (node is Graph.Barrier || stored.Contains(node) || node.Is(OpTraits.Costly)) worth.Add(node);
            else if (!kept.Contains(node) && IsWorth(node)) worth.Add(node);
        }
        return worth;

        bool IsWorth(Node node) => node.Operands.Any(worth.Contains) && (node is Concat or Result
            || node.Operands.Where(worth.Contains).Any(o => node.Type.Count.Value <= o.Type.Count.Value));
    }

    /// <summary>
    /// Known values that each call would have to store before using them: operands of contractions, windows and control
    /// flow, unless they are views of a tensor in memory, and concatenated parts of the state.
    /// </summary>
    private static HashSet<Node> Stored(Function function, KnownValues known)
    {
        var stored = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (var node in function.Nodes)
        {
            if (node is Concat && known.IsOfState(node)) stored.Add(node);
            if (known.Contains(node)) continue;
            foreach (var operand in node.Operands)
            {
                if (!known.IsOfState(operand)) continue;
                var below = operand;
                if (node is Dot or Window)
                    while (below.Is(OpTraits.View) || below is Pad) below = below.Operands[0];
                else if (node is not RegionNode) continue;
                if (below is not State) stored.Add(below);
            }
        }
        return stored;
    }

    private static bool Fits(Node node) => node.Type.Count.Value <= MostElements || node is Graph.Barrier
        || node.Type.Count.Value <= Below(node).OfType<State>().Sum(s => s.Type.Count.Value);

    private static HashSet<Node> Below(Node node)
    {
        var found = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var open = new Stack<Node>([node]);
        while (open.TryPop(out var next))
            if (found.Add(next))
                foreach (var operand in next.Operands) open.Push(operand);
        return found;
    }

    /// <summary>
    /// A name for each result that gives the state it is made of and, by a hash, how: two functions whose setups name
    /// the same value share it.
    /// </summary>
    private static ImmutableArray<string> Names(Function setup)
    {
        var texts = new Dictionary<Node, string>(ReferenceEqualityComparer.Instance);
        foreach (var node in setup.Nodes)
        {
            var text =
                $"{node.Op};{node.Attributes};{node.Type};{string.Join(',', node.Operands.Select(o => texts[o]))}";
            texts[node] = System.Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
        }
        return [.. setup.Results.Select(r =>
        {
            var states = Below(r).OfType<State>().Select(s => s.Name).Order(StringComparer.Ordinal).ToList();
            var made = states.Count > 2 ? $"{states[0]}+{states.Count - 1}" : string.Join('+', states);
            return $"{made}:{texts[r]}";
        })];
    }

    private static Function Replaced(Function function, List<Node> edge)
    {
        var rebuild = new Rebuild(function);
        var folded = new Dictionary<Node, int>(ReferenceEqualityComparer.Instance);
        foreach (var node in edge) folded[node] = folded.Count;
        foreach (var node in function.Nodes)
            rebuild.Add(node, folded.TryGetValue(node, out var index) ? Const.Folded(node.Type, index)
                : node.On(rebuild.Map));
        return DeadCode.Run(rebuild.Finish());
    }
}
