// In: a percentile, the number of queries over a latency. Out: the number of queries that prove the percentile.
using Accelerate.Bench.Statistics;

namespace Accelerate.Bench.Scenarios;

/// <summary>
/// MLPerf's rule (the inference rules' appendix on early stopping): a percentile p is met if so few of n queries were
/// over the latency that a system whose share of queries below it is only p would do as well with probability at most 1
/// − c: P(Bin(n, 1 − p) ≤ t) ≤ 1 − c.
/// </summary>
internal static class EarlyStopping
{
    public const double Confidence = 0.99;

    /// <summary>The least total number of queries if that many are over the latency.</summary>
    public static int Needed(double percentile, int overLatency, double confidence = Confidence)
    {
        bool Enough(int n) =>
            Distributions.BinomialCdf(overLatency, n, 1 - percentile) <= 1 - confidence;
        var (low, high) = (overLatency, overLatency + 1);
        for (; !Enough(high); high *= 2) low = high;
        // The bisection keeps enough queries at high and too few at low.
        while (high - low > 1)
        {
            var middle = low + (high - low) / 2;
            if (Enough(middle)) high = middle;
            else low = middle;
        }
        return high;
    }

    /// <summary>The maximum number over the latency in that many queries; null if even none is not enough.</summary>
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
    /// The latency that bounds the percentile with that confidence: the sorted sample exceeded by as many as the rule
    /// allows. It is above the samples' own percentile, and approaches it with more samples.
    /// </summary>
    public static double? Estimate(double percentile, IEnumerable<double> latencies, double confidence = Confidence)
    {
        var sorted = latencies.Order().ToArray();
        return Allowed(percentile, sorted.Length, confidence) is { } t ? sorted[sorted.Length - t - 1] : null;
    }
}
