// In: the extents of the outer loops. Out: a perfect nest of parallel loops, and the block inside it.
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

internal sealed class LoopNest(KernelDraft draft, BlockBuilder body)
{
    private readonly List<(string Variable, Size Extent, BlockBuilder Inside)> loops = [];

    private BlockBuilder Innermost => loops.Count == 0 ? body : loops[^1].Inside;

    /// <summary>Adds a loop inside the existing ones; a loop of one iteration is left out. Returns its index.</summary>
    public Size Parallel(string stem, Size extent)
    {
        if (extent.Is(1)) return Size.Zero;
        var variable = draft.Variable(stem, extent);
        loops.Add((variable, extent, Innermost.Inner()));
        return Size.Variable(variable);
    }

    /// <summary>
    /// The scope of the innermost block; statements that would break the perfect nest stay inside it.
    /// </summary>
    public Scope Scope(IEnumerable<string> bound) =>
        new(null, Innermost, true, loops.Select(l => l.Variable).Concat(bound));

    public Block Close()
    {
        for (var i = loops.Count - 1; i >= 0; i--)
            (i == 0 ? body : loops[i - 1].Inside).Emit(
                new Loop(LoopKind.Parallel, loops[i].Variable, loops[i].Extent, loops[i].Inside.ToBlock()));
        return body.ToBlock();
    }
}
