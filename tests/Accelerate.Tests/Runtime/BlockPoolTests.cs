// Large blocks between their users: given again, bounded, aged, and never to two at once.
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime;

public sealed class BlockPoolTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public unsafe void ABlockIsGivenAgainToARequestOfAboutItsSize()
    {
        var pool = new BlockPool(100 * MiB);
        MemoryBlock first = pool.Take(4 * MiB);
        Assert.Equal(0, first.Address % BlockPool.HugePage);
        new Span<byte>((void*)first.Address, (int)first.Bytes).Fill(7);
        pool.Return(first);
        Assert.Equal(4 * MiB, pool.KeptBytes);
        MemoryBlock smaller = pool.Take(3 * MiB); // a third more than it asks for would be wasted
        Assert.NotEqual(first.Address, smaller.Address);
        MemoryBlock similar = pool.Take(4 * MiB - 4096);
        Assert.Equal(first, similar);
        Assert.Equal(0, pool.KeptBytes);
        pool.Return(smaller);
        pool.Return(similar);
        Assert.Equal(first, pool.Take(4 * MiB));
        Assert.Equal(smaller, pool.Take(3 * MiB));
    }

    [Fact]
    public void WhatIsKeptIsBoundedInBytesAndInNumber()
    {
        var pool = new BlockPool(10 * MiB);
        MemoryBlock[] blocks = [.. Enumerable.Range(0, 5).Select(_ => pool.Take(3 * MiB))];
        foreach (MemoryBlock block in blocks) pool.Return(block);
        Assert.Equal(9 * MiB, pool.KeptBytes);
        Assert.Equal(blocks[4], pool.Take(3 * MiB)); // the one returned last
        pool.Return(pool.Take(20 * MiB));
        Assert.Equal(0, pool.KeptBytes); // larger than the limit: it goes, and all before it

        var many = new BlockPool(1000 * MiB);
        blocks = [.. Enumerable.Range(0, 100).Select(_ => many.Take(BlockPool.Least))];
        foreach (MemoryBlock block in blocks) many.Return(block);
        Assert.InRange(many.KeptBytes, 1, 64 * BlockPool.Least);
    }

    [Fact]
    public void WhatHasLainTooLongGoes()
    {
        long now = 0;
        var pool = new BlockPool(100 * MiB, () => now);
        MemoryBlock[] blocks = [pool.Take(MiB), pool.Take(2 * MiB)];
        pool.Return(blocks[0]);
        now = BlockPool.IdleMilliseconds - 1;
        pool.Return(blocks[1]);
        Assert.Equal(3 * MiB, pool.KeptBytes);
        now++;
        pool.Trim();
        Assert.Equal(2 * MiB, pool.KeptBytes);
        now += BlockPool.IdleMilliseconds;
        pool.Trim();
        Assert.Equal(0, pool.KeptBytes);
    }

    /// <summary>Results that are disposed one after the other share a block; those alive at once do not.</summary>
    [Fact]
    public unsafe void ALoopOfResultsWorksInTheSameMemory()
    {
        nint first;
        using (Tensor result = Tensor.Uninitialized(DType.F32, 12_345_678)) first = (nint)result.Pointer;
        using Tensor next = Tensor.Uninitialized(DType.F32, 12_345_678);
        Assert.Equal(first, (nint)next.Pointer);
        using Tensor other = Tensor.Uninitialized(DType.F32, 12_345_678);
        Assert.NotEqual(first, (nint)other.Pointer);
    }

    [Fact]
    public unsafe void NoBlockHasTwoUsersAtOnce()
    {
        var pool = new BlockPool(100 * MiB);
        Parallel.For(0, 8, thread =>
        {
            var random = new System.Random(thread);
            for (int round = 0; round < 300; round++)
            {
                MemoryBlock block = pool.Take(BlockPool.Least + random.Next(4) * 1000);
                long mark = (long)thread << 32 | (uint)round;
                *(long*)block.Address = mark;
                *(long*)(block.Address + (nint)block.Bytes - 8) = mark;
                Thread.Yield();
                Assert.Equal(mark, *(long*)block.Address);
                Assert.Equal(mark, *(long*)(block.Address + (nint)block.Bytes - 8));
                pool.Return(block);
            }
        });
    }
}
