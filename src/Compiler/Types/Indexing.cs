// In: an index of a tensor, as polynomials in loop variables. Out: offsets, and indices of the same element elsewhere.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Types;

internal static class Indexing
{
    /// <summary>The row-major offset of an index. Along an axis of one element it is 0, whatever it is written as.</summary>
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

    /// <summary>
    /// The index of the same element under another shape of as many. Axes are taken in the smallest groups, from the
    /// end, that hold the same number on both sides: only within one is an index multiplied up and divided. Of the whole
    /// offset the ranges would have to show the same, and where an index is only in range under a guard, they cannot:
    /// three reshapes behind each other then made a subscript of a thousand terms.
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
                // The side that holds less takes one more axis; sizes that cannot be compared take from the front too.
                if (b == 0 || (a > 0 && (ranges.NonNegative(countB - countA) || endA == a))) countA *= from[--a];
                else countB *= to[--b];
            }
            while (!countA.Equals(countB) && (a > 0 || b > 0));
            // Axes of one element in front belong to no other group.
            while (countA.Equals(countB) && a > 0 && from[a - 1].Is(1)) a--;
            while (countA.Equals(countB) && b > 0 && to[b - 1].Is(1)) b--;
            var part = Split(Linear(index[a..endA], from[a..endA]), to[b..endB], ranges);
            for (var d = 0; d < part.Length; d++) result[b + d] = part[d];
        }
        return [.. result];
    }

    private static Size Divide(Size a, Size b, IndexRanges ranges) => SizeDivision.FloorDiv(a, b, ranges);
}
