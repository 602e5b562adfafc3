// In: a text from a source, a file or its name. Out: the same, safe for a terminal: it contains nothing that controls
// the terminal or reorders the text.
using System.Buffers;
using System.Globalization;
using System.Text;

namespace Accelerate.Compiler.Diagnostics;

/// <summary>
/// A terminal obeys control characters, and direction marks show letters in another order than they are stored. They
/// are written as in the language's strings: `\u001b`.
/// </summary>
internal static class VisibleText
{
    // C0 and C1 controls; direction marks, embeddings, overrides and isolates; line and paragraph separators.
    private static readonly SearchValues<char> Acting = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Concat(Enumerable.Range(0x7f, 0x21)).Concat([0x061c, 0x200e, 0x200f])
            .Concat(Enumerable.Range(0x2028, 7)).Concat(Enumerable.Range(0x2066, 4)).Select(c => (char)c)]);

    // The same without line ends and tabs, which texts of several lines contain.
    private static readonly SearchValues<char> ActingInLines = SearchValues.Create(
        [.. Enumerable.Range(0, char.MaxValue).Select(c => (char)c)
            .Where(c => Acting.Contains(c) && c is not ('\n' or '\t'))]);

    /// <summary>Escapes a name or another piece of one line.</summary>
    public static string Word(string text) => Escape(text, Acting);

    /// <summary>Escapes a text of any number of lines.</summary>
    public static string Lines(string text) => Escape(text, ActingInLines);

    /// <summary>
    /// A source line with the same number of characters, so that columns stay: U+FFFD in place of those to escape.
    /// </summary>
    public static string Columns(string line)
    {
        if (!line.AsSpan().ContainsAny(Acting)) return line;
        return string.Create(line.Length, line, (to, from) =>
        {
            for (var i = 0; i < from.Length; i++)
                to[i] = from[i] == '\t' ? ' ' : Acting.Contains(from[i]) ? '\ufffd' : from[i];
        });
    }

    private static string Escape(string text, SearchValues<char> acting)
    {
        var at = text.AsSpan().IndexOfAny(acting);
        if (at < 0) return text;
        var visible = new StringBuilder(text.Length + 16);
        var rest = text.AsSpan();
        for (; at >= 0; at = rest.IndexOfAny(acting))
        {
            visible.Append(rest[..at]).Append(CultureInfo.InvariantCulture, $"\\u{(int)rest[at]:x4}");
            rest = rest[(at + 1)..];
        }
        return visible.Append(rest).ToString();
    }
}
