// Norms behind convolutions, folded into frozen weights: close to the direct form, the same bits on both executors, and
// only where they may.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Passes;

public class FoldScalesTests
{
    private const string Norms = """
        use nn
        module M {
            let conv = Conv2d(8, 8, 3, padding: 1, groups: GROUPS)
            let norm = BatchNorm(8)
            export fn f(x: f32[n, 8, 6, 7]) -> f32[n, 8, 6, 7] = x |> conv |> norm |> relu
        }
        """;

    /// <summary>
    /// Against the form that does not fold: 72 products of a result and four operations more, within 16 sqrt(76) 2^-24
    /// of the magnitudes, which stay below 72 · 2 · 1.6 + 4 for these weights.
    /// </summary>
    [LlvmTheory]
    [InlineData(1)]
    [InlineData(8)]
    public void CloseToTheDirectFormAndTheSameBitsOnBothExecutors(int groups)
    {
        var compilation = Compile(Norms, groups);
        var bound = compilation.Entries[0].Bound;
        var state = new Dictionary<string, Tensor>();
        foreach (var s in bound.Nodes.OfType<State>())
        {
            var random = new System.Random(s.Name.Length);
            long[] shape = [.. s.Type.Shape.Select(e => e.Value)];
            var low = s.Name.EndsWith("var") ? 0.5 : -1.0;
            state[s.Name] =
                Tensor.FromDoubles(DType.F32,
                    [.. Enumerable.Range(0, (int)s.Type.Count.Value)
                        .Select(_ => (double)(float)(low + random.NextDouble()))], shape);
        }
        var image = new System.Random(7);
        var x = Tensor.FromDoubles(DType.F32,
            [.. Enumerable.Range(0, 2 * 8 * 6 * 7).Select(_ => (double)(float)(image.NextDouble() * 2 - 1))], 2, 8, 6,
            7);
        Tensor Run(string backend, Compilation c)
        {
            using var executable = Executables.Create(backend, c.Programs, null, state);
            using var session = executable.CreateSession();
            return session.Run("f", x)[0];
        }
        var result = Run("llvm", compilation);
        Assert.True(result.SameBits(Run("interpreter", compilation)));
        var direct = Run("interpreter", Compile(Norms, groups, direct: true));
        var most = 16 * Math.Sqrt(76) / (1 << 24) * (72 * 2 * 1.6 + 4);
        var worst = result.ToDoubles().Zip(direct.ToDoubles(), (a, b) => Math.Abs(a - b)).Max();
        Assert.InRange(worst, 0, most);
        Assert.False(result.SameBits(direct), "folding is expected to show in some last bit: else nothing was folded");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void OneAdditionIsLeft(int groups)
    {
        var optimised = Compile(Norms, groups).Entries[0].Optimised!;
        var main = Constants.Run(optimised, FrozenState.Of(optimised));
        var places = main.Nodes.OfType<Binary>().Where(b => b.Type.Count.Variables().Contains("n")).Select(b => b.Kind)
            .ToList();
        // The depthwise form is a sum of products, of which there is one.
        Assert.Equal(groups == 8 ? [BinaryOp.Mul, BinaryOp.Add, BinaryOp.Max] : [BinaryOp.Add, BinaryOp.Max], places);
    }

    /// <summary>The channels of a depthwise weight are neighbours where the lanes read them, folded or not.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WeightsOfDepthwiseSumsAreLaidOutBefore(bool direct)
    {
        var program = Compile(Norms.Replace("8", "32"), 32, direct).Programs.Single();
        var sum = program.Kernels.SelectMany(k => Compiler.Kernels.Kernel.Statements(k.Body))
            .OfType<Compiler.Kernels.Reduction>().Single();
        var loads = Compiler.Kernels.Kernel.Statements(sum.Body).OfType<Compiler.Kernels.Load>().ToList();
        Assert.Equal(2, loads.Count);
        // [taps, channels]: 9 · channel + tap is how the model has them.
        Assert.Contains(loads, l => System.Text.RegularExpressions.Regex.IsMatch(l.Offset.Text, @"^\w+'\+32\*r\d+'$"));
        Assert.NotNull(sum.Factor);
    }

    [Fact]
    public void WeightsThatAreTrainedStay()
    {
        var compilation = Compile("""
            use nn
            module M {
                let conv = Conv2d(8, 8, 3)
                let norm = BatchNorm(8)
                export fn f(x: f32[n, 8, 6, 7]) = x |> conv |> norm
                export fn set(w: f32[8, 8, 3, 3]) { conv.weight = w }
            }
            """, 1);
        Assert.Contains(compilation.Entries.First(e => e.Name == "f").Optimised!.Nodes,
            n => n is Binary { Kind: BinaryOp.Mul } b && b.Type.Rank > 1);
    }

    private static Compilation Compile(string text, int groups, bool direct = false)
    {
        var source = new SourceText("norms.acc", text.Replace("GROUPS", $"{groups}"));
        var compilation = Compilation.FromSource(source, new CompilationOptions { DirectConvolutions = direct });
        Assert.Empty(compilation.Diagnostics);
        return compilation;
    }
}
