// In: programs, initial state, options. Out: the ways to run them side by side: each backend and number of threads.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>One row of the table before it is measured.</summary>
/// <param name="Backend">"interpreter", "llvm", "opencl".</param>
/// <param name="Threads">The number of workers; null if the backend decides.</param>
/// <param name="Target">The target of code generation; null where there is no choice.</param>
/// <param name="OptLevel">0 to 3; null where there is no choice.</param>
/// <param name="Cache">Where compiled code may come from: "off", "none" (the backend has no cache), "driver" (the
/// driver's cache).</param>
/// <param name="Owes">How closely it must agree with the kernel interpreter.</param>
/// <param name="Unavailable">Why it cannot run on this machine; null if it can.</param>
/// <param name="Create">Compiles; a LimitationException makes the row a skipped one.</param>
internal sealed record Contender(string Backend, int? Threads, string? Target, int? OptLevel, string Cache, Owes Owes,
    string? Unavailable, Func<Executable> Create)
{
    /// <summary>
    /// The reference, right by definition. It uses one thread, so that speed-ups always mean the same.
    /// </summary>
    public static Contender Interpreter(BenchCase given) => new("interpreter", 1, null, null, "none", Owes.Bits, null,
        () => new InterpreterExecutable([given.Program], null, given.State));

    /// <summary>Compiled without the object cache, so that the reported compile time is always cold.</summary>
    public static Contender Llvm(BenchCase given, LlvmOptions options) => new(
        "llvm", options.Threads, options.Target, options.OptLevel, "off", Owes.Bits,
        LlvmBackend.Available(out var reason) ? null : reason,
        () => new LlvmExecutable([given.Program], options with { UseCache = false }, given.State));

    /// <summary>The device determines the number of threads; its driver may cache compiled kernels on disk.</summary>
    public static Contender OpenCl(BenchCase given) => new("opencl", null, null, null, "driver", Owes.Bound,
        OpenClExecutable.Available(out var reason) ? null : reason,
        () => new OpenClExecutable([given.Program], given.State));
}
