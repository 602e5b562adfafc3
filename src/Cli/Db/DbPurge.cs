// In: a selection of runs. Out: the database without them.
using System.CommandLine;
using System.Globalization;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbPurge
{
    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var before = new Option<string?>("--before")
        {
            Description = "runs that were started before that day, UTC: 2026-11-30",
            HelpName = "DATE",
        };
        var simulated = new Option<bool>("--simulated") { Description = "runs that were made up" };
        var run = new Option<string?>("--run") { Description = "that run", HelpName = "ID" };
        var yes = new Option<bool>("--yes") { Description = "deletes; otherwise it is only said what would be" };
        var command = new Command("purge", "Deletes runs with their results, for good. Several conditions: runs that "
            + "meet all of them.") { database, before, simulated, run, yes };
        command.SetAction(parsed =>
        {
            List<string> conditions = [];
            List<(string, object?)> parameters = [];
            if (parsed.GetValue(before) is { } day)
            {
                if (!DateTime.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None,
                    out var date))
                    throw CommonOptions.Usage($"--before {day} is no day", "it takes 2026-11-30");
                conditions.Add("started_at < $before");
                parameters.Add(("before", date));
            }
            if (parsed.GetValue(simulated)) conditions.Add("simulated");
            if (parsed.GetValue(run) is { } id)
            {
                if (!Guid.TryParse(id, out var guid))
                    throw CommonOptions.Usage($"--run {id} is no run's id",
                        "accc db query --sql 'SELECT run_id, command FROM benchmark_runs' lists them");
                conditions.Add("id = $run");
                parameters.Add(("run", guid));
            }
            if (conditions.Count == 0)
                throw CommonOptions.Usage("purge is not told what to delete",
                    "it takes --before, --simulated or --run");
            var path = DbCommand.Path(parsed, database);
            using var store = DbCommand.Open(terminal, path);
            return DuckDbStore.Guard(path, () =>
            {
                var where = string.Join(" AND ", conditions);
                var runs = store.Connection.Rows($"SELECT id FROM runs WHERE {where}", row => row.Get<Guid>("id"),
                    parameters);
                var results = store.Connection.Scalar<long>(
                    $"SELECT count(*) FROM results WHERE run_id IN (SELECT id FROM runs WHERE {where})", parameters);
                var what = $"{DbCommand.Count(runs.Count, "run")} with {DbCommand.Count(results, "result")}";
                if (runs.Count > 0 && !parsed.GetValue(yes))
                    throw new CliException($"{path}: {what} would be deleted", "--yes deletes them");
                store.Delete(runs);
                terminal.Output.Write($"{path}: deleted {what}\n");
                return ExitCodes.Ok;
            });
        });
        return command;
    }
}
