// In: a body and a number of jobs. Out: the body run over all jobs by W workers, and the first non-zero status.
using System.Runtime.ExceptionServices;

namespace Accelerate.Runtime;

/// <summary>
/// W workers, the calling thread being worker 0 and W − 1 background threads the others; a pool of one starts no
/// thread. Worker w gets the jobs [jobs·w/W, jobs·(w+1)/W) and is not called when that is empty.
/// </summary>
/// <remarks>
/// <para>Several callers take turns, one parallel loop at a time: each loop then has every core, and W threads never
/// become more than W running ones. With W = 1 callers share nothing and run at once.</para>
/// <para>A loop started inside a body runs on the thread that starts it, as one call over all its jobs with that
/// thread's own worker index (0 if the thread works for another pool): the scratch of that worker is the only one free
/// of other threads.</para>
/// </remarks>
public sealed unsafe class WorkerPool : IDisposable
{
    /// <summary>
    /// Turns before a thread parks, meant to outlast the gap between two kernels of one call. An empty loop of two
    /// workers, 0 to 100 µs after the last, on a 2-core x86-64 machine with other work on it (load 5, one noisy run,
    /// debug build): medians of 24–60 µs with no spinning (a wake by the system each time), 0.8–9.6 µs with 200 turns.
    /// Without the yields of <see cref="Spin"/> 200 turns gave 1.3–93 µs.
    /// </summary>
    private const int SpinTurns = 200;

    [ThreadStatic]
    private static WorkerPool? _current;

    [ThreadStatic]
    private static int _currentWorker;

    private readonly Thread[] _threads;
    private readonly int[] _statuses;
    private readonly Exception?[] _exceptions;
    private readonly int _spinTurns;
    private readonly Lock _turn = new();
    private readonly object _start = new();
    private readonly object _done = new();

    // The loop being run: written before _generation is advanced, read by workers after they see it advance.
    private delegate* unmanaged<void*, long, long, long, int> _native;
    private void* _args;
    private Func<long, long, long, int>? _managed;
    private long _jobs;

    private int _generation;
    private int _parked;
    private int _pending;
    private bool _callerParked;
    private bool _stopping;

    /// <param name="workers">W ≥ 1, the calling thread included.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one worker, or more than 1024.</exception>
    public WorkerPool(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(workers, 1024);
        Workers = workers;
        _statuses = new int[workers];
        _exceptions = new Exception?[workers];
        // With more workers than cores a spinning thread takes the core of the one it waits for.
        _spinTurns = workers <= Environment.ProcessorCount ? SpinTurns : 0;
        _threads = new Thread[workers - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"accelerate-worker-{worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>W, the calling thread included.</summary>
    public int Workers { get; }

    /// <summary>Runs a native body, <c>body(args, begin, end, worker) → status</c>; nothing for jobs ≤ 0.</summary>
    /// <returns>0, or the non-zero status of the lowest worker that had one; all workers have stopped.</returns>
    /// <exception cref="ObjectDisposedException">The pool is disposed.</exception>
    public int Run(delegate* unmanaged<void*, long, long, long, int> body, void* args, long jobs) =>
        Run(body, args, null, jobs);

    /// <summary>Runs a managed body, <c>body(begin, end, worker) → status</c>; nothing for jobs ≤ 0.</summary>
    /// <returns>0, or the non-zero status of the lowest worker that had one; all workers have stopped.</returns>
    /// <exception cref="ObjectDisposedException">The pool is disposed.</exception>
    /// <exception cref="Exception">What a body threw, after all workers have stopped; the lowest worker wins.</exception>
    public int Run(Func<long, long, long, int> body, long jobs) => Run(null, null, body, jobs);

    /// <summary>Waits for a running loop, then ends the threads. From inside a body it is an error.</summary>
    public void Dispose()
    {
        if (_current == this)
        {
            throw new InvalidOperationException("a worker pool cannot be disposed by one of its own workers");
        }
        lock (_turn)
        {
            if (_stopping)
            {
                return;
            }
            _stopping = true;
            Release();
        }
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private int Run(
        delegate* unmanaged<void*, long, long, long, int> native, void* args, Func<long, long, long, int>? managed,
        long jobs)
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (jobs <= 0)
        {
            return HostStatus.Ok;
        }
        if (_current is not null)
        {
            int worker = _current == this ? _currentWorker : 0;
            return managed is null ? native(args, 0, jobs, worker) : managed(0, jobs, worker);
        }
        if (Workers == 1)
        {
            return RunAlone(native, args, managed, jobs);
        }
        lock (_turn)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            _native = native;
            _args = args;
            _managed = managed;
            _jobs = jobs;
            Volatile.Write(ref _pending, _threads.Length);
            Release();
            Part(0);
            WaitForWorkers();
            _managed = null;
            return Result();
        }
    }

    private int RunAlone(
        delegate* unmanaged<void*, long, long, long, int> native, void* args, Func<long, long, long, int>? managed,
        long jobs)
    {
        (_current, _currentWorker) = (this, 0);
        try
        {
            return managed is null ? native(args, 0, jobs, 0) : managed(0, jobs, 0);
        }
        finally
        {
            _current = null;
        }
    }

    private int Result()
    {
        for (int worker = 0; worker < Workers; worker++)
        {
            if (_exceptions[worker] is { } exception)
            {
                Array.Clear(_exceptions);
                ExceptionDispatchInfo.Throw(exception);
            }
            if (_statuses[worker] != 0)
            {
                int status = _statuses[worker];
                Array.Clear(_exceptions);
                return status;
            }
        }
        return HostStatus.Ok;
    }

    /// <summary>Runs worker w's part and keeps what came of it; never throws.</summary>
    private void Part(int worker)
    {
        _statuses[worker] = HostStatus.Ok;
        long begin = Bound(_jobs, worker, Workers);
        long end = Bound(_jobs, worker + 1, Workers);
        if (begin == end)
        {
            return;
        }
        (_current, _currentWorker) = (this, worker);
        try
        {
            _statuses[worker] = _managed is null
                ? _native(_args, begin, end, worker)
                : _managed(begin, end, worker);
        }
        catch (Exception e)
        {
            _exceptions[worker] = e;
        }
        finally
        {
            _current = null;
        }
    }

    /// <summary>⌊jobs·w/W⌋ without the overflow of the product.</summary>
    internal static long Bound(long jobs, int worker, int workers) =>
        (jobs / workers * worker) + (jobs % workers * worker / workers);

    private void Work(int worker)
    {
        int seen = 0;
        while (true)
        {
            seen = WaitForStart(seen);
            if (_stopping)
            {
                return;
            }
            Part(worker);
            if (Interlocked.Decrement(ref _pending) == 0 && Volatile.Read(ref _callerParked))
            {
                lock (_done)
                {
                    Monitor.Pulse(_done);
                }
            }
        }
    }

    /// <summary>Starts all workers on what the fields describe.</summary>
    private void Release()
    {
        // A full fence on both sides: either this thread sees the parked worker, or that one sees the new generation.
        Interlocked.Increment(ref _generation);
        if (Volatile.Read(ref _parked) > 0)
        {
            lock (_start)
            {
                Monitor.PulseAll(_start);
            }
        }
    }

    /// <summary>Every eighth turn offers the core to others: the awaited thread may be queued on this very one.</summary>
    private static void Spin(int turn)
    {
        if (turn % 8 != 7 || !Thread.Yield())
        {
            Thread.SpinWait(8);
        }
    }

    private int WaitForStart(int seen)
    {
        for (int turn = 0; turn < _spinTurns; turn++)
        {
            int generation = Volatile.Read(ref _generation);
            if (generation != seen)
            {
                return generation;
            }
            Spin(turn);
        }
        Interlocked.Increment(ref _parked);
        lock (_start)
        {
            while (Volatile.Read(ref _generation) == seen)
            {
                Monitor.Wait(_start);
            }
        }
        Interlocked.Decrement(ref _parked);
        return Volatile.Read(ref _generation);
    }

    private void WaitForWorkers()
    {
        for (int turn = 0; turn < _spinTurns; turn++)
        {
            if (Volatile.Read(ref _pending) == 0)
            {
                return;
            }
            Spin(turn);
        }
        lock (_done)
        {
            Volatile.Write(ref _callerParked, true);
            Interlocked.MemoryBarrier(); // pairs with the decrement: the last worker sees the flag, or this sees zero
            while (Volatile.Read(ref _pending) > 0)
            {
                Monitor.Wait(_done);
            }
            _callerParked = false;
        }
    }
}
