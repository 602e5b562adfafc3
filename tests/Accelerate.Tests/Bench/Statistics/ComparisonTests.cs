// Verdicts against what their definition says of data made for it, intervals against simulated truth, and both against
// sixty processes that a machine ran.
using System.Globalization;
using Accelerate.Bench.Statistics;
using Accelerate.Tests.Support;
using Xunit.Abstractions;

namespace Accelerate.Tests.Bench.Statistics;

public class ComparisonTests(ITestOutputHelper said)
{
    private static readonly ComparisonOptions Options = new();

    private static readonly Lazy<double[]> Recorded = new(() => [.. File.ReadAllLines(Path.Combine(Shared.Repository,
            "tests", "Accelerate.Tests", "Bench", "Statistics", "sixty_processes.txt"))
        .Where(l => !l.StartsWith('#')).Select(l => double.Parse(l, CultureInfo.InvariantCulture))]);

    /// <summary>The nine ratios of {2, 4, 8} to {1, 2, 4}: ½ 1 1 2 2 2 4 4 8.</summary>
    [Fact]
    public void TheRatioIsTheMedianOfAllRatios()
    {
        var c = Comparison.Of(Processes(1, 2, 4), Processes(2, 4, 8), Options);
        Assert.Equal((2.0, 4.0), (c.MedianA, c.MedianB));
        Assert.Equal(2, c.Ratio, 12);
        // Even counts: of 3/1 3/2 5/1 5/2, the logarithms of 2.5 and 3 have their mean between them.
        Assert.Equal(Math.Sqrt(7.5), Comparison.Of(Processes(1, 2), Processes(3, 5), Options).Ratio, 12);
    }

    /// <summary>Blocks whose levels are far apart, B always 1.2 of A: the levels fall out.</summary>
    [Fact]
    public void LevelsOfBlocksAreNoDifference()
    {
        var a = Enumerable.Range(0, 8).Select(i => new ProcessMedian(1 + 10 * i, $"{i}")).ToList();
        var b = a.Select(p => p with { Value = 1.2 * p.Value }).ToList();
        var c = Comparison.Of(a, b, Options);
        Assert.Equal((8, Verdict.Slower), (c.Blocks, c.Verdict));
        Assert.Equal(1.2, c.Ratio, 9);
        // Two of 2⁸ deals within the blocks, and one of two tests.
        Assert.Equal(2 * 2.0 / 256, c.P, 12);
        // Without blocks the levels drown it.
        var apart = Comparison.Of([.. a.Select(p => p with { Block = null })], b, Options);
        Assert.Equal((1, Verdict.Inconclusive), (apart.Blocks, apart.Verdict));
    }

    [Fact]
    public void TimesThatAreEqualAreTheSame()
    {
        var (a, b) = (Processes(100, 101, 99, 100.5, 99.5, 100.2), Processes(100.1, 99.4, 100.6, 101, 99.8, 100));
        Assert.Equal(Verdict.Same, Comparison.Of(a, b, Options).Verdict);
        Assert.Equal(Verdict.Inconclusive, Comparison.Of(a, b, Options with { Margin = 0.0001 }).Verdict);
    }

    /// <summary>1 % apart without any noise to speak of: surely different, and still within the margin.</summary>
    [Fact]
    public void ADifferenceBelowTheMarginIsTheSame()
    {
        var a = Enumerable.Range(0, 20).Select(i => new ProcessMedian(100 + 0.01 * i)).ToList();
        var b = a.Select(p => new ProcessMedian(1.01 * p.Value)).ToList();
        var c = Comparison.Of(a, b, Options);
        Assert.True(c.P < 1e-6 && c.Interval.Low > 1);
        Assert.Equal(Verdict.Same, c.Verdict);
        Assert.Equal(Verdict.Slower, Comparison.Of(a, b, Options with { Margin = 0.005 }).Verdict);
        Assert.Equal(Verdict.Faster, Comparison.Of(b, a, Options with { Margin = 0.005 }).Verdict);
    }

    /// <summary>Too few processes are no pass and no failure, however far apart or near they are.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void TooFewSayNothing(int processes)
    {
        var a = Enumerable.Range(0, processes).Select(i => new ProcessMedian(1 + 1e-4 * i)).ToList();
        Assert.Equal(Verdict.Inconclusive, Comparison.Of(a, a, Options).Verdict);
        Assert.Equal(Verdict.Inconclusive,
            Comparison.Of(a, [.. a.Select(p => new ProcessMedian(2 * p.Value))], Options).Verdict);
        Assert.Equal(Verdict.Inconclusive, Comparison.Of(a, [], Options).Verdict);
    }

    /// <summary>
    /// Five pairs have 32 deals, of which two say as much: 1/16. Over all deals it is 2 of 252, and that counts, twice.
    /// </summary>
    [Fact]
    public void FivePairsCanBeDifferent()
    {
        var a = Enumerable.Range(0, 5).Select(i => new ProcessMedian(100 + i, $"{i}")).ToList();
        var c = Comparison.Of(a, [.. a.Select(p => p with { Value = 2 * p.Value + (p.Value % 3) })], Options);
        Assert.Equal(2 * 2.0 / 252, c.P, 12);
        Assert.Equal(Verdict.Slower, c.Verdict);
        // A block that has two of A: no more than deals within the blocks.
        List<ProcessMedian> more = [.. a, new(105, "0")];
        var uneven = Comparison.Of(more, [.. a.Select(p => p with { Value = 2 * p.Value })], Options);
        Assert.Equal(2.0 / 48, uneven.P, 12);
    }

    /// <summary>
    /// Of 1000 comparisons of nothing, six blocks of two, at most 5 % and two standard errors are called different,
    /// whether the blocks' levels differ or not.
    /// </summary>
    [Theory]
    [InlineData(0, 20261204)]
    [InlineData(0.1, 20261205)]
    [InlineData(1, 20261206)]
    public void FewBlocksAreNoMoreOftenWrong(double levels, int seed)
    {
        var random = new Random(seed);
        var found = 0;
        for (var run = 0; run < 1000; run++)
        {
            List<ProcessMedian> a = [], b = [];
            for (var i = 0; i < 6; i++)
            {
                var level = levels * Normal(random);
                a.Add(new(Math.Exp(level + 0.1 * Normal(random)), $"{i}"));
                b.Add(new(Math.Exp(level + 0.1 * Normal(random)), $"{i}"));
            }
            if (RankTest.OfComparison(Stratum.Of(a, b)).P <= SampleSize.Alpha) found++;
        }
        said.WriteLine($"seed {seed}: {found} of 1000");
        Assert.True(found <= 64, $"seed {seed}: {found} of 1000");
    }

    /// <summary>
    /// Five and five apart have p = 2/252. Alone that is enough; among nine more cases in which nothing happens the
    /// least p of ten must be 0.005.
    /// </summary>
    [Fact]
    public void ASuiteAsksForMore()
    {
        (IReadOnlyList<ProcessMedian>, IReadOnlyList<ProcessMedian>) apart =
            (Processes(1, 2, 3, 4, 5), Processes(6, 7, 8, 9, 10));
        (IReadOnlyList<ProcessMedian>, IReadOnlyList<ProcessMedian>) mixed =
            (Processes(1, 4, 5, 8, 9), Processes(2, 3, 6, 7, 10));
        Assert.Equal(Verdict.Slower, Comparison.Suite([apart], Options)[0].Verdict);
        var suite = Comparison.Suite([apart, .. Enumerable.Repeat(mixed, 9)], Options);
        Assert.Equal(20.0 / 252, suite[0].Q, 12);
        Assert.Equal(Verdict.Inconclusive, suite[0].Verdict);
        // What has no other side is not tested, and costs nothing.
        suite = Comparison.Suite([apart, .. Enumerable.Repeat((mixed.Item1, Processes()), 9)], Options);
        Assert.Equal(2.0 / 252, suite[0].Q, 12);
        Assert.All(suite.Skip(1), c => Assert.Equal(Verdict.Inconclusive, c.Verdict));
    }

    [Fact]
    public void OutliersAreFlaggedAndKept()
    {
        var c = Comparison.Of(Processes(10, 10.1, 50, 9.9, 10.05, 9.95), Processes(10, 10.1, 9.9, 10, 10, 10), Options);
        Assert.Equal([2], c.OutliersA);
        Assert.Equal(6, c.CountA);
    }

    /// <summary>
    /// The 95 % interval holds a known ratio in 95 % of 500 simulated comparisons, give or take three standard errors
    /// of 1 %: times that are log-normal, 12 a side, with and without blocks whose levels differ.
    /// </summary>
    [Theory]
    [InlineData(12, false, 20261130)]
    [InlineData(12, true, 20261201)]
    [InlineData(6, false, 20261202)]
    [InlineData(6, true, 20261203)]
    public void IntervalsHoldTheTruth(int processes, bool hasBlocks, int seed)
    {
        const double Truth = 1.07;
        var random = new Random(seed);
        var held = 0;
        for (var run = 0; run < 500; run++)
        {
            List<ProcessMedian> a = [], b = [];
            for (var i = 0; i < processes; i++)
            {
                var level = hasBlocks ? Math.Exp(Normal(random)) : 1;
                var block = hasBlocks ? $"{i}" : null;
                a.Add(new(level * Math.Exp(0.1 * Normal(random)), block));
                b.Add(new(Truth * level * Math.Exp(0.1 * Normal(random)), block));
            }
            var c = Comparison.Of(a, b, Options with { Resamples = 1000 });
            if (!c.Interval.Excludes(Truth)) held++;
        }
        said.WriteLine($"seed {seed}: {held} of 500");
        Assert.True(held is >= 460 and <= 490, $"seed {seed}: {held} of 500");
    }

    /// <summary>
    /// 60 processes of one binary, dealt into two arms of 30 a hundred times: found different at most 5 times. Drawn
    /// 1000 times, 15 a side, at most 5 % and two standard errors of that, 64.
    /// </summary>
    [Fact]
    public void OneBinaryIsNotDifferentFromItself()
    {
        Assert.Equal(60, Recorded.Value.Length);
        var all = Recorded.Value.Select(v => new ProcessMedian(v)).ToArray();
        var arm = AaArm.Of(all[..30], all[30..], Options);
        Assert.Equal(100, arm.Repetitions);
        Assert.InRange(arm.FalsePositives, 0, SampleSize.Alpha);
        var random = new Random(60);
        var found = 0;
        for (var r = 0; r < 1000; r++)
        {
            var c = Comparison.Of(Drawn(random, 15, 1), Drawn(random, 15, 1), Options with { Resamples = 500 });
            if (c.Verdict is Verdict.Faster or Verdict.Slower) found++;
        }
        said.WriteLine($"dealt: {100 * arm.FalsePositives:0} of 100; drawn: {found} of 1000");
        Assert.True(found <= 64, $"seed 60: {found} of 1000");
    }

    /// <summary>
    /// One arm of the recorded processes slowed by 10 %, at the size that the A/A arm asks for: found in at least 80 of
    /// 100 draws; with six a side it is not known, and the size that it takes is said.
    /// </summary>
    [Theory]
    [InlineData(61)]
    [InlineData(62)]
    public void ASlowerArmIsFoundAtTheSizeThatIsAskedFor(int seed)
    {
        var all = Recorded.Value.Select(v => new ProcessMedian(v)).ToArray();
        var arm = AaArm.Of(all[..30], all[30..], Options, 1);
        var needed = arm.Needed(0.1);
        // Python's statistics.stdev / mean of the file is 0.156347: 2 · 7.8489 · 1.56347² = 38.4.
        Assert.Equal(0.156347, arm.Variation, 6);
        Assert.Equal(39, needed);
        var random = new Random(seed);
        var verdicts = new List<Verdict>();
        for (var r = 0; r < 100; r++)
            verdicts.Add(Comparison.Of(Drawn(random, needed, 1), Drawn(random, needed, 1.1),
                Options with { Resamples = 500 }).Verdict);
        said.WriteLine($"{needed} a side: {string.Join(", ", verdicts.CountBy(v => v))}");
        Assert.True(verdicts.Count(v => v == Verdict.Slower) >= 80,
            $"seed {seed}, {needed} a side: {string.Join(", ", verdicts.CountBy(v => v))}");
        Assert.DoesNotContain(Verdict.Faster, verdicts);
        var few = Comparison.Of(Drawn(random, 6, 1), Drawn(random, 6, 1.1), Options);
        Assert.Equal(Verdict.Inconclusive, few.Verdict);
        Assert.True(few.Needed > 6);
    }

    private static List<ProcessMedian> Drawn(Random random, int count, double factor) => [.. Enumerable.Range(0, count)
        .Select(_ => new ProcessMedian(factor * Recorded.Value[random.Next(Recorded.Value.Length)]))];

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static IReadOnlyList<ProcessMedian> Processes(params double[] values) =>
        [.. values.Select(v => new ProcessMedian(v))];
}
