// The stages at which a compilation can stop, and an exported function at each of them.
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;

namespace Accelerate.Compiler;

/// <summary>How far a compilation goes: checking a file needs no kernels.</summary>
internal enum CompilationStage
{
    Syntax, Bound, Optimised, Lowered,
}

/// <summary>An exported function at each stage; null where the compilation stopped before it.</summary>
internal sealed record CompiledEntry(string Name, Function Bound, Function? Optimised = null, Program? Program = null)
{
    /// <summary>
    /// The calls of a composite that one kernel should compute, but none does: several kernels are right, but slower.
    /// Empty before optimisation. Calls at one place of one layer count as one.
    /// </summary>
    public IReadOnlyList<Origin> FindDissolved() => Optimised is null ? [] : Claims.Dissolved(Bound, Optimised);
}
