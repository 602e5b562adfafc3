// In: a function, and which state is frozen. Out: the function with the weights of its sums of products laid out before
// the first call.
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// reduce add(x * broadcast(w)) => reduce add(x * broadcast(barrier(w))) where w is computed from frozen state: the
/// channels, which are the lanes, become neighbours in memory, and the weights are scaled once. The bits are the same
/// as without it.
/// </summary>
/// <remarks>
/// 14 x 14 x 384, AMD Zen 4, 1 thread: 49 us with w read 9 elements apart and scaled for each tap, 17 us with this
/// pass.
/// </remarks>
internal static class DepthwiseWeights
{
    public static Function Run(Function function, FrozenState frozen, Rewrites? rewrites = null)
    {
        rewrites ??= new Rewrites();
        var known = new KnownValues(function, frozen);
        var weights = function.Nodes.OfType<Reduce>().Where(r => r.Kind == ReduceOp.Add)
            .Select(r => r.Operands[0]).OfType<Binary>()
            .Where(b => b.Kind == BinaryOp.Mul && !b.Operands.All(known.IsOfState))
            .SelectMany(b => b.Operands).OfType<Broadcast>().Select(b => b.Operands[0])
            .Where(w => known.IsOfState(w) && w is not (State or Graph.Barrier))
            .ToHashSet<Node>(ReferenceEqualityComparer.Instance);
        if (weights.Count == 0) return function;

        return Rebuild.Of(function, (node, rebuild) =>
        {
            if (!rewrites.MayGoOn || !weights.Contains(node)) return null;
            var origin = function.OriginOf(node);
            var kept = rebuild.Into.Add(new Graph.Barrier(rebuild[node], BarrierKind.Setup), origin);
            rewrites.Add(() => new("depthwise-weights", "barrier", node.ToString(), kept.ToString(), origin.Place));
            return kept;
        });
    }
}
