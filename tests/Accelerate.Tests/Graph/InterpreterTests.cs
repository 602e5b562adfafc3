// The reference interpreter where NumPy is no help: known answers, integer extremes, magnitudes, bounds, effects, large
// windows.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Graph;

public sealed class InterpreterTests
{
    private static readonly Dictionary<string, long> NoSizes = [];

    [Fact]
    public void PhiloxGivesThePublishedAnswers()
    {
        // kat_vectors of Random123, philox4x32 10
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox.Block(0, 0));
        const uint Ones = uint.MaxValue;
        Assert.Equal((0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu),
            Philox.Block((Ones, Ones, Ones, Ones), (Ones, Ones)));
        Assert.Equal((0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u),
            Philox.Block((0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344), (0xa4093822, 0x299f31d0)));
    }

    [Fact]
    public void RandomCountsByLogicalIndex()
    {
        var bits = One("%0: i64 = const(; [-81985529216486896])\n%1: u32[3,3] = random(%0)");
        var (a, b, c, d) = Philox.Block(1, unchecked((ulong)-81985529216486896));
        Assert.Equal([a, b, c, d], bits.Integers[4..8]);
    }

    [Theory]
    // 30 digits from series in rational arithmetic
    [InlineData(0.5, 0.520499877813046537682746653891)]
    [InlineData(1, 0.842700792949714869341220635083)]
    [InlineData(2, 0.995322265018952734162069256367)]
    [InlineData(2.5, 0.999593047982555041060435784260)]
    [InlineData(3, 0.999977909503001414558627223870)]
    [InlineData(1e-10, 1.12837916709551257389615890312e-10)]
    public void ErfIsAccurate(double x, double erf)
    {
        Assert.InRange(SpecialFunctions.Erf(x) / erf, 1 - 1e-15, 1 + 1e-15);
        Assert.Equal(-SpecialFunctions.Erf(x), SpecialFunctions.Erf(-x));
    }

    [Theory]
    [InlineData("i8", -128)]
    [InlineData("i16", -32768)]
    [InlineData("i32", int.MinValue)]
    [InlineData("i64", long.MinValue)]
    public void SignedIntegersHaveNoUndefinedCase(string name, long least)
    {
        var dtype = DType.Parse(name);
        long Of(BinaryOp op, long a, long b) => IntegerMath.Apply(op, a, b, dtype);
        Assert.Equal(-1, Of(BinaryOp.Div, 5, 0));
        Assert.Equal(5, Of(BinaryOp.Rem, 5, 0));
        Assert.Equal(least, Of(BinaryOp.Div, least, -1));
        Assert.Equal(0, Of(BinaryOp.Rem, least, -1));
        Assert.Equal(-1, Of(BinaryOp.Rem, -7, 3));
        Assert.Equal(-2, Of(BinaryOp.Div, -7, 3));
        Assert.Equal(0, Of(BinaryOp.Shl, 1, 8 * dtype.Bytes()));
        Assert.Equal(0, Of(BinaryOp.Shl, 1, -1));
        Assert.Equal(-1, Of(BinaryOp.Shr, -5, 8 * dtype.Bytes()));
        Assert.Equal(0, Of(BinaryOp.Shr, 5, -3));
        Assert.Equal(least, Of(BinaryOp.Shl, 1, 8 * dtype.Bytes() - 1));
        Assert.Equal(least, Of(BinaryOp.Sub, -least - 1, -1));
        Assert.Equal(least, IntegerMath.Apply(UnaryOp.Abs, least, dtype));
    }

    [Theory]
    [InlineData("u8", 255)]
    [InlineData("u32", uint.MaxValue)]
    [InlineData("u64", -1)]
    public void UnsignedIntegersCompareAndDivideAsUnsigned(string name, long ones)
    {
        var dtype = DType.Parse(name);
        Assert.Equal(ones, IntegerMath.Apply(BinaryOp.Div, 5, 0, dtype));
        Assert.Equal(ones, IntegerMath.Apply(BinaryOp.Max, 5, ones, dtype));
        Assert.Equal(ones, IntegerMath.Apply(BinaryOp.Div, ones, 1, dtype));
        Assert.Equal(0, IntegerMath.Apply(BinaryOp.Div, 5, ones, dtype));
        Assert.Equal(5, IntegerMath.Apply(BinaryOp.Rem, 5, ones, dtype));
        Assert.Equal(1, IntegerMath.Apply(BinaryOp.Shr, ones, 8 * dtype.Bytes() - 1, dtype));
        Assert.Equal(0, IntegerMath.Apply(BinaryOp.Shr, ones, ones, dtype));
        Assert.True(IntegerMath.Apply(CompareOp.Gt, ones, 0, dtype));
    }

    [Fact]
    public void FloatsToIntegersSaturateAtEveryWidth()
    {
        foreach (var dtype in Enum.GetValues<DType>().Where(d => d.IsInteger))
        {
            Assert.Equal(IntegerMath.Greatest(dtype), FloatMath.ToInteger(double.PositiveInfinity, dtype));
            Assert.Equal(IntegerMath.Greatest(dtype), FloatMath.ToInteger(1e30, dtype));
            Assert.Equal(IntegerMath.Least(dtype), FloatMath.ToInteger(double.NegativeInfinity, dtype));
            Assert.Equal(0, FloatMath.ToInteger(double.NaN, dtype));
            Assert.Equal(3, FloatMath.ToInteger(3.99, dtype));
            Assert.Equal(0, FloatMath.ToInteger(-0.99, dtype));
        }
    }

    [Fact]
    public void IntegersToFloatsRoundOnce()
    {
        foreach (var x in (long[])[0, -1, long.MinValue, long.MaxValue, (1L << 53) + 1, (1L << 60) + (1L << 36)
            + 1, -(1L << 62) - (1L << 38) - 1, 16777217])
        {
            Assert.Equal((float)x, FloatMath.FromInteger(x, DType.I64, DType.F32));
            Assert.Equal(x, FloatMath.FromInteger(x, DType.I64, DType.F64));
            Assert.Equal((float)(ulong)x, FloatMath.FromInteger(x, DType.U64, DType.F32));
        }
    }

    [Fact]
    public void MagnitudesAreSumsOfTerms()
    {
        var dot = One("%0: f32[3] = const(; [1E+8,1.0,-1E+8])\n%1: f32[3] = const(; [1.0,-2.0,1.0])\n"
            + "%2: f32 = dot(%0, %1; contract [0]x[0],batch []x[])");
        Assert.Equal((-2.0, 2e8 + 2), (dot.Values[0], dot.Magnitude[0]));
        Assert.Equal(4, dot.Terms);
        var sum = One("%0: f32[3] = const(; [1E+8,1.0,-1E+8])\n%1: f32 = reduce(%0; add,[0])");
        Assert.Equal((1.0, 2e8 + 1), (sum.Values[0], sum.Magnitude[0]));
        var masked = One("%0: f32 = const(; [-inf])\n%1: f32 = exp(%0)");
        Assert.Equal((0.0, 0.0), (masked.Values[0], masked.Magnitude[0]));
    }

    [Fact]
    public void TheBoundTakesRoundingsAndRejectsErrors()
    {
        var random = new System.Random(1);
        var values = Enumerable.Range(0, 1000).Select(_ => (double)(float)(random.NextDouble() - 0.5)).ToArray();
        var sum = Run("%0: f32[1000] = input(; \"x\")\n%1: f32 = reduce(%0; add,[0])",
            ReferenceValue.Of(DType.F32, [1000], values))[0];
        var single = values.Aggregate(0f, (s, v) => s + (float)v);
        Assert.True(Comparison.Compare([single], sum).Agrees);
        Assert.False(Comparison.Compare([single + (float)values[0] / 8], sum).Agrees);
        var odd = ReferenceValue.Of(DType.F32, [5], double.NaN, double.PositiveInfinity, 1, float.MaxValue, 0);
        Assert.True(Comparison.Compare([double.NaN, double.PositiveInfinity, 1, double.PositiveInfinity, -0.0],
            odd).Agrees);
        Assert.False(Comparison.Compare([0, double.PositiveInfinity, 1, 0, 0], odd).Agrees);
        Assert.Equal(3, Comparison.Compare([double.NaN, double.NegativeInfinity, double.NaN, 0, 0], odd).Failures);
        Assert.False(Comparison.Compare((long[])[1, 2], ReferenceValue.Of(DType.I32, [2], 1L, 3L)).Agrees);
        var report = Comparison.Compare((double[])[1, 2.5], ReferenceValue.Of(DType.F32, [1, 2], 1.0, 2.0));
        Assert.Contains("element [0,1] is 2.5, expected 2", report.Text);
    }

    [Fact]
    public void ConversionsCarryTheCoarserRounding()
    {
        // What was rounded to bf16 may be off by eps of bf16 also when it is f32 again.
        var back = Run("%0: f32 = input(; \"x\")\n%1: bf16 = convert(%0)\n%2: f32 = convert(%1)",
            ReferenceValue.Of(DType.F32, [], 1.01))[0];
        Assert.Equal(1.0078125, back.Values[0]);
        Assert.True(Comparison.Compare((double[])[1.015625], back).Agrees);
        Assert.False(Comparison.Compare((double[])[1.25], back).Agrees);
    }

    [Fact]
    public void RoundingToTheDTypeIsAMode()
    {
        const string Body = "%0: f16 = const(; [60000.0])\n%1: f16 = add(%0, %0)\n%2: f16 = sub(%1, %0)";
        Assert.Equal(60000, One(Body).Values[0]);
        Assert.Equal(double.PositiveInfinity, One(Body, new InterpreterOptions { RoundToDType = true }).Values[0]);
    }

    [Fact]
    public void EffectsHappenInOrderAndFailuresThrow()
    {
        var seen = new List<string>();
        var function = GraphReader.Read("""
            graph @f {
              check(equal, n, 2, "two")
              %0: f32[n] = input(; "x")
              %1: f32[n] = buffer(; "b")
              %2: f32[n] = add(%0, %1)
              %3: f32[n] = print(%2; "{}")
              %4: f32[n] = assign(%2; buffer "b")
              %5: i64[2] = const(; [-7,9])
              %6: f32[2] = gather(%2, %5; 0)
              return(%6)
            }
            """);
        var options = new InterpreterOptions
        {
            Print = (p, v) => seen.Add($"print {v[0].Values[0]}"),
            Assign = (a, v) => seen.Add($"assign {a.Name} {v.Values[1]}"),
            Clamped = (g, i) => seen.Add($"clamped {i}"),
            Observe = (f, n, v) => seen.Add($"%{n.Id}"),
        };
        var state = ReferenceValue.Of(DType.F32, [2], 10.0, 20.0);
        var result =
            GraphInterpreter.Run(function, [ReferenceValue.Of(DType.F32, [2], 1.0, 2.0)], _ => state, NoSizes, options);
        Assert.Equal([11, 22], result[0].Values);
        Assert.Equal(["%0", "%1", "%2", "print 11", "%3", "assign b 22", "%4", "%5", "clamped -7", "clamped 9", "%6"],
            seen);
        var three = ReferenceValue.Of(DType.F32, [3], 1.0, 2.0, 3.0);
        Assert.Contains("two", Assert.Throws<ReferenceException>(() =>
            GraphInterpreter.Run(function, [three], _ => three, NoSizes)).Message);
        Assert.Throws<ReferenceException>(() => One("%0: bool = const(; [0])\n%1: bool = assert(%0; \"no\")"));
        Assert.Throws<ReferenceException>(() => One("%0: f32[0] = const(; [1.0])\n%1: i32 = arg_reduce(%0; max,0)"));
        Assert.Throws<ReferenceException>(() =>
            Run("%0: f32[n] = input(; \"x\")\n%1: f32[3] = slice(%0; [1],[1])", three));
    }

    [Fact]
    public void AConvolutionOverWindowsNeedsNoCopyOfThem()
    {
        // 32 channels, 5x5: the windows would have 25 times the elements of the image, 2 GB with magnitudes.
        const string Body = """
            %0: f32[4,256,128,32] = input(; "x")
            %1: f32[4,252,5,128,32] = window(%0; 1,[252,5],[1,1])
            %2: f32[4,252,5,124,5,32] = window(%1; 3,[124,5],[1,1])
            %3: f32[2,5,5,32] = input(; "w")
            %4: f32[4,252,124,2] = dot(%2, %3; contract [2,4,5]x[1,2,3],batch []x[])
            """;
        var x = ReferenceValue.Of(DType.F32, [4, 256, 128, 32],
            Enumerable.Range(0, 4 * 256 * 128 * 32).Select(i => i % 7 - 3.0).ToArray());
        var w = ReferenceValue.Of(DType.F32, [2, 5, 5, 32],
            Enumerable.Range(0, 1600).Select(i => i % 5 - 2.0).ToArray());
        var before = GC.GetAllocatedBytesForCurrentThread();
        var y = Run(Body, x, w)[0];
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400L << 20);
        double expected = 0;
        for (var i = 0; i < 800; i++)
            expected += w.Values[800 + i] * x.Values[((3 * 256 + 100 + i / 160) * 128 + 50 + i / 32 % 5) * 32 + i % 32];
        Assert.Equal(expected, y.Values[((3 * 252 + 100) * 124 + 50) * 2 + 1]);
    }

    [Fact]
    public void TensorsComeInAndAreCompared()
    {
        using var tensor = Tensor.From((ushort[])[1, 65535], 2);
        var value = ReferenceValue.Of(tensor);
        Assert.Equal([1, 65535], value.Integers);
        Assert.True(Comparison.Compare(tensor, value).Agrees);
    }

    private static ReferenceValue One(string body, InterpreterOptions? options = null) => Run(body, options, [])[0];

    private static IReadOnlyList<ReferenceValue> Run(string body, params ReferenceValue[] inputs) =>
        Run(body, null, inputs);

    private static IReadOnlyList<ReferenceValue> Run(string body, InterpreterOptions? options, ReferenceValue[] inputs)
    {
        var last = body.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Trim();
        var function = GraphReader.Read($"graph @f {{\n{body}\nreturn({last[..last.IndexOf(':')]})\n}}");
        Verifier.Verify(function);
        return GraphInterpreter.Run(function, inputs, _ => throw new InvalidOperationException(), NoSizes, options);
    }
}
