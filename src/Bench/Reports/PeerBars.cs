// In: the results of a run. Out: each of our contenders against the best peer of its case, or against the interpreter
// if the run has no peers, as bars of a chart.
using Accelerate.Bench.Records;
using Accelerate.Bench.Statistics;

namespace Accelerate.Bench.Reports;

internal static class PeerBars
{
    /// <summary>The contender that the bars are relative to.</summary>
    public static string Against(Side side) =>
        side.Results.Any(r => r is { Backend: "peer", Median: > 0 }) ? "the best peer" : "the interpreter";

    /// <exception cref="HarnessException">The run has neither peers nor an interpreter.</exception>
    public static IReadOnlyList<ChartBar> Of(Side side)
    {
        var isPeers = Against(side) == "the best peer";
        var rows = BenchReport.Of(side).Categories.SelectMany(c => c.Rows).ToList();
        var processes = side.Results.Where(r => r is { Status: ResultStatus.Measured, Median: > 0 })
            .ToLookup(r => r.Arm, r => new ProcessMedian(r.Median!.Value, r.Neighbours));
        var peers = side.Results.Where(r => r.Backend == "peer").Select(r => r.Contender).ToHashSet();
        // The interpreter is not a competitor: its bar would make all others invisibly short.
        string? Other(ReportRow r) => isPeers ? r.BestPeer : r.OverInterpreter is null ? null : "interpreter";
        var pairs = rows.Where(r => Other(r) is not null && r.Arm.Contender != "interpreter"
                && !peers.Contains(r.Arm.Contender))
            .Select(r => (Row: r, Peer: rows.Where(p => p.Arm.Contender == Other(r)
                    && (p.Arm.Benchmark, p.Arm.CaseKey, p.Arm.Scenario)
                        == (r.Arm.Benchmark, r.Arm.CaseKey, r.Arm.Scenario))
                .OrderBy(p => p.Arm.Threads != r.Arm.Threads).First().Arm)).ToList();
        if (pairs.Count == 0)
        {
            throw new HarnessException($"--chart: nothing of '{side.Name}' stands against a peer or the interpreter",
                "accc bench run --peers, or --backends llvm,interpreter");
        }
        var compared = Comparison.Suite([.. pairs.Select(p => ((IReadOnlyList<ProcessMedian>)[.. processes[p.Peer]],
            (IReadOnlyList<ProcessMedian>)[.. processes[p.Row.Arm]]))], new());
        return [.. pairs.Zip(compared, (p, c) =>
        {
            var isKnown = double.IsFinite(c.Interval.High);
            var arm = p.Row.Arm;
            var label = $"{arm.Benchmark} {arm.CaseKey}, {arm.Contender}"
                + (arm.Threads is { } t ? $" x{t}" : "") + $" / {Other(p.Row)}";
            return new ChartBar(label, c.Ratio, isKnown ? c.Interval.Low : null, isKnown ? c.Interval.High : null,
                c.Verdict);
        })];
    }
}
