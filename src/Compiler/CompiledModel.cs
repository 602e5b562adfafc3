// In: a compilation. Out: everything needed to run its model: programs, state, the rules for weights.
using System.Collections.Immutable;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>A model ready for a backend.</summary>
/// <remarks>It contains no syntax and no graphs, so it can come from a cache.</remarks>
public sealed record CompiledModel
{
    /// <param name="programs">One for each requested entry.</param>
    /// <param name="state">All state of the model.</param>
    /// <param name="rules">How the keys of a weights file map to paths of the state.</param>
    internal CompiledModel(ImmutableArray<Program> programs, ImmutableArray<StateSpec> state, WeightRules rules) =>
        (Programs, State, Rules) = (programs, state, rules);

    /// <summary>One for each requested entry.</summary>
    internal ImmutableArray<Program> Programs { get; init; }

    /// <summary>All state of the model.</summary>
    internal ImmutableArray<StateSpec> State { get; init; }

    /// <summary>How the keys of a weights file map to paths of the state.</summary>
    internal WeightRules Rules { get; init; }

    /// <summary>
    /// Returns the program that computes the initial values of the given pieces of state, one result each, named by its
    /// path. Null if there are none. Throws a <see cref="LimitationException"/> if it cannot be compiled.
    /// </summary>
    internal Func<IReadOnlyCollection<string>, Program?> Initializer { get; init; } = _ => null;

    /// <summary>The user's files that it was made from, apart from the compiled one.</summary>
    internal IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>True if the state's places in the source are not known: the model is from a cache.</summary>
    internal bool IsCached { get; init; }

    /// <summary>
    /// Reads a safetensors file for the model or a part of it, by the program's `weights` rules. Floats of another
    /// width than the program's are rounded once; integers must fit.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="part">
    /// The path of the part that the file is for, as `encoder`: its keys are then the part's paths without that. Empty
    /// for the whole model.
    /// </param>
    /// <returns>The tensors by path of the state, for <c>Executables.Create</c> or <see cref="Session.LoadStatePart"/>.
    /// They are views of the file where it has the program's dtypes; see <see cref="Safetensors"/>.</returns>
    /// <exception cref="DataException">The file is missing or malformed, or does not fit the model: the message has a
    /// line for everything that is missing, left over or of another shape.</exception>
    /// <exception cref="ArgumentException">The model has no part with state at that path.</exception>
    /// <exception cref="MemoryException">There is not enough memory for a converted tensor.</exception>
    public IReadOnlyDictionary<string, Tensor> ReadWeights(string path, string part = "")
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(part);
        if (WeightReader.Declared(this, part).Count == 0)
        {
            var why = part.Length == 0 ? "the model has no state" : $"the model has no part '{part}' with state";
            throw new ArgumentException(why, nameof(part));
        }
        return Boundary.Guard(path, () =>
        {
            using var file = Safetensors.Open(path);
            var bag = new DiagnosticBag();
            var tensors = WeightReader.Read(file, path, part, this, bag,
                message => throw new DataException(path, message));
            return bag.Count == 0 ? tensors
                : throw new DataException(path, string.Join('\n', bag.Sorted().Select(d => d.Headline)));
        });
    }
}
