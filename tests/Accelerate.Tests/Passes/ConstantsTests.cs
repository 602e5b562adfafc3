// Constants that compiled kernels compute once: what is folded, with which bits, on every backend.
using Accelerate.Backends;
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;
using Comparison = Accelerate.Compiler.Graph.Interpreter.Comparison;
using Accelerate.Tests.Lowering;

namespace Accelerate.Tests.Passes;

public class ConstantsTests
{
    // A table of waves, as positions are embedded; the sum with x is all that is left to a call.
    private const string Table = """
        graph @f {
          %0: f32[n,64] = input("x")
          %1: f32[64] = iota(; 0)
          %2: f32 = const([0.37])
          %3: f32[64] = broadcast(%2; [])
          %4: f32[64] = mul(%1, %3)
          %5: f32[64] = sin(%4)
          %6: f32[n,64] = broadcast(%5; [1])
          %7: f32[n,64] = add(%0, %6)
          return(%7)
        }
        """;

    [Fact]
    public void WhatIsDearIsComputedOnce()
    {
        var main = Split(GraphReader.Read(Table));
        var setup = main.Setup;
        Assert.DoesNotContain(main.Nodes, n => n is Unary { Kind: UnaryOp.Sin } or Iota);
        Assert.Single(main.Nodes.OfType<Const>(), c => c.FoldedIndex == 0);
        Assert.Single(setup!.Nodes.OfType<Unary>(), u => u.Kind == UnaryOp.Sin);
        Verifier.Verify(main);
        Verifier.Verify(setup);
    }

    /// <summary>A mask from counting is cheaper than a load, and what depends on a size is not known.</summary>
    [Theory]
    [InlineData("%1: i32[8] = iota(; 0)\n %2: i32[8] = const([3])\n %3: bool[8] = compare(%1, %2; lt)\n %4: f32[8] = convert(%3)", "8")]
    [InlineData("%1: f32[n] = iota(; 0)\n %2: f32[n] = sin(%1)\n %3: f32[n] = neg(%2)\n %4: f32[n] = neg(%3)", "n")]
    public void WhatIsCheapOrUnknownIsLeftToTheCall(string nodes, string size)
    {
        var text =
            $"graph @f {{ %0: f32[{size}] = input(\"x\")\n {nodes}\n %5: f32[{size}] = mul(%0, %4)\n return(%5) }}";
        Assert.Null(Split(GraphReader.Read(text)).Setup);
    }

    [Theory]
    [InlineData("interpreter")]
    [InlineData("llvm")]
    public void TheBitsAreThoseOfACall(string backend)
    {
        var program = Lowered.Plain(GraphReader.Read(Table));
        // The same sum with the table as an argument of the call: nothing is known before.
        var called = Lowered.Plain(GraphReader.Read("""
            graph @f {
              %0: f32[n,64] = input("x")
              %1: f32[64] = input("i")
              %2: f32 = const([0.37])
              %3: f32[64] = broadcast(%2; [])
              %4: f32[64] = mul(%1, %3)
              %5: f32[64] = sin(%4)
              %6: f32[n,64] = broadcast(%5; [1])
              %7: f32[n,64] = add(%0, %6)
              return(%7)
            }
            """));
        Assert.NotNull(program.Setup);
        Assert.Null(called.Setup);
        double[] indices = [.. Enumerable.Range(0, 64).Select(i => (double)i)];
        using var x = Tensor.FromDoubles(DType.F32, [.. Enumerable.Range(0, 192).Select(i => Math.Cos(i))], [3, 64]);
        using var i = Tensor.FromDoubles(DType.F32, indices, [64]);
        var folded = Run(backend, program, x);
        Assert.True(Run(backend, called, x, i).SameBits(folded));
        var expected =
            GraphInterpreter.Run(GraphReader.Read(Table), [ReferenceValue.Of(x)], _ =>
                null!, new Dictionary<string, long>());
        Assert.True(Comparison.Compare(folded, expected[0]).Agrees);
    }

    [OpenClFact]
    public void OpenClFoldsOnTheDevice() => TheBitsAreThoseOfACall("opencl");

    [Fact]
    public void TheProgramReadsBackWithItsSetup()
    {
        var program = Lowered.Plain(GraphReader.Read(Table));
        var text = ProgramPrinter.Print(program);
        var again = ProgramReader.Read(text);
        Assert.Equal(text, ProgramPrinter.Print(again));
        using var x = Tensor.Zeros(DType.F32, 2, 64);
        Assert.True(Run("interpreter", program, x).SameBits(Run("interpreter", again, x)));
    }

    private static Tensor Run(string backend, Program program, params Tensor[] inputs)
    {
        using var executable = Executables.Create(backend, [program]);
        using var session = executable.CreateSession();
        return session.Run(program.Name, inputs)[0];
    }

    private static Function Split(Function function) => Constants.Run(function, FrozenState.Of(function));
}
