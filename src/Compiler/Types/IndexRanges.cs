// In: the extents of loop indices. Out: proofs that an index expression is non-negative, so that bounds checks can be
// left out.
namespace Accelerate.Compiler.Types;

/// <summary>
/// The known ranges of variables: every size variable is at least 0, index i lies in [0, extent). Proofs are sound, not
/// complete: false means "not proved".
/// </summary>
internal sealed class IndexRanges
{
    private readonly Dictionary<string, Size> extents = [];

    public IndexRanges()
    {
    }

    public IndexRanges(IndexRanges outer)
    {
        foreach (var (name, extent) in outer.extents) extents[name] = extent;
    }

    public void Add(string index, Size extent) => extents[index] = extent;

    public bool Knows(string index) => extents.ContainsKey(index);

    public Size ExtentOf(string index) => extents[index];

    /// <summary>Proves 0 &lt;= p for all values in range.</summary>
    public bool NonNegative(Size p)
    {
        try
        {
            return Prove(p, 12);
        }
        catch (OverflowException)
        {
            // A proof multiplies by divisors: for a long chain of strided windows the products overflow 64 bits. Then
            // nothing is proved.
            return false;
        }
    }

    /// <summary>Proves 0 &lt;= index &lt; extent for all values in range.</summary>
    public bool InRange(Size index, Size extent) => NonNegative(index) && NonNegative(extent - 1 - index);

    private bool Prove(Size p, int fuel)
    {
        if (p.IsConstant) return p.Value >= 0;
        if (p.Terms.All(t => t.Coefficient >= 0 && t.Atoms.All(IsNonNegative))) return true;
        if (fuel == 0) return false;

        // Sets an index to the end of its range that makes p smallest: 0 where p rises with it, extent - 1 where it
        // falls. An index whose extent mentions others comes before them: the last block of a loop is shorter.
        foreach (var name in p.Variables().Where(extents.ContainsKey)
            .OrderByDescending(v => extents[v].Variables().Count(extents.ContainsKey)))
        {
            var extent = extents[name];
            if (Direction(p, name) is not { } rising) continue;
            if (rising) return Prove(p.Substitute(v => v == name ? Size.Zero : null), fuel - 1);
            return Bounds(extent).Any(bound => Prove(p.Substitute(v => v == name ? bound - 1 : null), fuel - 1));
        }

        if (Split(p, fuel) is { } isProved) return isProved;

        // floor(x + 3, 4) is floor(u + 1, 2) with u = floor(x + 1, 2): if one division refines another, its value
        // becomes a variable, so that the two are compared as integers.
        if (Nested(p) is { } nested && Prove(nested, fuel - 1)) return true;

        // c * y * (x // q) lies between c * y * (x - q + 1) / q and c * y * x / q: scale by q and replace.
        foreach (var term in p.Terms)
        {
            var at = term.Atoms.ToList().FindIndex(a => a is FloorDivAtom { Divisor.IsConstant: true });
            if (at < 0 || !term.Atoms.RemoveAt(at).All(IsNonNegative)) continue;
            var division = (FloorDivAtom)term.Atoms[at];
            var q = division.Divisor.Value;
            var replaced = term.Coefficient > 0 ? division.Dividend - (q - 1) : division.Dividend;
            var others = Size.OfTerm(new Size.Term(term.Coefficient, term.Atoms.RemoveAt(at)));
            if (Prove((p - Size.OfTerm(term)) * q + others * replaced, fuel - 1)) return true;
            break;
        }
        return false;
    }

    /// <summary>
    /// An index i below a * b that is divided by b is b * q + r, with q below a and r below b: proves with these two in
    /// its place. Null if no index is divided this way.
    /// </summary>
    private bool? Split(Size p, int fuel)
    {
        foreach (var division in Divisions(p))
        {
            if (division.Dividend.Terms is not [{ Coefficient: 1, Atoms: [VariableAtom { Name: var name }] }]
                || !Knows(name))
                continue;
            var (divisor, count) = (division.Divisor, Size.FloorDiv(extents[name], division.Divisor));
            if (!(count * divisor).Equals(extents[name])) continue;
            var (ranges, quotient, rest) = (new IndexRanges(this), $"{name}/{divisor}", $"{name}%{divisor}");
            ranges.Add(quotient, count);
            ranges.Add(rest, divisor);
            return ranges.Prove(p.Substitute(v => v == name ? divisor * Size.Variable(quotient) + Size.Variable(rest)
                : null, ranges), fuel - 1);
        }
        return null;
    }

    /// <summary>The divisions of a size, inner ones first.</summary>
    private static IEnumerable<FloorDivAtom> Divisions(Size p) =>
        p.Terms.SelectMany(t => t.Atoms).OfType<FloorDivAtom>().SelectMany(d => Divisions(d.Dividend).Append(d));

    /// <summary>True if p rises with the variable, false if it falls, null if neither is certain.</summary>
    private static bool? Direction(Size p, string variable)
    {
        bool? direction = null;
        foreach (var term in p.Terms)
        {
            if (!term.Atoms.Any(a => a.Variables().Contains(variable))) continue;
            var rises = term.Coefficient > 0;
            if (direction is { } known && known != rises) return null;
            direction = rises;
            foreach (var atom in term.Atoms)
            {
                if (!IsNonNegative(atom)) return null;
                if (atom is VariableAtom || !atom.Variables().Contains(variable)) continue;
                if (atom is not FloorDivAtom d || d.Divisor.Mentions(variable)
                    || Direction(d.Dividend, variable) != true)
                    return null;
            }
        }
        return direction;
    }

    /// <summary>Upper bounds of an extent: both sides of a minimum.</summary>
    private static IEnumerable<Size> Bounds(Size extent) =>
        extent.Terms is [{ Coefficient: 1, Atoms: [MinAtom m] }] ? [m.Left, m.Right] : [extent];

    /// <summary>
    /// x // q and (x + k q) // (q m) => t and (t + k) // m, for the first division that refines another.
    /// </summary>
    private static Size? Nested(Size p)
    {
        var divisions = p.Terms.SelectMany(t => t.Atoms).OfType<FloorDivAtom>().Where(d => d.Divisor.IsConstant)
            .DistinctBy(d => d.Text).OrderBy(d => d.Divisor.Value).ToList();
        foreach (var inner in divisions.Where(IsNonNegative))
        {
            // Named after its value: the quotient of another division is another variable.
            var value = Size.Variable($"[{inner.Text}]");
            var replaced = new Dictionary<string, Size>();
            foreach (var outer in divisions.Where(
                d => d.Divisor.Value > inner.Divisor.Value && d.Divisor.Value % inner.Divisor.Value == 0))
            {
                var shift = Size.FloorDiv(outer.Dividend, inner.Divisor) - Size.Of(inner);
                if (shift.IsConstant)
                    replaced[outer.Text] = Size.FloorDiv(value + shift, outer.Divisor.Value / inner.Divisor.Value);
            }
            if (replaced.Count == 0) continue;
            replaced[inner.Text] = value;
            return p.Terms.Aggregate(Size.Zero, (sum, term) =>
                sum + term.Atoms.Aggregate(Size.Constant(term.Coefficient),
                (product, atom) => product * replaced.GetValueOrDefault(atom.Text, Size.Of(atom))));
        }
        return null;
    }

    private static bool IsNonNegative(Atom atom) => atom switch
    {
        VariableAtom => true, // sizes and indices alike
        FloorDivAtom d => d.Dividend.Terms.All(t => t.Coefficient >= 0 && t.Atoms.All(IsNonNegative)),
        MinAtom m => AllNonNegative(m.Left) && AllNonNegative(m.Right),
        MaxAtom m => AllNonNegative(m.Left) || AllNonNegative(m.Right),
        _ => false,
    };

    private static bool AllNonNegative(Size s) => s.Terms.All(t => t.Coefficient >= 0 && t.Atoms.All(IsNonNegative));
}
