// In: a filter. Out: the matching records of a database.
using Accelerate.Bench.Records;
using DuckDB.NET.Data;

namespace Accelerate.Bench.Store;

internal static class ResultQueries
{
    private const string OfRuns = """
        FROM runs r JOIN hardware_platforms h ON h.id = r.hardware_id JOIN environments e ON e.id = r.environment_id
        """;

    private const string OfResults = "FROM results s LEFT JOIN models m ON m.id = s.model_id JOIN ("
        + "SELECT r.id AS of_run, r.* EXCLUDE (id), h.fingerprint, e.commit " + OfRuns + ") r ON r.of_run = s.run_id";

    public static List<RunRecord> Runs(DuckDBConnection connection, ResultFilter filter)
    {
        var ofResults = (filter.Benchmark ?? filter.Contender ?? filter.Model) is not null;
        var (where, parameters) = Where(filter, "r.id", "h.fingerprint", "e.commit", ofResults
            ? $"EXISTS (FROM results s LEFT JOIN models m ON m.id = s.model_id WHERE s.run_id = r.id AND {Of(filter)})"
            : "true");
        return connection.Rows($"""
            SELECT r.*, h.* EXCLUDE (id, name), h.name AS hardware_name, e.* EXCLUDE (id) {OfRuns}
            WHERE {where} ORDER BY r.started_at DESC, r.id
            """, ResultColumns.ReadRun, parameters);
    }

    public static List<ResultRecord> Results(DuckDBConnection connection, ResultFilter filter, bool details)
    {
        var (where, parameters) = Where(filter, "s.run_id", "r.fingerprint", "r.commit", Of(filter));
        Dictionary<Guid, List<double>> samples = [];
        Dictionary<Guid, List<KernelRecord>> kernels = [];
        if (details)
        {
            samples = connection.Rows(
                $"SELECT d.* FROM samples d WHERE d.result_id IN (SELECT s.id {OfResults} WHERE {where})",
                row => (Id: row.Get<Guid>("result_id"), Values: row.Get<List<double>>("microseconds")), parameters)
                .ToDictionary(s => s.Id, s => s.Values);
            kernels = connection.Rows(
                $"SELECT d.* FROM kernels d WHERE d.result_id IN (SELECT s.id {OfResults} WHERE {where}) "
                + "ORDER BY d.position",
                row => (Id: row.Get<Guid>("result_id"), Kernel: new KernelRecord(row.Get<string>("name"),
                    row.Text("source"), row.Get<int>("calls"), row.Get<double>("microseconds"),
                    row.Get<double>("flops"), row.Get<double>("bytes"))), parameters)
                .GroupBy(k => k.Id, k => k.Kernel).ToDictionary(g => g.Key, g => g.ToList());
        }
        return connection.Rows($"""
            SELECT s.*, m.name AS model_name, m.architecture, m.parameter_count {OfResults}
            WHERE {where} ORDER BY s.measured_at, s.position, s.id
            """,
            row => ResultColumns.Read(row, samples.GetValueOrDefault(row.Get<Guid>("id")) ?? [],
                kernels.GetValueOrDefault(row.Get<Guid>("id")) ?? []), parameters);
    }

    private static (string Where, (string, object?)[] Parameters) Where(ResultFilter filter, string run,
        string machine, string commit, string more)
    {
        List<string> conditions = [$"{run} NOT IN (SELECT run_id FROM purged_runs)", more];
        List<(string, object?)> parameters = [];
        void Add(object? wanted, string condition, string name)
        {
            if (wanted is null) return;
            if (condition.Length > 0) conditions.Add(condition);
            parameters.Add((name, wanted));
        }
        if (!filter.Simulated) conditions.Add("NOT r.simulated");
        Add(filter.Run, $"{run} = $run", "run");
        Add(filter.Commit, $"starts_with({commit}, $commit)", "commit");
        Add(filter.Machine, $"{machine} = $machine", "machine");
        Add(filter.Suite, "r.suite = $suite", "suite");
        Add(filter.Benchmark, "", "benchmark");
        Add(filter.Contender, "", "contender");
        Add(filter.Model, "", "model");
        return (string.Join(" AND ", conditions), [.. parameters]);
    }

    /// <summary>The conditions on a result, without those on its run.</summary>
    private static string Of(ResultFilter filter) => string.Join(" AND ", new[]
    {
        "true", filter.Benchmark is null ? null : "s.benchmark = $benchmark",
        filter.Contender is null ? null : "s.contender = $contender",
        filter.Model is null ? null : "m.name = $model",
    }.OfType<string>());
}
