// In: a text from a source, a file or its name. Out: the same for a terminal: nothing in it acts, or turns what is
// read.
using System.Buffers;
using System.Globalization;
using System.Text;

namespace Accelerate.Compiler.Diagnostics;

/// <summary>
/// A terminal obeys control characters, and marks of writing direction show letters in another order than they stand
/// in. They are written as the language's strings have them: `\u001b`.
/// </summary>
internal static class VisibleText
{
    // C0 and C1 controls, marks, embeddings, overrides and isolates of direction, line and paragraph separators.
    private static readonly SearchValues<char> Acting = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Concat(Enumerable.Range(0x7f, 0x21)).Concat([0x061c, 0x200e, 0x200f])
            .Concat(Enumerable.Range(0x2028, 7)).Concat(Enumerable.Range(0x2066, 4)).Select(c => (char)c)]);

    // The same without line ends and tabs, which texts of several lines have.
    private static readonly SearchValues<char> ActingInLines = SearchValues.Create(
        [.. Enumerable.Range(0, char.MaxValue).Select(c => (char)c)
            .Where(c => Acting.Contains(c) && c is not ('\n' or '\t'))]);

    /// <summary>A name or another piece of one line.</summary>
    public static string Word(string text) => Escape(text, Acting);

    /// <summary>A text of any number of lines.</summary>
    public static string Lines(string text) => Escape(text, ActingInLines);

    /// <summary>A source line with one character for each, so that columns stay: U+FFFD for one that acts.</summary>
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
