// In: keys and counters. Out: derived keys, equal to those of the language's `fold`, and random words.
namespace Accelerate.Data;

/// <summary>
/// Counter-based randomness, as in the language: there is no generator state to save in a checkpoint.
/// </summary>
internal static class Keys
{
    /// <summary>The key that `fold(key, i)` gives in a program.</summary>
    public static long Fold(long key, long i)
    {
        unchecked
        {
            var h = key + (i + 1) * (long)0x9E3779B97F4A7C15;
            h = (h ^ (h >> 31)) * (long)0xBF58476D1CE4E5B9;
            return h ^ (h >> 29);
        }
    }

    /// <summary>Philox4x32-10 (Salmon et al., 2011): the two 64-bit words of a counter.</summary>
    public static (ulong, ulong) Words(ulong counter, long key)
    {
        var (a, b, c, d) = ((uint)counter, (uint)(counter >> 32), 0u, 0u);
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < 10; round++)
        {
            var p = 0xD2511F53ul * a;
            var q = 0xCD9E8D57ul * c;
            (a, b, c, d) = ((uint)(q >> 32) ^ b ^ k0, (uint)q, (uint)(p >> 32) ^ d ^ k1, (uint)p);
            (k0, k1) = (unchecked(k0 + 0x9E3779B9), unchecked(k1 + 0xBB67AE85));
        }
        return (((ulong)b << 32) | a, ((ulong)d << 32) | c);
    }

    /// <summary>The numbers below a count in a random order determined by the key (Fisher-Yates shuffle).</summary>
    public static int[] Permutation(int count, long key)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++) order[i] = i;
        for (var i = count - 1; i > 0; i--)
        {
            var words = Words((ulong)(i >> 1), key);
            // A number up to 2^31 is the high part of its product with 64 random bits: the bias is below 2^-33.
            var j = (int)Math.BigMul((i & 1) == 0 ? words.Item1 : words.Item2, (ulong)(i + 1), out _);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }
}
