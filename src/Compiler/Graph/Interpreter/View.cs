// In: elements and strides over them. Out: the movement operations as new strides over the same elements.
using System.Collections.Immutable;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

/// <summary>Elements in memory: floats with magnitudes, or integers.</summary>
internal sealed record Elements(double[] Values, double[] Magnitude, long[] Integers)
{
    public static Elements Floats(long count) => new(new double[count], new double[count], []);

    public static Elements Longs(long count) => new([], [], new long[count]);
}

/// <summary>
/// Element (i, j, ..) is at Offset + i * Strides[0] + j * Strides[1] + .. A window over a large image is such a view,
/// so a convolution never stores its windows.
/// </summary>
internal sealed class View(DType dtype, Elements data, long[] shape, long[] strides, long offset, long terms)
{
    public DType DType { get; } = dtype;

    public Elements Data { get; } = data;

    public long[] Shape { get; } = shape;

    public long[] Strides { get; } = strides;

    public long Offset { get; } = offset;

    public long Terms { get; } = terms;

    public int Rank => Shape.Length;

    public long Count => CountOf(Shape);

    public static long CountOf(long[] shape)
    {
        long count = 1;
        foreach (var s in shape) count = checked(count * s);
        return count;
    }

    public static long[] RowMajor(long[] shape)
    {
        var strides = new long[shape.Length];
        long stride = 1;
        for (var d = shape.Length - 1; d >= 0; d--)
        {
            strides[d] = stride;
            stride *= shape[d];
        }
        return strides;
    }

    public static View Dense(DType dtype, Elements data, long[] shape, long terms) =>
        new(dtype, data, shape, RowMajor(shape), 0, terms);

    public static View Of(ReferenceValue v) =>
        Dense(v.DType, new Elements(v.Values, v.Magnitude, v.Integers), v.Shape, v.Terms);

    public ReferenceValue ToValue()
    {
        var dense = Dense();
        return new(DType, Shape, dense.Data.Values, dense.Data.Magnitude, dense.Data.Integers, Math.Max(1, Terms));
    }

    /// <summary>The same elements without gaps in row-major order; this view if they already lie so.</summary>
    public View Dense()
    {
        var held = DType.IsFloat ? Data.Values.LongLength : Data.Integers.LongLength;
        if (Offset == 0 && held == Count && IsRowMajor()) return this;
        var data = DType.IsFloat
            ? new Elements(Copy(Data.Values), Copy(Data.Magnitude), [])
            : new Elements([], [], Copy(Data.Integers));
        return Dense(DType, data, Shape, Terms);
    }

    public View WithElements(DType dtype, Elements data, long terms) => Dense(dtype, data, Shape, terms);

    /// <summary>The position of every element in row-major order, over the given axes only; others stay at index
    /// 0.</summary>
    public long[] Positions(IReadOnlyList<int> axes, long start = 0)
    {
        long count = 1;
        foreach (var a in axes) count *= Shape[a];
        var positions = new long[count];
        if (count == 0) return positions;
        positions[0] = start;
        // Grown axis by axis from the innermost: the block so far is repeated, one stride further each time.
        long filled = 1;
        for (var d = axes.Count - 1; d >= 0; d--)
        {
            var (extent, stride) = (Shape[axes[d]], Strides[axes[d]]);
            for (long i = 1; i < extent; i++)
                for (long k = 0; k < filled; k++) positions[i * filled + k] = positions[k] + i * stride;
            filled *= extent;
        }
        return positions;
    }

    public View Transpose(ImmutableArray<int> permutation) => new(DType, Data, [.. permutation.Select(p => Shape[p])],
        [.. permutation.Select(p => Strides[p])], Offset, Terms);

    public View Broadcast(long[] shape, ImmutableArray<int> axes)
    {
        var strides = new long[shape.Length];
        for (var d = 0; d < axes.Length; d++) strides[axes[d]] = Strides[d];
        return new(DType, Data, shape, strides, Offset, Terms);
    }

    public View Slice(long[] starts, long[] sizes, ImmutableArray<long> steps)
    {
        var offset = Offset;
        for (var d = 0; d < Rank; d++)
        {
            if (sizes[d] > 0 && (starts[d] < 0 || starts[d] + (sizes[d] - 1) * steps[d] >= Shape[d]))
                throw new ReferenceException(
                    $"slice of {sizes[d]} from {starts[d]} by {steps[d]} leaves axis {d} of size {Shape[d]}");
            offset += starts[d] * Strides[d];
        }
        return new(DType, Data, sizes, [.. Strides.Select((s, d) => s * steps[d])], offset, Terms);
    }

    public View Reverse(ImmutableArray<int> axes)
    {
        var offset = Offset;
        var strides = (long[])Strides.Clone();
        foreach (var a in axes)
        {
            offset += Math.Max(0, Shape[a] - 1) * Strides[a];
            strides[a] = -strides[a];
        }
        return new(DType, Data, Shape, strides, offset, Terms);
    }

    public View Window(int axis, long count, long extent, long stride, long dilation)
    {
        if (count > 0 && extent > 0 && (count - 1) * stride + (extent - 1) * dilation >= Shape[axis])
            throw new ReferenceException(
                $"{count} windows of {extent} (stride {stride}, dilation {dilation}) leave an axis of {Shape[axis]}");
        var (shape, strides) = (Shape.ToList(), Strides.ToList());
        shape[axis] = count;
        shape.Insert(axis + 1, extent);
        strides[axis] = Strides[axis] * stride;
        strides.Insert(axis + 1, Strides[axis] * dilation);
        return new(DType, Data, [.. shape], [.. strides], Offset, Terms);
    }

    /// <summary>Makes no copy where the strides allow it, as for axes split or joined in memory order.</summary>
    public View Reshape(long[] shape)
    {
        if (CountOf(shape) != Count)
            throw new ReferenceException($"reshape of [{string.Join(',', Shape)}] to [{string.Join(',', shape)}]");
        if (Count > 0 && ReshapedStrides(shape) is { } strides) return new(DType, Data, shape, strides, Offset, Terms);
        return Dense(DType, Dense().Data, shape, Terms);
    }

    private long[]? ReshapedStrides(long[] shape)
    {
        // Both shapes without axes of size one; groups of equal product must be walkable with one stride.
        var old = Enumerable.Range(0, Rank).Where(d => Shape[d] != 1).Select(d =>
            (Size: Shape[d], Stride: Strides[d])).ToArray();
        var strides = new long[shape.Length];
        var (i, j) = (0, 0);
        while (i < old.Length)
        {
            var (from, to) = (i, j);
            var (a, b) = (old[i++].Size, 1L);
            while (a != b)
            {
                if (b < a) b *= shape[j++];
                else a *= old[i++].Size;
            }
            for (var k = from; k + 1 < i; k++)
                if (old[k].Stride != old[k + 1].Size * old[k + 1].Stride) return null;
            var stride = old[i - 1].Stride;
            for (var k = j - 1; k >= to; k--)
            {
                strides[k] = stride;
                stride *= shape[k];
            }
        }
        return strides;
    }

    private bool IsRowMajor()
    {
        long stride = 1;
        for (var d = Rank - 1; d >= 0; d--)
        {
            if (Shape[d] != 1 && Strides[d] != stride) return false;
            stride *= Shape[d];
        }
        return true;
    }

    private T[] Copy<T>(T[] from)
    {
        var to = new T[Count];
        if (to.Length == 0) return to;
        // Neighbouring axes that one stride can walk are joined; the innermost is then a plain loop.
        var axes = new List<(long Size, long Stride)>();
        for (var d = 0; d < Rank; d++)
        {
            if (Shape[d] == 1) continue;
            if (axes.Count > 0 && axes[^1].Stride == Shape[d] * Strides[d]) axes[^1] =
                (axes[^1].Size * Shape[d], Strides[d]);
            else axes.Add((Shape[d], Strides[d]));
        }
        if (axes.Count == 0) axes.Add((1, 1));
        var (size, step) = axes[^1];
        var index = new long[axes.Count];
        var at = Offset;
        for (long done = 0; ;)
        {
            if (step == 0) Array.Fill(to, from[at], (int)done, (int)size);
            else if (step == 1) Array.Copy(from, at, to, done, size);
            else for (long i = 0, p = at; i < size; i++, p += step) to[done + i] = from[p];
            done += size;
            var d = axes.Count - 2;
            for (; d >= 0; d--)
            {
                at += axes[d].Stride;
                if (++index[d] < axes[d].Size) break;
                at -= axes[d].Stride * axes[d].Size;
                index[d] = 0;
            }
            if (d < 0) return to;
        }
    }
}
