// The order of kernels: what a gradient is made of is let go when it can be, and nothing is written before what may fail.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Lowering;

public sealed class KernelOrderTests
{
    private const string Blocks = """
        use nn
        use optim
        module Block {
            let up = Linear(32, 128)
            let down = Linear(128, 32)
            fn apply(x: f32[n, 32]) -> f32[n, 32] = x + (x |> up |> gelu |> down)
        }
        module Net(again: bool = true) {
            let blocks = [Block() for i in 0:8]
            let opt = SGD(params, momentum: 0.9)
            fn loss(x: f32[n, 32]) -> f32 {
                for b in blocks { x = if again { checkpoint(b)(x) } else { b(x) } }
                return mean(x * x)
            }
            export fn step(x: f32[n, 32]) -> f32 {
                let l, g = value_and_grad(loss, wrt: params)(x)
                opt.step(g, 0.01)
                return l
            }
        }
        """;

    /// <summary>
    /// With eight blocks that are computed again, what a block begins with is kept of each, and of one at a time all of
    /// it: 8 + 14 widths of 32, where the plain step has some 8 * 14.
    /// </summary>
    [Fact]
    public void CheckpointKeepsOneBlockAtATime()
    {
        long Arena(string again) => new ArenaLayout(Assert.Single(Compiled(Blocks, again).Programs), _ => 512).Bytes;
        var (again, plain) = (Arena("true"), Arena("false"));
        Assert.InRange(again, 1, (long)(0.35 * plain));
        float[] Losses(string how)
        {
            using var executable = Executables.Create(Backend.Interpreter, Compiled(Blocks, how));
            using var session = executable.CreateSession();
            using var x = Tensor.From([.. Enumerable.Range(0, 64).Select(i => MathF.Sin(i))], 2, 32);
            return [.. Enumerable.Range(0, 12).Select(_ =>
            {
                using var result = session.Run("step", x);
                return result[0].ToArray<float>()[0];
            })];
        }
        var losses = Losses("true");
        Assert.Equal(Losses("false"), losses);
        Assert.True(losses[^1] < losses[0] / 4, string.Join(", ", losses));
    }

    /// <summary>The update would free what the gradient is made of, but the assert stands before it.</summary>
    [Fact]
    public void NothingIsWrittenBeforeAnAssert()
    {
        const string source = """
            module Net {
                param w: f32[64, 64] = 1
                fn loss(x: f32[n, 64]) -> f32 = mean((x @ w) ** 2)
                export fn step(x: f32[n, 64]) -> f32 {
                    let l, g = value_and_grad(loss, wrt: w)(x)
                    assert(l < 100, "a loss of {}", l)
                    w -= 0.1 * g
                    return l
                }
            }
            """;
        using var executable = Executables.Create(Backend.Interpreter, Compiled(source, null));
        using var session = executable.CreateSession();
        using var large = Tensor.From([.. Enumerable.Repeat(1f, 64 * 64)], 64, 64);
        Assert.Contains("a loss of 4096", Assert.Throws<ExecutionException>(() => session.Run("step", large)).Message);
        Assert.All(session.State["w"].ToArray<float>(), w => Assert.Equal(1f, w));
        using var small = Tensor.From([.. Enumerable.Repeat(0.01f, 64 * 64)], 64, 64);
        using var result = session.Run("step", small);
        Assert.Equal(0.4096f, result[0].ToArray<float>()[0], 4);
    }

    private static Compilation Compiled(string source, string? again)
    {
        var compilation = Compilation.FromSource(new("f.acc", source), new CompilationOptions
        {
            Binding = again is null ? new() : new BindOptions { Set = new Dictionary<string, string> { ["again"] = again } },
        });
        Assert.Empty(compilation.Diagnostics);
        return compilation;
    }
}
