// In: an elementary function and a value. Out: straight-line kernel IR that computes it, free of branches and calls.
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// Elementary functions as polynomials of our own. The comment of each function gives its operations (constants and
/// bitcasts not counted; a clamp is a compare and a select here and one instruction on most machines), then its errors
/// over all 2^32 arguments against f64: the distance in representable values from the correctly rounded result, and the
/// error in units of the last place of that result. ACC_LONG=1 dotnet test --filter Category=Long measures them,
/// bench/math/minimax.py derives the coefficients. f16 and bf16 compute in f32. f64 functions, pow, atan2 and rem are
/// compared with 256-bit arithmetic by DoubleMathTests and BinaryMathTests, which print their errors in units of the
/// last place.
/// </summary>
internal static partial class VectorMath
{
    public static bool Supports(UnaryOp op, DType type) => op switch
    {
        UnaryOp.Sign => type != DType.Bool,
        UnaryOp.Sqrt or UnaryOp.Rsqrt => type.IsFloat,
        UnaryOp.Exp or UnaryOp.Log or UnaryOp.Expm1 or UnaryOp.Log1p or UnaryOp.Tanh or UnaryOp.Erf
            or UnaryOp.Sin or UnaryOp.Cos => type.IsFloat,
        _ => false,
    };

    /// <exception cref="NotSupportedException"><see cref="Supports(UnaryOp, DType)"/> is false.</exception>
    public static Value Emit(BlockBuilder b, UnaryOp op, Value x)
    {
        if (!Supports(op, x.Type)) throw new NotSupportedException($"{op} of {x.Type.Name()} has no expansion");
        if (x.Type is DType.F16 or DType.BF16 && op != UnaryOp.Sign)
            return b.Convert(Emit(b, op, b.Convert(x, DType.F32)), x.Type);
        return op switch
        {
            UnaryOp.Sign => Sign(b, x),
            UnaryOp.Sqrt => b.Unary(ScalarOp.Sqrt, x),
            UnaryOp.Rsqrt => Rsqrt(b, x),
            UnaryOp.Exp when x.Type == DType.F64 => ExpF64(b, x),
            UnaryOp.Expm1 when x.Type == DType.F64 => Expm1F64(b, x),
            UnaryOp.Tanh when x.Type == DType.F64 => TanhF64(b, x),
            UnaryOp.Erf when x.Type == DType.F64 => ErfF64(b, x),
            UnaryOp.Log when x.Type == DType.F64 => LogF64(b, x),
            UnaryOp.Log1p when x.Type == DType.F64 => Log1pF64(b, x),
            UnaryOp.Sin when x.Type == DType.F64 => SinF64(b, x),
            UnaryOp.Cos when x.Type == DType.F64 => CosF64(b, x),
            UnaryOp.Exp => ExpF32(b, x),
            UnaryOp.Expm1 => Expm1F32(b, x),
            UnaryOp.Tanh => TanhF32(b, x),
            UnaryOp.Erf => ErfF32(b, x),
            UnaryOp.Log => LogF32(b, x),
            UnaryOp.Log1p => Log1pF32(b, x),
            UnaryOp.Sin => SinF32(b, x),
            UnaryOp.Cos => CosF32(b, x),
            _ => throw new NotSupportedException($"{op} has no expansion"),
        };
    }

    /// <summary>pow; atan2 and the remainder of floats. f16 and bf16 compute in f32.</summary>
    public static bool Supports(BinaryOp op, DType type) => op switch
    {
        BinaryOp.Pow => type != DType.Bool,
        BinaryOp.Atan2 or BinaryOp.Rem => type.IsFloat,
        _ => false,
    };

    /// <exception cref="NotSupportedException"><see cref="Supports(BinaryOp, DType)"/> is false.</exception>
    public static Value Emit(BlockBuilder b, BinaryOp op, Value x, Value y)
    {
        if (!Supports(op, x.Type)) throw new NotSupportedException($"{op} of {x.Type.Name()} has no expansion");
        if (x.Type.IsInteger) return PowInteger(b, x, y);
        if (x.Type is DType.F16 or DType.BF16)
            return b.Convert(Emit(b, op, b.Convert(x, DType.F32), b.Convert(y, DType.F32)), x.Type);
        return op switch
        {
            BinaryOp.Pow => x.Type == DType.F64 ? PowF64(b, x, y) : PowF32(b, x, y),
            BinaryOp.Atan2 when x.Type == DType.F32 =>
                b.Convert(Atan2F64(b, b.Convert(x, DType.F64), b.Convert(y, DType.F64), isExact: false), DType.F32),
            BinaryOp.Atan2 => Atan2F64(b, x, y, isExact: true),
            _ when x.Type == DType.F32 =>
                b.Convert(RemainderF64(b, b.Convert(x, DType.F64), b.Convert(y, DType.F64), squarings: 3), DType.F32),
            _ => RemainderF64(b, x, y, squarings: 6),
        };
    }

    /// <summary>-1, 1, 0 for a zero of either sign, or x itself where it is NaN. 6 operations, exact.</summary>
    private static Value Sign(BlockBuilder b, Value x)
    {
        var zero = b.Constant(0, x.Type);
        var none = b.Select(b.Compare(ScalarOp.Eq, x, zero), zero, x);
        var positive = b.Select(b.Compare(ScalarOp.Gt, x, zero), b.Constant(1, x.Type), none);
        return b.Select(b.Compare(ScalarOp.Lt, x, zero), b.Constant(-1, x.Type), positive);
    }

    /// <summary>1 / sqrt(x). 2 operations; distance 1, error 1.490 at 1.18276583e-38.</summary>
    private static Value Rsqrt(BlockBuilder b, Value x) =>
        b.Binary(ScalarOp.Div, b.Float(1, x.Type), b.Unary(ScalarOp.Sqrt, x));

    /// <summary>
    /// 1.5 * 2^23 (f32) or 1.5 * 2^52 (f64): adding it rounds to an integer, to nearest even, which is then in the low
    /// bits of the sum. A bias added to it appears in those bits too.
    /// </summary>
    private static double Magic(DType type) => type == DType.F32 ? 12582912.0 : 6755399441055744.0;

    /// <summary>The integer type of the float's width, for its bits.</summary>
    private static DType BitsType(DType type) => type == DType.F32 ? DType.I32 : DType.I64;

    private static Value Bits(BlockBuilder b, Value x) => b.Bitcast(x, BitsType(x.Type));

    /// <summary>A polynomial by Horner's rule; coefficients from the highest power down.</summary>
    private static Value Polynomial(BlockBuilder b, Value x, params ReadOnlySpan<double> coefficients)
    {
        var sum = b.Float(coefficients[0], x.Type);
        foreach (var c in coefficients[1..]) sum = b.Fma(sum, x, b.Float(c, x.Type));
        return sum;
    }

    /// <summary>At most the limit; NaN stays. Written so that it is one minps.</summary>
    private static Value AtMost(BlockBuilder b, Value x, double limit)
    {
        var c = b.Float(limit, x.Type);
        return b.Select(b.Compare(ScalarOp.Lt, c, x), c, x);
    }

    /// <summary>At least the limit; NaN stays. Written so that it is one maxps.</summary>
    private static Value AtLeast(BlockBuilder b, Value x, double limit)
    {
        var c = b.Float(limit, x.Type);
        return b.Select(b.Compare(ScalarOp.Gt, c, x), c, x);
    }

    /// <summary>The magnitude, which has no sign yet, with the sign of x.</summary>
    private static Value WithSignOf(BlockBuilder b, Value magnitude, Value x)
    {
        var type = BitsType(x.Type);
        var mask = b.Integer(x.Type == DType.F32 ? int.MinValue : long.MinValue, type);
        var sign = b.Binary(ScalarOp.And, Bits(b, x), mask);
        return b.Bitcast(b.Binary(ScalarOp.Or, Bits(b, magnitude), sign), x.Type);
    }

    /// <summary>
    /// 2^n, where the low bits of t hold n plus the exponent bias. All higher bits are shifted out. n from -126 to 127
    /// (f32).
    /// </summary>
    private static Value PowerOfTwo(BlockBuilder b, Value t) =>
        b.Bitcast(b.Binary(ScalarOp.Shl, Bits(b, t), b.Integer(MantissaBits(t.Type), BitsType(t.Type))), t.Type);

    private static int MantissaBits(DType type) => type == DType.F32 ? 23 : 52;
}
