// In: a graph, its inputs, state and sizes. Out: its results in f64 with magnitudes: the reference for every other
// executor.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

/// <summary>How the errors of the terms of a reduction add up in its magnitude.</summary>
internal enum Propagation
{
    /// <summary>All in one direction: always a valid bound, but useless after some twenty layers.</summary>
    Worst,

    /// <summary>In quadrature, as independent errors do: for whole networks.</summary>
    Likely,
}

/// <summary>Options of a run beyond computing its results: rounding, propagation, observers.</summary>
internal sealed record InterpreterOptions
{
    public static readonly InterpreterOptions Default = new();

    /// <summary>Rounds every node's floats to its dtype, as an executor that stores every node would.</summary>
    public bool RoundToDType { get; init; }

    public Propagation Propagation { get; init; }

    /// <summary>
    /// Called with every node that has one value, in order; also inside called functions and regions.
    /// </summary>
    public Action<Function, Node, ReferenceValue>? Observe { get; init; }

    /// <summary>Called for every print with its operands, in program order.</summary>
    public Action<Print, IReadOnlyList<ReferenceValue>>? Print { get; init; }

    /// <summary>Called for every assignment, in program order.</summary>
    public Action<Assign, ReferenceValue>? Assign { get; init; }

    /// <summary>
    /// Called with every index and place out of range: of a gather, scatter, dynamic slice or its update.
    /// </summary>
    public Action<Node, long>? Clamped { get; init; }

    /// <summary>
    /// Makes a gather with an index out of range take the element at the far end of the axis instead of the near one:
    /// if a result changes, it depends on that element.
    /// </summary>
    public bool TakesFarEnd { get; init; }
}

/// <summary>The reference interpreter: one node at a time, nothing fused. It shares no code with the
/// lowering.</summary>
internal static class GraphInterpreter
{
    /// <summary>
    /// Runs the function. Size variables come from `sizes` and from inputs whose axis is a lone variable. Throws
    /// ReferenceException when an entry check or an assertion fails or a size does not fit.
    /// </summary>
    /// <param name="function">The graph.</param>
    /// <param name="inputs">One value for each of the function's inputs, in order.</param>
    /// <param name="state">The state on entry, by its path.</param>
    /// <param name="sizes">The values of size variables that no input binds; others may be given and must
    /// agree.</param>
    /// <param name="options">Rounding, propagation, observers.</param>
    public static IReadOnlyList<ReferenceValue> Run(Function function, IReadOnlyList<ReferenceValue> inputs,
        Func<string, ReferenceValue> state, IReadOnlyDictionary<string, long> sizes, InterpreterOptions? options = null)
    {
        var bound = Bind(function, inputs, sizes);
        options ??= InterpreterOptions.Default;
        var folded = function.Setup is { } setup ? new Evaluation([], state, options, []).Run(setup, []) : [];
        var run = new Evaluation(bound, state, options, folded);
        return [.. run.Run(function, [.. inputs.Select(View.Of)]).Select(v => v.ToValue())];
    }

    private static Dictionary<string, long> Bind(Function function, IReadOnlyList<ReferenceValue> inputs,
        IReadOnlyDictionary<string, long> sizes)
    {
        if (inputs.Count != function.Inputs.Count)
            throw new ReferenceException($"@{function.Name} takes {function.Inputs.Count} inputs, not {inputs.Count}");
        var bound = new Dictionary<string, long>(sizes);
        foreach (var (input, value) in function.Inputs.Zip(inputs))
        {
            if (value.DType != input.Type.DType || value.Shape.Length != input.Type.Rank)
                throw new ReferenceException(
                    $"input {input.Name} is {input.Type}, not {value.DType.Name()}[{string.Join(',', value.Shape)}]");
            foreach (var (size, actual) in input.Type.Shape.Zip(value.Shape))
                if (size.Terms is [{ Coefficient: 1, Atoms: [VariableAtom v] }]) bound.TryAdd(v.Name, actual);
        }
        foreach (var (input, value) in function.Inputs.Zip(inputs))
            foreach (var (size, actual) in input.Type.Shape.Zip(value.Shape))
                if (size.Evaluate(bound) != actual)
                    throw new ReferenceException($"input {input.Name}: {size} is {size.Evaluate(bound)}, not {actual}");
        return bound;
    }
}
