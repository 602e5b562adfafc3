// In: a body and a number of jobs. Out: the body run over all jobs by up to W threads, and the first non-zero status.
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Accelerate.Runtime;

/// <summary>
/// W threads for parallel loops, including the calling one. Jobs are split into parts in advance: of P parts, part p is
/// the jobs [jobs·p/P, jobs·(p+1)/P), and P is W, the number of jobs if that is less, or the caller's share. A pool of
/// one starts no thread; a larger one starts its threads at the first loop that needs them.
/// </summary>
/// <remarks>
/// <para>Part 0 runs on the calling thread, the others on threads of the pool. If a part's thread has not begun when
/// the caller has finished its own part, the caller runs that part: a thread that sleeps, or that the system has
/// descheduled, delays nothing.</para>
/// <para>A loop of two threads costs 0.25 µs beyond half of the work (0.81 µs for 2 × 0.56, 1.60 for 2 × 1.37), and
/// 0.03 µs beyond all of it when the second thread is late; with W = 1 it costs 0.04 µs, including the transition from
/// native code and back. (2-core Zen 4 virtual machine, load 50, 1 to 50 µs between loops, minima and p10 of 1,000 to
/// 10,000.) Printing the loop as native code could save 0.01 µs of it.</para>
/// <para>The parts are fixed in advance, so that the next loop's part finds this one's output in its thread's cache.
/// With parts of which a thread takes half of the rest, and work stealing of half of another thread's, MobileNetV2 took
/// 6.0 ms on two threads instead of 4.3, ResNet-50 46 instead of 40, BERT-base 111 instead of 114 (`accc time`, medians
/// of 5 processes in turns, on a machine whose cores others share).</para>
/// <para>Concurrent callers share the W threads evenly: of c callers each has max(1, ⌊W/c⌋), including itself, and one
/// that arrives when all are taken waits for a running loop to end. So no more than W threads run bodies. With W = 1
/// callers share nothing and run at once.</para>
/// <para>A loop started inside a body runs on the thread that starts it, as one call over all its jobs with that
/// thread's own part (0 if the thread works for another pool): only the scratch of that part is unused by other
/// threads.</para>
/// </remarks>
internal sealed unsafe partial class WorkerPool : IDisposable
{
    [ThreadStatic]
    private static WorkerPool? current;

    [ThreadStatic]
    private static int currentPart;

    private readonly Thread[] threads;

    /// <summary>The number of threads that were started.</summary>
    internal int Started => threads.Count(t => t is not null);

    private readonly object turn = new();

    // Guarded by gate: a spin lock that is held for some ten instructions.
    private readonly int[] freeSlots;
    private int freeCount;
    private int free;
    private int gate;

    private int waiting;
    private int callers;
    private bool started;
    private bool stopping;

    /// <param name="workers">W ≥ 1, the calling thread included.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one worker, or more than 1024.</exception>
    public WorkerPool(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(workers, 1024);
        Workers = free = workers;
        freeCount = workers - 1;
        threads = new Thread[workers - 1];
        // Free slots are taken from the end, so worker 0 is last in the list.
        freeSlots = [.. Enumerable.Range(0, workers - 1).Reverse()];
        bodies = new Func<long, long, long, int>?[workers - 1];
        exceptions = new Exception?[workers - 1];
        slots = (Slot*)NativeMemory.AlignedAlloc((nuint)(sizeof(Slot) * workers), (nuint)sizeof(Slot));
        NativeMemory.Clear(slots, (nuint)(sizeof(Slot) * workers));
        // With more workers than cores, a spinning thread takes the core of the thread it waits for.
        spinTicks = workers <= Environment.ProcessorCount ? SpinTicks : 0;
    }

    ~WorkerPool() => NativeMemory.AlignedFree(slots); // running threads keep the pool reachable

    /// <summary>W, including the calling thread.</summary>
    public int Workers { get; }

    /// <summary>
    /// Counts the calling thread among those that share the pool until <see cref="Leave"/>, for callers that start
    /// several loops. A loop without such a pair counts its caller only while it runs.
    /// </summary>
    public void Enter() => Interlocked.Increment(ref callers);

    /// <summary>Ends the sharing that <see cref="Enter"/> began.</summary>
    public void Leave() => Interlocked.Decrement(ref callers);

    /// <summary>Runs a native body, <c>body(args, begin, end, part) → status</c>; does nothing for jobs ≤ 0.</summary>
    /// <param name="body">The body.</param>
    /// <param name="args">The body's first argument.</param>
    /// <param name="jobs">The number of jobs.</param>
    /// <param name="work">The approximate number of scalar operations of all jobs, which decides whether to wake
    /// sleeping threads.</param>
    /// <param name="entered">True between <see cref="Enter"/> and <see cref="Leave"/>.</param>
    /// <returns>0, or the first non-zero status in the order of parts, after all have ended.</returns>
    /// <exception cref="ObjectDisposedException">The pool is disposed.</exception>
    public int Run(delegate* unmanaged<void*, long, long, long, int> body, void* args, long jobs, long work,
        bool entered = false) =>
        Run(body, args, null, jobs, work, entered);

    /// <summary>Runs a managed body, <c>body(begin, end, part) → status</c>; does nothing for jobs ≤ 0.</summary>
    /// <returns>0, or the first non-zero status in the order of parts, after all have ended.</returns>
    /// <exception cref="ObjectDisposedException">The pool is disposed.</exception>
    /// <exception cref="Exception">The exception of a body, after all parts have ended; the lowest part's if several
    /// threw.</exception>
    public int Run(Func<long, long, long, int> body, long jobs)
    {
        ArgumentNullException.ThrowIfNull(body);
        return Run(null, null, body, jobs, long.MaxValue, false);
    }

    /// <summary>Waits for running loops, then ends the threads. It is an error to call it from a body.</summary>
    public void Dispose()
    {
        if (current == this)
        {
            throw new InvalidOperationException("a worker pool cannot be disposed by one of its own workers");
        }
        if (stopping)
        {
            return;
        }
        WaitFor(Workers); // all of them, permanently
        stopping = true;
        if (started)
        {
            for (int w = 0; w < threads.Length; w++)
            {
                Tell(&slots[w], Stop);
            }
            foreach (Thread thread in threads)
            {
                thread.Join();
            }
        }
        Release([], Workers);
    }

    /// <summary>⌊jobs·p/parts⌋ without the overflow of the product.</summary>
    internal static long Bound(long jobs, int part, int parts) =>
        (jobs / parts * part) + (jobs % parts * part / parts);

    private int Run(
        delegate* unmanaged<void*, long, long, long, int> native, void* args, Func<long, long, long, int>? managed,
        long jobs, long work, bool entered)
    {
        ObjectDisposedException.ThrowIf(stopping, this);
        if (jobs <= 0)
        {
            return HostStatus.Ok;
        }
        if (WorkerPool.current is { } current)
        {
            int part = current == this ? currentPart : 0;
            return managed is null ? native(args, 0, jobs, part) : managed(0, jobs, part);
        }
        if (Workers == 1 || jobs == 1)
        {
            return Own(native, args, managed, jobs);
        }
        int callers = entered ? Volatile.Read(ref this.callers) : Interlocked.Increment(ref this.callers);
        int wanted = (int)Math.Min(jobs, Math.Max(1, Workers / Math.Max(1, callers)));
        int* slots = stackalloc int[wanted];
        int taken = Take(wanted, slots);
        try
        {
            ObjectDisposedException.ThrowIf(stopping, this);
            int parts = taken > 1 ? 1 + Awake(new Span<int>(slots, taken - 1), work) : 1;
            return parts == 1 ? Own(native, args, managed, jobs) : Shared(native, args, managed, jobs, parts, slots);
        }
        finally
        {
            Release(new ReadOnlySpan<int>(slots, taken - 1), taken);
            if (!entered)
            {
                Leave();
            }
        }
    }

    /// <summary>Runs part 0 on the calling thread.</summary>
    private int Own(
        delegate* unmanaged<void*, long, long, long, int> native, void* args, Func<long, long, long, int>? managed,
            long end)
    {
        (current, currentPart) = (this, 0);
        try
        {
            return managed is null ? native(args, 0, end, 0) : managed(0, end, 0);
        }
        finally
        {
            current = null;
        }
    }

    private int Shared(
        delegate* unmanaged<void*, long, long, long, int> native, void* args, Func<long, long, long, int>? managed,
        long jobs, int parts, int* slots)
    {
        for (int part = 1; part < parts; part++)
        {
            int w = slots[part - 1];
            Slot* slot = &this.slots[w];
            slot->Body = native;
            slot->Args = args;
            slot->Part = part;
            (slot->Begin, slot->End) = (Bound(jobs, part, parts), Bound(jobs, part + 1, parts));
            if (managed is not null)
            {
                bodies[w] = managed;
            }
            Tell(slot, Offered);
        }
        int status = 0;
        ExceptionDispatchInfo? thrown = null;
        try
        {
            status = Own(native, args, managed, Bound(jobs, 1, parts));
        }
        catch (Exception e)
        {
            thrown = ExceptionDispatchInfo.Capture(e);
        }
        for (int part = 1; part < parts; part++)
        {
            int w = slots[part - 1];
            Collect(w);
            if (managed is not null)
            {
                bodies[w] = null;
                if (exceptions[w] is { } exception && status == 0)
                {
                    thrown ??= ExceptionDispatchInfo.Capture(exception);
                }
                exceptions[w] = null;
            }
            if (status == 0 && thrown is null)
            {
                status = this.slots[w].Status;
            }
        }
        thrown?.Throw();
        return status;
    }

    /// <summary>
    /// Takes up to that many threads, at least one: the caller first, then the others, whose slots it writes.
    /// </summary>
    private int Take(int wanted, int* slots)
    {
        if (TryTake(1, wanted, slots) is var taken and > 0)
        {
            return taken;
        }
        WaitFor(1);
        // The awaited thread is the caller itself; it continues alone rather than wait for more.
        return 1;
    }

    private int TryTake(int least, int wanted, int* slots)
    {
        Lock();
        int taken = free < least ? 0 : Math.Min(free, wanted);
        free -= taken;
        for (int i = 1; i < taken; i++)
        {
            slots[i - 1] = freeSlots[--freeCount];
        }
        Unlock();
        if (taken > 1 && !started)
        {
            StartThreads();
        }
        return taken;
    }

    /// <summary>Takes that many threads without slots, waiting until they are free.</summary>
    private void WaitFor(int threads)
    {
        bool Taken()
        {
            Lock();
            bool enough = free >= threads;
            free -= enough ? threads : 0;
            Unlock();
            return enough;
        }
        long end = System.Diagnostics.Stopwatch.GetTimestamp() + spinTicks;
        for (int turn = 0; !Taken(); turn++)
        {
            if (System.Diagnostics.Stopwatch.GetTimestamp() < end)
            {
                Pause(turn);
                continue;
            }
            lock (this.turn)
            {
                Interlocked.Increment(ref waiting);
                while (!Taken())
                {
                    Monitor.Wait(this.turn);
                }
                Interlocked.Decrement(ref waiting);
                return;
            }
        }
    }

    private void Release(ReadOnlySpan<int> slots, int threads)
    {
        Lock();
        for (int i = slots.Length - 1; i >= 0; i--)
        {
            freeSlots[freeCount++] = slots[i];
        }
        free += threads;
        Unlock(); // a full fence: either this thread sees the waiter, or the waiter sees the free threads
        if (Volatile.Read(ref waiting) > 0)
        {
            lock (turn)
            {
                Monitor.PulseAll(turn);
            }
        }
    }

    private void Lock()
    {
        for (int turn = 0; Interlocked.CompareExchange(ref gate, 1, 0) != 0; turn++)
        {
            Pause(turn);
        }
    }

    private void Unlock() => Interlocked.Exchange(ref gate, 0);

    private void StartThreads()
    {
        lock (threads)
        {
            for (int i = 0; !started && !stopping && i < threads.Length; i++)
            {
                int w = i;
                threads[i] = new Thread(() => Work(w)) { IsBackground = true, Name = $"accelerate-worker-{w + 1}" };
                threads[i].Start();
            }
            started = true;
        }
    }
}
