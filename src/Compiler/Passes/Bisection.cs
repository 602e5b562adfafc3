// In: a graph, the passes, a judge of optimised graphs. Out: the first rewrite after which the judge rejects the graph.
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Passes;

/// <summary>The result of bisecting: nothing wrong, wrong from the start, or one rewrite.</summary>
/// <param name="Rewrites">The number of rewrites of the graph.</param>
/// <param name="IsRightUnoptimised">False when the judge rejects the graph before any rewrite: then no rule is to
/// blame.</param>
/// <param name="Number">The first wrong rewrite, counted from 1; 0 when there is none.</param>
/// <param name="Culprit">That rewrite.</param>
internal sealed record BisectionResult(long Rewrites, bool IsRightUnoptimised, long Number, Rewrite? Culprit);

internal static class Bisection
{
    /// <summary>
    /// Halves the number of rewrites: between a number that the judge accepts and one that it rejects lies a rewrite
    /// that made the difference. Runs the judge about log2(rewrites) times.
    /// </summary>
    public static BisectionResult Find(Function function, IReadOnlyList<Pass> passes, Func<Function, bool> isRight)
    {
        Function After(Rewrites rewrites) => Pipeline.Run(function, rewrites: rewrites, passes: passes);
        var all = new Rewrites();
        var optimised = After(all);
        if (isRight(optimised)) return new(all.Count, true, 0, null);
        if (!isRight(After(new Rewrites(0)))) return new(all.Count, false, 0, null);
        var (right, wrong) = (0L, all.Count);
        while (wrong - right > 1)
        {
            var middle = (right + wrong) / 2;
            if (isRight(After(new Rewrites(middle)))) right = middle;
            else wrong = middle;
        }
        var last = new Rewrites(wrong);
        After(last);
        return new(all.Count, true, wrong, last.Last);
    }
}
