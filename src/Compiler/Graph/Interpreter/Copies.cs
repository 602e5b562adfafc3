// In: views. Out: pad, concat, stack and gather of them, the movements that strides cannot express, as dense copies.
using System.Collections.Immutable;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

internal static class Copies
{
    public static View Pad(View x, View value, long[] before, long[] shape, ImmutableArray<long> between)
    {
        var filled = value.Broadcast(shape, []).Dense();
        var result = Fresh(filled);
        // Negative padding cuts: only the elements that land inside are copied.
        var first = new long[x.Rank];
        var sizes = new long[x.Rank];
        var (at, strides) = (0L, View.RowMajor(shape));
        var steps = new long[x.Rank];
        for (var d = 0; d < x.Rank; d++)
        {
            var step = between[d] + 1;
            first[d] = before[d] >= 0 ? 0 : (-before[d] + step - 1) / step;
            var room = shape[d] - (before[d] + first[d] * step);
            sizes[d] = Math.Max(0, Math.Min(x.Shape[d] - first[d], room <= 0 ? 0 : (room + step - 1) / step));
            steps[d] = strides[d] * step;
            at += strides[d] * (before[d] + first[d] * step);
        }
        if (sizes.Contains(0)) return result;
        var part = x.Slice(first, sizes, [.. sizes.Select(_ => 1L)]);
        Write(part, new View(x.DType, result.Data, sizes, steps, at, 1));
        return new View(x.DType, result.Data, shape, strides, 0, Math.Max(x.Terms, value.Terms));
    }

    public static View Concat(View[] parts, int axis, long[] shape)
    {
        var dtype = parts[0].DType;
        var data = dtype.IsFloat ? Elements.Floats(View.CountOf(shape)) : Elements.Longs(View.CountOf(shape));
        var strides = View.RowMajor(shape);
        long at = 0;
        foreach (var part in parts)
        {
            Write(part, new View(dtype, data, part.Shape, strides, at * strides[axis], 1));
            at += part.Shape[axis];
        }
        return View.Dense(dtype, data, shape, parts.Max(p => p.Terms));
    }

    public static View Gather(View x, View indices, int axis, Action<long> clamped, bool takesFarEnd)
    {
        var at = indices.Dense().Data.Integers;
        long[] shape = [.. x.Shape.Take(axis), .. indices.Shape, .. x.Shape.Skip(axis + 1)];
        var count = x.Shape[axis];
        if (count == 0 && View.CountOf(shape) > 0) throw new ReferenceException("gather from an empty axis");
        // Axis `axis` of the target stands for all axes of the indices: one slice of x for each index.
        long[] flat = [.. x.Shape.Take(axis), at.LongLength, .. x.Shape.Skip(axis + 1)];
        var data = x.DType.IsFloat ? Elements.Floats(View.CountOf(flat)) : Elements.Longs(View.CountOf(flat));
        var strides = View.RowMajor(flat);
        long[] one = [.. x.Shape.Select((s, d) => d == axis ? 1 : s)];
        for (long i = 0; i < at.LongLength && count > 0; i++)
        {
            // A u64 index beyond i64 is negative as a long: past the end, not before the start.
            var index = at[i] < 0 ? indices.DType == DType.U64 ? count - 1 : 0 : Math.Min(at[i], count - 1);
            if (index != at[i] && View.CountOf(one) > 0)
            {
                clamped(at[i]);
                if (takesFarEnd) index = count - 1 - index;
            }
            var slice = new View(x.DType, x.Data, one, x.Strides, x.Offset + index * x.Strides[axis], 1);
            Write(slice, new View(x.DType, data, one, strides, i * strides[axis], 1));
        }
        return View.Dense(x.DType, data, shape, x.Terms);
    }

    /// <summary>The same elements in memory of their own.</summary>
    public static View Fresh(View dense) => new(dense.DType, dense.DType.IsFloat
        ? new Elements((double[])dense.Data.Values.Clone(), (double[])dense.Data.Magnitude.Clone(), [])
        : new Elements([], [], (long[])dense.Data.Integers.Clone()), dense.Shape, View.RowMajor(dense.Shape), 0,
            dense.Terms);

    /// <summary>
    /// Values of one shape, one after the other along a new first axis; `shape` is that of the whole.
    /// </summary>
    public static View Stack(IReadOnlyList<View> parts, DType dtype, long[] shape)
    {
        var count = View.CountOf(shape);
        var data = dtype.IsFloat ? Elements.Floats(count) : Elements.Longs(count);
        long[] part = shape[1..];
        for (var i = 0; i < parts.Count; i++)
        {
            if (!parts[i].Shape.SequenceEqual(part))
                throw new ReferenceException(
                    $"element {i} has shape [{string.Join(',', parts[i].Shape)}], not [{string.Join(',', part)}]");
            Write(parts[i], new View(dtype, data, part, View.RowMajor(part), i * View.CountOf(part), 1));
        }
        return View.Dense(dtype, data, shape, parts.Count == 0 ? 1 : parts.Max(p => p.Terms));
    }

    /// <summary>Copies the elements of one view to the places of another of the same shape.</summary>
    public static void Write(View from, View to)
    {
        int[] outer = [.. Enumerable.Range(0, Math.Max(0, from.Rank - 1))];
        var (source, target) = (from.Positions(outer, from.Offset), to.Positions(outer, to.Offset));
        var (size, step, advance) = from.Rank == 0 ? (1, 0, 0) : (from.Shape[^1], from.Strides[^1], to.Strides[^1]);
        for (long i = 0; i < source.LongLength; i++)
        {
            for (long k = 0, p = source[i], q = target[i]; k < size; k++, p += step, q += advance)
            {
                if (from.DType.IsFloat)
                {
                    to.Data.Values[q] = from.Data.Values[p];
                    to.Data.Magnitude[q] = from.Data.Magnitude[p];
                }
                else
                {
                    to.Data.Integers[q] = from.Data.Integers[p];
                }
            }
        }
    }
}
