// In: a call, seconds. Out: samples of it, taken like the peers' (bench/peers/timing.h), and the process's use of
// memory and energy meanwhile.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Accelerate.Bench;

/// <summary>
/// Warms up for a third of the time, at least 0.2 s, because the runtime recompiles the managed side of a call after 30
/// calls and 100 ms. Then it samples until the time is up, but at least seven times, or three for calls above 50 ms; a
/// call below 100 µs is repeated until a sample lasts that long, so that reading the clocks does not dominate it.
/// </summary>
/// <param name="Elapsed">Seconds per call by the clock, one value a sample, in order.</param>
/// <param name="Computed">The calling thread's processor time of them, in seconds.</param>
/// <param name="Rechecked">The number of samples that were followed by a check of the call's results.</param>
/// <param name="AllocatedBytes">Managed bytes that a call allocates on the calling thread.</param>
/// <param name="MemoryBytes">The mean resident memory, read between samples; 0 where it cannot be read.</param>
/// <param name="Joules">Energy per call, of all cores; null where the machine does not report it.</param>
internal sealed partial record CallSamples(IReadOnlyList<double> Elapsed, IReadOnlyList<double> Computed, long Rechecked,
    double AllocatedBytes, double MemoryBytes, double? Joules)
{
    private const double WarmSeconds = 0.2;
    private const double SampleSeconds = 100e-6;
    private const double LongSeconds = 0.05;
    private const double CheckedShare = 0.01;
    private const int MemoryReadings = 50;

    /// <param name="seconds">The sampling time.</param>
    /// <param name="call">The call to time.</param>
    /// <param name="check">Makes one more call and throws if its results differ from the first one's; run after a
    /// random 1 % of the samples, and at least once. Null for calls whose results legitimately differ.</param>
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
        // The time of the last calls, because the first ones ran unoptimised code.
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
            // The counter wraps: a reading below the previous one is left out.
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

    /// <summary>Resident memory of this process.</summary>
    private static double ResidentBytes()
    {
        const string Pages = "/proc/self/statm";
        return File.Exists(Pages)
            ? double.Parse(File.ReadAllText(Pages).Split(' ')[1], CultureInfo.InvariantCulture)
                * Environment.SystemPageSize
            : 0;
    }

    /// <summary>
    /// The energy that the processor has used so far in joules, as Linux reports Intel's and AMD's counters.
    /// </summary>
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
            return null; // readable by root only, because the readings leak information about other processes
        }
    }

    /// <summary>Processor time of this thread so far.</summary>
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
