// The rows of the numerics table on f16 and bf16; expectations by big integers, rounded once.
using System.Numerics;
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

internal static partial class NumericsTable
{
    private static readonly Half[] F16 = NarrowValues(bits => BitConverter.UInt16BitsToHalf(bits), 10, 15);

    private static readonly BFloat16[] BF16 = NarrowValues(bits => new BFloat16(bits), 7, 127);

    /// <summary>
    /// Ends of every range, neighbours of 1, whole numbers and halves, and random bits, with both signs.
    /// </summary>
    private static T[] NarrowValues<T>(Func<ushort, T> of, int fraction, int bias)
    {
        var one = bias << fraction;
        int Power(int exponent) => (bias + exponent) << fraction;
        int[] edges =
        [
            0, 1, 2, 3, (1 << fraction) - 1, 1 << fraction, (1 << fraction) + 1, one - 1, one, one + 1,
                one | 1 << (fraction - 1),
            Power(-1), Power(1), Power(1) | 1 << (fraction - 2), Power(1) | 3 << (fraction - 2),
                Power(-2) | (1 << fraction) - 1,
            Power(fraction), Power(fraction + 1) | 1, Power(fraction - 1) | 1, Power(fraction) | 1, Power(4) | 5,
                Power(8) | 1, Power(bias - 1), Power(bias) | (1 << fraction) - 1, Power(bias + 1),
        ];
        var random = new Random(5);
        edges = [.. edges, .. Enumerable.Range(0, 24).Select(_ => random.Next(Power(bias + 1)))];
        return [.. edges.SelectMany(e => new[] { e, e | 0x8000 }).Append(Power(bias + 1) | 1 << (fraction - 1))
            .Select(b => of((ushort)b))];
    }

    private static double Number<T>(T a) => a is Half h ? (double)h : (float)(BFloat16)(object)a!;

    private static T Narrow<T>(double exact) => typeof(T) == typeof(Half)
        ? (T)(object)(Half)exact
        : (T)(object)new BFloat16(
            double.IsNaN(exact) ? (ushort)0x7FC0 : (ushort)(BitConverter.SingleToUInt32Bits((float)exact) >> 16));

    private static IEnumerable<Row> NarrowRows() => [.. NarrowRows(DType.F16, F16), .. NarrowRows(DType.BF16, BF16)];

    private static IEnumerable<Row> NarrowRows<T>(DType type, T[] x) where T : unmanaged
    {
        var name = type.Name();
        Row Two(string id, string op, Func<double, double, double> f) =>
            Pairs(id, op, $"%9: {name} = {op}(%0, %1)", x, (T a, T b) => Narrow<T>(f(Number(a), Number(b))));
        Row One(string id, string op, Func<double, double> f) =>
            Unary(id, op, $"%9: {name} = {op}(%0)", x, (T a) => Narrow<T>(f(Number(a))));
        Row Compare(string op, Func<double, double, bool> holds) =>
            Pairs("N9", op, $"%9: bool = {op}(%0, %1)", x, (T a, T b) => holds(Number(a), Number(b)));
        bool Finite(double a, double b) => double.IsFinite(a) && double.IsFinite(b);
        Row Fma(string c, string text, Func<double, double> of) =>
            Pairs("N3", $"fma(a, b, {c})", $"{text} %9: {name} = fma(%0, %1, %2)", x,
            (T a, T b) => Finite(Number(a), Number(b))
                ? Narrow<T>(Exact.Fma(Number(a), Number(b), of(Number(a)), type))
                : Narrow<T>(Number(a) * Number(b) + of(Number(a))));
        // The last value is NaN; its bits, once it has been through f32, are no part of the table.
        var third = Exact.Quotient(1, 3, type);
        return
        [
            Two("N1", "add", (a, b) => Finite(a, b) ? Exact.Fma(a, 1, b, type) : a + b),
            Two("N1", "sub", (a, b) => Finite(a, b) ? Exact.Fma(a, 1, -b, type) : a - b),
            Two("N1", "mul", (a, b) => Finite(a, b) && a * b != 0 ? Exact.Fma(a, b, 0, type) : a * b),
            Two("N1", "div", (a, b) => Finite(a, b) && a != 0 && b != 0 ? Exact.Quotient(a, b, type) : a / b),
            Fma("-a", $"%2: {name} = neg(%0)", a => -a),
            Fma("1/3", $"%2: {name} = const({third:R})", _ => third),
            Two("N4", "max", (a, b) => double.IsNaN(a) ? a : a > b ? a : b),
            Two("N4", "min", (a, b) => double.IsNaN(a) ? a : a < b ? a : b),
            Unary("N5", "neg", $"%1: {name} = neg(%0) %9: u16 = bitcast(%1)", x[..^1], (T a) =>
                (ushort)(BitsOf(a) ^ 0x8000)),
            Unary("N5", "abs", $"%1: {name} = abs(%0) %9: u16 = bitcast(%1)", x[..^1], (T a) =>
                (ushort)(BitsOf(a) & 0x7FFF)),
            One("N6", "sqrt", a => a > 0 && double.IsFinite(a) ? Exact.Sqrt(a, type) : Math.Sqrt(a)),
            One("N7", "floor", a => Integral(a, -1)),
            One("N7", "ceil", a => Integral(a, 1)),
            One("N7", "trunc", a => Integral(a, 0)),
            One("N8", "round", HalfToEven),
            Compare("eq", (a, b) => a == b),
            Compare("ne", (a, b) => !(a == b)),
            Compare("lt", (a, b) => a < b),
            Compare("le", (a, b) => a <= b),
            Compare("gt", (a, b) => a > b),
            Compare("ge", (a, b) => a >= b),
            Unary("N19", "convert", $"%9: bool = convert(%0)", x, (T a) => (BitsOf(a) & 0x7FFF) != 0),
            Unary("N20", "convert", $"%9: f32 = convert(%0)", x, (T a) => (float)Number(a)),
            Unary("N20", "convert", $"%9: f64 = convert(%0)", x, (T a) => Number(a)),
            Unary("N21", "bitcast", $"%9: i16 = bitcast(%0)", x, (T a) => (short)BitsOf(a)),
            .. ToIntegers("N16", x, a => Number(a)),
        ];
    }

    private static ushort BitsOf<T>(T a) =>
        a is Half h ? BitConverter.HalfToUInt16Bits(h) : ((BFloat16)(object)a!).Bits;

    private static IEnumerable<Row> NarrowConversionRows() =>
    [
        .. Narrowed<Half>(DType.F16), .. Narrowed<BFloat16>(DType.BF16),
        Unary("N20", "convert", "%9: bf16 = convert(%0)", F16, a => Rounded<BFloat16>((double)a, DType.BF16)),
        Unary("N20", "convert", "%9: f16 = convert(%0)", BF16, a => Rounded<Half>((float)a, DType.F16)),
        Unary("N21", "bitcast", "%9: f16 = bitcast(%0)", Edges<ushort>(), BitConverter.UInt16BitsToHalf),
        Unary("N21", "bitcast", "%9: bf16 = bitcast(%0)", Edges<short>(), a => new BFloat16((ushort)a)),
    ];

    private static T Rounded<T>(double a, DType type) =>
        Narrow<T>(double.IsFinite(a) ? Exact.Fma(a, 1, a == 0 ? a : 0, type) : a);

    /// <summary>
    /// From wider floats: ties, and numbers next to them that f32 takes for ties; from integers likewise.
    /// </summary>
    private static IEnumerable<Row> Narrowed<T>(DType type) where T : unmanaged
    {
        var narrow = typeof(T) == typeof(Half) ? F16.Select(h => (double)h) : BF16.Select(b => (double)(float)b);
        // Half of the last place above each value, and a hair beside that.
        var precision = type == DType.F16 ? 11 : 8;
        double Unit(double a) => Math.ScaleB(1, Math.Max(Math.ILogB(a), type == DType.F16 ? -14 : -126) - precision);
        double[] ties =
            [.. narrow.Where(a => double.IsFinite(a) && a != 0)
                .Select(a => a + Unit(a)), 65519.9999, 65520, 65535, 3.3961775e38,
            Math.ScaleB(1, -25), -Math.ScaleB(1, -25), Math.ScaleB(1, -134), Math.ScaleB(3, -135)];
        double[] wide = [.. ties, .. ties.Select(Math.BitIncrement), .. ties.Select(Math.BitDecrement), .. F64];
        float[] single = [.. wide.Select(a => (float)a), .. ties.Select(a => MathF.BitIncrement((float)a)), .. F32];
        Row From<TIn>(TIn[] x, Func<TIn, double> value) where TIn : unmanaged =>
            Unary("N20", "convert", $"%9: {type.Name()} = convert(%0)", x, a => Rounded<T>(value(a), type));
        return
        [
            From(single, a => a), From(wide, a => a),
            Integers<sbyte>(), Integers<short>(), Integers<int>(), Integers<long>(),
            Integers<byte>(), Integers<ushort>(), Integers<uint>(), Integers<ulong>(),
            Unary("N19", "convert", $"%9: {type.Name()} = convert(%0)", Bools, a => Narrow<T>(a ? 1 : 0)),
        ];

        Row Integers<TIn>() where TIn : unmanaged, IBinaryInteger<TIn>, IMinMaxValue<TIn>
        {
            // 2^k + 2^(k-8) is a tie of bf16, 2^11 + 1 one of f16; a 1 far below decides.
            BigInteger[] hard =
                [257, 259, 2049, 2051, 4098, 65519, 65520, 16842753, 0x0101_0001, 0x0101_0000, 0x4040_0000_0000_0001,
                0x4040_0000_0000_0000, 0x8080_0000_0000_0001, 0x8080_0000_0000_0000, 0x0020_2000_0000_0001,
                    (BigInteger.One << 53) + 1];
            TIn[] x =
                [.. Edges<TIn>(), .. hard.Select(TIn.CreateTruncating), .. hard.Select(h => TIn.CreateTruncating(-h))];
            return Unary("N17", "convert", $"%9: {type.Name()} = convert(%0)", x,
                a => Narrow<T>(Exact.Round(BigInteger.CreateChecked(a), 0, type)));
        }
    }
}
