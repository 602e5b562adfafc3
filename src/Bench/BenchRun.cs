// In: a compiled function, sizes, a plan. Out: tables on a writer and records in a store, case by case.
using Accelerate.Backends.Llvm;
using Accelerate.Bench.Records;
using Accelerate.Bench.Store;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <param name="Backends">Some of "interpreter", "llvm", "opencl".</param>
/// <param name="Threads">The numbers of threads, each with a row of LLVM.</param>
/// <param name="Llvm">LLVM's options; the benchmark sets threads and cache itself.</param>
/// <param name="Timing">The duration of sampling.</param>
/// <param name="Seed">The seed of inputs and of state that is not given.</param>
/// <param name="Integers">The exclusive upper bound of integer inputs.</param>
/// <param name="Database">The store for the results; null for none.</param>
/// <param name="Kernels">Whether to add a table by kernel.</param>
internal sealed record BenchPlan(
    IReadOnlyList<string> Backends, IReadOnlyList<int> Threads, LlvmOptions Llvm, BenchOptions Timing,
    int Seed, int Integers, string? Database, bool Kernels)
{
    /// <summary>The names accepted by `--backends`.</summary>
    public static IReadOnlyList<string> KnownBackends { get; } = ["interpreter", "llvm", "opencl"];

    public static BenchPlan Default { get; } =
        new(KnownBackends, [1], new LlvmOptions(), new BenchOptions(), 1, 10, ResultStores.Default, false);
}

internal static class BenchRun
{
    /// <summary>One table for each set of sizes.</summary>
    /// <param name="file">The file, as the user wrote it.</param>
    /// <param name="program">The function.</param>
    /// <param name="grid">The sets of sizes.</param>
    /// <param name="state">State by label, from a weights file or initialisers.</param>
    /// <param name="plan">The backends and settings to compare.</param>
    /// <param name="command">The command line that repeats this run.</param>
    /// <param name="output">Receives the tables.</param>
    public static void Execute(string file, Program program, IReadOnlyList<IReadOnlyDictionary<string, long>> grid,
        IReadOnlyDictionary<string, Tensor>? state, BenchPlan plan, string command, TextWriter output)
    {
        var run = new RunRecord(Guid.NewGuid(), DateTime.UtcNow, command, null, plan.Seed, Machine.This.Hardware(),
            Machine.This.Environment());
        using var store = plan.Database is { } database ? ResultStores.Open(database) : null;
        output.Write(BenchTable.Heading(Machine.This, command));
        var limits = new Dictionary<int, MachineLimits>();
        foreach (var sizes in grid)
        {
            using var given = BenchCase.Random(file, program, sizes, plan.Seed, state, plan.Integers);
            var result = Benchmark.Run(given, Contender.Interpreter(given), Contenders(given, plan),
                plan.Timing with { TimeReference = plan.Backends.Contains("interpreter") });
            output.Write($"\n{BenchTable.Print(result)}");
            // After each case, so that an interrupted run keeps its measurements.
            store?.Append(InProcessRecords.From(result, run));
            if (!plan.Kernels || Machine.This.Llvm is null) continue;
            foreach (var threads in plan.Threads)
            {
                if (!limits.TryGetValue(threads, out var machine))
                    machine = limits[threads] = MachineLimits.Measure(threads);
                var breakdown =
                    KernelBreakdown.Measure(given, plan.Llvm with { Threads = threads }, plan.Timing, machine);
                output.Write($"\n{breakdown.Print()}");
            }
        }
    }

    private static List<Contender> Contenders(BenchCase given, BenchPlan plan)
    {
        var all = new List<Contender>();
        if (plan.Backends.Contains("llvm")) all.AddRange(plan.Threads.Select(t =>
            Contender.Llvm(given, plan.Llvm with { Threads = t })));
        if (plan.Backends.Contains("opencl")) all.Add(Contender.OpenCl(given));
        return all;
    }
}
