// In: a worker pool, a print callback, custom calls. Out: a host table at a fixed address for native code.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Accelerate.Runtime;

/// <summary>
/// One host table with its error buffer. Each session owns one, because the error buffer serves one call at a time; the
/// pool may be shared. Keep it reachable and undisposed while native code runs.
/// </summary>
internal sealed unsafe class Host : IDisposable
{
    /// <summary>The number of longs in the error buffer.</summary>
    public const int ErrorWords = 8;

    /// <summary>The index of the word that a driver sets to 1 before it writes state.</summary>
    public const int WrittenWord = 6;

    /// <summary>The index of the word that stops a driver when it is not 0.</summary>
    public const int StopWord = 7;

    private GCHandle handle;
    private HostTable* table;
    private Exception? failure;

    /// <param name="pool">Runs par_for; not disposed with the host.</param>
    /// <param name="custom">Native addresses of the custom calls, in the order of the manifest.</param>
    public Host(WorkerPool pool, params ReadOnlySpan<nint> custom)
    {
        ArgumentNullException.ThrowIfNull(pool);
        Pool = pool;
        handle = GCHandle.Alloc(this, GCHandleType.Weak); // weak: a strong handle would keep an abandoned host forever
        int words = ErrorWords + custom.Length;
        table = (HostTable*)NativeMemory.AllocZeroed((nuint)(sizeof(HostTable) + (words * sizeof(long))));
        table->Context = (void*)GCHandle.ToIntPtr(handle);
        table->Workers = pool.Workers;
        table->ParFor = &ParFor;
        table->Print = &Print;
        table->Error = (long*)(table + 1);
        if (custom.Length > 0)
        {
            table->Custom = (void**)(table->Error + ErrorWords);
            custom.CopyTo(new Span<nint>(table->Custom, custom.Length));
        }
    }

    ~Host() => Free();

    /// <summary>The pool that runs par_for.</summary>
    public WorkerPool Pool { get; }

    /// <summary>
    /// Prints the step with the given number; set it before each call into native code that may print.
    /// </summary>
    public Action<long>? OnPrint { get; set; }

    /// <summary>The table, valid until the host is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    public HostTable* Table
    {
        get
        {
            ObjectDisposedException.ThrowIf(table == null, this);
            return table;
        }
    }

    /// <summary>The error buffer: code, step, a, b, c, d, a flag for written state, a flag to stop.</summary>
    public long* Error => Table->Error;

    /// <summary>The first exception of a callback since <see cref="Clear"/>, or null.</summary>
    public Exception? Failure => Volatile.Read(ref failure);

    /// <summary>Clears error and failure; call it before each call into native code.</summary>
    public void Clear()
    {
        // Element by element: the JIT would clear a block with one 512-bit store and leave the upper halves dirty,
        // which slows the runtime's later SSE code: 150 ns a call (Xeon with AVX-512).
        long* error = Error;
        for (int i = 0; i < ErrorWords; i++)
        {
            error[i] = 0;
        }
        Volatile.Write(ref failure, null);
    }

    /// <summary>
    /// Stops the running call when a token is cancelled: the driver returns <see cref="HostStatus.Stopped"/> before its
    /// next kernel or loop iteration. Call it after <see cref="Clear"/>, and dispose the result before the table is
    /// used for another call or freed: disposing waits until no callback writes to the table.
    /// </summary>
    public CancellationTokenRegistration StopBy(CancellationToken token) => !token.CanBeCanceled ? default
        : token.UnsafeRegister(static host => Volatile.Write(ref ((Host)host!).Error[StopWord], 1), this);

    /// <summary>Frees the table; native code must no longer use it.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (table != null)
        {
            NativeMemory.Free(table);
            table = null;
            handle.Free();
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
            Interlocked.CompareExchange(ref host.failure, e, null);
        }
        return HostStatus.CallbackFailed;
    }
}
