// In: values by position, or a tensor and another dtype. Out: a tensor, made in pieces.
namespace Accelerate.Runtime;

/// <summary>
/// Works in pieces, because a whole tensor as doubles takes eight bytes an element and an array holds at most 2^31.
/// </summary>
internal static unsafe class LargeValues
{
    private const int Piece = 1 << 16;

    /// <param name="type">The dtype; each value is rounded to it once.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="value">The value at a row-major position.</param>
    public static Tensor Make(DType type, long[] shape, Func<long, double> value)
    {
        var tensor = Tensor.Uninitialized(type, shape);
        var values = new double[Math.Min(Piece, tensor.Count)];
        for (long at = 0; at < tensor.Count; at += Piece)
        {
            var count = (int)Math.Min(Piece, tensor.Count - at);
            for (var i = 0; i < count; i++) values[i] = value(at + i);
            using var piece = Tensor.FromDoubles(type, values.AsSpan(0, count), count);
            Put(tensor, at, piece);
        }
        return tensor;
    }

    /// <summary>The same values in another dtype, each rounded once.</summary>
    /// <param name="tensor">The values.</param>
    /// <param name="type">The target dtype.</param>
    /// <param name="seen">Called with each value and its converted value; it throws to reject the conversion.</param>
    public static Tensor Convert(Tensor tensor, DType type, Action<double, double> seen)
    {
        var converted = Tensor.Uninitialized(type, tensor.Shape);
        using var flat = tensor.Reshape(tensor.Count);
        for (long at = 0; at < tensor.Count; at += Piece)
        {
            using var part = flat.Slice(at, Math.Min(at + Piece, tensor.Count));
            var values = part.ToDoubles();
            using var piece = Tensor.FromDoubles(type, values, values.Length);
            Put(converted, at, piece);
            var back = piece.ToDoubles();
            for (var i = 0; i < values.Length; i++) seen(values[i], back[i]);
        }
        return converted;
    }

    /// <summary>Copies a piece, which has the tensor's dtype, to a position.</summary>
    private static void Put(Tensor tensor, long at, Tensor piece)
    {
        piece.ReadOnlyBytes.CopyTo(new Span<byte>(
            (byte*)tensor.Pointer + at * tensor.Type.Bytes(), (int)piece.ByteCount));
        GC.KeepAlive(tensor);
    }
}
