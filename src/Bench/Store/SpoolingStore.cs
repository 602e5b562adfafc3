// In: batches of a benchmark. Out: the database has them, or the spool beside it until the database is free.
using Accelerate.Bench.Records;
using Accelerate.Runtime;

namespace Accelerate.Bench.Store;

/// <summary>
/// For a process that measures. The first batch goes into the database, so that one which can take no results is
/// noticed before hours of measuring; those after it go into the spool, and into the database when the store is closed
/// or read. Between them the database is free for queries, which merge what was spooled so far. A batch in the spool
/// costs the same whatever the database holds; opening it for one batch, and closing it, took 0.1 s of processor time
/// with an empty database and 0.3 s with 40,000 results in it, whose keys are read and written again.
/// </summary>
/// <param name="path">The database; made when it is not there.</param>
/// <param name="patience">How long to wait for another process; <see cref="DuckDbStore.Patience"/> if null.</param>
internal sealed class SpoolingStore(string path, TimeSpan? patience = null) : IResultStore
{
    private readonly TimeSpan patience = patience ?? DuckDbStore.Patience;
    private bool isTried;

    /// <summary>Batches of this store that wait in the spool.</summary>
    public int Spooled { get; private set; }

    public void Append(ResultBatch batch)
    {
        using var store = isTried ? null : TryOpen();
        isTried = true;
        if (store is not null)
        {
            store.Append(batch);
            return;
        }
        Spool.Append(path, batch);
        Spooled++;
    }

    /// <summary>Brings what waits in the spool into the database; false while another process has it open.</summary>
    public bool Merge()
    {
        if (Spooled == 0) return true;
        // Opening merges.
        using var store = TryOpen();
        if (store is null) return false;
        Spooled = 0;
        return true;
    }

    /// <summary>Keeps alerts; how many were new, or null while another process has the database open.</summary>
    public int? Raise(IReadOnlyList<Alert> alerts)
    {
        using var store = TryOpen();
        return store?.Raise(alerts);
    }

    public IReadOnlyList<RunRecord> Runs(ResultFilter filter)
    {
        using var store = Read();
        return store?.Runs(filter) ?? [];
    }

    public IReadOnlyList<ResultRecord> Results(ResultFilter filter, bool details = false)
    {
        using var store = Read();
        return store?.Results(filter, details) ?? [];
    }

    /// <summary>What cannot be merged now is merged by whoever opens the database next.</summary>
    public void Dispose()
    {
        try
        {
            Merge();
        }
        catch (StoreException)
        {
            // The batches are in the spool, and the next command on the database says what is wrong with it.
        }
    }

    private DuckDbStore? TryOpen()
    {
        try
        {
            return DuckDbStore.Open(path, patience);
        }
        catch (StoreBusyException)
        {
            return null;
        }
    }

    /// <summary>Null where nothing was ever kept.</summary>
    private DuckDbStore? Read()
    {
        if (FileStatus.Of(path) is null && Spool.Files(path).Count == 0) return null;
        var store = DuckDbStore.Open(path, patience);
        Spooled = 0;
        return store;
    }
}
