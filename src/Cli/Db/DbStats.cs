// In: a database. Out: how much is in it, and what it takes on the disk.
using System.CommandLine;
using System.Globalization;
using Accelerate.Bench;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbStats
{
    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var command = new Command("stats", "Counts rows, and says what the file takes.") { database };
        command.SetAction(parsed =>
        {
            var path = DbCommand.Path(parsed, database);
            ReadOnlyQuery.MergeSpool(path);
            using var connection = ReadOnlyQuery.Open(path);
            DuckDbStore.Guard(path, () =>
            {
                terminal.Output.Write(BenchTable.Align(["table", "rows"], Schema.Tables.Select(t =>
                    (IReadOnlyList<string>)[t, Text(connection.Scalar<long>($"SELECT count(*) FROM {t}"))])));
                var log = new FileInfo(path + ".wal");
                terminal.Output.Write($"\nfile       {DbCommand.Bytes(new FileInfo(path).Length)}"
                    + (log.Exists ? $" and {DbCommand.Bytes(log.Length)} of changes\n" : "\n"));
                terminal.Output.Write($"schema     {Schema.Newest}\n");
                terminal.Output.Write($"spool      {DbCommand.Count(Spool.Files(path).Count, "file")}\n");
                var span = connection.Rows("""
                    SELECT min(measured_at) AS first, max(measured_at) AS last, count(DISTINCT benchmark) AS benchmarks,
                        count(DISTINCT contender) AS contenders, count(*) FILTER (simulated) AS simulated
                    FROM benchmark_results_with_simulated
                    """, row => (First: row.Value<DateTime>("first"), Last: row.Value<DateTime>("last"),
                        Benchmarks: row.Get<long>("benchmarks"), Contenders: row.Get<long>("contenders"),
                        Simulated: row.Get<long>("simulated"))).Single();
                if (span is { First: { } first, Last: { } last })
                    terminal.Output.Write($"measured   {Text(first)} to {Text(last)}\n");
                terminal.Output.Write($"of         {DbCommand.Count(span.Benchmarks, "benchmark")}, "
                    + $"{DbCommand.Count(span.Contenders, "contender")}\nsimulated  "
                    + $"{DbCommand.Count(span.Simulated, "result")}\n");
                return true;
            });
            return ExitCodes.Ok;
        });
        return command;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(DateTime time) => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
