// The passes between binding and kernels, in order, each with the reason for its position.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;

namespace Accelerate.Compiler;

/// <summary>One step of the pipeline; `dump --stage opt --each` shows the graph after every one.</summary>
public sealed record Pass(string Name, Func<Function, Function> Run);

public static class Pipeline
{
    public static IReadOnlyList<Pass> Passes { get; } =
    [
        // First: the passes behind it see primitives only.
        new("inline", Inline.Run),
        // Joins the movements that inlining brings together; fusion counts on one movement between two computations.
        new("simplify", f => Simplify.Run(f)),
        // Last: simplifying leaves what it replaced behind, and fusion must not count it as a use.
        new("dead-code", DeadCode.Run),
    ];

    /// <summary>Runs all passes, verifying after each when asked; `after` sees every intermediate graph.</summary>
    public static Function Run(Function function, bool verify = false, Action<Pass, Function>? after = null)
    {
        foreach (var pass in Passes)
        {
            function = pass.Run(function);
            if (verify) Verifier.Verify(function);
            after?.Invoke(pass, function);
        }
        return function;
    }
}
