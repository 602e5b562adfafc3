// In: a program. Out: a driver for each of its kernel calls, run one after the other with the clock read in between.
using System.Collections.Immutable;
using System.Diagnostics;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.Llvm.Printing;
using Accelerate.Compiler.Kernels;

namespace Accelerate.Backends.Llvm;

/// <summary>The same kernels on the same buffers as the program's own driver; only the way from one to the next is managed.</summary>
internal sealed unsafe class StepTimer(Program program)
{
    private readonly ImmutableArray<CallStep> steps = [.. program.Steps.OfType<CallStep>()];
    private readonly long[] ticks = new long[program.Steps.Length];
    private nint[] drivers = [];

    public IReadOnlyList<(CallStep Step, double Seconds)> Times =>
        [.. steps.Select((step, i) => (step, ticks[i] / (double)Stopwatch.Frequency))];

    public IEnumerable<(string Name, string Text)> Modules(IReadOnlyList<PrintedKernel> kernels, string driver, LlvmTarget target) =>
        steps.Select((step, i) => (Symbol(driver, i),
            DriverText.Print(program with { Steps = [step] }, kernels, Symbol(driver, i), target)));

    public void Link(Jit jit, string driver) => drivers = [.. steps.Select((_, i) => jit.Lookup(Symbol(driver, i)))];

    /// <summary>All steps, up to the first with a status other than 0.</summary>
    public int Run(void* host, nint* buffers, long* sizes, void* scratch, long scratchStep)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < drivers.Length; i++)
        {
            var driver = (delegate* unmanaged<void*, nint*, long*, void*, long, int>)drivers[i];
            var status = driver(host, buffers, sizes, scratch, scratchStep);
            if (status != 0) return status;
            var end = Stopwatch.GetTimestamp();
            ticks[i] += end - start;
            start = end;
        }
        return 0;
    }

    private static string Symbol(string driver, int step) => $"{driver}.step{step}";
}
