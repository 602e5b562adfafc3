// In: records of arms, limits of the machine. Out: the table of a run: a line for each comparison, and the means of its
// parts.
using System.Globalization;
using System.Text;
using Accelerate.Bench.Records;
using Accelerate.Bench.Registry;
using Accelerate.Bench.Statistics;

namespace Accelerate.Bench.Running;

/// <summary>One line for one number of threads.</summary>
internal sealed record RunLine(BenchmarkCase Case, ComparisonLine Line, int Threads)
{
    /// <summary>Our median over the processes, in microseconds.</summary>
    public double? Ours { get; init; }

    /// <summary>The best peer's median.</summary>
    public double? Best { get; init; }

    public string Peer { get; init; } = "";

    /// <summary>The best peer's median over ours: above 1 we are faster.</summary>
    public double? Ratio => Best / Ours;

    /// <summary>The least and the greatest ratio of the blocks that have both.</summary>
    public (double Low, double High)? Spread { get; init; }

    /// <summary>"70 GFLOP/s" or "17 GB/s".</summary>
    public string Rate { get; init; } = "";

    /// <summary>For texts: the median times of the first token and of each further one, in microseconds.</summary>
    public (double First, double Next)? Tokens { get; init; }

    /// <summary>The limit, and the percentage of it that is reached: "FMA 94 %".</summary>
    public string Bound { get; init; } = "";

    /// <summary>Why there is no figure of ours.</summary>
    public string Note { get; init; } = "";

    /// <summary>Every peer's median, fastest first.</summary>
    public IReadOnlyList<(string Peer, double Median)> Others { get; init; } = [];

    /// <summary>The medians of our processes, each with its block.</summary>
    public IReadOnlyList<ProcessMedian> OurProcesses { get; init; } = [];

    /// <summary>The medians of the best peer's processes.</summary>
    public IReadOnlyList<ProcessMedian> PeerProcesses { get; init; } = [];

    /// <summary>Ours against the best peer, after false-discovery control over the suite; null without a peer.</summary>
    public Comparison? Test { get; init; }
}

/// <summary>One of our contenders on a case, if a suite has several backends or levels.</summary>
/// <param name="Arm">The contender and case.</param>
/// <param name="Median">Microseconds; null if there is no figure.</param>
/// <param name="Note">Why there is none.</param>
/// <param name="SpeedUp">The speed-up over the kernel interpreter.</param>
/// <param name="Test">The comparison with the suite's first contender; null for that one.</param>
internal sealed record ContenderLine(Arm Arm, double? Median, string Note, double? SpeedUp, Comparison? Test)
{
    /// <summary>The contender that <see cref="Test"/> compares with.</summary>
    public string Against { get; init; } = "";
}

/// <summary>
/// The roofline is the larger of two times: arithmetic at the FMA peak of the same processes, and traffic at the
/// bandwidth of the level that holds all of the case's data.
/// </summary>
internal sealed class RunTable(IReadOnlyList<BenchmarkCase> cases, Suite suite,
    IReadOnlyDictionary<ArmKey, List<ResultRecord>> records, IReadOnlyDictionary<int, MachineLimits> limits,
    IReadOnlyList<OtherBuild>? builds = null)
{
    private static readonly ComparisonOptions Testing = new();

    /// <summary>All lines of the suite's cases; a case without lines gets one for each of our ways.</summary>
    public IReadOnlyList<RunLine> Lines { get; } = Tested([.. cases.SelectMany(c => suite.Threads.SelectMany(t =>
        LinesOf(c).Select(l => Make(c, l, t, suite, records, limits))))]);

    /// <summary>Our contenders side by side; empty if there is only one.</summary>
    public IReadOnlyList<ContenderLine> Contenders { get; } =
        suite.Backends.Count * suite.Levels.Count > 1 || builds is { Count: > 0 }
            ? SideBySide(cases, suite, records, builds ?? []) : [];

    public static IEnumerable<ComparisonLine> LinesOf(BenchmarkCase c) => c.Definition.Lines.Count > 0
        ? c.Definition.Lines
        : c.Definition.Ours.Select(o => new ComparisonLine(
            string.Join(", ", new[] { c.Definition.Model is null ? c.Name : c.Definition.Title, o.Name }
                .Where(w => w.Length > 0)), o.Name, [],
            c.Benchmark.Category));

    public static string Time(double? us) => us switch
    {
        null => "-",
        >= 1000 => Digits(us.Value / 1e3) + " ms",
        _ => Digits(us.Value) + " µs",
    };

    /// <summary>One line of a terminal.</summary>
    public static string Text(RunLine l)
    {
        var head = $"{l.Line.Title,-44} {l.Threads}t ";
        var others = string.Join(", ", l.Others.Select(o => $"{o.Peer} {Time(o.Median)}"));
        return l.Ours is null ? $"{head} {l.Note}{(others.Length > 0 ? "; peers: " + others : "")}"
            : ($"{head} {Time(l.Ours),9}  {l.Rate,12}  {l.Bound,9}  {Ratio(l),-20} {Word(l.Test),-12} "
                + $"{Tokens(l)}{others}").TrimEnd();
    }

    private static string Tokens(RunLine l) => l.Tokens is { } t
        ? $"first token {Time(t.First)}, next {Time(t.Next)}  " : "";

    /// <summary>"×1.02 (0.98–1.05)".</summary>
    public static string Ratio(RunLine l) => l.Ratio is not { } ratio ? "" : string.Create(CultureInfo.InvariantCulture,
        $"×{ratio:0.00}{(l.Spread is { } s ? string.Create(CultureInfo.InvariantCulture, $" ({s.Low:0.00}–{s.High:0.00})") : "")}");

    /// <summary>Geometric means of the ratios of each part, and also without Winograd if the part uses it.</summary>
    public IEnumerable<(int Threads, string Part, double Mean, int Count, int All)> Means()
    {
        foreach (var threads in suite.Threads)
        {
            var all = Lines.Where(l => l.Threads == threads).ToList();
            foreach (var part in all.Select(l => l.Line.Part).Where(p => p != "without Winograd").Distinct())
            {
                var group = all.Where(l => l.Line.Part == part).ToList();
                var plain = group.ConvertAll(l => l.Line.Plain.Length == 0 ? l
                    : all.First(p => p.Case == l.Case && p.Line.Way == l.Line.Plain));
                if (Mean(part, group) is { } mean) yield return mean;
                if (!plain.SequenceEqual(group) && Mean($"{part}, without Winograd", plain) is { } direct)
                    yield return direct;
            }

            (int, string, double, int, int)? Mean(string name, List<RunLine> group)
            {
                double[] ratios = [.. group.Where(l => l.Ratio is not null).Select(l => l.Ratio!.Value)];
                return ratios.Length == 0 ? null
                    : (threads, name, Math.Exp(ratios.Average(Math.Log)), ratios.Length, group.Count);
            }
        }
    }

    /// <summary>
    /// The inconclusive comparisons, with the number of processes a side that would detect a change of 10 %.
    /// </summary>
    public IReadOnlyList<(string Case, int Threads, int Needed)> Open() =>
    [
        .. Lines.Select(l => (l.Case.Name, l.Threads, l.Test))
            .Concat(Contenders.Select(c => (c.Arm.Case.Name, c.Arm.Threads, c.Test)))
            .Where(o => o.Test is { Verdict: Verdict.Inconclusive })
            .Select(o => (o.Name, o.Threads, Math.Max(o.Test!.Needed ?? 0, Comparison.LeastProcesses))),
    ];

    /// <summary>The machine's noise, estimated from two arms of the same contender.</summary>
    public static string Noise(Arm one, Arm two, IReadOnlyDictionary<ArmKey, List<ResultRecord>> records)
    {
        var (a, b) = (Processes(records[one.Key]), Processes(records[two.Key]));
        var head = $"A/A of {one.Case.Name}, {one.Contender}, {one.Threads}t";
        if (a.Count + b.Count < 4) return $"{head}: too few processes\n";
        var (test, arm) = (Comparison.Of(a, b, Testing), AaArm.Of(a, b, Testing));
        var least = arm.Detectable(Math.Min(a.Count, b.Count)) is { } d
            ? string.Create(CultureInfo.InvariantCulture, $"{100 * d:0} %") : "none";
        return string.Create(CultureInfo.InvariantCulture, $"{head}: {Word(test)}, processes vary by {100 * arm.Variation:0.#} %, "
            + $"{arm.FalsePositives * arm.Repetitions:0} of {arm.Repetitions} deals of the labels are found to differ; "
            + $"{Math.Min(a.Count, b.Count)} a side find {least}, a change of 10 % needs {arm.Needed(0.1)}\n");
    }

    /// <summary>For a terminal: a line for each comparison, then the means.</summary>
    public string Text()
    {
        var text = new StringBuilder();
        if (Contenders.Count > 0)
        {
            text.Append(BenchTable.Align(["case", "threads", "contender", "median", "speed-up", "verdict", ""],
                Contenders.Select(c => new[]
                {
                    c.Arm.Case.Name, $"{c.Arm.Threads}", c.Arm.Contender, Time(c.Median),
                    c.SpeedUp is { } up ? $"{Digits(up)}×" : "", Word(c.Test),
                    c.Median is null ? c.Note : c.Test is { } t ? Interval(t, c.Against) : "",
                }))).Append('\n');
        }
        foreach (var line in Lines) text.Append(Text(line)).Append('\n');
        foreach (var (threads, part, mean, count, all) in Means())
            text.Append(CultureInfo.InvariantCulture, $"geometric mean, {threads}t, {part}: {mean:0.000}{Missing(count, all)}\n");
        return text.ToString();
    }

    /// <summary>The tables of bench/RESULTS.md.</summary>
    /// <param name="command">The command that prints them.</param>
    public string Markdown(string command)
    {
        var threads = suite.Threads;
        var text = new StringBuilder();
        text.Append($"`{command}`. A ratio is the best peer's time over ours, above 1 we are ahead; in brackets the least "
            + "and the greatest of a block. The limit is the roofline (`bench/README.md`); Winograd does less arithmetic "
            + "than it counts.\n\n");
        string Count(int t) => $"{t} thread{(t == 1 ? "" : "s")}";
        var means = Means().ToList();
        if (means.Count > 0)
        {
            text.Append($"| geometric mean of the ratios | {string.Join(" | ", threads.Select(Count))} |\n");
            text.Append($"|---|{string.Concat(threads.Select(_ => "---|"))}\n");
            foreach (var part in means.Select(m => m.Part).Distinct())
            {
                var cells = threads.Select(t => means.FirstOrDefault(m => m.Threads == t && m.Part == part))
                    .Select(m => m.Part is null ? ""
                        : string.Create(CultureInfo.InvariantCulture, $"{m.Mean:0.000}{Missing(m.Count, m.All)}"));
                text.Append($"| {part} | {string.Join(" | ", cells)} |\n");
            }
            text.Append('\n');
        }
        text.Append($"| case | {string.Join(" | ", threads.Select(t => $"ours, {Count(t)} | of the limit | best peer | ratio (blocks)"))} |\n");
        text.Append($"|---|{string.Concat(threads.Select(_ => "---|---|---|---|"))}\n");
        foreach (var group in Lines.GroupBy(l => (l.Case.Name, l.Line.Title)))
        {
            var cells = group.Select(l => l.Ours is null ? $"{l.Note} |  | {Peer(l)} | "
                : $"{Time(l.Ours)} | {l.Bound} | {Peer(l)} | {Ratio(l).TrimStart('×')}");
            text.Append($"| {group.Key.Title} | {string.Join(" | ", cells)} |\n");
        }
        return text.ToString();

        static string Peer(RunLine l) => l.Best is null ? "-" : $"{Time(l.Best)} {l.Peer.Replace('_', ' ')}";
    }

    private static string Missing(int count, int all) => count == all ? "" : $" ({count} of {all} rows)";

    /// <summary>"faster": ours against the best peer, or a suite's other contenders against its first.</summary>
    private static string Word(Comparison? test) => test is null ? "" : test.Verdict.ToString().ToLowerInvariant();

    private static string Interval(Comparison t, string against) => string.Create(CultureInfo.InvariantCulture,
        $"takes {t.Ratio:0.##} ({t.Interval.Low:0.##}–{t.Interval.High:0.##}) times {against}'s time");

    private static IReadOnlyList<RunLine> Tested(IReadOnlyList<RunLine> lines)
    {
        var compared = lines.Where(l => l.OurProcesses.Count > 0 && l.PeerProcesses.Count > 0).ToList();
        var tests = compared.Zip(Comparison.Suite([.. compared.Select(l => (l.PeerProcesses, l.OurProcesses))], Testing))
            .ToDictionary(p => p.First, p => p.Second);
        return [.. lines.Select(l => tests.TryGetValue(l, out var test) ? l with { Test = test } : l)];
    }

    private static IReadOnlyList<ContenderLine> SideBySide(IReadOnlyList<BenchmarkCase> cases, Suite suite,
        IReadOnlyDictionary<ArmKey, List<ResultRecord>> records, IReadOnlyList<OtherBuild> builds)
    {
        var lines = new List<ContenderLine>();
        var pairs = new List<(int Line, IReadOnlyList<ProcessMedian> First, IReadOnlyList<ProcessMedian> Own)>();
        foreach (var group in cases.SelectMany(c => Arms.Of(c, suite, withPeers: false, allPeers: false, builds))
            .GroupBy(a => (a.Case.Name, a.Threads, a.Ours!.Name)))
        {
            var arms = group.Select(a => (Arm: a, Records: records.GetValueOrDefault(a.Key, []))).ToList();
            var first = Processes(arms[0].Records);
            var interpreter = arms.Where(a => a.Arm.Backend == "interpreter").Select(a => Median(Processes(a.Records)))
                .FirstOrDefault();
            foreach (var (arm, all) in arms)
            {
                var own = Processes(all);
                if (lines.Count > 0 && arm != arms[0].Arm && own.Count > 0 && first.Count > 0)
                    pairs.Add((lines.Count, first, own));
                lines.Add(new(arm, Median(own), all.LastOrDefault()?.Reason ?? "not measured",
                    interpreter / Median(own), null)
                { Against = arms[0].Arm.Contender });
            }
        }
        foreach (var ((line, _, _), test) in pairs.Zip(Comparison.Suite([.. pairs.Select(p => (p.First, p.Own))], Testing)))
            lines[line] = lines[line] with { Test = test };
        return lines;
    }

    private static RunLine Make(BenchmarkCase c, ComparisonLine line, int threads, Suite suite,
        IReadOnlyDictionary<ArmKey, List<ResultRecord>> records, IReadOnlyDictionary<int, MachineLimits> limits)
    {
        List<ResultRecord> RecordsOf(string contender) => records.GetValueOrDefault(
            new ArmKey(c.Benchmark.Name, c.Key, contender, threads, suite.Scenario?.Name ?? "single-stream"), []);
        var isOwn = c.Definition.Ours.Any(o => o.Name == line.Way && o.Assembly is not null);
        var backend = isOwn ? "own" : suite.Backends[0];
        var ours = RecordsOf(Arm.Name(backend, line.Way, backend == "llvm" ? suite.Levels[0] : null));
        var peers = line.Peers.Select(p => (Peer: p, Processes: Processes(RecordsOf(p)))).Where(p => p.Processes.Count > 0)
            .Select(p => (p.Peer, p.Processes, Median: Median(p.Processes)!.Value)).OrderBy(p => p.Median).ToList();
        var mine = Processes(ours);
        var best = peers.FirstOrDefault();
        var common = best.Processes is null ? []
            : mine.Join(best.Processes, m => m.Block, b => b.Block, (m, b) => b.Value / m.Value).ToList();
        var note = c.Definition.Unsupported ?? ours.LastOrDefault(r => r.Reason is not null)?.Reason ?? "not measured";
        var made = new RunLine(c, line, threads)
        {
            Best = best.Processes is null ? null : best.Median,
            Peer = best.Peer ?? "",
            Others = peers.ConvertAll(p => (p.Peer, p.Median)),
            OurProcesses = mine,
            PeerProcesses = best.Processes ?? [],
            Note = note,
        };
        if (Median(mine) is not { } median) return made;
        var (rate, bound) = Limit(ours.First(r => r.Median is not null), median, ours, limits.GetValueOrDefault(threads));
        double? Of(Func<ResultRecord, double?> value) =>
            ours.Select(value).OfType<double>().Order().ToList() is { Count: > 0 } all
                ? SampleSummary.Percentile(all, 0.5) : null;
        (double, double)? tokens = Of(r => r.FirstToken) is { } first && Of(r => r.NextToken) is { } next
            ? (first, next) : null;
        return made with
        {
            Ours = median,
            Note = "",
            Rate = tokens is null ? rate : $"{Digits(Of(r => r.ItemsPerSecond)!.Value)} tokens/s",
            Tokens = tokens,
            Bound = bound,
            Spread = common.Count == 0 ? null : (common.Min(), common.Max()),
        };
    }

    /// <summary>Blocks of different runs are different blocks.</summary>
    private static IReadOnlyList<ProcessMedian> Processes(List<ResultRecord> all) =>
        [.. all.Where(r => r.Median is not null).Select(r => new ProcessMedian(r.Median!.Value, r.Neighbours))];

    private static double? Median(IReadOnlyList<ProcessMedian> processes) => processes.Count == 0 ? null
        : SampleSummary.Percentile([.. processes.Select(p => p.Value).Order()], 0.5);

    private static (string Rate, string Bound) Limit(ResultRecord one, double us, List<ResultRecord> all,
        MachineLimits? machine)
    {
        var (flops, bytes) = (one.Flops ?? 0, one.Bytes ?? 0);
        double[] peaks = [.. all.Where(r => r.PeakGflops is not null).Select(r => r.PeakGflops!.Value).Order()];
        var arithmetic = peaks.Length > 0 ? flops / SampleSummary.Percentile(peaks, 0.5) * 1e-3 : 0;
        var level = machine?.Levels.First(l => bytes <= l.Bytes);
        // A map reads and writes; weights are only read.
        var traffic = level is null ? 0 : bytes / (flops > 0 ? level.Read : level.Move) * 1e-3;
        string Share(string name, double least) => least > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{name} {100 * least / us:0} %") : "";
        return flops > 0 && arithmetic >= traffic ? ($"{Digits(flops / us * 1e-3)} GFLOP/s", Share("FMA", arithmetic))
            : ($"{Digits(bytes / us * 1e-3)} GB/s", Share(level?.Name ?? "", traffic));
    }

    /// <summary>Three significant digits.</summary>
    private static string Digits(double value) => value switch
    {
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.##", CultureInfo.InvariantCulture),
    };
}
