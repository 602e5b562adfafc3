// In: a number of threads. Out: this machine's limits on them: fma, each level of memory, the start of a parallel loop.
using System.Globalization;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>A level of memory that data is read from and written to.</summary>
/// <param name="Name">"L1", "L2", "L3" or "DRAM".</param>
/// <param name="Bytes">Its capacity for those threads together; unlimited for DRAM.</param>
/// <param name="Read">GB/s of reading.</param>
/// <param name="Move">GB/s of reading and writing equal amounts, both counted: the better of plain and non-temporal
/// stores.</param>
internal sealed record MemoryLevel(string Name, long Bytes, double Read, double Move);

/// <summary>The roofline's corners.</summary>
/// <param name="Threads">The number of concurrent threads, each with data of its own.</param>
/// <param name="Gflops">f32 fma in registers.</param>
/// <param name="Levels">The nearest first, DRAM last.</param>
/// <param name="StartMs">An empty parallel loop of the pool, directly after another.</param>
internal sealed record MachineLimits(int Threads, double Gflops, IReadOnlyList<MemoryLevel> Levels, double StartMs)
{
    // The limit is the machine's undisturbed performance: the best of the readings.
    private const int Readings = 15;

    /// <summary>
    /// Takes about a second. Cache sizes are those reported by the system, or common ones if it reports none.
    /// </summary>
    public static MachineLimits Measure(int threads)
    {
        using var pool = new WorkerPool(threads);
        using var peak = new FmaPeak();
        using var streams = new MemoryStreams();
        var (l1, l2, l3) = (CacheBytes(0, 32L << 10), CacheBytes(2, 1L << 20), CacheBytes(3, 32L << 20));
        // Each thread's data is half of its own cache, L3's well beyond L2, and DRAM's four times L3.
        var l3Each = Math.Max(2 * l2, l3 / (4 * threads));
        MemoryLevel Level(string name, long bytes, long each)
        {
            var (read, move) = streams.Measure(pool, each, Readings);
            return new(name, bytes, read, move);
        }
        MemoryLevel[] levels =
        [
            Level("L1", threads * l1, l1 / 2), Level("L2", threads * l2, l2 / 2), Level("L3", l3, l3Each),
            Level("DRAM", long.MaxValue, 4 * l3 / threads),
        ];
        return new(threads, Enumerable.Range(0, Readings).Max(_ => peak.Read(pool)), levels, Start(pool));
    }

    public string Print()
    {
        var rows = Levels.Select(l => new[]
        {
            l.Name, l.Bytes == long.MaxValue ? ""
                : $"{l.Bytes >> 10} KiB", BenchTable.Number(l.Read), BenchTable.Number(l.Move),
        });
        return $"{Threads} thread{(Threads == 1 ? "" : "s")}: f32 fma {BenchTable.Number(Gflops)} GFLOP/s, "
            + $"a parallel loop starts in {BenchTable.Time(StartMs)}\n\n"
            + BenchTable.Align(["level", "holds", "read GB/s", "copy GB/s"], rows);
    }

    /// <summary>
    /// One line: the machine and the libraries as text, fma_gflops, start_us, and for each level LEVEL_bytes (except
    /// DRAM), LEVEL_read, LEVEL_move.
    /// </summary>
    public string ToJson() => string.Create(CultureInfo.InvariantCulture,
        $$"""{"machine":"{{Machine.This}}","dotnet":"{{Machine.This.Dotnet}}","llvm":"{{Machine.This.Llvm}}","fma_gflops":{{Gflops:0.#}},"start_us":{{StartMs * 1e3:0.###}},{{string.Join(',', Levels.Select(Json))}}}""");

    private static string Json(MemoryLevel level)
    {
        var bytes = level.Bytes == long.MaxValue ? "" : $"\"{level.Name}_bytes\":{level.Bytes},";
        return string.Create(CultureInfo.InvariantCulture,
            $"{bytes}\"{level.Name}_read\":{level.Read:0.#},\"{level.Name}_move\":{level.Move:0.#}");
    }

    private static double Start(WorkerPool pool)
    {
        const int Loops = 1000;
        return Enumerable.Range(0, Readings).Min(_ =>
        {
            var start = System.Diagnostics.Stopwatch.GetTimestamp();
            for (var i = 0; i < Loops; i++) pool.Run((_, _, _) => 0, pool.Workers);
            return System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMilliseconds / Loops;
        });
    }

    /// <summary>
    /// The size of the cache with that index in Linux's list: 0 is L1's data cache, 2 is L2, 3 is L3.
    /// </summary>
    internal static long CacheBytes(int index, long otherwise)
    {
        var file = $"/sys/devices/system/cpu/cpu0/cache/index{index}/size";
        var text = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
        return text.EndsWith('K')
            && long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var kib)
            ? kib << 10 : otherwise;
    }
}
