// In: the results of a run. Out: each of our contenders against the best peer of its case, as bars of a chart.
using Accelerate.Bench.Records;
using Accelerate.Bench.Statistics;

namespace Accelerate.Bench.Reports;

internal static class PeerBars
{
    public static IReadOnlyList<ChartBar> Of(Side side)
    {
        var rows = BenchReport.Of(side).Categories.SelectMany(c => c.Rows).ToList();
        var processes = side.Results.Where(r => r is { Status: ResultStatus.Measured, Median: > 0 })
            .ToLookup(r => r.Arm, r => new ProcessMedian(r.Median!.Value, $"{r.RunId}/{r.Block}"));
        var peers = side.Results.Where(r => r.Backend == "peer").Select(r => r.Contender).ToHashSet();
        // The interpreter is no competitor: its bars would make all others invisible.
        var pairs = rows.Where(r => r.BestPeer is not null && r.Arm.Contender != "interpreter"
                && !peers.Contains(r.Arm.Contender))
            .Select(r => (Row: r, Peer: rows.Where(p => p.Arm.Contender == r.BestPeer
                    && (p.Arm.Benchmark, p.Arm.CaseKey, p.Arm.Scenario)
                        == (r.Arm.Benchmark, r.Arm.CaseKey, r.Arm.Scenario))
                .OrderBy(p => p.Arm.Threads != r.Arm.Threads).First().Arm)).ToList();
        var compared = Comparison.Suite([.. pairs.Select(p => ((IReadOnlyList<ProcessMedian>)[.. processes[p.Peer]],
            (IReadOnlyList<ProcessMedian>)[.. processes[p.Row.Arm]]))], new());
        return [.. pairs.Zip(compared, (p, c) =>
        {
            var isKnown = double.IsFinite(c.Interval.High);
            var arm = p.Row.Arm;
            var label = $"{arm.Benchmark} {arm.CaseKey}, {arm.Contender}"
                + (arm.Threads is { } t ? $" x{t}" : "") + $" / {p.Row.BestPeer}";
            return new ChartBar(label, c.Ratio, isKnown ? c.Interval.Low : null, isKnown ? c.Interval.High : null,
                c.Verdict);
        })];
    }
}
