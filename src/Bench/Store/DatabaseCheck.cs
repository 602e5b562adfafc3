// In: a database written by anyone. Out: its inconsistencies.
using DuckDB.NET.Data;

namespace Accelerate.Bench.Store;

/// <summary>One inconsistency.</summary>
/// <param name="Where">A table, or a table and a column.</param>
/// <param name="Problem">The description.</param>
/// <param name="Rows">The number of affected rows; null if it is not about rows.</param>
/// <param name="Example">The id of one of the rows.</param>
internal sealed record DatabaseProblem(string Where, string Problem, long? Rows = null, string? Example = null);

/// <summary>
/// Checks the data rather than relying on constraints: a copy made by another program may have none, and DuckDB never
/// checks ranges.
/// </summary>
internal static class DatabaseCheck
{
    private static readonly string[] NonNegative =
    [
        "max_error", "rechecked", "min_us", "median_us", "p90_us", "p99_us", "max_us", "cpu_us", "calls_per_second",
        "items_per_second", "first_token_us", "next_token_us", "compile_ms", "first_result_ms", "arena_bytes",
        "memory_mb", "peak_memory_mb", "allocated_bytes", "flops", "bytes", "peak_gflops", "joules", "ops",
        "kernel_count", "instructions", "sequence_length", "opt_level", "block",
    ];

    /// <summary>The table, the error of the rows that meet the condition, the condition, the id.</summary>
    private static readonly (string Table, string Problem, string Condition, string Id)[] Rules =
    [
        .. NonNegative.Select(c => ("results", $"{c} is negative or no number",
            $"{c} < 0 OR NOT isfinite({c}::DOUBLE)", "id")),
        ("results", "threads or batch_size is below 1", "threads < 1 OR batch_size < 1", "id"),
        ("results", "status is none of measured, skipped, failed, wrong",
            "status NOT IN ('measured', 'skipped', 'failed', 'wrong')", "id"),
        ("results", "is measured without a latency", "status = 'measured' AND coalesce(median_us, 0) <= 0", "id"),
        ("results", "is not measured, without a reason", "status <> 'measured' AND coalesce(reason, '') = ''", "id"),
        ("results", "quantiles fall", "min_us > median_us OR median_us > p90_us OR p90_us > p99_us OR p99_us > max_us "
            + "OR median_us > max_us", "id"),
        ("results", "params or device_metrics is no JSON object",
            "NOT json_valid(params) OR NOT json_valid(device_metrics) OR json_type(params) <> 'OBJECT' "
            + "OR json_type(device_metrics) <> 'OBJECT'", "id"),
        ("results", "was measured before 2000 or in the future",
            "measured_at < '2000-01-01' OR measured_at > now()::TIMESTAMP + INTERVAL 1 DAY", "id"),
        ("samples", "a sample is negative or no number",
            "len(list_filter(microseconds, lambda x: x IS NULL OR x < 0 OR NOT isfinite(x))) > 0", "result_id"),
        ("kernels", "a figure is negative or no number", "calls < 0 OR microseconds < 0 OR flops < 0 OR bytes < 0 OR "
            + "NOT isfinite(microseconds) OR NOT isfinite(flops) OR NOT isfinite(bytes)", "result_id"),
        ("models", "size_class is not that of parameter_count", """
            size_class <> CASE WHEN parameter_count < 1000000 THEN 'tiny' WHEN parameter_count < 10000000 THEN 'small'
                WHEN parameter_count < 100000000 THEN 'medium' WHEN parameter_count < 1000000000 THEN 'large'
                WHEN parameter_count < 10000000000 THEN 'xl' ELSE 'xxl' END OR parameter_count < 0
            """, "id"),
        ("hardware_platforms", "kind is neither cpu nor gpu", "kind NOT IN ('cpu', 'gpu')", "id"),
    ];

    /// <summary>The ids that must be unique: table and columns.</summary>
    private static readonly (string Table, string Key)[] Keys =
    [
        ("models", "id"), ("hardware_platforms", "id"), ("environments", "id"), ("runs", "id"), ("results", "id"),
        ("samples", "result_id"), ("kernels", "result_id, position"), ("alerts", "id"), ("imports", "content_hash"),
    ];

    public static IReadOnlyList<DatabaseProblem> Problems(DuckDBConnection connection)
    {
        List<DatabaseProblem> problems = [];
        var there = connection.Rows("SELECT table_name FROM duckdb_tables() WHERE NOT temporary",
            row => row.Get<string>("table_name")).ToHashSet();
        problems.AddRange(Schema.Tables.Where(t => !there.Contains(t))
            .Select(t => new DatabaseProblem(t, "is missing")));
        var views = connection.Rows("SELECT view_name FROM duckdb_views() WHERE NOT internal",
            row => row.Get<string>("view_name")).ToHashSet();
        problems.AddRange(Views.Names.Where(v => !views.Contains(v))
            .Select(v => new DatabaseProblem(v, "is missing")));
        if (problems.Count > 0) return problems;
        var steps = connection.Rows("SELECT version FROM schema_versions ORDER BY version",
            row => row.Get<int>("version"));
        if (!steps.SequenceEqual(Enumerable.Range(1, Schema.Newest)))
            problems.Add(new("schema_versions", $"has steps {string.Join(", ", steps)} of {Schema.Newest}"));
        problems.AddRange(Constraints(connection));
        foreach (var (child, column, parent) in Schema.References)
            Add(problems, connection, $"{child}.{column}", $"refers to no row of {parent}",
                $"SELECT {column}::VARCHAR AS example FROM {child} WHERE {column} IS NOT NULL "
                + $"AND {column} NOT IN (SELECT id FROM {parent})");
        foreach (var (table, key) in Keys)
            Add(problems, connection, table, $"{key} is there more than once",
                $"SELECT any_value(({key})::VARCHAR) AS example FROM {table} GROUP BY {key} HAVING count(*) > 1");
        foreach (var (table, problem, condition, id) in Rules)
            Add(problems, connection, table, problem,
                $"SELECT {id}::VARCHAR AS example FROM {table} WHERE {condition}");
        // Reads every block of the file, which DuckDB compares with its checksum.
        _ = DatabaseCopy.Contents(connection);
        return problems;
    }

    /// <summary>Keys that the engine no longer enforces.</summary>
    private static IEnumerable<DatabaseProblem> Constraints(DuckDBConnection connection)
    {
        var enforced = connection.Rows(
            "SELECT table_name AS t, constraint_type AS c, array_to_string(constraint_column_names, ', ') AS k "
            + "FROM duckdb_constraints()",
            row => (row.Get<string>("t"), row.Get<string>("c"), row.Get<string>("k"))).ToHashSet();
        return Keys.Where(k => !enforced.Contains((k.Table, "PRIMARY KEY", k.Key)))
            .Select(k => new DatabaseProblem(k.Table, $"has no primary key {k.Key}"))
            .Concat(Schema.References.Where(r => !enforced.Contains((r.Child, "FOREIGN KEY", r.Column)))
                .Select(r => new DatabaseProblem($"{r.Child}.{r.Column}", $"is no foreign key to {r.Parent}")));
    }

    private static void Add(List<DatabaseProblem> problems, DuckDBConnection connection, string where, string problem,
        string sql)
    {
        var (count, example) = connection.Rows($"SELECT count(*) AS n, min(example) AS example FROM ({sql})",
            row => (row.Get<long>("n"), row.Text("example"))).Single();
        if (count > 0) problems.Add(new(where, problem, count, example));
    }
}
