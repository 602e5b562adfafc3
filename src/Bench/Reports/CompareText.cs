// In: a comparison. Out: its text as a table, as Markdown, as JSON.
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Accelerate.Bench.Statistics;

namespace Accelerate.Bench.Reports;

internal static class CompareText
{
    private static readonly string[] Header =
        ["case", "A", "B", "ratio", "interval", "verdict", "n", "variation", "gates"];

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly string[] ItselfHeader =
        ["case", "variation", "called different", "finds", "needed a side"];

    public static string Table(CompareReport report)
    {
        var itself = report.Rows.Where(r => r.Aa is not null).Select(r => Itself(report, r)).ToList();
        return $"{string.Join('\n', Heading(report))}\n\n"
            + BenchTable.Align(Header, report.Rows.Select(r => Cells(report, r)))
            + (itself.Count > 0 ? $"\n{BenchTable.Align(ItselfHeader, itself)}" : "") + $"\n{Summary(report)}\n";
    }

    public static string Markdown(CompareReport report)
    {
        var text = new StringBuilder("# Comparison\n\n");
        foreach (var line in Heading(report)) text.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        text.Append('\n').Append(MarkdownTable.Print(Header, report.Rows.Select(r => Cells(report, r))));
        var itself = report.Rows.Where(r => r.Aa is not null).Select(r => Itself(report, r)).ToList();
        if (itself.Count > 0) text.Append('\n').Append(MarkdownTable.Print(ItselfHeader, itself));
        return text.Append(CultureInfo.InvariantCulture, $"\n{Summary(report)}\n").ToString();
    }

    public static string ToJson(CompareReport report) => JsonSerializer.Serialize(new
    {
        A = Side(report.A),
        B = Side(report.B),
        report.Settings.Statistics.Margin,
        report.Settings.Threshold,
        report.IsOneMachine,
        Outcome = report.Outcome.ToString().ToLowerInvariant(),
        Rows = report.Rows.Select(r => new
        {
            r.Case,
            Benchmark = (r.A ?? r.B)!.Value.Benchmark,
            CaseKey = (r.A ?? r.B)!.Value.CaseKey,
            ContenderA = r.A?.Contender,
            ContenderB = r.B?.Contender,
            Verdict = Name(r.Comparison?.Verdict ?? Verdict.Inconclusive),
            IsRegression = report.IsRegression(r),
            r.Note,
            MedianA = r.Comparison?.MedianA,
            MedianB = r.Comparison?.MedianB,
            Ratio = r.Comparison?.Ratio,
            Interval = Ends(r.Comparison?.Interval),
            EquivalenceInterval = Ends(r.Comparison?.Equivalence),
            P = r.Comparison?.P,
            Q = r.Comparison?.Q,
            IsExact = r.Comparison?.IsExact,
            ProcessesA = r.Comparison?.CountA,
            ProcessesB = r.Comparison?.CountB,
            Strata = r.Comparison?.Blocks,
            Variation = r.Comparison?.Variation,
            Needed = r.Comparison?.Needed,
            NeededForSame = r.Comparison?.NeededForSame,
            Detectable = r.Comparison?.Detectable,
            OutliersA = r.Comparison?.OutliersA,
            OutliersB = r.Comparison?.OutliersB,
            SameBinary = r.Aa is { } aa
                ? new { aa.Variation, aa.FalsePositives, aa.Repetitions, Detectable = aa.Detectable(Least(r)) } : null,
            Gates = r.Gates.Select(g => new { g.Name, g.A, g.B, Result = g.Result.ToString().ToLowerInvariant() }),
        }),
    }, Json) + "\n";

    public static string Name(Verdict verdict) => verdict.ToString().ToLowerInvariant();

    private static IEnumerable<string> Heading(CompareReport report)
    {
        yield return $"A: {Describe(report.A)}";
        yield return $"B: {Describe(report.B)}";
        var statistics = report.Settings.Statistics;
        yield return string.Create(CultureInfo.InvariantCulture,
            $"ratio: B's time over A's, {100 * (1 - statistics.Alpha):0.#} % interval; same: within "
            + $"{100 * statistics.Margin:0.#} %; false discoveries at most {100 * statistics.Alpha:0.#} %");
        if (report.Rows.Any(r => r.Aa is not null))
            yield return "both sides are the same results: processes that followed each other are dealt to two arms";
        if (!report.IsOneMachine) yield return "the sides are of different machines: the ratio is theirs too";
        var apart = report.Rows.Count(r => r.Comparison is { Blocks: 1 });
        if (apart > 0)
            yield return $"{apart} of {report.Rows.Count} cases were not interleaved: what the machine did between the "
                + "sides counts as a difference";
    }

    private static string Describe(Side side)
    {
        var runs = side.Runs.Select(r => $"{r.Id.ToString("N")[..8]}"
            + $"{(r.Environment.Commit is { } commit ? $" of {commit}" : "")}, "
            + r.StartedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)).ToList();
        var more = runs.Count > 3 ? $"; {runs.Count - 3} more" : "";
        return $"{side.Name} (run {string.Join("; ", runs.Take(3))}{more})";
    }

    private static string[] Cells(CompareReport report, CompareRow row)
    {
        if (row.Comparison is not { } c)
            return [row.Case, "-", "-", "-", "-", $"{(row.IsBroken ? "regression: " : "")}{row.Note}", "-", "-", "-"];
        var verdict = row.Comparison.Verdict == Verdict.Inconclusive ? Inconclusive(c) : Name(c.Verdict);
        if (report.IsRegression(row) && c.Verdict != Verdict.Slower) verdict += ", regression";
        if (row.Note is not null) verdict += $"; {row.Note}";
        var outliers = c.OutliersA.Count + c.OutliersB.Count;
        return
        [
            row.Case, BenchTable.Time(c.MedianA / 1e3), BenchTable.Time(c.MedianB / 1e3), Ratio(c.Ratio),
            Interval(c.Interval), verdict,
            $"{c.CountA}/{c.CountB}" + (outliers > 0 ? $" ({outliers} far)" : ""),
            c.Variation is { } v ? Percent(v) : "-",
            Gates(row.Gates),
        ];
    }

    private static int Least(CompareRow row) => Math.Min(row.Comparison!.CountA, row.Comparison.CountB);

    /// <summary>
    /// The comparison of a binary with itself: how much processes vary, how often the verdict is wrong, the least
    /// change that this number of processes detects, and how many the relevant change needs.
    /// </summary>
    private static string[] Itself(CompareReport report, CompareRow row)
    {
        var (aa, effect) = (row.Aa!, report.Settings.Statistics.Effect);
        return
        [
            row.Case, Percent(aa.Variation), $"{aa.FalsePositives * aa.Repetitions:0} of {aa.Repetitions} deals",
            aa.Detectable(Least(row)) is { } least ? $"{Percent(least)} with {Least(row)} a side"
                : $"nothing with {Least(row)} a side",
            aa.Needed(effect).ToString(CultureInfo.InvariantCulture),
        ];
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0} %");

    /// <summary>
    /// How many processes would suffice: to detect the change that a run is for, or, if there are enough, to show that
    /// there is none.
    /// </summary>
    private static string Inconclusive(Comparison c)
    {
        var few = Math.Min(c.CountA, c.CountB);
        if (c is not { Needed: { } find, NeededForSame: { } same })
            return $"inconclusive: {few} on a side, {SampleSize.Least} or more are needed";
        var (count, share) = find > few ? (find, c.Options.Effect) : (Math.Max(same, few + 1), c.Options.Margin);
        var most = count > SampleSize.Most ? $", at most {SampleSize.Most} are run" : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"inconclusive: {count} a side for {100 * share:0.#} %{most}");
    }

    private static string Gates(IReadOnlyList<Gate> gates)
    {
        if (gates.Count == 0) return "-";
        var changed = gates.Where(g => g.Result != GateResult.Same).Select(g => string.Create(
            CultureInfo.InvariantCulture, $"{g.Name} {g.A:0.#} → {g.B:0.#}")).ToList();
        return changed.Count == 0 ? $"{gates.Count} same" : string.Join(", ", changed);
    }

    private static string Summary(CompareReport report)
    {
        var counts = report.Rows.Where(r => r.A is not null)
            .GroupBy(r => r.Comparison?.Verdict ?? Verdict.Inconclusive).OrderBy(g => g.Key)
            .Select(g => $"{g.Count()} {Name(g.Key)}");
        var regressions = report.Rows.Count(report.IsRegression);
        return $"{string.Join(", ", counts)}; {(regressions == 0 ? "no" : $"{regressions}")} "
            + $"regression{(regressions == 1 ? "" : "s")}: {report.Outcome.ToString().ToLowerInvariant()}";
    }

    private static string Ratio(double ratio) => ratio.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Interval(RatioInterval interval) =>
        double.IsInfinity(interval.High) ? "unknown" : $"{Ratio(interval.Low)} – {Ratio(interval.High)}";

    private static double[]? Ends(RatioInterval? interval) =>
        interval is { } i && double.IsFinite(i.High) ? [i.Low, i.High] : null;

    private static object Side(Side side) => new
    {
        side.Name,
        Runs = side.Runs.Select(r => new
        {
            r.Id,
            r.StartedAt,
            r.Suite,
            r.Command,
            r.Environment.Commit,
            Machine = r.Hardware.Fingerprint,
        }),
    };
}
