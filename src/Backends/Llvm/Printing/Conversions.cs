// In: a value and a dtype. Out: the conversion: truncating and saturating to integers, NaN to 0, nearest even to
// floats.
using System.Numerics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

internal static class Conversions
{
    public static Operand Convert(ScalarPrinter p, Operand x, DType to)
    {
        var from = x.Type;
        if (from == to) return x;
        if (from is DType.F16 or DType.BF16) return Convert(p, p.Opaque(x) with { Type = DType.F32 }, to);
        if (to is DType.F16 or DType.BF16) return Narrow.Convert(p, x, to);
        if (to == DType.Bool) return p.Compare(ScalarOp.Ne, x, p.Constant(0, from, x.Lanes));
        if (from == DType.Bool) return p.Cast(to.IsFloat ? "uitofp" : "zext", x, to);
        if (from.IsFloat && to.IsFloat) return p.Cast(to == DType.F64 ? "fpext" : "fptrunc", x, to);
        if (to.IsFloat) return p.Cast(from.IsSigned ? "sitofp" : "uitofp", x, to);
        if (!from.IsFloat)
            return p.Cast(to.Bytes() < from.Bytes() ? "trunc" : from.IsSigned ? "sext" : "zext", x, to);
        return ToInteger(p, x, to);
    }

    /// <summary>The instruction only gets values whose truncation fits; the other results are selected.</summary>
    private static Operand ToInteger(ScalarPrinter p, Operand x, DType to)
    {
        var bits = 8 * to.Bytes();
        var (min, max) = to.IsSigned
            ? (-BigInteger.Pow(2, bits - 1), BigInteger.Pow(2, bits - 1) - 1)
            : (BigInteger.Zero, BigInteger.Pow(2, bits) - 1);
        // Both bounds are powers of two (or 0), so they are exact in either float type.
        var low = p.Compare(ScalarOp.Lt, x, p.Constant((double)min, x.Type, x.Lanes));
        var high = p.Compare(ScalarOp.Ge, x, p.Constant((double)(max + 1), x.Type, x.Lanes));
        var nan = p.Two("fcmp uno", x, x) with { Type = DType.Bool };
        var outside = p.Two("or", p.Two("or", low, high), nan);
        var safe = p.Choose(outside, p.Constant(0, x.Type, x.Lanes), x);
        var inside = p.Cast(to.IsSigned ? "fptosi" : "fptoui", safe, to);
        return p.Choose(low, p.Integer(min, to, x.Lanes), p.Choose(high, p.Integer(max, to, x.Lanes), inside));
    }
}
