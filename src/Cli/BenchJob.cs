// In: a suite, options. Out: progress, records in the store, the table.
using Accelerate.Bench;
using Accelerate.Bench.Records;
using Accelerate.Bench.Registry;
using Accelerate.Bench.Running;
using Accelerate.Bench.Store;

namespace Accelerate.Cli;

/// <summary>One run of a suite.</summary>
internal sealed record BenchJob(Suite Suite, BenchmarkRegistry Registry, string? Only, HarnessPlaces Places, string Database, RunOptions Options,
    string Command)
{
    // If more processes would be needed, the verdict stays open and names the number.
    private const int MostProcesses = 200;

    /// <summary>Whether inconclusive comparisons get more processes.</summary>
    public bool IsSized { get; init; }

    /// <summary>Other builds of accc to measure in the same blocks.</summary>
    public IReadOnlyList<OtherBuild> Builds { get; init; } = [];

    /// <summary>Whether each case's first contender runs twice.</summary>
    public bool HasTwins { get; init; }

    /// <summary>0; 2 if one of our contenders failed or was wrong.</summary>
    public int Execute(Terminal terminal, bool isMarkdown, CancellationToken cancellation)
    {
        var cases = Arms.Cases(Suite, Registry)
            .Where(c => Only is null || c.Name.Contains(Only, StringComparison.OrdinalIgnoreCase)).ToList();
        if (cases.Count == 0) throw CommonOptions.Usage($"no case of '{Suite.Name}' has '{Only}' in its name",
                $"accc bench list {Suite.Name} names them");
        var arms = cases.SelectMany(c => Arms.Of(c, Suite, Suite.Peers, Options.AllPeers, Builds)).ToList();
        var twins = HasTwins ? Twins(arms) : [];
        arms.AddRange(twins.Select(t => t.Two));
        var run = new RunRecord(Guid.NewGuid(), DateTime.UtcNow, Command, Suite.Name, Options.Seed,
            Machine.This.Hardware(), Machine.This.Environment());
        if (Builds.Select(b => b.Name).Distinct().Count() < Builds.Count)
            throw CommonOptions.Usage("two builds have one name", "--build before=… --build older=…");
        if (Database != "none" && Path.GetDirectoryName(Path.GetFullPath(Database)) is var folder && !Directory.Exists(folder))
        {
            throw CommonOptions.Usage($"--database {Database}: there is no folder {folder}",
                "name a file in a folder that is there");
        }
        // Another build's measurements are a run of their own, with that build's commit.
        var others = Builds.ToDictionary(b => b.Name,
            b => run with { Id = Guid.NewGuid(), Environment = Machine.This.Environment(b.Path) });
        using var store = Database == "none" ? JsonLinesStore.Of([]) : ResultStores.Open(Database);
        var limits = Suite.Threads.ToDictionary(t => t, MachineLimits.Measure);
        terminal.Output.Write($"{Machine.This}; accc {Machine.This.Commit}, build {run.Environment.Build}\n");
        foreach (var (name, other) in others)
        {
            terminal.Output.Write(
                $"@{name}: accc {other.Environment.Commit}, build {other.Environment.Build}, run {other.Id}\n");
        }
        foreach (var (threads, limit) in limits)
        {
            terminal.Output.Write($"{threads} thread{(threads == 1 ? "" : "s")}: f32 fma {limit.Gflops:0} GFLOP/s, "
                + $"DRAM read {limit.Levels[^1].Read:0} GB/s\n");
        }
        var harness = Measure(cases, arms, run, others, store, limits, terminal, cancellation);
        var records = harness.Records;
        var table = new RunTable(cases, Suite, records, limits, Builds);
        terminal.Output.Write(isMarkdown ? table.Markdown(Command) : table.Text());
        foreach (var (one, two) in twins) terminal.Output.Write(RunTable.Noise(one, two, records));
        var all = records.Values.SelectMany(r => r).ToList();
        var waits = store is SpoolingStore spooling && !spooling.Merge()
            ? $"; {spooling.Spooled} of them wait in the spool while another process has it open" : "";
        terminal.Output.Write($"\n{all.Count} results in {Database}, run {harness.Run}{waits}\n");
        // If our side is known to be unsupported, the run measures only peers.
        var isLimit = cases.All(c => c.Definition.Unsupported is not null);
        if (!all.Any(r => (isLimit || r.Backend != "peer") && r.Median is not null))
        {
            var reason = all.FirstOrDefault(r => r is { Backend: not "peer", Reason: not null })?.Reason;
            terminal.Error.Write($"error: nothing of ours was measured{(reason is null ? "" : $": {reason}")}\n"
                + $"  = help: accc db query --sql 'SELECT case_key, contender, status, reason FROM benchmark_results'\n");
            return ExitCodes.Usage;
        }
        var failed = all.Where(r => r.Backend != "peer" && r.Status is ResultStatus.Failed or ResultStatus.Wrong).ToList();
        foreach (var r in failed)
        {
            terminal.Error.Write($"{r.Status.ToString().ToLowerInvariant()}: {r.Benchmark} {r.CaseKey}, {r.Contender}, "
                + $"{r.Threads} threads: {r.Reason}\n");
        }
        return failed.Count == 0 ? ExitCodes.Ok : ExitCodes.Usage;
    }

    private Harness Measure(IReadOnlyList<BenchmarkCase> cases, IReadOnlyList<Arm> arms, RunRecord run,
        IReadOnlyDictionary<string, RunRecord> others, IResultStore store, IReadOnlyDictionary<int, MachineLimits> limits,
        Terminal terminal, CancellationToken cancellation)
    {
        var runner = new ProcessRunner(Places, ChildProcess.StartInfo);
        using var check = new ResultCheck(Places, runner);
        using var progress = new BenchProgress(terminal);
        // Earlier results did not run next to another build's, so with another build all are measured anew.
        var harness = new Harness(Options with { Fresh = Options.Fresh || Builds.Count > 0 }, store, runner, check, run,
            progress, others);
        for (var processes = Suite.Processes; ;)
        {
            harness.Execute(arms, processes, cancellation);
            if (!IsSized) break;
            var open = new RunTable(cases, Suite, harness.Records, limits, Builds).Open();
            // The spread estimated from few processes is itself uncertain: at most double the number at a time.
            var needed = open.Select(o => o.Needed).DefaultIfEmpty(0).Max();
            var next = Math.Min(2 * processes, Math.Min(MostProcesses, needed));
            if (next <= processes) break;
            arms = [.. arms.Where(a => open.Any(o => o.Case == a.Case.Name && o.Threads == a.Threads))];
            processes = next;
        }
        return harness;
    }

    /// <summary>The first contender of each case, way and number of threads, paired with a copy of itself.</summary>
    private static IReadOnlyList<(Arm One, Arm Two)> Twins(IEnumerable<Arm> arms) =>
        [.. arms.Where(a => a is { Peer: null, Impossible: null })
            .GroupBy(a => (a.Case.Name, a.Threads, a.Ours!.Name))
            .Select(g => (g.First(), g.First() with { IsTwin = true }))];
}
