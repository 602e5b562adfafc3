// In: SQL from anyone. Out: the rows it selects; it changes nothing, and has access to the database alone.
using DuckDB.NET.Data;

namespace Accelerate.Bench.Store;

/// <summary>The result of a query.</summary>
/// <param name="Columns">Their names.</param>
/// <param name="Rows">Their values; null for SQL's NULL.</param>
/// <param name="HasMore">Whether there are rows beyond the limit.</param>
internal sealed record QueryRows(
    IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<object?>> Rows, bool HasMore);

/// <summary>
/// The database is opened read-only; the engine is then forbidden files, network, extensions and changes of settings.
/// DuckDB's manual recommends this for untrusted SQL.
/// </summary>
internal static class ReadOnlyQuery
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    private static readonly string[] Settings =
    [
        "memory_limit = '1GB'", "temp_directory = ''", "autoinstall_known_extensions = false",
        "autoload_known_extensions = false", "allow_community_extensions = false", "enable_external_access = false",
        "lock_configuration = true",
    ];

    /// <param name="database">The file.</param>
    /// <param name="sql">One statement.</param>
    /// <param name="limit">The maximum number of rows.</param>
    /// <param name="timeout">The time after which the query is stopped.</param>
    /// <exception cref="StoreException">The statement is refused, wrong, or takes too long.</exception>
    public static QueryRows Run(string database, string sql, int limit, TimeSpan timeout)
    {
        MergeSpool(database);
        using var connection = Open(database);
        return Run(connection, sql, limit, timeout);
    }

    /// <summary>Opens the database so that nothing can be changed through the connection.</summary>
    public static DuckDBConnection Open(string database)
    {
        DuckDbStore.Require(database);
        var connection = DuckDbStore.Connect(database, DuckDbStore.Patience, readOnly: true);
        try
        {
            if (connection.Scalar<string>("SELECT current_setting('access_mode')") != "read_only")
                throw new StoreException($"{database} is open for writing in this process");
            if (Schema.Check(connection, database) is var version && version < Schema.Newest)
                throw new StoreException($"{database} has schema {version}, this accc reads {Schema.Newest}",
                    $"accc db migrate --database {database}");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Merges the spool, which belongs to the database; if it cannot be written now, the spool stays.
    /// </summary>
    public static void MergeSpool(string database)
    {
        DuckDbStore.Require(database);
        if (Spool.Files(database).Count == 0) return;
        try
        {
            DuckDbStore.Open(database, TimeSpan.Zero).Dispose();
        }
        catch (StoreException)
        {
            // If something is wrong with the database, reading it will report that.
        }
    }

    private static QueryRows Run(DuckDBConnection connection, string sql, int limit, TimeSpan timeout)
    {
        foreach (var setting in Settings) connection.Execute("SET " + setting);
        using var command = connection.Command(sql);
        // Rows are streamed as they are computed: those beyond the limit never are.
        command.UseStreamingMode = true;
        // Repeatedly, because a cancellation before the query begins is lost.
        var alarm = new Timer(_ => command.Cancel(), null, timeout, TimeSpan.FromSeconds(0.1));
        try
        {
            using var reader = command.ExecuteReader();
            var columns = Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ToList();
            var rows = new List<IReadOnlyList<object?>>();
            while (reader.Read())
            {
                if (rows.Count == limit) return new(columns, rows, true);
                rows.Add([.. columns.Select((_, c) => reader.IsDBNull(c) ? null : reader.GetValue(c))]);
            }
            return !reader.NextResult() ? new(columns, rows, false)
                : throw new StoreException("there is more than one statement", "one statement a query");
        }
        catch (OperationCanceledException e)
        {
            throw new StoreException($"the query was stopped after {timeout.TotalSeconds:0.######} s",
                "--timeout SECONDS gives it longer", e);
        }
        catch (DuckDBException e)
        {
            throw new StoreException(DuckDbStore.FirstLine(e), "accc db query --sql 'DESCRIBE benchmark_results' lists "
                + "the columns; a query reads the database and nothing else", e);
        }
        finally
        {
            // A running callback must end before the connection does.
            alarm.DisposeAsync().AsTask().Wait();
        }
    }
}
