// In: a compilation. Out: what running its model takes: programs, state, the rules for weights.
using System.Collections.Immutable;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;

namespace Accelerate.Compiler;

/// <summary>A model ready for a backend. It has no syntax and no graphs, and so can come from a cache.</summary>
/// <param name="Programs">One for each entry that was asked for.</param>
/// <param name="State">All state of the model.</param>
/// <param name="Rules">How the keys of a weights file become paths of the state.</param>
public sealed record CompiledModel(ImmutableArray<Program> Programs, ImmutableArray<StateSpec> State, WeightRules Rules)
{
    /// <summary>
    /// The program that computes the initial values of those pieces of state, one result each, named by its path. Null
    /// when there are none.
    /// </summary>
    /// <exception cref="LimitationException">It cannot be compiled.</exception>
    public required Func<IReadOnlyCollection<string>, Program?> Initializer { get; init; }

    /// <summary>The user's files that it was made from, apart from the one compiled.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>True where the state's places in the source are not known: the model is from a cache.</summary>
    public bool IsCached { get; init; }
}
