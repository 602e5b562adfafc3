// In: elements of one dtype. Out: the same values in another dtype, or a value that it cannot represent.
using System.Globalization;
using System.Runtime.InteropServices;
using Accelerate.Runtime;

namespace Accelerate.Data;

internal static class Conversion
{
    /// <summary>
    /// Converts as `accc run` converts files: every value must be preserved. Bytes, the most common source, have loops
    /// of their own because they are faster.
    /// </summary>
    /// <param name="source">The elements.</param>
    /// <param name="from">Their dtype.</param>
    /// <param name="target">The memory of as many elements of the other dtype.</param>
    /// <param name="to">The other dtype.</param>
    /// <returns>A value that the other dtype cannot represent; null if there is none.</returns>
    public static string? Exact(ReadOnlySpan<byte> source, DType from, Span<byte> target, DType to)
    {
        if (from == to)
        {
            source.CopyTo(target);
            return null;
        }
        if (from == DType.U8 && to == DType.F32)
        {
            var floats = MemoryMarshal.Cast<byte, float>(target);
            for (var i = 0; i < source.Length; i++) floats[i] = source[i];
            return null;
        }
        if (from == DType.U8 && to == DType.I32)
        {
            var integers = MemoryMarshal.Cast<byte, int>(target);
            for (var i = 0; i < source.Length; i++) integers[i] = source[i];
            return null;
        }
        using var elements = Tensor.Uninitialized(from, source.Length / from.Bytes());
        source.CopyTo(elements.Bytes);
        var values = elements.ToDoubles();
        using var made = Tensor.FromDoubles(to, values, values.Length);
        var back = made.ToDoubles();
        for (var i = 0; i < values.Length; i++)
        {
            // A double cannot represent every 64-bit integer.
            var isWide = from is DType.I64 or DType.U64 && Math.Abs(values[i]) > 1L << 53;
            if (isWide || !back[i].Equals(values[i])) return values[i].ToString(CultureInfo.InvariantCulture);
        }
        made.ReadOnlyBytes.CopyTo(target);
        return null;
    }
}
