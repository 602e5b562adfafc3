// In: nothing. Out: the views that users query, as SQL.
namespace Accelerate.Bench.Store;

/// <summary>
/// `benchmark_runs` has a row for each run, `benchmark_results` for each process with or without figures, and
/// `performance_results` for those with figures; `benchmark_alerts` has what needs attention. Simulated results are
/// only in `…_with_simulated`.
/// </summary>
internal static class Views
{
    public const string Results = "benchmark_results";

    public const string WithSimulated = "_with_simulated";

    public static IReadOnlyList<string> Names { get; } =
    [
        .. ((string[])["benchmark_runs", Results, "performance_results"])
            .SelectMany(n => (string[])[n, n + WithSimulated]),
        "benchmark_samples", "benchmark_kernels", "benchmark_alerts",
    ];

    /// <summary>A run in <c>purged_runs</c> is being deleted in several transactions, and already hidden.</summary>
    public const string Sql = """
        CREATE OR REPLACE VIEW benchmark_runs_with_simulated AS
        SELECT r.id AS run_id, r.started_at, r.command, r.suite, r.seed, r.simulated, e.commit, e.build, e.os,
            e.dotnet, e.llvm, h.fingerprint AS machine, h.name AS hardware_name, h.kind AS hardware_type, h.cores,
            h.memory_bytes, h.driver, count(s.id) AS results,
            count(s.id) FILTER (s.status = 'measured') AS measured,
            count(s.id) FILTER (s.status = 'skipped') AS skipped,
            count(s.id) FILTER (s.status = 'failed') AS failed,
            count(s.id) FILTER (s.status = 'wrong') AS wrong, max(s.measured_at) AS last_measured_at
        FROM runs r JOIN hardware_platforms h ON h.id = r.hardware_id JOIN environments e ON e.id = r.environment_id
            LEFT JOIN results s ON s.run_id = r.id
        WHERE r.id NOT IN (SELECT run_id FROM purged_runs)
        GROUP BY ALL;

        CREATE OR REPLACE VIEW benchmark_results_with_simulated AS
        SELECT s.id AS result_id, s.run_id, r.started_at AS run_started_at, r.command, r.suite, r.seed, r.simulated,
            s.position, s.measured_at, s.benchmark, s.category, s.case_key, s.params, s.contender, s.backend,
            s.device, h.kind AS hardware_type, h.name AS hardware_name, h.fingerprint AS machine, h.cores,
            h.memory_bytes, array_to_string(h.features, ' ') AS features, h.caches, h.driver, e.commit, e.build, e.os,
            e.dotnet, e.llvm, s.model_id, m.name AS model_name, m.architecture AS architecture_type, m.size_class,
            m.parameter_count, s.batch_size, s.sequence_length, s.precision, s.threads, s.opt_level, s.target,
            s.scenario, s.block, s.status, s.reason, s.checked, s.max_error, s.rechecked,
            s.median_us / 1000 AS latency_ms, s.min_us / 1000 AS latency_min_ms, s.p90_us / 1000 AS latency_p90_ms,
            s.p99_us / 1000 AS latency_p99_ms, s.max_us / 1000 AS latency_max_ms, s.cpu_us / 1000 AS cpu_ms,
            coalesce(s.calls_per_second, 1e6 / s.median_us) * coalesce(s.batch_size, 1) AS throughput_samples_per_sec,
            s.calls_per_second, s.items_per_second AS throughput_items_per_second,
            s.memory_mb AS memory_usage_mb, s.peak_memory_mb, s.first_token_us / 1000 AS first_token_latency_ms,
            s.next_token_us / 1000 AS next_token_latency_ms, s.compile_ms, s.first_result_ms, s.arena_bytes,
            s.allocated_bytes, s.flops, s.bytes, s.peak_gflops, s.flops / s.median_us / 1e3 AS gflops,
            s.bytes / s.median_us / 1e3 AS gb_per_second,
            100 * s.flops / s.median_us / 1e3 / s.peak_gflops AS peak_percent, s.joules, s.ops, s.kernel_count,
            s.instructions, s.device_metrics
        FROM results s JOIN runs r ON r.id = s.run_id JOIN hardware_platforms h ON h.id = r.hardware_id
            JOIN environments e ON e.id = r.environment_id LEFT JOIN models m ON m.id = s.model_id
        WHERE r.id NOT IN (SELECT run_id FROM purged_runs);

        CREATE OR REPLACE VIEW performance_results_with_simulated AS
        SELECT * FROM benchmark_results_with_simulated WHERE status = 'measured';

        CREATE OR REPLACE VIEW benchmark_runs AS SELECT * FROM benchmark_runs_with_simulated WHERE NOT simulated;
        CREATE OR REPLACE VIEW benchmark_results AS SELECT * FROM benchmark_results_with_simulated WHERE NOT simulated;
        CREATE OR REPLACE VIEW performance_results AS
        SELECT * FROM performance_results_with_simulated WHERE NOT simulated;

        CREATE OR REPLACE VIEW benchmark_samples AS
        SELECT result_id, unnest(range(1, len(microseconds) + 1)) AS position, unnest(microseconds) AS microseconds
        FROM samples WHERE result_id IN (SELECT result_id FROM benchmark_results);

        CREATE OR REPLACE VIEW benchmark_kernels AS
        SELECT k.*, k.flops / nullif(k.microseconds, 0) / 1e3 AS gflops,
            k.bytes / nullif(k.microseconds, 0) / 1e3 AS gb_per_second
        FROM kernels k WHERE k.result_id IN (SELECT result_id FROM benchmark_results);

        CREATE OR REPLACE VIEW benchmark_alerts AS
        SELECT a.raised_at, a.kind, a.message, r.benchmark, r.case_key, r.contender, r.threads, r.commit, r.build,
            r.machine, a.run_id, a.result_id, a.id AS alert_id
        FROM alerts a JOIN benchmark_results r ON r.result_id = a.result_id;
        """;
}
