// The order statistics of the benchmark against values worked out by hand, and size lists against their product.
using Accelerate.Bench;

namespace Accelerate.Tests.Bench;

public class SampleSummaryTests
{
    [Fact]
    public void AnOddAndAnEvenCount()
    {
        // Sorted 1 2 3 4 10: the 10 % point lies 0.4 of the way from the first to the second, the 90 % point 0.6 into
        // the last gap.
        var odd = SampleSummary.Of([10, 1, 3, 2, 4]);
        Assert.Equal(5, odd.Count);
        Assert.Equal(3, odd.Median);
        Assert.Equal(1.4, odd.P10, 12);
        Assert.Equal(4 + 0.6 * 6, odd.P90, 12);
        Assert.Equal(1, odd.Min);
        Assert.Equal(2.5, SampleSummary.Of([4, 1, 3, 2]).Median);
    }

    [Fact]
    public void OneSampleIsAllOfThem() => Assert.Equal(new SampleSummary(1, 7, 7, 7, 7), SampleSummary.Of([7]));

    [Fact]
    public void NoSampleIsAnError() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SampleSummary.Percentile([], 0.5));

    [Fact]
    public void SizeListsAreEveryCombination()
    {
        var grid = SizeGrid.Parse(["n=1,32", "m=5"]);
        Assert.Equal(["m=5 n=1", "m=5 n=32"],
            grid.Select(g => string.Join(' ', g.OrderBy(p => p.Key).Select(p => $"{p.Key}={p.Value}"))));
        Assert.Single(SizeGrid.Parse([]));
    }

    [Theory]
    [InlineData("n")]
    [InlineData("=3")]
    [InlineData("n=")]
    [InlineData("n=1,x")]
    [InlineData("n=-1")]
    [InlineData("n=1 n=2")]
    public void WhatIsNoSizeList(string words) =>
        Assert.Throws<FormatException>(() => SizeGrid.Parse(words.Split(' ')));

    [Theory]
    [InlineData(0.00123, "1.23 us")]
    [InlineData(0.0000456, "45.6 ns")]
    [InlineData(12.34, "12.3 ms")]
    [InlineData(99.97, "100 ms")]
    [InlineData(4321, "4.32 s")]
    public void TimesHaveAUnitThatFits(double milliseconds, string text) =>
        Assert.Equal(text, BenchTable.Time(milliseconds));
}
