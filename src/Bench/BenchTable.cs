// In: a measured case. Out: its table as text, whose layout depends only on its contents.
using System.Globalization;
using System.Text;

namespace Accelerate.Bench;

internal static class BenchTable
{
    /// <summary>The lines above all tables of a run.</summary>
    public static string Heading(Machine machine, string command) =>
        $"machine  {machine}, .NET {machine.Dotnet}"
        + $"{(machine.Llvm is { } llvm ? $", LLVM {llvm}" : "")}, hardware {machine.Fingerprint}"
        + $"{(machine.Commit is { } commit ? $", commit {commit}" : "")}\ncommand  {command}\n";

    public static string Print(BenchResult result)
    {
        var text = new StringBuilder($"{result.Case.Program.Name} {result.Case.Text}".TrimEnd()).Append('\n');
        text.Append(CultureInfo.InvariantCulture,
            $"work     {Count(result.Flops)}FLOP, {Count(result.Bytes)}B of inputs, state and results, "
            + $"arena {Count(result.Arena.Bytes)}B of {Count(result.Arena.LiveMaximum)}B alive at once\n");
        if (result.Peaks.Count > 0)
        {
            var peaks = result.Peaks.OrderBy(p => p.Key)
                .Select(p => $"{Number(p.Value)} on {p.Key} thread{(p.Key == 1 ? "" : "s")}");
            text.Append($"peak     GFLOP/s of f32 fma, read in the same rounds: {string.Join(", ", peaks)}\n");
        }
        var compiled = result.Rows.Where(r => r is { Skipped: null, Contender.Backend: not "interpreter" })
            .Select(r => $"{Name(r)} {Number(r.CompileMs)} ms (cache {r.Contender.Cache})").ToList();
        if (compiled.Count > 0) text.Append($"compile  {string.Join(", ", compiled)}\n");
        var cells = result.Rows.Select(r => Cells(result, r));
        var table = Align(
            ["backend", "threads", "median", "p10 - p90", "samples", "speed-up", "GFLOP/s", "% of peak", "GB/s",
                "checked"],
            cells);
        return text.Append('\n').Append(table).Append(string.Concat(result.Rows.Where(r => r.Skipped is not null)
            .Select(r => $"{r.Contender.Backend}: skipped: {r.Skipped}\n"))).ToString();
    }

    /// <summary>
    /// Columns separated by two blanks, the first left-aligned, numbers right-aligned, each as wide as its widest cell.
    /// </summary>
    public static string Align(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        IReadOnlyList<string>[] all = [header, .. rows];
        var widths = header.Select((_, c) => all.Max(r => r[c].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in all)
        {
            var cells = row.Select((cell, c) => c == 0 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]));
            text.Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>At least three digits, with a suitable unit: "4.21 ms".</summary>
    public static string Time(double milliseconds) => milliseconds switch
    {
        >= 1000 => $"{Number(milliseconds / 1000)} s",
        >= 1 => $"{Number(milliseconds)} ms",
        >= 0.001 => $"{Number(milliseconds * 1e3)} us",
        _ => $"{Number(milliseconds * 1e6)} ns",
    };

    /// <summary>Three significant digits, but all digits before the point.</summary>
    public static string Number(double? value) => value is not { } v ? "-" : Math.Abs(v) switch
    {
        >= 99.95 => v.ToString("F0", CultureInfo.InvariantCulture),
        >= 9.995 => v.ToString("F1", CultureInfo.InvariantCulture),
        _ => v.ToString("F2", CultureInfo.InvariantCulture),
    };

    private static string[] Cells(BenchResult result, BenchRow row) => row.Times is not { } t
        ? [row.Contender.Backend, Threads(row), "skipped", .. Enumerable.Repeat("-", 7)]
        : [row.Contender.Backend, Threads(row), Time(t.Median), $"{Time(t.P10)} - {Time(t.P90)}",
            t.Count.ToString(CultureInfo.InvariantCulture), result.Speedup(row) is { } s ? $"{Number(s)}x" : "-",
            Number(result.Gflops(row)), Number(result.PeakPercent(row)), Number(result.Gbps(row)), Checked(row)];

    private static string Checked(BenchRow row) => row.Checked == "bound"
        ? $"within {row.MaxError?.ToString("G2", CultureInfo.InvariantCulture)}"
        : row.Checked;

    private static string Name(BenchRow row) =>
        row.Contender.Threads is { } t ? $"{row.Contender.Backend} x{t}" : row.Contender.Backend;

    private static string Threads(BenchRow row) => row.Contender.Threads?.ToString(CultureInfo.InvariantCulture) ?? "-";

    private static string Count(double value) => value switch
    {
        >= 1e12 => $"{Number(value / 1e12)} T",
        >= 1e9 => $"{Number(value / 1e9)} G",
        >= 1e6 => $"{Number(value / 1e6)} M",
        >= 1e3 => $"{Number(value / 1e3)} K",
        _ => $"{value.ToString("F0", CultureInfo.InvariantCulture)} ",
    };
}
