// The floors of kernels against sums done by hand, on a machine of round numbers.
using Accelerate.Bench;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Bench;

public class RooflineTests
{
    /// <summary>
    /// 10 GFLOP/s; L1 holds 1 KiB, L2 64 KiB; 8 GB/s and 4 GB/s and 1 GB/s of reading, half of it where there are
    /// writes.
    /// </summary>
    private static readonly MachineLimits Limits = new(1, 10,
        [new("L1", 1 << 10, 8, 4), new("L2", 64 << 10, 4, 2), new("DRAM", long.MaxValue, 1, 0.5)], 0);

    [Fact]
    public void AMapIsBoundByTheLevelThatHoldsItsArrays()
    {
        const string Text = "export fn f(x: f32[n]) -> f32[n] = -x";
        // 64 floats are read and as many written: 512 bytes at 4 GB/s.
        Assert.Equal(("L1", 512 / 4.0), Only(Text, ("n", 64)));
        Assert.Equal(("L2", 8 * 1024 / 2.0), Only(Text, ("n", 1024)));
        Assert.Equal(("DRAM", 8 * 65536 / 0.5), Only(Text, ("n", 65536)));
    }

    [Fact]
    public void AProductIsBoundByArithmetic()
    {
        // 2·64³ operations at 10 GFLOP/s; its three matrices of 16 KiB take 48 KiB / 2 to 4 GB/s.
        Assert.Equal(("FMA", Math.Round(2 * 64 * 64 * 64 / 10.0, 3)),
            Only("export fn f(x: f32[n, n], y: f32[n, n]) -> f32[n, n] = x @ y", ("n", 64)));
    }

    [Fact]
    public void AGatherOfFewRowsTouchesFewRows()
    {
        // 2 rows of 256 floats out of 2^20, and their 2 indices: 1 KiB each way. The table itself would be 1 GiB.
        var (name, nanoseconds) = Only("export fn f(t: f32[r, 256], i: i64[k]) -> f32[k, 256] = [a, b] => t[i[a], b]",
            ("r", 1 << 20), ("k", 2));
        Assert.Equal("L2", name);
        Assert.InRange(nanoseconds, 4096 / 2.0, 4096 / 2.0 + 8 * 512);
    }

    [Fact]
    public void WhatOtherCallsTouchedSinceDecidesTheLevel()
    {
        // Each product takes a weight of 16 KiB; together they exceed L2 (64 KiB), so that every weight comes from DRAM
        // again.
        var text = string.Join('\n', Enumerable.Range(0, 8).Select(i => $"    param w{i}: f32[64, 64] = 0"));
        var body = Enumerable.Range(0, 8).Aggregate("x", (x, i) => $"({x} @ w{i})");
        var bounds = Bounds($"module M() {{\n{text}\n    export fn f(x: f32[1, 64]) -> f32[1, 64] = {body}\n}}");
        Assert.Equal(8, bounds.Count);
        Assert.All(bounds, b => Assert.Equal("DRAM", b.Name));
        Assert.All(bounds, b => Assert.InRange(b.Ms * 1e6, 16384, 16384 + 1024));
    }

    private static (string Name, double Nanoseconds) Only(string text, params (string Name, long Value)[] sizes)
    {
        var bound = Assert.Single(Bounds(text, sizes));
        return (bound.Name, Math.Round(bound.Ms * 1e6, 3));
    }

    private static IReadOnlyList<Bound> Bounds(string text, params (string Name, long Value)[] sizes)
    {
        var compilation = Compilation.FromSource(new SourceText("t.acc", text));
        return Roofline.Of(compilation.Programs.Single(), sizes.ToDictionary(s => s.Name, s => s.Value), Limits);
    }
}
