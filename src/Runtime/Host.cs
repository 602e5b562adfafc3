// In: a worker pool, where to print, custom calls. Out: a host table at a fixed address, to be passed to native code.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Accelerate.Runtime;

/// <summary>
/// One host table with its error buffer. A session owns one, as the error buffer serves one call at a time; the pool
/// may be shared. Keep it reachable and undisposed while native code runs.
/// </summary>
internal sealed unsafe class Host : IDisposable
{
    /// <summary>The number of longs in the error buffer.</summary>
    public const int ErrorWords = 8;

    /// <summary>The one of them that a driver sets to 1 before it writes state.</summary>
    public const int WrittenWord = 6;

    /// <summary>The one of them that stops a driver while it is not 0.</summary>
    public const int StopWord = 7;

    private GCHandle _handle;
    private HostTable* _table;
    private Exception? _failure;

    /// <param name="pool">Runs par_for; not disposed with the host.</param>
    /// <param name="custom">Native addresses of the custom calls, in the order of the manifest.</param>
    public Host(WorkerPool pool, params ReadOnlySpan<nint> custom)
    {
        ArgumentNullException.ThrowIfNull(pool);
        Pool = pool;
        _handle = GCHandle.Alloc(this, GCHandleType.Weak); // weak: a strong one would keep a forgotten host for ever
        int words = ErrorWords + custom.Length;
        _table = (HostTable*)NativeMemory.AllocZeroed((nuint)(sizeof(HostTable) + (words * sizeof(long))));
        _table->Context = (void*)GCHandle.ToIntPtr(_handle);
        _table->Workers = pool.Workers;
        _table->ParFor = &ParFor;
        _table->Print = &Print;
        _table->Error = (long*)(_table + 1);
        if (custom.Length > 0)
        {
            _table->Custom = (void**)(_table->Error + ErrorWords);
            custom.CopyTo(new Span<nint>(_table->Custom, custom.Length));
        }
    }

    ~Host() => Free();

    /// <summary>The pool that runs par_for.</summary>
    public WorkerPool Pool { get; }

    /// <summary>
    /// Prints, given the number of the step; to be set before each call into native code that may print.
    /// </summary>
    public Action<long>? OnPrint { get; set; }

    /// <summary>The table, valid until the host is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    public HostTable* Table
    {
        get
        {
            ObjectDisposedException.ThrowIf(_table == null, this);
            return _table;
        }
    }

    /// <summary>The error buffer: code, step, a, b, c, d, whether state was written, whether to stop.</summary>
    public long* Error => Table->Error;

    /// <summary>The first exception a callback threw since <see cref="Clear"/>, or null.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>Forgets error and failure; to be called before each call into native code.</summary>
    public void Clear()
    {
        // One by one: as a block the JIT writes them by one 512-bit store and leaves the upper halves dirty, which the
        // runtime's own SSE code after it pays for: 150 ns a call (Xeon with AVX-512).
        long* error = Error;
        for (int i = 0; i < ErrorWords; i++)
        {
            error[i] = 0;
        }
        Volatile.Write(ref _failure, null);
    }

    /// <summary>
    /// Stops the call under way when a token is cancelled: the driver returns <see cref="HostStatus.Stopped"/> before
    /// its next kernel or turn of a loop. To be called after <see cref="Clear"/>, and to be disposed before the table
    /// is used for another call or freed: disposing waits until nobody writes to it any more.
    /// </summary>
    public CancellationTokenRegistration StopBy(CancellationToken token) => !token.CanBeCanceled ? default
        : token.UnsafeRegister(static host => Volatile.Write(ref ((Host)host!).Error[StopWord], 1), this);

    /// <summary>Frees the table; native code must not use it any more.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_table != null)
        {
            NativeMemory.Free(_table);
            _table = null;
            _handle.Free();
        }
    }

    private static Host? From(void* context) => GCHandle.FromIntPtr((nint)context).Target as Host;

    [UnmanagedCallersOnly]
    private static int ParFor(
        void* context, delegate* unmanaged<void*, long, long, long, int> body, void* args, long jobs, long work)
    {
        Host? host = null;
        try
        {
            host = From(context);
            return host!.Pool.Run(body, args, jobs, work, entered: true);
        }
        catch (Exception e)
        {
            return Fail(host, e);
        }
    }

    [UnmanagedCallersOnly]
    private static int Print(void* context, long step, void** buffers)
    {
        Host? host = null;
        try
        {
            host = From(context);
            host!.OnPrint!(step);
            return HostStatus.Ok;
        }
        catch (Exception e)
        {
            return Fail(host, e);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Fail(Host? host, Exception e)
    {
        if (host is not null)
        {
            Interlocked.CompareExchange(ref host._failure, e, null);
        }
        return HostStatus.CallbackFailed;
    }
}
