// The threads of a pool: how a part is offered, taken, finished and collected, and how long each side spins.
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Accelerate.Runtime;

internal sealed unsafe partial class WorkerPool
{
    /// <summary>
    /// How long a thread spins before it sleeps: as long as waking it takes (ski rental: at most twice the optimal
    /// cost).
    /// </summary>
    private const long SpinMicroseconds = 50;

    /// <summary>
    /// The number of scalar operations worth waking sleeping threads for, in one loop or in several since they fell
    /// asleep: some 40 µs. Waking costs the caller 7 µs (2-core x86-64 virtual machine; gap 100 µs in the pool's
    /// measurement), and the thread begins some 50 µs later.
    /// </summary>
    private const long WorthWaking = 1 << 21;

    /// <summary>How long it spins without yielding the core; a system call takes some 0.3 µs.</summary>
    private const int TurnsWithoutYield = 256;

    // The states of a slot. Idle → Offered (by the caller) → Taken (by whichever thread is first) → Idle; Idle → Parked
    // → Offered; Taken → Awaited (by a sleeping caller) → Idle.
    private const int Idle = 0;
    private const int Offered = 1;
    private const int Taken = 2;
    private const int Awaited = 3;
    private const int Parked = 4;
    private const int Stop = 5;

    private static readonly long SpinTicks = SpinMicroseconds * Stopwatch.Frequency / 1_000_000;

    private readonly Slot* slots;
    private readonly Func<long, long, long, int>?[] bodies;
    private readonly Exception?[] exceptions;
    private readonly long spinTicks;
    private long workAsleep;

    /// <summary>
    /// The mailbox of a thread, on one cache line (two, as they are fetched in pairs): a loop moves only this line to
    /// the thread's core and back.
    /// </summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Slot
    {
        [FieldOffset(0)] public int State;
        [FieldOffset(4)] public int Status;
        [FieldOffset(8)] public delegate* unmanaged<void*, long, long, long, int> Body;
        [FieldOffset(16)] public void* Args;
        [FieldOffset(24)] public long Begin;
        [FieldOffset(32)] public long End;
        [FieldOffset(40)] public int Part;
    }

    /// <summary>
    /// The number of slots to use, moved to the front: all, unless some threads sleep and the work is not worth waking
    /// them.
    /// </summary>
    private int Awake(Span<int> slots, long work)
    {
        int awake = 0;
        for (int i = 0; i < slots.Length; i++)
        {
            if (Volatile.Read(ref this.slots[slots[i]].State) != Parked)
            {
                (slots[i], slots[awake]) = (slots[awake], slots[i]);
                awake++;
            }
        }
        if (awake == slots.Length)
        {
            return awake;
        }
        workAsleep = Math.Min(work, WorthWaking) + workAsleep; // a race between callers loses a little of the count
        if (workAsleep < WorthWaking)
        {
            return awake;
        }
        workAsleep = 0;
        return slots.Length;
    }

    /// <summary>Changes an idle or parked slot's state and wakes its thread if it sleeps.</summary>
    private static void Tell(Slot* slot, int state)
    {
        if (Interlocked.Exchange(ref slot->State, state) == Parked)
        {
            Parking.Wake(&slot->State);
        }
    }

    /// <summary>Waits until a part is done; runs it on this thread if its own thread has not begun.</summary>
    private void Collect(int w)
    {
        Slot* slot = &slots[w];
        if (Volatile.Read(ref slot->State) == Offered
            && Interlocked.CompareExchange(ref slot->State, Taken, Offered) == Offered)
        {
            RunPart(w);
            Volatile.Write(ref slot->State, Idle);
            return;
        }
        // Not "until it is idle": its thread may already have gone to sleep.
        if (Spin(slot, Taken))
        {
            return;
        }
        while (Interlocked.CompareExchange(ref slot->State, Awaited, Taken) is Taken or Awaited)
        {
            Parking.Wait(&slot->State, Awaited);
        }
    }

    /// <summary>The main loop of a thread.</summary>
    private void Work(int w)
    {
        Slot* slot = &slots[w];
        while (true)
        {
            int state = Volatile.Read(ref slot->State);
            switch (state)
            {
                case Stop:
                    return;
                case Offered when Interlocked.CompareExchange(ref slot->State, Taken, Offered) == Offered:
                    RunPart(w);
                    if (Interlocked.Exchange(ref slot->State, Idle) == Awaited)
                    {
                        Parking.Wake(&slot->State);
                    }
                    break;
                case Parked:
                    Parking.Wait(&slot->State, Parked);
                    break;
                case Idle or Taken: // taken by the caller
                    if (!Spin(slot, state))
                    {
                        Interlocked.CompareExchange(ref slot->State, Parked, Idle);
                    }
                    break;
            }
        }
    }

    /// <summary>Runs a taken part and stores its status or exception; never throws.</summary>
    private void RunPart(int w)
    {
        Slot* slot = &slots[w];
        (current, currentPart) = (this, slot->Part);
        try
        {
            slot->Status = slot->Body != null
                ? slot->Body(slot->Args, slot->Begin, slot->End, slot->Part)
                : bodies[w]!(slot->Begin, slot->End, slot->Part);
        }
        catch (Exception e)
        {
            slot->Status = HostStatus.Ok;
            exceptions[w] = e;
        }
        finally
        {
            current = null;
        }
    }

    /// <summary>True when the state has changed; false when the time is up.</summary>
    private bool Spin(Slot* slot, int state)
    {
        long end = 0;
        for (int turn = 0; ; turn++)
        {
            if (Volatile.Read(ref slot->State) != state)
            {
                return true;
            }
            if (turn % 32 == 31)
            {
                long now = Stopwatch.GetTimestamp();
                end = end == 0 ? now + spinTicks : end;
                if (now >= end)
                {
                    return false;
                }
            }
            Pause(turn);
        }
    }

    /// <summary>After a while, every sixteenth turn yields the core: the awaited thread may be queued on it.</summary>
    private static void Pause(int turn)
    {
        if (turn >= TurnsWithoutYield && turn % 16 == 0)
        {
            Thread.Yield();
        }
        else if (X86Base.IsSupported)
        {
            X86Base.Pause();
        }
        else
        {
            Thread.SpinWait(1);
        }
    }
}
