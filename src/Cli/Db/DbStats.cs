// In: a database. Out: the number of rows, and the size on disk.
using System.CommandLine;
using System.Globalization;
using Accelerate.Bench;
using Accelerate.Bench.Store;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Cli.Db;

internal static class DbStats
{
    // A query shows more of them: `SELECT * FROM benchmark_alerts`.
    private const int Newest = 5;

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
                var kinds = connection.Rows(
                    "SELECT kind, count(*) AS n FROM benchmark_alerts GROUP BY kind ORDER BY kind",
                    row => $"{row.Get<long>("n")} {row.Get<string>("kind")}");
                if (kinds.Count == 0) return true;
                terminal.Output.Write($"alerts     {string.Join(", ", kinds)}; the newest:\n");
                foreach (var (at, kind, message) in connection.Rows(
                    "SELECT raised_at, kind, message FROM benchmark_alerts "
                    + $"ORDER BY raised_at DESC, message LIMIT {Newest}",
                    row => (row.Utc("raised_at"), row.Get<string>("kind"), row.Get<string>("message"))))
                {
                    terminal.Output.Write($"  {Text(at)}  {kind,-7}  {VisibleText.Word(message)}\n");
                }
                return true;
            });
            return ExitCodes.Ok;
        });
        return command;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(DateTime time) => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
