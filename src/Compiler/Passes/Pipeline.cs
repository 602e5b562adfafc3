// The passes between binding and kernels, in order, each with the reason for its position.
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// One step of the pipeline; `dump --stage opt --each` shows the graph after every one. A pass asks the rewrites
/// whether it may go on, unless lowering depends on it.
/// </summary>
internal sealed record Pass(string Name, Func<Function, Rewrites, Function> Run)
{
    /// <summary>The pass also runs on a function's setup, unless it is the one that makes it.</summary>
    public bool RunsOnSetup { get; init; } = true;
}

internal static class Pipeline
{
    /// <summary>The passes for a function that is an executable of its own.</summary>
    public static IReadOnlyList<Pass> Passes { get; } = For(null);

    /// <summary>The passes, in order.</summary>
    /// <param name="compute">The dtype in which contractions take their f32 operands; null for the declared
    /// one.</param>
    /// <param name="frozen">The state that no function of the executable assigns; if null, the state that the function
    /// itself does not assign.</param>
    /// <param name="direct">True to keep convolutions as they are written: in direct form, with the norms after them
    /// separate.</param>
    public static IReadOnlyList<Pass> For(DType? compute, FrozenState? frozen = null, bool direct = false)
    {
        List<Pass> passes =
        [
            // First: later passes see only primitives, and join operations across the edges of composites.
            new("decompose", (f, _) => Decompose.Run(f)),
            // After decompose, which brings all nodes together; before all passes that divide by an extent.
            new("empty", (f, _) => Empty.Run(f)),
            // After decompose, which makes the bodies primitives; before simplify, which would change some and not
            // others.
            new("join-loops", (f, _) => JoinLoops.Run(f)),
            // Joins the movements that decomposing brings together; fusion expects one movement between two
            // computations.
            new("simplify", Simplify.Run),
            // After simplify, which exposes equal work; constants that leave a loop can be folded by the setup.
            new("hoist", Hoist.Run),
            // After simplify, which joins the movements that identify a convolution; after hoist, which takes work that
            // is laid out once out of loops.
            new("layout", Layout.Run),
        ];
        if (!direct && compute is null)
        {
            // After layout, which brings a norm's vectors to the axis of the channels; before winograd, which
            // transforms the scaled weights.
            passes.Add(new("fold-scales", (f, rewrites) => FoldScales.Run(f, frozen ?? FrozenState.Of(f), rewrites)));
            // After layout, which determines where the channels are. Contractions of narrow operands would lose more
            // accuracy in the transforms.
            passes.Add(new("winograd", (f, rewrites) => Winograd.Run(f, frozen ?? FrozenState.Of(f), rewrites)));
        }
        // After simplify, which joins the movements that it goes through.
        if (compute is { } type)
            passes.Add(new("compute-precision", (f, rewrites) => ComputePrecision.Run(f, type, rewrites)));
        // After fold-scales, whose products are computed with the rest of the weight.
        passes.Add(
            new("depthwise-weights", (f, rewrites) => DepthwiseWeights.Run(f, frozen ?? FrozenState.Of(f), rewrites)));
        // After all passes that change a contraction's operands: nothing may come between a packed weight and its
        // reader.
        passes.Add(new("pack-weights", (f, rewrites) => PackWeights.Run(f, frozen ?? FrozenState.Of(f), rewrites)));
        // After all rewrites: the nodes they replaced are still there, and fusion must not count them as uses.
        passes.Add(new("dead-code", (f, _) => DeadCode.Run(f)));
        passes.AddRange(Closing(frozen));
        return passes;
    }

    /// <summary>
    /// The passes that lowering depends on, for a graph that is not to be optimised. Apart from the rewrites among
    /// them, they run in full even when a bisection stops.
    /// </summary>
    public static IReadOnlyList<Pass> Needed { get; } =
        [new("decompose", (f, _) => Decompose.Run(f)), .. Closing(null)];

    private static IEnumerable<Pass> Closing(FrozenState? frozen) =>
    [
        // After all passes that ask what is known before the first call: a folded value is a literal to them.
        new("setup", (f, _) => Constants.Run(f, frozen ?? FrozenState.Of(f))) { RunsOnSetup = false },
        // Again, for the nodes that passes have made since.
        new("empty", (f, _) => Empty.Run(f)),
        // Last: a size that the call computes is not a size to the passes before it.
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
        // Sizes that the caller names are parameters, even if nothing is computed from them any more.
        foreach (var size in sizes.Except(function.Sizes).ToList()) function.Require(EntryCheck.Given(size));
        return function;
    }
}
