// In: a percentile, how many queries were over a latency. Out: how many queries say that the percentile is met.
using Accelerate.Bench.Statistics;

namespace Accelerate.Bench.Scenarios;

/// <summary>
/// MLPerf's rule (the inference rules' appendix on early stopping): a percentile p is met if so few of n queries were
/// over the latency that a system whose share of queries below it is only p would do as well with probability
/// 1 − c at most: P(Bin(n, 1 − p) ≤ t) ≤ 1 − c.
/// </summary>
internal static class EarlyStopping
{
    public const double Confidence = 0.99;

    /// <summary>The least number of queries in all with that many over the latency.</summary>
    public static int Needed(double percentile, int overLatency, double confidence = Confidence)
    {
        bool Enough(int n) =>
            Distributions.BinomialCdf(overLatency, n, 1 - percentile) <= 1 - confidence;
        var (low, high) = (overLatency, overLatency + 1);
        for (; !Enough(high); high *= 2) low = high;
        // Enough at high, not at low.
        while (high - low > 1)
        {
            var middle = low + (high - low) / 2;
            if (Enough(middle)) high = middle;
            else low = middle;
        }
        return high;
    }

    /// <summary>The most that may be over the latency in so many queries; null where even none is not enough.</summary>
    public static int? Allowed(double percentile, int queries, double confidence = Confidence)
    {
        if (queries < Needed(percentile, 0, confidence)) return null;
        var (low, high) = (0, queries);
        while (high - low > 1)
        {
            var middle = low + (high - low) / 2;
            if (Needed(percentile, middle, confidence) <= queries) low = middle;
            else high = middle;
        }
        return low;
    }

    /// <summary>
    /// The latency that the percentile is below with that confidence: of the sorted samples the one that as many are
    /// above as the rule allows. Higher than the samples' own percentile, and the nearer to it the more there are.
    /// </summary>
    public static double? Estimate(double percentile, IEnumerable<double> latencies, double confidence = Confidence)
    {
        var sorted = latencies.Order().ToArray();
        return Allowed(percentile, sorted.Length, confidence) is { } t ? sorted[sorted.Length - t - 1] : null;
    }
}
