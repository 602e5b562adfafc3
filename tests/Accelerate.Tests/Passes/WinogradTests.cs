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

    /// <summary>
    /// The bound is one of a whole tile: a result with a small neighbourhood beside a great number of its tile has the
    /// error of the greatest. It is what `--conv direct` is for; LANGUAGE.md states it.
    /// </summary>
    [LlvmFact]
    public void TheErrorIsBoundedByTheGreatestOfATile()
    {
        const int C = 32, O = 32, H = 16, W = 16;
        var random = new System.Random(5);
        double[] x = [.. Enumerable.Range(0, C * H * W).Select(_ => (double)(float)(random.NextDouble() * 2 - 1))];
        // Places of every magnitude up to the one from which the layer would take its direct form.
        for (var k = 0; k < 60; k++) x[random.Next(x.Length)] *= Math.Pow(2, k * 0.9);
        var weights = Weights(random, C, O);
        var y = Run("llvm", Layer(C, O, H, W), x, weights, C, O, H, W).ToDoubles();
        var (sums, magnitudes) = Direct(x, weights, C, O, H, W);
        var errors = sums.Select((s, at) => Math.Abs(y[at] - s)).ToList();
        // A tile of 4 x 4 results reads 6 x 6 places, the first of them one before.
        double Greatest(int channel, int tileRow, int tileColumn) =>
            (from r in Enumerable.Range(4 * tileRow - 1, 6)
             from s in Enumerable.Range(4 * tileColumn - 1, 6)
             where r is >= 0 and < H && s is >= 0 and < W
             select Math.Abs(x[(channel * H + r) * W + s])).Max();
        var greatest = new double[C, H / 4, W / 4];
        for (var c = 0; c < C; c++)
            for (var r = 0; r < H / 4; r++)
                for (var s = 0; s < W / 4; s++) greatest[c, r, s] = Greatest(c, r, s);
        double Bound(int at) => Enumerable.Range(0, C).Sum(c => greatest[c, at / W % H / 4, at % W / 4]
            * Enumerable.Range(0, 9).Sum(k => Math.Abs(weights[(at / (H * W) * C + c) * 9 + k])));
        var worst = errors.Select((e, at) => e / Bound(at) * (1 << 24)).Max();
        Assert.True(worst < 4, $"{worst} times 2^-24 of the greatest of a tile by the sum of the weights");
        // And not by each result's own: there are results that lost everything.
        Assert.Contains(errors.Select((e, at) => e / magnitudes[at]), e => e > 1);
    }

    /// <summary>
    /// What is not finite, or nearly so, spreads to no result whose neighbourhood does not hold it; also through what
    /// is fused into the layer, and with weights like these.
    /// </summary>
    [LlvmTheory]
    [InlineData("", double.NaN)]
    [InlineData("", double.PositiveInfinity)]
    [InlineData("", double.NegativeInfinity)]
    [InlineData("", 1e30)]
    [InlineData("", -3e38)]
    [InlineData("relu", double.NegativeInfinity)]
    [InlineData("silu", double.NaN)]
    [InlineData("residual", 1e30)]
    [InlineData("weights", double.PositiveInfinity)]
    [InlineData("weights", 1e30)]
    public void WhatIsNotFiniteStaysInItsNeighbourhood(string form, double value)
    {
        const int C = 32, O = 32, H = 14, W = 17;
        var random = new System.Random(7);
        double[] x = [.. Enumerable.Range(0, C * H * W).Select(_ => (double)(float)(random.NextDouble() * 2 - 1))];
        var weights = Weights(random, C, O);
        // Four places of a tile: even and odd in both directions.
        for (var k = 0; k < 4; k++)
        {
            var (image, clean) = (x.ToArray(), weights.ToArray());
            if (form == "weights") clean[9 * C * 3 + 9 * 5 + 2 * k] = value;
            else image[(11 * H + 5 + k / 2) * W + 9 + k % 2] = value;
            var compilation = Layer(C, O, H, W, form);
            Assert.True(IsTaken(compilation));
            var result = Run("llvm", compilation, image, clean, C, O, H, W);
            Assert.True(result.SameBits(Run("interpreter", compilation, image, clean, C, O, H, W)));
            var (y, (sums, magnitudes)) = (result.ToDoubles(), Direct(image, clean, C, O, H, W));
            var touched = 0;
            for (var at = 0; at < y.Length; at++)
            {
                var wanted = form switch
                {
                    "relu" => sums[at] > 0 || double.IsNaN(sums[at]) ? sums[at] : 0,
                    "silu" => sums[at] / (1 + Math.Exp(-sums[at])),
                    "residual" => sums[at] + image[at],
                    _ => sums[at],
                };
                if (!double.IsFinite(wanted) || Math.Abs(wanted) > float.MaxValue)
                {
                    touched++;
                    Assert.False(double.IsFinite(y[at]), $"{at}: {y[at]}, not {wanted}");
                    continue;
                }
                var bound = 50 * Math.Pow(2, -24) * (magnitudes[at] + Math.Abs(wanted));
                Assert.True(Math.Abs(y[at] - wanted) <= bound, $"{at}: {y[at]}, not {wanted}");
            }
            // Every channel around the place, or every place of a channel. A number is touched by nothing.
            if (!double.IsFinite(value) && form != "relu") Assert.Equal(form == "weights" ? H * W : 9 * O, touched);
        }
    }

    /// <summary>The branch reads and writes nothing of its own: what is fused stays fused.</summary>
    [Theory]
    [InlineData("", 8)]
    [InlineData("relu", 8)]
    [InlineData("silu", 8)]
    [InlineData("residual", 8)]
    public void TheDirectFormCostsNoPassOverTheImage(string form, int kernels)
    {
        var program = Layer(32, 32, 16, 16, form).Entries.Single(e => e.Name == "f").Program!;
        // The padded image, its rows, V, the products, two for the results; and two for the four corners of V.
        Assert.Equal(kernels, program.Steps.OfType<Accelerate.Compiler.Kernels.CallStep>().Count());
        var branch = Assert.Single(program.Steps.OfType<Accelerate.Compiler.Kernels.IfStep>());
        Assert.Empty(branch.Else);
        Assert.Single(branch.Then);
    }

    private static double[] Weights(System.Random random, int c, int o) =>
        [.. Enumerable.Range(0, o * c * 9).Select(_ => (double)(float)(random.NextDouble() * 2 - 1))];

    /// <summary>A convolution of an image with padding 1, and what follows it.</summary>
    private static Compilation Layer(int c, int o, int h, int w, string form = "")
    {
        var type = $"f32[1, {c}, {h}, {w}]";
        var body = form switch
        {
            "relu" => "relu(conv(x))",
            "silu" => "silu(conv(x))",
            "residual" => "conv(x) + x",
            _ => "conv(x)"
        };
        var source = $$"""
            use nn
            module Net {
                let conv = Conv2d({{c}}, {{o}}, 3, padding: 1)
                export fn f(x: {{type}}) = {{body}}
            }
            """;
        var compilation = Compilation.FromSource(new SourceText("winograd.acc", source));
        Assert.Empty(compilation.Diagnostics);
        return compilation;
    }

    private static Tensor Run(string backend, Compilation compilation, double[] x, double[] weights, int c, int o,
        int h, int w)
    {
        var state =
            new Dictionary<string, Tensor> { ["conv.weight"] = Tensor.FromDoubles(DType.F32, weights, [o, c, 3, 3]) };
        using var executable = Executables.Create(backend, compilation.Programs, null, state);
        using var session = executable.CreateSession();
        return session.Run("f", Tensor.FromDoubles(DType.F32, x, [1, c, h, w]))[0];
    }

    /// <summary>The convolution of one image with padding 1 in f64, and the sums of its products' magnitudes.</summary>
    private static (double[] Sums, double[] Magnitudes) Direct(double[] x, double[] weights, int c, int o, int h, int w)
    {
        var (sums, magnitudes) = (new double[o * h * w], new double[o * h * w]);
        for (var at = 0; at < sums.Length; at++)
        {
            var (j, i, f) = (at % w, at / w % h, at / (w * h));
            for (var k = 0; k < c * 9; k++)
            {
                var (s, r) = (j + k % 3 - 1, i + k / 3 % 3 - 1);
                // Padding counts as zeros: with a weight that is not finite it gives a NaN.
                var value = r < 0 || r >= h || s < 0 || s >= w ? 0 : x[(k / 9 * h + r) * w + s];
                var product = value * weights[(f * c + k / 9) * 9 + k % 9];
                sums[at] += product;
                magnitudes[at] += Math.Abs(product);
            }
        }
        return (sums, magnitudes);
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
    [InlineData(32, 32, 28, 28, "k: [3, 5], padding: [0, 2]", false)]
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
        var kernel = form.StartsWith("k:", StringComparison.Ordinal) ? form : form.Length > 0 ? $"3, {form}" : "3";
        var source = $$"""
            use nn
            module Net {
                let conv = Conv2d({{c}}, {{o}}, {{kernel}})
                export fn f(x: {{type ?? $"f32[n, {c}, {h}, {w}]"}}) = conv(x)
                {{assigned}}
            }
            """;
        var compilation = Compilation.FromSource(new SourceText("winograd.acc", source), options);
        Assert.Empty(compilation.Diagnostics);
        return compilation;
    }
}
