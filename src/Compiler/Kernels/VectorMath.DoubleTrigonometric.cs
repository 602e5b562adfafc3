// In: an f64 value of any size. Out: its sine or cosine in kernel IR.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static partial class VectorMath
{
    // pi/2 as a sum of three f64.
    private static readonly double[] HalfPi = [1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33];

    /// <summary>32 zeros, then the binary digits of 2/pi.</summary>
    private static readonly ulong[] TwoOverPiBits =
    [
        0x00000000A2F9836E, 0x4E441529FC2757D1, 0xF534DDC0DB629599, 0x3C439041FE5163AB, 0xDEBBC561B7246E3A,
        0x424DD2E006492EEA, 0x09D1921CFE1DEB1C, 0xB129A73EE88235F5, 0x2EBB4484E99C7026, 0xB45F7E413991D639,
        0x835339F49C845F8B, 0xBDF9283B1FF897FF, 0xDE05980FEF2F118B, 0x5A0A6D1F6D367ECF, 0x27CB09B74F463F66,
        0x9E5FEA2D7527BAC7, 0xEBE5F17B3D0739F7, 0x8A5292EA6BFB5FB1, 0x1F8D5D0856033046,
    ];

    private static Value SinF64(BlockBuilder b, Value x)
    {
        var (quarter, high, low) = QuarterTurnsF64(b, b.Unary(ScalarOp.Abs, x));
        return SinCosF64(b, quarter, high, low, x, Bits(b, x));
    }

    private static Value CosF64(BlockBuilder b, Value x)
    {
        var (quarter, high, low) = QuarterTurnsF64(b, b.Unary(ScalarOp.Abs, x));
        return SinCosF64(b, b.Binary(ScalarOp.Add, quarter, b.Integer(1, DType.I64)), high, low, x, null);
    }

    /// <summary>
    /// a = quarter * pi/2 + high + low for a &gt;= 0, quarter modulo 4. Below 2^32, a - n pi/2 in three parts: the
    /// first is exact by fma, the second a product in two parts. No f64 comes closer to a multiple of pi/2 than 2^-62,
    /// and n times the error of pi/2 is below 2^-130. From there on, the digits of 2/pi (Payne and Hanek).
    /// </summary>
    private static (Value Quarter, Value High, Value Low) QuarterTurnsF64(BlockBuilder b, Value a)
    {
        var magic = b.Float(Magic(DType.F64), DType.F64);
        var t = b.Fma(a, b.Float(TwoOverPi[0].High, DType.F64), magic);
        var n = b.Binary(ScalarOp.Sub, t, magic);
        var first = b.Fma(n, b.Float(-HalfPi[0], DType.F64), a);
        var part = b.Binary(ScalarOp.Mul, n, b.Float(-HalfPi[1], DType.F64));
        var lost = b.Fma(n, b.Float(-HalfPi[1], DType.F64), b.Unary(ScalarOp.Neg, part));
        var (sum, error) = TwoSum(b, first, part);
        var low = b.Fma(n, b.Float(-HalfPi[2], DType.F64), b.Binary(ScalarOp.Add, error, lost));
        (sum, low) = QuickTwoSum(b, sum, low);
        var (farQuarter, farHigh, farLow) = QuarterTurnsByDigits(b, a);
        var isFar = b.Compare(ScalarOp.Ge, a, b.Float(4294967296, DType.F64));
        return (b.Select(isFar, farQuarter, Bits(b, t)), b.Select(isFar, farHigh, sum), b.Select(isFar, farLow, low));
    }

    /// <summary>
    /// a = M 2^k, M of 53 bits. Digits of 2/pi whose product with a is a multiple of 4 are left out; the next 192 are
    /// W, and the upper 128 of the lowest 192 bits of M W are the quarter and its fraction, with 126 - 62 &gt; 53 bits
    /// of it that are not zero. For a &gt;= 2^32; not valid below.
    /// </summary>
    private static (Value Quarter, Value High, Value Low) QuarterTurnsByDigits(BlockBuilder b, Value a)
    {
        const DType U = DType.U64;
        Value Int(ulong value) => b.Integer((long)value, U);
        Value Shift(ScalarOp op, Value x, int by) => b.Binary(op, x, Int((ulong)by));
        Value Add(Value x, Value y) => b.Binary(ScalarOp.Add, x, y);
        Value Mul(Value x, Value y) => b.Binary(ScalarOp.Mul, x, y);
        Value Low32(Value x) => b.Binary(ScalarOp.And, x, Int(uint.MaxValue));

        var bits = b.Bitcast(a, U);
        var m = b.Binary(ScalarOp.Or, b.Binary(ScalarOp.And, bits, Int((1UL << 52) - 1)), Int(1UL << 52));
        // The digit of weight 2 / M: with the exponent k = e - 1075 it is number k - 1, after the 32 zeros.
        var from = b.Binary(ScalarOp.Sub, Shift(ScalarOp.Shr, bits, 52), Int(1045));
        var words = TwoOverPiBits.Select(Int).ToArray();
        for (var step = 8; step > 0; step /= 2)
        {
            var moves = b.Compare(ScalarOp.Ne, b.Binary(ScalarOp.And, from, Int((ulong)step << 6)), Int(0));
            words = [.. Enumerable.Range(0, 3 + step).Select(i => b.Select(moves, words[i + step], words[i]))];
        }
        var left = b.Binary(ScalarOp.And, from, Int(63));
        var right = b.Binary(ScalarOp.Sub, Int(64), left);
        Value Window(int i) => b.Binary(ScalarOp.Or,
            b.Binary(ScalarOp.Shl, words[i], left), b.Binary(ScalarOp.Shr, words[i + 1], right));
        var (w0, w1, w2) = (Window(0), Window(1), Window(2));

        var (m1, m0) = (Shift(ScalarOp.Shr, m, 32), Low32(m));
        Value UpperHalf(Value w)
        {
            var (v1, v0) = (Shift(ScalarOp.Shr, w, 32), Low32(w));
            var cross = Mul(m0, v1);
            var middle = Add(Add(Shift(ScalarOp.Shr, Mul(m0, v0), 32), Low32(cross)), Mul(m1, v0));
            return Add(Add(Mul(m1, v1), Shift(ScalarOp.Shr, cross, 32)), Shift(ScalarOp.Shr, middle, 32));
        }
        var lower = Mul(m, w1);
        var r1 = Add(lower, UpperHalf(w2));
        var carry = b.Convert(b.Compare(ScalarOp.Lt, r1, lower), U);
        var r2 = Add(Add(Mul(m, w0), UpperHalf(w1)), carry);

        // The first two bits are the quarter; the next one, the fraction's sign, rounds it.
        var quarter = Add(Shift(ScalarOp.Shr, r2, 62), b.Binary(ScalarOp.And, Shift(ScalarOp.Shr, r2, 61), Int(1)));
        var f2 = b.Binary(ScalarOp.Or, Shift(ScalarOp.Shl, r2, 2), Shift(ScalarOp.Shr, r1, 62));
        var f1 = Shift(ScalarOp.Shl, r1, 2);
        // 32 bits at a time in the mantissa of 2^52; the first are signed.
        Value Digits(Value d, double offset) => b.Binary(ScalarOp.Sub,
            b.Bitcast(b.Binary(ScalarOp.Or, d, Int(0x4330000000000000)), DType.F64),
                b.Float(4503599627370496 + offset, DType.F64));
        var signed = b.Binary(ScalarOp.Xor, Shift(ScalarOp.Shr, f2, 32), Int(1UL << 31));
        var scale = b.Float(Math.ScaleB(1, -32), DType.F64);
        var (high, low) = QuickTwoSum(b, Digits(signed, 2147483648), Mul(Digits(Low32(f2), 0), scale));
        var rest = b.Fma(Digits(Low32(f1), 0), scale, Digits(Shift(ScalarOp.Shr, f1, 32), 0));
        (high, low) = QuickTwoSum(b, high, b.Fma(rest, b.Float(Math.ScaleB(1, -64), DType.F64), low));
        var turn = b.Float(Math.ScaleB(HalfPi[0], -32), DType.F64);
        var angle = Mul(high, turn);
        var error = b.Fma(high, turn, b.Unary(ScalarOp.Neg, angle));
        error = b.Fma(high, b.Float(Math.ScaleB(HalfPi[1], -32), DType.F64), b.Fma(low, turn, error));
        return (b.Bitcast(quarter, DType.I64), angle, error);
    }

    /// <summary>
    /// Like SinCos, of r + low. sin r = r + r^3 q(r^2), degree 5 (3.8e-18), cos r = 1 - r^2/2 + r^4 q(r^2), degree 5
    /// (4.8e-20).
    /// </summary>
    private static Value SinCosF64(BlockBuilder b, Value quarter, Value r, Value low, Value x, Value? signBits)
    {
        var square = b.Binary(ScalarOp.Mul, r, r);
        var half = b.Binary(ScalarOp.Mul, square, b.Float(0.5, DType.F64));
        var q = Polynomial(b, square, 1.5895840717828483e-10, -2.5050740424593261e-08, 2.7557313569529963e-06,
            -0.00019841269829421761, 0.0083333333333218806, -0.1666666666666663);
        var turned = b.Fma(b.Unary(ScalarOp.Neg, half), low, low);
        var sin = b.Binary(ScalarOp.Add, r, b.Fma(b.Binary(ScalarOp.Mul, r, square), q, turned));
        var p = Polynomial(b, square, -1.1359917201298117e-11, 2.0875728992670106e-09, -2.7557314399259634e-07,
            2.4801587289666898e-05, -0.001388888888887447, 0.041666666666666602);
        var one = b.Float(1, DType.F64);
        var most = b.Binary(ScalarOp.Sub, one, half);
        var lost = b.Binary(ScalarOp.Sub, b.Binary(ScalarOp.Sub, one, most), half);
        var turnedBack = b.Fma(b.Unary(ScalarOp.Neg, r), low, lost);
        var cos = b.Binary(ScalarOp.Add, most, b.Fma(b.Binary(ScalarOp.Mul, square, square), p, turnedBack));
        var unit = b.Integer(1, DType.I64);
        var isOdd = b.Compare(ScalarOp.Eq, b.Binary(ScalarOp.And, quarter, unit), unit);
        var magnitude = b.Select(isOdd, cos, sin);
        var flip = b.Binary(ScalarOp.Shl, quarter, b.Integer(62, DType.I64));
        if (signBits is not null) flip = b.Binary(ScalarOp.Xor, flip, signBits);
        var sign = b.Binary(ScalarOp.And, flip, b.Integer(long.MinValue, DType.I64));
        var result = b.Bitcast(b.Binary(ScalarOp.Xor, Bits(b, magnitude), sign), DType.F64);
        var isFinite = b.Compare(ScalarOp.Lt, b.Unary(ScalarOp.Abs, x), b.Float(double.PositiveInfinity, DType.F64));
        return b.Select(isFinite, result, b.Float(double.NaN, DType.F64));
    }

    /// <summary>The rounded sum and its exact rounding error.</summary>
    private static (Value Sum, Value Error) TwoSum(BlockBuilder b, Value x, Value y)
    {
        var sum = b.Binary(ScalarOp.Add, x, y);
        var part = b.Binary(ScalarOp.Sub, sum, x);
        var lostX = b.Binary(ScalarOp.Sub, x, b.Binary(ScalarOp.Sub, sum, part));
        return (sum, b.Binary(ScalarOp.Add, lostX, b.Binary(ScalarOp.Sub, y, part)));
    }

    /// <summary>The same for an x that is zero or not the smaller one.</summary>
    private static (Value Sum, Value Error) QuickTwoSum(BlockBuilder b, Value x, Value y)
    {
        var sum = b.Binary(ScalarOp.Add, x, y);
        return (sum, b.Binary(ScalarOp.Sub, y, b.Binary(ScalarOp.Sub, sum, x)));
    }
}
