// In: an f32 value. Out: exp, expm1, tanh or erf of it in kernel IR, all with one reduction to |r| <= ln(2)/2.
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static partial class VectorMath
{
    private const double Log2E = 1.4426950408889634;

    // ln 2 in two parts: 15 bits, so that n times the first is exact for every exponent n, and the rest.
    private const double Ln2High = 0.693145752;
    private const double Ln2Low = 1.42860677e-06;

    /// <summary>
    /// t, which holds n = round(x / ln 2) plus the bias in its low bits, and r = x - n ln 2. 4 operations.
    /// </summary>
    private static (Value T, Value R) ReduceByLn2(BlockBuilder b, Value x, int bias)
    {
        var magic = b.Float(Magic(DType.F32) + bias, DType.F32);
        var t = b.Fma(x, b.Float(Log2E, DType.F32), magic);
        var n = b.Binary(ScalarOp.Sub, t, magic);
        var r = b.Fma(n, b.Float(-Ln2High, DType.F32), x);
        return (t, b.Fma(n, b.Float(-Ln2Low, DType.F32), r));
    }

    /// <summary>
    /// e^x = 2^n (1 + r + r^2 q(r)); q minimises the relative error on |r| &lt;= ln(2)/2, degree 4 (3.8e-9 rounded).
    /// 2^n is applied as two factors, as 2^128 and 2^-149 are needed but have no normal f32: the first is added to the
    /// exponent, which is exact, the second multiplied, so that subnormal results round once. Adding to the exponent of
    /// a NaN may make it a number: x - x, which is +0 for all other values, makes it a NaN again. 22 operations, 10 of
    /// them on the multipliers; distance 1, error 0.894 at 5.20192909. An x that is known to be no greater than 0 needs
    /// no upper bound: 20 operations, the same bits.
    /// </summary>
    private static Value ExpF32(BlockBuilder b, Value x, bool isNotPositive = false)
    {
        // e^89 overflows and e^-104 is less than half of the least subnormal.
        x = AtLeast(b, isNotPositive ? x : AtMost(b, x, 89), -104);
        var (t, r) = ReduceByLn2(b, x, 0);
        var p = Polynomial(b, r, 0.00138145837, 0.00836871658, 0.041668389, 0.166665211, 0.49999994, 1, 1);
        // n from -150 to 128 in two's complement: only its low bits are shifted to the exponent.
        var i = Bits(b, t);
        var shift = b.Integer(23, DType.I32);
        var half = b.Binary(ScalarOp.Shr, i, b.Integer(1, DType.I32));
        var rest = b.Binary(ScalarOp.Add, b.Binary(ScalarOp.Sub, i, half), b.Integer(127, DType.I32));
        var first = b.Bitcast(b.Binary(ScalarOp.Add, Bits(b, p), b.Binary(ScalarOp.Shl, half, shift)), DType.F32);
        var second = b.Bitcast(b.Binary(ScalarOp.Shl, rest, shift), DType.F32);
        return b.Fma(first, second, b.Binary(ScalarOp.Sub, x, x));
    }

    /// <summary>e^x of an x that is not above 0, or NaN: the same bits as <see cref="UnaryOp.Exp"/> there.</summary>
    public static Value ExpOfDifference(BlockBuilder b, Value x) =>
        x.Type == DType.F32 ? ExpF32(b, x, isNotPositive: true) : Emit(b, UnaryOp.Exp, x);

    /// <summary>
    /// e^x - 1 = 2^n p + (2^n - 1) with p = r + r^2 q(r); q minimises the relative error of p, degree 4 (1.6e-8
    /// rounded). It works on halves because 2^128 has no f32; half a subnormal is inexact, and r^2 q(r) loses the sign
    /// of a zero, so |x| &lt; 2^-25 gives x. 21 operations; distance 2, error 1.651 at 0.387324512.
    /// </summary>
    private static Value Expm1F32(BlockBuilder b, Value x)
    {
        x = AtLeast(b, AtMost(b, x, 89), -18);
        var (t, r) = ReduceByLn2(b, x, 127 - 1);
        var q = Polynomial(b, r, 0.00139464857, 0.00836658385, 0.0416662805, 0.166665435, 0.5);
        var p = b.Fma(b.Binary(ScalarOp.Mul, q, r), r, r);
        var scale = PowerOfTwo(b, t);
        var half = b.Fma(scale, p, b.Binary(ScalarOp.Sub, scale, b.Float(0.5, DType.F32)));
        var isSmall = b.Compare(ScalarOp.Lt, b.Unary(ScalarOp.Abs, x), b.Float(2.98023224e-08, DType.F32));
        return b.Select(isSmall, x, b.Binary(ScalarOp.Add, half, half));
    }

    /// <summary>
    /// E / (E + 2) with E = e^z - 1, z = 2 |x|; E = 2^n p + (2^n - 1) with p = r + r^2 q(r), r = z - n ln 2; q
    /// minimises the relative error of p on |r| &lt;= ln(2)/2, degree 5 (4.2e-10 rounded). For n = 0, r and E are exact
    /// but for p, so that one form serves small and large arguments; for other n, ln 2 in one part is accurate enough.
    /// 21 operations, 10 of them on the multipliers; distance 2, error 2.419 at 0.00776717532.
    /// </summary>
    private static Value TanhF32(BlockBuilder b, Value x)
    {
        // tanh(9.5) rounds to 1.
        var a = AtMost(b, b.Unary(ScalarOp.Abs, x), 9.5);
        var z = b.Binary(ScalarOp.Add, a, a);
        var magic = b.Float(Magic(DType.F32) + 127, DType.F32);
        var t = b.Fma(z, b.Float(Log2E, DType.F32), magic);
        // magic - t is -n, so that the fma needs no negation.
        var r = b.Fma(b.Binary(ScalarOp.Sub, magic, t), b.Float(Math.Log(2), DType.F32), z);
        var q = Polynomial(b, r, 0.000199451606, 0.00139326637, 0.00833320711, 0.0416664891, 0.166666672, 0.5);
        var p = b.Fma(b.Binary(ScalarOp.Mul, q, r), r, r);
        var scale = PowerOfTwo(b, t);
        var e = b.Fma(scale, p, b.Binary(ScalarOp.Sub, scale, b.Float(1, DType.F32)));
        var ratio = b.Binary(ScalarOp.Div, e, b.Binary(ScalarOp.Add, e, b.Float(2, DType.F32)));
        return WithSignOf(b, ratio, x);
    }

    /// <summary>
    /// |x| &lt; 0.93: x + x q(x^2), q minimises the relative error, degree 6 (1.9e-9). Otherwise 1 - 2^g(|x|), g
    /// minimises erfc(a) times the error of log2(erfc(a)) on [0.92, 4], degree 5 (2.3e-8); 2^g = 2^n p(g - n), p
    /// minimises the relative error on [-1/2, 1/2], degree 5 (1.1e-7). Each form exceeds erf where the other is
    /// accurate, so the lesser is taken: a comparison and a select would cost the multipliers one operation more. 30
    /// operations, 19 of them on the multipliers; distance 2, error 1.832 at 0.975699663.
    /// </summary>
    private static Value ErfF32(BlockBuilder b, Value x)
    {
        // erf(4) rounds to 1; g is not valid beyond it.
        var a = AtMost(b, b.Unary(ScalarOp.Abs, x), 4);
        var g = Polynomial(b, a, -0.0017758857, 0.0222450402, -0.130745232, -0.939868629, -1.61535597, -0.00291585526);
        var magic = b.Float(Magic(DType.F32) + 127, DType.F32);
        var t = b.Binary(ScalarOp.Add, g, magic);
        var r = b.Binary(ScalarOp.Sub, g, b.Binary(ScalarOp.Sub, t, magic));
        // 2^n carries the minus of 1 - 2^g: p is -2^r.
        var p = Polynomial(b, r,
            -0.00132646807, -0.00967153441, -0.0555073395, -0.240222424, -0.693147004, -1);
        var large = b.Fma(p, PowerOfTwo(b, t), b.Float(1, DType.F32));
        var square = b.Binary(ScalarOp.Mul, a, a);
        var q = Polynomial(b, square, 8.11617356e-05, -0.000807320292, 0.00519373408, -0.02685575, 0.112836093,
            -0.37612626, 0.128379166);
        var small = b.Fma(a, q, a);
        return WithSignOf(b, b.Select(b.Compare(ScalarOp.Lt, small, large), small, large), x);
    }
}
