// In: a call of a program. Out: the f64 graph interpreter's results, and whether a backend is close enough.
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

/// <summary>
/// Every node's floats are rounded to its dtype, so that everything except sums and elementary functions is equal, and
/// overflows as in the kernels.
/// </summary>
/// <param name="Values">Results by number, `inout` parameters and state by name.</param>
/// <param name="Failure">Why the call fails; null if it does not.</param>
/// <param name="Clamped">An index was out of range.</param>
/// <param name="Needed">Also, a result depends on the element that it would have read, so another element would give
/// another result. If none does, an executor may ignore it.</param>
/// <param name="Overflowed">The terms of a sum exceed the greatest number, the factors of a product are far from 1, or
/// a cancelled value meets an infinity: in another order, this gives infinities, NaN or 0, and so does everything that
/// depends on it. Floats are then not compared.</param>
internal sealed record Reference(IReadOnlyDictionary<string, ReferenceValue> Values, string? Failure, bool Clamped,
    bool Needed, bool Overflowed)
{
    public static Reference Of(CompiledEntry entry, Tensor[] inputs, IReadOnlyDictionary<string, Tensor> state,
        IReadOnlyDictionary<string, long> sizes)
    {
        var near = Of(entry, inputs, state, sizes, takesFarEnd: false);
        if (!near.Clamped || near.Failure is not null) return near;
        var far = Of(entry, inputs, state, sizes, takesFarEnd: true);
        return near with { Needed = far.Failure is null && near.Values.Any(v => !IsSame(v.Value, far.Values[v.Key])) };
    }

    private static bool IsSame(ReferenceValue a, ReferenceValue b) =>
        a.Values.AsSpan().SequenceEqual(b.Values) && a.Integers.AsSpan().SequenceEqual(b.Integers);

    private static Reference Of(CompiledEntry entry, Tensor[] inputs, IReadOnlyDictionary<string, Tensor> state,
        IReadOnlyDictionary<string, long> sizes, bool takesFarEnd)
    {
        var values = new Dictionary<string, ReferenceValue>();
        var (clamped, overflowed) = (false, false);
        var huge = inputs.Concat(state.Values).Any(IsHuge);
        var spreads = new Dictionary<Node, (double Spread, int Count)>(ReferenceEqualityComparer.Instance);
        var (cancelled, infinite) = (new HashSet<Node>(ReferenceEqualityComparer.Instance),
            new HashSet<Node>(ReferenceEqualityComparer.Instance));
        foreach (var (input, value) in entry.Bound.Inputs.Zip(inputs))
            if (input.IsInout) values[input.Name] = ReferenceValue.Of(value);
        foreach (var (name, value) in state) values[name] = ReferenceValue.Of(value);
        try
        {
            var results = GraphInterpreter.Run(entry.Bound, [.. inputs.Select(ReferenceValue.Of)],
                path => ReferenceValue.Of(state[path]), sizes, new InterpreterOptions
                {
                    RoundToDType = true,
                    TakesFarEnd = takesFarEnd,
                    Assign = (assign, value) => values[assign.Name] = value,
                    Clamped = (_, _) => clamped = true,
                    Observe = (_, node, value) =>
                    {
                        overflowed |= Overflows(node, value, huge, spreads);
                        if (!value.DType.IsFloat) return;
                        spreads[node] = (Spread(value.Values), value.Values.Length);
                        // A cancelled value is 0 here but may be a rounding error there: times infinity, one gives NaN,
                        // the other infinity.
                        overflowed |= node is Binary { Kind: BinaryOp.Mul or BinaryOp.Div }
                            && node.Operands.Any(cancelled.Contains) && node.Operands.Any(infinite.Contains);
                        // Its square has an error bound of 0 here, but the root of a rounding error is far from 0.
                        overflowed |= node is Unary { Kind: UnaryOp.Sqrt or UnaryOp.Rsqrt or UnaryOp.Log }
                            or Binary { Kind: BinaryOp.Pow } && cancelled.Contains(node.Operands[0]);
                        if (value.Values.Any(double.IsInfinity)) infinite.Add(node);
                        var isZero = value.Values.AsSpan().Contains(0);
                        if (isZero && (node.Operands.Any(cancelled.Contains) || Enumerable.Range(0, value.Values.Length)
                            .Any(i => value.Values[i] == 0 && value.Magnitude[i] > 0))) cancelled.Add(node);
                    },
                });
            for (var i = 0; i < results.Count; i++) values[$"{i}"] = results[i];
            return new(values, null, clamped, false, overflowed);
        }
        catch (ReferenceException e)
        {
            return new(values, e.Message, clamped, false, overflowed);
        }
    }

    /// <summary>Reports where the values, or the failure, of a backend differ from the reference.</summary>
    public void Hold(IReadOnlyList<(string Name, Tensor Value)> values, string? failure, IReadOnlySet<string> loose,
        Action<string> find)
    {
        if (failure is null && Failure is not null) find($"no failure; the graph interpreter: {Failure}");
        if (failure is null && Needed) find("no failure, though a result needs an element that is out of range");
        if (failure is not null && Failure is null && !Clamped) find($"{failure}; the graph interpreter: no failure");
        if (failure is not null || Failure is not null) return;
        foreach (var (name, value) in values)
        {
            if (loose.Contains(name) || !Values.TryGetValue(name, out var expected)) continue;
            if (Overflowed && value.Type.IsFloat) continue;
            var report = Comparison.Compare(value, expected);
            if (!report.Agrees) find($"{name}: {report.Text}");
        }
    }

    private static bool IsHuge(Tensor value)
    {
        if (!value.Type.IsFloat) return false;
        var large = FloatMath.Largest(value.Type) / 1024;
        return value.ToDoubles().Any(v => double.IsFinite(v) && Math.Abs(v) > large);
    }

    /// <summary>The greatest distance of a factor from 1, in powers of two.</summary>
    private static double Spread(double[] values) =>
        values.Where(v => v != 0).Select(v => Math.Abs(Math.Log2(Math.Abs(v)))).DefaultIfEmpty(0).Max();

    private static bool Overflows(Node node, ReferenceValue value, bool huge,
        Dictionary<Node, (double Spread, int Count)> spreads)
    {
        if (!value.DType.IsFloat || node is not (Reduce or Cumulate or Dot or Fold or Scatter)) return false;
        if (node is Reduce { Kind: ReduceOp.Mul } or Cumulate { Kind: ReduceOp.Mul })
        {
            // In f32 at least: any partial product of them is within 2^120 of 1.
            if (!spreads.TryGetValue(node.Operands[0], out var factors)) return true;
            return !(factors.Spread * factors.Count / Math.Max(1, node is Reduce ? value.Values.Length : 1) < 120);
        }
        // Infinite terms are infinite in any order, unless partial sums of the finite ones may overflow to the opposite
        // infinity.
        var largest = FloatMath.Largest(value.DType) / 2;
        for (var i = 0; i < value.Magnitude.Length; i++)
            if (double.IsFinite(value.Magnitude[i]) ? value.Magnitude[i] > largest : huge) return true;
        return false;
    }
}
