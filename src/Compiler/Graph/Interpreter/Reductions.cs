// In: views. Out: reduce, arg_reduce and dot of them, with magnitudes; integers exact.
using System.Collections.Immutable;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

internal static class Reductions
{
    public static View Reduce(ReduceOp kind, View x, ImmutableArray<int> axes, Propagation propagation)
    {
        int[] kept = [.. Enumerable.Range(0, x.Rank).Where(d => !axes.Contains(d))];
        long[] shape = [.. kept.Select(d => x.Shape[d])];
        if (View.CountOf(shape) == 0) return Empty(x.DType, shape);
        var outer = x.Positions(kept, x.Offset);
        var inner = x.Positions(axes);
        var terms = x.Terms + (kind is ReduceOp.Add or ReduceOp.Mul ? inner.LongLength : 0);
        if (!x.DType.IsFloat)
        {
            var integers = new long[outer.LongLength];
            for (long i = 0; i < outer.LongLength; i++) integers[i] = Fold(kind, x, outer[i], inner);
            return View.Dense(x.DType, new Elements([], [], integers), shape, terms);
        }
        var result = Elements.Floats(outer.LongLength);
        for (long i = 0; i < outer.LongLength; i++)
        {
            (result.Values[i], result.Magnitude[i]) = kind switch
            {
                ReduceOp.Add => Sum(x, outer[i], inner, propagation),
                ReduceOp.Mul => Product(x, outer[i], inner),
                _ => Extreme(kind == ReduceOp.Max, x, outer[i], inner),
            };
        }
        return View.Dense(x.DType, result, shape, terms);
    }

    /// <summary>The first of the greatest (least) elements; a NaN counts as greatest (least), so the first NaN
    /// wins.</summary>
    public static View ArgReduce(bool greatest, View x, int axis, DType dtype)
    {
        int[] kept = [.. Enumerable.Range(0, x.Rank).Where(d => d != axis)];
        var outer = x.Positions(kept, x.Offset);
        var integers = new long[outer.LongLength];
        for (long i = 0; i < outer.LongLength; i++)
        {
            var (best, at) = (0L, outer[i]);
            for (long k = 1; k < x.Shape[axis]; k++)
            {
                var here = outer[i] + k * x.Strides[axis];
                if (!Beats(greatest, x, here, at)) continue;
                (best, at) = (k, here);
            }
            integers[i] = IntegerMath.Wrap(best, dtype);
        }
        return View.Dense(dtype, new Elements([], [], integers), [.. kept.Select(d => x.Shape[d])], 1);
    }

    /// <summary>A result without elements, from operands whose other axes may have any length.</summary>
    private static View Empty(DType type, long[] shape) =>
        View.Dense(type, type.IsFloat ? Elements.Floats(0) : Elements.Longs(0), shape, 1);

    public static View Dot(View a, View b, Dot dot, Propagation propagation)
    {
        // For a wider accumulator the operands are converted, exactly.
        var dtype = dot.Type.DType;
        if (a.DType != dtype) (a, b) = (Elementwise.Convert(a, dtype), Elementwise.Convert(b, dtype));
        var (freeA, freeB) = (dot.FreeA, dot.FreeB);
        long[] shape =
            [.. dot.BatchA.Select(d => a.Shape[d]), .. freeA.Select(d => a.Shape[d]), .. freeB.Select(d => b.Shape[d])];
        if (View.CountOf(shape) == 0) return Empty(dtype, shape);
        var (batchA, batchB) = (a.Positions(dot.BatchA, a.Offset), b.Positions(dot.BatchB, b.Offset));
        var (rows, columns) = (a.Positions(freeA), b.Positions(freeB));
        var (stepsA, stepsB) = (a.Positions(dot.ContractA), b.Positions(dot.ContractB));
        var terms = Math.Max(a.Terms, b.Terms) + stepsA.LongLength;
        var result = a.DType.IsFloat ? Elements.Floats(View.CountOf(shape)) : Elements.Longs(View.CountOf(shape));
        // Tiles of packed rows: a window operand is read through its view, a tile at a time, and never copied whole.
        const int Tile = 64;
        var (packedA, packedB) = (new Panel(a, stepsA, Tile), new Panel(b, stepsB, Tile));
        for (long n = 0; n < batchA.LongLength; n++)
        {
            for (long i = 0; i < rows.LongLength; i += Tile)
            {
                var height = (int)Math.Min(Tile, rows.LongLength - i);
                packedA.Fill(batchA[n], rows.AsSpan((int)i, height));
                for (long j = 0; j < columns.LongLength; j += Tile)
                {
                    var width = (int)Math.Min(Tile, columns.LongLength - j);
                    packedB.Fill(batchB[n], columns.AsSpan((int)j, width));
                    for (var r = 0; r < height; r++)
                    {
                        var to = (n * rows.LongLength + i + r) * columns.LongLength + j;
                        for (var c = 0; c < width; c++, to++)
                        {
                            if (a.DType.IsFloat)
                                (result.Values[to], result.Magnitude[to]) =
                                    Panel.Dot(packedA, r, packedB, c, propagation);
                            else
                                result.Integers[to] =
                                    IntegerMath.Wrap(Panel.IntegerDot(packedA, r, packedB, c), dot.Type.DType);
                        }
                    }
                }
            }
        }
        return View.Dense(dot.Type.DType, result, shape, terms);
    }

    private static bool Beats(bool greatest, View x, long here, long best)
    {
        if (!x.DType.IsFloat)
        {
            var order = IntegerMath.Order(x.Data.Integers[here], x.Data.Integers[best], x.DType);
            return greatest ? order > 0 : order < 0;
        }
        var (a, b) = (x.Data.Values[here], x.Data.Values[best]);
        return !double.IsNaN(b) && (double.IsNaN(a) || (greatest ? a > b : a < b));
    }

    private static long Fold(ReduceOp kind, View x, long start, long[] inner)
    {
        var (op, value) = kind switch
        {
            ReduceOp.Add => (BinaryOp.Add, 0),
            ReduceOp.Mul => (BinaryOp.Mul, 1),
            ReduceOp.Max => (BinaryOp.Max, IntegerMath.Least(x.DType)),
            ReduceOp.Min => (BinaryOp.Min, IntegerMath.Greatest(x.DType)),
            ReduceOp.And => (BinaryOp.And, IntegerMath.Wrap(-1, x.DType)),
            _ => (BinaryOp.Or, 0),
        };
        foreach (var p in inner) value = IntegerMath.Apply(op, value, x.Data.Integers[start + p], x.DType);
        return value;
    }

    private static (double Value, double Magnitude) Sum(View x, long start, long[] inner, Propagation propagation)
    {
        var (sum, own, brought) = (0.0, 0.0, 0.0);
        foreach (var p in inner)
        {
            var v = x.Data.Values[start + p];
            var excess = x.Data.Magnitude[start + p] - Math.Abs(v);
            sum += v;
            own += Math.Abs(v);
            brought += propagation == Propagation.Likely ? excess * excess : excess;
        }
        return (sum, own + (propagation == Propagation.Likely ? Math.Sqrt(brought) : brought));
    }

    private static (double Value, double Magnitude) Product(View x, long start, long[] inner)
    {
        var (product, magnitude) = (1.0, 1.0);
        foreach (var p in inner)
        {
            var (v, m) = (x.Data.Values[start + p], x.Data.Magnitude[start + p]);
            var next = product * v;
            magnitude = FloatMath.Magnitude(BinaryOp.Mul, product, magnitude, v, m, next);
            product = next;
        }
        return (product, magnitude);
    }

    private static (double Value, double Magnitude) Extreme(bool greatest, View x, long start, long[] inner)
    {
        var best = greatest ? double.NegativeInfinity : double.PositiveInfinity;
        var magnitude = double.PositiveInfinity;
        var first = true;
        foreach (var p in inner)
        {
            var (v, m) = (x.Data.Values[start + p], x.Data.Magnitude[start + p]);
            var next = greatest ? FloatMath.Max(best, v) : FloatMath.Min(best, v);
            magnitude = first ? m : FloatMath.Chosen(best, magnitude, v, m, next);
            (best, first) = (next, false);
        }
        return (best, magnitude);
    }
}
