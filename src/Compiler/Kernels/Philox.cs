// In: a key and a linear index, both i64. Out: the random u32 of that index in kernel IR, by Philox4x32-10.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// Philox4x32-10 of Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011). The counter is
/// (index / 4) as two words, low first, then two zeros; the key is the i64 as two words, low first; the result is the
/// word index mod 4 of the four. Integer operations only: every backend gives the same bits. Index is not negative.
/// </summary>
public static class Philox
{
    private const int Rounds = 10;

    // The constants of the paper: multipliers, and the steps of the key (golden ratio and sqrt(3) - 1, in 32 bits).
    private const long Multiplier0 = 0xD2511F53;
    private const long Multiplier1 = 0xCD9E8D57;
    private const long Step0 = 0x9E3779B9;
    private const long Step1 = 0xBB67AE85;

    /// <summary>
    /// 119 operations. A product of two words is one u64 multiplication, whose operands have empty high halves: one
    /// vpmuludq.
    /// </summary>
    public static Value Emit(BlockBuilder b, Value key, Value index)
    {
        var (key0, key1) = Words(b, key);
        var group = b.Binary(ScalarOp.Shr, index, b.Integer(2, DType.I64));
        var (x0, x1) = Words(b, group);
        var x2 = b.Integer(0, DType.U32);
        var x3 = x2;
        for (var round = 0; round < Rounds; round++)
        {
            if (round > 0)
            {
                key0 = b.Binary(ScalarOp.Add, key0, b.Integer(Step0, DType.U32));
                key1 = b.Binary(ScalarOp.Add, key1, b.Integer(Step1, DType.U32));
            }
            // The first round multiplies the zero word: its product is zero.
            var (high0, low0) = Product(b, x0, Multiplier0);
            var (high1, low1) = round == 0 ? (x2, x2) : Product(b, x2, Multiplier1);
            (x0, x1, x2, x3) = (
                b.Binary(ScalarOp.Xor, round == 0 ? x1 : b.Binary(ScalarOp.Xor, high1, x1), key0),
                low1,
                b.Binary(ScalarOp.Xor, round == 0 ? high0 : b.Binary(ScalarOp.Xor, high0, x3), key1),
                low0);
        }
        var lane = b.Convert(index, DType.U32);
        var isOdd = b.Compare(ScalarOp.Ne, b.Binary(ScalarOp.And, lane, b.Integer(1, DType.U32)), b.Integer(0, DType.U32));
        var isUpper = b.Compare(ScalarOp.Ne, b.Binary(ScalarOp.And, lane, b.Integer(2, DType.U32)), b.Integer(0, DType.U32));
        return b.Select(isUpper, b.Select(isOdd, x3, x2), b.Select(isOdd, x1, x0));
    }

    private static (Value Low, Value High) Words(BlockBuilder b, Value value)
    {
        var high = b.Binary(ScalarOp.Shr, value, b.Integer(32, DType.I64));
        return (b.Convert(value, DType.U32), b.Convert(high, DType.U32));
    }

    private static (Value High, Value Low) Product(BlockBuilder b, Value word, long multiplier)
    {
        var product = b.Binary(ScalarOp.Mul, b.Convert(word, DType.U64), b.Integer(multiplier, DType.U64));
        var high = b.Binary(ScalarOp.Shr, product, b.Integer(32, DType.U64));
        return (b.Convert(high, DType.U32), b.Convert(product, DType.U32));
    }
}
