// In: the byte count a call needs. Out: one 64-byte aligned block at least as large, kept for the calls that follow.
namespace Accelerate.Runtime;

/// <summary>Scratch memory that only grows, so that repeated calls allocate nothing. Not for several threads.</summary>
internal sealed unsafe class Arena : IDisposable
{
    private Storage? _block;

    /// <summary>The size of the block in bytes.</summary>
    public long Capacity { get; private set; }

    /// <summary>
    /// A block of at least <paramref name="bytes"/>, aligned to 64. Growing moves it and forgets its contents; pointers
    /// from earlier calls are then invalid.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A negative size.</exception>
    public void* Ensure(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (_block is null || bytes > Capacity)
        {
            Dispose(); // first, so that the peak is the new block and not the sum of both
            _block = Storage.Allocate(bytes);
            Capacity = bytes;
        }
        return _block.Pointer;
    }

    /// <summary>Frees the block; the arena may be used again.</summary>
    public void Dispose()
    {
        _block?.Release();
        _block = null;
        Capacity = 0;
    }
}
