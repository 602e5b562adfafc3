// In: a call, seconds. Out: the statistics of samples of it, taken as the peers' runners take theirs
// (bench/peers/timing.h).
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Accelerate.Bench;

/// <summary>
/// A warm-up of a third of the time and at least 0.2 s: the runtime compiles the managed side of a call again after 30
/// calls and 100 ms. Then samples until the time is up, at least seven, of calls above 50 ms three; a call below 100 µs
/// is repeated until a sample lasts that long, so that reading the clocks does not decide it.
/// </summary>
internal static partial class CallSamples
{
    private const double WarmSeconds = 0.2;
    private const double SampleSeconds = 100e-6;
    private const double LongSeconds = 0.05;

    /// <summary>Seconds of a call: by the clock, and what the calling thread computed of them.</summary>
    public static (SampleSummary Elapsed, SampleSummary Computed) Take(double seconds, Action call)
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
        start = Stopwatch.GetTimestamp();
        while (samples.Count < least || (Seconds(start) < seconds && samples.Count < 200_000))
        {
            var (own, before) = (Computed(), Stopwatch.GetTimestamp());
            for (var i = 0; i < batch; i++) call();
            samples.Add(Seconds(before) / batch);
            computed.Add((Computed() - own) / batch);
        }
        return (SampleSummary.Of(samples), SampleSummary.Of(computed));
    }

    private static double Seconds(long since) => Stopwatch.GetElapsedTime(since).TotalSeconds;

    /// <summary>What this thread has computed so far.</summary>
    private static double Computed()
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
