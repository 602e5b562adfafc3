// In: nothing. Out: the options of a scenario: the arrival of queries, and the target of their latencies.
namespace Accelerate.Bench.Scenarios;

/// <summary>The scenarios of MLPerf's LoadGen.</summary>
internal enum Scenario
{
    /// <summary>The next query starts when the last has ended: its 90th percentile.</summary>
    SingleStream,

    /// <summary>The same with queries of several samples: the 99th percentile of a query.</summary>
    MultiStream,

    /// <summary>Queries arrive independently of each other: the 99th percentile against a bound.</summary>
    Server,

    /// <summary>All samples at once: throughput.</summary>
    Offline,
}

internal enum LoadMode
{
    /// <summary>Measures times; results are dropped.</summary>
    Performance,

    /// <summary>Runs each sample of the data set once; results are written, and nothing is timed.</summary>
    Accuracy,
}

internal sealed record ScenarioOptions(Scenario Scenario)
{
    /// <summary>The names of the scenarios.</summary>
    public static IReadOnlyList<(string Name, Scenario Scenario)> Names { get; } =
    [
        ("single-stream", Scenario.SingleStream),
        ("multi-stream", Scenario.MultiStream),
        ("server", Scenario.Server),
        ("offline", Scenario.Offline),
    ];

    public string Name => Names.First(n => n.Scenario == Scenario).Name;

    public LoadMode Mode { get; init; }

    /// <summary>The number of samples in the data set.</summary>
    public int DataSet { get; init; } = 1;

    /// <summary>The minimum time of sending queries.</summary>
    public double Seconds { get; init; } = 0.5;

    /// <summary>The time after which an incomplete run is given up.</summary>
    public double MostSeconds { get; init; } = 60;

    /// <summary>The samples of a query in multi-stream.</summary>
    public int SamplesPerQuery { get; init; } = 8;

    /// <summary>The samples of the single query in offline.</summary>
    public int OfflineSamples { get; init; } = 1;

    /// <summary>The mean number of queries per second in server.</summary>
    public double Qps { get; init; }

    /// <summary>The bound of the percentile in server, in seconds.</summary>
    public double LatencyBound { get; init; }

    /// <summary>The seed of arrivals and of the choice of samples.</summary>
    public int Seed { get; init; } = 1;

    public double Percentile => Scenario == Scenario.SingleStream ? 0.9 : 0.99;
}
