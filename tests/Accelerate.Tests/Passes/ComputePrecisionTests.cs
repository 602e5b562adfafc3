// --compute: contractions of 16-bit operands and f32 sums, nothing else; close to f32; the same bits on both executors.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Passes;

public sealed class ComputePrecisionTests(ITestOutputHelper output)
{
    private static string Example(string name) => Path.Combine(Shared.Repository, "examples", name);

    private const string Mlp = """
        use nn
        export fn logits(x: f32[n, 784], w1: f32[784, 128], w2: f32[128, 10]) -> f32[n, 10] = softmax(relu(x @ (w1 - 0.5)) @ (w2 - 0.5) / 100)
        """;

    private static Compilation Compile(string file, DType? compute) => file == nameof(Mlp)
        ? Compilation.FromSource(new SourceText(Example("mlp_of_inputs.acc"), Mlp),
            new CompilationOptions { Compute = compute })
        : Compilation.FromFile(Example(file), new CompilationOptions { Compute = compute });

    [Fact]
    public void OnlyTheOperandsOfContractionsAreNarrow()
    {
        foreach (var file in (string[])["mlp.acc", nameof(Mlp), "mnist_cnn.acc"])
        {
            foreach (var entry in Compile(file, DType.BF16).Entries)
            {
                var function = entry.Optimised!;
                Verifier.Verify(function);
                Assert.Equal(entry.Bound.Inputs.Select(i => i.Type), function.Inputs.Select(i => i.Type));
                Assert.Equal(entry.Bound.Results.Select(r => r.Type), function.Results.Select(r => r.Type));
                Assert.All(function.Nodes.OfType<Dot>(), d => Assert.Equal((DType.BF16, DType.BF16, DType.F32),
                    (d.OperandType(0).DType, d.OperandType(1).DType, d.Type.DType)));
                Assert.NotEmpty(function.Nodes.OfType<Dot>());
                Assert.All(function.Nodes.Where(n => n.Type.DType == DType.BF16),
                    n => Assert.True(n is Compiler.Graph.Convert or Transpose or Reshape or Broadcast or Slice or Window
                        or Pad
                        or Compiler.Graph.Barrier or Const, n.Op));
                // Rounded where it is small: a window of it is not.
                Assert.All(function.Nodes.OfType<Compiler.Graph.Convert>(), c =>
                    Assert.False(c.Operands[0] is Window or Pad));
            }
        }
    }

    /// <summary>
    /// Each operand is off by 2^-9 (bf16) or 2^-12 (f16) of itself, so a sum of products by twice that of the sum of
    /// their magnitudes; the layers of these networks keep that below 16 times the unit of the largest log-probability.
    /// </summary>
    [LlvmTheory]
    [InlineData(nameof(Mlp), DType.BF16)]
    [InlineData("mnist_cnn.acc", DType.BF16)]
    [InlineData("mnist_cnn.acc", DType.F16)]
    public void CloseToF32AndTheSameBitsOnBothExecutors(string file, DType compute)
    {
        Tensor[] Run(string backend, DType? type)
        {
            var compilation = Compile(file, type);
            using var executable = Executables.Create(backend, compilation);
            using var session = executable.CreateSession();
            var name = compilation.Entries.Select(e => e.Name)
                .First(n => n is "log_probs" or "logits" or "predict" or "forward");
            var entry = compilation.Entries.Single(e => e.Name == name).Bound;
            var random = new System.Random(3);
            Tensor[] inputs = [.. entry.Inputs.Select(i =>
            {
                long[] shape = [.. i.Type.Shape.Select(s => s.IsConstant ? s.Value : 5)];
                return Tensor.FromDoubles(i.Type.DType,
                    [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b))
                        .Select(_ => random.NextDouble())], shape);
            })];
            return [.. session.Run(name, inputs)];
        }
        var (wide, narrow, reference) = (Run("llvm", null), Run("llvm", compute), Run("interpreter", compute));
        for (var i = 0; i < wide.Length; i++)
        {
            Assert.True(reference[i].SameBits(narrow[i]));
            var (a, b) = (wide[i].ToDoubles(), narrow[i].ToDoubles());
            var off = a.Zip(b, (x, y) => Math.Abs(x - y)).Max() / a.Max(Math.Abs);
            output.WriteLine($"{file} in {compute.Name()}: {off:E2} of the largest result");
            Assert.InRange(off, double.Epsilon, 16 * Math.ScaleB(1, compute == DType.BF16 ? -8 : -11));
        }
    }
}
