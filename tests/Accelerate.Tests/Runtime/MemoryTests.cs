// Memory limits: what is refused before it is allocated, what the message names, and what a refusal leaves behind.
using Accelerate.Backends;
using Accelerate.Cli;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime;

public sealed class MemoryTests
{
    private const string Source = """
        module M {
            param w: f32[1000] = 1
            buffer seen: i32 = 0
            export fn f(x: f32[n, 1000]) -> f32[n, 1000] {
                seen += 1
                return x * w
            }
            export fn make(k: int) -> f32[k] = [i < k] => f32(i)
        }
        """;

    public static TheoryData<string> Backends => [.. PresentBackends.All];

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "0.98 KiB")]
    [InlineData(1536, "1.50 KiB")]
    [InlineData(10_240, "10.0 KiB")]
    [InlineData(399_999_999_996, "373 GiB")]
    [InlineData(4L << 30, "4.00 GiB")]
    [InlineData(long.MaxValue, "8.00 EiB")]
    public void BytesAreReadable(long bytes, string text) => Assert.Equal(text, MemoryUse.Text(bytes));

    [Theory]
    [MemberData(nameof(Backends))]
    public void ACallBeyondTheLimitNamesItsLargeValuesAndChangesNothing(string backend)
    {
        using var executable = Make(backend, 20_000);
        using var session = executable.CreateSession();
        using var small = Tensor.Zeros(DType.F32, 1, 1000);
        using var large = Tensor.Zeros(DType.F32, 5, 1000);
        session.Run("f", small);
        var e = Assert.Throws<MemoryException>(() => session.Run("f", large));
        Assert.Equal(20_000, e.Limit);
        Assert.StartsWith("'f': x: f32[5,1000] takes 19.5 KiB, the result: f32[5,1000] takes 19.5 KiB, "
            + "w: f32[1000] takes 3.91 KiB", e.Message);
        Assert.EndsWith("the limit is 19.5 KiB", e.Message);
        Assert.Equal(5 * 4000, e.Uses[0].Bytes);
        session.Run("f", small);
        Assert.Equal(2, session.State["seen"].ToDoubles()[0]);
        // A size that no tensor has yet: nothing of it is allocated.
        e = Assert.Throws<MemoryException>(() =>
            session.Run("make", [], new Dictionary<string, long> { ["k"] = 99_999_999_999 }));
        Assert.Contains("the result: f32[99999999999] takes 373 GiB", e.Message);
        Assert.Equal(3, session.Run("make", [], new Dictionary<string, long> { ["k"] = 3 })[0].Count);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void WeightsBeyondTheLimitAreRefusedBeforeTheyAreMade(string backend)
    {
        var e = Assert.Throws<MemoryException>(() => Make(backend, 3000));
        Assert.StartsWith("the model: w: f32[1000] takes 3.91 KiB", e.Message);
        const string Huge = """
            module M {
                param w: f32[99999999999] = 1
                export fn f(x: f32) -> f32 = sum(w) * x
            }
            """;
        e = Assert.Throws<MemoryException>(() =>
            Executables.Create(backend, Compilation.FromSource(new SourceText("huge.acc", Huge))));
        Assert.StartsWith("the model: w: f32[99999999999] takes 373 GiB; this machine has ", e.Message);
    }

    [Fact]
    public void WhatACallTakesIsToldBeforeItsInputsAreMade()
    {
        var program = Compilation.FromSource(new SourceText("m.acc", Source)).Programs.Single(p => p.Name == "f");
        var uses = ProgramMemory.Of(program, new Dictionary<string, long> { ["n"] = 100_000_000 });
        Assert.Contains(new MemoryUse("x: f32[100000000,1000]", 400_000_000_000), uses);
        var e = Assert.Throws<MemoryException>(() => MemoryException.ThrowIfBeyond("'f'", uses, 4L << 30));
        Assert.Contains("x: f32[100000000,1000] takes 373 GiB", e.Message);
        Assert.EndsWith("and the limit is 4.00 GiB", e.Message);
        MemoryException.ThrowIfBeyond("'f'", uses, long.MaxValue);
        // Sums and products beyond 2^63 are refused, not wrapped.
        uses = ProgramMemory.Of(program, new Dictionary<string, long> { ["n"] = long.MaxValue / 2 });
        Assert.Throws<MemoryException>(() => MemoryException.ThrowIfBeyond("'f'", uses, null));
    }

    [Fact]
    public void ATensorBeyondTheMachineIsRefusedByName()
    {
        var e = Assert.Throws<MemoryException>(() => Tensor.Zeros(DType.F32, 99_999_999_999));
        Assert.StartsWith("a tensor: f32[99999999999] takes 373 GiB; this machine has ", e.Message);
        Assert.Throws<MemoryException>(() => Tensor.Uninitialized(DType.I8, long.MaxValue));
    }

    private static Executable Make(string backend, long limit) =>
        Executables.Create(backend, Compilation.FromSource(new SourceText("m.acc", Source)),
            new ExecutableOptions { MemoryLimit = limit, Threads = 1 });
}
