// In: valid text or bytes, a random generator. Out: the same with a few places broken.
using System.Text;
using System.Text.RegularExpressions;

namespace Accelerate.Cli.Hostile;

/// <summary>Small changes, as by accident or by an attacker.</summary>
internal static partial class Mutation
{
    /// <summary>Integers at which something wraps, overflows, allocates or divides by zero.</summary>
    public static readonly string[] Numbers =
    [
        "0", "1", "-1", "2", "3", "7", "255", "256", "1000", "65536", "2147483647", "2147483648", "-2147483648",
        "4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "18446744073709551615", "18446744073709551616", "99999999999", "1e30", "1e-400", "1e400", "0.5", "-0.0", "inf",
        "nan", "-inf", "0x10", "1_000", "00", "3.", ".5", "1e", "99999999999999999999999999999999999999999",
    ];

    /// <summary>Characters that readers, terminals and file systems may misinterpret.</summary>
    public static readonly string[] Characters =
    [
        "\0", "\x01", "\x07", "\b", "\x1b[31m", "\x1b]0;title\x07", "\x7f", "\x85", "\x9b31m", "\u00a0", "\u2028",
        "\u200b", "\u202e", "\u2066", "\ufeff", "\ufffe", "é", "😀", "\r", "\r\n", "\t", "\v", "\f", "\"", "\\", "'",
        "`", "#", "$", "{", "}", "[", "]", "(", ")", "\n", "\n\n", ",", ":", "=>", "->", "..", "=", "|", "@", "%", "{}",
        "{:.99f}",
    ];

    public static string Pick(this Random random, IReadOnlyList<string> from) => from[random.Next(from.Count)];

    /// <summary>One to a few changes of words; most results are still texts of the language.</summary>
    public static string Words(Random random, string text, IReadOnlyList<string> words)
    {
        for (var left = 1 + random.Next(4); left > 0; left--) text = Word(random, text, words);
        return text;
    }

    private static string Word(Random random, string text, IReadOnlyList<string> words)
    {
        var tokens = Token().Matches(text);
        if (tokens.Count == 0) return random.Pick(words);
        var at = tokens[random.Next(tokens.Count)];
        var other = tokens[random.Next(tokens.Count)];
        string Put(string word) => text[..at.Index] + word + text[(at.Index + at.Length)..];
        switch (random.Next(12))
        {
            case 0: return Put("");
            case 1: return Put(at.Value + " " + at.Value);
            case 2: return Put(other.Value);
            case 3: return Put(random.Pick(words));
            case 4: return Put(at.Value + " " + random.Pick(words));
            case 5: return Put(random.Pick(Characters));
            case 6: return Put(at.Value + random.Pick(Characters));
            case 7: return text[..at.Index];
            case 8 when at.Index <= other.Index: return text[..at.Index] + text[other.Index..];
            case 8: return text + text[other.Index..at.Index];
            case 9: return text + "\n" + text[at.Index..];
            default:
                // Numbers are what sizes, axes and places are made of.
                var numbers = Number().Matches(text);
                if (numbers.Count == 0) return Put(random.Pick(Numbers));
                var number = numbers[random.Next(numbers.Count)];
                return text[..number.Index] + random.Pick(Numbers) + text[(number.Index + number.Length)..];
        }
    }

    /// <summary>
    /// One change that keeps the form of the text: a near or distant number, a name or number from elsewhere in the
    /// text, a line duplicated or removed. Readers do not notice it at first.
    /// </summary>
    public static string Near(Random random, string text)
    {
        var kind = random.Next(8);
        if (kind < 2)
        {
            var lines = text.Split('\n').ToList();
            var (from, to) = (random.Next(lines.Count), random.Next(lines.Count));
            if (kind == 0) lines.RemoveAt(from);
            else lines.Insert(to, lines[from]);
            return string.Join('\n', lines);
        }
        var all = kind < 6 ? Number().Matches(text) : Name().Matches(text);
        if (all.Count == 0) return text;
        var (at, other) = (all[random.Next(all.Count)], all[random.Next(all.Count)]);
        var number = long.TryParse(at.Value, out var value) ? value : 0;
        var word = kind switch
        {
            2 => $"{number + random.Next(-2, 3)}",
            3 => $"{number * 2}",
            4 => random.Pick(Numbers),
            _ => other.Value,
        };
        return text[..at.Index] + word + text[(at.Index + at.Length)..];
    }

    /// <summary>One to a few changes of bytes, without regard to their meaning.</summary>
    public static byte[] Bytes(Random random, byte[] bytes)
    {
        for (var left = 1 + random.Next(4); left > 0; left--) bytes = Byte(random, bytes);
        return bytes;
    }

    private static byte[] Byte(Random random, byte[] bytes)
    {
        if (bytes.Length == 0) return [(byte)random.Next(256)];
        var (at, other) = (random.Next(bytes.Length), random.Next(bytes.Length));
        var (low, high) = (Math.Min(at, other), Math.Max(at, other));
        byte[] copy = [.. bytes];
        switch (random.Next(8))
        {
            case 0: copy[at] ^= (byte)(1 << random.Next(8)); return copy;
            case 1: copy[at] = (byte)random.Next(256); return copy;
            case 2: copy[at] = random.Next(2) == 0 ? (byte)0 : (byte)255; return copy;
            case 3: return bytes[..at];
            case 4: return [.. bytes[..low], .. bytes[high..]];
            case 5: return [.. bytes, .. bytes[low..high]];
            case 6:
                var inserted = new byte[1 + random.Next(8)];
                random.NextBytes(inserted);
                return [.. bytes[..at], .. inserted, .. bytes[at..]];
            default:
                // A length field is a few bytes that become large together.
                for (var i = at; i < Math.Min(at + 8, copy.Length); i++) copy[i] = 255;
                return copy;
        }
    }

    /// <summary>Mostly small changes, otherwise by words or by bytes, which need no longer be UTF-8.</summary>
    public static byte[] Text(Random random, string text, IReadOnlyList<string> words) => random.Next(8) switch
    {
        0 => Bytes(random, Encoding.UTF8.GetBytes(text)),
        < 4 => Encoding.UTF8.GetBytes(Words(random, text, words)),
        4 => Encoding.UTF8.GetBytes(Near(random, Near(random, text))),
        _ => Encoding.UTF8.GetBytes(Near(random, text)),
    };

    [GeneratedRegex(@"\w+|[^\w\s]+")]
    internal static partial Regex Token();

    [GeneratedRegex(@"(?<![\w.])-?\d[\w.]*")]
    private static partial Regex Number();

    [GeneratedRegex(@"[%@]?[A-Za-z_]\w*")]
    private static partial Regex Name();
}
