// In: the command line of accc time. Out: the requested scenario, and a load for it.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Accelerate.Bench.Scenarios;

namespace Accelerate.Cli;

/// <summary>The scenario arguments of `accc time`.</summary>
internal sealed class ScenarioArguments
{
    // Like the warm-up of calls without a scenario: the runtime recompiles hot managed code after 100 ms.
    private const double WarmSeconds = 0.2;

    // A minute is enough for 662 queries of 90 ms; a longer sampling time extends it.
    private const double MostSeconds = 60;

    private const double MostArrivals = 1e7;

    private readonly Option<string?> scenario = new("--scenario")
    {
        Description = "how calls arrive, as MLPerf's LoadGen sends them",
        HelpName = string.Join('|', ScenarioOptions.Names.Select(n => n.Name)),
    };

    private readonly Option<string?> mode = new("--mode")
    {
        Description = "accuracy: the scenario's data set once, for --out, nothing timed; performance otherwise",
        HelpName = "performance|accuracy",
    };

    private readonly Option<double?> qps = new("--qps") { Description = "server: calls that arrive a second" };

    private readonly Option<double?> bound = new("--latency-bound")
    {
        Description = "server: milliseconds that the 99th percentile must be below",
        HelpName = "MS",
    };

    private readonly Option<int?> samples = new("--samples-per-query")
    {
        Description = "multi-stream: calls of a query; 8 unless it is given",
    };

    private readonly Option<int?> seed = new("--seed") { Description = "of a scenario's arrivals; 1 unless given" };

    public ScenarioArguments(Command command)
    {
        foreach (var option in (Option[])[scenario, mode, qps, bound, samples, seed]) command.Options.Add(option);
    }

    /// <summary>The scenario; null if none is requested.</summary>
    public ScenarioOptions? Read(ParseResult parsed, double seconds)
    {
        var given = parsed.GetValue(scenario);
        if (given is null)
        {
            var stray = ((Option[])[mode, qps, bound, samples, seed])
                .FirstOrDefault(o => parsed.GetResult(o) is not null);
            return stray is null ? null : throw CommonOptions.Usage($"{stray.Name} belongs to a scenario",
                "add --scenario " + (stray == samples ? "multi-stream" : stray == mode ? "single-stream" : "server"));
        }
        var names = ScenarioOptions.Names.Select(n => n.Name).ToList();
        if (!names.Contains(given))
            throw CommonOptions.Usage($"there is no scenario '{given}'", Nearest.Help(given, names, "scenarios"));
        var kind = ScenarioOptions.Names.First(n => n.Name == given).Scenario;
        Only(parsed, qps, kind == Scenario.Server, given);
        Only(parsed, bound, kind == Scenario.Server, given);
        Only(parsed, samples, kind == Scenario.MultiStream, given);
        var options = new ScenarioOptions(kind)
        {
            Mode = parsed.GetValue(mode) switch
            {
                null or "performance" => LoadMode.Performance,
                "accuracy" => LoadMode.Accuracy,
                var other => throw CommonOptions.Usage($"there is no mode '{other}'",
                    Nearest.Help(other, ["performance", "accuracy"], "modes")),
            },
            Seconds = seconds,
            MostSeconds = Math.Max(MostSeconds, 10 * seconds),
            SamplesPerQuery = (int)Positive(parsed.GetValue(samples) ?? 8, samples),
            Seed = parsed.GetValue(seed) ?? 1,
        };
        if (kind != Scenario.Server || options.Mode == LoadMode.Accuracy) return options;
        if (parsed.GetValue(qps) is null || parsed.GetValue(bound) is null)
            throw CommonOptions.Usage("--scenario server takes --qps and --latency-bound",
                "for instance --qps 100 --latency-bound 20");
        var rate = Positive(parsed.GetValue(qps)!.Value, qps);
        // The schedule is made before the run: 80 MB of it.
        if (rate * seconds > MostArrivals)
            throw CommonOptions.Usage(string.Create(CultureInfo.InvariantCulture,
                $"--qps {rate} for {seconds} s are more than {MostArrivals:0} arrivals"), "lower --qps or --seconds");
        return options with
        {
            Qps = rate,
            LatencyBound = Positive(parsed.GetValue(bound)!.Value, bound) * 1e-3,
        };
    }

    /// <summary>
    /// Warms up and sends the load; the time of a call determines the number of samples of an offline query.
    /// </summary>
    public static LoadResult Take(ScenarioOptions options, Action call)
    {
        var start = Stopwatch.GetTimestamp();
        var calls = 0;
        do
        {
            call();
            calls++;
        }
        while (calls < 2 || Since(start) < Math.Max(WarmSeconds, options.Seconds * 0.3));
        var last = Stopwatch.GetTimestamp();
        for (var i = 0; i < 3; i++) call();
        // A tenth more, so that the query does not end early.
        var count = Math.Ceiling(1.1 * options.Seconds / (Since(last) / 3));
        return LoadGenerator.Run(options with { OfflineSamples = (int)Math.Clamp(count, 1, int.MaxValue) },
            new LoadClock(), _ =>
            {
                call();
                return true;
            });
    }

    private static double Since(long start) => Stopwatch.GetElapsedTime(start).TotalSeconds;

    private static void Only(ParseResult parsed, Option option, bool isUsed, string given)
    {
        if (!isUsed && parsed.GetResult(option) is not null)
            throw CommonOptions.Usage($"{option.Name} means nothing to --scenario {given}");
    }

    private static double Positive(double value, Option option) => value > 0 && double.IsFinite(value) ? value
        : throw CommonOptions.Usage(string.Create(CultureInfo.InvariantCulture,
            $"{option.Name} {value}: it takes a number above 0"));
}
