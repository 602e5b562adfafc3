// In: freed blocks of 128 KiB and more. Out: the same memory for later requests of similar size.
using System.Runtime.InteropServices;

namespace Accelerate.Runtime;

/// <summary>A block of memory: its address and the bytes that may be used.</summary>
internal readonly record struct MemoryBlock(nint Address, long Bytes);

/// <summary>
/// Keeps large blocks between calls. Otherwise the system maps such a block anew for each request and clears every page
/// on its first write: a loop of relu over 64 MiB spent 33 of its 36.7 ms a call there, and 6 of 11 µs over 256 KiB
/// (Zen 4 virtual machine, `accc bench`). Blocks of 2 MiB and more are aligned to 2 MiB and request huge pages.
/// </summary>
/// <remarks>
/// The kept blocks are bounded in bytes and in number; the least recently returned goes first. Blocks unused for
/// <see cref="IdleMilliseconds"/> return to the system on the next return, or the next full collection. Thread-safe,
/// including finalizers. The garbage collector's memory pressure counts a block from its allocation by the system until
/// it is freed: a block that only changes its user is no new memory.
/// </remarks>
internal sealed unsafe partial class BlockPool
{
    /// <summary>
    /// Below this the C library reuses its heap without page faults; from here on it maps (M_MMAP_THRESHOLD's default).
    /// </summary>
    public const long Least = 128 << 10;

    /// <summary>The huge page size of x86-64 and AArch64.</summary>
    public const long HugePage = 2 << 20;

    /// <summary>
    /// Longer than any pause within a loop of calls, short enough not to retain the memory of a finished phase.
    /// </summary>
    public const long IdleMilliseconds = 10_000;

    /// <summary>Searching this many stays well under a microsecond.</summary>
    private const int MostBlocks = 64;

    private const int MadvHugePage = 14;

    private readonly record struct Kept(MemoryBlock Block, long Since);

    private readonly Lock gate = new();
    private readonly List<Kept> kept = []; // least recently returned first
    private readonly Func<long> clock;
    private readonly long limit;
    private long keptBytes;

    /// <param name="limit">The maximum number of bytes to keep.</param>
    /// <param name="clock">A monotonic clock in milliseconds; null for the system's.</param>
    public BlockPool(long limit, Func<long>? clock = null)
    {
        this.limit = limit;
        this.clock = clock ?? (() => Environment.TickCount64);
        _ = new Trimmer(this);
    }

    /// <summary>The process's pool: keeps at most an eighth of the memory available to the process.</summary>
    public static BlockPool Shared { get; } = new(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8);

    /// <summary>The number of bytes kept for reuse.</summary>
    public long KeptBytes
    {
        get
        {
            lock (gate) return keptBytes;
        }
    }

    /// <summary>
    /// Returns uninitialised memory of at least <paramref name="bytes"/>; a reused block is at most a quarter larger.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The system has no memory left.</exception>
    public MemoryBlock Take(long bytes)
    {
        lock (gate)
        {
            var best = -1;
            for (var i = kept.Count - 1; i >= 0; i--)
            {
                var size = kept[i].Block.Bytes;
                if (size < bytes || size - bytes > bytes / 4) continue;
                // Of equal blocks, the one returned last: most of it is still in the cache.
                if (best < 0 || size < kept[best].Block.Bytes) best = i;
            }
            if (best >= 0)
            {
                var block = kept[best].Block;
                kept.RemoveAt(best);
                keptBytes -= block.Bytes;
                return block;
            }
        }
        return FromSystem(bytes);
    }

    /// <summary>Returns a block from <see cref="Take"/>; it must no longer be used.</summary>
    public void Return(MemoryBlock block)
    {
        List<MemoryBlock> surplus = [];
        lock (gate)
        {
            kept.Add(new Kept(block, clock()));
            keptBytes += block.Bytes;
            while (keptBytes > limit || kept.Count > MostBlocks) RemoveOldest(surplus);
            RemoveIdle(surplus);
        }
        foreach (var gone in surplus) ToSystem(gone);
    }

    /// <summary>Returns blocks to the system that were unused for <see cref="IdleMilliseconds"/>.</summary>
    public void Trim()
    {
        List<MemoryBlock> surplus = [];
        lock (gate) RemoveIdle(surplus);
        foreach (var gone in surplus) ToSystem(gone);
    }

    private void RemoveIdle(List<MemoryBlock> surplus)
    {
        var now = clock();
        while (kept.Count > 0 && now - kept[0].Since >= IdleMilliseconds) RemoveOldest(surplus);
    }

    private void RemoveOldest(List<MemoryBlock> surplus)
    {
        surplus.Add(kept[0].Block);
        keptBytes -= kept[0].Block.Bytes;
        kept.RemoveAt(0);
    }

    private static MemoryBlock FromSystem(long bytes)
    {
        var isHuge = bytes >= HugePage;
        var address = NativeMemory.AlignedAlloc((nuint)bytes, isHuge ? (nuint)HugePage : Storage.Alignment);
        // If this is refused, the block merely has small pages.
        if (isHuge && OperatingSystem.IsLinux()) _ = Advise(address, (nuint)bytes, MadvHugePage);
        // Without the pressure, a loop that drops gigabyte tensors would never trigger a collection.
        GC.AddMemoryPressure(bytes);
        return new MemoryBlock((nint)address, bytes);
    }

    private static void ToSystem(MemoryBlock block)
    {
        NativeMemory.AlignedFree((void*)block.Address);
        GC.RemoveMemoryPressure(block.Bytes);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);

    /// <summary>
    /// Unreachable from the start, so that every full collection finalizes it once it is in the oldest generation.
    /// </summary>
    private sealed class Trimmer(BlockPool pool)
    {
        private readonly WeakReference<BlockPool> pool = new(pool);

        ~Trimmer()
        {
            if (!pool.TryGetTarget(out var alive)) return;
            alive.Trim();
            GC.ReRegisterForFinalize(this);
        }
    }
}
