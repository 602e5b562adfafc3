// The pool and the host table: partition, statuses, nesting, concurrent callers, disposal, the native pointer.
using System.Runtime.InteropServices;
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime;

public sealed unsafe class WorkerPoolTests
{
    [Fact]
    public void EveryJobRunsOnceOnItsWorker()
    {
        for (int workers = 1; workers <= 8; workers++)
        {
            using var pool = new WorkerPool(workers);
            for (long jobs = 0; jobs <= 100; jobs++)
            {
                var owner = new int[jobs];
                var threads = new int[workers];
                Assert.Equal(0, pool.Run(
                    (begin, end, worker) =>
                    {
                        threads[worker] = Environment.CurrentManagedThreadId;
                        Assert.Equal(jobs * worker / workers, begin);
                        Assert.Equal(jobs * (worker + 1) / workers, end);
                        for (long i = begin; i < end; i++)
                        {
                            Interlocked.Add(ref owner[i], (int)worker + 1);
                        }
                        return 0;
                    },
                    jobs));
                for (long i = 0; i < jobs; i++)
                {
                    Assert.InRange(i, jobs * (owner[i] - 1) / workers, (jobs * owner[i] / workers) - 1);
                }
                int[] ran = [.. threads.Where(t => t != 0)];
                Assert.Equal(ran.Length, ran.Distinct().Count());
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
    public void NestedLoopsRunInlineOnTheSameWorker()
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

    [Fact]
    public void ConcurrentCallersTakeTurns()
    {
        using var pool = new WorkerPool(3);
        int running = 0;
        long total = 0;
        Parallel.For(0, 4, _ =>
        {
            for (int round = 0; round < 200; round++)
            {
                pool.Run(
                    (begin, end, _) =>
                    {
                        Assert.True(Interlocked.Increment(ref running) <= 3);
                        Interlocked.Add(ref total, end - begin);
                        Interlocked.Decrement(ref running);
                        return 0;
                    },
                    10);
            }
        });
        Assert.Equal(8000, total);
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
        using var host = new Host(pool, 11, 22) { OnPrint = step => printed.Add(step < 0 ? throw new InvalidOperationException() : step) };
        HostTable* table = host.Table;
        Assert.Equal(3, table->Workers);
        Assert.Equal(22, (nint)table->Custom[1]);
        var seen = stackalloc long[10];
        Assert.Equal(0, table->ParFor(table->Context, &Count, seen, 10));
        Assert.All(new Span<long>(seen, 10).ToArray(), n => Assert.Equal(1, n));
        Assert.Equal(7, table->ParFor(table->Context, &Refuse, null, 10));
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
