// In: strata of two arms, a seed. Out: B's time over A's, with intervals.
namespace Accelerate.Bench.Statistics;

/// <summary>The confidence interval of a ratio of times; unbounded if there are too few processes.</summary>
internal readonly record struct RatioInterval(double Low, double High)
{
    public bool Excludes(double ratio) => Low > ratio || High < ratio;

    public bool IsInside(double low, double high) => Low > low && High < high;
}

/// <summary>
/// The ratio is Hodges and Lehmann's: the median of B's process medians over A's, pair by pair (after removing the
/// strata's levels). It is the estimate that belongs to the rank test, with 95 % of the mean's efficiency where times
/// are normal; the quotient of the two arms' medians has 64 %, so that it would need half as many processes again. The
/// interval is the percentile bootstrap's, widened by Student's distribution as Hesterberg (2015, "What teachers should
/// know about the bootstrap") expands it: the plain one is too narrow for ten processes.
/// </summary>
internal sealed class RatioBootstrap
{
    private readonly double[] sorted;
    private readonly double expansion;
    private readonly int freedom;

    private RatioBootstrap(double estimate, double[] sorted, double expansion, int freedom)
    {
        Ratio = Math.Exp(estimate);
        this.sorted = sorted;
        this.expansion = expansion;
        this.freedom = freedom;
    }

    public double Ratio { get; }

    /// <summary>Resamples whole strata if there are several, or processes of each arm if there is one.</summary>
    public static RatioBootstrap Of(IReadOnlyList<Stratum> strata, int seed, int resamples)
    {
        ArgumentOutOfRangeException.ThrowIfZero(strata.Count, nameof(strata));
        // Half way between the arms, whatever their sizes, so that only the effect and noise are left.
        var centred = strata.Select(s =>
        {
            var level = (s.A.Average() + s.B.Average()) / 2;
            return new Stratum([.. s.A.Select(x => x - level)], [.. s.B.Select(x => x - level)]);
        }).ToArray();
        var estimate = Shift([.. centred.SelectMany(s => s.A)], [.. centred.SelectMany(s => s.B)]);
        var random = new Random(seed);
        var shifts = new double[resamples];
        for (var r = 0; r < resamples; r++)
        {
            if (centred is [var only])
            {
                shifts[r] = Shift(Drawn(only.A, random), Drawn(only.B, random));
                continue;
            }
            var drawn = Drawn(centred, random);
            shifts[r] = Shift([.. drawn.SelectMany(s => s.A)], [.. drawn.SelectMany(s => s.B)]);
        }
        Array.Sort(shifts);
        var processes = strata.Sum(s => s.A.Length + s.B.Length);
        // A bootstrap's variance is that of n values about their mean, divided by n: (n − 1)/n of what it should be.
        return strata.Count > 1
            ? new(estimate, shifts, Math.Sqrt(strata.Count / (strata.Count - 1.0)), strata.Count - 1)
            : new(estimate, shifts, Math.Sqrt(processes / Math.Max(1e-9, processes - 2.0)), processes - 2);
    }

    public RatioInterval Interval(double confidence)
    {
        if (freedom < 1) return new(0, double.PositiveInfinity);
        var tail = Distributions.NormalCdf(
            -expansion * Distributions.StudentQuantile(0.5 + confidence / 2, freedom));
        // Nothing is known about a tail beyond the last resample.
        return tail * sorted.Length < 1 ? new(0, double.PositiveInfinity)
            : new(Math.Exp(SampleSummary.Percentile(sorted, tail)),
                Math.Exp(SampleSummary.Percentile(sorted, 1 - tail)));
    }

    private static T[] Drawn<T>(T[] from, Random random)
    {
        var drawn = new T[from.Length];
        for (var i = 0; i < drawn.Length; i++) drawn[i] = from[random.Next(from.Length)];
        return drawn;
    }

    /// <summary>The median of all differences.</summary>
    private static double Shift(double[] a, double[] b)
    {
        var differences = new double[a.Length * b.Length];
        var at = 0;
        foreach (var y in b)
            foreach (var x in a)
                differences[at++] = y - x;
        var upper = Selected(differences, differences.Length / 2);
        if (differences.Length % 2 == 1) return upper;
        // Selection moves the smaller values to the front.
        var lower = double.NegativeInfinity;
        foreach (var d in differences.AsSpan(0, differences.Length / 2)) lower = Math.Max(lower, d);
        return (lower + upper) / 2;
    }

    /// <summary>
    /// The value at that position of the sorted list; those before it are not larger (Hoare's selection).
    /// </summary>
    private static double Selected(double[] values, int place)
    {
        var (low, high) = (0, values.Length - 1);
        while (low < high)
        {
            var pivot = values[(low + high) / 2];
            var (i, j) = (low, high);
            while (i <= j)
            {
                while (values[i] < pivot) i++;
                while (values[j] > pivot) j--;
                if (i > j) break;
                (values[i], values[j]) = (values[j], values[i]);
                i++;
                j--;
            }
            if (place <= j) high = j;
            else if (place >= i) low = i;
            else break;
        }
        return values[place];
    }
}
