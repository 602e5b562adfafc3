// In: a DuckDB file. Out: runs and results in it, stored permanently once Append returns.
using System.Text.RegularExpressions;
using Accelerate.Bench.Records;
using Accelerate.Runtime;
using DuckDB.NET.Data;

namespace Accelerate.Bench.Store;

/// <summary>
/// A database that this process has open exclusively. Opening it updates its schema, completes interrupted purges and
/// merges the spool. Times are stored to the microsecond.
/// </summary>
internal sealed partial class DuckDbStore : IResultStore
{
    /// <summary>How long to wait for another process that has the database open.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    // Parents known to exist, so that a batch of one result costs one look-up instead of five.
    private readonly HashSet<object> present = [];

    private DuckDbStore(string path, DuckDBConnection connection) => (Path, Connection) = (path, connection);

    public string Path { get; }

    /// <summary>For statements of the database commands.</summary>
    public DuckDBConnection Connection { get; }

    /// <summary>What opening merged from the spool.</summary>
    public SpoolMerge Merged { get; private set; } = SpoolMerge.Nothing;

    /// <summary>The migrations of the schema that opening applied.</summary>
    public IReadOnlyList<int> Migrated { get; private set; } = [];

    /// <summary>Opens it for writing.</summary>
    /// <param name="path">The file.</param>
    /// <param name="patience">How long to wait for a process that has it open; <see cref="Patience"/> if null.</param>
    /// <param name="create">Whether to create a missing file.</param>
    /// <exception cref="StoreBusyException">Another process has it open.</exception>
    /// <exception cref="StoreException">The file is not a database of benchmarks, has a newer version, or is
    /// missing.</exception>
    public static DuckDbStore Open(string path, TimeSpan? patience = null, bool create = true)
    {
        if (!create) Require(path);
        var store = new DuckDbStore(path, Connect(path, patience ?? Patience));
        try
        {
            Guard(path, () =>
            {
                store.Migrated = Schema.Migrate(store.Connection, path);
                Purge.Finish(store.Connection);
                store.Merged = Spool.Merge(store);
                return true;
            });
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    public void Append(ResultBatch batch) => Append([batch]);

    /// <summary>Appends all of them in one transaction; returns the number of new results.</summary>
    /// <param name="batches">The batches; results that exist already are left out.</param>
    /// <param name="also">Further statements of the same transaction.</param>
    public int Append(IReadOnlyList<ResultBatch> batches, Action<DuckDBConnection>? also = null)
    {
        lock (gate)
        {
            return Guard(Path, () =>
            {
                using var transaction = Connection.BeginTransaction();
                var parents = new List<object>();
                var added = 0;
                foreach (var batch in batches) added += Write(batch, parents);
                also?.Invoke(Connection);
                transaction.Commit();
                present.UnionWith(parents);
                return added;
            });
        }
    }

    /// <summary>Stores alerts; returns the number of new ones.</summary>
    public int Raise(IReadOnlyList<Alert> alerts)
    {
        lock (gate)
        {
            return Guard(Path, () =>
            {
                using var transaction = Connection.BeginTransaction();
                var added = alerts.Sum(a => Connection.Execute(
                    "INSERT OR IGNORE INTO alerts VALUES ($id, $run, $result, $now, $kind, $message)", ("id", a.Id),
                    ("run", a.RunId), ("result", a.ResultId), ("now", DateTime.UtcNow), ("kind", a.Kind),
                    ("message", a.Message)));
                transaction.Commit();
                return added;
            });
        }
    }

    /// <summary>Deletes runs with everything that belongs to them.</summary>
    public void Delete(IReadOnlyList<Guid> runs)
    {
        lock (gate)
        {
            // Their models and machines may be deleted too.
            present.Clear();
            Guard(Path, () =>
            {
                Purge.Of(Connection, runs);
                return true;
            });
        }
    }

    public IReadOnlyList<RunRecord> Runs(ResultFilter filter)
    {
        lock (gate) return Guard(Path, () => ResultQueries.Runs(Connection, filter));
    }

    public IReadOnlyList<ResultRecord> Results(ResultFilter filter, bool details = false)
    {
        lock (gate) return Guard(Path, () => ResultQueries.Results(Connection, filter, details));
    }

    public void Dispose() => Connection.Dispose();

    /// <summary>Turns the engine's errors into errors of the store; other exceptions are bugs.</summary>
    public static T Guard<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (DuckDBException e)
        {
            throw new StoreException($"{path}: {FirstLine(e)}", inner: e);
        }
    }

    /// <exception cref="StoreException">There is no such file.</exception>
    public static void Require(string path)
    {
        if (FileStatus.Of(path) is null)
            throw new StoreException($"there is no database {path}", $"accc db init --database {path} makes it");
    }

    public static string FirstLine(Exception e) => e.Message.Split('\n')[0].TrimEnd();

    /// <summary>Opens the file as soon as no other process has it open.</summary>
    public static DuckDBConnection Connect(string path, TimeSpan patience, bool readOnly = false)
    {
        if (InputFile.NameError(path) is { } error) throw new StoreException($"'{path}': {error}");
        if (FileStatus.Of(path) is { Kind: not FileKind.Regular and var kind })
            throw new StoreException($"{path} {InputFile.What(kind)}");
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path));
        if (FileStatus.Of(folder!) is null) throw new StoreException($"{path}: there is no folder {folder}");
        var options = new DuckDBConnectionStringBuilder { DataSource = System.IO.Path.GetFullPath(path) };
        if (readOnly) options["access_mode"] = "READ_ONLY";
        // For a new file: by default a block has 256 KiB, and a table of few rows takes one for each column.
        else options["default_block_size"] = "16384";
        return Retry(path, patience, () =>
        {
            var connection = new DuckDBConnection(options.ToString());
            try
            {
                connection.Open();
                return connection;
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        });
    }

    /// <summary>Runs an action that opens the database, and repeats it while another process has it open.</summary>
    public static T Retry<T>(string path, TimeSpan patience, Func<T> open)
    {
        for (var deadline = DateTime.UtcNow + patience; ;)
        {
            try
            {
                return open();
            }
            catch (DuckDBException e) when (e.Message.Contains("Could not set lock", StringComparison.Ordinal))
            {
                if (DateTime.UtcNow >= deadline)
                {
                    var holder = Holder().Match(e.Message) is { Success: true } m
                        ? $"process {m.Groups[1].Value}" : "another process";
                    throw new StoreBusyException(
                        $"{path} is open in {holder}, still after {patience.TotalSeconds:0.###} s", e);
                }
                Thread.Sleep(20);
            }
            catch (DuckDBException e)
            {
                throw e.Message.Contains("not a valid DuckDB database", StringComparison.Ordinal)
                    ? new StoreException($"{path} is no DuckDB database", "name another file with --database", e)
                    : new StoreException($"{path} cannot be opened: {FirstLine(e)}", inner: e);
            }
        }
    }

    [GeneratedRegex(@"PID (\d+)")]
    private static partial Regex Holder();

    private int Write(ResultBatch batch, List<object> parents)
    {
        if (!present.Contains(batch.Run.Id) && !parents.Contains(batch.Run.Id))
        {
            ParentRows.Insert(Connection, batch.Run);
            parents.Add(batch.Run.Id);
        }
        foreach (var model in batch.Results.Select(r => r.Model).OfType<ModelRecord>().Distinct())
        {
            if (present.Contains(model) || parents.Contains(model)) continue;
            ParentRows.Insert(Connection, model);
            parents.Add(model);
        }
        var there = Connection.Rows("SELECT id FROM results WHERE run_id = $run", row => row.Get<Guid>("id"),
            ("run", batch.Run.Id)).ToHashSet();
        List<(ResultRecord Result, int Position)> added = [];
        foreach (var result in batch.Results)
        {
            if (result.RunId != batch.Run.Id)
                throw new StoreException($"result {result.Id} is of run {result.RunId}, its batch of {batch.Run.Id}");
            // The position in the run, so that results with equal times keep their order.
            if (there.Add(result.Id)) added.Add((result, there.Count));
        }
        if (added.Count == 0) return 0;
        using (var appender = Connection.CreateAppender("results"))
        {
            foreach (var (result, position) in added)
            {
                var row = appender.CreateRow();
                foreach (var (name, value) in ResultColumns.All)
                    Add(row, name == "position" ? position : value(result));
                row.EndRow();
            }
        }
        using (var appender = Connection.CreateAppender("samples"))
        {
            foreach (var (result, _) in added.Where(r => r.Result.Samples.Count > 0))
                appender.CreateRow().AppendValue(result.Id).AppendValue(result.Samples).EndRow();
        }
        using (var appender = Connection.CreateAppender("kernels"))
        {
            foreach (var (result, _) in added)
                foreach (var (index, k) in result.Kernels.Index())
                    appender.CreateRow().AppendValue(result.Id).AppendValue(index).AppendValue(k.Name)
                        .AppendValue(k.Where).AppendValue(k.Calls).AppendValue(k.Microseconds).AppendValue(k.Flops)
                        .AppendValue(k.Bytes).EndRow();
        }
        foreach (var (result, _) in added.Where(r => r.Result.Status is ResultStatus.Wrong or ResultStatus.Failed))
            Connection.Execute("INSERT INTO alerts VALUES ($id, $run, $result, $now, $kind, $message)",
                ("id", Guid.NewGuid()), ("run", result.RunId), ("result", result.Id), ("now", DateTime.UtcNow),
                ("kind", ResultColumns.Text(result.Status)),
                ("message", $"{result.Benchmark} {result.CaseKey} by {result.Contender}: {result.Reason}"));
        return added.Count;
    }

    private static void Add(IDuckDBAppenderRow row, object? value) => _ = value switch
    {
        null => row.AppendNullValue(),
        string text => row.AppendValue(text),
        Guid id => row.AppendValue(id),
        int number => row.AppendValue(number),
        long number => row.AppendValue(number),
        double number => row.AppendValue(number),
        DateTime time => row.AppendValue(time),
        _ => throw new ArgumentException($"no column has {value.GetType()}"),
    };
}
