// In: a report. Out: its text in Markdown and JSON.
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Reports;

internal static class BenchReportText
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Markdown(BenchReport report)
    {
        var text = new StringBuilder("# Benchmarks\n\n");
        foreach (var run in report.Side.Runs) text.Append(CultureInfo.InvariantCulture, $"- {Describe(run)}\n");
        foreach (var category in report.Categories)
        {
            var hasBandwidth = category.Rows.Any(r => r.BandwidthPercent is not null);
            string[] header =
            [
                "case", "contender", "threads", "processes", "median", "GFLOP/s", "% of peak", "GB/s",
                .. hasBandwidth ? ["% of bandwidth"] : Array.Empty<string>(), "best peer / this",
                "interpreter / this", "checked",
            ];
            text.Append(CultureInfo.InvariantCulture, $"\n## {category.Category}\n\n")
                .Append(MarkdownTable.Print(header, category.Rows.Select(r => Cells(r, hasBandwidth))));
            if (category.Means.Count > 0)
                text.Append("\nGeometric means:\n\n").Append(MarkdownTable.Print(
                    ["contender", "threads", "best peer / this", "cases", "interpreter / this", "cases"],
                    category.Means.Select(m => (string[])
                    [
                        m.Contender, Count(m.Threads), Ratio(m.OverPeer), Count(m.PeerCases), Ratio(m.OverInterpreter),
                        Count(m.InterpreterCases),
                    ])));
            if (category.Missing.Count > 0)
                text.Append("\nWithout figures:\n\n").Append(MarkdownTable.Print(
                    ["case", "contender", "threads", "what", "why"],
                    category.Missing.Select(m => (string[])
                    [
                        Case(m.Arm), m.Arm.Contender, Count(m.Arm.Threads), Name(m.Status), m.Reason,
                    ])));
        }
        return text.ToString();
    }

    public static string ToJson(BenchReport report) => JsonSerializer.Serialize(new
    {
        Runs = report.Side.Runs,
        Categories = report.Categories.Select(c => new
        {
            c.Category,
            Rows = c.Rows.Select(r => new
            {
                r.Arm.Benchmark,
                r.Arm.CaseKey,
                r.Arm.Contender,
                r.Arm.Threads,
                r.Arm.Scenario,
                r.Processes,
                MedianUs = r.Median,
                r.Gflops,
                r.PeakPercent,
                r.Gbps,
                r.BandwidthPercent,
                r.BestPeer,
                r.OverPeer,
                r.OverInterpreter,
                r.Checked,
            }),
            GeometricMeans = c.Means,
            Missing = c.Missing.Select(m => new
            {
                m.Arm.Benchmark,
                m.Arm.CaseKey,
                m.Arm.Contender,
                m.Arm.Threads,
                m.Arm.Scenario,
                Status = Name(m.Status),
                m.Reason,
            }),
        }),
    }, Json) + "\n";

    /// <summary>The run, its machine and its software, on one line.</summary>
    private static string Describe(RunRecord run)
    {
        var (machine, software) = (run.Hardware, run.Environment);
        return string.Create(CultureInfo.InvariantCulture,
            $"run {run.Id.ToString("N")[..8]}{(run.Suite is { } suite ? $", suite {suite}" : "")}, "
            + $"{run.StartedAt:yyyy-MM-dd HH:mm} UTC, seed {run.Seed}: {machine.Name}, {machine.Cores} "
            + $"core{(machine.Cores == 1 ? "" : "s")}, {machine.MemoryBytes / (double)(1L << 30):F1} GiB, "
            + $"{software.Os}, .NET {software.Dotnet}{(software.Llvm is { } llvm ? $", LLVM {llvm}" : "")}, hardware "
            + $"{machine.Fingerprint}{(software.Commit is { } commit ? $", commit {commit}" : "")}"
            + $"{(run.Simulated ? "; simulated" : "")}; `{run.Command}`");
    }

    private static string[] Cells(ReportRow r, bool hasBandwidth) =>
    [
        Case(r.Arm), r.Arm.Contender, Count(r.Arm.Threads), Count(r.Processes), BenchTable.Time(r.Median / 1e3),
        BenchTable.Number(r.Gflops), BenchTable.Number(r.PeakPercent), BenchTable.Number(r.Gbps),
        .. hasBandwidth ? [BenchTable.Number(r.BandwidthPercent)] : Array.Empty<string>(),
        r.BestPeer is { } peer && r.Arm.Contender != peer ? $"{Ratio(r.OverPeer)} ({peer})"
            : r.BestPeer is null ? "-" : "the best",
        Ratio(r.OverInterpreter), r.Checked,
    ];

    private static string Case(ArmKey arm) =>
        $"{arm.Benchmark} {arm.CaseKey}{(arm.Scenario == "single-stream" ? "" : $", {arm.Scenario}")}";

    private static string Name(ResultStatus status) => status.ToString().ToLowerInvariant();

    private static string Count(int? count) => count?.ToString(CultureInfo.InvariantCulture) ?? "-";

    private static string Ratio(double? ratio) => BenchTable.Number(ratio);
}
