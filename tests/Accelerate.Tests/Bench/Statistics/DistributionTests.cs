// Probabilities against printed tables, and adjusted p-values against the paper's own example.
using Accelerate.Bench.Statistics;

namespace Accelerate.Tests.Bench.Statistics;

public class DistributionTests
{
    /// <summary>Abramowitz and Stegun, table 26.1.</summary>
    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1, 0.841344746068543)]
    [InlineData(2, 0.977249868051821)]
    [InlineData(-3, 0.001349898031630)]
    [InlineData(5, 0.999999713348428)]
    public void Normal(double x, double p)
    {
        Assert.Equal(p, Distributions.NormalCdf(x), 14);
        Assert.Equal(x, Distributions.NormalQuantile(p), 6);
    }

    /// <summary>The printed tables of Student's distribution: 97.5 % and 95 %.</summary>
    [Theory]
    [InlineData(1, 0.975, 12.706)]
    [InlineData(4, 0.975, 2.776)]
    [InlineData(8, 0.975, 2.306)]
    [InlineData(30, 0.975, 2.042)]
    [InlineData(8, 0.95, 1.860)]
    [InlineData(8, 0.05, -1.860)]
    public void Student(int freedom, double p, double t) =>
        Assert.Equal(t, Distributions.StudentQuantile(p, freedom), 5e-4);

    [Theory]
    [InlineData(0, 10, 0.1)]
    [InlineData(3, 10, 0.1)]
    [InlineData(9, 10, 0.9)]
    [InlineData(20, 60, 0.3)]
    [InlineData(60, 60, 0.3)]
    public void BinomialIsTheSumOfItsTerms(int successes, int trials, double probability)
    {
        var (sum, term) = (0.0, Math.Pow(1 - probability, trials));
        for (var k = 0; k <= successes; k++)
        {
            sum += term;
            term *= (trials - k) / (k + 1.0) * probability / (1 - probability);
        }
        Assert.Equal(sum, Distributions.BinomialCdf(successes, trials, probability), 12);
    }

    /// <summary>
    /// Benjamini and Hochberg 1995, section 4.1: fifteen p-values of a trial. At 0.05 the first four are rejected, by
    /// Bonferroni's rule three.
    /// </summary>
    [Fact]
    public void FalseDiscoveriesOfThePapersExample()
    {
        double[] p =
        [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0000,
        ];
        var q = FalseDiscovery.Adjust(p);
        Assert.Equal(4, q.Count(x => x <= 0.05));
        // 0.0095 · 15 / 4, and 0.0201 · 15 / 5 = 0.0603; the sixth has the seventh's 0.0298 · 15 / 7.
        Assert.Equal(0.035625, q[3], 12);
        Assert.Equal(0.0603, q[4], 12);
        Assert.Equal(0.0638571428571429, q[5], 12);
        Assert.Equal(0.0645, q[7], 12);
        // Given in another order each keeps its own.
        Assert.Equal(q.Reverse(), FalseDiscovery.Adjust([.. p.Reverse()]));
        Assert.Empty(FalseDiscovery.Adjust([]));
    }

    /// <summary>Median 10, deviations 0 0 0.1 0.1 0.1 0.2 5, their median 0.1: what is 0.445 away is flagged.</summary>
    [Fact]
    public void FarFromTheOthers()
    {
        Assert.Equal([2], Outliers.Of([10, 10.1, 15, 9.9, 10, 10.1, 9.8]));
        Assert.Empty(Outliers.Of([1, 100]));
    }

    /// <summary>The figures: about 170 and about 12 a side for a change of 10 %.</summary>
    [Fact]
    public void SizesOfARun()
    {
        Assert.Equal(171, SampleSize.Needed(0.33, 0.1));
        Assert.Equal(12, SampleSize.Needed(0.05, 0.1));
        // (1.959964 + 0.841621)² · 2 · (0.33 / 0.1)² = 170.95, and what that many find is again 10 %.
        Assert.Equal(0.1, SampleSize.Detectable(0.33, 171)!.Value, 4);
        // Equal within 5 %: (1.644854 + 1.281552)² · 2 · (0.05 / ln 1.05)² = 17.99.
        Assert.Equal(18, SampleSize.NeededForSame(0.05, 0.05));
        Assert.True(SampleSize.Needed(0.4, 0.1) > SampleSize.Most);
        Assert.Null(SampleSize.Detectable(0.001, 11));
    }
}
