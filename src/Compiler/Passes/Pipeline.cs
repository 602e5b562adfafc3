// The passes between binding and kernels, in order, each with the reason for its position.
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// One step of the pipeline; `dump --stage opt --each` shows the graph after every one. A pass asks the rewrites
/// whether it may go on, unless lowering cannot do without it.
/// </summary>
internal sealed record Pass(string Name, Func<Function, Rewrites, Function> Run)
{
    /// <summary>What the pass does to a function it does to its setup, unless it makes that.</summary>
    public bool RunsOnSetup { get; init; } = true;
}

internal static class Pipeline
{
    /// <summary>The passes for a function that is an executable of its own.</summary>
    public static IReadOnlyList<Pass> Passes { get; } = For(null);

    /// <summary>The passes, in order.</summary>
    /// <param name="compute">The dtype that contractions take their f32 operands in; null for as declared.</param>
    /// <param name="frozen">The state that no function of the executable assigns; what the function itself does not if
    /// null.</param>
    /// <param name="direct">True for convolutions as they are written: in their direct form, norms behind them
    /// apart.</param>
    public static IReadOnlyList<Pass> For(DType? compute, FrozenState? frozen = null, bool direct = false)
    {
        List<Pass> passes =
        [
            // First: the passes behind it see primitives only, and join what a composite's edge has kept apart.
            new("decompose", (f, _) => Decompose.Run(f)),
            // Behind decompose, which brings all nodes together; before whatever divides by an extent.
            new("empty", (f, _) => Empty.Run(f)),
            // Behind decompose, which makes their bodies primitives; before simplify, which would tell them apart.
            new("join-loops", (f, _) => JoinLoops.Run(f)),
            // Joins the movements that decomposing brings together; fusion counts on one movement between two
            // computations.
            new("simplify", Simplify.Run),
            // Behind simplify, which shows what is the same; constants that leave a loop can be folded by the setup.
            new("hoist", Hoist.Run),
            // Behind simplify, which joins the movements that tell a convolution; behind hoist, which takes out of
            // loops what is laid out once.
            new("layout", Layout.Run),
        ];
        if (!direct && compute is null)
        {
            // Behind layout, which brings a norm's vectors to the axis of the channels; before winograd, which
            // transforms the scaled weights.
            passes.Add(new("fold-scales", (f, rewrites) => FoldScales.Run(f, frozen ?? FrozenState.Of(f), rewrites)));
            // Behind layout, which tells where the channels are. What takes narrow operands would lose more in their
            // transforms.
            passes.Add(new("winograd", (f, rewrites) => Winograd.Run(f, frozen ?? FrozenState.Of(f), rewrites)));
        }
        // Behind simplify, which joins the movements that it goes through.
        if (compute is { } type)
            passes.Add(new("compute-precision", (f, rewrites) => ComputePrecision.Run(f, type, rewrites)));
        // Behind fold-scales, whose products are computed with the rest of the weight.
        passes.Add(
            new("depthwise-weights", (f, rewrites) => DepthwiseWeights.Run(f, frozen ?? FrozenState.Of(f), rewrites)));
        // Behind all that changes a contraction's operands: nothing may come between a packed weight and its reader.
        passes.Add(new("pack-weights", (f, rewrites) => PackWeights.Run(f, frozen ?? FrozenState.Of(f), rewrites)));
        // Behind all that rewrites: what it replaced is still there, and fusion must not count it as a use.
        passes.Add(new("dead-code", (f, _) => DeadCode.Run(f)));
        passes.AddRange(Closing(frozen));
        return passes;
    }

    /// <summary>
    /// What lowering counts on, of a graph that is not to be optimised; the rewrites among it aside, all of it is done
    /// whatever a bisection stops.
    /// </summary>
    public static IReadOnlyList<Pass> Needed { get; } =
        [new("decompose", (f, _) => Decompose.Run(f)), .. Closing(null)];

    private static IEnumerable<Pass> Closing(FrozenState? frozen) =>
    [
        // Behind all passes that ask what is known before the first call: what it folds is a literal to them.
        new("setup", (f, _) => Constants.Run(f, frozen ?? FrozenState.Of(f))) { RunsOnSetup = false },
        // Again, for what the passes since have made.
        new("empty", (f, _) => Empty.Run(f)),
        // Last: a size that the call computes is no size to the passes before it.
        new("masked-axes", MaskedAxes.Run),
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
        var sizes = function.Sizes;
        foreach (var pass in passes ?? Passes)
        {
            var setup = function.Setup;
            function = pass.Run(function, rewrites);
            if (setup is not null) function.Setup = pass.RunsOnSetup ? pass.Run(setup, rewrites) : setup;
            if (verify) Verifier.Verify(function);
            after?.Invoke(pass, function);
        }
        // What the caller names is a parameter, whether something is still computed from it or not.
        foreach (var size in sizes.Except(function.Sizes).ToList()) function.Require(EntryCheck.Given(size));
        return function;
    }
}
