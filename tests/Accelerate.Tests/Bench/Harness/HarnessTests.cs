// The harness with processes that print what the test says: order, checks, what is measured again and what is not.
using System.Diagnostics;
using System.Runtime.Versioning;
using Accelerate.Bench;
using Accelerate.Bench.Records;
using Accelerate.Bench.Registry;
using Accelerate.Bench.Running;
using Accelerate.Runtime;

namespace Accelerate.Tests.Bench.Harness;

[UnsupportedOSPlatform("windows")] // peers are shell scripts here
public sealed class HarnessTests : IDisposable
{
    private const string Line = """{"peer":"ours","threads":1,"min_us":1,"med_us":2,"p90_us":3,"flops":10,"n":5}""";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("harness-");
    private readonly MemoryStore store = new();
    private readonly List<string> started = [];

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void EveryArmHasAProcessInEachBlock()
    {
        var harness = Run(3, "a", "b");
        Assert.Equal(6, store.All.Count);
        foreach (var contender in (string[])["llvm a", "llvm b"])
        {
            Assert.Equal([0, 1, 2], store.All.Where(r => r.Contender == contender).Select(r => r.Block));
        }
        Assert.All(store.All, r => Assert.Equal((ResultStatus.Measured, 2.0, 5e5), (r.Status, r.Median, r.CallsPerSecond)));
        // Blocks one after the other, whatever their inside's order.
        Assert.Equal(store.All.Select(r => r.Block).Order(), store.All.Select(r => r.Block));
        Assert.Equal(2, harness.Records.Count);
    }

    [Fact]
    public void TheOrderIsTheSeeds()
    {
        string[] Order(long seed)
        {
            store.All.Clear();
            store.Batches.Clear();
            Run(4, ["a", "b", "c", "d"], seed, fresh: true);
            return [.. store.All.Select(r => r.Contender)];
        }
        Assert.Equal(Order(1), Order(1));
        Assert.NotEqual(Order(1), Order(2));
        // Within a run blocks differ too.
        var once = Order(3);
        Assert.False(once[..4].SequenceEqual(once[4..8]) && once[..4].SequenceEqual(once[8..12])
            && once[..4].SequenceEqual(once[12..]));
    }

    [Fact]
    public void WhatThisBuildHasMeasuredIsNotMeasuredAgain()
    {
        Run(2, "a");
        started.Clear();
        Run(3, "a");
        Assert.Single(started);
        Assert.Equal(3, store.All.Count);
        started.Clear();
        Run(1, ["a"], fresh: true);
        Assert.Single(started, s => !s.Contains("interpreter", StringComparison.Ordinal));
    }

    [Fact]
    public void AFileThatHasChangedIsMeasuredAgainInARunOfItsOwn()
    {
        var source = Path.Combine(folder.FullName, "own.acc");
        File.WriteAllText(source, "export fn f(x: f32[n]) -> f32[n] = x");
        Run(2, source);
        File.WriteAllText(source, "export fn f(x: f32[n]) -> f32[n] = exp(x)");
        started.Clear();
        Run(2, source);
        Assert.Equal(2, started.Count(s => !s.Contains("interpreter", StringComparison.Ordinal)));
        Assert.Equal([2, 2], store.All.GroupBy(r => r.RunId).Select(g => g.Count()));
    }

    [Fact]
    public void ARunThatGoesOnIsOneRun()
    {
        Run(1, "a");
        Run(3, "a");
        Assert.Single(store.All.Select(r => r.RunId).Distinct());
    }

    [Fact]
    public void AnotherBuildsResultsAreNotTaken()
    {
        Run(2, "a");
        started.Clear();
        Run(2, ["a"], build: "another");
        Assert.Equal(2, started.Count(s => !s.Contains("interpreter", StringComparison.Ordinal)));
    }

    [Fact]
    public void AWrongResultIsNotTimedAndNotRepeated()
    {
        var harness = Run(3, ["wrong"]);
        var record = Assert.Single(harness.Records.Values.Single());
        Assert.Equal(ResultStatus.Wrong, record.Status);
        Assert.Null(record.Median);
        Assert.Contains("2 instead of 1", record.Reason);
    }

    [Fact]
    public void AProcessThatFailsSaysWhy()
    {
        var record = Assert.Single(Run(3, ["fails"]).Records.Values.Single());
        Assert.Equal((ResultStatus.Failed, "out of luck"), (record.Status, record.Reason));
        record = Assert.Single(Run(3, ["limit"]).Records.Values.Single());
        Assert.Equal(ResultStatus.Skipped, record.Status);
    }

    [Fact]
    public void APeerThatCannotBeTheBestIsLeftOut()
    {
        // Peers are files below PEERS_HOME/bin: scripts that print their figure.
        Peer("quick", 10);
        Peer("slow", 17.9); // below 1.8 times the best: it stays
        Peer("hopeless", 18.1);
        Run(4, ["a"], peers: ["quick", "slow", "hopeless"]);
        int Count(string name) => store.All.Count(r => r.Contender == name);
        Assert.Equal((4, 4, 2), (Count("quick"), Count("slow"), Count("hopeless")));
    }

    [Fact]
    public void APeerThatIsNotBuiltIsARowWithAReason()
    {
        Run(2, ["a"], peers: ["absent"]);
        var record = Assert.Single(store.All, r => r.Contender == "absent");
        Assert.Equal((ResultStatus.Skipped, "absent is not built: bench/peers/build"), (record.Status, record.Reason));
    }

    private void Peer(string name, double us)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(folder.FullName, "bin")).FullName, name);
        var figure = FormattableString.Invariant($"{us}");
        File.WriteAllText(path, $$"""
            #!/bin/sh
            echo '{"peer":"{{name}}","threads":1,"min_us":{{figure}},"med_us":{{figure}},"p90_us":{{figure}},"cpu_us":1,"n":1}'
            """);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private Accelerate.Bench.Running.Harness Run(int processes, params string[] ways) => Run(processes, ways, 1);

    private Accelerate.Bench.Running.Harness Run(int processes, string[] ways, long seed = 1, bool fresh = false,
        string build = "build", string[]? peers = null)
    {
        var definition = new BenchmarkDefinition("b", "kernels", "", [], _ => new("b", [.. ways.Select(w => new OurCall(w, [w]))])
        {
            Peers = [.. (peers ?? []).Select(p => new PeerCall(p, p, []))],
            Lines = [.. ways.Select(w => new ComparisonLine(w, w, peers ?? [], "part"))],
        });
        var suite = Suite.Parse("""{ "name": "s", "description": "d", "benchmarks": [{ "name": "b" }] }""");
        var arms = Arms.Of(definition.Case([]), suite, withPeers: true, allPeers: false).ToList();
        var places = new HarnessPlaces(folder.FullName, folder.FullName);
        var runner = new ProcessRunner(places, Start);
        using var check = new ResultCheck(places, runner);
        var run = new RunRecord(Guid.NewGuid(), DateTime.UtcNow, "test", "s", seed,
            new("machine", "cpu", "a machine", 2, 1, [], new Dictionary<string, long>()),
            new("os", "10", null, null, build));
        var harness = new Accelerate.Bench.Running.Harness(new(0.1, seed, fresh), store, runner, check, run,
            new Silent());
        harness.Execute(arms, processes);
        return harness;
    }

    /// <summary>A process in the place of accc's: it writes one result and prints the line.</summary>
    private ProcessStartInfo Start(IEnumerable<string> words)
    {
        string[] all = [.. words];
        started.Add(string.Join(' ', all));
        var way = all[1];
        var isReference = all.Contains("interpreter");
        if (way is "fails" or "limit")
            return new("/bin/sh", ["-c", $"echo 'error: {(way == "limit" ? "not supported: this" : "out of luck")}' >&2; exit 1"]);
        if (Array.IndexOf(all, "--out") is >= 0 and var at)
        {
            using var tensor = Tensor.FromDoubles(DType.F32, [way == "wrong" && !isReference ? 2 : 1], 1);
            Npy.Write(Path.Combine(all[at + 1], "0.npy"), tensor);
        }
        return new("/bin/echo", [Line]);
    }

    private sealed class Silent : IHarnessObserver
    {
        public void Plan(int processes) => Assert.True(processes > 0);

        public void Starts(Arm arm, int block) => Assert.True(block >= 0);

        public void Ends(ResultRecord record) => Assert.NotEqual(default, record.MeasuredAt);

        public void Skips(Arm arm, int block) => Assert.True(block >= 0);
    }

    private sealed class MemoryStore : IResultStore
    {
        public List<ResultBatch> Batches { get; } = [];

        public List<ResultRecord> All { get; } = [];

        public void Append(ResultBatch batch)
        {
            Batches.Add(batch);
            All.AddRange(batch.Results);
        }

        public IReadOnlyList<RunRecord> Runs(ResultFilter filter) => [.. Batches.Select(b => b.Run).DistinctBy(r => r.Id)];

        public IReadOnlyList<ResultRecord> Results(ResultFilter filter, bool details = false) => [.. All];

        public void Dispose() => Batches.TrimExcess();
    }
}
