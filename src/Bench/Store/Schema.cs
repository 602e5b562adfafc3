// In: an open database. Out: its tables and views in the form that this version reads and writes.
using System.Data;
using DuckDB.NET.Data;

namespace Accelerate.Bench.Store;

/// <summary>
/// The tables, as numbered migrations. A released migration is never edited: changes need another one. DuckDB adds a
/// column to a table that others refer to, but cannot delete a parent together with its children, or update one:
/// referenced rows are only ever inserted, and purged in separate transactions.
/// </summary>
internal static class Schema
{
    /// <summary>The purpose of a migration, and its statements.</summary>
    private static readonly (string Purpose, string Sql)[] Steps =
    [
        ("models, machines, environments, runs, results, samples, kernels", """
            CREATE TABLE models (
                id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, architecture VARCHAR NOT NULL,
                size_class VARCHAR NOT NULL, parameter_count BIGINT NOT NULL);
            CREATE TABLE hardware_platforms (
                id VARCHAR PRIMARY KEY, fingerprint VARCHAR NOT NULL, kind VARCHAR NOT NULL, name VARCHAR NOT NULL,
                cores INTEGER NOT NULL, memory_bytes BIGINT NOT NULL, features VARCHAR[] NOT NULL,
                caches JSON NOT NULL, driver VARCHAR);
            CREATE TABLE environments (
                id VARCHAR PRIMARY KEY, os VARCHAR NOT NULL, dotnet VARCHAR NOT NULL, llvm VARCHAR, commit VARCHAR,
                build VARCHAR NOT NULL);
            CREATE TABLE runs (
                id UUID PRIMARY KEY, started_at TIMESTAMP NOT NULL, command VARCHAR NOT NULL, suite VARCHAR,
                seed BIGINT NOT NULL, hardware_id VARCHAR NOT NULL REFERENCES hardware_platforms (id),
                environment_id VARCHAR NOT NULL REFERENCES environments (id), simulated BOOLEAN NOT NULL);
            CREATE TABLE results (
                id UUID PRIMARY KEY, run_id UUID NOT NULL REFERENCES runs (id), position INTEGER NOT NULL,
                measured_at TIMESTAMP NOT NULL, benchmark VARCHAR NOT NULL, category VARCHAR NOT NULL,
                case_key VARCHAR NOT NULL, params JSON NOT NULL, contender VARCHAR NOT NULL, backend VARCHAR NOT NULL,
                device VARCHAR NOT NULL, precision VARCHAR NOT NULL, threads INTEGER, opt_level INTEGER,
                target VARCHAR, batch_size BIGINT, sequence_length BIGINT, scenario VARCHAR NOT NULL,
                block INTEGER NOT NULL, model_id VARCHAR REFERENCES models (id), status VARCHAR NOT NULL,
                reason VARCHAR, checked VARCHAR NOT NULL, max_error DOUBLE, rechecked BIGINT, min_us DOUBLE,
                median_us DOUBLE, p90_us DOUBLE, p99_us DOUBLE, max_us DOUBLE, cpu_us DOUBLE, calls_per_second DOUBLE,
                items_per_second DOUBLE, first_token_us DOUBLE, next_token_us DOUBLE, compile_ms DOUBLE,
                first_result_ms DOUBLE, arena_bytes BIGINT, memory_mb DOUBLE, peak_memory_mb DOUBLE,
                allocated_bytes DOUBLE, flops DOUBLE, bytes DOUBLE, peak_gflops DOUBLE, joules DOUBLE, ops INTEGER,
                kernel_count INTEGER, instructions BIGINT, device_metrics JSON NOT NULL);
            CREATE TABLE samples (
                result_id UUID PRIMARY KEY REFERENCES results (id), microseconds DOUBLE[] NOT NULL);
            CREATE TABLE kernels (
                result_id UUID NOT NULL REFERENCES results (id), position INTEGER NOT NULL, name VARCHAR NOT NULL,
                source VARCHAR, calls INTEGER NOT NULL, microseconds DOUBLE NOT NULL, flops DOUBLE NOT NULL,
                bytes DOUBLE NOT NULL, PRIMARY KEY (result_id, position));
            """),
        ("alerts, imported files, runs to purge", """
            CREATE TABLE alerts (
                id UUID PRIMARY KEY, run_id UUID NOT NULL REFERENCES runs (id),
                result_id UUID REFERENCES results (id), raised_at TIMESTAMP NOT NULL, kind VARCHAR NOT NULL,
                message VARCHAR NOT NULL);
            CREATE TABLE imports (
                content_hash VARCHAR PRIMARY KEY, file VARCHAR NOT NULL, format VARCHAR NOT NULL,
                imported_at TIMESTAMP NOT NULL, results BIGINT NOT NULL);
            CREATE TABLE purged_runs (run_id UUID PRIMARY KEY);
            """),
        // Views are recreated with the newest migration, so this one needs no statement.
        ("the view of alerts", "SELECT 1"),
    ];

    /// <summary>The version that this program reads and writes.</summary>
    public static int Newest => Steps.Length;

    /// <summary>The tables, parents before those that refer to them.</summary>
    public static IReadOnlyList<string> Tables { get; } =
        ["models", "hardware_platforms", "environments", "runs", "results", "samples", "kernels", "alerts", "imports"];

    /// <summary>The references: child, its column, parent.</summary>
    public static IReadOnlyList<(string Child, string Column, string Parent)> References { get; } =
    [
        ("runs", "hardware_id", "hardware_platforms"), ("runs", "environment_id", "environments"),
        ("results", "run_id", "runs"), ("results", "model_id", "models"), ("samples", "result_id", "results"),
        ("kernels", "result_id", "results"), ("alerts", "run_id", "runs"), ("alerts", "result_id", "results"),
    ];

    /// <summary>0 for a database without tables; null for one with other tables.</summary>
    public static int? Version(DuckDBConnection connection)
    {
        var tables = connection.Scalar<long>("SELECT count(*) FROM duckdb_tables() WHERE NOT temporary");
        if (tables == 0) return 0;
        var isOurs = connection.Scalar<long>(
            "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'schema_versions'") == 1;
        return isOurs ? connection.Scalar<int>("SELECT coalesce(max(version), 0) FROM schema_versions") : null;
    }

    /// <summary>Refuses a database that this program would misread.</summary>
    /// <exception cref="StoreException">The database is not one of benchmarks, or has a newer version.</exception>
    public static int Check(DuckDBConnection connection, string path)
    {
        var version = Version(connection)
            ?? throw new StoreException($"{path} is a DuckDB database, but not of benchmarks: it has other tables",
                "name another file with --database");
        return version <= Newest ? version
            : throw new StoreException($"{path} has schema {version}, this accc knows up to {Newest}",
                "a newer accc made it; use that one");
    }

    /// <summary>
    /// Applies the missing migrations up to <paramref name="target"/>, each in a transaction; returns their numbers.
    /// </summary>
    public static IReadOnlyList<int> Migrate(DuckDBConnection connection, string path, int? target = null)
    {
        var first = Check(connection, path) + 1;
        var last = target ?? Newest;
        for (var version = first; version <= last; version++)
        {
            using var transaction = connection.BeginTransaction();
            connection.Execute("""
                CREATE TABLE IF NOT EXISTS schema_versions (
                    version INTEGER PRIMARY KEY, applied_at TIMESTAMP NOT NULL, purpose VARCHAR NOT NULL)
                """);
            connection.Execute(Steps[version - 1].Sql);
            connection.Execute("INSERT INTO schema_versions VALUES ($version, $now, $purpose)", ("version", version),
                ("now", DateTime.UtcNow), ("purpose", Steps[version - 1].Purpose));
            // Views contain no data and always correspond to the newest migration.
            if (version == Newest) connection.Execute(Views.Sql);
            transaction.Commit();
        }
        return first > last ? [] : [.. Enumerable.Range(first, last - first + 1)];
    }
}
