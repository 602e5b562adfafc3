// In: a float on a target without rounding instructions. Out: floor, ceil, trunc and nearest by guarded conversions.
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// From 2^23 (f32) or 2^52 (f64) on, every float is an integer. The sign of the operand is kept, so -0.3 gives -0.
/// </summary>
internal static class Rounding
{
    public static Operand Trunc(ScalarPrinter p, Operand x)
    {
        var whole = p.Constant(x.Type == DType.F32 ? 1L << 23 : 1L << 52, x.Type, x.Lanes);
        var small = p.Compare(ScalarOp.Lt, p.Compute(ScalarOp.Abs, x.Type, x), whole); // false for NaN: x is kept
        var integer = x.Type == DType.F32 ? DType.I32 : DType.I64;
        var safe = p.Choose(small, x, p.Constant(0, x.Type, x.Lanes));
        var cut = p.Cast("sitofp", p.Cast("fptosi", safe, integer), x.Type);
        return p.Choose(small, WithSignOf(p, cut, x), x);
    }

    public static Operand Floor(ScalarPrinter p, Operand x) => Step(p, x, ScalarOp.Gt, -1);

    public static Operand Ceil(ScalarPrinter p, Operand x) => Step(p, x, ScalarOp.Lt, 1);

    /// <summary>Adding and subtracting 2^23 rounds to nearest even.</summary>
    public static Operand Nearest(ScalarPrinter p, Operand x)
    {
        var whole = p.Constant(x.Type == DType.F32 ? 1L << 23 : 1L << 52, x.Type, x.Lanes);
        var size = p.Compute(ScalarOp.Abs, x.Type, x);
        var rounded = p.Two("fsub", p.Two("fadd", size, whole), whole);
        return p.Choose(p.Compare(ScalarOp.Lt, size, whole), WithSignOf(p, rounded, x), x);
    }

    private static Operand Step(ScalarPrinter p, Operand x, ScalarOp wrong, double step)
    {
        var cut = Trunc(p, x);
        var moved = p.Two("fadd", cut, p.Constant(step, x.Type, x.Lanes));
        return WithSignOf(p, p.Choose(p.Compare(wrong, cut, x), moved, cut), x);
    }

    private static Operand WithSignOf(ScalarPrinter p, Operand value, Operand sign)
    {
        var integer = value.Type == DType.F32 ? DType.I32 : DType.I64;
        var mask = p.Integer(value.Type == DType.F32 ? int.MinValue : long.MinValue, integer, value.Lanes);
        var ones = p.Integer(-1, integer, value.Lanes);
        var size = p.Two("and", p.Cast("bitcast", value, integer), p.Two("xor", mask, ones));
        return p.Cast("bitcast", p.Two("or", size, p.Two("and", p.Cast("bitcast", sign, integer), mask)), value.Type);
    }
}
