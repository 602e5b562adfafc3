// In: records of arms, limits of the machine. Out: the table of a run: each comparison's line, and the means of its parts.
using System.Globalization;
using System.Text;
using Accelerate.Bench.Records;
using Accelerate.Bench.Registry;

namespace Accelerate.Bench.Running;

/// <summary>One line at one number of threads.</summary>
internal sealed record RunLine(BenchmarkCase Case, ComparisonLine Line, int Threads)
{
    /// <summary>Our median over the processes, in microseconds.</summary>
    public double? Ours { get; init; }

    /// <summary>The best peer's.</summary>
    public double? Best { get; init; }

    public string Peer { get; init; } = "";

    /// <summary>The best peer's median over ours: above 1 we are ahead.</summary>
    public double? Ratio => Best / Ours;

    /// <summary>The ratios of the blocks that both have: the least and the greatest.</summary>
    public (double Low, double High)? Spread { get; init; }

    /// <summary>"70 GFLOP/s" or "17 GB/s".</summary>
    public string Rate { get; init; } = "";

    /// <summary>What bounds it and how much of that is reached: "FMA 94 %".</summary>
    public string Bound { get; init; } = "";

    /// <summary>Why there is no figure of ours.</summary>
    public string Note { get; init; } = "";

    /// <summary>Every peer's median, the quickest first.</summary>
    public IReadOnlyList<(string Peer, double Median)> Others { get; init; } = [];

    /// <summary>The medians of our processes and of the best peer's, by block.</summary>
    public IReadOnlyList<(int Block, double Median)> OurBlocks { get; init; } = [];

    /// <inheritdoc cref="OurBlocks"/>
    public IReadOnlyList<(int Block, double Median)> PeerBlocks { get; init; } = [];
}

/// <summary>
/// The roofline is the greater of arithmetic at the FMA peak of the same processes and traffic at the bandwidth of the
/// level that holds all of the case's data.
/// </summary>
internal sealed class RunTable(IReadOnlyList<BenchmarkCase> cases, Suite suite,
    IReadOnlyDictionary<ArmKey, List<ResultRecord>> records, IReadOnlyDictionary<int, MachineLimits> limits)
{
    /// <summary>Every line of the suite's cases; a case without any has one for each way of ours.</summary>
    public IReadOnlyList<RunLine> Lines { get; } = [.. cases.SelectMany(c => suite.Threads.SelectMany(t =>
        LinesOf(c).Select(l => Make(c, l, t, suite, records, limits))))];

    public static IEnumerable<ComparisonLine> LinesOf(BenchmarkCase c) => c.Definition.Lines.Count > 0
        ? c.Definition.Lines
        : c.Definition.Ours.Select(o => new ComparisonLine(
            string.Join(", ", new[] { c.Definition.Title, o.Name }.Where(w => w.Length > 0)), o.Name, [],
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
            : $"{head} {Time(l.Ours),9}  {l.Rate,12}  {l.Bound,9}  {Ratio(l),-20} {others}".TrimEnd();
    }

    /// <summary>"×1.02 (0.98–1.05)".</summary>
    public static string Ratio(RunLine l) => l.Ratio is not { } ratio ? "" : string.Create(CultureInfo.InvariantCulture,
        $"×{ratio:0.00}{(l.Spread is { } s ? string.Create(CultureInfo.InvariantCulture, $" ({s.Low:0.00}–{s.High:0.00})") : "")}");

    /// <summary>Geometric means of the ratios of each part; and where there is one, of the part without
    /// Winograd.</summary>
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

    /// <summary>For a terminal: a line for each comparison, then the means.</summary>
    public string Text()
    {
        var text = new StringBuilder();
        foreach (var line in Lines) text.Append(Text(line)).Append('\n');
        foreach (var (threads, part, mean, count, all) in Means())
            text.Append(CultureInfo.InvariantCulture, $"geometric mean, {threads}t, {part}: {mean:0.000}{Missing(count, all)}\n");
        return text.ToString();
    }

    /// <summary>The tables of bench/RESULTS.md.</summary>
    /// <param name="command">What prints them.</param>
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

    private static RunLine Make(BenchmarkCase c, ComparisonLine line, int threads, Suite suite,
        IReadOnlyDictionary<ArmKey, List<ResultRecord>> records, IReadOnlyDictionary<int, MachineLimits> limits)
    {
        List<ResultRecord> Of(string contender) => records.GetValueOrDefault(
            new ArmKey(c.Benchmark.Name, c.Key, contender, threads, "single-stream"), []);
        var ours = Of(Arm.Name(suite.Backends[0], line.Way, suite.Backends[0] == "llvm" ? suite.Levels[0] : null));
        var peers = line.Peers.Select(p => (Peer: p, Blocks: Blocks(Of(p)))).Where(p => p.Blocks.Count > 0)
            .Select(p => (p.Peer, p.Blocks, Median: Median(p.Blocks))).OrderBy(p => p.Median).ToList();
        var mine = Blocks(ours);
        var best = peers.FirstOrDefault();
        var common = best.Blocks is null ? [] : mine.Join(best.Blocks, m => m.Block, b => b.Block,
            (m, b) => b.Median / m.Median).ToList();
        var note = c.Definition.Unsupported ?? ours.LastOrDefault(r => r.Reason is not null)?.Reason ?? "not measured";
        var made = new RunLine(c, line, threads)
        {
            Best = best.Blocks is null ? null : best.Median,
            Peer = best.Peer ?? "",
            Others = peers.ConvertAll(p => (p.Peer, p.Median)),
            OurBlocks = mine,
            PeerBlocks = best.Blocks ?? [],
            Note = note,
        };
        if (mine.Count == 0) return made;
        var median = Median(mine);
        var (rate, bound) = Limit(ours.First(r => r.Median is not null), median, ours, limits.GetValueOrDefault(threads));
        return made with
        {
            Ours = median,
            Note = "",
            Rate = rate,
            Bound = bound,
            Spread = common.Count == 0 ? null : (common.Min(), common.Max()),
        };
    }

    private static List<(int Block, double Median)> Blocks(List<ResultRecord> all) =>
        [.. all.Where(r => r.Median is not null).Select(r => (r.Block, r.Median!.Value))];

    private static double Median(List<(int Block, double Median)> blocks) =>
        SampleSummary.Percentile([.. blocks.Select(b => b.Median).Order()], 0.5);

    private static (string Rate, string Bound) Limit(ResultRecord one, double us, List<ResultRecord> all,
        MachineLimits? machine)
    {
        var (flops, bytes) = (one.Flops ?? 0, one.Bytes ?? 0);
        double[] peaks = [.. all.Where(r => r.PeakGflops is not null).Select(r => r.PeakGflops!.Value).Order()];
        var arithmetic = peaks.Length > 0 ? flops / SampleSummary.Percentile(peaks, 0.5) * 1e-3 : 0;
        var level = machine?.Levels.First(l => bytes <= l.Bytes);
        // A map reads and writes; weights are read only.
        var traffic = level is null ? 0 : bytes / (flops > 0 ? level.Read : level.Move) * 1e-3;
        string Share(string name, double least) => least > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{name} {100 * least / us:0} %") : "";
        return flops > 0 && arithmetic >= traffic ? ($"{Digits(flops / us * 1e-3)} GFLOP/s", Share("FMA", arithmetic))
            : ($"{Digits(bytes / us * 1e-3)} GB/s", Share(level?.Name ?? "", traffic));
    }

    /// <summary>Three digits that count.</summary>
    private static string Digits(double value) => value switch
    {
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.##", CultureInfo.InvariantCulture),
    };
}
