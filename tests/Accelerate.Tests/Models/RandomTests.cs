// In: initialisers, random tensors, dropout and sampling. Out: their moments, ranges and probabilities are what they
// should be.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Models;

public class RandomTests
{
    private const string Source = """
        use nn
        export fn kaiming_(key: i64) -> f32[400, 50] = kaiming(key, [400, 50])
        export fn kaiming_uniform_(key: i64) -> f32[400, 50] = kaiming_uniform(key, [400, 50])
        export fn kaiming_normal_(key: i64) -> f32[400, 10, 5] = kaiming_normal(key, [400, 10, 5])
        export fn xavier_(key: i64) -> f32[400, 50] = xavier(key, [400, 50])
        export fn xavier_normal_(key: i64) -> f32[400, 10, 5] = xavier_normal(key, [400, 10, 5])
        export fn trunc_normal_(key: i64) -> f32[400, 50] = trunc_normal(key, [400, 50], deviation: 2.0, cut: 1.5)
        export fn erfinv_(x: f32[n]) -> f32[n] = erfinv(x)
        export fn bernoulli_(key: i64) -> f32[20000] = f32(bernoulli(key, [20000], p: 0.3))
        export fn exponential_(key: i64) -> f32[20000] = exponential(key, [20000])
        export fn integers_(key: i64) -> f32[20000] = f32(integers(key, [20000], 7, low: -2))
        export fn permutation_(key: i64) -> i32[1000] = permutation(key, 1000)
        export fn dropped(x: f32[n, m], key: i64) -> f32[n, m] = dropout(x, 0.25, key)
        export fn dropped2d(x: f32[n, c, h, w], key: i64) -> f32[n, c, h, w] = dropout2d(x, 0.25, key)
        export fn drawn(key: i64) -> i32[20000] {
            let x = [i < 20000, j < 4] => f32(j)
            return sample(x, key, temperature: 2, top_k: 3)
        }
        export fn nucleus(key: i64) -> i32[20000] {
            let x = [i < 20000, j < 4] => f32(j)
            return sample(x, key, top_p: 0.8)
        }
        export fn coldest(x: f32[n, m], key: i64) -> i32[n] = sample(x, key, temperature: 0)
        """;

    private static readonly Lazy<Executable> Compiled = new(() =>
    {
        var compilation = Compilation.FromSource(new SourceText("t.acc", Source));
        Assert.True(compilation.Diagnostics.IsEmpty, PrettyRenderer.Render(compilation.Diagnostics));
        return Executables.Create("llvm", compilation);
    });

    private static double[] Run(string entry, params Tensor[] inputs)
    {
        using var session = Compiled.Value.CreateSession();
        return session.Run(entry, inputs)[0].ToDoubles();
    }

    private static Tensor Key(long key = 7) => Tensor.Scalar(key);

    /// <summary>20,000 draws: four deviations of the mean's and of the variance's own estimate are allowed.</summary>
    [LlvmTheory]
    [InlineData("kaiming_", 0, 1.0 / 50, 1.8)] // kurtosis 1.8: uniform, 3: normal
    [InlineData("kaiming_uniform_", 0, 2.0 / 50, 1.8)]
    [InlineData("kaiming_normal_", 0, 2.0 / 50, 3)]
    [InlineData("xavier_", 0, 2.0 / 450, 1.8)]
    [InlineData("xavier_normal_", 0, 2.0 / (50 + 400 * 5), 3)]
    [InlineData("trunc_normal_", 0, 4 * 0.55152, 2.1221)] // of the normal cut at 1.5 deviations
    [InlineData("bernoulli_", 0.3, 0.3 * 0.7, 1.7619)]
    [InlineData("exponential_", 1, 1, 9)]
    [InlineData("integers_", 2, (81 - 1) / 12.0, 1.77)]
    public void Moments(string entry, double mean, double variance, double kurtosis)
    {
        var x = Run(entry, Key());
        var m = x.Average();
        var v = x.Average(y => (y - m) * (y - m));
        var k = x.Average(y => Math.Pow(y - m, 4)) / (v * v);
        Assert.InRange(m - mean, -4 * Math.Sqrt(variance / x.Length), 4 * Math.Sqrt(variance / x.Length));
        Assert.InRange(v / variance, 1 - 4 * Math.Sqrt((kurtosis - 1) / x.Length),
            1 + 4 * Math.Sqrt((kurtosis - 1) / x.Length));
        Assert.InRange(k / kurtosis, 0.7, 1.3);
        Assert.NotEqual(x, Run(entry, Key(8)));
        Assert.Equal(x, Run(entry, Key()));
    }

    [LlvmFact]
    public void ATruncatedNormalIsCut() => Assert.All(Run("trunc_normal_", Key()), x => Assert.InRange(x, -3, 3));

    /// <summary>erfinv undoes erf, whose values at these points are from tables.</summary>
    [LlvmFact]
    public void TheInverseOfErf()
    {
        double[] x =
            [0, 0.1124629160182849, 0.5204998778130465, 0.8427007929497149, 0.9953222650189527, -0.9999779095030014];
        double[] expected = [0, 0.1, 0.5, 1, 2, -3];
        Assert.All(Run("erfinv_", Tensor.From(Array.ConvertAll(x, v => (float)v), x.Length)).Zip(expected),
            p => Assert.InRange(p.First - p.Second, -3e-4 * Math.Abs(p.Second) - 1e-7,
                3e-4 * Math.Abs(p.Second) + 1e-7));
    }

    [LlvmFact]
    public void APermutationHasEachNumberOnce() =>
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (double)i), Run("permutation_", Key()).Order());

    [LlvmFact]
    public void DropoutKeepsAboutThreeQuartersAndTheMean()
    {
        var y = Run("dropped", Tensor.From(Enumerable.Repeat(3f, 20000).ToArray(), 100, 200), Key());
        Assert.All(y, v => Assert.True(v is 0 or 4, $"{v}"));
        Assert.InRange(y.Count(v => v == 0) / 20000.0, 0.238, 0.262);
        var z = Run("dropped2d", Tensor.From(Enumerable.Repeat(3f, 20000).ToArray(), 20, 100, 2, 5), Key());
        var channels = z.Chunk(10).ToList();
        Assert.All(channels, c => Assert.True(c.All(v => v == c[0]) && c[0] is 0 or 4));
        Assert.InRange(channels.Count(c => c[0] == 0) / 2000.0, 0.21, 0.29);
    }

    /// <summary>
    /// Draws have the probabilities of softmax over what is kept; those that are not are never drawn.
    /// </summary>
    [LlvmTheory]
    [InlineData("drawn", 0.0, 0.1863, 0.3072, 0.5065)] // softmax of 1, 2, 3 halved
    [InlineData("nucleus", 0.0, 0.0, 0.2689, 0.7311)] // of 2, 3: the least that have 0.8 of the softmax of 0, 1, 2, 3
    public void SamplingHasTheProbabilitiesOfWhatIsKept(string entry, double a, double b, double c, double d)
    {
        double[] probabilities = [a, b, c, d];
        var drawn = Run(entry, Key(3));
        for (var i = 0; i < probabilities.Length; i++)
        {
            var share = drawn.Count(d => d == i) / (double)drawn.Length;
            if (probabilities[i] == 0) Assert.Equal(0, share);
            else Assert.InRange(share, probabilities[i] - 0.015, probabilities[i] + 0.015);
        }
    }

    [LlvmFact]
    public void TemperatureZeroIsGreedyAndTheFirstOfEquals() => Assert.Equal([2, 0, 1],
        Run("coldest", Tensor.From([0f, 1, 2, 5, 5, 1, -3, -1, -2], 3, 3), Key()));
}
