// In: views of one shape. Out: the elementwise operations of them, dense.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

internal static class Elementwise
{
    public static View Unary(UnaryOp op, View x)
    {
        x = x.Dense();
        if (!x.DType.IsFloat)
            return Integers(x, x.DType, Array.ConvertAll(x.Data.Integers, v => IntegerMath.Apply(op, v, x.DType)));
        var result = Elements.Floats(x.Count);
        var (values, magnitude) = (x.Data.Values, x.Data.Magnitude);
        for (long i = 0; i < values.LongLength; i++)
        {
            var y = FloatMath.Apply(op, values[i]);
            result.Values[i] = y;
            result.Magnitude[i] = FloatMath.Magnitude(op, values[i], magnitude[i], y);
        }
        return x.WithElements(x.DType, result, x.Terms + (op is UnaryOp.Neg or UnaryOp.Abs or UnaryOp.Sign ? 0 : 1));
    }

    public static View Binary(BinaryOp op, View a, View b)
    {
        var terms = Math.Max(a.Terms, b.Terms) + (op is BinaryOp.Max or BinaryOp.Min ? 0 : 1);
        (a, b) = (a.Dense(), b.Dense());
        if (!a.DType.IsFloat)
        {
            var integers = new long[a.Count];
            for (long i = 0; i < integers.LongLength; i++)
                integers[i] = IntegerMath.Apply(op, a.Data.Integers[i], b.Data.Integers[i], a.DType);
            return Integers(a, a.DType, integers);
        }
        var result = Elements.Floats(a.Count);
        for (long i = 0; i < result.Values.LongLength; i++)
        {
            var (x, y) = (a.Data.Values[i], b.Data.Values[i]);
            var z = FloatMath.Apply(op, x, y);
            result.Values[i] = z;
            result.Magnitude[i] = FloatMath.Magnitude(op, x, a.Data.Magnitude[i], y, b.Data.Magnitude[i], z);
        }
        return a.WithElements(a.DType, result, terms);
    }

    public static View Compare(CompareOp op, View a, View b)
    {
        (a, b) = (a.Dense(), b.Dense());
        var result = new long[a.Count];
        for (long i = 0; i < result.LongLength; i++)
        {
            var holds = a.DType.IsFloat
                ? FloatMath.Apply(op, a.Data.Values[i], b.Data.Values[i])
                : IntegerMath.Apply(op, a.Data.Integers[i], b.Data.Integers[i], a.DType);
            result[i] = holds ? 1 : 0;
        }
        return Integers(a, DType.Bool, result);
    }

    public static View Select(View condition, View a, View b)
    {
        var terms = Math.Max(a.Terms, b.Terms);
        (condition, a, b) = (condition.Dense(), a.Dense(), b.Dense());
        var result = a.DType.IsFloat ? Elements.Floats(a.Count) : Elements.Longs(a.Count);
        for (long i = 0; i < a.Count; i++)
        {
            var from = (condition.Data.Integers[i] != 0 ? a : b).Data;
            if (a.DType.IsFloat) (result.Values[i], result.Magnitude[i]) = (from.Values[i], from.Magnitude[i]);
            else result.Integers[i] = from.Integers[i];
        }
        return a.WithElements(a.DType, result, terms);
    }

    /// <summary>
    /// Rounds to the dtype in either mode, as that is the operation's meaning. The magnitude counts in eps of the
    /// dtype: an error of some eps of bf16 is 65536 times as many eps of f32.
    /// </summary>
    public static View Convert(View x, DType dtype)
    {
        x = x.Dense();
        var from = x.DType;
        if (!dtype.IsFloat)
        {
            return Integers(x, dtype, from.IsFloat
                ? Array.ConvertAll(x.Data.Values, v => FloatMath.ToInteger(v, dtype))
                : Array.ConvertAll(x.Data.Integers, v => IntegerMath.Wrap(v, dtype)));
        }
        if (!from.IsFloat)
        {
            var values = Array.ConvertAll(x.Data.Integers, v => FloatMath.FromInteger(v, from, dtype));
            return x.WithElements(dtype, new Elements(values, Array.ConvertAll(values, Math.Abs), []), 1);
        }
        // Nothing was rounded before, and nothing is lost: the value stays exact.
        if (x.Terms <= 1 && FloatMath.Holds(dtype, from))
            return x.WithElements(dtype, new Elements(x.Data.Values, Array.ConvertAll(x.Data.Values, Math.Abs), []), 1);
        var result = Elements.Floats(x.Count);
        var ratio = FloatMath.Epsilon(from) / FloatMath.Epsilon(dtype);
        for (long i = 0; i < result.Values.LongLength; i++)
        {
            var v = ConstText.Round(x.Data.Values[i], dtype);
            result.Values[i] = v;
            result.Magnitude[i] = ratio >= 1 ? x.Data.Magnitude[i] * ratio : Math.Abs(v) + x.Data.Magnitude[i] * ratio;
        }
        return x.WithElements(dtype, result, x.Terms + 1);
    }

    /// <summary>The same bits as another dtype of the same width; floats are rounded to their dtype first.</summary>
    public static View Bitcast(View x, DType dtype)
    {
        x = x.Dense();
        var bits = x.DType.IsFloat ? Array.ConvertAll(x.Data.Values, v => FloatMath.Bits(v, x.DType)) : x.Data.Integers;
        if (!dtype.IsFloat) return Integers(x, dtype, Array.ConvertAll(bits, v => IntegerMath.Wrap(v, dtype)));
        var values = Array.ConvertAll(bits, v => FloatMath.FromBits(v, dtype));
        return x.WithElements(dtype, new Elements(values, Array.ConvertAll(values, Math.Abs), []), 1);
    }

    private static View Integers(View like, DType dtype, long[] values) =>
        like.WithElements(dtype, new Elements([], [], values), 1);
}
