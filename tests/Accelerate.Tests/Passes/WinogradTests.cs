// Convolutions in Winograd's form: that the matrices multiply polynomials, how close the results are to f64, and which
// convolutions are taken.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Passes;

public class WinogradTests
{
    [Fact]
    public void TheMatricesFilterExactly()
    {
        var random = new System.Random(1);
        for (var round = 0; round < 20; round++)
        {
            double[] d = [.. Enumerable.Range(0, 6).Select(_ => random.NextDouble() - 0.5)];
            double[] g = [.. Enumerable.Range(0, 3).Select(_ => random.NextDouble() - 0.5)];
            double[] products =
                [.. Apply(WinogradMatrices.Weights, g).Zip(Apply(WinogradMatrices.Data, d), (u, v) => u * v)];
            var y = Apply(WinogradMatrices.Results, products).ToList();
            for (var i = 0; i < 4; i++) Assert.Equal(d[i] * g[0] + d[i + 1] * g[1] + d[i + 2] * g[2], y[i], 1e-13);
        }

        static IEnumerable<double> Apply(double[][] matrix, double[] x) =>
            matrix.Select(row => row.Zip(x, (a, b) => a * b).Sum());
    }

    [Fact]
    public void TheMatricesOfDataAndResultsAreExactInF32()
    {
        Assert.All(WinogradMatrices.Data.Concat(WinogradMatrices.Results)
            .SelectMany(r => r), x => Assert.Equal(x, (float)x));
    }

    /// <summary>
    /// The error is a small multiple of 2^-24 of the sum of the products' magnitudes, the largest one of a tile, whose
    /// results are made of the same numbers: of three transforms of 6 terms, whose factors the points keep small, and
    /// of a sum over the channels. The direct form has 4.3 (see the matrices). Images of one sign, the worst case for a
    /// transform with differences, are in it.
    /// </summary>
    [LlvmTheory]
    [InlineData(1, 32, 32, 12, 12, 1, -1.0)]
    [InlineData(1, 64, 48, 14, 13, 1, -1.0)]
    [InlineData(2, 33, 40, 15, 18, 0, 0.0)]
    [InlineData(1, 96, 64, 16, 12, 2, 0.0)]
    public void CloseToF64AndTheSameBitsOnBothExecutors(int n, int c, int o, int h, int w, int padding, double low)
    {
        var compilation = Compile(c, o, h, w, $"padding: {padding}");
        Assert.True(IsTaken(compilation));
        var random = new System.Random(c);
        double[] x =
            [.. Enumerable.Range(0, n * c * h * w).Select(_ => (double)(float)(low + random.NextDouble() * (1 - low)))];
        double[] weights =
            [.. Enumerable.Range(0, o * c * 9).Select(_ => (double)(float)(random.NextDouble() * 2 - 1))];
        var state =
            new Dictionary<string, Tensor> { ["conv.weight"] = Tensor.FromDoubles(DType.F32, weights, [o, c, 3, 3]) };
        Tensor Run(string backend)
        {
            using var executable = Executables.Create(backend, compilation.Programs, null, state);
            using var session = executable.CreateSession();
            return session.Run("f", Tensor.FromDoubles(DType.F32, x, [n, c, h, w]))[0];
        }
        var result = Run("llvm");
        Assert.True(result.SameBits(Run("interpreter")));
        var (oh, ow, y) = (h + 2 * padding - 2, w + 2 * padding - 2, result.ToDoubles());
        Assert.Equal([n, o, oh, ow], result.Shape.ToArray());
        var (errors, magnitudes) = (new double[y.Length], new Dictionary<(int, int, int, int), double>());
        (int, int, int, int) TileOf(int at) => (at / (ow * oh * o), at / (ow * oh) % o, at / ow % oh / 4, at % ow / 4);
        for (var at = 0; at < y.Length; at++)
        {
            var (j, i, f, b) = (at % ow, at / ow % oh, at / (ow * oh) % o, at / (ow * oh * o));
            var (sum, magnitude) = (0.0, 0.0);
            for (var k = 0; k < c * 9; k++)
            {
                var (s, r, channel) = (j + k % 3 - padding, i + k / 3 % 3 - padding, k / 9);
                if (r < 0 || r >= h || s < 0 || s >= w) continue;
                var product = x[((b * c + channel) * h + r) * w + s] * weights[(f * c + channel) * 9 + k % 9];
                (sum, magnitude) = (sum + product, magnitude + Math.Abs(product));
            }
            errors[at] = Math.Abs(y[at] - sum);
            magnitudes[TileOf(at)] = Math.Max(magnitudes.GetValueOrDefault(TileOf(at)), magnitude);
        }
        var worst = errors.Select((e, at) => e / magnitudes[TileOf(at)] * (1 << 24)).Max();
        Assert.True(worst < 12, $"{worst} times 2^-24 of the sum of magnitudes");
    }

    [Theory]
    [InlineData(32, 32, 12, 12, "padding: 1", true)]
    [InlineData(32, 32, 14, 14, "", true)]
    [InlineData(31, 32, 14, 14, "padding: 1", false)]
    [InlineData(32, 31, 14, 14, "padding: 1", false)]
    [InlineData(32, 32, 13, 14, "", false)]
    [InlineData(32, 32, 28, 28, "padding: 1, stride: 2", false)]
    [InlineData(32, 32, 28, 28, "padding: 1, dilation: 2", false)]
    [InlineData(32, 32, 28, 28, "padding: 1, groups: 2", false)]
    [InlineData(32, 32, 28, 28, "padding_w: 2, k_w: 5", false)]
    public void WhatIsTaken(int c, int o, int h, int w, string form, bool isTaken) =>
        Assert.Equal(isTaken, IsTaken(Compile(c, o, h, w, form)));

    [Fact]
    public void NotInTrainingNotInLowPrecisionNotWhereItIsSwitchedOff()
    {
        Assert.True(IsTaken(Compile(32, 32, 14, 14, "padding: 1")));
        Assert.False(IsTaken(Compile(32, 32, 14, 14, "padding: 1", new() { DirectConvolutions = true })));
        Assert.False(IsTaken(Compile(32, 32, 14, 14, "padding: 1", new() { Compute = DType.BF16 })));
        Assert.False(
            IsTaken(Compile(32, 32, 14, 14, "padding: 1",
                assigned: "export fn train(w: f32[32, 32, 3, 3]) { conv.weight = w }")));
        // A size that only a call tells.
        Assert.False(IsTaken(Compile(32, 32, 14, 14, "padding: 1", type: "f32[1, 32, h, w]")));
    }

    /// <summary>A dump names the layer and says what became of it.</summary>
    [Fact]
    public void TheLayerIsNamed()
    {
        var text = GraphPrinter.Print(Compile(32, 32, 14, 14, "padding: 1").Entries[0].Optimised!);
        Assert.Contains(text.Split('\n'), l => l.Contains("dot(") && l.Contains("Conv2d conv2d winograd"));
    }

    private static bool IsTaken(Compilation compilation) =>
        compilation.Entries.Single(e => e.Name == "f").Optimised is { } f
        && f.Nodes.Any(n => f.OriginOf(n).Composites.Contains("winograd"));

    private static Compilation Compile(int c, int o, int h, int w, string form, CompilationOptions? options = null,
        string assigned = "", string? type = null)
    {
        var source = $$"""
            use nn
            module Net {
                let conv = Conv2d({{c}}, {{o}}, 3{{(form.Length > 0 ? ", " : "")}}{{form}})
                export fn f(x: {{type ?? $"f32[n, {c}, {h}, {w}]"}}) = conv(x)
                {{assigned}}
            }
            """;
        var compilation = Compilation.FromSource(new SourceText("winograd.acc", source), options);
        Assert.Empty(compilation.Diagnostics);
        return compilation;
    }
}
