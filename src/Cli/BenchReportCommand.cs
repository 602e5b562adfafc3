// In: a run. Out: its report, Markdown or JSON, and a chart.
using System.CommandLine;
using Accelerate.Bench.Reports;
using Accelerate.Bench.Statistics;

namespace Accelerate.Cli;

internal static class BenchReportCommand
{
    public static Command Make(Terminal terminal)
    {
        var run = new Argument<string?>("RUN")
        {
            Description = "what to report, named as accc bench compare does; the newest run unless it is given",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var bandwidth = new Option<double?>("--bandwidth")
        {
            Description = "GB/s of the machine's memory, as accc limits measures it: adds the share of it",
            HelpName = "GBPS",
        };
        var command = new Command("report", "Prints the results of a run: times, limits, ratios to peers.");
        command.Arguments.Add(run);
        command.Options.Add(bandwidth);
        var harness = new HarnessOptions(command, "markdown", "json");
        command.SetAction(parsed =>
        {
            var (format, chart) = (harness.Format(parsed), harness.Chart(parsed));
            if (parsed.GetValue(bandwidth) is <= 0)
                throw CommonOptions.Usage("--bandwidth takes a number above 0", "accc limits measures it");
            var text = parsed.GetValue(run);
            return harness.Run(parsed, text is null ? [] : [text], store =>
            {
                var side = text is not null ? Selection.Parse(text).Find(store)
                    : Selection.Newest(store());
                var report = BenchReport.Of(side, parsed.GetValue(bandwidth));
                // Before anything is written, because a run without anything to draw is an error.
                var bars = chart is null ? [] : PeerBars.Of(side);
                harness.Write(parsed, terminal,
                    format == "json" ? BenchReportText.ToJson(report) : BenchReportText.Markdown(report));
                if (chart is not null)
                {
                    var other = PeerBars.Against(side);
                    RatioChart.Write(chart, $"{side.Name} against {other}", $"time over {other}'s",
                        new ComparisonOptions().Margin, bars);
                }
                return ExitCodes.Ok;
            });
        });
        return command;
    }
}
