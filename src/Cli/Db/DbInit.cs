// In: a file name. Out: a database there, with the newest schema.
using System.CommandLine;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbInit
{
    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var sample = new Option<bool>("--sample-data")
        {
            Description = "adds results that are made up, for trying things out; only views with simulated results "
                + "show them",
        };
        var command = new Command("init", "Makes a database, or brings one up to date.") { database, sample };
        command.SetAction(parsed =>
        {
            var path = DbCommand.Path(parsed, database);
            using var store = DbCommand.Open(terminal, path, create: true);
            if (parsed.GetValue(sample))
            {
                // The same data each time, so a second call adds nothing.
                var added = store.Append(
                    [.. SampleData.Batches(runs: 6, resultsOfRun: 40, models: 10, machines: 2, seed: 1)]);
                terminal.Output.Write($"{path}: {DbCommand.Count(added, "simulated result")}\n");
            }
            terminal.Output.Write($"{path}: schema {Schema.Newest}\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
