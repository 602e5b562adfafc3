// Attention over a cache with room to spare: the bits of the whole capacity, the time of what is in use, and no copies.
using System.Diagnostics;
using Accelerate.Backends;
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Control;

public class MaskedAxesTests(ITestOutputHelper output)
{
    /// <summary>`plain` is `masked` with a mask of the same values that the lowering does not recognise.</summary>
    private const string Attention = """
        use nn
        export fn masked(q: f32[b, h, t, d], k: f32[b, h, n, d], v: f32[b, h, n, d], pos: i32) -> f32[b, h, t, d] =
            attention(q, k, v, mask: [i < t, j < n] => j <= pos + i)
        export fn plain(q: f32[b, h, t, d], k: f32[b, h, n, d], v: f32[b, h, n, d], pos: i32) -> f32[b, h, t, d] =
            attention(q, k, v, mask: [i < t, j < n] => not (j > pos + i))
        """;

    private const string Decoder = """
        use nn
        module Block(w, heads) {
            let qkv = Linear(w, 3 * w)
            let out = Linear(w, w)
            let up = Linear(w, 4 * w)
            let down = Linear(4 * w, w)
            fn apply(x: f32[b, t, w], pos: i32, inout cache: f32[2, b, heads, cap, w // heads]) -> f32[b, t, w] {
                let q, k, v = [split_heads(y, heads) for y in split(qkv(x), 3)]
                cache[0, :, :, pos : pos + t] = k
                cache[1, :, :, pos : pos + t] = v
                let seen = [i < t, j < cap] => j <= pos + i
                x += attention(q, cache[0], cache[1], mask: seen) |> merge_heads |> out
                return x + (x |> up |> gelu |> down)
            }
        }
        module Net(layers = 4, w = 256, heads = 8) {
            let blocks = [Block(w, heads) for i in 0:layers]
            export fn step(x: f32[b, t, w], pos: i32, inout cache: f32[layers, 2, b, heads, cap, w // heads]) -> f32[b, t, w] {
                for i, block in enumerate(blocks) { x = block(x, pos, inout cache[i]) }
                return x
            }
        }
        """;

    private static Compilation Compiled(string text)
    {
        var compilation = Compilation.FromSource(new SourceText("test.acc", text), new());
        Assert.Empty(compilation.Diagnostics.Select(d => d.Headline));
        return compilation;
    }

    [LlvmFact]
    public void TheBitsAreThoseOfTheWholeAxis()
    {
        var programs = Compiled(Attention).Programs;
        Assert.Single(programs[0].AllSteps.OfType<SizeStep>());
        Assert.Empty(programs[1].AllSteps.OfType<SizeStep>());
        using var interpreter = new InterpreterExecutable(programs);
        using var native = new LlvmExecutable(programs, new(Threads: 3, UseCache: false));
        using var timed = new LlvmExecutable(programs, new("x86-64", 0, TimeSteps: true, UseCache: false));
        var executables = new List<Executable> { interpreter, native, timed };
        var random = new System.Random(5);
        // The last key in use at a block's end and inside, the first only, all, none, and beyond the end.
        foreach (var (t, n, pos) in new[] { (1, 9, 3), (1, 5000, 4095), (1, 5000, 4200), (3, 40, 0), (3, 3, 0),
            (2, 17, -5), (1, 8, 70), (1, 1, 0) })
        {
            Tensor Numbers(params long[] shape) =>
                Tensor.From(Enumerable.Range(0, (int)shape.Aggregate(1L, (p, s) => p * s))
                    .Select(_ => random.NextSingle() * 4 - 2).ToArray(), shape);
            Tensor[] inputs = [Numbers(2, 2, t, 8), Numbers(2, 2, n, 8), Numbers(2, 2, n, 8), Tensor.Scalar(pos)];
            byte[]? expected = null;
            foreach (var executable in executables)
            {
                using var session = executable.CreateSession();
                foreach (var entry in new[] { "plain", "masked" })
                {
                    var bytes = session.Run(entry, inputs)[0].Bytes.ToArray();
                    expected ??= bytes;
                    Assert.True(expected.SequenceEqual(bytes), $"{executable.Backend} {entry} t={t} n={n} pos={pos}");
                }
            }
        }
    }

    [LlvmFact]
    public void ADecodeStepTakesTheTimeOfWhatIsInUse()
    {
        var compilation = Compiled(Decoder);
        var program = compilation.Programs[0];
        Assert.Equal(0, program.Copies);
        using var executable = Executables.Create("llvm", compilation, new() { Threads = 1 });
        using var session = executable.CreateSession();
        var x = Tensor.From(Enumerable.Range(0, 256).Select(i => MathF.Sin(i)).ToArray(), 1, 1, 256);
        var pos = Tensor.Scalar(200);
        Tensor[] caches = [Tensor.Zeros(DType.F32, 4, 2, 1, 8, 256, 32), Tensor.Zeros(DType.F32, 4, 2, 1, 8, 4096, 32)];
        // Interleaved, the best of many: what else the machine does adds to both, and only ever adds.
        double[] best = [double.MaxValue, double.MaxValue];
        for (var round = 0; round < 400; round++)
        {
            for (var c = 0; c < 2; c++)
            {
                var start = Stopwatch.GetTimestamp();
                session.Run("step", x, pos, caches[c])[0].Dispose();
                best[c] = Math.Min(best[c], Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            }
        }
        output.WriteLine(
            $"at position 200 of 256: {best[0]:0.0} us, of 4096: {best[1]:0.0} us, {best[1] / best[0]:0.000} x");
        Assert.True(best[1] <= 1.1 * best[0], $"{best[0]} us, {best[1]} us");
    }
}
