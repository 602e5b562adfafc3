// In: two floats. Out: the power in kernel IR.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static partial class VectorMath
{
    /// <summary>
    /// e^(y log |x|) in f64: the product is below 104 where it matters, with an error of 2^-45 at most.
    /// </summary>
    private static Value PowF32(BlockBuilder b, Value x, Value y)
    {
        var a = b.Unary(ScalarOp.Abs, x);
        var wide = b.Convert(a, DType.F64);
        var (f, k) = Significand(b, wide);
        var log = PowLog(b, LogOfParts(b, f, k, 1), wide);
        var product = AtLeast(b, AtMost(b, b.Binary(ScalarOp.Mul, b.Convert(y, DType.F64), log), 200), -200);
        var (t, r) = ReduceByLn2F64(b, product, 1023);
        var power = b.Binary(ScalarOp.Mul, ExpPolynomialF64(b, r), PowerOfTwo(b, t));
        return PowSpecials(b, b.Convert(power, DType.F32), x, y, a);
    }

    /// <summary>
    /// e^(y log |x|) with log |x| as a sum of two f64 with an error of 2^-64: y times it is below 745 where it matters.
    /// </summary>
    private static Value PowF64(BlockBuilder b, Value x, Value y)
    {
        Value Mul(Value u, Value v) => b.Binary(ScalarOp.Mul, u, v);
        Value Add(Value u, Value v) => b.Binary(ScalarOp.Add, u, v);
        var a = b.Unary(ScalarOp.Abs, x);
        var (high, low) = LogInTwoParts(b, a);
        var log = PowLog(b, high, a);
        var zero = b.Float(0, DType.F64);
        var product = Mul(y, log);
        var rest = b.Fma(y, low, b.Fma(y, high, b.Unary(ScalarOp.Neg, product)));
        // Beyond it the result overflows or vanishes, or the product is infinite or NaN and has no rest.
        var isInside = b.Compare(ScalarOp.Lt, b.Unary(ScalarOp.Abs, product), b.Float(800, DType.F64));
        rest = b.Select(isInside, rest, zero);
        product = AtLeast(b, AtMost(b, product, 800), -800);
        var magic = b.Float(Magic(DType.F64) + 2 * 1023, DType.F64);
        var t = b.Fma(product, b.Float(Log2E, DType.F64), magic);
        var n = b.Binary(ScalarOp.Sub, t, magic);
        var first = b.Fma(n, b.Float(-Ln2HighF64, DType.F64), product);
        var (r, lost) = QuickTwoSum(b, first, b.Fma(n, b.Float(-Ln2LowF64, DType.F64), rest));
        var p = ExpPolynomialF64(b, r);
        return PowSpecials(b, TimesPowerOfTwo(b, b.Fma(p, lost, p), t), x, y, a);

        // 2 atanh(s) = s (2 + 2/3 z + z^2 q(z)), z = s^2: only z^2 q(z), below 2^-12 of the whole, is not a sum of two.
        (Value High, Value Low) LogInTwoParts(BlockBuilder b, Value a)
        {
            var (f, k) = Significand(b, a);
            var two = b.Float(2, DType.F64);
            var (below, belowLow) = QuickTwoSum(b, two, f);
            var s = b.Binary(ScalarOp.Div, f, below);
            var over = b.Binary(ScalarOp.Sub, b.Fma(b.Unary(ScalarOp.Neg, s), below, f), Mul(s, belowLow));
            var sLow = b.Binary(ScalarOp.Div, over, below);
            var z = Mul(s, s);
            var zLow = b.Fma(Add(s, s), sLow, b.Fma(s, s, b.Unary(ScalarOp.Neg, z)));
            var third = b.Float(0.66666666666666663, DType.F64);
            var p = Mul(third, z);
            var pLow =
                b.Fma(third, zLow,
                    b.Fma(b.Float(3.700743415417188e-17, DType.F64), z, b.Fma(third, z, b.Unary(ScalarOp.Neg, p))));
            var q = Polynomial(b, z, 0.11984789906953268, 0.11675400011314449, 0.13336283967674026, 0.15384557910181765,
                0.18181818851546122, 0.22222222217732859, 0.28571428571444013, 0.3999999999999998);
            var (tail, tailLow) = QuickTwoSum(b, p, Mul(Mul(z, z), q));
            var (factor, factorLow) = QuickTwoSum(b, two, tail);
            factorLow = Add(factorLow, Add(tailLow, pLow));
            var near = Mul(s, factor);
            var nearLow = b.Fma(s, factorLow, b.Fma(sLow, factor, b.Fma(s, factor, b.Unary(ScalarOp.Neg, near))));
            var ln2 = b.Float(Ln2HighF64, DType.F64);
            var whole = Mul(k, ln2);
            var wholeLow = b.Fma(k, b.Float(Ln2LowF64, DType.F64), b.Fma(k, ln2, b.Unary(ScalarOp.Neg, whole)));
            var (sum, error) = QuickTwoSum(b, whole, near);
            return QuickTwoSum(b, sum, Add(error, Add(nearLow, wholeLow)));
        }
    }

    /// <summary>
    /// By squaring, one step for each bit of the exponent, modulo the width. A negative exponent gives the integer
    /// division 1 / x^-y: 1 or -1 for x = 1 or -1, -1 for x = 0, else 0.
    /// </summary>
    private static Value PowInteger(BlockBuilder b, Value x, Value y)
    {
        var type = x.Type;
        Value Int(long value) => b.Integer(value, type);
        Value IsSet(int bit) => b.Compare(ScalarOp.Ne,
            b.Binary(ScalarOp.And, bit == 0 ? y : b.Binary(ScalarOp.Shr, y, Int(bit)), Int(1)), Int(0));
        var bits = 8 * type.Bytes() - (type.IsSigned ? 1 : 0);
        var (power, square) = (b.Select(IsSet(0), x, Int(1)), x);
        for (var i = 1; i < bits; i++)
        {
            square = b.Binary(ScalarOp.Mul, square, square);
            power = b.Select(IsSet(i), b.Binary(ScalarOp.Mul, power, square), power);
        }
        if (!type.IsSigned) return power;
        Value Is(long value) => b.Compare(ScalarOp.Eq, x, Int(value));
        var inverse =
            b.Select(Is(-1), b.Select(IsSet(0), Int(-1), Int(1)),
                b.Select(Is(1), Int(1), b.Select(Is(0), Int(-1), Int(0))));
        return b.Select(b.Compare(ScalarOp.Lt, y, Int(0)), inverse, power);
    }

    /// <summary>The logarithm of a magnitude that may be 0, infinite or NaN.</summary>
    private static Value PowLog(BlockBuilder b, Value log, Value a)
    {
        var isFinite = b.Compare(ScalarOp.Lt, a, b.Float(double.PositiveInfinity, a.Type));
        var isZero = b.Compare(ScalarOp.Eq, a, b.Float(0, a.Type));
        return b.Select(isZero, b.Float(double.NegativeInfinity, a.Type), b.Select(isFinite, log, a));
    }

    /// <summary>
    /// The sign of an odd power, NaN for a fractional power of a negative number, 1 = x^0 = 1^y = (-1)^±inf: C99,
    /// F.9.4.4.
    /// </summary>
    private static Value PowSpecials(BlockBuilder b, Value magnitude, Value x, Value y, Value a)
    {
        Value Float(double value) => b.Float(value, x.Type);
        Value And(Value u, Value v) => b.Binary(ScalarOp.And, u, v);
        Value Whole(Value u) => b.Compare(ScalarOp.Eq, b.Unary(ScalarOp.Floor, u), u);
        var isWhole = Whole(y);
        var isOdd = And(isWhole, b.Unary(ScalarOp.Not, Whole(b.Binary(ScalarOp.Mul, y, Float(0.5)))));
        var isNegative = b.Compare(ScalarOp.Lt, Bits(b, x), b.Integer(0, BitsType(x.Type)));
        var isOne = And(b.Compare(ScalarOp.Eq, a, Float(1)), b.Compare(ScalarOp.Eq, y, y));
        magnitude = b.Select(isOne, Float(1), magnitude);
        var power = b.Select(And(isNegative, isOdd), b.Unary(ScalarOp.Neg, magnitude), magnitude);
        var isBroken = And(b.Compare(ScalarOp.Lt, x, Float(0)), b.Unary(ScalarOp.Not, isWhole));
        isBroken = And(isBroken, b.Compare(ScalarOp.Lt, a, Float(double.PositiveInfinity)));
        power = b.Select(isBroken, Float(double.NaN), power);
        var isTrivial = b.Binary(ScalarOp.Or, b.Compare(ScalarOp.Eq, x, Float(1)), b.Compare(ScalarOp.Eq, y, Float(0)));
        return b.Select(isTrivial, Float(1), power);
    }
}
