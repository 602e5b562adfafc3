// In: runs to delete. Out: the database without them, or at least without anything of them that can be seen.
using DuckDB.NET.Data;

namespace Accelerate.Bench.Store;

/// <summary>
/// DuckDB refuses to delete a row in the transaction that deletes those which refer to it: a purge takes several. The
/// first one names the runs, and no view shows them from then on; whoever opens the database next ends what was begun.
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

    /// <summary>Deletes runs with all that is known of them.</summary>
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

    /// <summary>Ends a purge that was begun.</summary>
    public static void Finish(DuckDBConnection connection)
    {
        if (connection.Scalar<long>("SELECT count(*) FROM purged_runs") == 0) return;
        foreach (var statement in Statements) connection.Execute(statement);
    }
}
