// The rows of the numerics table on integers and bool, and on conversions; expectations by big integers.
using System.Numerics;

namespace Accelerate.Tests.Kernels;

internal static partial class NumericsTable
{
    private static IEnumerable<Row> IntegerRows() =>
    [
        .. Integers<sbyte>(), .. Integers<short>(), .. Integers<int>(), .. Integers<long>(),
        .. Integers<byte>(), .. Integers<ushort>(), .. Integers<uint>(), .. Integers<ulong>(),
        Pairs("N15", "and", "%9: bool = and(%0, %1)", Bools, (a, b) => a && b),
        Pairs("N15", "or", "%9: bool = or(%0, %1)", Bools, (a, b) => a || b),
        Pairs("N15", "xor", "%9: bool = xor(%0, %1)", Bools, (a, b) => a != b),
        Pairs("N15", "max", "%9: bool = max(%0, %1)", Bools, (a, b) => a || b),
        Pairs("N15", "min", "%9: bool = min(%0, %1)", Bools, (a, b) => a && b),
        Unary("N15", "not", "%9: bool = not(%0)", Bools, a => !a),
        Pairs("N15", "eq", "%9: bool = eq(%0, %1)", Bools, (a, b) => a == b),
        Pairs("N15", "ne", "%9: bool = ne(%0, %1)", Bools, (a, b) => a != b),
        Pairs("N15", "lt", "%9: bool = lt(%0, %1)", Bools, (a, b) => !a && b),
        Pairs("N15", "le", "%9: bool = le(%0, %1)", Bools, (a, b) => !a || b),
        Pairs("N15", "gt", "%9: bool = gt(%0, %1)", Bools, (a, b) => a && !b),
        Pairs("N15", "ge", "%9: bool = ge(%0, %1)", Bools, (a, b) => a || !b),
    ];

    private static readonly bool[] Bools = [false, true];

    private static T[] Edges<T>() where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        long[] small = [0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 100, -1, -2, -7, -100];
        return [.. small.Select(T.CreateTruncating).Concat([T.MinValue, T.MaxValue, T.MinValue + T.One,
            T.MaxValue - T.One]).Distinct()];
    }

    private static unsafe IEnumerable<Row> Integers<T>() where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        var width = 8 * sizeof(T);
        var signed = T.MinValue < T.Zero;
        var x = Edges<T>();
        T Wrap(BigInteger value) => T.CreateTruncating(value);
        BigInteger Big(T value) => BigInteger.CreateChecked(value);
        BigInteger Unsigned(T value) => Big(value) & ((BigInteger.One << width) - 1);
        Row One(string id, string op, Func<T, T> f) => Unary(id, op, $"%9: {Name<T>()} = {op}(%0)", x, f);
        Row Two(string id, string op, Func<T, T, T> f) => Pairs(id, op, $"%9: {Name<T>()} = {op}(%0, %1)", x, f);
        return
        [
            Two("N10", "add", (a, b) => Wrap(Big(a) + Big(b))),
            Two("N10", "sub", (a, b) => Wrap(Big(a) - Big(b))),
            Two("N10", "mul", (a, b) => Wrap(Big(a) * Big(b))),
            One("N10", "neg", a => Wrap(-Big(a))),
            One("N10", "abs", a => Wrap(BigInteger.Abs(Big(a)))),
            Pairs("N10", "fma", $"%9: {Name<T>()} = fma(%0, %1, %0)", x, (a, b) => Wrap(Big(a) * Big(b) + Big(a))),
            Two("N11", "div", (a, b) => b == T.Zero ? Wrap(-1) : Wrap(BigInteger.Divide(Big(a), Big(b)))),
            Two("N11", "rem", (a, b) => b == T.Zero ? a : Wrap(BigInteger.Remainder(Big(a), Big(b)))),
            Two("N12", "shl", (a, b) => Unsigned(b) >= width ? T.Zero : Wrap(Big(a) << (int)Unsigned(b))),
            Two("N12", "shr", (a, b) => Unsigned(b) >= width
                ? signed && a < T.Zero ? Wrap(-1) : T.Zero
                : Wrap(Big(a) >> (int)Unsigned(b))),
            Two("N13", "and", (a, b) => Wrap(Unsigned(a) & Unsigned(b))),
            Two("N13", "or", (a, b) => Wrap(Unsigned(a) | Unsigned(b))),
            Two("N13", "xor", (a, b) => Wrap(Unsigned(a) ^ Unsigned(b))),
            One("N13", "not", a => Wrap(-1 - Big(a))),
            Two("N14", "max", (a, b) => Wrap(BigInteger.Max(Big(a), Big(b)))),
            Two("N14", "min", (a, b) => Wrap(BigInteger.Min(Big(a), Big(b)))),
            .. Comparisons("N14", x),
        ];
    }

    private static IEnumerable<Row> ConversionRows() =>
    [
        .. ToIntegers("N16", F32, a => a), .. ToIntegers("N16", F64, a => a),
        .. FromInteger<sbyte>(), .. FromInteger<short>(), .. FromInteger<int>(), .. FromInteger<long>(),
        .. FromInteger<byte>(), .. FromInteger<ushort>(), .. FromInteger<uint>(), .. FromInteger<ulong>(),
        Unary("N19", "convert", "%9: bool = convert(%0)", F32, a =>
            float.IsNaN(a) || BitConverter.SingleToUInt32Bits(a) << 1 != 0),
        Unary("N19", "convert", "%9: bool = convert(%0)", F64, a =>
            double.IsNaN(a) || BitConverter.DoubleToUInt64Bits(a) << 1 != 0),
        Unary("N19", "convert", "%9: f32 = convert(%0)", Bools, a => a ? 1f : 0f),
        Unary("N19", "convert", "%9: f64 = convert(%0)", Bools, a => a ? 1d : 0d),
        Unary("N19", "convert", "%9: i8 = convert(%0)", Bools, a => (sbyte)(a ? 1 : 0)),
        Unary("N19", "convert", "%9: u64 = convert(%0)", Bools, a => a ? 1UL : 0UL),
        Unary("N20", "convert", "%9: f64 = convert(%0)", F32, a =>
            float.IsFinite(a) ? Exact.Fma(a, 1, a == 0 ? a : 0, false) : a),
        Unary("N20", "convert", "%9: f32 = convert(%0)", F64,
            a => double.IsFinite(a) ? (float)Exact.Fma(a, 1, a == 0 ? a : 0, true) : (float)a),
        Unary("N21", "bitcast", "%9: u32 = bitcast(%0)", F32, BitConverter.SingleToUInt32Bits),
        Unary("N21", "bitcast", "%9: i64 = bitcast(%0)", F64, BitConverter.DoubleToInt64Bits),
        Unary("N21", "bitcast", "%9: f32 = bitcast(%0)", Edges<int>(), BitConverter.Int32BitsToSingle),
        Unary("N21", "bitcast", "%9: f64 = bitcast(%0)", Edges<ulong>(), BitConverter.UInt64BitsToDouble),
        Unary("N21", "bitcast", "%9: u8 = bitcast(%0)", Edges<sbyte>(), a => unchecked((byte)a)),
    ];

    private static IEnumerable<Row> ToIntegers<T>(string id, T[] x, Func<T, double> value) where T : unmanaged
    {
        Row To<TOut>() where TOut : unmanaged, IBinaryInteger<TOut>, IMinMaxValue<TOut> =>
            Unary(id, "convert", $"%9: {Name<TOut>()} = convert(%0)", x, a => Saturated<TOut>(value(a)));
        return [To<sbyte>(), To<short>(), To<int>(), To<long>(), To<byte>(), To<ushort>(), To<uint>(), To<ulong>()];
    }

    private static T Saturated<T>(double a) where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        if (double.IsNaN(a)) return T.Zero;
        var (least, greatest) = (BigInteger.CreateChecked(T.MinValue), BigInteger.CreateChecked(T.MaxValue));
        if (double.IsInfinity(a)) return a < 0 ? T.MinValue : T.MaxValue;
        return T.CreateChecked(BigInteger.Clamp(new BigInteger(a), least, greatest)); // BigInteger truncates
    }

    private static IEnumerable<Row> FromInteger<T>() where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        // 2^24 + 1 and its like, where f32 rounds; 2^k + 2^(k-24) + 1, where rounding to f64 first would go wrong.
        BigInteger[] hard = [16777217, 16777219, 0x8000_0080_0000_0001, 0x8000_0080_0000_0000, 0x4000_0040_0000_0001,
            0x20_0000_0000_0001];
        T[] x = [.. Edges<T>(), .. hard.Select(T.CreateTruncating), .. hard.Select(h => T.CreateTruncating(-h))];
        BigInteger Big(T value) => BigInteger.CreateChecked(value);
        Row To<TOut>() where TOut : unmanaged, IBinaryInteger<TOut> =>
            Unary("N18", "convert", $"%9: {Name<TOut>()} = convert(%0)", x, a => TOut.CreateTruncating(Big(a)));
        return
        [
            Unary("N17", "convert", "%9: f32 = convert(%0)", x, a => (float)Exact.Round(Big(a), 0, single: true)),
            Unary("N17", "convert", "%9: f64 = convert(%0)", x, a => Exact.Round(Big(a), 0, single: false)),
            Unary("N19", "convert", "%9: bool = convert(%0)", x, a => Big(a) != 0),
            To<sbyte>(), To<short>(), To<int>(), To<long>(), To<byte>(), To<ushort>(), To<uint>(), To<ulong>(),
        ];
    }
}
