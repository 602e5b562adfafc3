// Programs without an end: their kernels have a bound, and no bit depends on where they are cut.
using System.Text;
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Kernels.Lowering;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;
using Lowerer = Accelerate.Compiler.Kernels.Lowering.Lowering;

namespace Accelerate.Tests.Lowering;

public sealed class KernelSizeTests
{
    /// <summary>The oracle is each operation in a program of its own, one after the other.</summary>
    [Theory]
    [InlineData("f32", "sin", 150)]
    [InlineData("f16", "sin", 150)]
    [InlineData("bf16", "tanh", 150)]
    [InlineData("f64", "exp", 100)]
    [InlineData("f32", "abs", 2500)]
    public void AChainIsCutAndGivesWhatItsStepsGive(string dtype, string op, int count)
    {
        string Graph(int steps, string name)
        {
            var text = new StringBuilder(
                $"graph @{name} {{ %0: {dtype}[n] = input(; \"x\") %1: {dtype}[n] = const(; [0.75]) ");
            for (var i = 0; i < steps; i++)
                text.Append($"%{2 * i + 2}: {dtype}[n] = {op}(%{(i == 0 ? 0 : 2 * i + 1)}) ")
                    .Append($"%{2 * i + 3}: {dtype}[n] = mul(%{2 * i + 2}, %1) ");
            return text.Append($"return(%{2 * steps + 1}) }}").ToString();
        }
        var (whole, one) = (Lower(Graph(count, "whole")), Lower(Graph(1, "one")));
        Assert.True(whole.AllSteps.OfType<CallStep>().Count() > 1);
        Assert.All(whole.Kernels, k => Assert.True(Kernel.Statements(k.Body).Count() < 3 * KernelSize.Most));
        var x = Tensor.FromDoubles(DType.Parse(dtype), [0.5, -1.25, 0, 3, 1e-3, -2, 7], [7]);
        using var executable = new InterpreterExecutable([whole, one]);
        using var session = executable.CreateSession();
        var expected = x;
        for (var i = 0; i < count; i++) expected = session.Run("one", expected)[0];
        Assert.True(expected.SameBits(session.Run("whole", x)[0]));
    }

    [Fact]
    public void WhatIsMovedWithinAChainIsCutToo()
    {
        var text = new StringBuilder("graph @f { %0: i32[n,3] = input(; \"x\") ");
        for (var i = 0; i < 1200; i++)
            text.Append($"%{i + 1}: i32[n,3] = {(i % 2 == 0 ? $"reverse(%{i}; [{i / 2 % 2}])" : $"add(%{i}, %0)")} ");
        var program = Lower(text.Append("return(%1200) }").ToString());
        var x = Tensor.Uninitialized(DType.I32, [2, 3]);
        for (var i = 0; i < 6; i++) BitConverter.TryWriteBytes(x.Bytes[(4 * i)..], i);
        using var executable = new InterpreterExecutable([program]);
        var result = executable.CreateSession().Run("f", x)[0];
        // By hand: y = reverse(y) + x, along axis 0 and 1 in turn.
        int[] y = [0, 1, 2, 3, 4, 5];
        for (var i = 0; i < 600; i++)
        {
            var at = y;
            y = [.. Enumerable.Range(0, 6).Select(k => at[i % 2 == 0 ? (k + 3) % 6 : k / 3 * 3 + 2 - k % 3] + k)];
        }
        for (var i = 0; i < 6; i++) Assert.Equal(y[i], BitConverter.ToInt32(result.Bytes[(4 * i)..]));
    }

    /// <summary>Of a hundred sizes each part reads a few sums: its copy is the kernel of all.</summary>
    [LlvmFact]
    public void PartsOfManySizesAreOneKernel()
    {
        const int Parts = 60;
        var text = new StringBuilder("graph @f { ");
        for (var i = 0; i < Parts; i++) text.Append($"%{i}: f32[n{i},2] = input(; \"x{i}\") ");
        var sum = string.Join('+', Enumerable.Range(0, Parts).Select(i => $"n{i}"));
        var program = Lower(text.Append($"%{Parts}: f32[{sum},2] = concat(")
            .Append(string.Join(", ", Enumerable.Range(0, Parts).Select(i => $"%{i}")))
            .Append($"; 0) return(%{Parts}) }}").ToString());
        Assert.Equal(program.Kernels.Length, program.Kernels.DistinctBy(KernelPrinter.Body).Count());
        Assert.True(program.Kernels.Length <= 3, $"{program.Kernels.Length} kernels");
        Assert.All(program.Kernels, k => Assert.True(k.Sizes.Length <= 4));
        Assert.Equal(ProgramPrinter.Print(program),
            ProgramPrinter.Print(ProgramReader.Read(ProgramPrinter.Print(program))));
        double[] Values(int part) => [.. Enumerable.Range(0, 2 * (part % 4)).Select(k => 100.0 * part + k)];
        Tensor[] inputs =
            [.. Enumerable.Range(0, Parts).Select(i => Tensor.FromDoubles(DType.F32, Values(i), [i % 4, 2]))];
        double[] expected = [.. Enumerable.Range(0, Parts).SelectMany(Values)];
        var whole = Tensor.FromDoubles(DType.F32, expected, [expected.Length / 2, 2]);
        using var reference = new InterpreterExecutable([program]);
        using var native = new LlvmExecutable([program], new LlvmOptions(OptLevel: 1, UseCache: false));
        Assert.True(whole.SameBits(reference.CreateSession().Run("f", inputs)[0]));
        Assert.True(whole.SameBits(native.CreateSession().Run("f", inputs)[0]));
    }

    private static Program Lower(string graph)
    {
        var program = Lowerer.Lower(Pipeline.Run(GraphReader.Read(graph)));
        foreach (var kernel in program.Kernels) KernelVerifier.Verify(kernel);
        return program;
    }
}
