// In: a text form (graph, kernel, program). Out: its tokens. White space and comments (# to the end of the line) do not
// matter.
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Accelerate.Compiler.Types;

/// <summary>
/// A position in a text form that is being read. Every failure is a FormatException with line and column.
/// </summary>
internal sealed class TextCursor(string text)
{
    private int at;

    public bool AtEnd
    {
        get
        {
            Skip();
            return at >= text.Length;
        }
    }

    public bool Peek(string token)
    {
        Skip();
        return string.CompareOrdinal(text, at, token, 0, token.Length) == 0;
    }

    public bool Take(string token)
    {
        if (!Peek(token)) return false;
        at += token.Length;
        return true;
    }

    public void Expect(string token)
    {
        if (!Take(token)) throw Error($"'{token}' was expected");
    }

    /// <summary>Letters, digits, `_`, `.`; starts with a letter or `_`.</summary>
    public string Name()
    {
        Skip();
        var start = at;
        if (at < text.Length && (char.IsAsciiLetter(text[at]) || text[at] == '_'))
            while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '_' or '.')) at++;
        return at > start ? text[start..at] : throw Error("a name was expected");
    }

    /// <summary>The next name, without consuming it; null if there is none.</summary>
    public string? PeekName()
    {
        Skip();
        var saved = at;
        var name = at < text.Length && (char.IsAsciiLetter(text[at]) || text[at] == '_') ? Name() : null;
        at = saved;
        return name;
    }

    public long Integer()
    {
        Skip();
        var start = at;
        if (at < text.Length && text[at] == '-') at++;
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        return long.TryParse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture, out var value)
            ? value
            : throw Error("an integer was expected");
    }

    /// <summary>A number as written, also `inf`, `-inf`, `nan`.</summary>
    public string Number()
    {
        Skip();
        var start = at;
        if (at < text.Length && text[at] == '-') at++;
        foreach (var word in (string[])["inf", "nan"])
        {
            if (string.CompareOrdinal(text, at, word, 0, 3) == 0)
            {
                at += 3;
                return text[start..at];
            }
        }
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] is '.' or 'E'
            || (text[at] is '+' or '-' && text[at - 1] == 'E'))) at++;
        return at > start ? text[start..at] : throw Error("a number was expected");
    }

    /// <summary>A quoted string, unquoted.</summary>
    public string String()
    {
        Expect("\"");
        var start = at - 1;
        while (at < text.Length && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
        at = Math.Min(at, text.Length); // a `\` may be the last character
        Expect("\"");
        return Quote.Unquote(text[start..at]);
    }

    public Size Size()
    {
        Skip();
        try
        {
            return SizeReader.Read(text, ref at);
        }
        catch (Exception e) when (e is FormatException or DivideByZeroException or OverflowException)
        {
            throw Error(e.Message);
        }
    }

    /// <summary>Items between brackets, separated by commas; possibly none.</summary>
    public List<T> List<T>(string open, string close, Func<T> item)
    {
        var items = new List<T>();
        Expect(open);
        if (Take(close)) return items;
        do items.Add(item());
        while (Take(","));
        Expect(close);
        return items;
    }

    /// <summary>
    /// Reads a whole text. An exception for a value out of its range (a number of 80 bits, a missing axis, an unknown
    /// name) is reported as an error of the text, at the position that reading has reached.
    /// </summary>
    public T Whole<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is ArgumentException or OverflowException or DivideByZeroException
            or IndexOutOfRangeException or KeyNotFoundException or InvalidCastException
            or InsufficientExecutionStackException)
        {
            throw Error(e.Message);
        }
    }

    public FormatException Error(string message, [CallerMemberName] string what = "")
    {
        var line = text.AsSpan(0, Math.Min(at, text.Length)).Count('\n') + 1;
        var column = at - (at == 0 ? -1 : text.LastIndexOf('\n', Math.Min(at, text.Length) - 1));
        var near = text.AsSpan(Math.Min(at, text.Length)) is { Length: > 30 } rest ? rest[..30].ToString()
            : text[Math.Min(at, text.Length)..];
        return new FormatException($"{line}:{column}: {message} at '{near}' ({what})");
    }

    private void Skip()
    {
        while (at < text.Length)
        {
            if (char.IsWhiteSpace(text[at])) at++;
            else if (text[at] == '#') while (at < text.Length && text[at] != '\n') at++;
            else return;
        }
    }
}
