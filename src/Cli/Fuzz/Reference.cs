// In: a call of a program. Out: what the f64 graph interpreter makes of it, and whether a backend is near enough.
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

/// <summary>
/// Every node's floats are rounded to its dtype, so that what is no sum and no elementary function is the same value,
/// and overflows where the kernels do.
/// </summary>
internal sealed record Reference(IReadOnlyDictionary<string, ReferenceValue> Values, string? Failure, bool Clamped)
{
    public static Reference Of(CompiledEntry entry, Tensor[] inputs, Session session,
        IReadOnlyDictionary<string, long> sizes)
    {
        var values = new Dictionary<string, ReferenceValue>();
        var clamped = false;
        foreach (var (input, value) in entry.Bound.Inputs.Zip(inputs))
            if (input.IsInout) values[input.Name] = ReferenceValue.Of(value);
        foreach (var (name, value) in session.State) values[name] = ReferenceValue.Of(value);
        try
        {
            var results = GraphInterpreter.Run(entry.Bound, [.. inputs.Select(ReferenceValue.Of)],
                path => ReferenceValue.Of(session.State[path]), sizes, new InterpreterOptions
                {
                    RoundToDType = true,
                    Assign = (assign, value) => values[assign.Name] = value,
                    Clamped = (_, _) => clamped = true,
                });
            for (var i = 0; i < results.Count; i++) values[$"{i}"] = results[i];
            return new(values, null, clamped);
        }
        catch (ReferenceException e)
        {
            return new(values, e.Message, clamped);
        }
    }

    /// <summary>Says where the values, or the failure, of a backend are not those of the reference.</summary>
    public void Hold(IReadOnlyList<(string Name, Tensor Value)> values, string? failure, IReadOnlySet<string> loose,
        Action<string> find)
    {
        if (failure is null && Failure is not null) find($"no failure; the graph interpreter: {Failure}");
        if (failure is not null && Failure is null && !Clamped) find($"{failure}; the graph interpreter: no failure");
        if (failure is not null || Failure is not null) return;
        foreach (var (name, value) in values)
        {
            if (loose.Contains(name) || !Values.TryGetValue(name, out var expected)) continue;
            var report = Comparison.Compare(value, expected);
            if (!report.Agrees && !(value.Type.IsFloat && Overflowed(value, expected)))
                find($"{name}: {report.Text}");
        }
    }

    /// <summary>
    /// Whether all elements that differ are sums whose terms reach past the dtype's greatest number: in another order
    /// they are infinite or NaN on the way.
    /// </summary>
    private static bool Overflowed(Tensor value, ReferenceValue expected)
    {
        if (!expected.Shape.AsSpan().SequenceEqual(value.Shape)) return false;
        var actual = value.ToDoubles();
        for (var i = 0; i < actual.Length; i++)
        {
            var one = new ReferenceValue(expected.DType, [], [expected.Values[i]], [expected.Magnitude[i]], [],
                expected.Terms);
            if (!Comparison.Compare([actual[i]], one).Agrees
                && !(expected.Magnitude[i] + Comparison.Bound(expected, i) >= FloatMath.Largest(expected.DType) / 2
                    || double.IsNaN(expected.Magnitude[i])))
                return false;
        }
        return true;
    }
}
