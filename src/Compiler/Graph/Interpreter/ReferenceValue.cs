// In: a dtype, a shape and elements. Out: a value of the reference interpreter, with the data to judge another's value
// by.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

/// <summary>
/// A tensor in row-major order. Floats are f64 whatever the dtype and carry a magnitude; integers are exact longs that
/// hold the dtype's value (u64: its bits; bool: 0 or 1).
/// </summary>
/// <remarks>
/// The magnitude of an element is the sum of the absolute values of the terms it was computed from: |x| for a leaf, Ma
/// + Mb for a sum or difference, for a product |a b| plus the contributions of the excess of Ma over |a| and of Mb over
/// |b|, the sum of these for a dot, |f(x)| + |f'(x)| * M for a function; a conversion scales it by the ratio of the two
/// dtypes' eps. <see cref="Terms"/> counts the roundings on the longest path from a leaf; a reduction counts its
/// length. An implementation in the dtype is within c * sqrt(Terms) * eps * Magnitude of the value: see <see
/// cref="Comparison"/>.
/// </remarks>
internal sealed class ReferenceValue
{
    internal ReferenceValue(DType dtype, long[] shape, double[] values, double[] magnitude, long[] integers, long terms)
    {
        DType = dtype;
        Shape = shape;
        Values = values;
        Magnitude = magnitude;
        Integers = integers;
        Terms = terms;
    }

    public DType DType { get; }

    public long[] Shape { get; }

    /// <summary>The elements of a float dtype; empty for the others.</summary>
    public double[] Values { get; }

    /// <summary>
    /// For each element of a float dtype the sum of its terms' absolute values; empty for the others.
    /// </summary>
    public double[] Magnitude { get; }

    /// <summary>The elements of an integer dtype or bool; empty for the floats.</summary>
    public long[] Integers { get; }

    /// <summary>K: the longest chain of roundings that an element went through, at least 1.</summary>
    public long Terms { get; }

    public long Count => DType.IsFloat ? Values.LongLength : Integers.LongLength;

    /// <summary>A leaf of a float dtype; the values are rounded to the dtype.</summary>
    public static ReferenceValue Of(DType dtype, long[] shape, params double[] values)
    {
        if (!dtype.IsFloat) throw new ArgumentException($"{dtype.Name()} is not a float dtype");
        CheckCount(shape, values.LongLength);
        var rounded = Array.ConvertAll(values, v => ConstText.Round(v, dtype));
        return new(dtype, shape, rounded, Array.ConvertAll(rounded, Math.Abs), [], 1);
    }

    /// <summary>A leaf of an integer dtype or bool; the values wrap at the dtype's width, and any non-zero bool is
    /// 1.</summary>
    public static ReferenceValue Of(DType dtype, long[] shape, params long[] values)
    {
        if (dtype.IsFloat) throw new ArgumentException($"{dtype.Name()} is a float dtype");
        CheckCount(shape, values.LongLength);
        return new(dtype, shape, [], [], Array.ConvertAll(values, v => IntegerMath.Wrap(v, dtype)), 1);
    }

    /// <summary>A leaf with a copy of the tensor's elements.</summary>
    public static ReferenceValue Of(Tensor tensor) => tensor.Type.IsFloat
        ? Of(tensor.Type, tensor.Shape.ToArray(), tensor.ToDoubles())
        : Of(tensor.Type, tensor.Shape.ToArray(), Longs(tensor));

    /// <summary>The elements of an integer or bool tensor, row-major; u64 as bits.</summary>
    internal static long[] Longs(Tensor tensor)
    {
        var bytes = tensor.ReadOnlyBytes;
        var width = tensor.Type.Bytes();
        var longs = new long[tensor.Count];
        for (var i = 0; i < longs.Length; i++)
        {
            long bits = 0;
            for (var k = 0; k < width; k++) bits |= (long)bytes[i * width + k] << (8 * k);
            longs[i] = IntegerMath.Wrap(bits, tensor.Type);
        }
        return longs;
    }

    /// <summary>
    /// The same value with the tolerance of a dtype with fewer bits, for an executor that computes in it.
    /// </summary>
    public ReferenceValue WithPrecision(DType dtype) => !DType.IsFloat ? this
        : new(DType, Shape, Values, Array.ConvertAll(Magnitude,
            m => m * Math.Max(1, FloatMath.Epsilon(dtype) / FloatMath.Epsilon(DType))), [], Terms);

    private static void CheckCount(long[] shape, long count)
    {
        if (shape.Aggregate(1L, (p, s) => p * s) != count)
            throw new ArgumentException($"{count} elements do not fill [{string.Join(',', shape)}]");
    }
}
