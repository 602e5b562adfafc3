// The load generator on a clock whose time passes only in calls: latencies by hand, and a queue against its formula.
using Accelerate.Bench.Scenarios;

namespace Accelerate.Tests.Bench.Scenarios;

public class LoadGeneratorTests
{
    /// <summary>Waiting takes no longer than it must, and a call as long as it says.</summary>
    private sealed class SimulatedClock : ILoadClock
    {
        public double Now { get; private set; }

        public void WaitUntil(double time) => Now = Math.Max(Now, time);

        public int Compute(double seconds)
        {
            Now += seconds;
            return 0;
        }
    }

    /// <summary>
    /// A queue with Poisson arrivals and one constant time of service D: the mean wait is ρ D / (2 (1 − ρ)) (Pollaczek
    /// and Khinchine), and an arrival finds the server idle with probability 1 − ρ. 300,000 queries.
    /// </summary>
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.8)]
    public void AServerWaitsAsAQueueDoes(double load)
    {
        const double Service = 0.002;
        var clock = new SimulatedClock();
        var options = new ScenarioOptions(Scenario.Server)
        {
            Qps = load / Service,
            Seconds = 300_000 * Service / load,
            MostSeconds = double.PositiveInfinity,
            LatencyBound = 1,
            Seed = 3,
        };
        var result = LoadGenerator.Run(options, clock, _ => clock.Compute(Service));
        Assert.Equal(300_000, result.Latencies.Count, 1.0);
        var wait = result.Latencies.Average() - Service;
        Assert.Equal(load * Service / (2 * (1 - load)), wait, 0.03 * wait);
        var idle = result.Latencies.Count(l => l < Service * (1 + 1e-6)) / (double)result.Latencies.Count;
        Assert.Equal(1 - load, idle, 0.01);
        // ρ is also the share of the time that is computed.
        Assert.Equal(load, result.Samples * Service / result.Seconds, 0.01);
    }

    /// <summary>
    /// One call of 100 that stalls for 2 s delays all that are due meanwhile, half a second and more for three quarters
    /// of them; by the time of the calls themselves only one is late.
    /// </summary>
    [Fact]
    public void AStallIsNotHidden()
    {
        var clock = new SimulatedClock();
        var (calls, own) = (0, new List<double>());
        var options = new ScenarioOptions(Scenario.Server)
        {
            Qps = 50,
            Seconds = 40,
            LatencyBound = 0.5,
            Seed = 1,
            MostSeconds = 1000,
        };
        var result = LoadGenerator.Run(options, clock, _ =>
        {
            var seconds = ++calls == 1000 ? 2 : 0.001;
            own.Add(seconds);
            return clock.Compute(seconds);
        });
        Assert.Equal(2000, result.Latencies.Count);
        Assert.Single(own, l => l > 0.5);
        // 75 arrivals are expected in 1.5 s.
        Assert.InRange(result.Stop!.OverLatency, 50, 105);
        Assert.False(result.IsValid);
        Assert.Contains($"{result.Stop.OverLatency} of 2000 queries over 500 ms", result.Invalid);
    }

    /// <summary>The schedule is made before the run, of a seed: what queries take does not move it.</summary>
    [Fact]
    public void ArrivalsDependOnTheSeedAlone()
    {
        var options = new ScenarioOptions(Scenario.Server) { Qps = 1000, Seconds = 20, Seed = 9 };
        var times = LoadGenerator.Arrivals(options);
        Assert.Equal(20_000, times.Length);
        Assert.Equal(times, LoadGenerator.Arrivals(options with { DataSet = 7 }));
        Assert.NotEqual(times, LoadGenerator.Arrivals(options with { Seed = 10 }));
        // Gaps of a Poisson process: their mean 1/λ, and e⁻¹ of them longer than that.
        var gaps = times.Zip(times.Skip(1), (a, b) => b - a).ToList();
        Assert.Equal(0.001, gaps.Average(), 0.00003);
        Assert.Equal(Math.Exp(-1), gaps.Count(g => g > 0.001) / (double)gaps.Count, 0.01);
        // Too short a run is made long enough to prove the percentile if no query is late.
        Assert.Equal(459, LoadGenerator.Arrivals(options with { Qps = 1, Seconds = 1 }).Length);
    }

    [Fact]
    public void ASingleStreamSendsTheNextWhenTheLastHasEnded()
    {
        var clock = new SimulatedClock();
        var options = new ScenarioOptions(Scenario.SingleStream) { Seconds = 10, DataSet = 3 };
        var asked = new HashSet<int>();
        var n = 0;
        var result = LoadGenerator.Run(options, clock, sample =>
        {
            asked.Add(sample);
            return clock.Compute(n++ % 10 == 9 ? 0.4375 : 0.0625);
        });
        // Ten calls last a second: 100 of them, ten slow ones. Of 100 the rule allows 3 above (2: 81, 3: 97, 4: 113).
        Assert.Equal((100, 100L), (result.Latencies.Count, result.Samples));
        Assert.True(result.IsValid);
        Assert.Equal((3, 97), (result.Stop!.OverLatency, result.Stop.Needed));
        Assert.Equal(0.4375, result.Estimate);
        Assert.Equal([0, 1, 2], asked.Order());
    }

    [Fact]
    public void TooFewQueriesProveNothing()
    {
        var clock = new SimulatedClock();
        var options = new ScenarioOptions(Scenario.SingleStream) { Seconds = 1, MostSeconds = 20 };
        var result = LoadGenerator.Run(options, clock, _ => clock.Compute(1));
        Assert.Equal((20, false), (result.Latencies.Count, result.IsValid));
        Assert.Null(result.Estimate);
        Assert.Equal("20 queries in 20 s, 44 prove a percentile", result.Invalid);
    }

    [Fact]
    public void AQueryOfSeveralSamplesIsOneLatency()
    {
        var clock = new SimulatedClock();
        var options =
            new ScenarioOptions(Scenario.MultiStream) { SamplesPerQuery = 4, Seconds = 1, MostSeconds = 1000 };
        var result = LoadGenerator.Run(options, clock, _ => clock.Compute(0.25));
        Assert.Equal((459, 4 * 459L), (result.Latencies.Count, result.Samples));
        Assert.All(result.Latencies, l => Assert.Equal(1, l, 9));
        Assert.Equal(4, result.SamplesPerSecond, 9);
        // 60 queries a minute are not enough.
        clock = new();
        Assert.False(LoadGenerator.Run(options with { MostSeconds = 60 }, clock, _ => clock.Compute(0.25)).IsValid);
    }

    [Fact]
    public void OfflineIsOneQuery()
    {
        var clock = new SimulatedClock();
        var options = new ScenarioOptions(Scenario.Offline) { OfflineSamples = 40, Seconds = 9 };
        var result = LoadGenerator.Run(options, clock, _ => clock.Compute(0.25));
        Assert.Equal([10], result.Latencies);
        Assert.Equal((40L, 4.0, true), (result.Samples, result.SamplesPerSecond, result.IsValid));
        Assert.False(LoadGenerator.Run(options with { Seconds = 11 }, clock, _ => clock.Compute(0.25)).IsValid);
    }

    [Fact]
    public void AccuracyModeAsksForEachSampleOnce()
    {
        var clock = new SimulatedClock();
        foreach (var (_, scenario) in ScenarioOptions.Names)
        {
            var taken = new List<(int, string)>();
            var options = new ScenarioOptions(scenario) { Mode = LoadMode.Accuracy, DataSet = 5 };
            var result = LoadGenerator.Run(options, clock, i => $"result {i}", (i, r) => taken.Add((i, r)));
            Assert.Equal(Enumerable.Range(0, 5).Select(i => (i, $"result {i}")), taken);
            Assert.Empty(result.Latencies);
            Assert.Equal((LoadMode.Accuracy, true), (result.Options.Mode, result.IsValid));
        }
        Assert.Equal(0, clock.Now);
    }
}
