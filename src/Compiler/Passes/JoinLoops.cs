// In: a function in which loops with the same body stand several times. Out: each loop once, with the results of all.
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// A gradient needs the values that a loop carries into each round, and gets them from a loop of the same body with
/// more outputs. The larger loop replaces both, so the rounds run once.
/// </summary>
internal static class JoinLoops
{
    public static Function Run(Function function)
    {
        // Each scan, with the largest scan that computes all its results.
        var largest = new Dictionary<Scan, Scan>(ReferenceEqualityComparer.Instance);
        var scans = function.Nodes.OfType<Scan>().Where(s => !s.IsEffect).ToList();
        foreach (var group in scans.GroupBy(s => (s.Variable, s.Count, s.Carried, s.Body.Nodes.Count)))
        {
            var known = new List<Scan>();
            foreach (var scan in group.OrderByDescending(s => s.ResultTypes.Length))
            {
                if (known.Find(k => Computes(k, scan)) is { } larger) largest[scan] = larger;
                else known.Add(scan);
            }
        }
        if (largest.Count == 0 && !function.Nodes.Any(n => n is RegionNode)) return function;
        var rebuild = new Rebuild(function);
        foreach (var node in function.Nodes)
        {
            if (rebuild.Has(node)) continue;
            if (node is not RegionNode region)
            {
                rebuild.Copy(node);
                continue;
            }
            // The first of a group may be a smaller one: the larger has the same operands.
            var made = node is Scan scan && largest.TryGetValue(scan, out var other) ? other : region;
            if (!rebuild.Has(made))
                rebuild.Add(made, made.WithRegions([.. made.Regions.Select(Run)],
                    [.. made.Operands.Select(o => rebuild[o])]));
            rebuild[node] = rebuild[made];
        }
        return rebuild.Finish();
    }

    /// <summary>True if the first results of one loop are those of the other.</summary>
    private static bool Computes(Scan larger, Scan smaller) => larger.Operands.SequenceEqual(smaller.Operands)
        && IsSame(larger.Body, smaller.Body, smaller.Body.Results.Length);

    private static bool IsSame(Function a, Function b, int results)
    {
        if (a.Nodes.Count != b.Nodes.Count || a.Inputs.Count != b.Inputs.Count || a.Results.Length < results
            || !a.Results.Take(results).Select(r => r.Id).SequenceEqual(b.Results.Take(results).Select(r => r.Id)))
            return false;
        return a.Nodes.Zip(b.Nodes).All(p => IsSame(p.First, p.Second));
    }

    private static bool IsSame(Node a, Node b)
    {
        if (a.Op != b.Op || !a.Type.Equals(b.Type)
            || !a.Operands.Select(o => o.Id).SequenceEqual(b.Operands.Select(o => o.Id))) return false;
        if (a is not RegionNode r || b is not RegionNode s) return a.Attributes == b.Attributes;
        return (r, s) switch
        {
            (Scan x, Scan y) => (x.Variable, x.Carried) == (y.Variable, y.Carried) && x.Count.Equals(y.Count),
            (While x, While y) => x.Carried == y.Carried,
            _ => true,
        } && r.Regions.Zip(s.Regions).All(p => p.First.Results.Length == p.Second.Results.Length
            && IsSame(p.First, p.Second, p.First.Results.Length));
    }
}
