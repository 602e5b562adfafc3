// In: strata of two arms. Out: the probability of ranks at least this uneven if both arms measure the same.
namespace Accelerate.Bench.Statistics;

/// <summary>
/// The aligned rank test (Hodges and Lehmann, 1962): each value minus the mean of its stratum, all ranked together, and
/// the sum of B's ranks compared with all ways to deal the labels within the strata. With one stratum it is the test of
/// Mann and Whitney; with pairs it is, up to half a rank, the signed rank test of Wilcoxon. Van Elteren's test, the
/// other blocked one, ranks only within the strata: with pairs only the sign is left, and a third of the information is
/// lost.
/// </summary>
/// <param name="P">Two-sided: twice the smaller tail.</param>
/// <param name="IsExact">Counted exactly; otherwise the normal approximation with the permutation's own variance,
/// including ties.</param>
internal sealed record RankTest(double P, bool IsExact)
{
    // 70 against 70 in one stratum are counted, in a fifth of a second; pairs always are.
    private const double MostSteps = 1e8;

    public static RankTest Of(IReadOnlyList<Stratum> strata)
    {
        var groups = Ranks(strata);
        if (groups.Count == 0) return new(1, true);
        var sum = groups.Sum(g => g.Ranks.TakeLast(g.InB).Sum());
        return Steps(groups) <= MostSteps ? new(Exact(groups, sum), true) : new(Approximate(groups, sum), false);
    }

    /// <summary>
    /// The test of a comparison. From twelve strata on it is the aligned one. Below that, there are so few deals within
    /// pairs that the smallest p of five is 1/16, whatever was measured; there it is twice the smaller of p within the
    /// strata and p over all of them together (Bonferroni). The second is valid if each stratum has as many of A as of
    /// B: the shared influences make the difference within a stratum smaller than in all deals, so that the test is
    /// conservative.
    /// </summary>
    public static RankTest OfComparison(IReadOnlyList<Stratum> strata)
    {
        var within = Of(strata);
        if (strata.Count < 2 || strata.Count >= SampleSize.Least || strata.Any(s => s.A.Length != s.B.Length))
            return within;
        var all = Of([new([.. strata.SelectMany(s => s.A)], [.. strata.SelectMany(s => s.B)])]);
        return new(Math.Min(1, 2 * Math.Min(within.P, all.P)), within.IsExact && all.IsExact);
    }

    /// <summary>Ranks are doubled because ties share one, minus the stratum's least; B's come last.</summary>
    private sealed record Group(int[] Ranks, int InB)
    {
        public int InA => Ranks.Length - InB;
    }

    private static List<Group> Ranks(IReadOnlyList<Stratum> strata)
    {
        var aligned = strata.Select(s =>
        {
            double[] all = [.. s.A, .. s.B];
            var mean = all.Average();
            // Values that differ by rounding alone are ties.
            return all.Select(x => Math.Round(x - mean, 12)).ToArray();
        }).ToList();
        var sorted = aligned.SelectMany(a => a).Order().ToArray();
        var rank = new Dictionary<double, int>();
        for (var i = 0; i < sorted.Length;)
        {
            var end = i;
            while (end < sorted.Length && sorted[end] == sorted[i]) end++;
            rank[sorted[i]] = i + end + 1;
            i = end;
        }
        var groups = aligned.Select((a, i) =>
        {
            var ranks = a.Select(x => rank[x]).ToArray();
            var least = ranks.Min();
            return new Group([.. ranks.Select(r => r - least)], strata[i].B.Length);
        }).ToList();
        var unit = groups.SelectMany(g => g.Ranks).Aggregate(0, Divisor);
        return unit <= 1 ? groups : [.. groups.Select(g => g with { Ranks = [.. g.Ranks.Select(r => r / unit)] })];
    }

    private static int Divisor(int a, int b) => b == 0 ? a : Divisor(b, a % b);

    private static double Steps(List<Group> groups)
    {
        var (steps, length) = (0.0, 1.0);
        foreach (var group in groups)
        {
            var most = (double)Most(group);
            steps += group.Ranks.Length * (double)group.InB * most + length * most;
            length += most;
        }
        return steps;
    }

    private static long Most(Group group) => group.Ranks.OrderDescending().Take(group.InB).Sum(r => (long)r);

    /// <summary>The probability of every sum, stratum by stratum.</summary>
    private static double Exact(List<Group> groups, int sum)
    {
        double[] all = [1];
        foreach (var group in groups)
        {
            var own = Chosen(group);
            var both = new double[all.Length + own.Length - 1];
            for (var j = 0; j < own.Length; j++)
            {
                if (own[j] == 0) continue;
                for (var i = 0; i < all.Length; i++) both[i + j] += all[i] * own[j];
            }
            all = both;
        }
        var (below, above) = (all.Take(sum + 1).Sum(), all.Skip(sum).Sum());
        return Math.Min(1, 2 * Math.Min(below, above));
    }

    /// <summary>The probabilities of the sums of as many ranks as B has, with all choices equally likely.</summary>
    private static double[] Chosen(Group group)
    {
        var most = (int)Most(group);
        var ways = new double[group.InB + 1][];
        for (var k = 0; k <= group.InB; k++) ways[k] = new double[most + 1];
        ways[0][0] = 1;
        var taken = 0;
        foreach (var rank in group.Ranks)
        {
            taken++;
            // Adds one more rank to choose from, weighted with the share of choices that take it, so that values stay
            // probabilities.
            for (var k = Math.Min(taken, group.InB); k >= 0; k--)
            {
                var with = (double)k / taken;
                for (var s = most; s >= 0; s--)
                {
                    var without = k < taken ? ways[k][s] * (1 - with) : 0;
                    ways[k][s] = without + (k > 0 && s >= rank ? ways[k - 1][s - rank] * with : 0);
                }
            }
        }
        return ways[group.InB];
    }

    private static double Approximate(List<Group> groups, int sum)
    {
        var (mean, variance) = (0.0, 0.0);
        foreach (var group in groups)
        {
            var n = group.Ranks.Length;
            var average = group.Ranks.Average();
            mean += group.InB * average;
            variance += (double)group.InB * group.InA / n / (n - 1)
                * group.Ranks.Sum(r => (r - average) * (r - average));
        }
        if (variance == 0) return 1;
        // The continuity correction: the sum is an integer, the normal distribution is continuous.
        var z = Math.Max(0, Math.Abs(sum - mean) - 0.5) / Math.Sqrt(variance);
        return Math.Min(1, 2 * Distributions.NormalCdf(-z));
    }
}
