// In: a dividend, a divisor, known index ranges. Out: floor division with every multiple pulled out.
using System.Numerics;

namespace Accelerate.Compiler.Types;

/// <summary>
/// The rules of floor division that shape arithmetic needs: a 3x3 window with padding 1 has the same output size as a
/// 1x1 window with none, (h * w - 1) // w is h - 1, (p // q) // m is p // (q * m), and an index below its divisor is 0.
/// </summary>
internal static class SizeDivision
{
    public static Size FloorDiv(Size a, Size b, IndexRanges? ranges)
    {
        if (b.IsConstant && b.Value <= 0)
            throw new DivideByZeroException($"the size {a} // {b} needs a positive divisor");
        if (b.Is(1)) return a;
        if (a.IsConstant && b.IsConstant) return Atom.Floor(a.Value, b.Value);

        // whole + rest, where whole is the part that b divides: (b * q + r) // b => q + r // b
        var whole = Size.Zero;
        var rest = Size.Zero;
        foreach (var term in a.Terms)
        {
            if (Quotient(term, b) is { } quotient) whole += quotient;
            else rest += Size.OfTerm(term);
        }
        if (b.IsConstant && rest.Offset != 0)
        {
            var multiple = Atom.Floor(rest.Offset, b.Value);
            whole += multiple;
            rest -= multiple * b.Value;
        }
        if (b.Terms.Length > 1 && MultipleOf(a, b) is { } exact) return exact;
        return whole + Reduced(rest, b, ranges);
    }

    private static Size Reduced(Size rest, Size b, IndexRanges? ranges)
    {
        if (rest.Is(0)) return Size.Zero;
        if (rest.IsConstant && b.IsConstant) return Atom.Floor(rest.Value, b.Value);
        if (rest.Is(-1)) return -1; // the divisor is at least 1
        if (ranges is not null && ranges.NonNegative(rest) && ranges.NonNegative(b - 1 - rest)) return Size.Zero;
        if (b.IsConstant)
        {
            var divisor = b.Value;
            // (g x + c) // (g m) => (x + c // g) // m, where g divides every coefficient but the constant's
            var gcd = (long)BigInteger.GreatestCommonDivisor(divisor, rest.Terms.Where(t => t.Atoms.Length > 0)
                .Aggregate(BigInteger.Zero, (g, t) => BigInteger.GreatestCommonDivisor(g, t.Coefficient)));
            if (gcd > 1)
            {
                var x = Size.Sum(rest.Terms.Where(t => t.Atoms.Length > 0)
                    .Select(t => new Size.Term(t.Coefficient / gcd, t.Atoms))) + Atom.Floor(rest.Offset, gcd);
                return FloorDiv(x, divisor / gcd, ranges);
            }
            // (g x + y) // (g m) => x // m for an index part 0 <= y < g
            if (ranges is not null && SplitByRange(rest, divisor, ranges) is { } split) return split;
            // (p // q + c) // m => (p + c q) // (q m)
            var variable = rest - rest.Offset;
            if (variable.Terms.Length == 1 && variable.Terms[0] is { Coefficient: 1, Atoms: [FloorDivAtom inner] }
                && inner.Divisor.IsConstant)
            {
                return FloorDiv(inner.Dividend + rest.Offset * inner.Divisor, inner.Divisor * divisor, ranges);
            }
        }
        return Size.Of(new FloorDivAtom(rest, b));
    }

    private static Size? SplitByRange(Size rest, long divisor, IndexRanges ranges)
    {
        foreach (var g in rest.Terms.Select(t => Math.Abs(t.Coefficient)).Distinct().Order())
        {
            if (g <= 1 || divisor % g != 0) continue;
            var multiples = Size.Sum(rest.Terms.Where(t => t.Coefficient % g == 0));
            var small = rest - multiples;
            if (small.Is(0) || multiples.Is(0)) continue;
            if (ranges.NonNegative(small) && ranges.NonNegative(g - 1 - small))
                return FloorDiv(multiples, divisor, ranges);
        }
        return null;
    }

    /// <summary>term / b if b is a single term that divides it, else null.</summary>
    private static Size? Quotient(Size.Term term, Size b)
    {
        if (b.Terms.Length != 1) return null;
        var divisor = b.Terms[0];
        if (term.Coefficient % divisor.Coefficient != 0) return null;
        var atoms = term.Atoms.ToList();
        foreach (var atom in divisor.Atoms)
        {
            var at = atoms.FindIndex(x => x.Text == atom.Text);
            if (at < 0) return null;
            atoms.RemoveAt(at);
        }
        return Size.OfTerm(new Size.Term(term.Coefficient / divisor.Coefficient, [.. atoms]));
    }

    /// <summary>a / b for a divisor of several terms: polynomial long division, null if there is a remainder.</summary>
    private static Size? MultipleOf(Size a, Size b)
    {
        var quotient = Size.Zero;
        for (var steps = 0; steps < 16 && !a.Is(0); steps++)
        {
            if (Quotient(a.Terms[0], Size.OfTerm(b.Terms[0])) is not { } q) return null;
            quotient += q;
            a -= q * b;
        }
        return a.Is(0) ? quotient : null;
    }
}
