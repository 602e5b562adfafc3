// In: a key and a linear index, both i64. Out: the random u32 of that index in kernel IR, by Philox4x32-10.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// Philox4x32-10 of Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011). The counter is
/// (index / 4) as two words, low first, then two zeros; the key is the i64 as two words, low first; the result is word
/// number (index mod 4) of the four. Integer operations only: every backend gives the same bits. Index is not negative.
/// </summary>
internal static class Philox
{
    private const int Rounds = 10;

    // The paper's constants: multipliers, and the steps of the key (golden ratio and sqrt(3) - 1, in 32 bits).
    private const long Multiplier0 = 0xD2511F53;
    private const long Multiplier1 = 0xCD9E8D57;
    private const long Step0 = 0x9E3779B9;
    private const long Step1 = 0xBB67AE85;

    /// <summary>
    /// 124 operations, 19 of them on the key alone. Every word stays in the low half of a u64, the width of its
    /// product: converting between u32 and u64 would shuffle the vector in each round. High halves may hold anything;
    /// they are cleared before a multiplication, which then is one vpmuludq.
    /// </summary>
    public static Value Emit(BlockBuilder b, Value key, Value index)
    {
        var key0 = b.Bitcast(key, DType.U64);
        var key1 = High(b, key0);
        var linear = b.Bitcast(index, DType.U64);
        var x0 = b.Binary(ScalarOp.Shr, linear, b.Integer(2, DType.U64));
        var x1 = High(b, x0);
        // The third and fourth words are zeros: null until the first round has filled them.
        Value? x2 = null;
        Value? x3 = null;
        for (var round = 0; round < Rounds; round++)
        {
            if (round > 0)
            {
                key0 = b.Binary(ScalarOp.Add, key0, b.Integer(Step0, DType.U64));
                key1 = b.Binary(ScalarOp.Add, key1, b.Integer(Step1, DType.U64));
            }
            var product0 = Product(b, x0, Multiplier0);
            var product1 = x2 is null ? null : Product(b, x2, Multiplier1);
            var x1High = product1 is null ? x1 : b.Binary(ScalarOp.Xor, High(b, product1), x1);
            var x3High = x3 is null ? High(b, product0) : b.Binary(ScalarOp.Xor, High(b, product0), x3);
            (x0, x1, x2, x3) = (b.Binary(ScalarOp.Xor, x1High, key0), product1 ?? b.Integer(0, DType.U64),
                b.Binary(ScalarOp.Xor, x3High, key1), product0);
        }
        var upper = b.Select(Bit(b, linear, 1), x3!, x2!);
        var lower = b.Select(Bit(b, linear, 1), x1, x0);
        return b.Convert(b.Select(Bit(b, linear, 2), upper, lower), DType.U32);
    }

    private static Value Bit(BlockBuilder b, Value value, long bit) => b.Compare(ScalarOp.Ne,
        b.Binary(ScalarOp.And, value, b.Integer(bit, DType.U64)), b.Integer(0, DType.U64));

    private static Value High(BlockBuilder b, Value value) => b.Binary(ScalarOp.Shr, value, b.Integer(32, DType.U64));

    private static Value Product(BlockBuilder b, Value word, long multiplier) => b.Binary(ScalarOp.Mul,
        b.Binary(ScalarOp.And, word, b.Integer(uint.MaxValue, DType.U64)), b.Integer(multiplier, DType.U64));
}
