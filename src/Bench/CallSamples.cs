// In: a call, seconds. Out: samples of it, taken as the peers' runners take theirs (bench/peers/timing.h), and what the
// process held and used meanwhile.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Accelerate.Bench;

/// <summary>
/// A warm-up of a third of the time and at least 0.2 s: the runtime compiles the managed side of a call again after 30
/// calls and 100 ms. Then samples until the time is up, at least seven, of calls above 50 ms three; a call below 100 µs
/// is repeated until a sample lasts that long, so that reading the clocks does not decide it.
/// </summary>
/// <param name="Elapsed">Seconds of a call by the clock, a sample each, in order.</param>
/// <param name="Computed">What the calling thread computed of them, in seconds.</param>
/// <param name="Rechecked">How many samples were followed by a check of the call's results.</param>
/// <param name="AllocatedBytes">Managed bytes of a call on the calling thread.</param>
/// <param name="MemoryBytes">The mean of the resident memory, read between samples; 0 where it cannot be
/// read.</param>
/// <param name="Joules">Of a call, all cores; null where the machine does not report it.</param>
internal sealed partial record CallSamples(IReadOnlyList<double> Elapsed, IReadOnlyList<double> Computed, long Rechecked,
    double AllocatedBytes, double MemoryBytes, double? Joules)
{
    private const double WarmSeconds = 0.2;
    private const double SampleSeconds = 100e-6;
    private const double LongSeconds = 0.05;
    private const double CheckedShare = 0.01;
    private const int MemoryReadings = 50;

    /// <param name="seconds">How long to sample.</param>
    /// <param name="call">What is timed.</param>
    /// <param name="check">Makes one more call and throws if its results are not the first one's; after a random 1 % of
    /// the samples, and one at least. Null for calls whose results differ from each other.</param>
    public static CallSamples Take(double seconds, Action call, Action? check = null)
    {
        var start = Stopwatch.GetTimestamp();
        var calls = 0;
        do
        {
            call();
            calls++;
        }
        while (calls < 2 || Seconds(start) < Math.Max(WarmSeconds, seconds * 0.3));
        // What the last calls took: the first ones ran code of the first tier.
        var last = Stopwatch.GetTimestamp();
        call();
        var each = Seconds(last);
        var batch = each < SampleSeconds ? (int)(SampleSeconds / each) + 1 : 1;
        var (samples, computed) = (new List<double>(), new List<double>());
        var least = each < LongSeconds ? 7 : 3;
        var (rechecked, memory, readings, allocated, random) = (0L, 0.0, 0, 0L, new Random(1));
        var nextReading = 0.0;
        double? joules = Energy() is null ? null : 0;
        start = Stopwatch.GetTimestamp();
        while (samples.Count < least || (Seconds(start) < seconds && samples.Count < 200_000))
        {
            var (held, energy) = (GC.GetAllocatedBytesForCurrentThread(), joules is null ? null : Energy());
            var (own, before) = (ThreadSeconds(), Stopwatch.GetTimestamp());
            for (var i = 0; i < batch; i++) call();
            var (elapsed, mine) = (Seconds(before), ThreadSeconds() - own);
            allocated += GC.GetAllocatedBytesForCurrentThread() - held;
            samples.Add(elapsed / batch);
            computed.Add(mine / batch);
            // The counter wraps: a reading below the last one is left out.
            if (energy is { } first && Energy() is { } then && then >= first) joules += (then - first) / batch;
            if (Seconds(start) >= nextReading)
            {
                nextReading += seconds / MemoryReadings;
                memory += ResidentBytes();
                readings++;
            }
            if (check is not null && (samples.Count == 1 || random.NextDouble() < CheckedShare))
            {
                check();
                rechecked++;
            }
        }
        return new(samples, computed, rechecked, (double)allocated / batch / samples.Count, memory / readings,
            joules / samples.Count);
    }

    private static double Seconds(long since) => Stopwatch.GetElapsedTime(since).TotalSeconds;

    /// <summary>Of this process, now.</summary>
    private static double ResidentBytes()
    {
        const string Pages = "/proc/self/statm";
        return File.Exists(Pages)
            ? double.Parse(File.ReadAllText(Pages).Split(' ')[1], CultureInfo.InvariantCulture)
                * Environment.SystemPageSize
            : 0;
    }

    /// <summary>Joules that the processor has used so far, as Linux reports Intel's and AMD's counters.</summary>
    private static double? Energy()
    {
        const string Counter = "/sys/class/powercap/intel-rapl:0/energy_uj";
        try
        {
            return File.Exists(Counter)
                ? 1e-6 * double.Parse(File.ReadAllText(Counter), CultureInfo.InvariantCulture) : null;
        }
        catch (UnauthorizedAccessException)
        {
            return null; // readable by root only, since its readings leak what others compute
        }
    }

    /// <summary>What this thread has computed so far.</summary>
    private static double ThreadSeconds()
    {
        const int ThreadCpuTime = 3;
        return ReadClock(ThreadCpuTime, out var time) == 0 ? time.Seconds + 1e-9 * time.Nanoseconds : double.NaN;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ReadClock(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
