// In: the programs of the benchmark's training rows, at small sizes. Out: whether a step goes down the loss's gradient,
// and LLVM's step is the kernel interpreter's.
using System.Globalization;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Autodiff;

public sealed class TrainingRowTests(ITestOutputHelper output)
{
    /// <summary>
    /// A step of SGD is the rate times the gradient g of all parameters. Steps of ±h give losses whose difference over 2 h
    /// is |g|², up to the square of h and the rounding of f32; h changes the loss by a hundredth.
    /// </summary>
    /// <param name="file">The row's program.</param>
    /// <param name="set">Its hyper-parameters, `name=value` each.</param>
    /// <param name="sizes">Of the call.</param>
    /// <param name="isGradient">
    /// Whether the gradient can be read off a step. AdamW's is no multiple of it, and that of ResNet-50, whose statistics
    /// are of few places here, is so large that weights in f32 do not resolve a step for which the loss is straight.
    /// </param>
    [Theory]
    [InlineData("bench/train_mlp.acc", "", "n=3")]
    [InlineData("bench/train_mlp_adamw.acc", "", "n=3", false)]
    [InlineData("bench/train_cnn.acc", "", "n=1")]
    [InlineData("bench/train_bert_block.acc", "d=8 heads=2 inner=16", "n=2 t=5")]
    [InlineData("bench/train_gpt2_block.acc", "d=8 heads=2", "n=2 t=5")]
    [InlineData("bench/train_lstm.acc", "i=5 h=6", "n=2 t=7")]
    [InlineData("examples/models/train_resnet50.acc", "width=2 classes=3", "n=2 s=64", false)]
    public void AStepGoesDownTheGradient(string file, string set, string sizes, bool isGradient = true)
    {
        var compilation = Compilation.FromFile(Path.Combine(Shared.Repository, file), new CompilationOptions
        {
            Set = Pairs(set).ToDictionary(p => p.Name, p => p.Value),
            Dims = Pairs(sizes).ToDictionary(p => p.Name, p => long.Parse(p.Value, CultureInfo.InvariantCulture)),
        });
        Assert.True(compilation.Diagnostics.IsEmpty, string.Join('\n', compilation.Diagnostics));
        var inputs = Inputs(compilation.Programs.Single());
        using var llvm = Executables.Create(Backend.Llvm, compilation);
        using var session = llvm.CreateSession();
        var before = Parameters(session);
        var loss = Step(session, inputs, 0);
        foreach (var (name, values) in Parameters(session)) Assert.True(values.SequenceEqual(before[name]), name);
        if (isGradient)
        {
            // The loss behind a step from where the weights were.
            double Behind(double rate)
            {
                session.Reset();
                Step(session, inputs, rate);
                return Step(session, inputs, 0);
            }
            Behind(1);
            var square = Parameters(session).Sum(p => p.Value.Zip(before[p.Key]).Sum(v => Math.Pow(v.First - v.Second, 2)));
            var h = 0.01 * loss / square;
            var slope = (Behind(-h) - Behind(h)) / (2 * h);
            output.WriteLine($"loss {loss}, |g|² {square}, by differences {slope}");
            Assert.InRange(slope / square, 0.98, 1.02);
        }

        using var interpreter = Executables.Create(Backend.Interpreter, compilation);
        using var slow = interpreter.CreateSession();
        session.Reset();
        Assert.Equal(Step(slow, inputs, 0.01), Step(session, inputs, 0.01));
        foreach (var (name, value) in slow.State) Assert.True(value.SameBits(session.State[name]), name);
    }

    private static double Step(Session session, Tensor[] inputs, double rate)
    {
        using var number = Tensor.Scalar((float)rate);
        using var results = session.Run("step", [.. inputs, number]);
        return results[0].ToDoubles()[0];
    }

    private static Tensor[] Inputs(Program program)
    {
        var random = new System.Random(3);
        return [.. program.Of(BufferKind.Input).Where(b => b.Type.Shape.Length > 0).Select(b =>
        {
            long[] shape = [.. b.Type.Shape.Select(s => s.Evaluate(_ => throw new InvalidOperationException("open")))];
            return Tensor.FromDoubles(b.Type.DType, [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, c) => a * c))
                .Select(i => b.Type.DType.IsFloat ? random.NextDouble() * 2 - 1 : i % 3)], shape);
        })];
    }

    /// <summary>What the gradient is by, and not the statistics and moments that every step changes.</summary>
    private static Dictionary<string, double[]> Parameters(Session session) => session.State
        .Where(s => !s.Key.StartsWith("opt.", StringComparison.Ordinal)
            && !s.Key.Split('.')[^1].StartsWith("running_", StringComparison.Ordinal)
            && !s.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal))
        .ToDictionary(s => s.Key, s => s.Value.ToDoubles());

    private static IEnumerable<(string Name, string Value)> Pairs(string text) =>
        text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=')).Select(p => (p[0], p[1]));
}
