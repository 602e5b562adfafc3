// In: freed blocks of 128 KiB and more. Out: the same memory for later requests of about that size.
using System.Runtime.InteropServices;

namespace Accelerate.Runtime;

/// <summary>A block of memory: its address and the bytes that may be used.</summary>
internal readonly record struct MemoryBlock(nint Address, long Bytes);

/// <summary>
/// Keeps large blocks between calls. The system maps such a block anew for each request and clears every page of it
/// when it is first written: a loop of relu over 64 MiB spent 33 of its 36.7 ms a call there, and 6 of 11 µs over 256
/// KiB (Zen 4 virtual machine, `accc bench`). Blocks of 2 MiB and more lie on that boundary and ask for huge pages.
/// </summary>
/// <remarks>
/// What it keeps is bounded in bytes and in number; the block that has lain longest goes first. Blocks that have lain
/// for
/// <see cref="IdleMilliseconds"/> go back to the system with the next return, or the next full collection. Safe for any
/// number of threads, finalizers included. The collector's memory pressure counts a block from the system's allocation
/// to the system's free: what only changes its user is no new memory.
/// </remarks>
internal sealed unsafe partial class BlockPool
{
    /// <summary>
    /// Below this the C library reuses its heap without faults; from here on it maps (M_MMAP_THRESHOLD's default).
    /// </summary>
    public const long Least = 128 << 10;

    /// <summary>x86-64's and AArch64's huge page.</summary>
    public const long HugePage = 2 << 20;

    /// <summary>
    /// Longer than any pause inside a loop of calls, short enough not to hold what a finished phase has used.
    /// </summary>
    public const long IdleMilliseconds = 10_000;

    /// <summary>A search among them stays well under a microsecond.</summary>
    private const int MostBlocks = 64;

    private const int MadvHugePage = 14;

    private readonly record struct Kept(MemoryBlock Block, long Since);

    private readonly Lock gate = new();
    private readonly List<Kept> kept = []; // the one that has lain longest first
    private readonly Func<long> clock;
    private readonly long limit;
    private long keptBytes;

    /// <param name="limit">The bytes that may be kept.</param>
    /// <param name="clock">Milliseconds that only grow; the system's if null.</param>
    public BlockPool(long limit, Func<long>? clock = null)
    {
        this.limit = limit;
        this.clock = clock ?? (() => Environment.TickCount64);
        _ = new Trimmer(this);
    }

    /// <summary>The process's pool: keeps at most an eighth of the memory that the process may use.</summary>
    public static BlockPool Shared { get; } = new(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8);

    /// <summary>The bytes that lie ready.</summary>
    public long KeptBytes
    {
        get
        {
            lock (gate) return keptBytes;
        }
    }

    /// <summary>
    /// Uninitialised memory of at least as many bytes, and less than a quarter more than a kept block needs.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The system has none.</exception>
    public MemoryBlock Take(long bytes)
    {
        lock (gate)
        {
            var best = -1;
            for (var i = kept.Count - 1; i >= 0; i--)
            {
                var size = kept[i].Block.Bytes;
                if (size < bytes || size - bytes > bytes / 4) continue;
                // Among equals the one used last: most of it is still in the cache.
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

    /// <summary>Takes back what <see cref="Take"/> gave; nobody may use it any more.</summary>
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

    /// <summary>Gives back to the system what has lain unused for <see cref="IdleMilliseconds"/>.</summary>
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
        // A refusal only means small pages.
        if (isHuge && OperatingSystem.IsLinux()) _ = Advise(address, (nuint)bytes, MadvHugePage);
        // Without the pressure a loop that drops gigabyte tensors never makes the collector run.
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

    /// <summary>Unreachable from the start, so that each full collection finalizes it once it has grown old.</summary>
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
