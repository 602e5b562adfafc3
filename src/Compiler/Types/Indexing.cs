// In: an index of a tensor, as polynomials in loop variables. Out: offsets, and indices of the same element elsewhere.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Types;

internal static class Indexing
{
    /// <summary>
    /// The row-major offset of an index. Along an axis of one element it is 0, however the index is written.
    /// </summary>
    public static Size Linear(ImmutableArray<Size> index, ImmutableArray<Size> shape)
    {
        var offset = Size.Zero;
        for (var d = 0; d < index.Length; d++)
            if (!shape[d].Is(1)) offset = offset * shape[d] + index[d];
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
            // All remaining axes have size 1: the offset is the index.
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

    /// <summary>
    /// The index of the same element under another shape with as many elements. Axes are taken in the smallest groups,
    /// from the end, with the same number of elements on both sides: an index is only multiplied and divided within a
    /// group. With the offset in the whole tensor, the ranges would have to prove the same, and they cannot where an
    /// index is only in range under a guard: a chain of three reshapes then made a subscript of a thousand terms.
    /// </summary>
    public static ImmutableArray<Size> Reshaped(ImmutableArray<Size> index, ImmutableArray<Size> from,
        ImmutableArray<Size> to, IndexRanges ranges)
    {
        var result = new Size[to.Length];
        var (a, b) = (from.Length, to.Length);
        while (a > 0 || b > 0)
        {
            var (endA, endB) = (a, b);
            var (countA, countB) = (Size.One, Size.One);
            do
            {
                // The side with fewer elements takes one more axis; sizes that cannot be compared take from the front
                // too.
                if (b == 0 || (a > 0 && (ranges.NonNegative(countB - countA) || endA == a))) countA *= from[--a];
                else countB *= to[--b];
            }
            while (!countA.Equals(countB) && (a > 0 || b > 0));
            // Leading axes of one element belong to no other group.
            while (countA.Equals(countB) && a > 0 && from[a - 1].Is(1)) a--;
            while (countA.Equals(countB) && b > 0 && to[b - 1].Is(1)) b--;
            var part = Split(Linear(index[a..endA], from[a..endA]), to[b..endB], ranges);
            for (var d = 0; d < part.Length; d++) result[b + d] = part[d];
        }
        return [.. result];
    }

    private static Size Divide(Size a, Size b, IndexRanges ranges) => SizeDivision.FloorDiv(a, b, ranges);
}
