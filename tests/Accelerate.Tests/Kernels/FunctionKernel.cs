// In: an elementary function and a dtype. Out: the kernel that computes it of whole buffers, as lowering would write
// it.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Kernels.Lowering;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

internal static class FunctionKernel
{
    public static Kernel Of(UnaryOp op, DType type) => Of((b, x) => ElementOps.Unary(b, op, x[0]), type, 1);

    public static Kernel Of(BinaryOp op, DType type) => Of((b, x) => ElementOps.Binary(b, op, x[0], x[1]), type, 2);

    /// <summary>y[i] = f(x0[i], ..).</summary>
    public static Kernel Of(Func<BlockBuilder, Value[], Value> f, DType type, int arity)
    {
        var (n, i) = (Size.Variable("n"), Size.Variable("i"));
        var outer = new BlockBuilder();
        var b = outer.Inner();
        var y = f(b, [.. Enumerable.Range(0, arity).Select(x => b.Load(type, x, i, [], null))]);
        b.Emit(new Store(arity, i, y));
        outer.Emit(new Loop(LoopKind.Vector, "i", n, b.ToBlock()));
        ImmutableArray<KernelBuffer> buffers =
            [.. Enumerable.Range(0, arity).Select(x => new KernelBuffer($"x{x}", type, n, false)),
            new KernelBuffer("y", y.Type, n, true)];
        return new Kernel("function", buffers, ["n"], outer.ToBlock());
    }
}
