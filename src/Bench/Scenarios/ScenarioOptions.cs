// In: nothing. Out: how queries arrive, and what is asked of their latencies.
namespace Accelerate.Bench.Scenarios;

/// <summary>Who sends queries, after MLPerf's LoadGen.</summary>
internal enum Scenario
{
    /// <summary>The next query when the last has ended: its 90th percentile.</summary>
    SingleStream,

    /// <summary>The same with queries of several samples: the 99th percentile of a query.</summary>
    MultiStream,

    /// <summary>Queries as they come, independent of each other: the 99th percentile against a bound.</summary>
    Server,

    /// <summary>All samples at once: throughput.</summary>
    Offline,
}

internal enum LoadMode
{
    /// <summary>Times; results are thrown away.</summary>
    Performance,

    /// <summary>Each sample of the data set once; results are handed over, and nothing is timed.</summary>
    Accuracy,
}

internal sealed record ScenarioOptions(Scenario Scenario)
{
    /// <summary>The scenarios as they are written.</summary>
    public static IReadOnlyList<(string Name, Scenario Scenario)> Names { get; } =
    [
        ("single-stream", Scenario.SingleStream),
        ("multi-stream", Scenario.MultiStream),
        ("server", Scenario.Server),
        ("offline", Scenario.Offline),
    ];

    public string Name => Names.First(n => n.Scenario == Scenario).Name;

    public LoadMode Mode { get; init; }

    /// <summary>Samples of the data set.</summary>
    public int DataSet { get; init; } = 1;

    /// <summary>How long queries are sent at least.</summary>
    public double Seconds { get; init; } = 0.5;

    /// <summary>When a run that has not had its queries is given up.</summary>
    public double MostSeconds { get; init; } = 60;

    /// <summary>Of multi-stream.</summary>
    public int SamplesPerQuery { get; init; } = 8;

    /// <summary>Of offline: in its one query.</summary>
    public int OfflineSamples { get; init; } = 1;

    /// <summary>Of server: queries a second, in the mean.</summary>
    public double Qps { get; init; }

    /// <summary>Of server, in seconds: what the percentile must be below.</summary>
    public double LatencyBound { get; init; }

    /// <summary>Of arrivals, and of which samples are asked for.</summary>
    public int Seed { get; init; } = 1;

    public double Percentile => Scenario == Scenario.SingleStream ? 0.9 : 0.99;
}
