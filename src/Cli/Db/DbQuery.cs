// In: an SQL statement. Out: its rows as a table, JSON or CSV.
using System.CommandLine;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbQuery
{
    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var sql = new Option<string>("--sql") { Description = "one statement; it can only read", Required = true };
        var format = new Option<RowFormat>("--format")
        {
            Description = "table, json or csv",
            DefaultValueFactory = _ => RowFormat.Table,
            HelpName = "table|json|csv",
        };
        var timeout = new Option<double>("--timeout")
        {
            Description = "seconds after which it is stopped",
            DefaultValueFactory = _ => ReadOnlyQuery.DefaultTimeout.TotalSeconds,
        };
        var limit = new Option<int>("--limit")
        {
            Description = "the most rows that are read",
            DefaultValueFactory = _ => 1000,
        };
        var command = new Command("query", "Runs a statement of SQL on the views and tables; it can only read.")
        {
            database, sql, format, timeout, limit,
        };
        command.SetAction(parsed =>
        {
            var seconds = parsed.GetValue(timeout);
            // The timer's maximum is not much larger.
            if (seconds is not (> 0 and <= 1e6))
                throw CommonOptions.Usage("--timeout takes seconds, above 0 and up to a million", "--timeout 60");
            var most = parsed.GetValue(limit);
            if (most < 1) throw CommonOptions.Usage("--limit takes a number of rows, 1 or more", "--limit 1000");
            var rows = ReadOnlyQuery.Run(DbCommand.Path(parsed, database), parsed.GetValue(sql)!, most,
                TimeSpan.FromSeconds(seconds));
            terminal.Output.Write(RowText.Print(rows, parsed.GetValue(format)));
            if (rows.HasMore)
                terminal.Error.Write(
                    $"note: there are more than {DbCommand.Count(most, "row")}; --limit N reads more\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
