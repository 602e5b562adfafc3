// In: a byte count, or memory that someone else owns. Out: memory that stays valid while a tensor refers to it.
using System.Runtime.InteropServices;

namespace Accelerate.Runtime;

/// <summary>
/// A block of memory counted by the tensors that look at it. The last <see cref="Release"/> frees it at once; when
/// tensors are dropped without being disposed, the finalizer does, once none is reachable.
/// </summary>
internal sealed unsafe class Storage
{
    /// <summary>One cache line, and one AVX-512 vector.</summary>
    public const int Alignment = 64;

    private readonly object? _owner;
    private readonly bool _disposeOwner;
    private readonly long _pressure;
    private int _references = 1;
    private int _freed;

    private Storage(void* pointer, long pressure, object? owner, bool disposeOwner)
    {
        Pointer = (byte*)pointer;
        _pressure = pressure;
        _owner = owner;
        _disposeOwner = disposeOwner;
    }

    public byte* Pointer { get; }

    /// <summary>Uninitialised memory, aligned to 64 bytes. Empty blocks get one line, so no pointer is null.</summary>
    public static Storage Allocate(long bytes)
    {
        long size = Math.Max(bytes, Alignment);
        var storage = new Storage(NativeMemory.AlignedAlloc((nuint)size, Alignment), size, null, false);
        // Without the pressure a loop that drops gigabyte tensors never makes the collector run.
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
        while (true)
        {
            int seen = Volatile.Read(ref _references);
            ObjectDisposedException.ThrowIf(seen == 0, typeof(Tensor));
            if (Interlocked.CompareExchange(ref _references, seen + 1, seen) == seen)
            {
                return this;
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
        if (_pressure > 0)
        {
            NativeMemory.AlignedFree(Pointer);
            GC.RemoveMemoryPressure(_pressure);
        }
        else if (_disposeOwner)
        {
            (_owner as IDisposable)?.Dispose();
        }
    }
}
