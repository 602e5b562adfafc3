// In: views. Out: cumulate and sort of them, which go along one axis in order.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

internal static class Orders
{
    public static View Cumulate(ReduceOp kind, View x, int axis, bool isReversed, Propagation propagation)
    {
        var source = x.Dense();
        var length = x.Shape[axis];
        var step = source.Strides[axis] * (isReversed ? -1 : 1);
        var first = isReversed ? Math.Max(0, length - 1) * source.Strides[axis] : 0;
        var result = x.DType.IsFloat ? Elements.Floats(x.Count) : Elements.Longs(x.Count);
        var op = kind switch
        {
            ReduceOp.Add => BinaryOp.Add,
            ReduceOp.Mul => BinaryOp.Mul,
            ReduceOp.Max => BinaryOp.Max,
            ReduceOp.Min => BinaryOp.Min,
            ReduceOp.And => BinaryOp.And,
            _ => BinaryOp.Or,
        };
        foreach (var start in Lines(source, axis))
        {
            if (length == 0) continue;
            if (!x.DType.IsFloat)
            {
                var so = source.Data.Integers[start + first];
                for (long k = 0, p = start + first; k < length; k++, p += step)
                {
                    if (k > 0) so = IntegerMath.Apply(op, so, source.Data.Integers[p], x.DType);
                    result.Integers[p] = so;
                }
                continue;
            }
            var (value, magnitude) = (source.Data.Values[start + first], source.Data.Magnitude[start + first]);
            // Errors of a sum's terms add in quadrature where they are assumed to be independent.
            var (own, brought) = (0.0, 0.0);
            for (long k = 0, p = start + first; k < length; k++, p += step)
            {
                var (v, m) = (source.Data.Values[p], source.Data.Magnitude[p]);
                if (k > 0)
                {
                    var next = FloatMath.Apply(op, value, v);
                    magnitude = FloatMath.Magnitude(op, value, magnitude, v, m, next);
                    value = next;
                }
                if (op == BinaryOp.Add && propagation == Propagation.Likely)
                {
                    own += Math.Abs(v);
                    brought += (m - Math.Abs(v)) * (m - Math.Abs(v));
                    magnitude = own + Math.Sqrt(brought);
                }
                (result.Values[p], result.Magnitude[p]) = (value, magnitude);
            }
        }
        return View.Dense(x.DType, result, x.Shape, x.Terms + (kind is ReduceOp.Add or ReduceOp.Mul ? length : 0));
    }

    /// <summary>
    /// The sorted elements, and where each was. Stable; NaN last in both directions; zeros are equal.
    /// </summary>
    public static (View Values, View Indices) Sort(View x, int axis, bool isDescending, DType index)
    {
        var source = x.Dense();
        var length = x.Shape[axis];
        var step = source.Strides[axis];
        var result = x.DType.IsFloat ? Elements.Floats(x.Count) : Elements.Longs(x.Count);
        var places = Elements.Longs(x.Count);
        foreach (var start in Lines(source, axis))
        {
            var order = new long[length];
            for (long k = 0; k < length; k++) order[k] = k;
            int Order(long a, long b)
            {
                var by = x.DType.IsFloat
                    ? Compare(source.Data.Values[start + a * step], source.Data.Values[start + b * step], isDescending)
                    : IntegerMath.Order(source.Data.Integers[start + a * step], source.Data.Integers[start + b * step],
                        x.DType)
                        * (isDescending ? -1 : 1);
                return by != 0 ? by : a.CompareTo(b);
            }
            Array.Sort(order, Order);
            var spread = x.DType.IsFloat ? Spread(source, start, step, length) : 0;
            for (long k = 0; k < length; k++)
            {
                var (to, from) = (start + k * step, start + order[k] * step);
                places.Integers[to] = IntegerMath.Wrap(order[k], index);
                if (x.DType.IsFloat)
                {
                    result.Values[to] = source.Data.Values[from];
                    result.Magnitude[to] = Math.Max(source.Data.Magnitude[from], spread);
                }
                else
                {
                    result.Integers[to] = source.Data.Integers[from];
                }
            }
        }
        return (View.Dense(x.DType, result, x.Shape, x.Terms), View.Dense(index, places, x.Shape, 1));
    }

    /// <summary>
    /// 0 for a line of exact elements. Otherwise rounding can swap elements, and each then has the error of the worst
    /// one of the line: sorting never enlarges the greatest difference.
    /// </summary>
    private static double Spread(View x, long start, long step, long length)
    {
        var (worst, isExact) = (0.0, x.Terms <= 1);
        for (long k = 0; k < length && !isExact; k++)
        {
            var m = x.Data.Magnitude[start + k * step];
            if (double.IsFinite(m)) worst = Math.Max(worst, m);
        }
        return worst;
    }

    private static int Compare(double a, double b, bool isDescending) =>
        double.IsNaN(a) || double.IsNaN(b) ? double.IsNaN(a).CompareTo(double.IsNaN(b))
        : a == b ? 0 : a < b != isDescending ? -1 : 1;

    /// <summary>The position of the first element of every line along the axis.</summary>
    private static long[] Lines(View dense, int axis) =>
        dense.Positions([.. Enumerable.Range(0, dense.Rank).Where(d => d != axis)]);
}
