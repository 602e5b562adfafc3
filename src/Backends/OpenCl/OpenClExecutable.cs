// In: programs. Out: an executable that runs every one of their kernels on an OpenCL device.
using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// Inputs, state and constants are copied to the device for a call, results and assigned state copied back; temporaries
/// stay on it. Nothing falls back to the host: if the device cannot run something, creating the executable throws a
/// <see cref="LimitationException"/>.
/// </summary>
internal sealed unsafe class OpenClExecutable : Executable
{
    private readonly OpenClDevice device;
    private readonly ImmutableArray<ProgramEntry> entries;
    private readonly ImmutableArray<ImmutableArray<OpenClKernel>> kernels;
    private readonly ModelState model;
    private readonly WorkShape shape;
    private long launched;
    private long empty;

    /// <param name="programs">One for each exported function.</param>
    /// <param name="initialState">The initial state of a session, by label; zeros for the others. Not disposed
    /// here.</param>
    /// <exception cref="LimitationException">A kernel needs f64, which the device does not have.</exception>
    /// <exception cref="InvalidOperationException">There is no OpenCL device; the message has the command that installs
    /// one.</exception>
    public OpenClExecutable(IReadOnlyList<Program> programs, IReadOnlyDictionary<string, Tensor>? initialState = null)
        : this(programs, initialState, WorkShape.Auto)
    {
    }

    /// <param name="programs">One for each exported function.</param>
    /// <param name="initialState">The initial state of a session, by label; zeros for the others. Not disposed
    /// here.</param>
    /// <param name="shape">Which of a kernel's texts to prefer.</param>
    /// <param name="memoryLimit">The value of <see cref="Executable.MemoryLimit"/>.</param>
    /// <exception cref="LimitationException">A kernel needs f64, which the device does not have.</exception>
    /// <exception cref="InvalidOperationException">There is no OpenCL device; the message has the command that installs
    /// one.</exception>
    internal OpenClExecutable(
        IReadOnlyList<Program> programs, IReadOnlyDictionary<string, Tensor>? initialState, WorkShape shape,
        long? memoryLimit = null)
    {
        this.shape = shape;
        MemoryLimit = memoryLimit;
        programs = GuardedAccesses.Of(programs);
        // Printing comes first, so that a limitation of the language is reported with or without a device.
        var sources = new Dictionary<string, OpenClKernel>();
        kernels = [.. programs.Select(p => p.Kernels.Select(k =>
        {
            // Kernels with equal texts are shared, also across entries.
            var text = KernelPrinter.Print(k);
            if (!sources.TryGetValue(text, out var known)) sources[text] = known = OpenClPrinter.Source(k);
            return known;
        }).ToImmutableArray())];
        if (!OpenClLibrary.Available(out var reason)) throw new InvalidOperationException(reason);
        device = OpenClDevice.Default;
        foreach (var kernel in sources.Values)
            if (kernel.Item.NeedsF64 && !device.HasF64)
                throw new LimitationException("OpenCL", "f64 values", kernel.Kernel.Name);
        // Compile errors are reported here, not in the first call; drivers that can compile several programs
        // concurrently do so.
        try
        {
            Parallel.ForEach(sources.Values.SelectMany(k => k.Eager(device.IsGpu, shape)),
                source => device.Program(source.Source));
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
        entries = [.. programs.Select(p => new ProgramEntry(p))];
        Entries = [.. entries.Select(e => e.Spec)];
        model = new ModelState(entries, initialState ?? ImmutableDictionary<string, Tensor>.Empty,
            (setups, given) => new OpenClExecutable(setups, given, WorkShape.Auto, memoryLimit));
    }

    public override IReadOnlyList<EntrySpec> Entries { get; }

    public override Backend Backend => Backend.OpenCl;

    /// <summary>The device's name as its driver gives it.</summary>
    public string DeviceName => device.Name;

    /// <summary>
    /// The number of kernels that the device has completed, over all calls and sessions. A call adds one for each call
    /// step it reaches, except those with an empty index space.
    /// </summary>
    public long KernelsLaunched => Volatile.Read(ref launched);

    /// <summary>The number of call steps of successful calls whose kernel had nothing to do.</summary>
    public long KernelsEmpty => Volatile.Read(ref empty);

    /// <summary>
    /// True if there is a device to run on; otherwise the reason, with the command that installs one.
    /// </summary>
    public static bool Available([System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out string? reason) =>
        OpenClLibrary.Available(out reason);

    internal override void Initialize(SessionState state)
    {
        model.Initialize(state);
        state.BackendState ??= new OpenClSession(device);
    }

    internal override bool IsFrozen(string name) => model.IsFrozen(name);

    internal override IDisposable? Prepare(IReadOnlyDictionary<string, Tensor> state) => model.Prepare(state);

    internal override void Invoke(
        SessionState state, int entry, ReadOnlySpan<Tensor> inputs, CallSizes sizes, Span<Tensor> results)
    {
        var program = entries[entry].Program;
        var session = (OpenClSession)state.BackendState!;
        var call = ProgramCall.Begin(entries[entry], model, state, inputs, sizes, results);
        var buffers = new OpenClBuffer[program.Buffers.Length];
        try
        {
            // Temporaries of one slot share its memory, according to the memory plan.
            foreach (var t in program.Plan.Temporaries)
                buffers[t.Buffer] = session.Slot(entry, t.Slot, program.Plan.Slots[t.Slot].Evaluate(call.SizeOf));
            for (var b = 0; b < buffers.Length; b++) buffers[b] ??= Place(program, b, call);
            var flag = kernels[entry].Any(k => k.Item.Flags) ? session.ClearedFlag() : null;
            var walker = new Walker(program, kernels[entry], shape, call, session, buffers, flag);
            var code = walker.Run(program.Steps);
            Interlocked.Add(ref launched, session.Finish());
            var flagged = 0;
            if (flag is not null) session.Read(flag, &flagged, sizeof(int));
            if (flagged != 0) call.Finish(ExecutionCode.IndexOutOfRange, walker.CallOf(flagged)); // throws
            Interlocked.Add(ref empty, walker.Empty);
            // The state on the host is unchanged until here.
            if (code == 0 && call.AssignsState) call.BeginState();
            foreach (var b in code == 0 ? Written(program) : [])
                session.Read(buffers[b], (void*)call.Pointers[b], call.Bytes(b));
            call.Finish((ExecutionCode)code, walker.Failed, walker.Fetch);
        }
        catch (Exception e)
        {
            session.Abandon();
            if (e is OpenClException { IsOutOfMemory: true }) throw call.OutOfMemory(e);
            if (e is OpenClException) throw new BackendException($"'{program.Name}': {e.Message}", e);
            throw;
        }
        finally
        {
            call.End();
            for (var b = 0; b < buffers.Length; b++)
                if (program.Buffers[b].Kind != BufferKind.Temporary) buffers[b]?.Dispose();
        }
    }

    internal override void Dispose(bool disposing)
    {
        if (!disposing) return;
        model.Dispose();
        foreach (var entry in entries) entry.Dispose();
    }

    private OpenClBuffer Place(Program program, int buffer, ProgramCall call) =>
        program.Buffers[buffer].Kind == BufferKind.Output ? new OpenClBuffer(device, call.Bytes(buffer))
            : OpenClBuffer.CopyOf(device, (void*)call.Pointers[buffer], call.Bytes(buffer));

    /// <summary>
    /// The outputs of a call: its results, and the state and inout inputs that one of its steps writes.
    /// </summary>
    private static IEnumerable<int> Written(Program program) =>
        program.Written.Where(b => program.Buffers[b].Kind != BufferKind.Temporary);

    /// <summary>
    /// Runs steps on a device: kernels and copies are enqueued, and awaited where the driver needs a value.
    /// Out-of-range indices are also checked then, so that no loop runs forever on the invalid output of such a kernel.
    /// </summary>
    private sealed class Walker(Program program, ImmutableArray<OpenClKernel> kernels, WorkShape shape,
        ProgramCall call,
        OpenClSession session, OpenClBuffer[] buffers, OpenClBuffer? flag) : StepWalker(call)
    {
        private readonly IReadOnlyDictionary<CallStep, int> numbers = Numbers(program);

        /// <summary>Nothing to do yet: steps write to the device's copy of the state.</summary>
        protected override void Begin(Step step)
        {
        }

        // Without a step that reads a value, nothing uses the output of a flagged kernel before the end of the call.
        private readonly bool acts = program.AllSteps.Any(s => s is WhileStep or IfStep or PrintStep or AssertStep);

        /// <summary>The number of kernels so far that had nothing to do.</summary>
        public long Empty { get; private set; }

        /// <summary>The step that the flag identifies.</summary>
        public CallStep CallOf(int number) => numbers.First(n => n.Value == number).Key;

        private static Dictionary<CallStep, int> Numbers(Program program)
        {
            var numbers = new Dictionary<CallStep, int>(ReferenceEqualityComparer.Instance);
            foreach (var step in program.AllSteps.OfType<CallStep>()) numbers.TryAdd(step, numbers.Count + 1);
            return numbers;
        }

        protected override int Call(CallStep step)
        {
            var kernel = kernels[step.Kernel];
            Invocation.CountsOf(step);
            OpenClBuffer[] given = [.. step.Buffers.Select(b => buffers[b])];
            if (!session.Launch(kernel, shape, given, flag, numbers[step], Invocation.SizeOf)) Empty++;
            if (!kernel.Item.Flags || !acts) return 0;
            var flagged = 0;
            session.Read(flag!, &flagged, sizeof(int));
            return flagged != 0 ? (int)ExecutionCode.IndexOutOfRange : 0;
        }

        protected override void Copy(CopyStep step) =>
            session.Copy(buffers[step.From], buffers[step.To], Invocation.Bytes(step.From));

        public override nint Fetch(int buffer)
        {
            // The caller's tensors and the state stay unchanged until the Invocation has succeeded.
            if (program.Buffers[buffer].Kind is BufferKind.Temporary or BufferKind.Output)
            {
                session.Read(buffers[buffer], (void*)Invocation.Pointers[buffer], Invocation.Bytes(buffer));
                return Invocation.Pointers[buffer];
            }
            return session.Read(buffers[buffer], Invocation.Bytes(buffer));
        }
    }
}
