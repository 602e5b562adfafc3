// In: a tensor type. Out: the kernel that copies such a tensor from its first buffer to its second.
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

internal static class CopyKernel
{
    public static Kernel For(TensorType type)
    {
        var body = new BlockBuilder();
        var inner = body.Inner();
        var j = Size.Variable("j0'");
        inner.Emit(new Store(1, j, inner.Load(type.DType, 0, j, [], null)));
        body.Emit(new Loop(LoopKind.Vector, "j0'", type.Count, inner.ToBlock()));
        return new Kernel("_", [new("b0", type.DType, type.Count, false), new("b1", type.DType, type.Count, true)],
            [.. type.Count.Variables().Order(StringComparer.Ordinal)], body.ToBlock());
    }
}
