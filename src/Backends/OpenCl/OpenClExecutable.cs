// In: programs whose kernels are all map kernels. Out: an executable that runs every one of those kernels on an OpenCL
// device.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// Inputs, state and constants are copied to the device for a call, results and assigned state copied back; temporaries
/// never leave it. Nothing falls back to the host: what the device cannot run is a <see cref="LimitationException"/>
/// when the executable is made.
/// </summary>
public sealed unsafe class OpenClExecutable : Executable
{
    private readonly OpenClDevice device;
    private readonly ImmutableArray<ProgramEntry> entries;
    private readonly ImmutableArray<ImmutableArray<OpenClSource>> kernels;
    private readonly IReadOnlyDictionary<string, Tensor> initialState;
    private long launched;

    /// <param name="programs">One for each exported function.</param>
    /// <param name="initialState">What a session's state starts as, by label; zeros for the others. Not disposed
    /// here.</param>
    /// <exception cref="LimitationException">A kernel is not a map kernel, or needs f64 where the device has
    /// none.</exception>
    /// <exception cref="InvalidOperationException">There is no OpenCL device; the message has the line that installs
    /// one.</exception>
    public OpenClExecutable(
        IReadOnlyList<Program> programs, IReadOnlyDictionary<string, Tensor>? initialState = null)
    {
        // Printing comes first: a limitation of the language level is one with or without a device.
        var sources = new Dictionary<string, OpenClSource>();
        kernels = [.. programs.Select(p => p.Kernels.Select(k =>
        {
            // Equal texts are one kernel, also across entries.
            var text = KernelPrinter.Print(k);
            if (!sources.TryGetValue(text, out var known)) sources[text] = known = OpenClPrinter.Source(k);
            return known;
        }).ToImmutableArray())];
        if (!OpenClLibrary.Available(out var reason)) throw new InvalidOperationException(reason);
        device = OpenClDevice.Default;
        foreach (var source in sources.Values)
        {
            if (source.NeedsF64 && !device.HasF64)
                throw new LimitationException("OpenCL", "f64 values", source.Name);
            device.Program(source.Source); // compile errors show here, not in the first call
        }
        this.initialState = initialState ?? ImmutableDictionary<string, Tensor>.Empty;
        entries = [.. programs.Select(p => new ProgramEntry(p))];
        Entries = [.. entries.Select(e => e.Spec)];
        ProgramEntry.Fold(entries, setups => new OpenClExecutable(setups));
    }

    public override IReadOnlyList<EntrySpec> Entries { get; }

    public override string Backend => "opencl";

    /// <summary>The device's name as its driver gives it.</summary>
    public string DeviceName => device.Name;

    /// <summary>
    /// Kernels the device has run to their end, over all calls and sessions. A call adds one for each call step of its
    /// program, less those whose index space is empty.
    /// </summary>
    public long KernelsLaunched => Volatile.Read(ref launched);

    /// <summary>True if there is a device to run on; otherwise the reason, with the line that installs one.</summary>
    public static bool Available([System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out string? reason) =>
        OpenClLibrary.Available(out reason);

    protected override void Initialize(SessionState state)
    {
        ProgramEntry.InitializeState(entries, state, initialState);
        state.BackendState ??= new OpenClSession(device);
    }

    protected override Tensor[] Invoke(
        SessionState state, int entry, IReadOnlyList<Tensor> inputs, IReadOnlyDictionary<string, long> sizes)
    {
        var program = entries[entry].Program;
        var session = (OpenClSession)state.BackendState!;
        using var call = new ProgramCall(entries[entry], state, inputs, sizes);
        var buffers = new OpenClBuffer[program.Buffers.Length];
        try
        {
            for (var b = 0; b < buffers.Length; b++) buffers[b] = Place(program, entry, b, call, session);
            var steps = program.Steps.OfType<CallStep>().ToList();
            var flag = steps.Any(s => kernels[entry][s.Kernel].Flags) ? session.ClearedFlag() : null;
            foreach (var step in steps)
            {
                var (kernel, source) = (program.Kernels[step.Kernel], kernels[entry][step.Kernel]);
                Verify(kernel, step, call);
                session.Launch(source, [.. step.Buffers.Select(b => buffers[b])],
                    [.. kernel.Sizes.Select(call.SizeOf)], source.Flags ? flag : null, call.SizeOf);
            }

            Interlocked.Add(ref launched, session.Finish());
            var flagged = 0;
            if (flag is not null) session.Read(flag, &flagged, sizeof(int));
            foreach (var b in flagged == 0 ? Written(program) : [])
                session.Read(buffers[b], (void*)call.Pointers[b], Bytes(call, b));
            return call.Finish(flagged != 0 ? ExecutionCode.IndexOutOfRange : 0);
        }
        catch
        {
            session.Abandon();
            throw;
        }
        finally
        {
            for (var b = 0; b < buffers.Length; b++)
                if (program.Buffers[b].Kind != BufferKind.Temporary) buffers[b]?.Dispose();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        foreach (var entry in entries) entry.Dispose();
    }

    private OpenClBuffer Place(Program program, int entry, int buffer, ProgramCall call, OpenClSession session) =>
        program.Buffers[buffer] switch
        {
            // Temporaries of one slot share its memory, as the memory plan means them to.
            { Kind: BufferKind.Temporary, Slot: var slot } =>
                session.Slot(entry, slot, program.Slots[slot].Evaluate(call.SizeOf)),
            { Kind: BufferKind.Output } => new OpenClBuffer(device, Bytes(call, buffer)),
            _ => OpenClBuffer.CopyOf(device, (void*)call.Pointers[buffer], Bytes(call, buffer)),
        };

    private static void Verify(Kernel kernel, CallStep step, ProgramCall call)
    {
        for (var b = 0; b < step.Buffers.Length; b++)
        {
            var declared = kernel.Buffers[b];
            var count = declared.Count.Evaluate(call.SizeOf);
            if (call.Type(step.Buffers[b]) != declared.Type || count > call.Counts[step.Buffers[b]])
            {
                throw new InternalErrorException($"kernel @{kernel.Name} wants {declared.Name}: "
                    + $"{declared.Type.Name()} x {count}, the program gives {call.Type(step.Buffers[b]).Name()} x "
                    + $"{call.Counts[step.Buffers[b]]}");
            }
        }
    }

    /// <summary>What a call hands back: its results, and the state that one of its kernels assigns.</summary>
    private static IEnumerable<int> Written(Program program) => program.Steps.OfType<CallStep>()
        .SelectMany(s => s.Buffers.Where((_, i) => program.Kernels[s.Kernel].Buffers[i].IsOutput))
        .Where(b => program.Buffers[b].Kind != BufferKind.Temporary).Distinct();

    private static long Bytes(ProgramCall call, int buffer) => call.Counts[buffer] * call.Type(buffer).Bytes();
}
