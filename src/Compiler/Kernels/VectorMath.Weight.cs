// In: a value that is not above 0, or NaN. Out: e^x in kernel IR, cheaper than for all values: the weights of
// attention.
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static partial class VectorMath
{
    /// <summary>
    /// e^x for x &lt;= 0 as 2^n (1 + r + r^2 q(r)), q as for exp; 0 below -87, where e^x is 1.6e-38: negligible next to
    /// a weight of 1. So 2^n is one normal factor, and nothing overflows. f64 and the narrow types use exp. 14
    /// operations; its errors are those of exp where it is not 0 (VectorMathTests).
    /// </summary>
    public static Value ExpOfNonPositive(BlockBuilder b, Value x)
    {
        if (x.Type != DType.F32) return Emit(b, UnaryOp.Exp, x);
        var (t, r) = ReduceByLn2(b, x, 127);
        var p = Polynomial(b, r, 0.00138145837, 0.00836871658, 0.041668389, 0.166665211, 0.49999994, 1, 1);
        var y = b.Binary(ScalarOp.Mul, p, PowerOfTwo(b, t));
        return b.Select(b.Compare(ScalarOp.Lt, x, b.Float(-87, DType.F32)), b.Float(0, DType.F32), y);
    }
}
