// Frozen state: what is computed from it once, what a call still computes, and sessions that replace it.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Passes;

public class FrozenStateTests
{
    // (x - mean) * (weight * rsqrt(var + eps)) + bias, over channels.
    private static string Norm(string batch) => $$"""
        graph @f {
          %0: f32[{{batch}},8,5,5] = input("x")
          %1: f32[8] = buffer("var")
          %2: f32 = const([0.00001])
          %3: f32[8] = broadcast(%2; [])
          %4: f32[8] = add(%1, %3)
          %5: f32[8] = rsqrt(%4)
          %6: f32[8] = param("weight")
          %7: f32[8] = mul(%5, %6)
          %8: f32[{{batch}},8,5,5] = broadcast(%7; [1])
          %9: f32[8] = buffer("mean")
          %10: f32[{{batch}},8,5,5] = broadcast(%9; [1])
          %11: f32[{{batch}},8,5,5] = sub(%0, %10)
          %12: f32[{{batch}},8,5,5] = mul(%11, %8)
          return(%12)
        }
        """;

    /// <summary>Whatever is known of the image's shape, the vector is folded and not the image of it.</summary>
    [Theory]
    [InlineData("n")]
    [InlineData("2")]
    public void ANormsScaleIsComputedOnce(string batch)
    {
        var main = Split(GraphReader.Read(Norm(batch)));
        var setup = main.Setup;
        Assert.Equal("f32[8]", Assert.Single(setup!.Results).Type.Text);
        Assert.Equal(["var", "weight"], setup.Nodes.OfType<State>().Select(s => s.Name));
        Assert.Equal(["mean"], main.Nodes.OfType<State>().Select(s => s.Name));
        Assert.DoesNotContain(main.Nodes, n => n is Unary { Kind: UnaryOp.Rsqrt });
        Verifier.Verify(main);
        Verifier.Verify(setup);
        Assert.StartsWith("var+weight:", setup.ResultNames[0]);
    }

    [Fact]
    public void WhatAnotherFunctionOfTheExecutableAssignsIsNotKnown()
    {
        var trains = GraphReader.Read("""
            graph @train {
              %0: f32[8] = input("to")
              %1: f32[8] = assign(%0; buffer "var")
              return(%0)
            }
            """);
        var norm = GraphReader.Read(Norm("n"));
        Assert.Null(Constants.Run(norm, FrozenState.Of(norm, trains)).Setup);
        // Programs that were not compiled together are not put together.
        var (alone, other) = (Lowering.Lowered.Plain(norm), Lowering.Lowered.Plain(trains));
        var error = Assert.Throws<ArgumentException>(() => Executables.Create("interpreter", [alone, other]));
        Assert.Contains("assigns the state 'var'", error.Message);
    }

    [Fact]
    public void ACompilationKnowsAllItsEntries()
    {
        const string Text = """
            module Net {
                param w: f32[64, 64] = 0.5
                export fn f(x: f32[m, 64]) -> f32[m, 64] = x @ w
                export fn step(x: f32[64, 64]) -> f32[] { w = w - x
                    return sum(x) }
            }
            """;
        Program Of(params string[] entries)
        {
            var compilation =
                Compilation.FromSource(new SourceText("t.acc", Text), new CompilationOptions { Entries = entries });
            Assert.Empty(compilation.Diagnostics.Select(d => d.Headline));
            return compilation.Entries.Single(e => e.Name == "f").Program!;
        }
        Assert.NotNull(Of("f").Setup);
        Assert.Null(Of("f", "step").Setup);
    }

    /// <summary>
    /// What reads a table at the call's indices does so in place; what is put together is put together once.
    /// </summary>
    [Theory]
    [InlineData("%1: f32[9,4] = param(\"w\")\n %2: i64[4] = input(\"i\")\n %3: f32[4,4] = gather(%1, %2; 0)", "4,4", 0)]
    [InlineData("%1: f32[4,4] = param(\"w\")\n %3: f32[4,4] = transpose(%1; [1,0])", "4,4", 0)]
    [InlineData("%1: f32[4,4] = param(\"w\")\n %3: f32[4,4] = mul(%1, %1)", "4,4", 0)]
    [InlineData("%1: f32[4,4] = param(\"w\")\n %3: f32[4,4] = exp(%1)", "4,4", 1)]
    [InlineData("%1: f32[4,4] = param(\"w\")\n %2: f32[2,4] = param(\"v\")\n %3: f32[6,4] = concat(%1, %2; 0)", "6,4",
        1)]
    [InlineData("%1: i64[4] = buffer(\"i\")\n %2: f32[9,4] = param(\"w\")\n %3: f32[4,4] = gather(%2, %1; 0)", "4,4",
        0)]
    public void WhatIsFolded(string nodes, string shape, int folded)
    {
        var function = GraphReader.Read(
            $"graph @f {{ %0: f32[{shape}] = input(\"x\")\n {nodes}\n %4: f32[{shape}] = add(%0, %3)\n return(%4) }}");
        Assert.Equal(folded, Split(function).Setup?.Results.Length ?? 0);
    }

    [Theory]
    [InlineData("interpreter")]
    [InlineData("llvm")]
    public void SessionsReplaceFrozenState(string backend)
    {
        Tensor Of(params double[] values) => Tensor.FromDoubles(DType.F32, values, [8]);
        Dictionary<string, Tensor> State(double var) => new()
        {
            ["var"] = Of([.. Enumerable.Range(0, 8).Select(i => var + i)]),
            ["weight"] = Of(1, 2, 3, 4, 5, 6, 7, 8),
            ["mean"] = Of(0, 1, 0, 1, 0, 1, 0, 1),
        };
        var program = Lower(GraphReader.Read(Norm("n")));
        using var x =
            Tensor.FromDoubles(DType.F32, [.. Enumerable.Range(0, 200).Select(i => Math.Sin(i))], [1, 8, 5, 5]);
        Tensor Fresh(double var)
        {
            using var other = Executables.Create(backend, [program], null, State(var));
            using var only = other.CreateSession();
            return only.Run("f", x)[0];
        }
        var (three, nine) = (Fresh(3), Fresh(9));
        Assert.False(three.SameBits(nine));
        using var executable = Executables.Create(backend, [program], null, State(3));
        using var a = executable.CreateSession();
        using var b = executable.CreateSession();
        // One copy of what no call changes: a write through the one would show in the other.
        unsafe
        {
            Assert.True(a.State["var"].Pointer == b.State["var"].Pointer);
        }
        Assert.True(a.Run("f", x)[0].SameBits(three));
        a.LoadState(State(9));
        Assert.True(a.Run("f", x)[0].SameBits(nine));
        Assert.True(b.Run("f", x)[0].SameBits(three));
        Assert.Equal(9, a.State["var"].ToDoubles()[0]);
        Assert.Equal(3, b.State["var"].ToDoubles()[0]);
        // Its own tensors, then one that does not fit: nothing changes.
        a.LoadState(a.State);
        Assert.Throws<ArgumentException>(
            () => a.LoadState(new Dictionary<string, Tensor>(State(3)) { ["mean"] = Tensor.Zeros(DType.F32, 7) }));
        Assert.True(a.Run("f", x)[0].SameBits(nine));
        a.Reset();
        Assert.True(a.Run("f", x)[0].SameBits(three));
        // The whole state is there to be saved, and only to be read.
        Assert.Equal(["mean", "var", "weight"], a.State.Keys.Order());
        Assert.All(a.State.Values, t => Assert.True(t.IsReadOnly));
        Assert.Throws<InvalidOperationException>(() => a.State["var"].AsSpan<float>().Clear());
        Assert.Throws<InvalidOperationException>(() => a.State["var"].Reshape(2, 4).Bytes.Clear());
        Assert.Equal(10, a.State["var"].AsReadOnlySpan<float>()[7]);
    }

    [OpenClFact]
    public void OpenClPreparesOnTheDevice() => SessionsReplaceFrozenState("opencl");

    [Fact]
    public void AReadOnlyTensorIsNoInoutArgument()
    {
        var program = Lower(GraphReader.Read("""
            graph @f {
              %0: f32[8] = input("x",inout)
              %1: f32[8] = param("w")
              %2: f32[8] = mul(%0, %1)
              %3: f32[8] = assign(%2; inout "x")
              return(%1)
            }
            """));
        using var executable = Executables.Create("interpreter", [program]);
        using var session = executable.CreateSession();
        var error = Assert.Throws<ExecutionException>(() => session.Run("f", session.State["w"]));
        Assert.Equal(ExecutionCode.EntryCheck, error.Code);
        Assert.Contains("read-only", error.Message);
    }

    /// <summary>
    /// Functions that use a weight packed share it: the second setup has nothing of its own to compute.
    /// </summary>
    [Fact]
    public void TwoFunctionsShareWhatTheyPrepare()
    {
        string Text(string name) => $$"""
            graph @{{name}} {
              %0: f32[m,64] = input("x")
              %1: f32[64,64] = param("w")
              %2: f32[m,64] = dot(%0, %1; contract [1]x[0],batch []x[])
              return(%2)
            }
            """;
        Program[] programs = [.. new[] { "f", "g" }.Select(n => Lower(Pipeline.Run(GraphReader.Read(Text(n)))))];
        Assert.Equal(programs[0].Setup!.Buffers.Select(b => b.Label), programs[1].Setup!.Buffers.Select(b => b.Label));
        using var w =
            Tensor.FromDoubles(DType.F32, [.. Enumerable.Range(0, 4096).Select(i => (double)(i % 17))], [64, 64]);
        using var executable =
            Executables.Create("interpreter", programs, null, new Dictionary<string, Tensor> { ["w"] = w });
        using var session = executable.CreateSession();
        using var x =
            Tensor.FromDoubles(DType.F32, [.. Enumerable.Range(0, 128).Select(i => (double)(i % 5))], [2, 64]);
        Assert.True(session.Run("f", x)[0].SameBits(session.Run("g", x)[0]));
        Assert.Equal(["w"], session.State.Keys);
    }

    [Fact]
    public void AProgramWithASetupOfStateReadsBack()
    {
        var text = ProgramPrinter.Print(Lower(Pipeline.Run(GraphReader.Read(Norm("n")))));
        Assert.Equal(text, ProgramPrinter.Print(ProgramReader.Read(text)));
        Assert.Contains("buffer(p0: f32[8], \"var\")", text);
    }

    private static Program Lower(Function function) => Compiler.Kernels.Lowering.Lowering.Lower(function);

    private static Function Split(Function function) => Constants.Run(function, FrozenState.Of(function));
}
