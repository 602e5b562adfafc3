using Accelerate.Runtime;
namespace Accelerate.Compiler.Kernels;
public static class Philox { public static Value Emit(BlockBuilder b, Value key, Value index) => throw new InvalidOperationException(); }
