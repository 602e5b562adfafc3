// In: arms, a store. Out: results in the store, each from a fresh process, checked first, in random blocks.
using System.Text.Json.Nodes;
using Accelerate.Bench.Records;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Bench.Running;

/// <param name="Seconds">The sampling time of a process.</param>
/// <param name="Seed">The seed of the order of cases and arms.</param>
/// <param name="Fresh">Whether to repeat what this build has measured already.</param>
/// <param name="AllPeers">Whether peers that cannot be the best are also run to the end.</param>
internal sealed record RunOptions(double Seconds = 0.15, long Seed = 1, bool Fresh = false,
    bool AllPeers = false);

/// <summary>Receives notice of each process, before and after.</summary>
internal interface IHarnessObserver
{
    void Plan(int processes);

    void Starts(Arm arm, int block);

    void Ends(ResultRecord record);

    /// <summary>A planned process is not needed: it was measured before, or its peer cannot be the best.</summary>
    void Skips(Arm arm, int block);
}

/// <summary>
/// Runs blocks one after the other; within a block the cases in random order, and within a case its arms in random
/// order. Thus neighbours in time are compared, and the machine's slow drift affects all cases alike. Earlier
/// measurements by this build on this machine count, so that an interrupted run continues.
/// </summary>
/// <param name="builds">The runs of other builds' results by the builds' names, because each has its own
/// commit.</param>
internal sealed class Harness(RunOptions options, IResultStore store, ProcessRunner runner, ResultCheck check,
    RunRecord run, IHarnessObserver observer, IReadOnlyDictionary<string, RunRecord>? builds = null)
{
    // Rounds differ by at most 1.8 on 2 threads, median against median: a peer slower by that factor in the best of two
    // is not the best one. Leaving it out saves a third of a run.
    private const double Hopeless = 1.8;
    private const int Sure = 2;

    private readonly Dictionary<ArmKey, List<ResultRecord>> records = [];
    private readonly Random random = new(unchecked((int)options.Seed));

    /// <summary>The run that results belong to: an earlier one if this run continues it.</summary>
    public Guid Run => run.Id;

    /// <summary>All records of the arms, including those of earlier runs.</summary>
    public IReadOnlyDictionary<ArmKey, List<ResultRecord>> Records => records;

    /// <summary>
    /// Runs until each arm has that many processes, one in each block; may be called again with more.
    /// </summary>
    /// <param name="arms">All arms, or those that need more processes.</param>
    /// <param name="processes">The number of processes of each arm, including existing ones.</param>
    /// <param name="cancellation">Ends the current process and the run.</param>
    public void Execute(IReadOnlyList<Arm> arms, int processes, CancellationToken cancellation = default)
    {
        if (records.Count == 0)
        {
            foreach (var arm in arms) records[arm.Key] = [];
            if (!options.Fresh) Recall(arms);
        }
        observer.Plan(arms.Count * processes);
        var cases = arms.GroupBy(a => a.Case.Name).Select(g => g.ToArray()).ToArray();
        for (var block = 0; block < processes; block++)
        {
            random.Shuffle(cases);
            foreach (var group in cases)
            {
                random.Shuffle(group);
                foreach (var arm in group)
                {
                    if (!IsWanted(arm, block, group)) observer.Skips(arm, block);
                    else Measure(arm, block, cancellation);
                }
            }
        }
    }

    /// <summary>
    /// Continues the newest run of this suite, build and machine: its measurements count if the work is identical,
    /// including files and seconds, and new ones are added to it.
    /// </summary>
    private void Recall(IReadOnlyList<Arm> arms)
    {
        var filter = new ResultFilter(Machine: run.Hardware.Fingerprint, Suite: run.Suite);
        var earlier = store.Runs(filter).FirstOrDefault(r => r.Environment.Build == run.Environment.Build);
        if (earlier is null) return;
        var work = arms.ToDictionary(a => a.Key, a => runner.Work(a, options.Seconds));
        var mine = store.Results(new ResultFilter(Run: earlier.Id))
            .Where(r => r.Status == ResultStatus.Measured && work.ContainsKey(r.Arm)).ToList();
        // Figures from before and after a file's change must not be mixed in a run.
        if (mine.Any(r => JsonNode.Parse(r.DeviceMetrics)?["work"]?.GetValue<string>() != work[r.Arm])) return;
        run = earlier;
        foreach (var result in mine) records[result.Arm].Add(result);
    }

    private bool IsWanted(Arm arm, int block, Arm[] group)
    {
        var mine = records[arm.Key];
        // An arm that cannot run, or is wrong, needs no second process.
        if (mine.Any(r => r.Status != ResultStatus.Measured)) return false;
        if (mine.Count > block) return false;
        return arm.Peer is null || options.AllPeers || !IsHopeless(arm, group);
    }

    /// <summary>Whether a peer cannot be the best in any line of its case.</summary>
    private bool IsHopeless(Arm arm, Arm[] group)
    {
        var mine = Medians(arm);
        if (mine.Length < Sure) return false;
        double Best(IEnumerable<string> peers) => group
            .Where(a => a.Threads == arm.Threads && a.Peer is { } p && peers.Contains(p.Name))
            .Select(Medians).Where(m => m.Length > 0).Select(m => SampleSummary.Percentile([.. m.Order()], 0.5))
            .DefaultIfEmpty(double.PositiveInfinity).Min();
        return arm.Case.Definition.Lines.Where(l => l.Peers.Contains(arm.Contender))
            .All(l => mine.Min() > Hopeless * Best(l.Peers));
    }

    private double[] Medians(Arm arm) =>
        [.. records[arm.Key].Where(r => r.Median is not null).Select(r => r.Median!.Value)];

    private void Measure(Arm arm, int block, CancellationToken cancellation)
    {
        observer.Starts(arm, block);
        var own = arm.Build is { } build && builds?.GetValueOrDefault(build.Name) is { } other ? other : run;
        var empty = new ResultRecord
        {
            Id = Guid.NewGuid(),
            RunId = own.Id,
            MeasuredAt = DateTime.UtcNow,
            Benchmark = arm.Case.Benchmark.Name,
            Category = arm.Case.Benchmark.Category,
            CaseKey = arm.Case.Key,
            Params = arm.Case.Values.ToJson(),
            Contender = arm.Contender,
            Backend = arm.Backend,
            Precision = arm.Case.Precision,
            Threads = arm.Threads,
            OptLevel = arm.OptLevel,
            BatchSize = arm.Case.Values.NumberOrNull("batch"),
            SequenceLength = arm.Case.Values.NumberOrNull("sequence"),
            Scenario = arm.Key.Scenario,
            Block = block,
            Model = arm.Case.Definition.Model,
        };
        var record = runner.Unavailable(arm) is { } reason
            ? empty with { Status = ResultStatus.Skipped, Reason = reason } : Process(arm, empty, cancellation);
        records[arm.Key].Add(record);
        store.Append(new(own, [record]));
        observer.Ends(record);
    }

    private ResultRecord Process(Arm arm, ResultRecord empty, CancellationToken cancellation)
    {
        // The first process writes its results: nothing more of it is timed if they are wrong.
        var isChecked = arm.Peer is { } peer ? peer.Results.Count > 0 : arm.Ours!.Assembly is null;
        var results = isChecked && records[arm.Key].Count == 0 ? check.NewFolder() : null;
        Measurement measured;
        (string With, double Error)? agreed = null;
        try
        {
            measured = runner.Run(arm, options.Seconds, results, cancellation);
            if (results is not null) agreed = check.Check(arm, results, measured.Flops ?? double.PositiveInfinity);
        }
        catch (NoMeasurementException e)
        {
            if (e.Message.StartsWith(ProcessRunner.Refusal, StringComparison.Ordinal))
                return empty with { Status = ResultStatus.Wrong, Reason = e.Message };
            var isLimit = e.Message.Contains("not supported", StringComparison.Ordinal);
            return empty with { Status = isLimit ? ResultStatus.Skipped : ResultStatus.Failed, Reason = e.Message };
        }
        catch (InternalErrorException e)
        {
            return empty with { Status = ResultStatus.Wrong, Reason = e.Message };
        }
        if (measured.Valid == false)
            return empty with { Status = ResultStatus.Failed, Reason = $"the load proves nothing: {measured.Reason}" };
        var definition = arm.Case.Definition;
        return empty with
        {
            Checked = agreed?.With ?? records[arm.Key].FirstOrDefault()?.Checked ?? "none",
            MaxError = agreed?.Error,
            Rechecked = measured.Rechecked,
            Min = measured.MinUs,
            Median = measured.MedUs,
            P90 = measured.P90Us,
            P99 = measured.P99Us,
            Max = measured.MaxUs,
            Cpu = measured.CpuUs,
            CallsPerSecond = measured.SamplesPerSecond ?? 1e6 / measured.MedUs,
            ItemsPerSecond = (measured.Tokens ?? definition.Items)
                * (measured.SamplesPerSecond ?? 1e6 / measured.MedUs),
            FirstToken = measured.FirstTokenUs,
            NextToken = measured.NextTokenUs,
            CompileMs = measured.CompileMs,
            FirstResultMs = measured.FirstResultMs,
            ArenaBytes = measured.ArenaBytes,
            MemoryMb = measured.MemoryMb,
            PeakMemoryMb = measured.PeakMemoryMb,
            AllocatedBytes = measured.AllocatedBytes,
            Flops = definition.Flops ?? measured.Flops,
            Bytes = definition.Bytes ?? measured.Bytes,
            PeakGflops = measured.PeakGflops,
            Joules = measured.Joules,
            Ops = measured.Ops,
            KernelCount = measured.Kernels,
            Instructions = measured.Instructions,
            Model = empty.Model is { Parameters: 0 } m && measured.Parameters is { } count
                ? m with { Parameters = count } : empty.Model,
            DeviceMetrics = Metrics(definition.Title, runner.Work(arm, options.Seconds), measured,
                empty.RunId == run.Id ? null : run.Id),
            Samples = measured.SamplesUs ?? [],
            Kernels = measured.Profile ?? [],
        };
    }

    private static string Metrics(string title, string work, Measurement measured, Guid? session)
    {
        var all = new JsonObject { ["title"] = title, ["work"] = work };
        if (session is { } id) all["session"] = $"{id}";
        if (measured.Percentile is { } percentile)
        {
            // With the confidence of early stopping, this percentage of the queries is below the estimate.
            all["percentile"] = percentile;
            all["estimate_us"] = measured.EstimateUs;
            all["queries"] = measured.N;
        }
        foreach (var (name, value) in measured.Metrics ?? new Dictionary<string, double>()) all[$"own.{name}"] = double.IsFinite(value) ? value : null;
        return all.ToJsonString();
    }
}
