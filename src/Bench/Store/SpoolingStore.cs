// In: batches of a benchmark. Out: the database has them, or the spool beside it while another process has it open.
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Store;

/// <summary>
/// Has the database open only while it reads or writes, so that it can be queried while a benchmark runs. An append
/// opens, writes, and closes in 35 ms (2 cores of a Xeon at 2.1 GHz). Where another process has the database open, an
/// append waits for it, and those after it do not wait again.
/// </summary>
/// <param name="path">The database; made when it is not there.</param>
/// <param name="patience">How long to wait for another process; <see cref="DuckDbStore.Patience"/> if null.</param>
internal sealed class SpoolingStore(string path, TimeSpan? patience = null) : IResultStore
{
    private readonly TimeSpan patience = patience ?? DuckDbStore.Patience;
    private bool isBusy;

    /// <summary>Batches that went into the spool and were not merged by this store since.</summary>
    public int Spooled { get; private set; }

    public void Append(ResultBatch batch)
    {
        try
        {
            using var store = DuckDbStore.Open(path, isBusy ? TimeSpan.Zero : patience);
            store.Append(batch);
            (isBusy, Spooled) = (false, 0);
        }
        catch (StoreBusyException)
        {
            Spool.Append(path, batch);
            isBusy = true;
            Spooled++;
        }
    }

    public IReadOnlyList<RunRecord> Runs(ResultFilter filter)
    {
        using var store = DuckDbStore.Open(path, patience, create: false);
        return store.Runs(filter);
    }

    public IReadOnlyList<ResultRecord> Results(ResultFilter filter, bool details = false)
    {
        using var store = DuckDbStore.Open(path, patience, create: false);
        return store.Results(filter, details);
    }

    public void Dispose()
    {
        // Nothing is open between the calls.
    }
}
