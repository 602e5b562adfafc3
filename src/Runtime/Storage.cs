// In: a byte count, or memory that someone else owns. Out: memory that stays valid while a tensor refers to it.
using System.Runtime.InteropServices;

namespace Accelerate.Runtime;

/// <summary>
/// A block of memory counted by the tensors that look at it. The last <see cref="Release"/> frees it at once; when
/// tensors are dropped without being disposed, the finalizer does, once none is reachable. Large blocks come from the
/// <see cref="BlockPool"/> and go back to it: a loop that disposes its results works in the same memory throughout.
/// </summary>
internal sealed unsafe class Storage
{
    /// <summary>One cache line, and one AVX-512 vector.</summary>
    public const int Alignment = 64;

    private readonly object? _owner;
    private readonly bool _disposeOwner;
    private readonly long _owned;
    private int _references = 1;
    private int _freed;

    /// <param name="pointer">The first byte.</param>
    /// <param name="owned">The bytes that are this storage's own to free; 0 for memory of an owner.</param>
    /// <param name="owner">Kept reachable.</param>
    /// <param name="disposeOwner">Whether the owner is disposed with the memory.</param>
    private Storage(void* pointer, long owned, object? owner, bool disposeOwner)
    {
        Pointer = (byte*)pointer;
        _owned = owned;
        _owner = owner;
        _disposeOwner = disposeOwner;
    }

    public byte* Pointer { get; }

    /// <summary>Uninitialised memory, aligned to 64 bytes. Empty blocks get one line, so no pointer is null.</summary>
    public static Storage Allocate(long bytes)
    {
        long size = Math.Max(bytes, Alignment);
        if (size >= BlockPool.Least)
        {
            MemoryBlock block = BlockPool.Shared.Take(size);
            return new Storage((void*)block.Address, block.Bytes, null, false);
        }
        var storage = new Storage(NativeMemory.AlignedAlloc((nuint)size, Alignment), size, null, false);
        GC.AddMemoryPressure(size);
        return storage;
    }

    /// <summary>Memory inside <paramref name="owner"/>, which is kept reachable, and disposed last if asked.</summary>
    public static Storage Over(void* pointer, object owner, bool disposeOwner)
    {
        var storage = new Storage(pointer, 0, owner, disposeOwner);
        GC.SuppressFinalize(storage); // the owner has its own finalizer
        return storage;
    }

    ~Storage() => Free();

    /// <exception cref="ObjectDisposedException">The memory is already freed.</exception>
    public Storage Retain()
    {
        ObjectDisposedException.ThrowIf(!TryRetain(), typeof(Tensor));
        return this;
    }

    /// <summary>One more reference; false if the memory is already freed.</summary>
    public bool TryRetain()
    {
        while (true)
        {
            int seen = Volatile.Read(ref _references);
            if (seen == 0)
            {
                return false;
            }
            if (Interlocked.CompareExchange(ref _references, seen + 1, seen) == seen)
            {
                return true;
            }
        }
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            Free();
            GC.SuppressFinalize(this);
        }
    }

    private void Free()
    {
        if (Interlocked.Exchange(ref _freed, 1) != 0)
        {
            return;
        }
        if (_owned >= BlockPool.Least)
        {
            BlockPool.Shared.Return(new MemoryBlock((nint)Pointer, _owned));
        }
        else if (_owned > 0)
        {
            NativeMemory.AlignedFree(Pointer);
            GC.RemoveMemoryPressure(_owned);
        }
        else if (_disposeOwner)
        {
            (_owner as IDisposable)?.Dispose();
        }
    }
}
