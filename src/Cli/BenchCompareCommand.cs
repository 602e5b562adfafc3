// In: two sets of results. Out: for each case whether the second is faster, slower or the same; the exit code
// summarises.
using System.CommandLine;
using Accelerate.Bench.Records;
using Accelerate.Bench.Reports;
using Accelerate.Bench.Statistics;
using Accelerate.Bench.Store;
using Accelerate.Cli.Db;

namespace Accelerate.Cli;

internal static class BenchCompareCommand
{
    private const string Sides =
        "the beginning of a run's id, commit:HASH, machine:FINGERPRINT, backend:NAME, contender:NAME, model:NAME, "
        + "suite:NAME, several of them with commas, or a file of JSON lines";

    public static Command Make(Terminal terminal)
    {
        var a = new Argument<string>("A") { Description = $"what is compared with: {Sides}" };
        var b = new Argument<string>("B") { Description = "what is judged, named likewise" };
        var margin = new Option<double>("--margin")
        {
            Description = "times that differ by less are the same: 0.05 is 5 %",
            DefaultValueFactory = _ => 0.05,
        };
        var threshold = new Option<double>("--threshold")
        {
            Description = "a slower case is a regression if it is slower by more than that",
            DefaultValueFactory = _ => 0,
        };
        var effect = new Option<double>("--effect")
        {
            Description = "the change that the number of processes is judged by",
            DefaultValueFactory = _ => 0.1,
        };
        var seed = new Option<int>("--seed") { Description = "of the bootstrap", DefaultValueFactory = _ => 1 };
        var gates = new Option<string?>("--gates")
        {
            Description = $"counts of which more is a regression: {string.Join(", ", Gate.Names)}",
            HelpName = "a,b",
        };
        var command = new Command("compare",
            "Compares results: exit code 0 same or faster, 2 error, 3 regression, 4 inconclusive.");
        command.Arguments.Add(a);
        command.Arguments.Add(b);
        foreach (var option in (Option[])[margin, threshold, effect, seed, gates]) command.Options.Add(option);
        var harness = new HarnessOptions(command, "table", "markdown", "json");
        command.SetAction(parsed =>
        {
            var settings = new CompareSettings(
                new ComparisonOptions(Share(parsed.GetValue(margin), "--margin"),
                    Share(parsed.GetValue(effect), "--effect"), Seed: parsed.GetValue(seed)),
                parsed.GetValue(threshold) is >= 0 and < 100 and var t ? t
                    : throw CommonOptions.Usage($"--threshold {parsed.GetValue(threshold)} is no share of a time",
                        "it takes 0.05 for 5 %: --threshold 0.05"),
                Gates(parsed.GetValue(gates)));
            var (format, chart) = (harness.Format(parsed), harness.Chart(parsed));
            var (left, right) = (parsed.GetValue(a)!, parsed.GetValue(b)!);
            return harness.Run(parsed, [left, right], store =>
            {
                var report = CompareReport.Of(Selection.Parse(left).Find(store), Selection.Parse(right).Find(store),
                    settings);
                harness.Write(parsed, terminal, format switch
                {
                    "json" => CompareText.ToJson(report),
                    "markdown" => CompareText.Markdown(report),
                    _ => CompareText.Table(report),
                });
                if (chart is not null) RatioChart.Write(chart, report);
                Raise(terminal, Alert.Of(report), store);
                return (int)report.Outcome;
            });
        });
        return command;
    }

    /// <summary>Only databases have a table of alerts, not files of JSON lines.</summary>
    private static void Raise(Terminal terminal, IReadOnlyList<Alert> alerts, Func<IResultStore> store)
    {
        if (alerts.Count == 0 || store() is not SpoolingStore database) return;
        if (database.Raise(alerts) is not { } added)
            terminal.Error.Write("note: the alerts are not kept: another process has the database open\n");
        else if (added > 0)
            terminal.Error.Write($"note: raised {DbCommand.Count(added, "alert")}; accc db stats shows them\n");
    }

    private static double Share(double value, string option) => value is > 0 and < 1 ? value
        : throw CommonOptions.Usage($"{option} {value} is no share of a time", $"it takes 0.05 for 5 %: {option} 0.05");

    private static IReadOnlyList<string> Gates(string? text)
    {
        string[] names = text?.Split(',') ?? [];
        foreach (var name in names.Where(n => !Gate.Names.Contains(n)))
            throw CommonOptions.Usage($"there is no count '{name}'", Nearest.Help(name, Gate.Names, "counts"));
        return names;
    }
}
