// In: values by position, or a tensor and another dtype. Out: a tensor, made a piece at a time.
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// As doubles a tensor takes eight bytes an element, and an array holds 2^31 of them: pieces have no such limits.
/// </summary>
internal static unsafe class LargeValues
{
    private const int Piece = 1 << 16;

    /// <param name="type">The dtype; each value is rounded to it once.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="value">Of the element at a row-major position.</param>
    public static Tensor Make(DType type, long[] shape, Func<long, double> value)
    {
        var tensor = Tensor.Uninitialized(type, shape);
        var values = new double[Math.Min(Piece, tensor.Count)];
        for (long at = 0; at < tensor.Count; at += Piece)
        {
            var count = (int)Math.Min(Piece, tensor.Count - at);
            for (var i = 0; i < count; i++) values[i] = value(at + i);
            Put(tensor, at, values.AsSpan(0, count));
        }
        return tensor;
    }

    /// <summary>The same values in another dtype, each rounded once.</summary>
    /// <param name="tensor">The values.</param>
    /// <param name="type">The dtype wanted.</param>
    /// <param name="seen">Called with each value and what became of it; to say that it may not be, it throws.</param>
    public static Tensor Convert(Tensor tensor, DType type, Action<double, double> seen)
    {
        var converted = Tensor.Uninitialized(type, tensor.Shape);
        using var flat = tensor.Reshape(tensor.Count);
        for (long at = 0; at < tensor.Count; at += Piece)
        {
            using var piece = flat.Slice(at, Math.Min(at + Piece, tensor.Count));
            var values = piece.ToDoubles();
            var back = Put(converted, at, values);
            for (var i = 0; i < values.Length; i++) seen(values[i], back[i]);
        }
        return converted;
    }

    /// <summary>Writes values from a position on; what they are in the tensor's dtype.</summary>
    private static double[] Put(Tensor tensor, long at, ReadOnlySpan<double> values)
    {
        using var piece = Tensor.FromDoubles(tensor.Type, values, values.Length);
        piece.ReadOnlyBytes.CopyTo(new Span<byte>(
            (byte*)tensor.Pointer + at * tensor.Type.Bytes(), values.Length * tensor.Type.Bytes()));
        GC.KeepAlive(tensor);
        return piece.ToDoubles();
    }
}
