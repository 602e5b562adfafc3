// In: a 64-bit key and a 64-bit counter. Out: four random words, Philox4x32-10 of Salmon et al. 2011 (Random123).
namespace Accelerate.Compiler.Graph.Interpreter;

internal static class Philox
{
    /// <summary>The counter words are (counter low, counter high, 0, 0), the key words (key low, key high).</summary>
    public static (uint A, uint B, uint C, uint D) Block(ulong counter, ulong key) =>
        Block(((uint)counter, (uint)(counter >> 32), 0, 0), ((uint)key, (uint)(key >> 32)));

    public static (uint A, uint B, uint C, uint D) Block((uint A, uint B, uint C, uint D) x, (uint A, uint B) key)
    {
        for (var round = 0; round < 10; round++)
        {
            var p = 0xD2511F53ul * x.A;
            var q = 0xCD9E8D57ul * x.C;
            x = ((uint)(q >> 32) ^ x.B ^ key.A, (uint)q, (uint)(p >> 32) ^ x.D ^ key.B, (uint)p);
            key = (key.A + 0x9E3779B9, key.B + 0xBB67AE85);
        }
        return x;
    }
}
