// The rank test against published p-values and against all deals of the labels, counted one by one.
using Accelerate.Bench.Statistics;

namespace Accelerate.Tests.Bench.Statistics;

public class RankTestTests
{
    /// <summary>
    /// The example of SciPy's documentation of scipy.stats.mannwhitneyu: `mannwhitneyu([19, 22, 16, 29, 24], [20, 11,
    /// 17, 12], method="exact")` gives statistic 17, p 0.1111111111111111.
    /// </summary>
    [Fact]
    public void OneStratumIsMannAndWhitneys()
    {
        var test = RankTest.Of(Stratum.Of(Processes([19, 22, 16, 29, 24]), Processes([20, 11, 17, 12])));
        Assert.True(test.IsExact);
        Assert.Equal(0.1111111111111111, test.P, 12);
    }

    /// <summary>U = 0 of 5 and 5: two of the 252 deals are as uneven.</summary>
    [Fact]
    public void ApartIsTheLeastThatCountsCanGive()
    {
        var test = RankTest.Of(Stratum.Of(Processes([1, 2, 3, 4, 5]), Processes([6, 7, 8, 9, 10])));
        Assert.Equal(2.0 / 252, test.P, 12);
    }

    /// <summary>Eight pairs that all say the same: 2 of 2⁸ deals.</summary>
    [Fact]
    public void PairsAreComparedWithinThemselves()
    {
        // Blocks are further apart than arms: without them nothing would be seen.
        var a = Enumerable.Range(0, 8).Select(i => new ProcessMedian(Math.Pow(2, i), $"{i}")).ToList();
        var b = a.Select((p, i) => p with { Value = p.Value * (1.01 + 0.001 * i) }).ToList();
        Assert.Equal(2.0 / 256, RankTest.Of(Stratum.Of(a, b)).P, 12);
        Assert.True(RankTest.Of(Stratum.Of([.. a.Select(p => p with { Block = null })], b)).P > 0.5);
    }

    [Fact]
    public void NothingToDealIsNoEvidence()
    {
        Assert.Equal(1, RankTest.Of([]).P);
        Assert.Equal(1, RankTest.Of(Stratum.Of(Processes([3, 3, 3]), Processes([3, 3, 3, 3]))).P);
    }

    /// <summary>Ties, strata of different sizes, uneven arms: each deal is made, its ranks summed.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void CountsAreThoseOfAllDeals(int seed)
    {
        var random = new Random(seed);
        var (a, b) = (new List<ProcessMedian>(), new List<ProcessMedian>());
        for (var block = 0; block < 3; block++)
        {
            // Few different values: ties within strata and across them.
            for (var i = 0; i < 1 + random.Next(3); i++) a.Add(new(random.Next(1, 5), $"{block}"));
            for (var i = 0; i < 1 + random.Next(3); i++) b.Add(new(random.Next(1, 5), $"{block}"));
        }
        var strata = Stratum.Of(a, b);
        Assert.Equal(3, strata.Count);
        Assert.Equal(AllDeals(strata), RankTest.Of(strata).P, 12);
    }

    /// <summary>
    /// 30 against 30 without ties is counted, and near the normal distribution of U, whose mean is 450 and variance
    /// 900 · 61 / 12; 400 against 400 is that distribution.
    /// </summary>
    [Fact]
    public void TheApproximationIsNearTheCount()
    {
        var test = RankTest.Of(Stratum.Of(Processes(Enumerable.Range(1, 30).Select(i => (double)i)),
            Processes(Enumerable.Range(6, 30).Select(i => i - 0.5))));
        Assert.True(test.IsExact);
        var wins = Enumerable.Range(1, 30).Sum(i => Enumerable.Range(6, 30).Count(j => j - 0.5 > i));
        var z = (wins - 450 - 0.5) / Math.Sqrt(900 * 61 / 12.0);
        Assert.Equal(2 * (1 - Distributions.NormalCdf(z)), test.P, 1e-3);

        var large = RankTest.Of(Stratum.Of(Processes(Enumerable.Range(1, 400).Select(i => (double)i)),
            Processes(Enumerable.Range(1, 400).Select(i => i + 25.5))));
        Assert.False(large.IsExact);
        // b = j + 25.5 wins against every a ≤ j + 25: U = Σ min(400, j + 25) = 375 · 376 / 2 + 375 · 25 + 25 · 400.
        var u = 375 * 376 / 2 + 375 * 25 + 25 * 400;
        Assert.Equal(2 * (1 - Distributions.NormalCdf((u - 80_000 - 0.5) / Math.Sqrt(160_000 * 801 / 12.0))),
            large.P, 12);
    }

    private static double AllDeals(IReadOnlyList<Stratum> strata)
    {
        var aligned = strata.Select(s => s.A.Concat(s.B).Select(x => Math.Round(x - s.A.Concat(s.B).Average(), 10))
            .ToArray()).ToArray();
        var all = aligned.SelectMany(x => x).ToArray();
        // Midranks, doubled, by counting.
        double Rank(double x) => 2 * all.Count(y => y < x) + all.Count(y => y == x);
        var sums = new List<double> { 0 };
        for (var s = 0; s < strata.Count; s++)
        {
            var values = aligned[s];
            var own = new List<double>();
            for (var deal = 0; deal < 1 << values.Length; deal++)
            {
                if (int.PopCount(deal) != strata[s].B.Length) continue;
                own.Add(values.Where((_, i) => (deal >> i & 1) != 0).Sum(Rank));
            }
            sums = [.. sums.SelectMany(_ => own, (x, y) => x + y)];
        }
        var seen = strata.Select((s, i) => aligned[i].Skip(s.A.Length).Sum(Rank)).Sum();
        return Math.Min(1, 2.0 * Math.Min(sums.Count(x => x <= seen), sums.Count(x => x >= seen)) / sums.Count);
    }

    private static IReadOnlyList<ProcessMedian> Processes(IEnumerable<double> values) =>
        [.. values.Select(v => new ProcessMedian(v))];
}
