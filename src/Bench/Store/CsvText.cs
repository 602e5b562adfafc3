// In: a text of RFC 4180. Out: its records, each with the line on which it begins.
using System.Text;

namespace Accelerate.Bench.Store;

internal static class CsvText
{
    /// <summary>
    /// The fields of each record; an empty one is null, an empty one in quotes an empty text. Blank lines are skipped.
    /// </summary>
    /// <exception cref="FormatException">A quote is not closed, or is inside a field.</exception>
    public static IEnumerable<(int Line, List<string?> Fields)> Records(string text)
    {
        var (line, begin, at) = (1, 1, text.StartsWith('\ufeff') ? 1 : 0);
        List<string?> fields = [];
        var field = new StringBuilder();
        while (at < text.Length)
        {
            string? value = null;
            if (text[at] == '"')
            {
                for (at++; ; at++)
                {
                    if (at == text.Length) throw new FormatException($"{begin}: a quote is not closed");
                    if (text[at] == '"' && (++at == text.Length || text[at] != '"')) break;
                    if (text[at] == '\n') line++;
                    field.Append(text[at]);
                }
                if (at < text.Length && text[at] is not (',' or '\r' or '\n'))
                    throw new FormatException($"{line}: a quote stands inside a field");
                value = field.ToString();
                field.Clear();
            }
            else
            {
                var end = text.AsSpan(at).IndexOfAny(",\r\n") is >= 0 and var length ? at + length : text.Length;
                if (end > at) value = text[at..end];
                at = end;
            }
            fields.Add(value);
            if (at < text.Length && text[at] == ',')
            {
                at++;
                // A comma at the very end is followed by an empty last field.
                if (at == text.Length) fields.Add(null);
                else continue;
            }
            else
            {
                if (at < text.Length && text[at] == '\r') at++;
                if (at < text.Length && text[at] == '\n') at++;
            }
            if (fields is not [null]) yield return (begin, fields);
            (fields, begin) = ([], ++line);
        }
    }
}
