// In: a function. Out: the function without the nodes that neither a result nor an effect needs, inside regions too.
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Graph;

/// <summary>
/// Unread results of control flow are removed, along with the work that the regions do for them: a carried variable
/// goes when neither its result nor any value that is kept depends on it, a captured operand when no region reads it.
/// </summary>
internal static class DeadCode
{
    public static Function Run(Function function) => Run(function, out _);

    /// <param name="function">The old function.</param>
    /// <param name="of">The replacement of each node that is kept.</param>
    internal static Function Run(Function function, out Func<Node, Node> of)
    {
        var rebuilt = Rebuilt(function, Enumerable.Range(0, function.Inputs.Count),
            Enumerable.Range(0, function.Results.Length), out var rebuild);
        of = rebuild is null ? node => node : node => rebuild[node];
        return rebuilt;
    }

    /// <summary>
    /// The nodes of a function that some of its results need, and the needed part of each node with regions.
    /// </summary>
    private sealed class Needs(Function function)
    {
        private readonly bool[] nodes = new bool[function.Nodes.Count];
        private readonly Dictionary<Node, SortedSet<int>> results = new(ReferenceEqualityComparer.Instance);

        public Dictionary<RegionNode, Part> Parts { get; } = new(ReferenceEqualityComparer.Instance);

        public bool Has(Node node) => nodes[node.Id];

        /// <summary>True if nothing is removed from the function or from a region in it.</summary>
        public bool IsAll => isAll ??= function.Nodes.All(n => n is Input || nodes[n.Id])
            && Parts.All(p => p.Value.Operands.Length == p.Key.Operands.Length
                && p.Value.Results.Length == p.Key.ResultTypes.Length
                && p.Key.Regions.All(r => r == LoopCondition(p.Key) ? Analyse(r, [0]).IsAll
                    : Analyse(r, Enumerable.Range(0, r.Results.Length)).IsAll));

        private bool? isAll;

        private static Function? LoopCondition(RegionNode node) => (node as While)?.Condition;

        public SortedSet<int> ResultsOf(Node node) =>
            results.TryGetValue(node, out var known) ? known : results[node] = [];

        public void Add(Node node) => nodes[node.Id] = true;

        public void Add(Node node, int result)
        {
            nodes[node.Id] = true;
            ResultsOf(node).Add(result);
        }
    }

    /// <summary>The results and operands of a node with regions that are kept, in their order.</summary>
    private sealed record Part(ImmutableArray<int> Results, ImmutableArray<int> Operands);

    /// <summary>
    /// The answers for finished functions, by the results asked for. Nested control flow is examined from each level
    /// above: without this table, as often as it is deep, and in loops twice as often at each level.
    /// </summary>
    private static readonly ConditionalWeakTable<Function, ConcurrentDictionary<string, Needs>> Known = [];

    private static Needs Analyse(Function function, IEnumerable<int> results)
    {
        ImmutableArray<int> asked = [.. results];
        var key = $"{function.Nodes.Count}:{string.Join(',', asked)}";
        return Known.GetOrCreateValue(function).GetOrAdd(key, _ => Analysed(function, asked));
    }

    private static Needs Analysed(Function function, ImmutableArray<int> results)
    {
        var needs = new Needs(function);
        foreach (var effect in function.Effects) needs.Add(effect);
        foreach (var k in results) needs.Add(function.Results[k]);
        // Users follow their operands, so a node is visited when all of its results that are read are known.
        foreach (var node in function.Nodes.Reverse())
        {
            if (!needs.Has(node)) continue;
            if (node is Result { Operands: [RegionNode of], Index: var k })
            {
                needs.Add(of, k);
            }
            else if (node is RegionNode region)
            {
                var part = needs.Parts[region] = PartOf(region, needs.ResultsOf(region));
                foreach (var i in part.Operands) needs.Add(region.Operands[i]);
            }
            else
            {
                foreach (var operand in node.Operands) needs.Add(operand);
            }
        }
        return needs;
    }

    private static Part PartOf(RegionNode node, SortedSet<int> used)
    {
        var kept = new SortedSet<int>(used);
        IEnumerable<int> read;
        switch (node)
        {
            case If branch:
                read = branch.Regions.SelectMany(r => Read(r, kept)).Select(i => i + 1).Append(0);
                break;
            case Scan scan:
                do read = Read(scan.Body, kept);
                while (Grow(scan.Carried));
                break;
            case While loop:
                do read = Read(loop.Condition, [0]).Concat(Read(loop.Body, kept));
                while (Grow(loop.Carried));
                break;
            default: throw new InvalidOperationException(node.Op);
        }
        var carried = node switch { Scan s => s.Carried, While w => w.Carried, _ => 0 };
        return new([.. kept], [.. read.Concat(kept.Where(k => k < carried)).Distinct().Order()]);

        // A carried value that an iteration reads must be computed by the one before.
        bool Grow(int count)
        {
            var before = kept.Count;
            kept.UnionWith(read.Where(i => i < count));
            return kept.Count > before;
        }
    }

    /// <summary>The inputs, by position, that some results of a region need.</summary>
    private static List<int> Read(Function region, IEnumerable<int> results)
    {
        var needs = Analyse(region, results);
        return [.. Enumerable.Range(0, region.Inputs.Count).Where(i => needs.Has(region.Inputs[i]))];
    }

    /// <summary>
    /// The part of the function for some inputs and results; `rebuild` is null if that is the whole function.
    /// </summary>
    private static Function Rebuilt(Function function, IEnumerable<int> inputs, IEnumerable<int> results,
        out Rebuild? rebuild)
    {
        rebuild = null;
        var needs = Analyse(function, results);
        if (inputs.Count() == function.Inputs.Count && results.Count() == function.Results.Length
            && needs.IsAll) return function;
        var kept = inputs.Select(i => function.Inputs[i]).ToHashSet<Node>(ReferenceEqualityComparer.Instance);
        var made = rebuild = new Rebuild(function);
        foreach (var node in function.Nodes)
        {
            if (node is Input ? !kept.Contains(node) : !needs.Has(node)) continue;
            made.Add(node, node switch
            {
                RegionNode region => Rebuilt(region, needs.Parts[region], made.Map),
                Result { Operands: [RegionNode of], Index: var k } =>
                    new Result(made[of], needs.Parts[of].Results.IndexOf(k)),
                _ => node.On(made.Map),
            });
        }
        made.Into.Results = [.. results.Select(k => made[function.Results[k]])];
        made.Into.ResultNames =
            [.. results.Where(k => k < function.ResultNames.Length).Select(k => function.ResultNames[k])];
        return made.Into;
    }

    private static Function Rebuilt(Function region, IEnumerable<int> inputs, IEnumerable<int> results) =>
        Rebuilt(region, inputs, results, out _);

    private static RegionNode Rebuilt(RegionNode node, Part part, IReadOnlyDictionary<Node, Node> map)
    {
        ImmutableArray<Node> operands = [.. part.Operands.Select(i => map[node.Operands[i]])];
        switch (node)
        {
            case If branch:
                var inputs = part.Operands.Skip(1).Select(i => i - 1).ToList();
                return new If(Rebuilt(branch.Then, inputs, part.Results),
                    Rebuilt(branch.Otherwise, inputs, part.Results), operands);
            case Scan scan:
                return new Scan(Rebuilt(scan.Body, part.Operands, part.Results), scan.Variable, scan.Count,
                    part.Results.Count(k => k < scan.Carried), operands);
            case While loop:
                return new While(Rebuilt(loop.Condition, part.Operands, [0]),
                    Rebuilt(loop.Body, part.Operands, part.Results),
                    part.Results.Length, operands);
            default: throw new InvalidOperationException(node.Op);
        }
    }
}
