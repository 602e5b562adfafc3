// In: a byte count, or memory owned by someone else. Out: memory that stays valid while a tensor refers to it.
using System.Runtime.InteropServices;

namespace Accelerate.Runtime;

/// <summary>
/// A block of memory, reference-counted by its tensors. The last <see cref="Release"/> frees it at once; if tensors are
/// dropped without being disposed, the finalizer frees it. Large blocks come from the <see cref="BlockPool"/> and
/// return to it, so that a loop that disposes its results reuses the same memory.
/// </summary>
internal sealed unsafe class Storage
{
    /// <summary>One cache line, and one AVX-512 vector.</summary>
    public const int Alignment = 64;

    private readonly object? owner;
    private readonly bool disposeOwner;
    private readonly long owned;
    private int references = 1;
    private int freed;

    /// <param name="pointer">The first byte.</param>
    /// <param name="owned">The number of bytes that this storage must free; 0 for memory of an owner.</param>
    /// <param name="owner">Kept reachable; null for none.</param>
    /// <param name="disposeOwner">Whether the owner is disposed with the memory.</param>
    private Storage(void* pointer, long owned, object? owner, bool disposeOwner)
    {
        Pointer = (byte*)pointer;
        this.owned = owned;
        this.owner = owner;
        this.disposeOwner = disposeOwner;
    }

    public byte* Pointer { get; }

    /// <summary>
    /// Allocates uninitialised memory, aligned to 64 bytes. Empty blocks get one cache line, so no pointer is null.
    /// </summary>
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

    /// <summary>
    /// Wraps memory inside <paramref name="owner"/>, which is kept reachable, and disposed at the end if requested.
    /// </summary>
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

    /// <summary>Adds a reference; false if the memory is already freed.</summary>
    public bool TryRetain()
    {
        while (true)
        {
            int seen = Volatile.Read(ref references);
            if (seen == 0)
            {
                return false;
            }
            if (Interlocked.CompareExchange(ref references, seen + 1, seen) == seen)
            {
                return true;
            }
        }
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref references) == 0)
        {
            Free();
            GC.SuppressFinalize(this);
        }
    }

    private void Free()
    {
        if (Interlocked.Exchange(ref freed, 1) != 0)
        {
            return;
        }
        if (owned >= BlockPool.Least)
        {
            BlockPool.Shared.Return(new MemoryBlock((nint)Pointer, owned));
        }
        else if (owned > 0)
        {
            NativeMemory.AlignedFree(Pointer);
            GC.RemoveMemoryPressure(owned);
        }
        else if (disposeOwner)
        {
            (owner as IDisposable)?.Dispose();
        }
    }
}
