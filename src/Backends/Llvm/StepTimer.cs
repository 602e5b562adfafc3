// In: a program. Out: a driver for each of its kernel calls, run one after the other with the clock read in between.
using System.Collections.Immutable;
using System.Diagnostics;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.Llvm.Printing;
using Accelerate.Compiler.Kernels;

namespace Accelerate.Backends.Llvm;

/// <summary>
/// Runs the same kernels on the same buffers as the program's own driver; only the transitions between them are
/// managed.
/// </summary>
internal sealed unsafe class StepTimer
{
    private readonly Program program;
    private readonly ImmutableArray<CallStep> steps;

    /// <summary>The sizes of the program, then the variables of its loops.</summary>
    private readonly ImmutableArray<string> sizes;

    private readonly Dictionary<CallStep, int> numbers = new(ReferenceEqualityComparer.Instance);
    private readonly long[] ticks;
    private readonly nint[] drivers;

    /// <param name="program">The program.</param>
    /// <param name="driver">The symbol of its own driver, which is the prefix of the steps' drivers.</param>
    /// <param name="jit">The JIT with the program's kernels; the steps' drivers are added.</param>
    /// <param name="target">The target of the drivers.</param>
    /// <param name="options">The options of their compilation.</param>
    public StepTimer(Program program, string driver, Jit jit, LlvmTarget target, LlvmOptions options)
    {
        this.program = program;
        steps = [.. program.AllSteps.OfType<CallStep>()];
        sizes = [.. program.Sizes.Concat(program.Variables).Distinct()];
        ticks = new long[steps.Length];
        for (var i = 0; i < steps.Length; i++) numbers[steps[i]] = i;
        var kernels = NativeCode.Print([program], target)[0];
        string[] symbols = [.. steps.Select((_, i) => $"{driver}.step{i}")];
        var modules = steps.Select((step, i) => new ModuleText(symbols[i],
            DriverText.Print(program with { Steps = [step], Sizes = sizes }, kernels, symbols[i], target),
                DriverText.Passes)).ToList();
        foreach (var compiled in NativeCode.Compile(modules, target, options, null).Objects) jit.Add(compiled);
        drivers = jit.Lookup(symbols);
    }

    public IReadOnlyList<(CallStep Step, double Seconds)> Times =>
        [.. steps.Select((step, i) => (step, ticks[i] / (double)Stopwatch.Frequency))];

    /// <summary>Runs all steps, up to the first that fails; returns its status and the step.</summary>
    public (int Status, Step? Failed) Run(ProgramCall call, void* host, nint* buffers, void* scratch, long scratchStep)
    {
        var values = new long[sizes.Length];
        for (var i = 0; i < call.Sizes.Length; i++) values[i] = call.Sizes[i];
        fixed (long* pinned = values.Length > 0 ? values : [0])
        {
            var walker = new Walker(this, call, host, buffers, pinned, scratch, scratchStep);
            return (walker.Run(program.Steps), walker.Failed);
        }
    }

    private sealed class Walker(StepTimer timer, ProgramCall call, void* host, nint* buffers, long* sizes,
        void* scratch, long scratchStep)
        : StepWalker(call)
    {
        /// <summary>The drivers of the steps do this themselves.</summary>
        protected override void Begin(Step step)
        {
            if (step is CopyStep) base.Begin(step);
        }

        protected override int Call(CallStep step)
        {
            var i = timer.numbers[step];
            for (var s = Invocation.Sizes.Length; s < timer.sizes.Length; s++)
                sizes[s] = Invocation.ValueOr(timer.sizes[s], 0);
            var driver = (delegate* unmanaged<void*, nint*, long*, void*, long, int>)timer.drivers[i];
            var start = Stopwatch.GetTimestamp();
            var status = driver(host, buffers, sizes, scratch, scratchStep);
            timer.ticks[i] += Stopwatch.GetTimestamp() - start;
            return status;
        }

        protected override void Copy(CopyStep step)
        {
            var bytes = Invocation.Bytes(step.From);
            Buffer.MemoryCopy((void*)Invocation.Pointers[step.From], (void*)Invocation.Pointers[step.To], bytes, bytes);
        }
    }
}
