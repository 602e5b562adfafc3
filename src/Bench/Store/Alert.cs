// In: a comparison. Out: its regressions as alerts, which the database stores beside wrong and failed results.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Accelerate.Bench.Records;
using Accelerate.Bench.Reports;
using Accelerate.Bench.Statistics;

namespace Accelerate.Bench.Store;

/// <summary>Something that needs attention.</summary>
/// <param name="Id">Equal for equal regressions, so that a repeated comparison raises no new alert.</param>
/// <param name="RunId">The run with the regression.</param>
/// <param name="ResultId">The last of its results that shows the regression.</param>
/// <param name="Kind">"slower", "broken" or "more", of a gated count; for single results "wrong" or "failed".</param>
/// <param name="Message">One line.</param>
internal sealed record Alert(Guid Id, Guid RunId, Guid ResultId, string Kind, string Message)
{
    /// <summary>
    /// An alert for each regression between sides that are both in the store. Comparing results with themselves only
    /// measures the noise, and raises none.
    /// </summary>
    public static IReadOnlyList<Alert> Of(CompareReport report) =>
        report.A.Selection.File is not null || report.B.Selection.File is not null ? []
            : [.. report.Rows.Where(r => r is { Aa: null, A: not null, B: not null } && report.IsRegression(r))
                .Select(r => Of(report, r))];

    private static Alert Of(CompareReport report, CompareRow row)
    {
        var results = report.B.Results.Where(r => r.Arm == row.B).ToList();
        var last = row.IsBroken ? results.Last(r => r.Status is ResultStatus.Wrong or ResultStatus.Failed) : results[^1];
        var before = report.A.Results.Where(r => r.Arm == row.A).Select(r => r.RunId).Distinct().Order();
        var (kind, what) = Describe(report, row, last);
        var key = string.Join('\0', [kind, row.Case, $"{last.RunId}", .. before.Select(r => $"{r}")]);
        var id = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 16));
        return new(id, last.RunId, last.Id, kind, $"{row.Case}: {what}, {report.B.Name} against {report.A.Name}");
    }

    private static (string Kind, string What) Describe(CompareReport report, CompareRow row, ResultRecord last)
    {
        if (row.IsBroken) return ("broken", last.Reason ?? "no reason");
        if (row.Comparison is { Verdict: Verdict.Slower } c && c.Ratio > 1 + report.Settings.Threshold)
        {
            return ("slower", string.Create(CultureInfo.InvariantCulture,
                $"takes {c.Ratio:0.###} ({c.Interval.Low:0.###} to {c.Interval.High:0.###}) times as long, ")
                + string.Create(CultureInfo.InvariantCulture, $"{c.MedianB:0.###} us"));
        }
        var more = row.Gates.Where(g => g.Result == GateResult.More && report.Settings.Gates.Contains(g.Name))
            .Select(g => string.Create(CultureInfo.InvariantCulture, $"{g.Name} {g.A:0.#} to {g.B:0.#}"));
        return ("more", string.Join(", ", more));
    }
}
