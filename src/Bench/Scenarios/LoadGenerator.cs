// In: a scenario, a call of a sample. Out: the latencies of its queries, and whether they prove the target.
using System.Globalization;

namespace Accelerate.Bench.Scenarios;

/// <summary>The result of early stopping on the latencies.</summary>
/// <param name="Percentile">0.9 or 0.99.</param>
/// <param name="OverLatency">Server: queries over the bound. Otherwise the number allowed over the estimate.</param>
/// <param name="Needed">The number of queries that prove the percentile with that many over it.</param>
internal sealed record EarlyStop(double Percentile, int OverLatency, int Needed)
{
    public double Confidence => EarlyStopping.Confidence;
}

/// <summary>The outcome of a load.</summary>
/// <param name="Latencies">Seconds of each query from when it was due to its end, in the order of the ends; empty in
/// accuracy mode.</param>
/// <param name="Samples">The number of samples in all queries together.</param>
/// <param name="Seconds">From the first query's due time to the end of the last.</param>
/// <param name="Invalid">Why the latencies prove nothing; null for a valid run.</param>
/// <param name="Stop">Null for offline and in accuracy mode, where there is no percentile.</param>
/// <param name="Estimate">The bound of the percentile in seconds, with the rule's confidence.</param>
internal sealed record LoadResult(ScenarioOptions Options, IReadOnlyList<double> Latencies, long Samples,
    double Seconds, string? Invalid, EarlyStop? Stop, double? Estimate)
{
    public bool IsValid => Invalid is null;

    public double SamplesPerSecond => Samples / Seconds;
}

/// <summary>Queries are answered one after the other; the waiting time of those that arrive meanwhile counts.</summary>
internal static class LoadGenerator
{
    /// <param name="options">The scenario.</param>
    /// <param name="clock">The clock to use.</param>
    /// <param name="call">Computes a sample of the data set, by its number.</param>
    /// <param name="take">Receives the results of accuracy mode; those of performance mode are dropped.</param>
    public static LoadResult Run<T>(ScenarioOptions options, ILoadClock clock, Func<int, T> call,
        Action<int, T>? take = null)
    {
        if (options.Mode == LoadMode.Accuracy)
        {
            for (var sample = 0; sample < options.DataSet; sample++)
            {
                var result = call(sample);
                take?.Invoke(sample, result);
            }
            return new(options, [], options.DataSet, double.NaN, null, null, null);
        }
        var random = new Random(options.Seed);
        void Query(int samples)
        {
            for (var i = 0; i < samples; i++) call(random.Next(options.DataSet));
        }
        return options.Scenario switch
        {
            Scenario.SingleStream => Stream(options, clock, 1, Query),
            Scenario.MultiStream => Stream(options, clock, options.SamplesPerQuery, Query),
            Scenario.Server => Server(options, clock, Query),
            _ => Offline(options, clock, Query),
        };
    }

    /// <summary>
    /// The due times of a server's queries, in seconds from its start: gaps of a Poisson process, independent of the
    /// answers. There are enough to fill the time, and enough to prove the percentile if none is late.
    /// </summary>
    public static double[] Arrivals(ScenarioOptions options)
    {
        var count = Math.Max((int)Math.Ceiling(options.Qps * options.Seconds),
            EarlyStopping.Needed(options.Percentile, 0));
        // Independent of the choice of samples, so that a larger data set does not change the arrivals.
        var random = new Random(unchecked(options.Seed * 31 + 17));
        var times = new double[count];
        var at = 0.0;
        for (var i = 0; i < count; i++) times[i] = at += -Math.Log(1 - random.NextDouble()) / options.Qps;
        return times;
    }

    private static LoadResult Stream(ScenarioOptions options, ILoadClock clock, int samples, Action<int> query)
    {
        var enough = EarlyStopping.Needed(options.Percentile, 0);
        var latencies = new List<double>();
        var start = clock.Now;
        for (var now = start; ;)
        {
            query(samples);
            var end = clock.Now;
            latencies.Add(end - now);
            now = end;
            var elapsed = now - start;
            if ((elapsed >= options.Seconds && latencies.Count >= enough) || elapsed >= options.MostSeconds) break;
        }
        var seconds = clock.Now - start;
        var allowed = EarlyStopping.Allowed(options.Percentile, latencies.Count) ?? 0;
        var stop = new EarlyStop(options.Percentile, allowed, EarlyStopping.Needed(options.Percentile, allowed));
        var estimate = EarlyStopping.Estimate(options.Percentile, latencies);
        return new(options, latencies, (long)samples * latencies.Count, seconds,
            estimate is not null ? null
                : $"{latencies.Count} queries in {Text(options.MostSeconds)} s, {enough} prove a percentile",
            stop, estimate);
    }

    /// <summary>
    /// Latency counts from when a query was due, not from when it began: a stall delays all queries due during it, and
    /// a generator that waited would not notice (coordinated omission).
    /// </summary>
    private static LoadResult Server(ScenarioOptions options, ILoadClock clock, Action<int> query)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Qps);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.LatencyBound);
        var arrivals = Arrivals(options);
        var latencies = new List<double>(arrivals.Length);
        var start = clock.Now;
        foreach (var due in arrivals)
        {
            if (clock.Now - start > options.MostSeconds) break;
            clock.WaitUntil(start + due);
            query(1);
            latencies.Add(clock.Now - start - due);
        }
        var seconds = clock.Now - start;
        var over = latencies.Count(l => l > options.LatencyBound);
        var stop = new EarlyStop(options.Percentile, over, EarlyStopping.Needed(options.Percentile, over));
        var invalid = latencies.Count < arrivals.Length
            ? $"{latencies.Count} of {arrivals.Length} queries in {Text(options.MostSeconds)} s"
            : latencies.Count < stop.Needed
                ? $"{over} of {latencies.Count} queries over {Text(options.LatencyBound * 1e3)} ms: so many are "
                    + $"allowed in {stop.Needed}"
                : null;
        return new(options, latencies, latencies.Count, seconds, invalid, stop,
            EarlyStopping.Estimate(options.Percentile, latencies));
    }

    private static LoadResult Offline(ScenarioOptions options, ILoadClock clock, Action<int> query)
    {
        var start = clock.Now;
        query(options.OfflineSamples);
        var seconds = clock.Now - start;
        var invalid = seconds >= options.Seconds ? null
            : $"{options.OfflineSamples} samples took {Text(seconds)} s, the run is for {Text(options.Seconds)} s";
        return new(options, [seconds], options.OfflineSamples, seconds, invalid, null, null);
    }

    private static string Text(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
