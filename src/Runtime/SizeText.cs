// In: the text of a size, and a maker of its parts. Out: its value or polynomial, depending on the maker.
using System.Globalization;

namespace Accelerate.Runtime;

/// <summary>Builds sizes from their parts: numbers where every variable has a value, otherwise polynomials.</summary>
internal interface ISizeMaker<T>
{
    T Constant(long value);

    T Variable(string name);

    T Sum(T a, T b);

    T Difference(T a, T b);

    T Product(T a, T b);

    T FloorDiv(T a, T b);

    T Mod(T a, T b);

    T Min(T a, T b);

    T Max(T a, T b);
}

/// <summary>
/// The only parser of size expressions: sum = product (('+' | '-') product)*; product = factor (('*' | '//') factor)*;
/// factor = integer | name | '-' factor | '(' sum ')' | ('floor' | 'mod' | 'min' | 'max') '(' sum ',' sum ')'. Division
/// rounds down. It is in the runtime, not the compiler, because calls also check their tensors against the sizes of a
/// signature.
/// </summary>
internal ref struct SizeText<T, TMaker>(string text, int at, TMaker maker)
    where TMaker : ISizeMaker<T>
{
    private const int Deepest = 200;

    private int at = at;
    private int depth;

    /// <summary>The position after the parsed text.</summary>
    public readonly int At => at;

    /// <summary>Parses a size that is the whole text.</summary>
    /// <exception cref="FormatException">The text is not a size.</exception>
    public T All()
    {
        T size = Sum();
        return at == text.Length ? size : throw new FormatException($"unexpected '{text[at]}' in the size '{text}'");
    }

    /// <summary>Parses a size at the position, with white space after it.</summary>
    /// <exception cref="FormatException">There is no size.</exception>
    public T Sum()
    {
        T sum = Product();
        while (true)
        {
            if (Take('+'))
            {
                sum = maker.Sum(sum, Product());
            }
            else if (Take('-'))
            {
                sum = maker.Difference(sum, Product());
            }
            else
            {
                return sum;
            }
        }
    }

    private T Product()
    {
        T product = Factor();
        while (true)
        {
            Space();
            if (string.CompareOrdinal(text, at, "//", 0, 2) == 0)
            {
                at += 2;
                product = maker.FloorDiv(product, Factor());
            }
            else if (Take('*'))
            {
                product = maker.Product(product, Factor());
            }
            else
            {
                return product;
            }
        }
    }

    private T Factor()
    {
        if (++depth > Deepest)
        {
            throw new FormatException($"a size with more than {Deepest} brackets in each other");
        }
        T factor = Take('-') ? maker.Difference(maker.Constant(0), Factor()) // -a // b is (-a) // b
            : Take('(') ? Inner() : Atom();
        depth--;
        return factor;
    }

    private T Inner()
    {
        T inner = Sum();
        Expect(')');
        return inner;
    }

    private T Atom()
    {
        Space();
        int start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }
        if (at > start)
        {
            return maker.Constant(long.Parse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture));
        }
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '_' or '.' or '\''))
        {
            at++;
        }
        if (at == start)
        {
            throw new FormatException($"a size was expected at '{text[Math.Min(start, text.Length)..]}'");
        }
        string name = text[start..at];
        if (name is not ("floor" or "min" or "max" or "mod") || !Take('('))
        {
            return maker.Variable(name);
        }
        T left = Sum();
        Expect(',');
        T right = Sum();
        Expect(')');
        return name switch
        {
            "floor" => maker.FloorDiv(left, right),
            "mod" => maker.Mod(left, right),
            "min" => maker.Min(left, right),
            _ => maker.Max(left, right),
        };
    }

    private void Space()
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }
    }

    private bool Take(char wanted)
    {
        Space();
        if (at >= text.Length || text[at] != wanted)
        {
            return false;
        }
        at++;
        return true;
    }

    private void Expect(char wanted)
    {
        if (!Take(wanted))
        {
            throw new FormatException($"'{wanted}' was expected at '{text[at..]}'");
        }
    }
}

/// <summary>Sizes whose variables have values, in overflow-checked 64-bit arithmetic.</summary>
internal readonly struct SizeValues(IReadOnlyDictionary<string, long> values) : ISizeMaker<long>
{
    /// <summary>a / b rounded towards minus infinity.</summary>
    /// <exception cref="DivideByZeroException">b is not positive.</exception>
    public static long Floor(long a, long b)
    {
        if (b <= 0)
        {
            throw new DivideByZeroException($"the size {a} // {b} needs a positive divisor");
        }
        (long quotient, long rest) = Math.DivRem(a, b);
        return rest < 0 ? quotient - 1 : quotient;
    }

    public long Constant(long value) => value;

    public long Variable(string name) =>
        values.TryGetValue(name, out long value) ? value
            : throw new FormatException($"'{name}' is no size of the entry");

    public long Sum(long a, long b) => checked(a + b);

    public long Difference(long a, long b) => checked(a - b);

    public long Product(long a, long b) => checked(a * b);

    public long FloorDiv(long a, long b) => Floor(a, b);

    public long Mod(long a, long b) => checked(a - b * Floor(a, b));

    public long Min(long a, long b) => Math.Min(a, b);

    public long Max(long a, long b) => Math.Max(a, b);
}
