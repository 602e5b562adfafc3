// In: views, and places known only in the run. Out: dynamic slices and their updates, scatters and folds, dense.
using System.Collections.Immutable;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

internal static class Parts
{
    /// <summary>
    /// The part of x at the starts plus the offsets of the axes, moved into x as a whole if it extends past it.
    /// </summary>
    public static View DynamicSlice(View x, View[] offsets, ImmutableArray<int> axes, long[] starts, long[] sizes,
        Action<long> clamped)
    {
        if (View.CountOf(sizes) == 0)
            return View.Dense(x.DType, x.DType.IsFloat ? Elements.Floats(0) : Elements.Longs(0), sizes, x.Terms);
        var at = Place(x, offsets, axes, starts, sizes, clamped);
        return x.Slice(at, sizes, [.. sizes.Select(_ => 1L)]);
    }

    /// <summary>x with its elements replaced by those of the update, `steps` apart.</summary>
    public static View UpdateSlice(View x, View update, View[] offsets, ImmutableArray<int> axes, long[] starts,
        ImmutableArray<long> steps, Action<long> clamped)
    {
        long[] extents = [.. update.Shape.Select((s, d) => s == 0 ? 0 : (s - 1) * steps[d] + 1)];
        var at = Place(x, offsets, axes, starts, extents, clamped);
        var result = Copies.Fresh(x.Dense());
        var target = new View(x.DType, result.Data, update.Shape, [.. result.Strides.Select((s, d) => s * steps[d])],
            at.Select((p, d) => p * result.Strides[d]).Sum(), 1);
        if (update.Count > 0) Copies.Write(update, target);
        return View.Dense(x.DType, result.Data, x.Shape, Math.Max(x.Terms, update.Terms));
    }

    public static View Scatter(ScatterOp kind, View x, View indices, View updates, int axis, Action<long> outside)
    {
        var result = Copies.Fresh(x.Dense());
        var at = indices.Dense().Data.Integers;
        var source = updates.Dense();
        // Axis `axis` of the updates stands for all axes of the indices: the same outer and inner elements for each
        // index.
        var outer = View.CountOf(x.Shape[..axis]);
        var inner = View.CountOf(x.Shape[(axis + 1)..]);
        var size = x.Shape[axis];
        var hits = new Dictionary<long, long>();
        for (long i = 0; i < at.LongLength; i++)
        {
            // A u64 index beyond i64 is negative as a long: out of range either way.
            if (at[i] < 0 || at[i] >= size)
            {
                if (outer * inner > 0) outside(at[i]);
                continue;
            }
            hits[at[i]] = hits.GetValueOrDefault(at[i]) + 1;
            for (long a = 0; a < outer; a++)
            {
                for (long b = 0; b < inner; b++)
                    Combine(kind, result, (a * size + at[i]) * inner + b, source, (a * at.LongLength + i) * inner + b);
            }
        }
        var steps = kind is ScatterOp.Add or ScatterOp.Mul && hits.Count > 0 ? hits.Values.Max() : 0;
        return View.Dense(x.DType, result.Data, x.Shape, Math.Max(x.Terms, updates.Terms) + steps);
    }

    /// <summary>
    /// Element p of the axis: the sum over r of all x[i, r] with i * stride + r * dilation = p. Elements beyond the
    /// size are ignored.
    /// </summary>
    public static View Fold(View x, int axis, long size, long stride, long dilation)
    {
        long[] shape = [.. x.Shape[..axis], size, .. x.Shape[(axis + 2)..]];
        var source = x.Dense();
        var (count, extent) = (x.Shape[axis], x.Shape[axis + 1]);
        var outer = View.CountOf(x.Shape[..axis]);
        var inner = View.CountOf(x.Shape[(axis + 2)..]);
        var result = View.Dense(x.DType, x.DType.IsFloat ? Elements.Floats(View.CountOf(shape))
            : Elements.Longs(View.CountOf(shape)), shape, x.Terms + extent);
        for (long r = 0; r < extent; r++)
        {
            for (long i = 0; i < count; i++)
            {
                var p = i * stride + r * dilation;
                if (p >= size) break;
                for (long a = 0; a < outer; a++)
                {
                    for (long b = 0; b < inner; b++)
                    {
                        Combine(ScatterOp.Add, result, (a * size + p) * inner + b, source,
                            ((a * count + i) * extent + r) * inner + b);
                    }
                }
            }
        }
        return result;
    }

    private static void Combine(ScatterOp kind, View result, long to, View source, long from)
    {
        var op = kind switch
        {
            ScatterOp.Add => BinaryOp.Add,
            ScatterOp.Mul => BinaryOp.Mul,
            ScatterOp.Max => BinaryOp.Max,
            _ => BinaryOp.Min,
        };
        if (!result.DType.IsFloat)
        {
            var (old, update) = (result.Data.Integers[to], source.Data.Integers[from]);
            result.Data.Integers[to] =
                kind == ScatterOp.Set ? update : IntegerMath.Apply(op, old, update, result.DType);
            return;
        }
        var (x, m) = (result.Data.Values[to], result.Data.Magnitude[to]);
        var (y, n) = (source.Data.Values[from], source.Data.Magnitude[from]);
        var value = kind == ScatterOp.Set ? y : FloatMath.Apply(op, x, y);
        result.Data.Values[to] = value;
        result.Data.Magnitude[to] = kind == ScatterOp.Set ? n : FloatMath.Magnitude(op, x, m, y, n, value);
    }

    /// <summary>Where the part starts: starts plus offsets, clamped so that the extents fit.</summary>
    private static long[] Place(View x, View[] offsets, ImmutableArray<int> axes, long[] starts, long[] extents,
        Action<long> clamped)
    {
        var at = new long[x.Rank];
        if (View.CountOf(extents) == 0) return at;
        for (var d = 0; d < x.Rank; d++)
        {
            var room = x.Shape[d] - extents[d];
            if (room < 0)
                throw new ReferenceException($"a part of {extents[d]} elements of axis {d} of size {x.Shape[d]}");
            var listed = axes.IndexOf(d);
            var wanted = (Int128)starts[d] + (listed < 0 ? 0 : offsets[listed].Data.Integers[offsets[listed].Offset]);
            at[d] = (long)Int128.Clamp(wanted, 0, room);
            if (at[d] != wanted) clamped((long)Int128.Clamp(wanted, long.MinValue, long.MaxValue));
        }
        return at;
    }
}
