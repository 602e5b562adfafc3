// The pool and the host table: partition, statuses, nesting, concurrent callers, disposal, the native pointer.
using System.Runtime.InteropServices;
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime;

public sealed unsafe class WorkerPoolTests
{
    [Fact]
    public void EveryJobRunsOnceInItsPart()
    {
        for (int workers = 1; workers <= 8; workers++)
        {
            using var pool = new WorkerPool(workers);
            for (long jobs = 0; jobs <= 100; jobs++)
            {
                var owner = new int[jobs];
                int parts = (int)Math.Min(workers, jobs);
                Assert.Equal(0, pool.Run(
                    (begin, end, part) =>
                    {
                        Assert.Equal(jobs * part / parts, begin);
                        Assert.Equal(jobs * (part + 1) / parts, end);
                        for (long i = begin; i < end; i++)
                        {
                            Interlocked.Add(ref owner[i], (int)part + 1);
                        }
                        return 0;
                    },
                    jobs));
                for (long i = 0; i < jobs; i++)
                {
                    Assert.InRange(i, jobs * (owner[i] - 1) / parts, (jobs * owner[i] / parts) - 1);
                }
            }
        }
        Assert.Equal(long.MaxValue, WorkerPool.Bound(long.MaxValue, 1024, 1024));
    }

    [Fact]
    public void TheLowestWorkersStatusOrExceptionWins()
    {
        using var pool = new WorkerPool(4);
        Assert.Equal(20, pool.Run((_, _, w) => w >= 2 ? (int)w * 10 : 0, 4));
        int stopped = 0;
        var error = Assert.Throws<FormatException>(() => pool.Run(
            (_, _, w) =>
            {
                Interlocked.Increment(ref stopped);
                return w == 0 ? 0 : w == 1 ? throw new FormatException("one") : throw new ArgumentException("more");
            },
            4));
        Assert.Equal("one", error.Message);
        Assert.Equal(4, stopped);
        Assert.Equal(0, pool.Run((_, _, _) => 0, 4));
    }

    [Fact]
    public void NestedLoopsRunInlineInTheSamePart()
    {
        using var pool = new WorkerPool(3);
        using var other = new WorkerPool(2);
        var inner = new long[3];
        Assert.Equal(0, pool.Run(
            (_, _, worker) => pool.Run(
                (begin, end, w) =>
                {
                    inner[w] += end - begin;
                    return w == worker ? other.Run((_, _, o) => (int)o, 5) : 1;
                },
                7),
            3));
        Assert.Equal([7, 7, 7], inner);
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(2, 2)]
    [InlineData(2, 5)]
    [InlineData(3, 4)]
    [InlineData(8, 3)]
    public void ConcurrentCallersShareTheThreads(int workers, int callers)
    {
        using var pool = new WorkerPool(workers);
        int running = 0, most = 0;
        long total = 0;
        var threads = Enumerable.Range(0, callers).Select(_ => new Thread(() =>
        {
            for (int round = 0; round < 300; round++)
            {
                int inside = 0;
                pool.Run(
                    (begin, end, part) =>
                    {
                        int now = Interlocked.Increment(ref running);
                        InterlockedMax(ref most, now);
                        // Parts that run at the same time are different ones: each has scratch of its own.
                        Assert.Equal(0, Interlocked.Or(ref inside, 1 << (int)part) & (1 << (int)part));
                        Thread.SpinWait(round % 50);
                        Interlocked.Add(ref total, end - begin);
                        Interlocked.Decrement(ref running);
                        return 0;
                    },
                    10);
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.Equal(callers * 3000, total);
        if (workers > 1) Assert.InRange(most, 1, workers);
    }

    [Fact]
    public void ThoseWhoEnteredHaveEqualShares()
    {
        using var pool = new WorkerPool(4);
        int Parts()
        {
            int parts = 0;
            pool.Run((_, _, _) => Interlocked.Increment(ref parts) & 0, 100);
            return parts;
        }
        Assert.Equal(4, Parts());
        pool.Enter();
        Assert.Equal(2, Parts());
        pool.Enter();
        Assert.Equal(1, Parts());
        pool.Leave();
        pool.Leave();
        Assert.Equal(4, Parts());
    }

    [Fact]
    public void APoolOfOneAndALoopOfOneJobStartNoThread()
    {
        using var one = new WorkerPool(1);
        using var four = new WorkerPool(4);
        one.Run((_, _, _) => 0, 100);
        four.Run((_, _, _) => 0, 1);
        Assert.Equal(0, one.Started);
        Assert.Equal(0, four.Started);
        four.Run((_, _, _) => 0, 4);
        Assert.Equal(3, four.Started);
    }

    /// <summary>Threads that sleep, are late or busy, in every order: no loop is lost and none runs twice.</summary>
    [Fact]
    public void LoopsAtAllDistancesRunOnce()
    {
        using var pool = new WorkerPool(3);
        var random = new Random(20261126);
        long runs = 0;
        for (int round = 1; round <= 3000; round++)
        {
            Thread.SpinWait(random.Next(random.Next(2) == 0 ? 10 : 20000));
            Assert.Equal(0, pool.Run((_, _, _) => Interlocked.Increment(ref runs) < 0 ? 1 : 0, 3));
            Assert.Equal(3 * round, runs);
        }
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (int seen = most; value > seen; seen = most)
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    [Fact]
    public void ParkedWorkersWake()
    {
        using var pool = new WorkerPool(2);
        for (int round = 0; round < 20; round++)
        {
            Thread.Sleep(round % 3);
            Assert.Equal(0, pool.Run((_, _, w) => { Thread.Sleep((int)w * (round % 4)); return 0; }, 2));
        }
    }

    [Fact]
    public void DisposeEndsTheThreadsAndRefusesWork()
    {
        var pool = new WorkerPool(3);
        Assert.Throws<InvalidOperationException>(() => pool.Run((_, _, _) => { pool.Dispose(); return 0; }, 3));
        pool.Dispose();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.Run((_, _, _) => 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerPool(0));
    }

    [Fact]
    public void TheTableWorksThroughItsPointers()
    {
        Assert.Equal(48, sizeof(HostTable));
        using var pool = new WorkerPool(3);
        var printed = new List<long>();
        using var host =
            new Host(pool, 11, 22)
            {
                OnPrint = step =>
                printed.Add(step < 0 ? throw new InvalidOperationException() : step)
            };
        HostTable* table = host.Table;
        Assert.Equal(3, table->Workers);
        Assert.Equal(22, (nint)table->Custom[1]);
        var seen = stackalloc long[10];
        Assert.Equal(0, table->ParFor(table->Context, &Count, seen, 10, long.MaxValue));
        Assert.All(new Span<long>(seen, 10).ToArray(), n => Assert.Equal(1, n));
        // Work that is not worth waking a thread for is done all the same.
        for (int i = 0; i < 30; i++)
        {
            Thread.Sleep(i % 3);
            Assert.Equal(0, table->ParFor(table->Context, &Count, seen, 10, i * 10_000));
        }
        Assert.All(new Span<long>(seen, 10).ToArray(), n => Assert.Equal(31, n));
        Assert.Equal(7, table->ParFor(table->Context, &Refuse, null, 10, long.MaxValue));
        Assert.Equal(0, table->Print(table->Context, 3, null));
        Assert.Equal(0, table->Print(table->Context, 1, null));
        Assert.Equal([3, 1], printed);
        Assert.Equal(HostStatus.CallbackFailed, table->Print(table->Context, -1, null));
        Assert.NotNull(host.Failure);
        table->Error[7] = 9;
        host.Clear();
        Assert.Null(host.Failure);
        Assert.Equal(0, host.Error[7]);
    }

    [UnmanagedCallersOnly]
    private static int Count(void* args, long begin, long end, long worker)
    {
        for (long i = begin; i < end; i++)
        {
            Interlocked.Increment(ref ((long*)args)[i]);
        }
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Refuse(void* args, long begin, long end, long worker) => worker == 0 ? 0 : 6 + (int)worker;
}
