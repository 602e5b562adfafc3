// In: batches of a benchmark. Out: the batches in the database, or in the spool next to it until the database is free.
using Accelerate.Bench.Records;
using Accelerate.Runtime;

namespace Accelerate.Bench.Store;

/// <summary>
/// For a measuring process. The first batch goes to the database, so that an unusable database is noticed before hours
/// of measuring; later ones go to the spool, and to the database when the store is closed or read. In between the
/// database is free for queries, which merge the spool so far. A batch in the spool costs the same whatever the size of
/// the database; opening and closing the database for one batch took 0.1 s of processor time when it was empty and 0.3
/// s with 40,000 results, whose keys are read and written again.
/// </summary>
/// <param name="path">The database; created if it does not exist.</param>
/// <param name="patience">How long to wait for another process; <see cref="DuckDbStore.Patience"/> if null.</param>
internal sealed class SpoolingStore(string path, TimeSpan? patience = null) : IResultStore
{
    private readonly TimeSpan patience = patience ?? DuckDbStore.Patience;
    private bool isTried;

    /// <summary>The number of this store's batches in the spool.</summary>
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

    /// <summary>Merges the spool into the database; false while another process has it open.</summary>
    public bool Merge()
    {
        if (Spooled == 0) return true;
        // Opening merges.
        using var store = TryOpen();
        if (store is null) return false;
        Spooled = 0;
        return true;
    }

    /// <summary>
    /// Stores alerts; returns the number of new ones, or null while another process has the database open.
    /// </summary>
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

    /// <summary>If it cannot merge now, the next process that opens the database does.</summary>
    public void Dispose()
    {
        try
        {
            Merge();
        }
        catch (StoreException)
        {
            // The batches are in the spool, and the next command on the database reports what is wrong with it.
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

    /// <summary>Null if there is no database yet.</summary>
    private DuckDbStore? Read()
    {
        if (FileStatus.Of(path) is null && Spool.Files(path).Count == 0) return null;
        var store = DuckDbStore.Open(path, patience);
        Spooled = 0;
        return store;
    }
}
