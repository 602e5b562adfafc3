// pow, atan2 and the remainder compiled: units against 256-bit arithmetic, remainders exactly, special values,
// agreement.
using System.Numerics;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;
using Accelerate.Tests.Kernels;
using Accelerate.Tests.Support;
using Xunit.Abstractions;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

public sealed class BinaryMathTests(ITestOutputHelper output)
{
    private const double Inf = double.PositiveInfinity;
    private const double NaN = double.NaN;

    /// <summary>f16 and bf16 round the f32 result once more: half a unit beside what f32 is off.</summary>
    public static readonly TheoryData<string, DType, double> Functions = new()
    {
        { nameof(BinaryOp.Pow), DType.F64, 1 }, { nameof(BinaryOp.Pow), DType.F32, 0.51 },
        { nameof(BinaryOp.Pow), DType.BF16, 0.51 }, { nameof(BinaryOp.Pow), DType.F16, 0.51 },
        { nameof(BinaryOp.Atan2), DType.F64, 1 }, { nameof(BinaryOp.Atan2), DType.F32, 0.51 },
        { nameof(BinaryOp.Atan2), DType.F16, 0.51 },
        { nameof(BinaryOp.Rem), DType.F64, 0 }, { nameof(BinaryOp.Rem), DType.F32, 0 },
        { nameof(BinaryOp.Rem), DType.F16, 0 }, { nameof(BinaryOp.Rem), DType.BF16, 0 },
    };

    [LlvmTheory]
    [MemberData(nameof(Functions))]
    public void UnitsAreWithinTheBudget(string name, DType type, double budget)
    {
        var op = Enum.Parse<BinaryOp>(name);
        var (x, y) = Samples(op, type, 4000);
        using var native = new NativeKernel(FunctionKernel.Of(op, type), new("host", 3));
        var z = Run(native, type, x, y);
        var worst = DoubleMathTests.Worst(x.Length, i => Units(z[i], Reference(op, x[i], y[i]), type));
        output.WriteLine(
            $"{op} of {type.Name()}: {worst.Units:F3} units at {x[worst.At]:R}, {y[worst.At]:R}; {x.Length} pairs");
        Assert.True(worst.Units <= budget,
            $"{op}({x[worst.At]:R}, {y[worst.At]:R}) is {z[worst.At]:R}, off by {worst.Units:F3} units, from {Exact.Round(Reference(op, x[worst.At], y[worst.At]).M, Reference(op, x[worst.At], y[worst.At]).E, type):R}");
    }

    [LlvmTheory]
    [MemberData(nameof(Functions))]
    public void LlvmGivesTheInterpretersBytes(string name, DType type, double budget)
    {
        var op = Enum.Parse<BinaryOp>(name);
        _ = budget;
        double[] edges =
            [0, -0.0, NaN, Inf, -Inf, 1, -1, 2, -3, 0.5, -2.5, 5e-324, -5e-324, 1e-45, 1e-310, 3e38, 1.7e308, 1e-320];
        var (x, y) = Samples(op, type, 200);
        x = [.. x, .. edges.SelectMany(_ => edges)];
        y = [.. y, .. edges.SelectMany(e => Enumerable.Repeat(e, edges.Length))];
        Agreement.Check(FunctionKernel.Of(op, type),
            [Tensor.FromDoubles(type, x, x.Length), Tensor.FromDoubles(type, y, y.Length)],
            new Dictionary<string, long> { ["n"] = x.Length }, $"{op}", NativeConfiguration.Three);
    }

    /// <summary>C99: F.9.4.4 (pow), F.9.1.4 (atan2), F.9.7.1 (fmod).</summary>
    private static readonly (BinaryOp Op, (double X, double Y, double Result)[] Values)[] Specials =
    [
        (BinaryOp.Pow,
        [
            (0, -3, Inf), (-0.0, -3, -Inf), (0, -2, Inf), (-0.0, -2, Inf), (0, -2.5, Inf), (-0.0, -2.5, Inf),
                (-0.0, -Inf, Inf), (0, 3, 0), (-0.0, 3, -0.0),
            (-0.0, 2, 0), (-0.0, 0.5, 0), (-1, Inf, 1), (-1, -Inf, 1), (1, NaN, 1), (1, Inf, 1), (NaN, 0, 1),
                (Inf, -0.0, 1),
            (-2, 0.5, NaN), (-1, 0.5, NaN), (0.5, -Inf, Inf), (-0.5, -Inf, Inf), (2, -Inf, 0), (-2, -Inf, 0),
                (0.5, Inf, 0), (-0.5, Inf, 0),
            (2, Inf, Inf), (-2, Inf, Inf), (-Inf, -3, -0.0), (-Inf, -2, 0), (-Inf, -0.5, 0), (-Inf, 3, -Inf),
                (-Inf, 2, Inf), (-Inf, 0.5, Inf),
            (Inf, -1, 0), (Inf, 1, Inf), (NaN, 1, NaN), (2, NaN, NaN), (-1, NaN, NaN), (-2, 3, -8), (-2, 4, 16),
                (4, 0.5, 2), (10, -2, 0.01), (3, 1, 3),
        ]),
        (BinaryOp.Atan2,
        [
            (0, 1, 0), (-0.0, 1, -0.0), (0, 0, 0), (-0.0, 0, -0.0), (0, -0.0, Math.PI), (-0.0, -0.0, -Math.PI),
                (0, -1, Math.PI), (-0.0, -1, -Math.PI),
            (-1, 0, -Math.PI / 2), (1, -0.0, Math.PI / 2), (1, Inf, 0), (-1, Inf, -0.0), (1, -Inf, Math.PI),
                (-1, -Inf, -Math.PI), (Inf, 1, Math.PI / 2),
            (-Inf, -1, -Math.PI / 2), (Inf, Inf, Math.PI / 4), (-Inf, Inf, -Math.PI / 4),
                (Inf, -Inf, 2.356194490192345), (-Inf, -Inf, -2.356194490192345),
            (NaN, 1, NaN), (1, NaN, NaN), (1, 1, Math.PI / 4), (1, -1, 2.356194490192345),
        ]),
        (BinaryOp.Rem,
        [
            (0, 3, 0), (-0.0, 3, -0.0), (5, 3, 2), (-5, 3, -2), (5, -3, 2), (-6, 3, -0.0), (6, 3, 0), (5, Inf, 5),
                (-5, -Inf, -5), (0, Inf, 0), (Inf, 3, NaN), (5, 0, NaN),
            (0, 0, NaN), (Inf, Inf, NaN), (NaN, 1, NaN), (1, NaN, NaN), (5.5, 2, 1.5), (1, 3, 1),
        ]),
    ];

    [LlvmTheory]
    [InlineData(DType.F64)]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void SpecialValues(DType type)
    {
        foreach (var (op, values) in Specials)
        {
            using var native = new NativeKernel(FunctionKernel.Of(op, type), new("host", 3));
            var z = Run(native, type, [.. values.Select(v => v.X)], [.. values.Select(v => v.Y)]);
            for (var i = 0; i < z.Length; i++)
            {
                var expected = Tensor.FromDoubles(type, [values[i].Result], 1);
                Assert.True(expected.SameBits(Tensor.FromDoubles(type, [z[i]], 1)),
                    $"{op}({values[i].X:R}, {values[i].Y:R}) of {type.Name()} is {z[i]:R}, not {values[i].Result:R}");
            }
        }
    }

    /// <summary>Every pair of i8 and u8, edges of the wider ones; the graph interpreter takes big integers.</summary>
    [LlvmTheory]
    [InlineData(DType.I8)]
    [InlineData(DType.U8)]
    [InlineData(DType.I32)]
    [InlineData(DType.U64)]
    public void PowersOfIntegers(DType type)
    {
        long[] values = type.Bytes() == 1
            ? [.. Enumerable.Range(type == DType.I8 ? -128 : 0, 256).Select(i => (long)i)]
            : [0, 1, 2, 3, 7, 10, 31, 33, 63, 255, 65537, int.MaxValue, .. type == DType.I32
                ? [-1, -2, -3, int.MinValue] : (long[])[-1, -2, long.MinValue]];
        Tensor Of(IEnumerable<long> all)
        {
            long[] numbers = [.. all];
            return type switch
            {
                DType.I8 => Tensor.From([.. numbers.Select(n => (sbyte)n)], numbers.Length),
                DType.U8 => Tensor.From([.. numbers.Select(n => (byte)n)], numbers.Length),
                DType.I32 => Tensor.From([.. numbers.Select(n => (int)n)], numbers.Length),
                _ => Tensor.From([.. numbers.Select(n => (ulong)n)], numbers.Length),
            };
        }
        var (x, y) =
            (Of(values.SelectMany(_ => values)), Of(values.SelectMany(v => Enumerable.Repeat(v, values.Length))));
        var kernel = FunctionKernel.Of(BinaryOp.Pow, type);
        Agreement.Check(kernel, [x, y], new Dictionary<string, long> { ["n"] = x.Count }, "pow",
            NativeConfiguration.Three);
        using var native = new NativeKernel(kernel, new("host", 3));
        var z = Tensor.Uninitialized(type, x.Count);
        native.Run([x, y, z], _ => x.Count);
        var wanted = Of(values.SelectMany(b => values.Select(a => Power(a, b, type))));
        Assert.True(wanted.SameBits(z), $"{type.Name()}\n{wanted.Format()}\nnot\n{z.Format()}");
    }

    /// <summary>By multiplication, bit by bit from the top: another way than the kernel's.</summary>
    private static long Power(long a, long b, DType type)
    {
        if (type.IsSigned && b < 0) return a is 1 ? 1 : a is -1 ? (b % 2 == 0 ? 1 : -1) : a is 0 ? -1 : 0;
        var exponent = type.IsSigned ? (ulong)b : type == DType.U8 ? (byte)b : (ulong)b;
        var power = BigInteger.One;
        for (var bit = 63; bit >= 0; bit--)
        {
            power = power * power * ((exponent >> bit & 1) == 1 ? a : 1) & ulong.MaxValue;
        }
        return (long)(ulong)power;
    }

    private static double[] Run(NativeKernel native, DType type, double[] x, double[] y)
    {
        Tensor[] buffers =
            [Tensor.FromDoubles(type, x, x.Length), Tensor.FromDoubles(type, y, y.Length),
                Tensor.Uninitialized(type, x.Length)];
        native.Run(buffers, _ => x.Length);
        return buffers[2].ToDoubles();
    }

    private static BigFloat Reference(BinaryOp op, double x, double y)
    {
        var (a, b) = (BigFloat.Of(Math.Abs(x)), BigFloat.Of(Math.Abs(y)));
        if (op == BinaryOp.Pow)
        {
            var power = BigFloat.Exp(BigFloat.Of(y) * BigFloat.Log(a));
            return x < 0 && Math.Abs(y % 2) == 1 ? -power : power;
        }
        if (op == BinaryOp.Rem)
        {
            var low = Math.Min(a.E, b.E);
            var rest = BigInteger.Remainder(a.M << (a.E - low), b.M << (b.E - low));
            return new(x < 0 ? -rest : rest, low);
        }
        var angle = a.Sign == 0 ? a : BigFloat.Atan(a / b);
        if (y < 0) angle = BigFloat.Pi - angle;
        return x < 0 ? -angle : angle;
    }

    private static double Units(double y, BigFloat exact, DType type)
    {
        var correct = Exact.Round(exact.M, exact.E, type);
        if (!double.IsFinite(correct) || !double.IsFinite(y)) return correct.Equals(y) ? 0 : double.PositiveInfinity;
        var (precision, least) =
            type switch { DType.F16 => (11, -24), DType.BF16 => (8, -133), DType.F32 => (24, -149), _ => (53, -1074) };
        var unit = exact.Sign == 0 ? least : Math.Max(exact.Exponent - precision + 1, least);
        return Math.Abs((BigFloat.Of(y) - exact).Scale(-unit).ToDouble());
    }

    /// <summary>Values of the dtype: all sizes, and those whose results are neither 0 nor infinite.</summary>
    private static (double[] X, double[] Y) Samples(BinaryOp op, DType type, int count)
    {
        var random = new System.Random(7);
        var reach = type switch { DType.F16 => 14, DType.F64 => 1020, _ => 120 };
        double Any(int exponents) =>
            ConstText.Round(Math.ScaleB(1 + random.NextDouble(), random.Next(-exponents, exponents)) * (
                random.Next(2) * 2 - 1), type);
        var (x, y) = (new double[count], new double[count]);
        for (var i = 0; i < count; i++)
        {
            (x[i], y[i]) = (Any(i % 2 == 0 ? reach : 2), Any(i % 3 == 0 ? reach : 4));
            if (op != BinaryOp.Pow) continue;
            // |y log2 x| from 2^-20 to past the end; whole exponents of negative numbers.
            x[i] = i % 5 == 0 ? ConstText.Round(-Math.Abs(x[i]), type) : Math.Abs(x[i]);
            if (i % 7 == 0)
                x[i] = Math.Abs(
                    ConstText.Round(1 + (random.NextDouble() - 0.5) * Math.ScaleB(1, -random.Next(2, 30)), type));
            var bits = Math.Abs(Math.Log2(Math.Abs(x[i])));
            y[i] = ConstText.Round((random.NextDouble() * 2 - 1) * (
                i % 2 == 0 ? 1 : Math.ScaleB(1, -random.Next(20))) * (1.1 * reach) / Math.Max(bits, 1e-9), type);
            if (x[i] < 0) y[i] = Math.Round(y[i]);
        }
        return (x, y);
    }
}
