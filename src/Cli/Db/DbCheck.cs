// In: a database. Out: a line for each inconsistency.
using System.CommandLine;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbCheck
{
    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var command = new Command("check", "Looks for rows that refer to nothing, ids that are there twice, and "
            + "figures that nothing can have; exit code 1 when there are some.") { database };
        command.SetAction(parsed =>
        {
            var path = DbCommand.Path(parsed, database);
            ReadOnlyQuery.MergeSpool(path);
            using var connection = ReadOnlyQuery.Open(path);
            var problems = DuckDbStore.Guard(path, () => DatabaseCheck.Problems(connection));
            foreach (var p in problems)
                terminal.Output.Write(p.Rows is { } rows
                    ? $"{p.Where}: {p.Problem}: {DbCommand.Count(rows, "row")}, one is {p.Example}\n"
                    : $"{p.Where}: {p.Problem}\n");
            var waiting = Spool.Files(path).Count;
            if (waiting > 0)
                terminal.Output.Write($"{Spool.Folder(path)}: {DbCommand.Count(waiting, "file")} not merged\n");
            if (problems.Count + waiting > 0) return ExitCodes.UserError;
            terminal.Output.Write($"{path}: schema {Schema.Newest}, nothing wrong\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
