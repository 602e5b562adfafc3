// In: the programs of the exported functions. Out: an executable that runs them as machine code.
using System.Collections.Immutable;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.Llvm.Printing;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm;

/// <param name="Target">`host`, `x86-64-v4`, `x86-64-v3` or `x86-64`.</param>
/// <param name="OptLevel">LLVM's pipeline, 0 to 3; the bits of the results do not depend on it.</param>
/// <param name="Passes">An LLVM pipeline text instead of the level's.</param>
/// <param name="Threads">Workers for parallel loops, including the calling thread.</param>
/// <param name="UseCache">Whether to read objects from the user's cache folder and write them to it.</param>
/// <param name="TimeSteps">Whether to run each step by a separate call and measure
/// <see cref="LlvmExecutable.StepTimes"/>.</param>
/// <param name="Reached">Called as the stages end: print, compile, link, prepare.</param>
/// <param name="MemoryLimit">The value of <see cref="Executable.MemoryLimit"/>.</param>
internal sealed record LlvmOptions(string Target = "host", int OptLevel = 3, string? Passes = null, int Threads = 1,
    bool UseCache = true, bool TimeSteps = false, Action<string>? Reached = null, long? MemoryLimit = null);

/// <summary>One module for each distinct kernel and each driver, compiled in parallel, linked by the JIT.</summary>
internal sealed unsafe class LlvmExecutable : Executable
{
    /// <summary>
    /// Setup programs run once, and packing a weight takes the same time at every level (2.4 M floats in 1.3 to 1.9
    /// ms); at this one the 34 kernels of MobileNetV2's setup compile in 0.26 s of CPU time less. Zen 4, `accc run …
    /// classify`, empty cache.
    /// </summary>
    private const int SetupOptLevel = 1;

    private readonly ImmutableArray<ProgramEntry> entries;
    private readonly ModelState model;
    private readonly WorkerPool pool;
    private readonly Jit jit;
    private readonly nint[] drivers;
    private readonly ImmutableArray<ImmutableArray<Step>> steps;
    private readonly StepTimer?[] timers;

    /// <param name="programs">One for each exported function.</param>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="initialState">The initial state of a session, by label; zeros for the others. Not disposed
    /// here.</param>
    /// <exception cref="LlvmException">libLLVM is absent, or the target cannot run here.</exception>
    public LlvmExecutable(IReadOnlyList<Program> programs, LlvmOptions? options = null,
        IReadOnlyDictionary<string, Tensor>? initialState = null)
        : this(programs, options ?? new(), initialState ?? ImmutableDictionary<string, Tensor>.Empty, null)
    {
    }

    private LlvmExecutable(IReadOnlyList<Program> programs, LlvmOptions options,
        IReadOnlyDictionary<string, Tensor> initialState,
        NativeCode? code)
    {
        MemoryLimit = options.MemoryLimit;
        LlvmLibrary.Require();
        programs = GuardedAccesses.Of(programs);
        var target = LlvmTarget.Parse(options.Target);
        if (!target.CanRunHere)
            throw new LlvmException(
                $"the target {target.Name} cannot run on this machine: it lacks features of {target.Cpu}");
        // The setups' code is generated concurrently with the programs' own, which is needed first but seldom uses both
        // cores to its end.
        var setupOptions =
            options with { TimeSteps = false, Reached = null, OptLevel = Math.Min(options.OptLevel, SetupOptLevel) };
        var cache = options.UseCache ? DiskCache.FromEnvironment() : null;
        var setups = PreparedValues.Setups(programs);
        var setupCode = setups.Count == 0 ? null : Task.Run(() => NativeCode.Make(setups, target, setupOptions, cache));
        code ??= NativeCode.Make(programs, target, options, cache);
        programs = [.. programs.Select((p, i) => p with { Plan = p.Plan with { Scratch = code.Scratch[i] } })];
        jit = new Jit(code.Objects);
        try
        {
            drivers = jit.Lookup(code.Drivers);
            timers =
                [.. programs.Select(
                    (p, i) => options.TimeSteps ? new StepTimer(p, code.Drivers[i], jit, target, options) : null)];
            options.Reached?.Invoke("link");
            entries = [.. programs.Select(p => new ProgramEntry(p))];
            steps = [.. programs.Select(p => p.AllSteps.ToImmutableArray())];
            Entries = [.. entries.Select(e => e.Spec)];
            pool = new WorkerPool(options.Threads);
            model = new ModelState(entries, initialState, (wanted, state) =>
                new LlvmExecutable(wanted, setupOptions, state, setupCode!.GetAwaiter().GetResult()));
            options.Reached?.Invoke("prepare");
        }
        catch
        {
            // A weight does not fit, or a callback throws: then nobody has an executable to dispose.
            jit.Dispose();
            pool?.Dispose();
            throw;
        }
    }

    public override IReadOnlyList<EntrySpec> Entries { get; }

    public override Backend Backend => Backend.Llvm;

    /// <summary>The modules given to LLVM, for `dump --stage llvm`: kernels first, then the driver.</summary>
    public static IReadOnlyList<ModuleText> Modules(IReadOnlyList<Program> programs, string target) =>
        NativeCode.Modules(programs, NativeCode.Print(programs, LlvmTarget.Parse(target)), LlvmTarget.Parse(target));

    /// <summary>True if this machine has the instructions of a target.</summary>
    public static bool CanRun(string target) => LlvmTarget.Parse(target).CanRunHere;

    /// <summary>
    /// Bytes of packing scratch that one worker needs for a kernel, as a polynomial in the kernel's sizes.
    /// </summary>
    public static Size ScratchOf(Kernel kernel, string target) =>
        KernelText.Print(kernel, LlvmTarget.Parse(target)).Scratch;

    /// <summary>The scratch of one worker in the plan of a program's calls: <see cref="CallPlan.Scratch"/>.</summary>
    public static ImmutableArray<Size> ScratchOf(Program program, string target) =>
        CallPlan.ScratchOf(program, [.. program.Kernels.Select(k => ScratchOf(k, target))]);

    /// <summary>
    /// The steps of an entry that call a kernel, in order, with the seconds of each over all calls so far. Not for
    /// concurrent calls. Empty without <see cref="LlvmOptions.TimeSteps"/>.
    /// </summary>
    public IReadOnlyList<(CallStep Step, double Seconds)> StepTimes(int entry) => timers[entry]?.Times ?? [];

    internal override void Initialize(SessionState state)
    {
        model.Initialize(state);
        state.BackendState ??= new Workspace(new Host(pool));
    }

    internal override bool IsFrozen(string name) => model.IsFrozen(name);

    internal override IDisposable? Prepare(IReadOnlyDictionary<string, Tensor> state) => model.Prepare(state);

    internal override void Invoke(
        SessionState state, int entry, ReadOnlySpan<Tensor> inputs, CallSizes sizes, Span<Tensor> results)
    {
        var call = ProgramCall.Begin(entries[entry], model, state, inputs, sizes, results);
        pool.Enter();
        try
        {
            var workspace = (Workspace)state.BackendState!;
            workspace.Host.Clear();
            using var stop = workspace.Host.StopBy(state.Cancellation);
            workspace.Host.OnPrint = (Action<long>)(call.BackendPlan ??= Printer(entry, call));
            if (call.ScratchStep * pool.Workers > workspace.Scratch.Capacity)
                call.Needs("packing scratch", call.ScratchStep * pool.Workers);
            var room = workspace.Scratch.Ensure(call.ScratchStep * pool.Workers + 64);
            int status;
            Step? failed = null;
            fixed (nint* buffers = call.Pointers)
            fixed (long* values = call.Sizes)
            {
                if (timers[entry] is { } timer)
                {
                    (status, failed) = timer.Run(call, workspace.Host.Table, buffers, room, call.ScratchStep);
                }
                else
                {
                    var driver = (delegate* unmanaged<void*, nint*, long*, void*, long, int>)drivers[entry];
                    status = driver(workspace.Host.Table, buffers, values, room, call.ScratchStep);
                    if (status > 0) failed = steps[entry][(int)workspace.Host.Error[1]];
                }
            }
            if (status != 0 && workspace.Host.Error[Host.WrittenWord] != 0) call.BeginState();
            if (status == HostStatus.Stopped) throw new OperationCanceledException(state.Cancellation);
            if (status < 0) throw call.CallbackFailed(workspace.Host.Failure);
            call.Finish((ExecutionCode)status, failed, isPlain: true);
        }
        finally
        {
            pool.Leave();
            call.End();
        }
    }

    internal override void Dispose(bool disposing)
    {
        if (!disposing) return;
        pool.Dispose();
        jit.Dispose();
        model.Dispose();
        foreach (var entry in entries) entry.Dispose();
    }

    /// <summary>The callback from native code for print steps. Created once for each combination of sizes.</summary>
    private Action<long> Printer(int entry, ProgramCall call) =>
        number => call.Print((PrintStep)steps[entry][(int)number]);

    /// <summary>A session's data for native calls: the host table and the workers' packing scratch.</summary>
    private sealed class Workspace(Host host) : IDisposable
    {
        public Host Host { get; } = host;

        public Arena Scratch { get; } = new();

        public void Dispose()
        {
            Host.Dispose();
            Scratch.Dispose();
        }
    }
}
