// In: an index of a tensor, as polynomials in loop variables. Out: offsets, and indices of the same element elsewhere.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Types;

internal static class Indexing
{
    /// <summary>The row-major offset of an index.</summary>
    public static Size Linear(ImmutableArray<Size> index, ImmutableArray<Size> shape)
    {
        var offset = Size.Zero;
        for (var d = 0; d < index.Length; d++) offset = offset * shape[d] + index[d];
        return offset;
    }

    /// <summary>The index at a row-major offset.</summary>
    public static ImmutableArray<Size> Split(Size offset, ImmutableArray<Size> shape, IndexRanges ranges)
    {
        var index = new Size[shape.Length];
        for (var d = shape.Length - 1; d >= 0; d--)
        {
            if (shape[d].Is(1))
            {
                index[d] = 0;
                continue;
            }
            // Only axes of size 1 are left in front: the offset is the index.
            if (Enumerable.Range(0, d).All(e => shape[e].Is(1)))
            {
                index[d] = offset;
                offset = 0;
                continue;
            }
            var quotient = Divide(offset, shape[d], ranges);
            index[d] = offset - shape[d] * quotient;
            offset = quotient;
        }
        return [.. index];
    }

    private static Size Divide(Size a, Size b, IndexRanges ranges) => SizeDivision.FloorDiv(a, b, ranges);
}
