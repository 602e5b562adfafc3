// In: two f64. Out: atan2 or the remainder of truncated division in kernel IR.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static partial class VectorMath
{
    /// <summary>
    /// With a &lt;= b the magnitudes, a / b = tan(t) for t &lt;= pi/4. Beyond tan(pi/8) t = pi/4 + atan((a - b) / (a +
    /// b)). The angle is c pi/4 ± atan(u), c = 0 .. 4. atan(u) = u + u^3 q(u^2), degree 12 (8.5e-20). Exact: adds the
    /// rounding error of the division, and scales so that nothing overflows; f32 arguments need neither.
    /// </summary>
    private static Value Atan2F64(BlockBuilder b, Value y, Value x, bool isExact)
    {
        Value Float(double value) => b.Float(value, DType.F64);
        Value Mul(Value u, Value v) => b.Binary(ScalarOp.Mul, u, v);
        Value Sub(Value u, Value v) => b.Binary(ScalarOp.Sub, u, v);
        var (one, zero, infinity) = (Float(1), Float(0), Float(double.PositiveInfinity));
        var (height, width) = (b.Unary(ScalarOp.Abs, y), b.Unary(ScalarOp.Abs, x));
        var isSteep = b.Compare(ScalarOp.Gt, height, width);
        var (least, greatest) = (b.Select(isSteep, width, height), b.Select(isSteep, height, width));
        // Infinity over infinity counts as 1, a smaller number over it as 0; 0 over 0 as 0.
        var isInfinite = b.Compare(ScalarOp.Eq, greatest, infinity);
        least = b.Select(isInfinite, b.Select(b.Compare(ScalarOp.Eq, least, infinity), one, zero), least);
        var isTrivial = b.Binary(ScalarOp.Or, isInfinite, b.Compare(ScalarOp.Eq, greatest, zero));
        greatest = b.Select(isTrivial, one, greatest);
        if (isExact)
        {
            var isLarge = b.Compare(ScalarOp.Gt, greatest, Float(Math.ScaleB(1, 1000)));
            var isTiny = b.Compare(ScalarOp.Lt, greatest, Float(Math.ScaleB(1, -800)));
            var scale =
                b.Select(isLarge, Float(Math.ScaleB(1, -100)), b.Select(isTiny, Float(Math.ScaleB(1, 200)), one));
            (least, greatest) = (Mul(least, scale), Mul(greatest, scale));
        }
        var isShifted = b.Compare(ScalarOp.Gt, least, Mul(greatest, Float(0.41421356237309503)));
        var (difference, differenceLow) = TwoSum(b, least, b.Unary(ScalarOp.Neg, greatest));
        var (sum, sumLow) = TwoSum(b, greatest, least);
        var top = b.Select(isShifted, difference, least);
        var bottom = b.Select(isShifted, sum, greatest);
        var u = b.Binary(ScalarOp.Div, top, bottom);
        var square = Mul(u, u);
        var q = Polynomial(b, square, -0.01192199866619833, 0.028359970108490534, -0.039891684015953249,
            0.046852088814466834, -0.052514556474363219, 0.05881061153619515, -0.066665633153752957,
            0.076923017606453925, -0.090909088527343127, 0.11111111104729854, -0.14285714285609968, 0.19999999999999143,
            -0.33333333333333331);
        var low = Mul(Mul(u, square), q);
        if (isExact)
        {
            var over = b.Fma(b.Unary(ScalarOp.Neg, u), bottom, top);
            var lost = b.Select(isShifted, Sub(differenceLow, Mul(u, sumLow)), zero);
            low = b.Binary(ScalarOp.Add, low, b.Binary(ScalarOp.Div, b.Binary(ScalarOp.Add, over, lost), bottom));
        }
        // Octants: pi/2 - t where the height is greater, pi - t to the left.
        var c = b.Select(isShifted, one, zero);
        var sign = b.Select(isSteep, Float(-1), one);
        c = b.Select(isSteep, Sub(Float(2), c), c);
        var isLeft = b.Compare(ScalarOp.Lt, Bits(b, x), b.Integer(0, DType.I64));
        c = b.Select(isLeft, Sub(Float(4), c), c);
        sign = b.Select(isLeft, b.Unary(ScalarOp.Neg, sign), sign);
        var eighth = Float(0.7853981633974483);
        var corner = Mul(c, eighth);
        var cornerLow = b.Fma(c, Float(3.061616997868383e-17), b.Fma(c, eighth, b.Unary(ScalarOp.Neg, corner)));
        var (angle, angleLow) = QuickTwoSum(b, corner, Mul(sign, u));
        angle = b.Binary(ScalarOp.Add, angle, b.Binary(ScalarOp.Add, angleLow, b.Fma(sign, low, cornerLow)));
        var isNumber = b.Binary(ScalarOp.And, b.Compare(ScalarOp.Eq, x, x), b.Compare(ScalarOp.Eq, y, y));
        return b.Select(isNumber, WithSignOf(b, angle, y), Float(double.NaN));
    }

    /// <summary>
    /// x - y trunc(x / y), exactly, for any quotient. With |x| = M 2^d 2^e and |y| = N 2^e, M and N of 53 bits, it is
    /// (M 2^d mod N) 2^e; the power is computed by repeated squaring modulo N, starting from 2^(d >> squarings), which
    /// is below 2^51. Residues are at most N/2 in magnitude, so the quotient of a product by N is below 2^51 and off by
    /// less than 3/4 when rounded, and the remainder that an fma gives is an integer below 2^53, exactly.
    /// </summary>
    private static Value RemainderF64(BlockBuilder b, Value x, Value y, int squarings)
    {
        Value Float(double value) => b.Float(value, DType.F64);
        Value Int(long value) => b.Integer(value, DType.I64);
        Value Mul(Value u, Value v) => b.Binary(ScalarOp.Mul, u, v);
        Value Add(Value u, Value v) => b.Binary(ScalarOp.Add, u, v);
        Value Sub(Value u, Value v) => b.Binary(ScalarOp.Sub, u, v);
        var (a, c) = (b.Unary(ScalarOp.Abs, x), b.Unary(ScalarOp.Abs, y));
        var (m, exponent) = Parts(a);
        var (n, least) = Parts(c);
        var half = Mul(n, Float(0.5));
        var negative = b.Unary(ScalarOp.Neg, half);
        var magic = Float(Magic(DType.F64));

        var d = Sub(exponent, least);
        d = b.Select(b.Compare(ScalarOp.Lt, d, Int(0)), Int(0), d); // then |x| < |y|, and x is chosen
        var power =
            b.Bitcast(b.Binary(ScalarOp.Shl, Add(b.Binary(ScalarOp.Shr, d, Int(squarings)), Int(1023)), Int(52)),
                DType.F64);
        for (var i = squarings - 1; i >= 0; i--)
        {
            power = Product(power, power);
            var isSet = b.Compare(ScalarOp.Ne, b.Binary(ScalarOp.And, d, Int(1L << i)), Int(0));
            power = b.Select(isSet, Centred(Add(power, power)), power);
        }
        var rest = Product(power, Centred(Centred(m)));
        rest = b.Select(b.Compare(ScalarOp.Lt, rest, Float(0)), Add(rest, n), rest);
        var by = Sub(least, Int(1075));
        var first = b.Binary(ScalarOp.Shr, by, Int(1));
        Value Power(Value e) => b.Bitcast(b.Binary(ScalarOp.Shl, Add(e, Int(1023)), Int(52)), DType.F64);
        var result = WithSignOf(b, Mul(Mul(rest, Power(first)), Power(Sub(by, first))), x);
        result = b.Select(b.Compare(ScalarOp.Lt, a, c), x, result);
        var isDefined =
            b.Binary(ScalarOp.And, b.Compare(ScalarOp.Lt, a, Float(double.PositiveInfinity)),
                b.Compare(ScalarOp.Gt, c, Float(0)));
        return b.Select(isDefined, result, Float(double.NaN));

        // A magnitude as an integer in [2^52, 2^53) and its exponent field; a subnormal's is below 1.
        (Value Integer, Value Exponent) Parts(Value a)
        {
            var isSubnormal = b.Compare(ScalarOp.Lt, a, Float(2.2250738585072014e-308));
            var bits = Bits(b, b.Select(isSubnormal, Mul(a, Float(Math.ScaleB(1, 54))), a));
            var field = b.Binary(ScalarOp.Shr, bits, Int(52));
            var integer = b.Binary(ScalarOp.Or, b.Binary(ScalarOp.And, bits, Int((1L << 52) - 1)), Int(1075L << 52));
            return (b.Bitcast(integer, DType.F64), Sub(field, b.Select(isSubnormal, Int(54), Int(0))));
        }

        Value Centred(Value r)
        {
            r = b.Select(b.Compare(ScalarOp.Gt, r, half), Sub(r, n), r);
            return b.Select(b.Compare(ScalarOp.Lt, r, negative), Add(r, n), r);
        }

        Value Product(Value u, Value v)
        {
            var high = Mul(u, v);
            var low = b.Fma(u, v, b.Unary(ScalarOp.Neg, high));
            var quotient = Sub(Add(b.Binary(ScalarOp.Div, high, n), magic), magic);
            return Centred(Add(b.Fma(b.Unary(ScalarOp.Neg, quotient), n, high), low));
        }
    }
}
