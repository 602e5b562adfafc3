// What the plan of a call has in the sizes of the program alone: a worker's scratch, whatever its kernels are called
// with.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Tests.Kernels;

public sealed class CallPlanTests
{
    private const string Text = """
        program @f {
          sizes(n)
          input(b0: f32[1], "x")
          input(c: i32[], "c")
          output(b1: f32[1], "y")
          STEPS
        }
        kernel @a(b0: in(f32, 1), b1: out(f32, 1); sizes(n)) { %0: f32 = load(b0[0]) store(b1[0], %0) }
        kernel @b(b0: in(f32, 1), b1: out(f32, 1); sizes(m)) { %0: f32 = load(b0[0]) store(b1[0], %0) }
        """;

    [Theory]
    [InlineData("call(@a; b0, b1)", "n", "0", "n")]
    [InlineData("call(@a; b0, b1) call(@a; b0, b1)", "n", "0", "n")]
    [InlineData("call(@a; b0, b1)", "0", "0", "")]
    [InlineData("call(@a; b0, b1) let(m, 3) call(@b; b0, b1)", "7", "m", "7")]
    [InlineData("let(m, n+3) call(@b; b0, b1) let(m, 2*n) call(@b; b0, b1)", "0", "64*m", "64*n+192,128*n")]
    [InlineData("loop(m < n) { call(@b; b0, b1) }", "0", "64*m+1", "max(0,n-1)")]
    [InlineData("loop(m < n) { call(@b; b0, b1) }", "0", "9-m", "9")]
    [InlineData("loop(m < 8) { call(@b; b0, b1) }", "0", "m*m+1", "50")]
    [InlineData("loop(i < 8) { let(m, n-i) call(@b; b0, b1) }", "0", "2*m", "2*n")]
    [InlineData("loop(i < 8) { loop(m < i) { call(@b; b0, b1) } }", "0", "m", "6")]
    [InlineData("size(m, c, 1, 5) call(@b; b0, b1)", "0", "4*m", "20")]
    public void ScratchIsInTheSizesOfTheProgram(string steps, string a, string b, string expected)
    {
        var program = ProgramReader.Read(Text.Replace("STEPS", steps));
        ImmutableArray<Size> kernels =
            [.. program.Kernels.Select(k => SizeReader.Read(k.Name == "a" ? a : b))];
        var scratch = CallPlan.ScratchOf(program, kernels);
        if (!expected.StartsWith("max", StringComparison.Ordinal))
        {
            Assert.Equal(expected, string.Join(",", scratch));
            return;
        }
        // A loop that has no iteration needs nothing, and the formula is not below 0.
        for (var n = 0L; n < 5; n++)
            Assert.Equal((64 * Math.Max(0, n - 1)) + 1, Assert.Single(scratch).Evaluate(_ => n));
    }

    [Fact]
    public void ScratchThatNoNumberHoldsIsALimitation()
    {
        var program = ProgramReader.Read(Text.Replace("STEPS", "let(m, 4*n) call(@b; b0, b1)"));
        var e = Assert.Throws<LimitationException>(
            () => CallPlan.ScratchOf(program, [.. program.Kernels.Select(_ => Size.Variable("m") * (long.MaxValue / 2))]));
        Assert.Contains("scratch memory whose size does not fit 64 bits", e.Message);
    }

    /// <summary>A bound holds wherever variables are inside of their intervals, and is reached by a point.</summary>
    [Fact]
    public void BoundsOfSizesHold()
    {
        string[] texts = ["3*i-2*n+1", "i*i-n*i", "floor(i+n,4)-i", "min(i,n)*max(i,3)", "floor(n,i+1)*j", "i*j-j*j+n"];
        foreach (var text in texts)
        {
            var size = SizeReader.Read(text);
            var (low, high) = SizeBound.Of(size, name => name == "n" ? (Size.Variable("n"), Size.Variable("n"))
                : name == "i" ? (Size.Zero, Size.Variable("n")) : (Size.Constant(-2), Size.Constant(5)));
            for (var n = 0L; n < 7; n++)
            {
                var (least, most) = (low.Evaluate(_ => n), high.Evaluate(_ => n));
                for (var i = 0L; i <= n; i++)
                {
                    for (var j = -2L; j <= 5; j++)
                    {
                        var value = size.Evaluate(v => v == "n" ? n : v == "i" ? i : j);
                        Assert.True(least <= value && value <= most,
                            $"{text} is {value} at n={n} i={i} j={j}, outside of {low} = {least} to {high} = {most}");
                    }
                }
            }
            var (point, same) = SizeBound.Of(size, name => (Size.Variable(name), Size.Variable(name)));
            Assert.Equal((size, size), (point, same));
        }
    }
}
