// In: words such as `llvm x86-64-v3 -O2 3`. Out: a way to run a program, and the ways drawn for one program.
using System.Globalization;
using Accelerate.Backends;
using Accelerate.Backends.Llvm;

namespace Accelerate.Cli.Fuzz;

/// <summary>A backend; for LLVM also the target, the level and the threads.</summary>
internal sealed record FuzzConfig(string Backend, string Target = "", int Level = 0, int Threads = 1)
{
    public ExecutableOptions Options => Backend == "llvm"
        ? new() { Target = Target, OptLevel = Level, Threads = Threads, UseCache = false }
        : new() { Threads = Threads, UseCache = false };

    public override string ToString() => Backend switch
    {
        "llvm" => string.Create(CultureInfo.InvariantCulture, $"llvm {Target} -O{Level} {Threads}"),
        "interpreter" => string.Create(CultureInfo.InvariantCulture, $"interpreter {Threads}"),
        _ => Backend,
    };

    public static FuzzConfig Parse(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
    {
        ["llvm", var target, ['-', 'O', var level], var threads] =>
            new("llvm", target, level - '0', int.Parse(threads, CultureInfo.InvariantCulture)),
        ["interpreter", var threads] => new("interpreter", "", 0, int.Parse(threads, CultureInfo.InvariantCulture)),
        ["opencl"] => new("opencl"),
        ["numpy"] => new("numpy"),
        _ => throw new CliException($"'{text}' is no way to run a program",
            "write llvm x86-64-v3 -O2 3 (target, level, threads), interpreter 3, opencl or numpy"),
    };
}

/// <summary>The choices that a fuzz run draws from.</summary>
/// <param name="Backends">The backends besides the kernel interpreter on one thread, which always runs.</param>
/// <param name="Targets">The targets of LLVM.</param>
/// <param name="NumPy">Whether every program is also compared with NumPy.</param>
internal sealed record FuzzMatrix(IReadOnlyList<string> Backends, IReadOnlyList<string> Targets, bool NumPy)
{
    private static readonly int[] Threads = [1, 2, 3];

    private static readonly string[] AllTargets = ["x86-64-v4", "x86-64-v3", "x86-64"];

    // One in this many programs is run in every way.
    private const int FullEach = 50;

    // PoCL takes half a second for a program, LLVM 25 to 100 ms (Zen 4, beside other work).
    private const int OpenClEach = 20;

    public static FuzzMatrix Of(string? backends, string? targets, bool numPy)
    {
        if (numPy && NumPyProcess.Missing is { } why)
            throw new CliException($"--numpy needs python3 with numpy: {why}", "Debian: apt-get install python3-numpy");
        return new(backends switch
        {
            null => [.. PresentBackends.All],
            "none" => [],
            _ => PresentBackends.Named(backends.Split(',')),
        }, [.. targets is null ? AllTargets.Where(LlvmExecutable.CanRun) : targets.Split(',').Select(Target)], numPy);
    }

    private static string Target(string name) => !AllTargets.Contains(name)
        ? throw CommonOptions.Usage($"there is no target '{name}'", Nearest.Help(name, AllTargets, "targets"))
        : LlvmExecutable.CanRun(name) ? name : throw new BackendException($"this processor cannot run {name}");

    /// <summary>
    /// Draws a few ways, so that many programs are tested: one point of LLVM's matrix, sometimes two; OpenCL, whose
    /// compiler is slow, and the interpreter's threads only for some programs.
    /// </summary>
    public IReadOnlyList<FuzzConfig> Draw(Random random)
    {
        if (random.Next(FullEach) == 0) return All();
        var some = new List<FuzzConfig>();
        if (NumPy) some.Add(new("numpy"));
        // Code for SSE2 alone, with fma and conversions emulated, takes two to five times as long to compile.
        string Drawn() => Targets[Math.Min(random.Next(Targets.Count), random.Next(Targets.Count))];
        if (Backends.Contains("llvm") && Targets.Count > 0)
            for (var i = random.Next(5) == 0 ? 2 : 1; i > 0; i--)
                some.Add(new("llvm", Drawn(), random.Next(4), Threads[random.Next(Threads.Length)]));
        if (Backends.Contains("opencl") && (Backends.Count == 1 || random.Next(OpenClEach) == 0))
            some.Add(new("opencl"));
        if (Backends.Contains("interpreter") && random.Next(OpenClEach) == 0) some.Add(new("interpreter", Threads: 3));
        return some;
    }

    public IReadOnlyList<FuzzConfig> All()
    {
        var all = new List<FuzzConfig>();
        if (Backends.Contains("llvm"))
            foreach (var target in Targets)
                for (var level = 0; level <= 3; level++)
                    all.AddRange(Threads.Select(t => new FuzzConfig("llvm", target, level, t)));
        if (Backends.Contains("opencl")) all.Add(new("opencl"));
        if (Backends.Contains("interpreter")) all.Add(new("interpreter", Threads: 3));
        if (NumPy) all.Add(new("numpy"));
        return all;
    }
}
