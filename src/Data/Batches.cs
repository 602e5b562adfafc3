// In: a feed and the order of its examples. Out: its batches one by one, read ahead by a thread of their own.
using System.Collections;
using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Accelerate.Data;

/// <summary>
/// The batches of one pass. Reading is ahead of the caller by two batches: one that waits and one under way hide a slow
/// read behind a step, and more would only take memory.
/// </summary>
public sealed class Batches : IEnumerable<Batch>, IDisposable
{
    private const int Ahead = 2;

    private readonly BlockingCollection<Batch> read = new(Ahead);
    private readonly CancellationTokenSource stop = new();
    private readonly Thread thread;
    private Exception? error;

    /// <param name="feed">What is read.</param>
    /// <param name="order">The examples, in order.</param>
    /// <param name="size">How many make a batch; the last may have fewer.</param>
    /// <param name="first">The number of batches that are passed over.</param>
    public Batches(Feed feed, IReadOnlyList<int> order, int size, long first = 0)
    {
        ArgumentNullException.ThrowIfNull(feed);
        ArgumentNullException.ThrowIfNull(order);
        thread = new Thread(() => Read(feed, order, size, first)) { IsBackground = true, Name = "accc data" };
        thread.Start();
    }

    /// <summary>Each batch belongs to the caller, who disposes it. Once.</summary>
    public IEnumerator<Batch> GetEnumerator()
    {
        foreach (var batch in read.GetConsumingEnumerable()) yield return batch;
        if (error is not null) ExceptionDispatchInfo.Throw(error);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Ends the reading.</summary>
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
