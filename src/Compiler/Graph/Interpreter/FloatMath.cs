// In: floats as doubles, with magnitudes. Out: the float operations in f64, with the magnitude of each result.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

/// <summary>
/// The magnitude M of an element bounds its error to first order: an implementation has an error of some eps * M. |x|
/// of it is the element's own rounding, M - |x| is due to its terms. A product has the magnitude |a b| + |a| (Mb - |b|)
/// + |b| (Ma - |a|), which is |a b| for leaves; a function has |f(x)| + |f'(x)| * M.
/// </summary>
internal static class FloatMath
{
    public static double Max(double a, double b) => double.IsNaN(a) ? a : a > b ? a : b;

    public static double Min(double a, double b) => double.IsNaN(a) ? a : a < b ? a : b;

    public static double Apply(UnaryOp op, double x) => op switch
    {
        UnaryOp.Neg => -x,
        UnaryOp.Abs => Math.Abs(x),
        UnaryOp.Sign => x > 0 ? 1 : x < 0 ? -1 : double.IsNaN(x) ? x : 0,
        UnaryOp.Floor => Math.Floor(x),
        UnaryOp.Ceil => Math.Ceiling(x),
        UnaryOp.Trunc => Math.Truncate(x),
        UnaryOp.Round => Math.Round(x, MidpointRounding.ToEven),
        UnaryOp.Exp => Math.Exp(x),
        UnaryOp.Log => Math.Log(x),
        UnaryOp.Expm1 => SpecialFunctions.Expm1(x),
        UnaryOp.Log1p => SpecialFunctions.Log1p(x),
        UnaryOp.Sin => Math.Sin(x),
        UnaryOp.Cos => Math.Cos(x),
        UnaryOp.Tanh => Math.Tanh(x),
        UnaryOp.Erf => SpecialFunctions.Erf(x),
        UnaryOp.Sqrt => Math.Sqrt(x),
        UnaryOp.Rsqrt => 1 / Math.Sqrt(x),
        _ => throw new ReferenceException($"{op} of floats"),
    };

    /// <summary>The magnitude of y = op(x), where m is that of x.</summary>
    public static double Magnitude(UnaryOp op, double x, double m, double y) => op switch
    {
        UnaryOp.Neg or UnaryOp.Abs => m,
        UnaryOp.Sign => Math.Abs(y),
        UnaryOp.Floor or UnaryOp.Ceil or UnaryOp.Trunc or UnaryOp.Round => Math.Max(m, Math.Abs(y)),
        _ => Math.Abs(y) + Passed(op switch
        {
            UnaryOp.Exp => y,
            UnaryOp.Log => 1 / x,
            UnaryOp.Expm1 => y + 1,
            UnaryOp.Log1p => 1 / (1 + x),
            UnaryOp.Sin => Math.Cos(x),
            UnaryOp.Cos => Math.Sin(x),
            UnaryOp.Tanh => 1 - y * y,
            UnaryOp.Erf => 1.1283791670955126 * Math.Exp(-x * x),
            UnaryOp.Sqrt => y == 0 ? 0 : 0.5 / y,
            UnaryOp.Rsqrt => 0.5 * y / x,
            _ => throw new ReferenceException($"{op} has no derivative here"),
        }, m),
    };

    public static double Apply(BinaryOp op, double a, double b) => op switch
    {
        BinaryOp.Add => a + b,
        BinaryOp.Sub => a - b,
        BinaryOp.Mul => a * b,
        BinaryOp.Div => a / b,
        BinaryOp.Rem => a % b, // % is C's fmod: exact, the sign is a's
        BinaryOp.Pow => Math.Pow(a, b),
        BinaryOp.Max => Max(a, b),
        BinaryOp.Min => Min(a, b),
        BinaryOp.Atan2 => Math.Atan2(a, b),
        _ => throw new ReferenceException($"{op} of floats"),
    };

    /// <summary>The magnitude of y = a op b, where ma and mb are those of a and b.</summary>
    public static double Magnitude(BinaryOp op, double a, double ma, double b, double mb, double y) => op switch
    {
        BinaryOp.Add or BinaryOp.Sub => ma + mb,
        BinaryOp.Mul => Math.Abs(y) + Passed(a, mb - Math.Abs(b)) + Passed(b, ma - Math.Abs(a)),
        BinaryOp.Div => Math.Abs(y) + Passed(1 / b, ma - Math.Abs(a)) + Passed(y / b, mb - Math.Abs(b)),
        // a - b * q: an error of b counts q times; where the quotient itself could flip, the result could jump by b
        BinaryOp.Rem => ma + Passed(double.IsFinite(b) ? Math.Truncate(a / b) : 0, mb),
        BinaryOp.Pow => y == 0 ? 0
            : Math.Abs(y) + Passed(a == 0 ? 0 : y * b / a, ma) + Passed(y * Math.Log(Math.Abs(a)), mb),
        BinaryOp.Max or BinaryOp.Min => Chosen(a, ma, b, mb, y),
        BinaryOp.Atan2 => Math.Abs(y) + (double.Hypot(a, b) is > 0 and < double.PositiveInfinity and var h
            ? Passed(b / h / h, ma) + Passed(a / h / h, mb) : 0),
        _ => throw new ReferenceException($"{op} of floats"),
    };

    /// <summary>
    /// The magnitude of the chosen operand; the larger one where rounding could have chosen the other operand.
    /// </summary>
    public static double Chosen(double a, double ma, double b, double mb, double y) =>
        double.IsFinite(a - b) && Math.Abs(a - b) <= 1e-3 * (ma + mb) ? Math.Max(ma, mb) : y == a ? ma : mb;

    /// <summary>
    /// |d| * m, where a zero lets nothing pass: exp(-inf) has magnitude 0 although its operand's is infinite.
    /// </summary>
    public static double Passed(double d, double m) => d == 0 || m == 0 ? 0 : Math.Abs(d) * m;

    public static bool Apply(CompareOp op, double a, double b) => op switch
    {
        CompareOp.Eq => a == b,
        CompareOp.Ne => a != b,
        CompareOp.Lt => a < b,
        CompareOp.Le => a <= b,
        CompareOp.Gt => a > b,
        _ => a >= b,
    };

    /// <summary>Truncates, saturates, turns NaN into 0; to bool: whether it differs from 0, which a NaN does.</summary>
    public static long ToInteger(double x, DType dtype)
    {
        if (dtype == DType.Bool) return x != 0 ? 1 : 0;
        if (double.IsNaN(x)) return 0;
        var t = Math.Truncate(x);
        if (dtype == DType.U64) return t <= 0 ? 0 : t >= 18446744073709551616.0 ? -1 : (long)(ulong)t;
        if (dtype == DType.I64)
            return t >= 9223372036854775808.0 ? long.MaxValue : t <= -9223372036854775808.0 ? long.MinValue : (long)t;
        return (long)Math.Clamp(t, IntegerMath.Least(dtype), IntegerMath.Greatest(dtype));
    }

    /// <summary>The nearest float of the dtype, rounded once: a long wider than a double's significand is rounded to
    /// odd first.</summary>
    public static double FromInteger(long x, DType from, DType to)
    {
        var negative = from != DType.U64 && x < 0;
        var magnitude = negative ? (ulong)-x : (ulong)x;
        if (to == DType.F64 || magnitude < 1ul << 53)
            return ConstText.Round(negative ? -(double)magnitude : magnitude, to);
        var low = 64 - 53 - System.Numerics.BitOperations.LeadingZeroCount(magnitude);
        var kept = magnitude >> low;
        if (kept << low != magnitude) kept |= 1;
        var odd = kept * (double)(1ul << low);
        return ConstText.Round(negative ? -odd : odd, to);
    }

    /// <summary>The distance from 1 to the next number of the dtype.</summary>
    public static double Epsilon(DType dtype) => dtype switch
    {
        DType.F16 => Math.ScaleB(1, -10),
        DType.BF16 => Math.ScaleB(1, -7),
        DType.F32 => Math.ScaleB(1, -23),
        _ => Math.ScaleB(1, -52),
    };

    /// <summary>True if every value of one float dtype is a value of the other.</summary>
    public static bool Holds(DType wide, DType narrow) =>
        wide == narrow || wide == DType.F64 || (wide == DType.F32 && narrow != DType.F64);

    /// <summary>The smallest positive number of the dtype.</summary>
    public static double Smallest(DType dtype) => dtype switch
    {
        DType.F16 => Math.ScaleB(1, -24),
        DType.BF16 => Math.ScaleB(1, -133),
        DType.F32 => Math.ScaleB(1, -149),
        _ => double.Epsilon,
    };

    /// <summary>The largest finite number of the dtype.</summary>
    public static double Largest(DType dtype) => dtype switch
    {
        DType.F16 => 65504,
        DType.BF16 => Math.ScaleB(255, 120),
        DType.F32 => float.MaxValue,
        _ => double.MaxValue,
    };

    public static long Bits(double x, DType dtype) => dtype switch
    {
        DType.F16 => BitConverter.HalfToInt16Bits((Half)x),
        DType.BF16 => BitConverter.SingleToInt32Bits((float)ConstText.Round(x, dtype)) >> 16,
        DType.F32 => BitConverter.SingleToInt32Bits((float)x),
        _ => BitConverter.DoubleToInt64Bits(x),
    };

    public static double FromBits(long bits, DType dtype) => dtype switch
    {
        DType.F16 => (double)BitConverter.Int16BitsToHalf((short)bits),
        DType.BF16 => BitConverter.Int32BitsToSingle((int)bits << 16),
        DType.F32 => BitConverter.Int32BitsToSingle((int)bits),
        _ => BitConverter.Int64BitsToDouble(bits),
    };
}
