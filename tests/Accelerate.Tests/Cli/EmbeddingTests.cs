// A C# program compiles and runs a model in six lines; what is wrong with a file is in the diagnostics.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Runtime;

namespace Accelerate.Tests.Cli;

public sealed class EmbeddingTests : CommandLine
{
    [Fact]
    public void SixLines()
    {
        var compilation = Compilation.FromFile(this["net.acc"]);
        using var executable = Executables.Create("interpreter", compilation);
        using var session = executable.CreateSession();
        var y = session.Run("apply", Tensor.Zeros(DType.F32, 1, 4))[0];
        Assert.Equal([2f, 2, 2], y.ToArray<float>());
        var sizes = new Dictionary<string, long> { ["k"] = 3 };
        Assert.Equal([3f], session.Run("scale", [Tensor.From([1f], 1)], sizes)[0].ToArray<float>());
    }

    [Fact]
    public void StateIsGivenOrInitialised()
    {
        var compilation = Compilation.FromFile(this["net.acc"], new CompilationOptions { Entries = ["apply"] });
        Assert.Equal("apply", Assert.Single(compilation.Programs).Name);
        var given = new Dictionary<string, Tensor> { ["offset"] = Tensor.From([1f, 2, 3], 3) };
        using var executable = Executables.Create("interpreter", compilation, weights: given);
        using var session = executable.CreateSession();
        Assert.Equal([1f, 2, 3], session.Run("apply", Tensor.Zeros(DType.F32, 1, 4))[0].ToArray<float>());
        Assert.NotEqual(session.State["fc.weight"].ToArray<float>()[0], session.State["fc.weight"].ToArray<float>()[1]);
    }

    [Fact]
    public void WrongProgramsHaveDiagnosticsAndNoPrograms()
    {
        var compilation = Compilation.FromFile(Write("bad.acc", "export fn f(x: f32[n]) -> f32[n] = x + y"));
        Assert.Equal(1, compilation.ExitCode);
        Assert.Empty(compilation.Programs);
        Assert.Contains("bad.acc:1:40",
            Assert.Throws<InvalidOperationException>(() => Executables.Create("interpreter", compilation)).Message);
    }

    [Fact]
    public void UnknownBackend() => Assert.Contains("the backends are llvm, interpreter, opencl",
        Assert.Throws<BackendException>(() =>
            Executables.Create("cuda", Compilation.FromFile(this["net.acc"]))).Message);
}
