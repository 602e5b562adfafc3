// In: a number of results. Out: the times of a database and of JSON files to store and query them, side by side.
using System.CommandLine;
using System.Diagnostics;
using Accelerate.Bench;
using Accelerate.Bench.Records;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

/// <summary>The results are simulated and exist only in temporary files.</summary>
internal static class DbBench
{
    private const int Models = 50;

    private const int Machines = 10;

    // A suite of models has about this many results a run.
    private const int ResultsOfRun = 1000;

    public static Command Make(Terminal terminal)
    {
        var rows = new Option<int>("--rows")
        {
            Description = "how many results; a run has a thousand",
            DefaultValueFactory = _ => 100_000,
        };
        var command = new Command("bench", "Times import and queries of results that are made up, in DuckDB and as "
            + "files of JSON.") { rows };
        command.SetAction(parsed =>
        {
            var count = parsed.GetValue(rows);
            if (count is < ResultsOfRun or > 10_000_000)
                throw CommonOptions.Usage($"--rows takes {ResultsOfRun} to 10000000");
            Run(terminal, count / ResultsOfRun);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Run(Terminal terminal, int runs)
    {
        var folder = Directory.CreateTempSubdirectory("accc-db-bench-").FullName;
        try
        {
            var database = Path.Combine(folder, "bench.duckdb");
            var files = Directory.CreateDirectory(Path.Combine(folder, "json")).FullName;
            terminal.Output.Write($"{runs * ResultsOfRun} results of {DbCommand.Count(runs, "run")}, {Models} models, "
                + $"{Machines} machines, 10 samples a result\n\n");
            List<IReadOnlyList<string>> table = [];
            table.Add(["import", Time(() => Import(database, runs)), Time(() => WriteJson(files, runs))]);
            table.Add(["size", DbCommand.Bytes(new FileInfo(database).Length),
                DbCommand.Bytes(new DirectoryInfo(files).GetFiles().Sum(f => f.Length))]);
            foreach (var (name, sql, answer) in Questions)
            {
                // Read once beforehand, so that neither side pays for the disk.
                var (of, from) = (Ask(database, sql), answer(Read(files)));
                if (Math.Abs(of - from) > 1e-9 * Math.Abs(from))
                    throw new InvalidOperationException($"{name}: {of} by SQL, {from} from JSON");
                table.Add([name, Time(() => Ask(database, sql)), Time(() => answer(Read(files)))]);
            }
            terminal.Output.Write(BenchTable.Align(["", "DuckDB", "JSON files"], table));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A number that depends on all of the queried data, by SQL and by LINQ.</summary>
    private static readonly (string Name, string Sql, Func<IEnumerable<ResultBatch>, double> Answer)[] Questions =
    [
        ("newest run: its results", """
            SELECT sum(latency_ms) FROM benchmark_results_with_simulated WHERE run_id =
                (SELECT run_id FROM benchmark_runs_with_simulated ORDER BY started_at DESC LIMIT 1)
            """,
            batches => batches.MaxBy(b => b.Run.StartedAt)!.Results.Sum(r => r.Median!.Value / 1000)),
        ("median by model and contender", """
            SELECT sum(m) FROM (SELECT median(latency_ms) AS m FROM performance_results_with_simulated
                GROUP BY model_name, contender)
            """,
            batches => batches.SelectMany(b => b.Results).GroupBy(r => (r.Model!.Name, r.Contender))
                .Sum(g => Median([.. g.Select(r => r.Median!.Value / 1000)]))),
        ("best of a machine, by case", """
            SELECT sum(m) FROM (SELECT min(latency_ms) AS m FROM performance_results_with_simulated
                WHERE machine = 'simulated0000000' AND contender = 'llvm' GROUP BY case_key)
            """,
            batches => batches.Where(b => b.Run.Hardware.Fingerprint == "simulated0000000").SelectMany(b => b.Results)
                .Where(r => r.Contender == "llvm").GroupBy(r => r.CaseKey)
                .Sum(g => g.Min(r => r.Median!.Value / 1000))),
    ];

    private static double Import(string database, int runs)
    {
        using var store = DuckDbStore.Open(database);
        foreach (var batch in Batches(runs)) store.Append(batch);
        return 0;
    }

    private static double WriteJson(string folder, int runs)
    {
        foreach (var (number, batch) in Batches(runs).Index())
            File.WriteAllText(Path.Combine(folder, $"{number}.jsonl"), batch.ToJson() + "\n");
        return 0;
    }

    private static IEnumerable<ResultBatch> Batches(int runs) =>
        SampleData.Batches(runs, ResultsOfRun, Models, Machines, seed: 1);

    private static IEnumerable<ResultBatch> Read(string folder) =>
        Directory.EnumerateFiles(folder).SelectMany(File.ReadLines).Select(ResultBatch.FromJson);

    private static double Ask(string database, string sql) =>
        (double)ReadOnlyQuery.Run(database, sql, limit: 1, ReadOnlyQuery.DefaultTimeout).Rows[0][0]!;

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }

    private static string Time(Func<double> action)
    {
        var clock = Stopwatch.StartNew();
        action();
        return BenchTable.Time(clock.Elapsed.TotalMilliseconds);
    }
}
