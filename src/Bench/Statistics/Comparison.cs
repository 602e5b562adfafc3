// In: process medians of A and B. Out: whether B is faster, slower, the same, or inconclusive.
namespace Accelerate.Bench.Statistics;

internal enum Verdict
{
    Faster,
    Slower,
    Same,
    Inconclusive,
}

/// <param name="Margin">Ratios from 1/(1 + margin) to 1 + margin count as the same.</param>
/// <param name="Effect">The change that a run is designed to detect.</param>
/// <param name="Alpha">The significance level of tests and intervals, and the rate of false discoveries.</param>
/// <param name="Seed">The seed of the bootstrap.</param>
/// <param name="Resamples">The number of bootstrap resamples: the 95 % interval ends at the fiftieth of 2000.</param>
internal sealed record ComparisonOptions(double Margin = 0.05, double Effect = 0.1,
    double Alpha = SampleSize.Alpha, int Seed = 1, int Resamples = 2000);

/// <summary>B compared with A. For times, a ratio above 1 is a slower B.</summary>
/// <param name="CountA">The number of processes of A.</param>
/// <param name="CountB">The number of processes of B.</param>
/// <param name="MedianA">The median of the process medians, in their unit.</param>
/// <param name="MedianB">The same for B.</param>
/// <param name="Blocks">The number of strata that contain both arms; 1 if the arms were not interleaved.</param>
/// <param name="Ratio">Hodges and Lehmann's ratio; NaN if nothing can be compared.</param>
/// <param name="Interval">The 1 − alpha interval of the ratio.</param>
/// <param name="Equivalence">The 1 − 2 alpha interval of the ratio: inside the margin, both one-sided tests
/// reject.</param>
/// <param name="P">The p-value of the rank test.</param>
/// <param name="Q">The same after false-discovery control over the suite.</param>
/// <param name="IsExact">Whether p was counted exactly.</param>
/// <param name="Variation">The variation between processes, within arms and strata; null if unknown.</param>
/// <param name="OutliersA">The positions in A of processes far from the others.</param>
/// <param name="OutliersB">The positions in B.</param>
internal sealed record Comparison(int CountA, int CountB, double MedianA, double MedianB, int Blocks, double Ratio,
    RatioInterval Interval, RatioInterval Equivalence, double P, double Q, bool IsExact, double? Variation,
    IReadOnlyList<int> OutliersA, IReadOnlyList<int> OutliersB, ComparisonOptions Options)
{
    /// <summary>With fewer on a side there is no verdict: with four against four, p can never be below 0.028.</summary>
    public const int LeastProcesses = 5;

    /// <summary>
    /// Same: the equivalence interval is inside the margin, even if there is a significant difference smaller than
    /// that. Faster, slower: q is at most alpha and 1 is outside the interval. Everything else is inconclusive, which
    /// is no pass.
    /// </summary>
    public Verdict Verdict
    {
        get
        {
            if (Math.Min(CountA, CountB) < LeastProcesses || double.IsNaN(Ratio)) return Verdict.Inconclusive;
            if (Equivalence.IsInside(1 / (1 + Options.Margin), 1 + Options.Margin)) return Verdict.Same;
            if (Q > Options.Alpha || !Interval.Excludes(1)) return Verdict.Inconclusive;
            return Ratio < 1 ? Verdict.Faster : Verdict.Slower;
        }
    }

    /// <summary>The number of processes a side that detect the effect that the run is for.</summary>
    public int? Needed => Variation is { } v ? SampleSize.Needed(v, Options.Effect) : null;

    /// <summary>The number of processes a side that would show equal arms to be the same.</summary>
    public int? NeededForSame => Variation is { } v ? SampleSize.NeededForSame(v, Options.Margin) : null;

    /// <summary>The smallest change that this number of processes detects.</summary>
    public double? Detectable =>
        Variation is { } v ? SampleSize.Detectable(v, Math.Min(CountA, CountB)) : null;

    /// <summary>Compares each pair of arms, with false-discovery control over all of them together.</summary>
    public static IReadOnlyList<Comparison> Suite(
        IReadOnlyList<(IReadOnlyList<ProcessMedian> A, IReadOnlyList<ProcessMedian> B)> arms,
        ComparisonOptions options)
    {
        var alone = arms.Select(a => Alone(a.A, a.B, options)).ToList();
        // If a side is missing, nothing was tested, so it does not count for the adjustment.
        var tested = Enumerable.Range(0, alone.Count).Where(i => !double.IsNaN(alone[i].Ratio)).ToList();
        var adjusted = FalseDiscovery.Adjust([.. tested.Select(i => alone[i].P)]);
        foreach (var (i, q) in tested.Zip(adjusted)) alone[i] = alone[i] with { Q = q };
        return alone;
    }

    public static Comparison Of(IReadOnlyList<ProcessMedian> a, IReadOnlyList<ProcessMedian> b,
        ComparisonOptions options) => Suite([(a, b)], options)[0];

    private static Comparison Alone(IReadOnlyList<ProcessMedian> a, IReadOnlyList<ProcessMedian> b,
        ComparisonOptions options)
    {
        var strata = Stratum.Of(a, b);
        double[] timesA = [.. a.Select(p => p.Value)], timesB = [.. b.Select(p => p.Value)];
        var anywhere = new RatioInterval(0, double.PositiveInfinity);
        if (strata.Count == 0)
            return new(a.Count, b.Count, Median(timesA), Median(timesB), 0, double.NaN, anywhere, anywhere, 1, 1, true,
                null, Outliers.Of(timesA), Outliers.Of(timesB), options);
        var test = RankTest.OfComparison(strata);
        var bootstrap = RatioBootstrap.Of(strata, options.Seed, options.Resamples);
        return new(a.Count, b.Count, Median(timesA), Median(timesB), strata.Count, bootstrap.Ratio,
            bootstrap.Interval(1 - options.Alpha), bootstrap.Interval(1 - 2 * options.Alpha), test.P, test.P,
            test.IsExact, Stratum.VariationWithinArms(strata), Outliers.Of(timesA), Outliers.Of(timesB), options);
    }

    private static double Median(double[] values) =>
        values.Length == 0 ? double.NaN : SampleSummary.Of(values).Median;
}
