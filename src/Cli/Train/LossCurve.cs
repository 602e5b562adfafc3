// In: the steps and validations of a run. Out: a drawing of the loss over the steps, SVG or PNG.
using System.Globalization;
using System.Text;
using Accelerate.Runtime;
using Accelerate.Training;
using ScottPlot;

namespace Accelerate.Cli.Train;

/// <summary>A resumed run draws only its own steps; the log has the earlier ones.</summary>
internal sealed class LossCurve : ITrainingObserver
{
    private const int Width = 900;
    private const int Height = 500;

    /// <summary>
    /// More points than a drawing has columns are noise, so each point is then the mean of several steps.
    /// </summary>
    private const int MostPoints = 450;

    private readonly List<(double Step, double Loss)> steps = [];
    private readonly List<(double Step, double Loss)> validations = [];
    private string name = "loss";

    public static IReadOnlyList<string> Endings { get; } = [".svg", ".png"];

    public void Steps(StepReport report)
    {
        name = report.Metrics[0].Name;
        if (double.IsFinite(report.Metrics[0].Value)) steps.Add((report.Step, report.Metrics[0].Value));
    }

    public void Judges(EpochReport report)
    {
        // Only metrics on the same scale.
        foreach (var metric in report.Validation.Where(m => m.Name == name && double.IsFinite(m.Value)))
            validations.Add((report.Step, metric.Value));
    }

    public void Write(string path, string title)
    {
        using var plot = new Plot();
        var each = Math.Max(1, (steps.Count + MostPoints - 1) / MostPoints);
        List<(double Step, double Loss)> points =
            [.. steps.Chunk(each).Select(c => (c.Average(p => p.Step), c.Average(p => p.Loss)))];
        Add(points, each == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}, means of {each} steps"),
            "#5b8db8", markers: 0);
        if (validations.Count > 0) Add(validations, $"{name} of validation", "#c0392b", markers: 7);
        plot.Title(title, size: 15);
        plot.XLabel("step", size: 13);
        plot.YLabel(name, size: 13);
        plot.ShowLegend(Alignment.UpperRight);
        var bytes = Path.GetExtension(path).ToLowerInvariant() == ".svg"
            ? Encoding.UTF8.GetBytes(plot.GetSvgXml(Width, Height))
            : plot.GetImageBytes(Width, Height, ImageFormat.Png);
        OutputFile.Write(path, stream => stream.Write(bytes));

        void Add(List<(double Step, double Loss)> line, string label, string colour, float markers)
        {
            var scatter = plot.Add.Scatter(line.Select(p => p.Step).ToArray(), line.Select(p => p.Loss).ToArray());
            (scatter.LegendText, scatter.Color, scatter.MarkerSize) = (label, Color.FromHex(colour), markers);
            scatter.LineWidth = 2;
        }
    }
}
