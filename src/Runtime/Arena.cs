// In: the byte count a call needs. Out: a 64-byte aligned block at least that large, kept for later calls.
namespace Accelerate.Runtime;

/// <summary>Scratch memory that only grows, so that repeated calls allocate nothing. Not thread-safe.</summary>
internal sealed unsafe class Arena : IDisposable
{
    private Storage? block;

    /// <summary>The size of the block in bytes.</summary>
    public long Capacity { get; private set; }

    /// <summary>
    /// Returns a block of at least <paramref name="bytes"/>, aligned to 64. Growing moves the block and discards its
    /// contents, so pointers from earlier calls become invalid.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A negative size.</exception>
    public void* Ensure(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (block is null || bytes > Capacity)
        {
            Dispose(); // first, so that peak memory is the new block, not both
            block = Storage.Allocate(bytes);
            Capacity = bytes;
        }
        return block.Pointer;
    }

    /// <summary>Frees the block; the arena may be used again.</summary>
    public void Dispose()
    {
        block?.Release();
        block = null;
        Capacity = 0;
    }
}
