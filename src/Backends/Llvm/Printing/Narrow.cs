// In: f16 and bf16 values, which registers hold as f32. Out: their operations, conversions and bits in LLVM
// instructions.
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// A value of f16 or bf16 is an f32 that the dtype can represent, so that an operation is that of f32 followed by a
/// rounding; the interpreter's NarrowOps explains why two roundings are right. A NaN has its quiet bit in the part that
/// is kept. The type bfloat is never printed, because LLVM's conversions of it call missing functions or flush
/// subnormals. The type half is printed only for a conversion, if the target has the instruction (F16C).
/// </summary>
internal static class Narrow
{
    private const int SmallestNormalF16 = 0x38800000; // 2^-14
    private const int BeyondF16 = 0x47800000; // 2^16
    private const int Infinity = 0x7F800000;

    public static Operand Compute(ScalarPrinter p, ScalarOp op, DType type, Operand[] x)
    {
        var from = x[0].Type;
        if (op == ScalarOp.Fma)
        {
            Operand Wide(Operand o) => o with { Type = DType.F32 };
            return FromF64(p, p.OddFma(Wide(x[0]), Wide(x[1]), Wide(x[2])), from);
        }
        // Both the comparison and the selection of a maximum use these.
        if (KernelTypes.IsComparison(op) || op is ScalarOp.Max or ScalarOp.Min) x = [.. x.Select(p.Opaque)];
        var result = p.Compute(op, type == from ? DType.F32 : type, [.. x.Select(o => o with { Type = DType.F32 })]);
        if (KernelTypes.IsComparison(op)) return result;
        return op is ScalarOp.Add or ScalarOp.Sub or ScalarOp.Mul or ScalarOp.Div or ScalarOp.Sqrt
            ? Round(p, result, from)
            : result with { Type = from };
    }

    /// <summary>Converts to f16 or bf16 from any other type, rounded once.</summary>
    public static Operand Convert(ScalarPrinter p, Operand x, DType to)
    {
        if (x.Type == DType.F32) return Round(p, x, to);
        if (x.Type == DType.F64) return FromF64(p, x, to);
        // Exact in f32; and beyond 24 bits f16 only has infinity.
        if (x.Type.Bytes() < 4 || to == DType.F16) return Round(p, Conversions.Convert(p, x, DType.F32), to);
        if (x.Type.Bytes() == 4) return FromF64(p, Conversions.Convert(p, x, DType.F64), to);
        return FromI64(p, x, to);
    }

    /// <summary>The value's bits in memory, an i16.</summary>
    public static Operand ToBits(ScalarPrinter p, Operand x)
    {
        var (wide, lanes) = (x with { Type = DType.F32 }, x.Lanes);
        if (x.Type == DType.F16 && p.HasHalf) return p.Half("fptrunc", wide, DType.I16);
        var bits = p.Cast("bitcast", wide, DType.I32);
        Operand Int(long value) => p.Integer(value, DType.I32, lanes);
        if (x.Type == DType.BF16) return p.Cast("trunc", p.Two("lshr", bits, Int(16)), DType.I16);
        // The factor moves the exponents of f16 to those of f32, where its subnormals are subnormal too.
        var size = p.Two("and", bits, Int(int.MaxValue));
        var scaled =
            p.Two("fmul", p.Cast("bitcast", size, DType.F32), p.Constant(Math.ScaleB(1, -112), DType.F32, lanes));
        var finite = p.Two("lshr", p.Cast("bitcast", scaled, DType.I32), Int(13));
        var special = p.Choose(p.Compare(ScalarOp.Gt, size, Int(Infinity)), Int(0x7E00), Int(0x7C00));
        var magnitude = p.Choose(p.Compare(ScalarOp.Lt, size, Int(Infinity)), finite, special);
        var sign = p.Two("and", p.Two("lshr", bits, Int(16)), Int(0x8000));
        return p.Cast("trunc", p.Two("or", magnitude, sign), DType.I16);
    }

    /// <summary>The value of the bits in memory, an i16.</summary>
    public static Operand FromBits(ScalarPrinter p, Operand bits, DType type)
    {
        var lanes = bits.Lanes;
        if (type == DType.F16 && p.HasHalf) return p.Half("fpext", bits, DType.F32) with { Type = type };
        Operand Int(long value) => p.Integer(value, DType.I32, lanes);
        var wide = p.Cast("zext", bits, DType.I32);
        if (type == DType.BF16) return p.Cast("bitcast", p.Two("shl", wide, Int(16)), DType.F32) with { Type = type };
        var moved = p.Two("shl", p.Two("and", wide, Int(0x7FFF)), Int(13));
        var scaled =
            p.Two("fmul", p.Cast("bitcast", moved, DType.F32), p.Constant(Math.ScaleB(1, 112), DType.F32, lanes));
        // Infinity and NaN have the exponent 2^16 now.
        var finite = p.Cast("bitcast", scaled, DType.I32);
        var isFinite = p.Compare(ScalarOp.Lt, moved, Int(0x7C00 << 13));
        var size = p.Choose(isFinite, finite, p.Two("or", finite, Int(Infinity)));
        var sign = p.Two("shl", p.Two("and", wide, Int(0x8000)), Int(16));
        return p.Cast("bitcast", p.Two("or", size, sign), DType.F32) with { Type = type };
    }

    public static Operand Bitcast(ScalarPrinter p, Operand x, DType to)
    {
        if (x.Type == to) return x;
        var bits = x.Type is DType.F16 or DType.BF16 ? ToBits(p, x) : x;
        return to is DType.F16 or DType.BF16 ? FromBits(p, bits, to) : p.Cast("bitcast", bits, to);
    }

    /// <summary>Rounds an f32 to the nearest value of the dtype, ties to even, with subnormals.</summary>
    private static Operand Round(ScalarPrinter p, Operand x, DType to)
    {
        if (to == DType.F16 && p.HasHalf)
            return p.Half("fpext", p.Half("fptrunc", x, DType.I16), DType.F32) with { Type = to };
        var lanes = x.Lanes;
        Operand Int(long value) => p.Integer(value, DType.I32, lanes);
        var bits = p.Cast("bitcast", x, DType.I32);
        var cut = to == DType.BF16 ? 16 : 13;
        // Half of the last kept place, minus one, plus that place's own bit: a carry gives the next exponent, or
        // infinity.
        Operand Nearest(Operand b)
        {
            var odd = p.Two("and", p.Two("lshr", b, Int(cut)), Int(1));
            var up = p.Two("add", p.Two("add", b, Int((1 << (cut - 1)) - 1)), odd);
            return p.Two("and", up, Int(-1L << cut));
        }
        var quiet = p.Constant(double.NaN, DType.F32, lanes);
        var isNaN = p.Two("fcmp uno", x, x) with { Type = DType.Bool };
        if (to == DType.BF16)
            return p.Choose(isNaN, quiet, p.Cast("bitcast", Nearest(bits), DType.F32)) with { Type = to };
        // Below 2^-14 the last place is 2^-24, that of 1/2 in f32.
        var size = p.Two("and", bits, Int(int.MaxValue));
        var half = p.Constant(0.5, DType.F32, lanes);
        var small = p.Two("fsub", p.Two("fadd", p.Cast("bitcast", size, DType.F32), half), half);
        var normal = Nearest(size);
        normal = p.Choose(p.Compare(ScalarOp.Ge, normal, Int(BeyondF16)), Int(Infinity), normal);
        var rounded =
            p.Choose(p.Compare(ScalarOp.Lt, size, Int(SmallestNormalF16)), p.Cast("bitcast", small, DType.I32), normal);
        rounded = p.Two("or", rounded, p.Two("and", bits, Int(int.MinValue)));
        return p.Choose(isNaN, quiet, p.Cast("bitcast", rounded, DType.F32)) with { Type = to };
    }

    /// <summary>Through f32 rounded to odd, so that the first of two roundings cannot create a tie.</summary>
    private static Operand FromF64(ScalarPrinter p, Operand x, DType to)
    {
        var lanes = x.Lanes;
        var near = p.Cast("fptrunc", x, DType.F32);
        var back = p.Cast("fpext", near, DType.F64);
        var bits = p.Cast("bitcast", near, DType.I32);
        Operand Size(Operand o) => p.Compute(ScalarOp.Abs, o.Type, o);
        var away = p.Compare(ScalarOp.Gt, Size(back), Size(x));
        var odd = p.Choose(away, p.Two("sub", bits, p.Integer(1, DType.I32, lanes)), bits);
        odd = p.Two("or", odd, p.Integer(1, DType.I32, lanes));
        // Infinity is kept, because an overflow of f32 overflows every dtype with fewer bits; so is NaN.
        var isFinite = p.Compare(ScalarOp.Lt, Size(near), p.Constant(double.PositiveInfinity, DType.F32, lanes));
        var inexact = p.Two("and", p.Two("fcmp one", back, x) with { Type = DType.Bool }, isFinite);
        return Round(p, p.Choose(inexact, p.Cast("bitcast", odd, DType.F32), near), to);
    }

    /// <summary>
    /// 53 bits are an exact f64; of larger values the lost bits are kept sticky in the last bit, so that no tie is
    /// created.
    /// </summary>
    private static Operand FromI64(ScalarPrinter p, Operand x, DType to)
    {
        var (type, lanes) = (x.Type, x.Lanes);
        Operand Int(long value) => p.Integer(value, type, lanes);
        var isNegative = type.IsSigned ? p.Compare(ScalarOp.Lt, x, Int(0)) : p.Constant(0, DType.Bool, lanes);
        var size = p.Choose(isNegative, p.Two("sub", Int(0), x), x) with { Type = DType.U64 };
        Operand Bits(long value) => p.Integer(value, DType.U64, lanes);
        var isLarge = p.Compare(ScalarOp.Ge, size, Bits(1L << 53));
        var lost = p.Compare(ScalarOp.Ne, p.Two("and", size, Bits(0x7FF)), Bits(0));
        var kept = p.Two("or", p.Two("lshr", size, Bits(11)), p.Cast("zext", lost, DType.U64));
        // At most 2^53, so the signed conversion is enough, which every target has.
        var number = p.Cast("sitofp", p.Choose(isLarge, kept, size), DType.F64);
        var scale = p.Choose(isLarge, p.Constant(2048, DType.F64, lanes), p.Constant(1, DType.F64, lanes));
        scale = p.Choose(isNegative, p.Compute(ScalarOp.Neg, DType.F64, scale), scale);
        return FromF64(p, p.Two("fmul", number, scale), to);
    }
}
