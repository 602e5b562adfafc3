// In: the process medians of an arm. Out: those that are far from the others.
namespace Accelerate.Bench.Statistics;

/// <summary>Flagged for readers of the table; every test includes them.</summary>
internal static class Outliers
{
    // A normal distribution's standard deviation is 1.4826 times its median absolute deviation: one value in 370 is
    // beyond three of them.
    private const double Deviations = 3 * 1.4826;

    /// <summary>Positions in the list, from 0.</summary>
    public static IReadOnlyList<int> Of(IReadOnlyList<double> values)
    {
        if (values.Count < 3) return [];
        var median = Median(values);
        var spread = Median([.. values.Select(v => Math.Abs(v - median))]);
        return [.. Enumerable.Range(0, values.Count).Where(i => Math.Abs(values[i] - median) > Deviations * spread)];
    }

    private static double Median(IReadOnlyList<double> values) => SampleSummary.Of(values).Median;
}
