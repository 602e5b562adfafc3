// In: a graph of one operation in one dtype, with symbolic sizes. Out: its inputs at given sizes, and what NumPy says
// of it.
using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Tests.Graph;

/// <summary>
/// One row of the table that the NumPy oracle and the kernels are both run on. Inputs are made from their names: `p`
/// and `q` are all pairs of special values, `u` all of them and then values of every exponent, `v` the same without
/// NaN, `t` ties, `i&lt;n` integers in [0, n); others are ordinary values with a zero, a subnormal, an infinity or a
/// NaN now and then.
/// </summary>
/// <param name="Op">The operation, as <see cref="Ops.All"/> spells it.</param>
/// <param name="DType">The dtype that the row is about.</param>
/// <param name="Variant">What tells rows of one operation and dtype apart.</param>
/// <param name="Template">The text with `T` in place of the dtype; the function is `@f`.</param>
/// <param name="NumPy">The result, or a tuple of all, from the inputs (by their first letter), the states and the
/// sizes.</param>
/// <param name="Runs">Sizes, as `n=3 m=0`.</param>
internal sealed record OpCase(string Op, DType DType, string Variant, string Template, string NumPy,
    ImmutableArray<string> Runs)
{
    private Function? function;

    public string Title => $"{Op} {DType.Name()}{(Variant.Length > 0 ? " " + Variant : "")}";

    public string Graph => Typed(DType);

    /// <summary>The same operation in another dtype, which it may not allow.</summary>
    public string Typed(DType dtype) => Regex.Replace(Template, @"\bT\b", dtype.Name());

    public Function Function => function ??= GraphReader.Read(Graph);

    public static Dictionary<string, long> Sizes(string run) => run.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(s => s.Split('=')).ToDictionary(s => s[0], s => long.Parse(s[1], CultureInfo.InvariantCulture));

    public ReferenceValue[] Inputs(IReadOnlyDictionary<string, long> sizes) =>
        [.. Function.Inputs.Select(i => Value(i.Name, i.Type, sizes))];

    public Dictionary<string, ReferenceValue> State(IReadOnlyDictionary<string, long> sizes) =>
        Function.Nodes.OfType<State>().DistinctBy(s => s.Name)
            .ToDictionary(s => s.Name, s => Value(s.Name, s.Type, sizes));

    private ReferenceValue Value(string name, TensorType type, IReadOnlyDictionary<string, long> sizes)
    {
        long[] shape = [.. type.Shape.Select(s => s.Evaluate(sizes))];
        var count = (int)shape.Aggregate(1L, (p, s) => p * s);
        var random = new System.Random(Seed($"{Title} {name} {count}"));
        var special = SpecialValues.Of(type.DType);
        int Length() => special.DType.IsFloat ? special.Values.Length : special.Integers.Length;
        ReferenceValue Pick(Func<int, int> index) => type.DType.IsFloat
            ? ReferenceValue.Of(type.DType, shape,
                [.. Enumerable.Range(0, count).Select(k => special.Values[index(k)])])
            : ReferenceValue.Of(type.DType, shape,
                [.. Enumerable.Range(0, count).Select(k => special.Integers[index(k)])]);

        double[] ties = [-0.0, 0, 1, 1, -1, 2.5, -2.5, double.NaN, double.PositiveInfinity, double.NegativeInfinity];
        if (name.Contains('<'))
        {
            var limit = SizeReader.Read(name[(name.IndexOf('<') + 1)..]).Evaluate(sizes);
            return ReferenceValue.Of(type.DType, shape,
                [.. Enumerable.Range(0, count).Select(_ => random.NextInt64(limit))]);
        }
        switch (name[0])
        {
            case 'p': return Pick(k => k / Length() % Length());
            case 'q': return Pick(k => k % Length());
            case 't':
                return type.DType.IsFloat
                    ? ReferenceValue.Of(type.DType, shape,
                        [.. Enumerable.Range(0, count).Select(_ => ties[random.Next(ties.Length)])])
                    : Pick(_ => random.Next(Math.Min(7, Length())));
            case 'u' or 'v' when type.DType.IsFloat:
                return ReferenceValue.Of(type.DType, shape, [.. Enumerable.Range(0, count)
                    .Select(k => k < special.Values.Length ? special.Values[k] : SpecialValues.Wide(type.DType, random))
                    .Select(v => name[0] == 'v' && double.IsNaN(v) ? 1 : v)]);
            case 'u' or 'v':
                return ReferenceValue.Of(type.DType, shape, [.. Enumerable.Range(0, count)
                    .Select(k => k < special.Integers.Length ? special.Integers[k]
                        : random.NextInt64(long.MinValue, long.MaxValue))]);
            default:
                return type.DType.IsFloat
                    ? ReferenceValue.Of(type.DType, shape,
                        [.. Enumerable.Range(0, count).Select(_ => SpecialValues.Gentle(type.DType, random))])
                    : ReferenceValue.Of(type.DType, shape,
                        [.. Enumerable.Range(0, count).Select(_ => random.Next(4) == 0
                        ? special.Integers[random.Next(special.Integers.Length)] : random.NextInt64(-9, 10))]);
        }
    }

    /// <summary>FNV-1a: the same in every process.</summary>
    private static int Seed(string text) => (int)text.Aggregate(2166136261u, (h, c) => (h ^ c) * 16777619);
}

/// <summary>Values at the edges of a dtype.</summary>
internal static class SpecialValues
{
    public static ReferenceValue Of(DType dtype)
    {
        if (dtype == DType.Bool) return ReferenceValue.Of(dtype, [2], 0L, 1);
        if (!dtype.IsFloat)
        {
            var (least, most) = (IntegerMath.Least(dtype), IntegerMath.Greatest(dtype));
            return ReferenceValue.Of(dtype, [16], least, most, least + 1, most - 1,
                 0L, 1, -1, 2, 3, -3, 7, 8, 31, 63, 100, -77);
        }
        var (small, large) = (FloatMath.Smallest(dtype), FloatMath.Largest(dtype));
        double[] values =
            [0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3.7, -7.25, 100, 1e-4, -1e-4, 0.99, -0.99, 12345, 300,
            small, -small, 1000 * small, large, -large, double.PositiveInfinity, double.NegativeInfinity, double.NaN];
        return ReferenceValue.Of(dtype, [values.Length], values);
    }

    /// <summary>Any exponent of the dtype, subnormals included.</summary>
    public static double Wide(DType dtype, System.Random random)
    {
        var (least, most) = (Math.Log2(FloatMath.Smallest(dtype)), Math.Log2(FloatMath.Largest(dtype)));
        var value = Math.Pow(2, least + random.NextDouble() * (most - least - 0.01));
        return random.Next(2) == 0 ? value : -value;
    }

    /// <summary>What sums and products stand without overflow of the dtype, and a special value now and then.</summary>
    public static double Gentle(DType dtype, System.Random random)
    {
        var small = FloatMath.Smallest(dtype);
        double[] special =
            [0, -0.0, small, -small, double.PositiveInfinity, double.NegativeInfinity, double.NaN, 1, -1];
        return random.Next(48) == 0 ? special[random.Next(special.Length)] : random.NextDouble() * 3 - 1.5;
    }
}
