// In: ACC_MATRIX, ACC_SEED. Out: the targets, levels, thread counts and cache modes that a test runs beside the host's
// own.
using Accelerate.Backends;
using Accelerate.Backends.Llvm;

namespace Accelerate.Tests.Support;

/// <summary>
/// `./test` runs the host target in full and everything else on a fifth of the tests, drawn by ACC_SEED, which it
/// prints; `./test --matrix` (ACC_MATRIX=1) runs all of it.
/// </summary>
internal static class TargetMatrix
{
    public static bool Full { get; } = Environment.GetEnvironmentVariable("ACC_MATRIX") == "1";

    public static int Seed { get; } = int.TryParse(Environment.GetEnvironmentVariable("ACC_SEED"), out var seed) ? seed
        : 1;

    /// <summary>Those that this machine can run.</summary>
    public static IReadOnlyList<string> Targets { get; } =
        [.. ((string[])["x86-64-v4", "x86-64-v3", "x86-64"]).Where(LlvmExecutable.CanRun)];

    /// <summary>Beside one thread: an even share, an uneven one, more threads than most machines have cores.</summary>
    public static IReadOnlyList<int> Threads { get; } = [2, 3, 8];

    /// <summary>
    /// True for a fifth of all names, another fifth for another seed; for all of them in the full matrix.
    /// </summary>
    public static bool Has(string name)
    {
        if (Full) return true;
        var hash = 2166136261u ^ (uint)Seed;
        foreach (var c in name) hash = (hash ^ c) * 16777619u;
        return (hash ^ (hash >> 15)) % 5 == 0;
    }

    /// <summary>Those names of which <see cref="Has"/> is true; one where it is true of none.</summary>
    public static IReadOnlyList<string> Some(IEnumerable<string> names)
    {
        var all = names.ToList();
        return all.Where(Has).ToList() is { Count: > 0 } some ? some : [all[Seed % all.Count]];
    }

    /// <summary>
    /// What a program is run with beside the host at -O3 by one thread. Of the full matrix every target meets every
    /// level, every thread count and both cache modes; each target and level is compiled afresh once, and once for the
    /// cache, which the thread counts that follow read.
    /// </summary>
    public static IEnumerable<ExecutableOptions> Options(string name)
    {
        if (!Full)
        {
            if (!Has(name)) yield break;
            yield return new() { Threads = 3, OptLevel = 0, Target = "x86-64" };
            if (Targets.Contains("x86-64-v3")) yield return new() { Threads = 2, Target = "x86-64-v3" };
            yield return new() { Threads = 8, OptLevel = 1, UseCache = false };
            yield break;
        }
        foreach (var target in Targets)
        {
            for (var level = 0; level <= 3; level++)
            {
                yield return new() { Target = target, OptLevel = level, Threads = 1, UseCache = false };
                foreach (var threads in Threads)
                    yield return new() { Target = target, OptLevel = level, Threads = threads };
            }
        }
    }
}
