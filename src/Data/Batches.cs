// In: a feed and the order of its examples. Out: its batches one by one, read ahead by a separate thread.
using System.Collections;
using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Accelerate.Data;

/// <summary>
/// The batches of one pass. Two batches are read ahead: one waiting and one being read hide a slow read during a step,
/// and more would only take memory. Errors of reading are thrown by the enumeration.
/// </summary>
public sealed class Batches : IEnumerable<Batch>, IDisposable
{
    private const int Ahead = 2;

    private readonly BlockingCollection<Batch> read = new(Ahead);
    private readonly CancellationTokenSource stop = new();
    private readonly Thread thread;
    private Exception? error;

    /// <param name="feed">The data. It must stay open until this object is disposed.</param>
    /// <param name="order">The examples by number, in the order to read them.</param>
    /// <param name="size">The number of examples in a batch; the last batch may be smaller.</param>
    /// <param name="first">The number of batches to skip at the start.</param>
    public Batches(Feed feed, IReadOnlyList<int> order, int size, long first = 0)
    {
        ArgumentNullException.ThrowIfNull(feed);
        ArgumentNullException.ThrowIfNull(order);
        thread = new Thread(() => Read(feed, order, size, first)) { IsBackground = true, Name = "accc data" };
        thread.Start();
    }

    /// <summary>Enumerates the batches once. Each belongs to the caller, who disposes it.</summary>
    public IEnumerator<Batch> GetEnumerator()
    {
        foreach (var batch in read.GetConsumingEnumerable()) yield return batch;
        if (error is not null) ExceptionDispatchInfo.Throw(error);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Stops reading.</summary>
    public void Dispose()
    {
        stop.Cancel();
        thread.Join();
        while (read.TryTake(out var batch)) batch.Dispose();
        read.Dispose();
        stop.Dispose();
    }

    private void Read(Feed feed, IReadOnlyList<int> order, int size, long first)
    {
        try
        {
            var examples = new int[size];
            for (var at = first * size; at < order.Count && !stop.IsCancellationRequested; at += size)
            {
                var count = (int)Math.Min(size, order.Count - at);
                for (var i = 0; i < count; i++) examples[i] = order[(int)at + i];
                var batch = feed.Read(examples.AsSpan(0, count));
                try
                {
                    read.Add(batch, stop.Token);
                }
                catch
                {
                    batch.Dispose();
                    throw;
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception e)
        {
            error = e;
        }
        finally
        {
            read.CompleteAdding();
        }
    }
}
