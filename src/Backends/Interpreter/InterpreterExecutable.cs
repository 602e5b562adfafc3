// In: the programs of the exported functions. Out: an executable that runs them with the kernel interpreter.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.Interpreter;

/// <param name="Threads">Workers for parallel loops, including the calling thread.</param>
/// <param name="CountStores">Whether to count <see cref="InterpreterExecutable.StoredBytes"/>.</param>
/// <param name="MemoryLimit">The value of <see cref="Executable.MemoryLimit"/>.</param>
internal sealed record InterpreterOptions(int Threads = 1, bool CountStores = false, long? MemoryLimit = null);

/// <summary>Runs programs by definition: every backend must give the same results.</summary>
internal sealed class InterpreterExecutable : Executable
{
    private readonly ImmutableArray<ProgramEntry> entries;
    private readonly ImmutableArray<ImmutableArray<CompiledKernel>> kernels;
    private readonly ModelState model;
    private readonly WorkerPool? pool;

    /// <param name="programs">One for each exported function.</param>
    /// <param name="options">Threads and counters; null for the defaults.</param>
    /// <param name="initialState">The initial state of a session, by label; zeros for the others. Not disposed
    /// here.</param>
    public InterpreterExecutable(IReadOnlyList<Program> programs, InterpreterOptions? options = null,
        IReadOnlyDictionary<string, Tensor>? initialState = null)
    {
        options ??= new InterpreterOptions();
        MemoryLimit = options.MemoryLimit;
        programs = GuardedAccesses.Of(programs);
        // Kernels with equal texts are shared, also across entries.
        var compiled = new Dictionary<string, CompiledKernel>();
        kernels = [.. programs.Select(p => p.Kernels.Select(k =>
        {
            var text = KernelPrinter.Print(k);
            if (!compiled.TryGetValue(text, out var known))
                compiled[text] = known = new CompiledKernel(k, options.CountStores);
            return known;
        }).ToImmutableArray())];
        entries = [.. programs.Select(p => new ProgramEntry(p))];
        Entries = [.. entries.Select(e => e.Spec)];
        pool = options.Threads > 1 ? new WorkerPool(options.Threads) : null;
        model = new ModelState(entries, initialState ?? ImmutableDictionary<string, Tensor>.Empty,
            (setups, state) => new InterpreterExecutable(setups, options with { CountStores = false }, state));
    }

    public override IReadOnlyList<EntrySpec> Entries { get; }

    public override Backend Backend => Backend.Interpreter;

    /// <summary>
    /// Bytes stored by each kernel of an entry over all calls, in the order of its program's kernels.
    /// </summary>
    public IReadOnlyList<(Kernel Kernel, long Bytes)> StoredBytes(int entry) =>
        [.. kernels[entry].Select(k => (k.Kernel, k.StoredBytes))];

    internal override void Initialize(SessionState state) => model.Initialize(state);

    internal override bool IsFrozen(string name) => model.IsFrozen(name);

    internal override IDisposable? Prepare(IReadOnlyDictionary<string, Tensor> state) => model.Prepare(state);

    internal override void Invoke(
        SessionState state, int entry, ReadOnlySpan<Tensor> inputs, CallSizes sizes, Span<Tensor> results)
    {
        var call = ProgramCall.Begin(entries[entry], model, state, inputs, sizes, results);
        try
        {
            var walker = new Walker(this, entry, call);
            call.Finish((ExecutionCode)walker.Run(entries[entry].Program.Steps), walker.Failed,
                isPlain: true);
        }
        finally
        {
            call.End();
        }
    }

    internal override void Dispose(bool disposing)
    {
        pool?.Dispose();
        model.Dispose();
        foreach (var entry in entries) entry.Dispose();
    }

    private bool RunKernel(CompiledKernel compiled, CallStep step, ProgramCall call)
    {
        var data = new nint[step.Buffers.Length];
        for (var b = 0; b < data.Length; b++) data[b] = call.Pointers[step.Buffers[b]];
        return compiled.Run(data, call.CountsOf(step), call.SizeOf, pool);
    }

    private sealed unsafe class Walker(InterpreterExecutable executable, int entry, ProgramCall call) : StepWalker(call)
    {
        protected override int Call(CallStep step) =>
            executable.RunKernel(executable.kernels[entry][step.Kernel], step, Invocation)
                ? (int)ExecutionCode.IndexOutOfRange : 0;

        protected override void Copy(CopyStep step)
        {
            var bytes = Invocation.Bytes(step.From);
            Buffer.MemoryCopy((void*)Invocation.Pointers[step.From], (void*)Invocation.Pointers[step.To], bytes, bytes);
        }
    }
}
