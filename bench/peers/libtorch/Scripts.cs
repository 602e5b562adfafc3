// In: tensors. Out: what libtorch has and TorchSharp does not, by TorchScript.
using TorchSharp;
using static TorchSharp.torch;

namespace Accelerate.Peers;

internal static class Scripts
{
    private static readonly jit.CompilationUnit Unit = jit.compile("""
        def last(x: Tensor):
            return x.contiguous(memory_format=2) # channels_last, by its number

        def adamw(params: List[Tensor], grads: List[Tensor], m: List[Tensor], v: List[Tensor], steps: List[Tensor]):
            torch._foreach_add_(steps, 1)
            torch._fused_adamw_(params, grads, m, v, [], steps, lr=0.001, beta1=0.9, beta2=0.999, weight_decay=0.01,
                eps=1e-8, amsgrad=False, maximize=False)
            return steps[0]

        """);

    /// <summary>[n, c, h, w] with the channels innermost in memory.</summary>
    public static Tensor ChannelsLast(Tensor x) => Unit.invoke<Tensor>("last", x);

    /// <summary>A step of torch's AdamW with its defaults, all parameters in one pass: what `fused=True` calls.</summary>
    public static void AdamW(Tensor[] parameters, Tensor[] gradients, Tensor[] m, Tensor[] v, Tensor[] steps)
    {
        using var constant = no_grad();
        Unit.invoke<Tensor>("adamw", parameters, gradients, m, v, steps).Dispose();
    }
}
