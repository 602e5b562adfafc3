// In: a size, the intervals of its variables. Out: an interval that its value lies in.
namespace Accelerate.Compiler.Types;

/// <summary>Interval arithmetic: sound, not tight. Overflow is an OverflowException.</summary>
public static class SizeBound
{
    /// <summary>A value that the size does not exceed.</summary>
    public static long Greatest(Size size, Func<string, (long Low, long High)> variables) => Of(size, variables).High;

    private static (long Low, long High) Of(Size size, Func<string, (long Low, long High)> variables)
    {
        (long Low, long High) sum = (0, 0);
        foreach (var term in size.Terms)
        {
            (long Low, long High) product = (term.Coefficient, term.Coefficient);
            foreach (var atom in term.Atoms) product = Times(product, Of(atom, variables));
            sum = checked((sum.Low + product.Low, sum.High + product.High));
        }
        return sum;
    }

    private static (long Low, long High) Of(Atom atom, Func<string, (long Low, long High)> variables)
    {
        switch (atom)
        {
            case VariableAtom v:
                return variables(v.Name);
            case MinAtom m:
                var (a, b) = (Of(m.Left, variables), Of(m.Right, variables));
                return (Math.Min(a.Low, b.Low), Math.Min(a.High, b.High));
            case MaxAtom m:
                var (c, d) = (Of(m.Left, variables), Of(m.Right, variables));
                return (Math.Max(c.Low, d.Low), Math.Max(c.High, d.High));
            case FloorDivAtom f:
                var (x, y) = (Of(f.Dividend, variables), Of(f.Divisor, variables));
                long[] ends =
                    [Atom.Floor(x.Low, y.Low), Atom.Floor(x.Low, y.High), Atom.Floor(x.High, y.Low),
                        Atom.Floor(x.High, y.High)];
                return (ends.Min(), ends.Max());
            default:
                throw new InvalidOperationException(atom.Text);
        }
    }

    private static (long Low, long High) Times((long Low, long High) a, (long Low, long High) b)
    {
        long[] ends = checked([a.Low * b.Low, a.Low * b.High, a.High * b.Low, a.High * b.High]);
        return (ends.Min(), ends.Max());
    }
}
