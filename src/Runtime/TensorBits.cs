// In: two blocks of elements of one dtype. Out: whether they hold the same bits, where all NaNs are equal.
namespace Accelerate.Runtime;

/// <summary>Bitwise comparison as defined in NUMERICS: any NaN equals any NaN.</summary>
internal static unsafe class TensorBits
{
    // Chunks are compared as memory first; only a chunk that differs is compared element by element.
    private const int Chunk = 1 << 16;

    public static bool Same(DType type, byte* left, byte* right, long count)
    {
        int size = type.Bytes();
        for (long at = 0; at < count; at += Chunk)
        {
            int n = (int)Math.Min(Chunk, count - at);
            byte* a = left + (at * size);
            byte* b = right + (at * size);
            bool same = new ReadOnlySpan<byte>(a, n * size).SequenceEqual(new ReadOnlySpan<byte>(b, n * size))
                || (type.IsFloat && SameElements(type, a, b, n));
            if (!same)
            {
                return false;
            }
        }
        return true;
    }

    private static bool SameElements(DType type, byte* a, byte* b, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (Canonical(type, a, i) != Canonical(type, b, i))
            {
                return false;
            }
        }
        return true;
    }

    private static ulong Canonical(DType type, byte* block, int i) => type switch
    {
        DType.F16 => Half.IsNaN(((Half*)block)[i]) ? ulong.MaxValue : ((ushort*)block)[i],
        DType.BF16 => (((ushort*)block)[i] & 0x7FFF) > 0x7F80 ? ulong.MaxValue : ((ushort*)block)[i],
        DType.F32 => float.IsNaN(((float*)block)[i]) ? ulong.MaxValue : ((uint*)block)[i],
        _ => double.IsNaN(((double*)block)[i]) ? ulong.MaxValue : ((ulong*)block)[i],
    };
}
