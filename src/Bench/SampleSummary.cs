// In: the times of equal samples. Out: their summary for tables: median, percentiles, least.
namespace Accelerate.Bench;

/// <summary>Order statistics only: on a shared machine the mean mostly shows the other load.</summary>
internal sealed record SampleSummary(int Count, double Median, double P10, double P90, double Min)
{
    public static SampleSummary Of(IEnumerable<double> samples)
    {
        var sorted = samples.Order().ToArray();
        return new(sorted.Length, Percentile(sorted, 0.5), Percentile(sorted, 0.1), Percentile(sorted, 0.9), sorted[0]);
    }

    /// <summary>
    /// Linear between the closest ranks, NumPy's default: the value at position q · (count − 1) of the sorted list.
    /// </summary>
    public static double Percentile(IReadOnlyList<double> sorted, double q)
    {
        ArgumentOutOfRangeException.ThrowIfZero(sorted.Count, nameof(sorted));
        var position = q * (sorted.Count - 1);
        var below = (int)Math.Floor(position);
        var above = Math.Min(below + 1, sorted.Count - 1);
        return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }
}
