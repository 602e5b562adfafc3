// In: the results of a run. Out: for each category the times of all contenders, compared with the machine's limits, the
// best peer and the interpreter.
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Reports;

/// <summary>One contender on one case.</summary>
/// <param name="Processes">The number of measured processes.</param>
/// <param name="Median">Microseconds: the median of the process medians.</param>
/// <param name="Gflops">At the median; null for work without floating-point operations.</param>
/// <param name="PeakPercent">Percentage of the fma peak that the same processes measured.</param>
/// <param name="Gbps">Compulsory bytes over the median.</param>
/// <param name="BandwidthPercent">Percentage of the machine's bandwidth, if that is given.</param>
/// <param name="BestPeer">The fastest peer on the case; null without peers.</param>
/// <param name="OverPeer">The peer's time over this one's: above 1 this one is faster.</param>
/// <param name="OverInterpreter">The interpreter's time over this one's.</param>
/// <param name="Checked">The reference that the results were compared with.</param>
internal sealed record ReportRow(ArmKey Arm, int Processes, double Median, double? Gflops, double? PeakPercent,
    double? Gbps, double? BandwidthPercent, string? BestPeer, double? OverPeer, double? OverInterpreter,
    string Checked);

/// <summary>A combination without figures.</summary>
internal sealed record MissingRow(ArmKey Arm, ResultStatus Status, string Reason);

/// <summary>The geometric means of a contender's ratios in a category, each over that many cases.</summary>
internal sealed record MeanRow(string Contender, int? Threads, double? OverPeer, int PeerCases,
    double? OverInterpreter, int InterpreterCases);

internal sealed record CategoryReport(string Category, IReadOnlyList<ReportRow> Rows, IReadOnlyList<MeanRow> Means,
    IReadOnlyList<MissingRow> Missing);

internal sealed record BenchReport(Side Side, IReadOnlyList<CategoryReport> Categories)
{
    private const string Interpreter = "interpreter";
    private const string Peer = "peer";

    /// <param name="side">The results to report.</param>
    /// <param name="bandwidth">The machine's memory bandwidth in GB/s; null if not given.</param>
    public static BenchReport Of(Side side, double? bandwidth = null) => new(side,
        [.. side.Results.GroupBy(r => r.Category).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => Category(g.Key, [.. g], bandwidth))]);

    private static CategoryReport Category(string name, List<ResultRecord> results, double? bandwidth)
    {
        List<ReportRow> rows = [];
        List<MissingRow> missing = [];
        foreach (var work in results.GroupBy(r => (r.Benchmark, r.CaseKey, r.Scenario)))
        {
            var arms = work.GroupBy(r => r.Arm)
                .Select(g => (g.Key, All: g.ToList(), Measured: g.Where(IsMeasured).ToList())).ToList();
            var measured = arms.Where(a => a.Measured.Count > 0).ToList();
            foreach (var (arm, all, own) in arms)
            {
                if (own.Count > 0) rows.Add(Row(arm, own, [.. measured.Select(m => m.Measured)], bandwidth));
                missing.AddRange(all.Where(r => !IsMeasured(r)).Select(r => (r.Status, Reason: r.Reason ?? "no reason"))
                    .Distinct().Select(r => new MissingRow(arm, r.Status, r.Reason)));
            }
        }
        var means = rows.GroupBy(r => (r.Arm.Contender, r.Arm.Threads)).Select(g =>
        {
            var (peers, interpreters) = (Ratios(g.Select(r => r.OverPeer)), Ratios(g.Select(r => r.OverInterpreter)));
            return new MeanRow(g.Key.Contender, g.Key.Threads, Mean(peers), peers.Count, Mean(interpreters),
                interpreters.Count);
        });
        rows = [.. rows.OrderBy(r => r.Arm.Benchmark, StringComparer.Ordinal)
            .ThenBy(r => r.Arm.CaseKey, StringComparer.Ordinal).ThenBy(r => r.Arm.Scenario, StringComparer.Ordinal)
            .ThenBy(r => r.Median)];
        return new(name, rows, [.. means.Where(m => m is { OverPeer: not null } or { OverInterpreter: not null })],
            missing);
    }

    private static bool IsMeasured(ResultRecord r) => r is { Status: ResultStatus.Measured, Median: > 0 };

    private static ReportRow Row(ArmKey arm, List<ResultRecord> own, List<List<ResultRecord>> all, double? bandwidth)
    {
        var median = Median(own.Select(r => r.Median))!.Value;
        var (flops, bytes) = (own[0].Flops, own[0].Bytes);
        var peak = Median(own.Select(r => r.PeakGflops));
        var (gflops, gbps) = (flops is > 0 ? flops / median * 1e-3 : null, bytes is > 0 ? bytes / median * 1e-3 : null);
        var peers = all.Where(a => a[0].Backend == Peer).ToList();
        // Peers with the same number of threads are the fair comparison; others are better than none.
        if (peers.Any(a => a[0].Threads == arm.Threads)) peers = [.. peers.Where(a => a[0].Threads == arm.Threads)];
        var best = peers.MinBy(a => Median(a.Select(r => r.Median)));
        var interpreter = all.Find(a => a[0].Contender == Interpreter);
        double? Over(List<ResultRecord>? other) => Median(other?.Select(r => r.Median) ?? []) / median;
        return new(arm, own.Count, median, gflops, 100 * gflops / peak, gbps, 100 * gbps / bandwidth,
            best?[0].Contender, Over(best), arm.Contender == Interpreter ? null : Over(interpreter),
            string.Join(", ", own.Select(r => r.Checked).Distinct()));
    }

    private static double? Median(IEnumerable<double?> values)
    {
        var all = values.OfType<double>().ToList();
        return all.Count == 0 ? null : SampleSummary.Of(all).Median;
    }

    private static List<double> Ratios(IEnumerable<double?> ratios) => [.. ratios.OfType<double>()];

    private static double? Mean(List<double> ratios) =>
        ratios.Count == 0 ? null : Math.Exp(ratios.Average(Math.Log));
}
