// In: nothing. Out: the time, and a way to wait until a time.
using System.Diagnostics;

namespace Accelerate.Bench.Scenarios;

/// <summary>Seconds since some moment. In tests, time passes only when a call computes.</summary>
internal interface ILoadClock
{
    double Now { get; }

    /// <summary>Returns at that time, or at once if it has passed.</summary>
    void WaitUntil(double time);
}

/// <summary>The machine's clock.</summary>
internal sealed class LoadClock : ILoadClock
{
    // A sleeping thread wakes up to a millisecond late, so the rest is spent polling.
    private const double Awake = 0.002;

    private readonly long start = Stopwatch.GetTimestamp();

    public double Now => Stopwatch.GetElapsedTime(start).TotalSeconds;

    public void WaitUntil(double time)
    {
        if (time - Now > Awake) Thread.Sleep(TimeSpan.FromSeconds(time - Now - Awake));
        while (Now < time) Thread.SpinWait(20);
    }
}
