// In: a value that a map computes. Out: the axes of its loops: the value's own, or finer ones that it merges.
using System.Collections.Immutable;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// The axes of a map's loops. A flattened image whose channels lie together where it is read has, along its single
/// axis, neighbours that are far apart; along the axes that were merged into it, they are at a constant distance.
/// </summary>
/// <param name="Shape">Their extents.</param>
/// <param name="Counts">The number of them that make each of the value's axes.</param>
internal sealed record MapAxes(ImmutableArray<Size> Shape, ImmutableArray<int> Counts)
{
    public static MapAxes Of(Node value) => new(value.Type.Shape, [.. value.Type.Shape.Select(_ => 1)]);

    /// <summary>The finer axes of a reshape that the value reads and that merges axes; null if it reads none.</summary>
    public static MapAxes? Finer(Node value, Func<Node, bool> hasBuffer)
    {
        var open = new Queue<Node>([value]);
        while (open.TryDequeue(out var node))
        {
            if (node is Reshape { IsChecked: false } && Merged(node.Type.Shape, node.OperandType(0).Shape) is { } counts)
                return new(node.OperandType(0).Shape, counts);
            if (!node.Is(OpTraits.Elementwise)) continue;
            foreach (var operand in node.Operands)
                if (!hasBuffer(operand) && operand.Type.Shape.SequenceEqual(node.Type.Shape)) open.Enqueue(operand);
        }
        return null;
    }

    /// <summary>The value's index for an index along the axes.</summary>
    public ImmutableArray<Size> Whole(ImmutableArray<Size> index)
    {
        if (Counts.Length == Shape.Length) return index;
        var whole = ImmutableArray.CreateBuilder<Size>();
        var at = 0;
        foreach (var count in Counts)
        {
            var (from, here) = (at, at += count);
            whole.Add(Indexing.Linear([.. index[from..here]], [.. Shape[from..here]]));
        }
        return whole.ToImmutable();
    }

    /// <summary>The number of axes of `finer` that make each axis of `shape`, in order; null if they do not.</summary>
    private static ImmutableArray<int>? Merged(ImmutableArray<Size> shape, ImmutableArray<Size> finer)
    {
        if (finer.Length <= shape.Length) return null;
        var counts = ImmutableArray.CreateBuilder<int>();
        var at = 0;
        foreach (var extent in shape)
        {
            var (product, from) = (finer[at], at);
            while (++at < finer.Length && !product.Equals(extent)) product *= finer[at];
            if (!product.Equals(extent) || (at == finer.Length && counts.Count < shape.Length - 1)) return null;
            counts.Add(at - from);
        }
        return at == finer.Length ? counts.ToImmutable() : null;
    }
}
