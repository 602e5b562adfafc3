// In: the text of a size. Out: the size in normal form. White space does not matter.
using System.Globalization;

namespace Accelerate.Compiler.Types;

/// <summary>
/// Reads what <see cref="Size.Text"/> prints; also the spelling a // b. Throws FormatException with the place.
/// </summary>
public static class SizeReader
{
    private const int Deepest = 200;

    public static Size Read(string text)
    {
        var at = 0;
        var size = Read(text, ref at);
        return at == text.Length ? size : throw new FormatException($"unexpected '{text[at]}' in the size '{text}'");
    }

    /// <summary>Reads one size from the position on and leaves the position behind it.</summary>
    public static Size Read(string text, ref int at) => Read(text, ref at, 0);

    private static Size Read(string text, ref int at, int depth)
    {
        var sum = Product(text, ref at, depth);
        while (true)
        {
            if (Take(text, ref at, '+')) sum += Product(text, ref at, depth);
            else if (Take(text, ref at, '-')) sum -= Product(text, ref at, depth);
            else return sum;
        }
    }

    private static Size Product(string text, ref int at, int depth)
    {
        var product = Factor(text, ref at, depth);
        while (true)
        {
            Space(text, ref at);
            if (at + 1 < text.Length && text[at] == '/' && text[at + 1] == '/')
            {
                at += 2;
                product = Size.FloorDiv(product, Factor(text, ref at, depth));
            }
            else if (Take(text, ref at, '*')) product *= Factor(text, ref at, depth);
            else return product;
        }
    }

    private static Size Factor(string text, ref int at, int depth)
    {
        if (++depth > Deepest) throw new FormatException($"a size with more than {Deepest} brackets in each other");
        if (Take(text, ref at, '-')) return -Factor(text, ref at, depth); // -a // b is (-a) // b
        if (Take(text, ref at, '('))
        {
            var inner = Read(text, ref at, depth);
            Expect(text, ref at, ')');
            return inner;
        }
        Space(text, ref at);
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        if (at > start) return long.Parse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture);
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '_' or '.' or '\'')) at++;
        if (at == start)
            throw new FormatException($"a size was expected at '{text[Math.Min(start, text.Length)..]}'");
        var name = text[start..at];
        if (name is not ("floor" or "min" or "max" or "mod") || !Take(text, ref at, '(')) return Size.Variable(name);
        var left = Read(text, ref at, depth);
        Expect(text, ref at, ',');
        var right = Read(text, ref at, depth);
        Expect(text, ref at, ')');
        return name switch
        {
            "floor" => Size.FloorDiv(left, right),
            "mod" => Size.Mod(left, right),
            "min" => Size.Min(left, right),
            _ => Size.Max(left, right),
        };
    }

    private static void Space(string text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
    }

    private static bool Take(string text, ref int at, char c)
    {
        Space(text, ref at);
        if (at >= text.Length || text[at] != c) return false;
        at++;
        return true;
    }

    private static void Expect(string text, ref int at, char c)
    {
        if (!Take(text, ref at, c)) throw new FormatException($"'{c}' was expected at '{text[at..]}'");
    }
}
