// In: runs to delete. Out: the database without them, or at least without anything visible of them.
using DuckDB.NET.Data;

namespace Accelerate.Bench.Store;

/// <summary>
/// DuckDB refuses to delete a row in the transaction that deletes the rows referring to it, so a purge takes several.
/// The first one records the runs, and views hide them from then on; the next process that opens the database completes
/// an interrupted purge.
/// </summary>
internal static class Purge
{
    private const string Results = "(SELECT id FROM results WHERE run_id IN (SELECT run_id FROM purged_runs))";

    private static readonly string[] Statements =
    [
        $"DELETE FROM samples WHERE result_id IN {Results}",
        $"DELETE FROM kernels WHERE result_id IN {Results}",
        "DELETE FROM alerts WHERE run_id IN (SELECT run_id FROM purged_runs)",
        "DELETE FROM results WHERE run_id IN (SELECT run_id FROM purged_runs)",
        "DELETE FROM runs WHERE id IN (SELECT run_id FROM purged_runs)",
        "DELETE FROM purged_runs",
        "DELETE FROM models WHERE id NOT IN (SELECT model_id FROM results WHERE model_id IS NOT NULL)",
        "DELETE FROM hardware_platforms WHERE id NOT IN (SELECT hardware_id FROM runs)",
        "DELETE FROM environments WHERE id NOT IN (SELECT environment_id FROM runs)",
    ];

    /// <summary>Deletes runs with everything that belongs to them.</summary>
    public static void Of(DuckDBConnection connection, IReadOnlyList<Guid> runs)
    {
        using (var transaction = connection.BeginTransaction())
        {
            foreach (var run in runs)
                connection.Execute("INSERT OR IGNORE INTO purged_runs VALUES ($run)", ("run", run));
            transaction.Commit();
        }
        Finish(connection);
    }

    /// <summary>Completes an interrupted purge.</summary>
    public static void Finish(DuckDBConnection connection)
    {
        if (connection.Scalar<long>("SELECT count(*) FROM purged_runs") == 0) return;
        foreach (var statement in Statements) connection.Execute(statement);
    }
}
