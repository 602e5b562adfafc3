// In: Philox in kernel IR. Out: the same words as the known answers of Random123 and as Philox written in plain C#.
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Kernels;

public sealed class PhiloxTests
{
    private static uint[] Emitted(long key, long first, int count)
    {
        var b = new BlockBuilder();
        var k = b.NewValue(DType.I64);
        var index = b.NewValue(DType.I64);
        var word = Philox.Emit(b, k, index);
        var evaluator = new BlockEvaluator(b.ToBlock(), count);
        evaluator.ColumnOf<long>(k).Fill(key);
        var indices = evaluator.ColumnOf<long>(index);
        for (var i = 0; i < count; i++) indices[i] = first + i;
        evaluator.Run();
        return evaluator.ColumnOf<uint>(word).ToArray();
    }

    private static uint[] Plain(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (var round = 0; round < 10; round++)
        {
            var (p, q) = ((ulong)c0 * 0xD2511F53u, (ulong)c2 * 0xCD9E8D57u);
            (c0, c1, c2, c3) = ((uint)(q >> 32) ^ c1 ^ k0, (uint)q, (uint)(p >> 32) ^ c3 ^ k1, (uint)p);
            unchecked
            {
                k0 += 0x9E3779B9u;
                k1 += 0xBB67AE85u;
            }
        }
        return [c0, c1, c2, c3];
    }

    /// <summary>From kat_vectors of Random123; the counters of the second and third have no index of ours.</summary>
    [Fact]
    public void PlainPhiloxGivesTheKnownAnswers()
    {
        Assert.Equal([0x6627E8D5u, 0xE169C58Du, 0xBC57AC4Cu, 0x9B00DBD8u], Plain(0, 0, 0, 0, 0, 0));
        const uint ones = uint.MaxValue;
        Assert.Equal([0x408F276Du, 0x41C83B0Eu, 0xA20BC7C6u, 0x6D5451FDu], Plain(ones, ones, ones, ones, ones, ones));
        Assert.Equal([0xD16CFE09u, 0x94FDCCEBu, 0x5001E420u, 0x24126EA1u],
            Plain(0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0));
    }

    [Fact]
    public void ItIsStraightLineOfFewOperations()
    {
        var b = new BlockBuilder();
        Philox.Emit(b, b.NewValue(DType.I64), b.NewValue(DType.I64));
        Assert.Equal(124, b.ToBlock().Statements.Count(s => s is Compute { Op: not ScalarOp.Bitcast }));
    }

    [Fact]
    public void KernelIrGivesTheKnownAnswer() =>
        Assert.Equal([0x6627E8D5u, 0xE169C58Du, 0xBC57AC4Cu, 0x9B00DBD8u], Emitted(0, 0, 16)[..4]);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 4)]
    [InlineData(-1, 0)]
    [InlineData(0x123456789ABCDEF0, 1L << 34)]
    [InlineData(long.MinValue, (1L << 34) - 8)]
    [InlineData(42, long.MaxValue - 63)]
    public void KernelIrEqualsPlainPhilox(long key, long first)
    {
        var words = Emitted(key, first, 64);
        for (var i = 0; i < words.Length; i++)
        {
            var group = (ulong)(first + i) / 4;
            var plain = Plain((uint)group, (uint)(group >> 32), 0, 0, (uint)key, (uint)((ulong)key >> 32));
            Assert.Equal(plain[(first + i) % 4], words[i]);
        }
    }
}
