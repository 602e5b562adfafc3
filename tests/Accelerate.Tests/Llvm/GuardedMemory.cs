// In: a number of bytes. Out: memory of exactly that size whose next byte, or whose byte before, cannot be touched.
using System.Runtime.InteropServices;

namespace Accelerate.Tests.Llvm;

/// <summary>A mapping with a page without access on either side; an access to one ends the test process.</summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int ProtectNone = 0;
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private readonly nint mapping;
    private readonly nuint length;

    /// <param name="bytes">At least 0.</param>
    /// <param name="atEnd">The last byte lies before the forbidden page; else the first one behind the other.</param>
    public GuardedMemory(long bytes, bool atEnd)
    {
        var page = Environment.SystemPageSize;
        var inside = (bytes + page - 1) / page * page;
        length = (nuint)(inside + 2 * page);
        mapping = Map(0, length, ProtectNone, PrivateAnonymous, -1, 0);
        if (mapping == -1) throw new InvalidOperationException("mmap failed");
        var first = mapping + page;
        if (inside > 0 && Protect(first, (nuint)inside, ReadWrite) != 0)
            throw new InvalidOperationException("mprotect failed");
        Start = atEnd ? first + (nint)(inside - bytes) : first;
        Bytes = (int)bytes;
    }

    public nint Start { get; }

    private int Bytes { get; }

    public Span<byte> Span => new((void*)Start, Bytes);

    public void Dispose() => Unmap(mapping, length);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
