// In: an f32 value of any size. Out: its sine or cosine in kernel IR.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static partial class VectorMath
{
    /// <summary>
    /// From this |x| on: (2^s 2/pi) mod 4, nearest zero, times 2^-s, as a sum of two f64; s = 0, 27, 54, 79. There x is
    /// a multiple of 2^s, so the omitted multiples of 4 are whole turns. The bounds keep |x High| below 2^49.4: its
    /// unit in the last place is at most 1/8, so Magic still rounds it.
    /// </summary>
    private static readonly (double From, double High, double Low)[] TwoOverPi =
    [
        (0, 0.6366197723675814, -3.935735335036497e-17),
        (1125899906842624.0, -4.119769120791653e-09, 2.8376220177865265e-25), // 2^50
        (151115727451828646838272.0, 7.166494911215068e-17, -2.1442872565786008e-33), // 2^77
        (5070602400912917605986812821504.0, -5.434184107743751e-25, 3.8858987075186823e-41), // 2^102
    ];

    /// <summary>
    /// 38 operations; distance 2, error 2.479 at 1.1158821e+15, where |r| leaves the interval of the polynomials, which
    /// is chosen for common arguments.
    /// </summary>
    private static Value SinF32(BlockBuilder b, Value x)
    {
        var a = b.Unary(ScalarOp.Abs, x);
        var (quarter, r) = ReduceByQuarterTurns(b, a);
        // The angle is that of |x|; x supplies the sign, so that a zero keeps its sign.
        return SinCos(b, quarter, r, Bits(b, x));
    }

    /// <summary>38 operations; distance 2, error 1.628 at 2.09419822e+17.</summary>
    private static Value CosF32(BlockBuilder b, Value x)
    {
        var (quarter, r) = ReduceByQuarterTurns(b, b.Unary(ScalarOp.Abs, x));
        return SinCos(b, b.Binary(ScalarOp.Add, quarter, b.Integer(1, DType.I32)), r, null);
    }

    /// <summary>
    /// a = quarter * pi/2 + r for a &gt;= 0, quarter modulo 4, |r| &lt;= 0.63 pi/2 (beyond 0.53 only from 2^48 on).
    /// Computed in f64: f32 arguments come within 2^-30 of a multiple of pi/2, which the error of the products, below
    /// 2^-57 where they cancel, resolves. 21 operations, all but the last on f64.
    /// </summary>
    private static (Value Quarter, Value R) ReduceByQuarterTurns(BlockBuilder b, Value a)
    {
        var wide = b.Convert(a, DType.F64);
        var high = b.Float(TwoOverPi[0].High, DType.F64);
        var low = b.Float(TwoOverPi[0].Low, DType.F64);
        foreach (var (from, nextHigh, nextLow) in TwoOverPi.AsSpan(1))
        {
            var isBeyond = b.Compare(ScalarOp.Ge, wide, b.Float(from, DType.F64));
            high = b.Select(isBeyond, b.Float(nextHigh, DType.F64), high);
            low = b.Select(isBeyond, b.Float(nextLow, DType.F64), low);
        }
        var product = b.Binary(ScalarOp.Mul, wide, high);
        var magic = b.Float(Magic(DType.F64), DType.F64);
        var t = b.Binary(ScalarOp.Add, product, magic);
        // The exact rounding error of the product, and the product with the low half.
        var rest = b.Fma(wide, low, b.Fma(wide, high, b.Unary(ScalarOp.Neg, product)));
        var whole = b.Binary(ScalarOp.Sub, t, magic);
        var turns = b.Binary(ScalarOp.Add, b.Binary(ScalarOp.Sub, product, whole), rest);
        var r = b.Convert(b.Binary(ScalarOp.Mul, turns, b.Float(Math.PI / 2, DType.F64)), DType.F32);
        return (b.Convert(Bits(b, t), DType.I32), r);
    }

    /// <summary>
    /// The sine of quarter * pi/2 + r, its sign flipped by the highest of the given bits. sin r = r + r^3 q(r^2),
    /// degree 2 (9.7e-9), cos r = 1 - r^2/2 + r^4 q(r^2), degree 2 (4.0e-10): relative errors on |r| &lt;= 0.56 pi/2.
    /// </summary>
    private static Value SinCos(BlockBuilder b, Value quarter, Value r, Value? signBits)
    {
        var square = b.Binary(ScalarOp.Mul, r, r);
        var q = Polynomial(b, square, -0.000194341294, 0.00833150558, -0.166666433);
        var sin = b.Fma(b.Binary(ScalarOp.Mul, r, square), q, r);
        var cos = Polynomial(b, square, 2.43331451e-05, -0.00138863397, 0.0416666232, -0.5, 1);
        var one = b.Integer(1, DType.I32);
        var isOdd = b.Compare(ScalarOp.Eq, b.Binary(ScalarOp.And, quarter, one), one);
        var magnitude = b.Select(isOdd, cos, sin);
        var flip = b.Binary(ScalarOp.Shl, quarter, b.Integer(30, DType.I32));
        if (signBits is not null) flip = b.Binary(ScalarOp.Xor, flip, signBits);
        var sign = b.Binary(ScalarOp.And, flip, b.Integer(int.MinValue, DType.I32));
        return b.Bitcast(b.Binary(ScalarOp.Xor, Bits(b, magnitude), sign), DType.F32);
    }
}
