// In: processes of one binary in two arms. Out: how often they are found to differ, how much they vary, how many are
// needed.
using System.Globalization;

namespace Accelerate.Bench.Statistics;

/// <summary>The noise of a measurement, from comparing a binary with itself.</summary>
/// <param name="Variation">The relative standard deviation between processes, within blocks.</param>
/// <param name="FalsePositives">The fraction of random deals of the labels that are found faster or slower.</param>
/// <param name="Repetitions">The number of deals.</param>
internal sealed record AaArm(double Variation, double FalsePositives, int Repetitions)
{
    /// <summary>
    /// Deals the labels again within each block, so that there is only the machine's noise and no difference.
    /// </summary>
    public static AaArm Of(IReadOnlyList<ProcessMedian> a, IReadOnlyList<ProcessMedian> b, ComparisonOptions options,
        int repetitions = 100)
    {
        var strata = Stratum.Of(a, b);
        var variation = Stratum.Variation(strata)
            ?? throw new ArgumentException("an A/A arm has two processes or more", nameof(a));
        var random = new Random(options.Seed);
        var found = 0;
        for (var r = 0; r < repetitions; r++)
        {
            List<ProcessMedian> left = [], right = [];
            foreach (var (stratum, block) in strata.Select((s, i) => (s, i.ToString(CultureInfo.InvariantCulture))))
            {
                double[] all = [.. stratum.A, .. stratum.B];
                random.Shuffle(all);
                left.AddRange(all.Take(stratum.A.Length).Select(x => new ProcessMedian(Math.Exp(x), block)));
                right.AddRange(all.Skip(stratum.A.Length).Select(x => new ProcessMedian(Math.Exp(x), block)));
            }
            if (Comparison.Of(left, right, options).Verdict is Verdict.Faster or Verdict.Slower) found++;
        }
        return new(variation, (double)found / repetitions, repetitions);
    }

    public int Needed(double effect) => SampleSize.Needed(Variation, effect);

    /// <inheritdoc cref="SampleSize.Detectable"/>
    public double? Detectable(int processes) => SampleSize.Detectable(Variation, processes);
}
