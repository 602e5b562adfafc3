// In: an elementwise graph operation and its scalar operands. Out: the kernel operations that compute it.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

internal static class ElementOps
{
    public static Value Unary(BlockBuilder b, UnaryOp op, Value x) => op switch
    {
        UnaryOp.Neg => x.Type.IsFloat ? b.Unary(ScalarOp.Neg, x) : b.Binary(ScalarOp.Sub, b.Integer(0, x.Type), x),
        UnaryOp.Abs => x.Type.IsFloat ? b.Unary(ScalarOp.Abs, x)
            : x.Type.IsSigned ? b.Binary(ScalarOp.Max, x, b.Binary(ScalarOp.Sub, b.Integer(0, x.Type), x)) : x,
        UnaryOp.Floor => b.Unary(ScalarOp.Floor, x),
        UnaryOp.Ceil => b.Unary(ScalarOp.Ceil, x),
        UnaryOp.Trunc => b.Unary(ScalarOp.Trunc, x),
        UnaryOp.Round => b.Unary(ScalarOp.Round, x),
        UnaryOp.Sqrt => b.Unary(ScalarOp.Sqrt, x),
        UnaryOp.Not => b.Unary(ScalarOp.Not, x),
        UnaryOp.Sign when !x.Type.IsFloat => b.Binary(ScalarOp.Sub,
            b.Convert(b.Compare(ScalarOp.Gt, x, b.Integer(0, x.Type)), x.Type),
            b.Convert(b.Compare(ScalarOp.Lt, x, b.Integer(0, x.Type)), x.Type)),
        _ => VectorMath.Supports(op, x.Type)
            ? VectorMath.Emit(b, op, x)
            : throw new LimitationException($"not supported: {Ops.Name(op)} of {x.Type.Name()} in kernels"),
    };

    public static Value Binary(BlockBuilder b, BinaryOp op, Value x, Value y) => op switch
    {
        BinaryOp.Max when x.Type == DType.Bool => b.Binary(ScalarOp.Or, x, y),
        BinaryOp.Min when x.Type == DType.Bool => b.Binary(ScalarOp.And, x, y),
        _ when VectorMath.Supports(op, x.Type) => VectorMath.Emit(b, op, x, y),
        _ => b.Binary(Enum.Parse<ScalarOp>(op.ToString()), x, y),
    };
}
