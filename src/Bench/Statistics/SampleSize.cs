// In: the variation between processes, an effect. Out: the number of processes that detect it, and the effect that a
// number detects.
namespace Accelerate.Bench.Statistics;

/// <summary>
/// Two-sided at 0.05 with a power of 0.8: n = 2 (z₀.₉₇₅ + z₀.₈)² (variation / effect)² a side, and never below the
/// number that a suite needs. With one process of each arm a block there are 2ⁿ ways to deal the labels, so that no
/// p-value is below 2¹⁻ⁿ; one change among a hundred comparisons is found only if its p is 0.05 / 100, which takes 12
/// processes. So a variation of 33 % needs 171 a side for an effect of 10 %, and one of 5 %, where the first formula
/// alone says 4, needs 12.
/// </summary>
internal static class SampleSize
{
    public const double Alpha = 0.05;
    public const double Power = 0.8;

    /// <summary>More are not run: the verdict is then "inconclusive", with the number that would be needed.</summary>
    public const int Most = 200;

    private const int Comparisons = 100;

    /// <summary>The minimum for a comparison in a suite, however small the variation.</summary>
    public static int Least { get; } = 1 + (int)Math.Ceiling(Math.Log2(Comparisons / Alpha));

    private static double Factor { get; } =
        Distributions.NormalQuantile(1 - Alpha / 2) + Distributions.NormalQuantile(Power);

    /// <summary>The number of processes a side; may be above <see cref="Most"/>.</summary>
    /// <param name="variation">The variation between processes: 0.05 is 5 %.</param>
    /// <param name="effect">0.1 is a change of 10 %.</param>
    public static int Needed(double variation, double effect)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(effect);
        var n = Math.Ceiling(2 * Math.Pow(Factor * variation / effect, 2));
        return (int)Math.Clamp(n, Least, int.MaxValue);
    }

    /// <summary>
    /// The number of processes a side that show equal arms to be equal within a margin, with the same power: both
    /// one-sided tests must reject, so that the power's quantile is that of half the misses.
    /// </summary>
    public static int NeededForSame(double variation, double margin)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(margin);
        var factor = Distributions.NormalQuantile(1 - Alpha) + Distributions.NormalQuantile((1 + Power) / 2);
        return (int)Math.Clamp(Math.Ceiling(2 * Math.Pow(factor * variation / Math.Log(1 + margin), 2)),
            Comparison.LeastProcesses, int.MaxValue);
    }

    /// <summary>The smallest change that this number a side detects; null for fewer than <see cref="Least"/>.</summary>
    public static double? Detectable(double variation, int processes) =>
        processes < Least ? null : Factor * variation * Math.Sqrt(2.0 / processes);
}
