// In: the outcome of a load. Out: a line of JSON with the same names as other processes' lines.
namespace Accelerate.Bench.Scenarios;

/// <summary>Times are microseconds per query unless the name says otherwise; null in accuracy mode.</summary>
internal sealed record LoadRecord : Measurement
{
    private const double Micro = 1e6;

    public required string Scenario { get; init; }

    /// <summary>"performance" or "accuracy".</summary>
    public required string Mode { get; init; }

    public int Queries { get; init; }

    public long Samples { get; init; }

    public StopDetails? EarlyStopping { get; init; }

    /// <summary>Server: the requested rate of arrivals.</summary>
    public double? Qps { get; init; }

    public double? LatencyBoundMs { get; init; }

    public int? Seed { get; init; }

    /// <param name="OverLatency">Queries over the bound, or the number allowed over the estimate.</param>
    /// <param name="QueriesNeeded">The number of queries that prove the percentile with that many over it.</param>
    internal sealed record StopDetails(double Confidence, int OverLatency, int QueriesNeeded);

    public static LoadRecord Of(LoadResult load)
    {
        var options = load.Options;
        var record = new LoadRecord
        {
            Peer = "ours",
            MinUs = null,
            MedUs = null,
            P90Us = null,
            Scenario = options.Name,
            Mode = options.Mode.ToString().ToLowerInvariant(),
            Queries = options.Mode == LoadMode.Accuracy ? (int)load.Samples : load.Latencies.Count,
            N = options.Mode == LoadMode.Accuracy ? load.Samples : load.Latencies.Count,
            Samples = load.Samples,
            Valid = load.IsValid,
            Reason = load.Invalid,
        };
        if (options.Mode == LoadMode.Accuracy) return record;
        var sorted = load.Latencies.Order().ToArray();
        double At(double q) => Math.Round(Micro * SampleSummary.Percentile(sorted, q), 3);
        var isServer = options.Scenario == Scenarios.Scenario.Server;
        return record with
        {
            MinUs = At(0),
            MedUs = At(0.5),
            P90Us = At(0.9),
            P99Us = At(0.99),
            MaxUs = At(1),
            Percentile = 100 * load.Stop?.Percentile,
            EstimateUs = load.Estimate is { } e ? Math.Round(Micro * e, 3) : null,
            EarlyStopping = load.Stop is { } s ? new(s.Confidence, s.OverLatency, s.Needed) : null,
            SamplesPerSecond = load.SamplesPerSecond,
            Qps = isServer ? options.Qps : null,
            LatencyBoundMs = isServer ? options.LatencyBound * 1e3 : null,
            Seed = options.Seed,
            SamplesUs = [.. load.Latencies.Select(l => Math.Round(Micro * l, 3))],
        };
    }
}
