// The passes between binding and kernels, in order, each with the reason for its position.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;

namespace Accelerate.Compiler;

/// <summary>
/// One step of the pipeline; `dump --stage opt --each` shows the graph after every one. A pass asks the rewrites whether it
/// may go on, unless lowering cannot do without it.
/// </summary>
public sealed record Pass(string Name, Func<Function, Rewrites, Function> Run);

public static class Pipeline
{
    public static IReadOnlyList<Pass> Passes { get; } =
    [
        // First: the passes behind it see primitives only.
        new("inline", (f, _) => Inline.Run(f)),
        // Joins the movements that inlining brings together; fusion counts on one movement between two computations.
        new("simplify", Simplify.Run),
        // Behind simplify, which shows what is the same; constants that leave a loop can be folded by the setup.
        new("hoist", Hoist.Run),
        // Behind simplify, which joins the movements that tell a convolution; behind hoist, which takes out of loops what is laid out once.
        new("layout", Layout.Run),
        // Last: simplifying leaves what it replaced behind, and fusion must not count it as a use.
        new("dead-code", (f, _) => DeadCode.Run(f)),
    ];

    /// <summary>The passes of a compilation whose contractions take operands of another dtype; null for as declared.</summary>
    public static IReadOnlyList<Pass> For(DType? compute) => compute is not { } type ? Passes :
    [
        .. Passes.SkipLast(1),
        // Behind simplify, which joins the movements that it goes through; before the last, for what it replaced.
        new("compute-precision", (f, rewrites) => ComputePrecision.Run(f, type, rewrites)),
        Passes[^1],
    ];

    /// <summary>Runs the passes.</summary>
    /// <param name="function">The graph as it was bound.</param>
    /// <param name="verify">Verifies after each pass.</param>
    /// <param name="after">Sees every intermediate graph.</param>
    /// <param name="rewrites">Counts the rewrites and may stop them; without a limit if null.</param>
    /// <param name="passes">Other passes than <see cref="Passes"/>.</param>
    public static Function Run(Function function, bool verify = false, Action<Pass, Function>? after = null,
        Rewrites? rewrites = null, IReadOnlyList<Pass>? passes = null)
    {
        rewrites ??= new Rewrites();
        foreach (var pass in passes ?? Passes)
        {
            function = pass.Run(function, rewrites);
            if (verify) Verifier.Verify(function);
            after?.Invoke(pass, function);
        }
        return function;
    }
}
