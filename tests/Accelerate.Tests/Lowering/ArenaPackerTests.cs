// The packer on random lives: what is alive together lies apart, nearly nothing is lost, and the answer is one of the
// numbers alone.
using Accelerate.Compiler.Kernels;

namespace Accelerate.Tests.Lowering;

public sealed class ArenaPackerTests
{
    [Fact]
    public void WhatIsAliveTogetherLiesApart()
    {
        var (all, worst) = (0.0, 0.0);
        const int trials = 400;
        for (var seed = 0; seed < trials; seed++)
        {
            var (bytes, first, last) = Lives(new System.Random(seed));
            var offsets = new long[bytes.Length];
            var total = ArenaPacker.Pack(bytes, first, last, offsets);
            for (var i = 0; i < bytes.Length; i++)
            {
                Assert.True(offsets[i] >= 0 && offsets[i] % ArenaPacker.Line == 0 && offsets[i] + bytes[i] <= total,
                    $"seed {seed}: {bytes[i]} bytes at {offsets[i]} of {total}");
                for (var j = 0; j < i; j++)
                {
                    var together = first[i] <= last[j] && first[j] <= last[i];
                    Assert.True(!together || offsets[i] + bytes[i] <= offsets[j] || offsets[j] + bytes[j] <= offsets[i],
                        $"seed {seed}: {i} at {offsets[i]} and {j} at {offsets[j]} overlap");
                }
            }
            var least = ArenaPacker.LiveMaximum(ArenaPacker.Rooms(bytes), first, last);
            Assert.True(total >= least, $"seed {seed}: {total} bytes for {least} that are alive");
            var over = least == 0 ? 1 : total / (double)least;
            (all, worst) = (all + over, Math.Max(worst, over));
            // A function of the numbers: another call gives the same.
            var again = new long[bytes.Length];
            Assert.Equal(total, ArenaPacker.Pack([.. bytes], [.. first], [.. last], again));
            Assert.Equal(offsets, again);
        }
        // Random lives are harder than a network's, which end soon after they begin.
        Assert.True(all / trials < 1.04 && worst < 1.3, $"on average {all / trials:0.000}, at worst {worst:0.000}");
    }

    /// <summary>No order is best for all: of random lives, some take less than by their sizes alone.</summary>
    [Fact]
    public void AnotherOrderIsTriedWhereTheFirstLeavesGaps()
    {
        var found = 0;
        for (var seed = 0; seed < 200; seed++)
        {
            var (bytes, first, last) = Lives(new System.Random(seed));
            var total = ArenaPacker.Pack(bytes, first, last, new long[bytes.Length]);
            if (total < BySizeAlone(bytes, first, last)) found++;
        }
        Assert.InRange(found, 10, 200);
    }

    [Fact]
    public void NothingTakesNothingAndTooMuchIsAnError()
    {
        Assert.Equal(0, ArenaPacker.Pack([], [], [], []));
        var offsets = new long[2];
        Assert.Equal(64, ArenaPacker.Pack([0, 1], [0, 0], [1, 1], offsets));
        Assert.Throws<OverflowException>(() => ArenaPacker.Pack([long.MaxValue], [0], [0], new long[1]));
        Assert.Throws<OverflowException>(() =>
            ArenaPacker.Pack([long.MaxValue / 2, long.MaxValue / 2, 100], [0, 1, 2], [0, 1, 2], new long[3]));
    }

    /// <summary>Up to sixty temporaries; equal sizes, empty ones and long lives are among them.</summary>
    private static (long[] Bytes, int[] First, int[] Last) Lives(System.Random random)
    {
        var count = random.Next(1, 60);
        var (bytes, first, last) = (new long[count], new int[count], new int[count]);
        for (var i = 0; i < count; i++)
        {
            bytes[i] = random.Next(4) switch { 0 => 0, 1 => 64 * random.Next(1, 4), _ => random.Next(1, 100_000) };
            first[i] = random.Next(count);
            last[i] = Math.Min(count, first[i] + (random.Next(8) == 0 ? random.Next(count) : random.Next(4)));
        }
        return (bytes, first, last);
    }

    /// <summary>The first of the packer's orders, in a few lines.</summary>
    private static long BySizeAlone(long[] bytes, int[] first, int[] last)
    {
        var room = ArenaPacker.Rooms(bytes);
        var placed = new List<(int Block, long At)>();
        foreach (var i in Enumerable.Range(0, bytes.Length).OrderByDescending(i => room[i]))
        {
            var (best, gap, end) = (-1L, long.MaxValue, 0L);
            foreach (var (j, at) in placed.OrderBy(p => p.At))
            {
                if (first[j] > last[i] || first[i] > last[j]) continue;
                if (at - end >= room[i] && at - end < gap) (best, gap) = (end, at - end);
                end = Math.Max(end, at + room[j]);
            }
            placed.Add((i, best < 0 ? end : best));
        }
        return placed.Max(p => p.At + room[p.Block]);
    }
}
