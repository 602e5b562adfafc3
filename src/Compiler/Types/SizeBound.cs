// In: a size, the intervals of its variables. Out: an interval that contains its value, with sizes for bounds.
namespace Accelerate.Compiler.Types;

/// <summary>
/// Interval arithmetic over sizes: sound, not tight. A variable that maps to itself has only itself as its interval,
/// and a size that mentions only such variables is its own bound. Sizes are not negative, and divisors are positive
/// where they are used.
/// </summary>
internal static class SizeBound
{
    private static readonly IndexRanges NonNegative = new();

    /// <summary>The least and the greatest value of the size for variables in their intervals.</summary>
    /// <exception cref="OverflowException">A coefficient does not fit into 64 bits.</exception>
    public static (Size Low, Size High) Of(Size size, Func<string, (Size Low, Size High)> variables)
    {
        var (low, high) = (Size.Zero, Size.Zero);
        foreach (var term in size.Terms)
        {
            (Size Low, Size High) product = (term.Coefficient, term.Coefficient);
            foreach (var atom in term.Atoms) product = Times(product, Of(atom, variables));
            (low, high) = (low + product.Low, high + product.High);
        }
        return (low, high);
    }

    private static (Size Low, Size High) Of(Atom atom, Func<string, (Size Low, Size High)> variables)
    {
        switch (atom)
        {
            case VariableAtom v:
                return variables(v.Name);
            case MinAtom m:
                var (a, b) = (Of(m.Left, variables), Of(m.Right, variables));
                return (Size.Min(a.Low, b.Low), Size.Min(a.High, b.High));
            case MaxAtom m:
                var (c, d) = (Of(m.Left, variables), Of(m.Right, variables));
                return (Size.Max(c.Low, d.Low), Size.Max(c.High, d.High));
            case FloorDivAtom f:
                var (x, y) = (Of(f.Dividend, variables), Of(f.Divisor, variables));
                if (IsPoint(y)) return (Size.FloorDiv(x.Low, y.Low), Size.FloorDiv(x.High, y.Low));
                var (least, most) = (Size.Max(1, y.Low), Size.Max(1, y.High));
                return Hull(Size.FloorDiv(x.Low, least), Size.FloorDiv(x.Low, most), Size.FloorDiv(x.High, least),
                    Size.FloorDiv(x.High, most));
            default:
                throw new InvalidOperationException(atom.Text);
        }
    }

    private static (Size Low, Size High) Times((Size Low, Size High) a, (Size Low, Size High) b)
    {
        if (IsPoint(a)) return Times(a.Low, b);
        if (IsPoint(b)) return Times(b.Low, a);
        return Hull(a.Low * b.Low, a.Low * b.High, a.High * b.Low, a.High * b.High);
    }

    private static (Size Low, Size High) Times(Size factor, (Size Low, Size High) b)
    {
        if (IsPoint(b)) return (factor * b.Low, factor * b.Low);
        if (NonNegative.NonNegative(factor)) return (factor * b.Low, factor * b.High);
        if (NonNegative.NonNegative(-factor)) return (factor * b.High, factor * b.Low);
        return Hull(factor * b.Low, factor * b.High);
    }

    private static bool IsPoint((Size Low, Size High) interval) => interval.Low.Equals(interval.High);

    private static (Size Low, Size High) Hull(params ReadOnlySpan<Size> ends)
    {
        var (low, high) = (ends[0], ends[0]);
        foreach (var end in ends) (low, high) = (Size.Min(low, end), Size.Max(high, end));
        return (low, high);
    }
}
