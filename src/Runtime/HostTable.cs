// In: nothing; this is the layout of what native code receives. Out: one table of callbacks, six words of 8 bytes.
using System.Runtime.InteropServices;

namespace Accelerate.Runtime;

/// <summary>
/// The view that a native entry function has of its host, shared bit for bit with emitted code: six members of 8 bytes,
/// in this order. Callbacks return a status, 0 for success, and never throw.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct HostTable
{
    /// <summary>Passed back as the first argument of every callback.</summary>
    public void* Context;

    /// <summary>W, the number of workers; scratch memory has one part for each.</summary>
    public long Workers;

    /// <summary>
    /// <c>par_for(context, body, args, jobs, work)</c> calls <c>body(args, begin, end, part)</c> once for each of P
    /// parts, [jobs·p/P, jobs·(p+1)/P), and returns after all have stopped: 0, or the first non-zero status in the
    /// order of parts. P is at most <see cref="Workers"/> and at most jobs; parts that run at the same time have
    /// different numbers. Work is roughly how many scalar operations all jobs take.
    /// </summary>
    public delegate* unmanaged<void*, delegate* unmanaged<void*, long, long, long, int>, void*, long, long, int> ParFor;

    /// <summary>
    /// <c>print(context, step, buffers)</c> writes what that step of the program prints, in the order of
    /// Program.AllSteps, from the buffers of the call.
    /// </summary>
    public delegate* unmanaged<void*, long, void**, int> Print;

    /// <summary>The custom calls, in the order of the program's manifest; null if there are none.</summary>
    public void** Custom;

    /// <summary>
    /// Eight longs. The first six a failing driver fills: code, step, a, b, c, d. The next one is 1 from the first step
    /// on that writes state (<see cref="Host.WrittenWord"/>). The last one the host sets to 1 to stop the call
    /// (<see cref="Host.StopWord"/>); a driver reads it before each kernel and each turn of a loop.
    /// </summary>
    public long* Error;
}

/// <summary>The statuses callbacks return beside those of the program itself, which are positive.</summary>
internal static class HostStatus
{
    /// <summary>Success.</summary>
    public const int Ok = 0;

    /// <summary>A managed callback threw; <see cref="Host.Failure"/> has the exception.</summary>
    public const int CallbackFailed = -1;

    /// <summary>The host asked to stop: <see cref="Host.StopWord"/>.</summary>
    public const int Stopped = -2;
}
