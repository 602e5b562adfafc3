// In: a suite, options. Out: the suite measured: progress, records in the store, the table.
using Accelerate.Bench;
using Accelerate.Bench.Records;
using Accelerate.Bench.Registry;
using Accelerate.Bench.Running;
using Accelerate.Bench.Store;

namespace Accelerate.Cli;

/// <summary>One suite's run.</summary>
internal sealed record BenchJob(Suite Suite, BenchmarkRegistry Registry, string? Only, HarnessPlaces Places, string Database, RunOptions Options,
    string Command)
{
    // What the A/A arm asks for beyond this is not asked of anybody: the verdict stays open, and says the number.
    private const int MostProcesses = 200;

    /// <summary>Whether comparisons that say nothing yet get more processes.</summary>
    public bool IsSized { get; init; }

    /// <summary>Whether each case's first contender runs twice.</summary>
    public bool HasTwins { get; init; }

    /// <summary>0; 2 where a contender of ours failed or was wrong.</summary>
    public int Execute(Terminal terminal, bool isMarkdown, CancellationToken cancellation)
    {
        var cases = Arms.Cases(Suite, Registry)
            .Where(c => Only is null || c.Name.Contains(Only, StringComparison.OrdinalIgnoreCase)).ToList();
        if (cases.Count == 0) throw CommonOptions.Usage($"no case of '{Suite.Name}' has '{Only}' in its name");
        var arms = cases.SelectMany(c => Arms.Of(c, Suite, Suite.Peers, Options.AllPeers)).ToList();
        var twins = HasTwins
            ? arms.Where(a => a is { Peer: null, Impossible: null }).GroupBy(a => (a.Case.Name, a.Threads, a.Ours!.Name))
                .Select(g => (One: g.First(), Two: g.First() with { IsTwin = true })).ToList() : [];
        arms.AddRange(twins.Select(t => t.Two));
        var run = new RunRecord(Guid.NewGuid(), DateTime.UtcNow, Command, Suite.Name, Options.Seed,
            Machine.This.Hardware(), Machine.This.Environment());
        using var store = ResultStores.Open(Database);
        var runner = new ProcessRunner(Places, ChildProcess.StartInfo);
        using var check = new ResultCheck(Places, runner);
        var limits = Suite.Threads.ToDictionary(t => t, MachineLimits.Measure);
        terminal.Output.Write($"{Machine.This}; accc {Machine.This.Commit}, build {run.Environment.Build}\n");
        foreach (var (threads, limit) in limits)
            terminal.Output.Write($"{threads} thread{(threads == 1 ? "" : "s")}: f32 fma {limit.Gflops:0} GFLOP/s, "
                + $"DRAM read {limit.Levels[^1].Read:0} GB/s\n");
        using var progress = new BenchProgress(terminal);
        var harness = new Harness(Options with { Fresh = Options.Fresh || !File.Exists(Database) }, store, runner, check, run, progress);
        RunTable table;
        for (var (wanted, processes) = (arms, Suite.Processes); ;)
        {
            harness.Execute(wanted, processes, cancellation);
            table = new RunTable(cases, Suite, harness.Records, limits);
            var open = IsSized ? table.Open() : [];
            // What few processes show of their spread is itself unsure: at most twice as many at a time.
            var needed = Math.Min(2 * processes, Math.Min(MostProcesses, open.Select(o => o.Needed).DefaultIfEmpty(0).Max()));
            if (needed <= processes) break;
            wanted = [.. wanted.Where(a => open.Any(o => o.Case == a.Case.Name && o.Threads == a.Threads))];
            processes = needed;
        }
        progress.Dispose();
        var text = isMarkdown ? table.Markdown(Command) : table.Text();
        terminal.Output.Write(text);
        foreach (var (one, two) in twins) terminal.Output.Write(RunTable.Noise(one, two, harness.Records));
        terminal.Output.Write($"\n{harness.Records.Values.Sum(r => r.Count)} results in {Database}, run {run.Id}\n");
        var failed = harness.Records.Values.SelectMany(r => r)
            .Where(r => r.Backend != "peer" && r.Status is ResultStatus.Failed or ResultStatus.Wrong).ToList();
        foreach (var r in failed)
            terminal.Error.Write($"{r.Status.ToString().ToLowerInvariant()}: {r.Benchmark} {r.CaseKey}, {r.Contender}, "
                + $"{r.Threads} threads: {r.Reason}\n");
        return failed.Count == 0 ? ExitCodes.Ok : ExitCodes.Usage;
    }
}
