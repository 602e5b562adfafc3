// In: a value that a map computes. Out: the axes that its loops go along: its own, or finer ones that it merges.
using System.Collections.Immutable;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// The axes of a map's loops. A flattened image, whose channels lie together where it is read, has along its one axis
/// neighbours that are far apart; along those that it merges they are at one distance.
/// </summary>
/// <param name="Shape">Their extents.</param>
/// <param name="Counts">How many of them make each of the value's axes.</param>
internal sealed record MapAxes(ImmutableArray<Size> Shape, ImmutableArray<int> Counts)
{
    public static MapAxes Of(Node value) => new(value.Type.Shape, [.. value.Type.Shape.Select(_ => 1)]);

    /// <summary>
    /// Those of what a value reads as a reshape that merges axes; null where it reads none.
    /// </summary>
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

    /// <summary>An index of the value, of one along the axes.</summary>
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

    /// <summary>How many axes of `finer` make each of `shape`, in order; null where they make others.</summary>
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
