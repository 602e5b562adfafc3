// In: integer arithmetic over size variables and loop indices. Out: one polynomial normal form per value, so that
// equality of sizes is equality of texts. Overflow-checked int64.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Accelerate.Compiler.Types;

/// <summary>
/// A polynomial with int64 coefficients over atoms (variables, floor divisions, minima, maxima). The remainder a % b is
/// kept as a - b * (a // b), so that splitting and joining an axis cancel: 8 * (f // 8) + f % 8 is f.
/// </summary>
internal sealed class Size : IEquatable<Size>, IComparable<Size>
{
    /// <summary>coefficient * product of atoms; the atoms are sorted by text and may repeat (powers).</summary>
    public sealed record Term(long Coefficient, ImmutableArray<Atom> Atoms)
    {
        public string Key { get; } = Atoms.Length switch
        {
            0 => "",
            1 => Atoms[0].Text,
            _ => string.Join('*', Atoms.Select(a => a.Text)),
        };

        /// <summary>The order of a size's terms: by degree, highest first, then by text.</summary>
        internal static int Compare(Term a, Term b) =>
            a.Atoms.Length != b.Atoms.Length ? b.Atoms.Length.CompareTo(a.Atoms.Length)
                : string.CompareOrdinal(a.Key, b.Key);
    }

    private string? text;

    private Size(ImmutableArray<Term> terms) => Terms = terms;

    public static readonly Size Zero = new([]);
    public static readonly Size One = Constant(1);

    /// <summary>
    /// Sorted by degree (highest first), then by text; the constant term is last. No zero coefficients.
    /// </summary>
    public ImmutableArray<Term> Terms { get; }

    /// <summary>
    /// The canonical text, without white space: `2*h+1`, `(h-1)//2+1`. <see cref="SizeReader"/> reads it back.
    /// </summary>
    public string Text => text ??= Print(Terms);

    /// <summary>The text as a user writes it: `(h + 1) // 2`.</summary>
    public string Display => SizeDisplay.Of(this);

    public bool IsConstant => Terms.Length == 0 || (Terms.Length == 1 && Terms[0].Atoms.Length == 0);

    /// <summary>The value of a constant size. Throws if the size is symbolic.</summary>
    public long Value => IsConstant
        ? Terms.Length == 0 ? 0 : Terms[0].Coefficient
        : throw new InvalidOperationException($"{Text} is not a constant");

    public bool Is(long value) => IsConstant && Value == value;

    /// <summary>The constant term.</summary>
    public long Offset => Terms.Length > 0 && Terms[^1].Atoms.Length == 0 ? Terms[^1].Coefficient : 0;

    public static Size Constant(long value) => value == 0 ? Zero : new([new Term(value, [])]);

    public static Size Variable(string name) => Of(new VariableAtom(name));

    public static Size Of(Atom atom) => new([new Term(1, [atom])]);

    public static implicit operator Size(long value) => Constant(value);

    public static Size operator +(Size a, Size b)
    {
        if (a.Is(0)) return b;
        if (b.Is(0)) return a;
        SizeLimitException.Bound((long)a.Terms.Length + b.Terms.Length);
        // Both are sorted: one pass merges them.
        var sum = ImmutableArray.CreateBuilder<Term>(a.Terms.Length + b.Terms.Length);
        var (i, j) = (0, 0);
        while (i < a.Terms.Length && j < b.Terms.Length)
        {
            var order = Term.Compare(a.Terms[i], b.Terms[j]);
            if (order < 0) sum.Add(a.Terms[i++]);
            else if (order > 0) sum.Add(b.Terms[j++]);
            else
            {
                var coefficient = checked(a.Terms[i].Coefficient + b.Terms[j++].Coefficient);
                var term = a.Terms[i++];
                if (coefficient != 0) sum.Add(new Term(coefficient, term.Atoms));
            }
        }
        while (i < a.Terms.Length) sum.Add(a.Terms[i++]);
        while (j < b.Terms.Length) sum.Add(b.Terms[j++]);
        return new(sum.DrainToImmutable());
    }

    public static Size operator -(Size a, Size b) => a + Constant(-1) * b;

    public static Size operator -(Size a) => Constant(-1) * a;

    public static Size operator *(Size a, Size b)
    {
        if (a.Is(1)) return b;
        if (b.Is(1)) return a;
        if (a.IsConstant) return Scaled(b, a.Value);
        if (b.IsConstant) return Scaled(a, b.Value);
        SizeLimitException.Bound((long)a.Terms.Length * b.Terms.Length);
        return Sum(from x in a.Terms
                   from y in b.Terms
                   select new Term(checked(x.Coefficient * y.Coefficient), Join(x.Atoms, y.Atoms)));
    }

    private static Size Scaled(Size size, long factor)
    {
        if (factor == 0 || size.Terms.IsEmpty) return Zero;
        var scaled = ImmutableArray.CreateBuilder<Term>(size.Terms.Length);
        foreach (var term in size.Terms) scaled.Add(new Term(checked(term.Coefficient * factor), term.Atoms));
        return new(scaled.MoveToImmutable());
    }

    /// <summary>
    /// Floor division; the divisor is at least 1 (a smaller constant throws, a symbolic one is checked at entry).
    /// </summary>
    public static Size FloorDiv(Size a, Size b) => SizeDivision.FloorDiv(a, b, null);

    /// <summary>a - b * floor(a / b): it has the divisor's sign.</summary>
    public static Size Mod(Size a, Size b) => a - b * FloorDiv(a, b);

    public static Size Min(Size a, Size b) => Extreme(a, b, least: true);

    public static Size Max(Size a, Size b) => Extreme(a, b, least: false);

    public static Size Product(IEnumerable<Size> sizes) => sizes.Aggregate(One, (p, s) => p * s);

    private static Size Extreme(Size a, Size b, bool least)
    {
        if (a.Equals(b)) return a;
        var d = a - b;
        if (d.IsConstant) return (d.Value < 0) == least ? a : b;
        var (x, y) = string.CompareOrdinal(a.Text, b.Text) <= 0 ? (a, b) : (b, a);
        return Of(least ? new MinAtom(x, y) : new MaxAtom(x, y));
    }

    /// <summary>Replaces every variable by the map's value for its name; null keeps it.</summary>
    public Size Substitute(Func<string, Size?> map, IndexRanges? ranges = null)
    {
        if (IsConstant) return this;
        var sum = Zero;
        foreach (var term in Terms)
        {
            Size product = term.Coefficient;
            foreach (var atom in term.Atoms) product *= atom.Substitute(map, ranges);
            sum += product;
        }
        return sum;
    }

    /// <summary>
    /// The value under the given bindings. Throws OverflowException, or KeyNotFoundException for an unbound name.
    /// </summary>
    public long Evaluate(Func<string, long> bindings)
    {
        long sum = 0;
        foreach (var term in Terms)
        {
            var product = term.Coefficient;
            foreach (var atom in term.Atoms) product = checked(product * atom.Evaluate(bindings));
            sum = checked(sum + product);
        }
        return sum;
    }

    public long Evaluate(IReadOnlyDictionary<string, long> bindings) => Evaluate(name => bindings[name]);

    /// <summary>The names of all variables, also inside floor divisions.</summary>
    public IEnumerable<string> Variables() =>
        Terms.SelectMany(t => t.Atoms).SelectMany(a => a.Variables()).Distinct();

    public bool Mentions(string name) => Terms.Any(t => t.Atoms.Any(a => a.Variables().Contains(name)));

    /// <summary>
    /// Splits into coefficient * variable + rest, where neither mentions the variable; null if the variable occurs in a
    /// floor division, minimum, maximum or power.
    /// </summary>
    public (Size Coefficient, Size Remainder)? AffineIn(string variable)
    {
        var (coefficient, rest) = (Zero, Zero);
        foreach (var term in Terms)
        {
            var here = term.Atoms.Count(a => a is VariableAtom v && v.Name == variable);
            if (term.Atoms.Any(a => a is not VariableAtom && a.Variables().Contains(variable)) || here > 1) return null;
            if (here == 0) rest += new Size([term]);
            else coefficient += new Size([new Term(term.Coefficient,
                term.Atoms.RemoveAt(term.Atoms.ToList().FindIndex(a => a is VariableAtom v && v.Name == variable)))]);
        }
        return (coefficient, rest);
    }

    internal static Size OfTerm(Term term) => term.Coefficient == 0 ? Zero : new([term]);

    internal static Size Sum(IEnumerable<Term> terms)
    {
        var sums = new Dictionary<string, Term>();
        foreach (var term in terms)
            sums[term.Key] = sums.TryGetValue(term.Key, out var old)
                ? new Term(checked(old.Coefficient + term.Coefficient), term.Atoms)
                : term;
        return new([.. sums.Values.Where(t => t.Coefficient != 0)
            .OrderByDescending(t => t.Atoms.Length).ThenBy(t => t.Key, StringComparer.Ordinal)]);
    }

    private static ImmutableArray<Atom> Join(ImmutableArray<Atom> a, ImmutableArray<Atom> b)
    {
        SizeLimitException.Bound((long)a.Length + b.Length);
        return a.IsEmpty ? b : b.IsEmpty ? a : [.. a.Concat(b).OrderBy(x => x.Text, StringComparer.Ordinal)];
    }

    private static string Print(ImmutableArray<Term> terms)
    {
        if (terms.IsEmpty) return "0";
        var text = new StringBuilder();
        foreach (var term in terms)
        {
            if (term.Coefficient >= 0 && text.Length > 0) text.Append('+');
            var factor = term.Coefficient.ToString(CultureInfo.InvariantCulture);
            if (term.Atoms.IsEmpty) text.Append(factor);
            else if (term.Coefficient == 1) text.Append(term.Key);
            else if (term.Coefficient == -1) text.Append('-').Append(term.Key);
            else text.Append(factor).Append('*').Append(term.Key);
        }
        return text.ToString();
    }

    /// <summary>Equal normal forms, that is, equal texts.</summary>
    public bool Equals(Size? other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (other is null || Terms.Length != other.Terms.Length) return false;
        for (var i = 0; i < Terms.Length; i++)
            if (Terms[i].Coefficient != other.Terms[i].Coefficient || Terms[i].Key != other.Terms[i].Key) return false;
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as Size);

    public static bool operator ==(Size? a, Size? b) => a is null ? b is null : a.Equals(b);

    public static bool operator !=(Size? a, Size? b) => !(a == b);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var term in Terms)
        {
            hash.Add(term.Coefficient);
            hash.Add(term.Key);
        }
        return hash.ToHashCode();
    }

    public int CompareTo(Size? other) => string.CompareOrdinal(Text, other?.Text);

    public override string ToString() => Text;
}
