// In: a function as it was bound, and as it was optimised. Out: the composites that one kernel should compute, but none
// does.
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Fusion;

/// <summary>
/// Fusion recognises attention by its operations, so that an imported model, or one written in index forms, gets the
/// same kernel. A call by the composite's name is a claim: where the passes have left a form of it that fusion does not
/// recognise, this reports it, as several kernels are slower and nothing else would show it.
/// </summary>
internal static class Claims
{
    /// <summary>The composite that one kernel computes, whatever is around it.</summary>
    private const string Claimed = "attention";

    /// <summary>The origins of the calls that no single kernel computes, in order.</summary>
    public static IReadOnlyList<Origin> Dissolved(Function bound, Function optimised)
    {
        var calls = GraphPrinter.Whole(bound).SelectMany(f => f.Nodes
            .Where(n => n is Call { Callee.Composite: Claimed } && !n.Type.Shape.Any(s => s.Is(0)))
            .Select(f.OriginOf)).Where(o => o.Place.Length > 0).Distinct().ToList();
        if (calls.Count == 0) return [];
        var taken = GraphPrinter.Whole(optimised)
            .SelectMany(f => new FusionPlan(f).Attentions.Select(a => f.OriginOf(a.Values)))
            .Where(o => o.Composites.Contains(Claimed)).Select(o => (o.Place, o.Path)).ToHashSet();
        return [.. calls.Where(c => !taken.Contains((c.Place, c.Path)))];
    }
}
