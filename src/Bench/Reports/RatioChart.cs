// In: ratios of cases with intervals. Out: a chart of horizontal bars, SVG or PNG.
using System.Globalization;
using System.Text;
using Accelerate.Bench.Statistics;
using Accelerate.Runtime;
using ScottPlot;

namespace Accelerate.Bench.Reports;

/// <summary>One bar.</summary>
/// <param name="Label">The case.</param>
/// <param name="Ratio">The ratio of times.</param>
/// <param name="Low">The lower end of its interval; null if unknown.</param>
/// <param name="High">The upper end.</param>
/// <param name="Verdict">Determines the colour.</param>
internal sealed record ChartBar(string Label, double Ratio, double? Low, double? High, Verdict Verdict);

/// <summary>The axis is logarithmic: twice as fast and half as fast are bars of equal length.</summary>
internal static class RatioChart
{
    private const int Width = 1100;
    private const int BarHeight = 30;
    private const int Around = 130;

    public static IReadOnlyList<string> Endings { get; } = [".svg", ".png"];

    /// <summary>Draws every compared case.</summary>
    public static void Write(string path, CompareReport report) => Write(path,
        $"{report.B.Name} against {report.A.Name}", "time of B over time of A",
        report.Settings.Statistics.Margin, [.. report.Rows.Where(r => r.Comparison is { Ratio: > 0 }).Select(r =>
        {
            var c = r.Comparison!;
            var isKnown = double.IsFinite(c.Interval.High);
            return new ChartBar(r.Case, c.Ratio, isKnown ? c.Interval.Low : null, isKnown ? c.Interval.High : null,
                c.Verdict);
        })]);

    /// <exception cref="HarnessException">There is no bar, or the file name has neither ending.</exception>
    public static void Write(string path, string title, string axis, double margin, IReadOnlyList<ChartBar> bars)
    {
        var ending = Path.GetExtension(path).ToLowerInvariant();
        if (!Endings.Contains(ending))
            throw new HarnessException($"--chart {path}: a chart is written as {string.Join(" or ", Endings)}", "--chart ratios.svg");
        if (bars.Count == 0) throw new HarnessException($"--chart {path}: there is no ratio to draw",
            "no case has been measured on both sides");
        using var plot = Plot(title, axis, margin, bars);
        var height = Around + BarHeight * bars.Count;
        var bytes = ending == ".svg" ? Encoding.UTF8.GetBytes(plot.GetSvgXml(Width, height))
            : plot.GetImageBytes(Width, height, ImageFormat.Png);
        OutputFile.Write(path, stream => stream.Write(bytes));
    }

    private static Plot Plot(string title, string axis, double margin, IReadOnlyList<ChartBar> bars)
    {
        var plot = new Plot();
        var band = plot.Add.HorizontalSpan(-Math.Log(1 + margin), Math.Log(1 + margin));
        band.FillStyle.Color = Colors.Gray.WithAlpha(0.15);
        plot.Add.VerticalLine(0, 1, Colors.Black);
        var (positions, labels) = (new double[bars.Count], new string[bars.Count]);
        for (var i = 0; i < bars.Count; i++)
        {
            var bar = bars[i];
            // The first case is at the top.
            var y = bars.Count - 1 - i;
            (positions[i], labels[i]) = (y, bar.Label);
            plot.Add.Bar(new Bar
            {
                Position = y,
                Value = Math.Log(bar.Ratio),
                Size = 0.6,
                Orientation = Orientation.Horizontal,
                FillColor = Colour(bar.Verdict),
                LineWidth = 0,
            });
            if (bar is not { Low: > 0 and var low, High: > 0 and var high }) continue;
            Line(Math.Log(low), y, Math.Log(high), y);
            Line(Math.Log(low), y - 0.15, Math.Log(low), y + 0.15);
            Line(Math.Log(high), y - 0.15, Math.Log(high), y + 0.15);
        }
        List<double> ends = [1 / (1 + margin), 1 + margin,
            .. bars.SelectMany(b => new[] { b.Ratio, b.Low ?? 1, b.High ?? 1 })];
        var (least, most) = (Math.Log(ends.Min()), Math.Log(ends.Max()));
        var room = 0.08 * (most - least);
        plot.Axes.SetLimits(least - room, most + room, -0.7, bars.Count - 0.3);
        var ticks = Ticks(ends.Min(), ends.Max());
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual(
            [.. ticks.Select(t => Math.Log(t))],
            [.. ticks.Select(t => t.ToString("0.###", CultureInfo.InvariantCulture))]);
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericManual(positions, labels);
        plot.Axes.Left.MajorTickStyle.Length = 0;
        plot.HideGrid();
        plot.Title(title, size: 15);
        plot.XLabel($"{axis}; green faster, red slower, blue same, grey inconclusive; band: the margin", size: 13);
        plot.Axes.Bottom.Label.Bold = false;
        return plot;

        void Line(double x1, double y1, double x2, double y2)
        {
            var line = plot.Add.Line(x1, y1, x2, y2);
            (line.LineColor, line.LineWidth, line.MarkerSize) = (Colors.Black, 1.5f, 0);
        }
    }

    private static Color Colour(Verdict verdict) => verdict switch
    {
        Verdict.Faster => Color.FromHex("#2e8b57"),
        Verdict.Slower => Color.FromHex("#c0392b"),
        Verdict.Same => Color.FromHex("#5b8db8"),
        _ => Color.FromHex("#b0b0b0"),
    };

    /// <summary>Round ratios between the ends: the coarsest of a few steps that gives five.</summary>
    private static List<double> Ticks(double low, double high)
    {
        foreach (var step in (double[])[0.5, 0.2, 0.1, 0.05, 0.02, 0.01])
        {
            if (high / low > 3) break;
            var ticks = Enumerable.Range(1, 400).Select(i => i * step).Where(t => t >= low && t <= high).ToList();
            if (ticks.Count >= 5) return ticks;
        }
        return [.. Enumerable.Range(-20, 41).Select(i => Math.Pow(2, i)).Where(t => t >= low && t <= high)];
    }
}
