// In: an executor's result and the reference value. Out: whether it is within the bound, and the worst element.
using System.Globalization;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

/// <summary>The outcome of a comparison.</summary>
/// <param name="Agrees">True if every element is within its bound.</param>
/// <param name="Worst">The row-major position of the element with the greatest error in units of its bound; -1 without
/// elements.</param>
/// <param name="Ratio">Its error divided by its bound; above 1 it does not agree, infinite where no bound
/// applies.</param>
/// <param name="Failures">The number of elements out of their bounds.</param>
/// <param name="Unbounded">The number of elements with an infinite or NaN bound, for which any finite value
/// passes.</param>
/// <param name="Text">One line for people.</param>
internal sealed record ComparisonReport(
    bool Agrees, long Worst, double Ratio, long Failures, long Unbounded, string Text)
{
    public override string ToString() => Text;
}

/// <summary>
/// |actual - expected| &lt;= C * sqrt(K) * eps * magnitude + C * sqrt(K) * smallest subnormal, where eps is the
/// distance from 1 to the next number of the dtype and K the value's terms. NaN agrees with NaN, an infinity with
/// itself, and where the bound reaches past the dtype's largest number an infinity of that sign agrees too. Integers
/// are exact.
/// </summary>
internal static class Comparison
{
    /// <summary>
    /// The constant of all comparisons. K roundings of half an eps each wander by sqrt(K) / 2; 8 leaves room for the
    /// few ULP that the elementwise functions may take, and a wrong element of a sum is still far outside.
    /// </summary>
    public const double C = 8;

    public static ComparisonReport Compare(ReferenceValue actual, ReferenceValue expected)
    {
        if (actual.DType != expected.DType || !actual.Shape.SequenceEqual(expected.Shape))
            return Mismatch(
                $"{Describe(actual.DType, actual.Shape)} in place of {Describe(expected.DType, expected.Shape)}");
        return expected.DType.IsFloat ? Compare(actual.Values, expected) : Compare(actual.Integers, expected);
    }

    public static ComparisonReport Compare(Tensor actual, ReferenceValue expected) =>
        Compare(ReferenceValue.Of(actual), expected);

    /// <summary>
    /// Compares each element with the exact value or with the one for which every node was rounded (<see
    /// cref="InterpreterOptions.RoundToDType"/>): after a rounding, a comparison or an underflow the two may differ,
    /// and both are right. 0.1 * 5 is 0.5 in f32, which rounds to 0; in f64 the same f32 is above it.
    /// </summary>
    public static ComparisonReport Compare(Tensor actual, ReferenceValue exact, Func<ReferenceValue> rounded)
    {
        var value = ReferenceValue.Of(actual);
        var report = Compare(value, exact);
        if (report.Agrees || value.Count != exact.Count || value.DType != exact.DType) return report;
        var other = rounded();
        var (values, magnitude) = ((double[])[.. exact.Values], (double[])[.. exact.Magnitude]);
        var integers = (long[])[.. exact.Integers];
        for (var i = 0; i < value.Count; i++)
        {
            if (!exact.DType.IsFloat)
            {
                if (value.Integers[i] == other.Integers[i]) integers[i] = other.Integers[i];
            }
            else if (Ratio(value.Values[i], other.Values[i], Bound(other, i), exact.DType)
                < Ratio(value.Values[i], exact.Values[i], Bound(exact, i), exact.DType))
            {
                (values[i], magnitude[i]) = (other.Values[i], other.Magnitude[i]);
            }
        }
        return Compare(value, new ReferenceValue(exact.DType, exact.Shape, values, magnitude, integers, exact.Terms));
    }

    /// <summary>Floats in row-major order, as doubles.</summary>
    public static ComparisonReport Compare(ReadOnlySpan<double> actual, ReferenceValue expected)
    {
        if (!expected.DType.IsFloat) throw new ArgumentException($"{expected.DType.Name()} is compared as integers");
        if (actual.Length != expected.Count) return Mismatch($"{actual.Length} elements in place of {expected.Count}");
        var (worst, ratio, failures, unbounded) = (-1L, -1.0, 0L, 0L);
        for (var i = 0; i < actual.Length; i++)
        {
            var bound = Bound(expected, i);
            if (double.IsFinite(expected.Values[i]) && !double.IsFinite(bound)) unbounded++;
            var here = Ratio(actual[i], expected.Values[i], bound, expected.DType);
            if (here > 1) failures++;
            if (here > ratio) (worst, ratio) = (i, here);
        }
        var text = worst < 0 ? "no elements" : string.Create(CultureInfo.InvariantCulture,
            $"element {Place(worst, expected.Shape)} is {actual[(int)worst]:R}, expected {expected.Values[worst]:R}: "
            + $"{ratio:G4} of the bound {Bound(expected, worst):G4} "
            + $"(K {expected.Terms}, magnitude {expected.Magnitude[worst]:G4})");
        return Report(worst, Math.Max(ratio, 0), failures, unbounded, text, expected);
    }

    /// <summary>Integers or bools in row-major order, each the dtype's value as a long (u64: its bits).</summary>
    public static ComparisonReport Compare(ReadOnlySpan<long> actual, ReferenceValue expected)
    {
        if (expected.DType.IsFloat) throw new ArgumentException($"{expected.DType.Name()} is compared as floats");
        if (actual.Length != expected.Count) return Mismatch($"{actual.Length} elements in place of {expected.Count}");
        var (worst, failures) = (-1L, 0L);
        for (var i = 0; i < actual.Length; i++)
            if (actual[i] != expected.Integers[i] && failures++ == 0) worst = i;
        var text = worst < 0 ? "equal"
            : $"element {Place(worst, expected.Shape)} is {actual[(int)worst]}, expected {expected.Integers[worst]}";
        return Report(worst, failures > 0 ? double.PositiveInfinity : 0, failures, 0, text, expected);
    }

    /// <summary>The greatest error allowed for an element.</summary>
    public static double Bound(ReferenceValue expected, long index) => C * Math.Sqrt(expected.Terms)
        * (FloatMath.Epsilon(expected.DType) * expected.Magnitude[index] + FloatMath.Smallest(expected.DType));

    private static double Ratio(double actual, double expected, double bound, DType dtype)
    {
        if (actual == expected || (double.IsNaN(actual) && double.IsNaN(expected))) return 0;
        if (double.IsNaN(actual) || double.IsNaN(expected)) return double.PositiveInfinity;
        if (double.IsInfinity(actual))
        {
            // The nearest number of the dtype may be infinite where the exact value is not.
            var reach = Math.CopySign(1, actual) * expected + bound;
            return reach > FloatMath.Largest(dtype) ? 0 : double.PositiveInfinity;
        }
        if (double.IsInfinity(expected)) return double.PositiveInfinity;
        return double.IsFinite(bound) ? Math.Abs(actual - expected) / bound : 0;
    }

    private static ComparisonReport Report(long worst, double ratio, long failures, long unbounded, string text,
        ReferenceValue expected) =>
        new(failures == 0, worst, ratio, failures, unbounded, (failures == 0
            ? $"{Describe(expected.DType, expected.Shape)} agrees"
            : $"{Describe(expected.DType, expected.Shape)} differs in {failures} of {expected.Count} elements")
            + (unbounded > 0 ? $" ({unbounded} elements without a finite bound)" : "") + $"; {text}");

    private static ComparisonReport Mismatch(string text) => new(false, -1, double.PositiveInfinity, 1, 0, text);

    private static string Describe(DType dtype, long[] shape) => $"{dtype.Name()}[{string.Join(',', shape)}]";

    private static string Place(long index, long[] shape)
    {
        var place = new long[shape.Length];
        for (var d = shape.Length - 1; d >= 0; d--) (index, place[d]) = (index / shape[d], index % shape[d]);
        return $"[{string.Join(',', place)}]";
    }
}
