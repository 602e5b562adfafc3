// In: a program with a scalar function `l`, and `g`, `t`, `h`, made of it. Out: whether they are its gradient, its
// directional derivative and the gradient's own, by central differences.
using System.Globalization;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Autodiff;

/// <summary>
/// The graph interpreter computes in f64 whatever the dtypes say, so that a central difference is near the derivative:
/// with a step of 1e-5 they are 1e-9 apart where the function is smooth.
/// </summary>
internal sealed class GradientCheck
{
    private const double Step = 1e-5;

    private readonly Compilation compilation;
    private readonly IReadOnlyDictionary<string, long> sizes;
    private readonly Dictionary<string, ReferenceValue> state = [];

    public GradientCheck(string program, IReadOnlyDictionary<string, long>? sizes = null)
    {
        this.sizes = sizes ?? new Dictionary<string, long>();
        compilation = Compilation.FromSource(new SourceText("t.acc", program),
            new CompilationOptions { Last = CompilationStage.Bound });
        Errors = [.. compilation.Diagnostics];
        if (!Errors.IsEmpty()) return;
        foreach (var entry in compilation.Entries) Verifier.Verify(entry.Bound);
        foreach (var s in compilation.Bound!.State)
            state[s.Path] = Varied(s.Type.DType, [.. s.Type.Shape.Select(d => d.Value)], s.Path.Length, 0.2, 0.9);
    }

    public IReadOnlyList<Diagnostic> Errors { get; }

    public Function Entry(string name) => compilation.Entries.Single(e => e.Name == name).Bound;

    public bool Has(string name) => compilation.Entries.Any(e => e.Name == name);

    public IReadOnlyList<ReferenceValue> Run(string entry, IReadOnlyList<ReferenceValue> inputs) =>
        GraphInterpreter.Run(Entry(entry), [.. inputs], path => state[path], sizes, new InterpreterOptions
        {
            Clamped = (_, _) => throw new ReferenceException("an index was out of range"),
        });

    /// <summary>
    /// What is wrong with the gradient of `l`, one line an element: `g` gives the gradients of the float inputs, in
    /// their order.
    /// </summary>
    public List<string> Gradient(ReferenceValue[] inputs, double near = 1e-6)
    {
        var wrong = new List<string>();
        var floats = Enumerable.Range(0, inputs.Length).Where(i => inputs[i].DType.IsFloat).ToList();
        var given = Run("g", inputs);
        Assert.Equal(floats.Count, given.Count);
        foreach (var (input, gradient) in floats.Zip(given))
        {
            Assert.Equal(inputs[input].Shape, gradient.Shape);
            for (var i = 0; i < inputs[input].Count; i++)
            {
                var difference = Difference("l", inputs, input, i)[0][0];
                Hold(wrong, $"input {input}[{i}]", gradient.Values[i], difference, near);
            }
        }
        return wrong;
    }

    /// <summary>What is wrong with `t`, the derivative of `l` along a direction of all float inputs.</summary>
    public List<string> Tangent(ReferenceValue[] inputs, double near = 1e-6)
    {
        var wrong = new List<string>();
        var floats = Enumerable.Range(0, inputs.Length).Where(i => inputs[i].DType.IsFloat).ToList();
        var directions = floats.ToDictionary(i => i, i => Varied(inputs[i].DType, inputs[i].Shape, 7 + i, -1, 1));
        var along = Run("t", [.. inputs, .. floats.Select(i => directions[i])])[0].Values[0];
        double At(double step) => Run("l", [.. inputs.Select((x, i) => directions.TryGetValue(i, out var d)
            ? Moved(x, j => step * d.Values[j]) : x)])[0].Values[0];
        Hold(wrong, "tangent", along, (At(Step) - At(-Step)) / (2 * Step), near);
        return wrong;
    }

    /// <summary>What is wrong with `h`: for the first float input, the gradient of the weighted sum of its `s`.</summary>
    public List<string> Second(ReferenceValue[] inputs, double near = 1e-5)
    {
        var wrong = new List<string>();
        var input = Enumerable.Range(0, inputs.Length).First(i => inputs[i].DType.IsFloat);
        var second = Run("h", inputs)[0];
        for (var i = 0; i < inputs[input].Count; i++)
            Hold(wrong, $"second {input}[{i}]", second.Values[i], Difference("s", inputs, input, i)[0][0], near);
        return wrong;
    }

    private double[][] Difference(string entry, ReferenceValue[] inputs, int input, int element)
    {
        IReadOnlyList<ReferenceValue> At(double step) => Run(entry, [.. inputs.Select((x, i) =>
            i == input ? Moved(x, j => j == element ? step : 0) : x)]);
        var (up, down) = (At(Step), At(-Step));
        return [.. up.Zip(down).Select(p => p.First.Values.Zip(p.Second.Values)
            .Select(v => (v.First - v.Second) / (2 * Step)).ToArray())];
    }

    private static void Hold(List<string> wrong, string what, double actual, double expected, double near)
    {
        if (Math.Abs(actual - expected) <= near * (1 + Math.Abs(expected))) return;
        wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{what} is {actual:R}, by differences {expected:R}"));
    }

    /// <summary>The dtype is kept for the types' sake; the values are not rounded to it.</summary>
    private static ReferenceValue Moved(ReferenceValue x, Func<int, double> by) => Exact(x.DType, x.Shape,
        [.. x.Values.Select((v, i) => v + by(i))]);

    public static ReferenceValue Exact(DType dtype, long[] shape, double[] values) =>
        new(dtype, shape, values, Array.ConvertAll(values, Math.Abs), [], 1);

    /// <summary>Numbers between two ends, no two equal, in no order; integers below 3.</summary>
    public static ReferenceValue Varied(DType dtype, long[] shape, int salt, double low, double high)
    {
        var count = (int)shape.Aggregate(1L, (p, s) => p * s);
        double At(int i) => (i * 0.6180339887498949 + salt * 0.41421356) % 1;
        return dtype.IsFloat ? Exact(dtype, shape, [.. Enumerable.Range(0, count).Select(i => low + (high - low) * At(i))])
            : ReferenceValue.Of(dtype, shape, [.. Enumerable.Range(0, count).Select(i => (long)((i + salt) % (dtype == DType.Bool ? 2 : 3)))]);
    }
}

file static class Lists
{
    public static bool IsEmpty<T>(this IReadOnlyList<T> list) => list.Count == 0;
}
