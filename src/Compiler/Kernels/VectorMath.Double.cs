// In: an f64 value. Out: exp, expm1, tanh, erf, log or log1p of it in kernel IR: the methods of the f32 functions with
// longer polynomials.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static partial class VectorMath
{
    // ln 2 as a sum of two f64. n times the first, subtracted from x by an fma, leaves an exact f64: |r| < 1/2, and
    // both are multiples of 2^-54.
    private const double Ln2HighF64 = 0.69314718055994529;
    private const double Ln2LowF64 = 2.3190468138462996e-17;

    private static readonly double[] Exp2F64 =
    [
        2.5625387740873834e-11, 4.4565747652228888e-10, 7.0549745399202793e-09, 1.0178051915783835e-07,
        1.3215486594641294e-06, 1.5252733854376171e-05, 0.00015403530393641183, 0.0013333558146392636,
        0.0096181291076283294, 0.055504108664821687, 0.24022650695910072, 0.69314718055994529, 1,
    ];

    /// <summary>Like ReduceByLn2, for f64.</summary>
    private static (Value T, Value R) ReduceByLn2F64(BlockBuilder b, Value x, int bias)
    {
        var magic = b.Float(Magic(DType.F64) + bias, DType.F64);
        var t = b.Fma(x, b.Float(Log2E, DType.F64), magic);
        var n = b.Binary(ScalarOp.Sub, t, magic);
        var r = b.Fma(n, b.Float(-Ln2HighF64, DType.F64), x);
        return (t, b.Fma(n, b.Float(-Ln2LowF64, DType.F64), r));
    }

    /// <summary>
    /// p times 2^n in two factors, so that a subnormal product rounds once; t holds n plus two biases.
    /// </summary>
    private static Value TimesPowerOfTwo(BlockBuilder b, Value p, Value t)
    {
        var type = BitsType(p.Type);
        var i = Bits(b, t);
        var shift = b.Integer(MantissaBits(p.Type), type);
        var half = b.Binary(ScalarOp.Shr, i, b.Integer(1, type));
        var rest = b.Binary(ScalarOp.Sub, i, half);
        var first = b.Bitcast(b.Binary(ScalarOp.Shl, half, shift), p.Type);
        var second = b.Bitcast(b.Binary(ScalarOp.Shl, rest, shift), p.Type);
        return b.Binary(ScalarOp.Mul, b.Binary(ScalarOp.Mul, p, first), second);
    }

    /// <summary>e^r on |r| &lt;= ln(2)/2, relative error 1.1e-17.</summary>
    private static Value ExpPolynomialF64(BlockBuilder b, Value r) => Polynomial(b, r,
        2.5000096146910105e-08, 2.7630249778774965e-07, 2.7557586263623958e-06, 2.4801493094938716e-05,
        0.00019841269509706518, 0.0013888888943634219, 0.0083333333334943988, 0.041666666666530142,
        0.16666666666666413, 0.50000000000000111, 1, 1);

    /// <summary>Like ExpF32, with both factors multiplied; q has degree 9. 25 operations.</summary>
    private static Value ExpF64(BlockBuilder b, Value x)
    {
        // e^710 overflows and e^-746 is less than half of the least subnormal.
        x = AtLeast(b, AtMost(b, x, 710), -746);
        var (t, r) = ReduceByLn2F64(b, x, 2 * 1023);
        return TimesPowerOfTwo(b, ExpPolynomialF64(b, r), t);
    }

    /// <summary>Like Expm1F32; q has degree 10 (5.5e-19). 27 operations.</summary>
    private static Value Expm1F64(BlockBuilder b, Value x)
    {
        x = AtLeast(b, AtMost(b, x, 710), -40);
        var (t, r) = ReduceByLn2F64(b, x, 1023 - 1);
        var q = Polynomial(b, r, 2.0924387323150757e-09, 2.5109045054662475e-08, 2.7557242974245476e-07,
            2.7557244181411428e-06, 2.4801587360250771e-05, 0.00019841269886159218, 0.0013888888888867036,
            0.0083333333333216152, 0.041666666666666699, 0.16666666666666677, 0.5);
        var p = b.Fma(b.Binary(ScalarOp.Mul, q, r), r, r);
        var scale = PowerOfTwo(b, t);
        var half = b.Fma(scale, p, b.Binary(ScalarOp.Sub, scale, b.Float(0.5, DType.F64)));
        var isSmall = b.Compare(ScalarOp.Lt, b.Unary(ScalarOp.Abs, x), b.Float(Math.ScaleB(1, -54), DType.F64));
        return b.Select(isSmall, x, b.Binary(ScalarOp.Add, half, half));
    }

    /// <summary>
    /// |x| &lt; 9/16: x + x^3 q(x^2), degree 10 (7.2e-18). Otherwise 1 - 2 / (2^y + 1), y = |x| 2 log2(e); 2^y by
    /// degree 12 (1.8e-17).
    /// </summary>
    private static Value TanhF64(BlockBuilder b, Value x)
    {
        // tanh(22) rounds to 1.
        var a = AtMost(b, b.Unary(ScalarOp.Abs, x), 22);
        var magic = b.Float(Magic(DType.F64) + 1023, DType.F64);
        var rate = b.Float(2 * Log2E, DType.F64);
        var t = b.Fma(a, rate, magic);
        var r = b.Fma(a, rate, b.Binary(ScalarOp.Sub, magic, t));
        var one = b.Float(1, DType.F64);
        var divisor = b.Fma(Polynomial(b, r, Exp2F64), PowerOfTwo(b, t), one);
        var large = b.Binary(ScalarOp.Sub, one, b.Binary(ScalarOp.Div, b.Float(2, DType.F64), divisor));
        var square = b.Binary(ScalarOp.Mul, a, a);
        var q = Polynomial(b, square, -1.8899233568532099e-05, 8.2353102194442432e-05, -0.0002327106430841565,
            0.00058818141270379151, -0.00145547908763769, 0.0035920821622843096, -0.0088632316283328103,
            0.021869488326726274, -0.05396825396170489, 0.133333333333231, -0.33333333333333276);
        var small = b.Fma(b.Binary(ScalarOp.Mul, a, square), q, a);
        return WithSignOf(b, b.Select(b.Compare(ScalarOp.Lt, a, b.Float(0.5625, DType.F64)), small, large), x);
    }

    /// <summary>
    /// Like ErfF32: q has degree 12 (1.1e-17); g is a polynomial in |x| - 5/2 on [0.92, 6], degree 21 (8.0e-18).
    /// </summary>
    private static Value ErfF64(BlockBuilder b, Value x)
    {
        // erf(6) rounds to 1; g is not valid beyond it.
        var a = AtMost(b, b.Unary(ScalarOp.Abs, x), 6);
        var g = Polynomial(b, b.Binary(ScalarOp.Sub, a, b.Float(2.5, DType.F64)),
            6.5100114404358092e-16, 2.6930712452079849e-14, -2.0700040237225979e-13, 3.2285340113112231e-13,
            -4.0966017089994122e-14, -1.8293443415098413e-12, 3.1556738897214864e-11, -2.3637778698060263e-10,
            1.2178418217675386e-09, -5.0609573065017391e-09, 1.5768790138608561e-08, -1.8200577470664104e-08,
            -2.2501685205097106e-07, 2.5521103626028687e-06, -1.8402782560483775e-05, 0.00011113195678444181,
            -0.00060727732129148011, 0.0031241227839868256, -0.015664887692912816, -1.3617508084814345,
            -7.7222859749099113, -11.262853679099845);
        var magic = b.Float(Magic(DType.F64) + 1023, DType.F64);
        var t = b.Binary(ScalarOp.Add, g, magic);
        var r = b.Binary(ScalarOp.Sub, g, b.Binary(ScalarOp.Sub, t, magic));
        var p = b.Unary(ScalarOp.Neg, Polynomial(b, r, Exp2F64));
        var large = b.Fma(p, PowerOfTwo(b, t), b.Float(1, DType.F64));
        var square = b.Binary(ScalarOp.Mul, x, x);
        var q = Polynomial(b, square, 6.324784214026933e-11, -1.1570071650672095e-09, 1.4706062222334702e-08,
            -1.6356551304208952e-07, 1.646153343634281e-06, -1.4925625315470003e-05, 0.00012055332240604561,
            -0.00085483270087160959, 0.0052239776252537579, -0.026866170645116882, 0.11283791670955069,
            -0.37612638903183754, 0.12837916709551259);
        var small = b.Fma(x, q, x);
        return b.Select(b.Compare(ScalarOp.Lt, a, b.Float(0.93, DType.F64)), small, WithSignOf(b, large, x));
    }

    /// <summary>
    /// log(1 + f) + k ln 2 for sqrt(1/2) &lt;= 1 + f &lt; sqrt(2): with s = f / (2 + f), z = s^2, log(1 + f) = f -
    /// (f^2/2 - s (f^2/2 + z q(z))), q of degree 7 (3.0e-20): the division's error enters only in terms of the order of
    /// f^2/2.
    /// </summary>
    private static Value LogOfParts(BlockBuilder b, Value f, Value k, int sign)
    {
        var s = b.Binary(ScalarOp.Div, f, b.Binary(ScalarOp.Add, f, b.Float(2, DType.F64)));
        var z = b.Binary(ScalarOp.Mul, s, s);
        var q = Polynomial(b, z, 0.13278330285630549, 0.13246933523236404, 0.15387241604202462, 0.18181772034975405,
            0.22222222692500596, 0.28571428568821194, 0.4000000000000653, 0.66666666666666663);
        var half = b.Binary(ScalarOp.Mul, b.Binary(ScalarOp.Mul, f, b.Float(0.5, DType.F64)), f);
        var low = b.Binary(ScalarOp.Mul, k, b.Float(sign * Ln2LowF64, DType.F64));
        var tail = b.Fma(s, b.Fma(z, q, half), low);
        var sum = b.Binary(ScalarOp.Sub, f, b.Binary(ScalarOp.Sub, half, tail));
        return b.Fma(k, b.Float(sign * Ln2HighF64, DType.F64), sum);
    }

    /// <summary>A small integer, multiplied by 2^52, as a number.</summary>
    private static Value FromExponentBits(BlockBuilder b, Value exponent)
    {
        var magic = Magic(DType.F64);
        var k = b.Binary(ScalarOp.Shr, exponent, b.Integer(52, DType.I64));
        var bits = b.Binary(ScalarOp.Add, k, b.Integer(BitConverter.DoubleToInt64Bits(magic), DType.I64));
        return b.Binary(ScalarOp.Sub, b.Bitcast(bits, DType.F64), b.Float(magic, DType.F64));
    }

    /// <summary>x = 2^k (1 + f), x a positive number; subnormals are first scaled by 2^54.</summary>
    private static (Value F, Value K) Significand(BlockBuilder b, Value x)
    {
        var isSubnormal = b.Compare(ScalarOp.Lt, x, b.Float(2.2250738585072014e-308, DType.F64));
        var scaled = b.Select(isSubnormal, b.Binary(ScalarOp.Mul, x, b.Float(Math.ScaleB(1, 54), DType.F64)), x);
        var shift = b.Select(isSubnormal, b.Float(-54, DType.F64), b.Float(0, DType.F64));
        var bits = Bits(b, scaled);
        // The bits of sqrt(1/2): the multiple of 2^52 by which the number exceeds them is the exponent.
        var exponent = b.Binary(ScalarOp.And,
            b.Binary(ScalarOp.Sub, bits, b.Integer(0x3FE6A09E667F3BCD, DType.I64)), b.Integer(-(1L << 52), DType.I64));
        var mantissa = b.Bitcast(b.Binary(ScalarOp.Sub, bits, exponent), DType.F64);
        var f = b.Binary(ScalarOp.Sub, mantissa, b.Float(1, DType.F64));
        return (f, b.Binary(ScalarOp.Add, FromExponentBits(b, exponent), shift));
    }

    private static Value LogF64(BlockBuilder b, Value x)
    {
        var (f, k) = Significand(b, x);
        return LogSpecials(b, LogOfParts(b, f, k, 1), x, 0);
    }

    /// <summary>Like Log1pF32: the exponent is kept negative, so that k = 0 adds a -0.</summary>
    private static Value Log1pF64(BlockBuilder b, Value x)
    {
        var sum = b.Binary(ScalarOp.Add, x, b.Float(1, DType.F64));
        var exponent = b.Binary(ScalarOp.And,
            b.Binary(ScalarOp.Sub, b.Integer(0x3FF6A09E667F3BCC, DType.I64), Bits(b, sum)),
                b.Integer(-(1L << 52), DType.I64));
        // 4 * 2^-k: without the 4 it has no normal f64 for k = 1024.
        var scale = b.Bitcast(b.Binary(ScalarOp.Add, exponent, b.Integer(0x4010000000000000, DType.I64)), DType.F64);
        var rest = b.Fma(scale, b.Float(-0.25, DType.F64), b.Float(1, DType.F64));
        var product = b.Bitcast(b.Binary(ScalarOp.Add, Bits(b, x), exponent), DType.F64);
        var f = b.Binary(ScalarOp.Sub, product, rest);
        return LogSpecials(b, LogOfParts(b, f, FromExponentBits(b, exponent), -1), x, -1);
    }
}
