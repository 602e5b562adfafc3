// In: a step's graph and its arguments. Out: the origin of the first value that is not finite.
using System.Globalization;
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Accelerate.Training;

namespace Accelerate.Cli.Train;

/// <summary>
/// Runs a step again, operation by operation, and traces a non-finite value back to the operation that created it.
/// Intentional infinities (a mask's -inf) are not reported, because they do not reach the result in question.
/// </summary>
internal sealed class NotFinite
{
    private readonly Dictionary<Node, Kept> kept = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, Cause> assigned = new(StringComparer.Ordinal);
    private Cause? lastNaN;
    private Cause? lastInfinite;

    /// <summary>A value's range, and the origin of its non-finite elements; a null cause if all are finite.</summary>
    private sealed record Kept(long Count, long NaNs, long Infinite, double Low, double High, Cause? Cause)
    {
        public override string ToString() =>
            NaNs + Infinite == Count ? NaNs > 0 ? "nan" : "infinite"
            : Low == High && NaNs + Infinite == 0 ? Number(Low) : $"{Number(Low)} to {Number(High)}"
                + (NaNs > 0 ? " and nan" : "") + (Infinite > 0 ? " and infinite" : "");
    }

    /// <summary>The operation that created a non-finite value, or the state or argument that contained it.</summary>
    private sealed record Cause(string Text, Cause? Before = null);

    /// <summary>A sentence; null if the step is finite when it runs like this, so that rounding decides.</summary>
    /// <param name="entry">The compiled step.</param>
    /// <param name="step">The arguments of the step.</param>
    public static string? Find(CompiledEntry entry, FailedStep step)
    {
        var found = new NotFinite();
        IReadOnlyList<ReferenceValue> results;
        try
        {
            results = GraphInterpreter.Run(entry.Optimised!, [.. step.Inputs.Select(ReferenceValue.Of)],
                path => ReferenceValue.Of(step.State[path]), step.Sizes, new InterpreterOptions
                {
                    RoundToDType = true,
                    Observe = found.Observe,
                    Assign = found.Assigned,
                });
        }
        catch (ReferenceException e)
        {
            return $"run again, operation by operation, it fails: {e.Message}";
        }
        var graph = entry.Optimised!;
        var cause = step.Path is { } path ? found.assigned.GetValueOrDefault(path)
            : graph.Results.Zip(results).Where(r => r.First.Type.DType.IsFloat && r.First.Type.Rank == 0)
                .Select(r => found.kept.GetValueOrDefault(r.First)?.Cause).FirstOrDefault(c => c is not null);
        return cause is null ? null
            : cause.Before is { } before && before.Text != cause.Text ? $"{before.Text}; from that {cause.Text}"
            : cause.Text;
    }

    private void Observe(Function function, Node node, ReferenceValue value)
    {
        if (!value.DType.IsFloat) return;
        var (nans, infinite, low, high) = (0L, 0L, double.PositiveInfinity, double.NegativeInfinity);
        foreach (var v in value.Values)
        {
            if (double.IsNaN(v)) nans++;
            else if (double.IsInfinity(v)) infinite++;
            else (low, high) = (Math.Min(low, v), Math.Max(high, v));
        }
        var cause = nans + infinite == 0 ? null : CauseOf(function, node, value, nans, infinite);
        kept[node] = new(value.Count, nans, infinite, low, high, cause);
        if (nans > 0) lastNaN = cause;
        else if (infinite > 0) lastInfinite = cause;
    }

    private void Assigned(Assign assign, ReferenceValue value)
    {
        if (assign.Operands is [var of, ..] && kept.GetValueOrDefault(of)?.Cause is { } cause)
            assigned[assign.Name] = cause;
    }

    private Cause CauseOf(Function function, Node node, ReferenceValue value, long nans, long infinite)
    {
        var isNaN = nans > 0;
        var last = isNaN ? lastNaN : lastInfinite;
        Cause Brought(string what) => new($"{what} is not finite before the step");
        if (node is State state) return Brought(state.Name);
        // Inputs and results of a loop or branch have just been computed.
        if (node is Input input) return last ?? Brought($"the argument {input.Name}");
        if (node is RegionNode or Result && last is not null) return last;
        Kept[] operands = [.. node.Operands.Select(kept.GetValueOrDefault).OfType<Kept>()];
        var same = operands.FirstOrDefault(o => isNaN ? o.NaNs > 0 : o.Infinite > 0)?.Cause;
        if (same is not null) return same;
        var what = isNaN ? "nan" : value.Values.Any(double.IsPositiveInfinity) ? "inf" : "-inf";
        var many = value.Count == 1 ? what : $"{what} in {nans + infinite} of its {value.Count} elements";
        var by = operands.Length == 0 ? "" : operands.Length == 1 ? $", of an operand that is {operands[0]}"
            : $", of operands that are {string.Join(", and ", operands.Select(o => o.ToString()))}";
        return new($"{Described(function, node)} gives {many}{by}",
            operands.Select(o => o.Cause).FirstOrDefault(c => c is not null));
    }

    /// <summary>Describes the operation in terms of the source: its library functions, its place, its layer.</summary>
    private static string Described(Function function, Node node)
    {
        var origin = function.OriginOf(node);
        var of = function.ForwardOf(node) is { } forward ? function.OriginOf(forward) : null;
        if (origin.Where.Length == 0 && of is not null) origin = of;
        var text = $"`{node.Op}`" + (of is null ? "" : " of a gradient");
        if (origin.Composites is [.., var last]) text += $" of {last}";
        return origin.Where.Length > 0 ? $"{text} at {origin.Where}" : text;
    }

    private static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);
}
