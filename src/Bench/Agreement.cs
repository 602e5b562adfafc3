// In: the results of the reference and of another backend. Out: the largest difference, or an error that names its
// place.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>How closely a backend must agree with the kernel interpreter.</summary>
internal enum Owes
{
    /// <summary>Bit for bit, where any NaN equals any NaN.</summary>
    Bits,

    /// <summary>Integers exactly, floats within <see cref="Agreement.Bound"/>.</summary>
    Bound,
}

/// <summary>
/// Within the bound, an element's error is |actual − expected| / max(|expected|, rms of the expected tensor): relative,
/// except for elements that cancellation has made tiny. Infinities and NaN must be in the same places.
/// </summary>
internal static class Agreement
{
    /// <summary>
    /// About 80 units in the last place of f32, 4 of the 16-bit types, for sums in another order and other roundings.
    /// </summary>
    public static double Bound(DType type) => type switch
    {
        DType.F64 => 1e-12,
        DType.F32 => 1e-5,
        DType.F16 => 4e-3,
        DType.BF16 => 3e-2,
        _ => 0,
    };

    /// <summary>The largest error over all tensors; 0 if all bits agree.</summary>
    /// <exception cref="InternalErrorException">They differ by more than is allowed.</exception>
    public static double Check(string backend, Owes owes,
        IReadOnlyList<(string Name, Tensor Value)> expected, IReadOnlyList<(string Name, Tensor Value)> actual)
    {
        if (expected.Count != actual.Count)
            throw new InternalErrorException(
                $"{backend} gives {actual.Count} results where the kernel interpreter gives {expected.Count}");
        return expected.Zip(actual)
            .Max(pair => (double?)Check(backend, owes, pair.First.Name, pair.First.Value, pair.Second.Value)) ?? 0;
    }

    private static double Check(string backend, Owes owes, string name, Tensor expected, Tensor actual)
    {
        if (expected.Type != actual.Type || !expected.Shape.SequenceEqual(actual.Shape))
            throw new InternalErrorException($"{backend}: '{name}' has another type than the kernel interpreter's");
        if (expected.SameBits(actual)) return 0;
        var (e, a) = (expected.ToDoubles(), actual.ToDoubles());
        if (owes == Owes.Bits || !expected.Type.IsFloat)
        {
            // An i64 beyond 2^53 can differ although its f64 is equal; then there is no place to name.
            var at = Enumerable.Range(0, e.Length).Where(i => !SameDouble(e[i], a[i])).DefaultIfEmpty(-1).First();
            throw Differs(backend, name, e, a, at, "the bits must agree");
        }
        var finite = e.Where(double.IsFinite).ToArray();
        var scale = finite.Length == 0 ? 0 : Math.Sqrt(finite.Average(x => x * x));
        var (worst, place) = (0.0, -1);
        for (var i = 0; i < e.Length; i++)
        {
            var error = Error(e[i], a[i], scale);
            if (error > worst) (worst, place) = (error, i);
        }
        var bound = Bound(expected.Type);
        return worst <= bound ? worst
            : throw Differs(backend, name, e, a, place, $"an error of {worst:G3} where {bound:G1} is allowed");
    }

    private static double Error(double expected, double actual, double scale) =>
        SameDouble(expected, actual) || expected == actual ? 0
        : !double.IsFinite(expected) || !double.IsFinite(actual) ? double.PositiveInfinity
        : Math.Abs(actual - expected) / Math.Max(Math.Abs(expected), scale);

    private static bool SameDouble(double x, double y) =>
        BitConverter.DoubleToInt64Bits(x) == BitConverter.DoubleToInt64Bits(y) || (double.IsNaN(x) && double.IsNaN(y));

    private static InternalErrorException Differs(
        string backend, string name, double[] e, double[] a, int at, string rule) => new(
        $"{backend} and the kernel interpreter disagree on '{name}'"
        + (at < 0 ? "" : $" at flat index {at}: {a[at]:R} instead of {e[at]:R}") + $"; {rule}");
}
