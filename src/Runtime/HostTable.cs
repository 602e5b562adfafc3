// In: nothing; this is the layout of the data for native code. Out: one table of callbacks, six words of 8 bytes.
using System.Runtime.InteropServices;

namespace Accelerate.Runtime;

/// <summary>
/// A native entry function's view of its host. Emitted code relies on this layout: six members of 8 bytes, in this
/// order. Callbacks return a status, 0 for success, and never throw.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct HostTable
{
    /// <summary>The first argument of every callback.</summary>
    public void* Context;

    /// <summary>W, the number of workers; scratch memory has one part for each.</summary>
    public long Workers;

    /// <summary>
    /// <c>par_for(context, body, args, jobs, work)</c> calls <c>body(args, begin, end, part)</c> once for each of P
    /// parts, [jobs·p/P, jobs·(p+1)/P), and returns after all have ended: 0, or the first non-zero status in the order
    /// of parts. P is at most <see cref="Workers"/> and at most jobs; parts that run concurrently have different
    /// numbers. Work is the approximate number of scalar operations of all jobs.
    /// </summary>
    public delegate* unmanaged<void*, delegate* unmanaged<void*, long, long, long, int>, void*, long, long, int> ParFor;

    /// <summary>
    /// <c>print(context, step, buffers)</c> writes the output of that step of the program, in the order of
    /// Program.AllSteps, from the buffers of the call.
    /// </summary>
    public delegate* unmanaged<void*, long, void**, int> Print;

    /// <summary>The custom calls, in the order of the program's manifest; null if there are none.</summary>
    public void** Custom;

    /// <summary>
    /// Eight longs. A failing driver fills the first six: code, step, a, b, c, d. The next one is 1 from the first step
    /// that writes state (<see cref="Host.WrittenWord"/>). The host sets the last one to 1 to stop the call
    /// (<see cref="Host.StopWord"/>); a driver reads it before each kernel and each loop iteration.
    /// </summary>
    public long* Error;
}

/// <summary>The statuses of callbacks, besides those of the program itself, which are positive.</summary>
internal static class HostStatus
{
    /// <summary>Success.</summary>
    public const int Ok = 0;

    /// <summary>A managed callback threw; the exception is in <see cref="Host.Failure"/>.</summary>
    public const int CallbackFailed = -1;

    /// <summary>The host asked to stop: <see cref="Host.StopWord"/>.</summary>
    public const int Stopped = -2;
}
