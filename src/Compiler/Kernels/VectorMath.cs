using Accelerate.Compiler.Graph;
using Accelerate.Runtime;
namespace Accelerate.Compiler.Kernels;
public static class VectorMath { public static bool Supports(UnaryOp op, DType t) => false; public static Value Emit(BlockBuilder b, UnaryOp op, Value x) => throw new InvalidOperationException(); }
public static class Philox { public static Value Emit(BlockBuilder b, Value key, Value index) => throw new InvalidOperationException(); }
