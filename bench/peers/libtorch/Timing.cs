// In: a call. Out: statistics of samples of it, taken as bench/peers/timing.h takes them, and the line of JSON.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Accelerate.Peers;

internal static partial class Timing
{
    // Calls below this are repeated until a sample lasts so long: reading the clocks must not decide it.
    private const double Sample = 100e-6;

    public static void Print(int threads, Action call)
    {
        var budget = double.Parse(Environment.GetEnvironmentVariable("BUDGET") ?? "0.5", CultureInfo.InvariantCulture);
        var watch = Stopwatch.StartNew();
        long warm = 0;
        // The runtime compiles the managed side of a call again after 30 calls and 100 ms.
        do
        {
            call();
            warm++;
        }
        while (watch.Elapsed.TotalSeconds < Math.Max(0.2, budget * 0.3) || warm < 2);
        var last = Stopwatch.StartNew();
        call();
        var each = last.Elapsed.TotalSeconds;
        var batch = each < Sample ? (int)(Sample / each) + 1 : 1;
        var (times, computed) = (new List<double>(), new List<double>());
        watch.Restart();
        do
        {
            var (own, before) = (Computed(), Stopwatch.GetTimestamp());
            for (var i = 0; i < batch; i++) call();
            times.Add(Stopwatch.GetElapsedTime(before).TotalSeconds / batch);
            computed.Add((Computed() - own) / batch);
        }
        while (times.Count < (each < 0.05 ? 7 : 3) || (watch.Elapsed.TotalSeconds < budget && times.Count < 200_000));
        times.Sort();
        computed.Sort();
        string Us(double seconds) => (seconds * 1e6).ToString("F3", CultureInfo.InvariantCulture);
        var (middle, high) = (times.Count / 2, times.Count * 9 / 10);
        Console.WriteLine($"{{\"peer\":\"libtorch\",\"threads\":{threads},\"min_us\":{Us(times[0])},"
            + $"\"med_us\":{Us(times[middle])},\"p90_us\":{Us(times[high])},\"cpu_us\":{Us(computed[middle])},"
            + $"\"n\":{(long)times.Count * batch}}}");
    }

    /// <summary>What this thread has computed so far, in seconds.</summary>
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
