// Strings in the text forms: quoted, with the escapes that make them read back.
using System.Text;

namespace Accelerate.Compiler.Types;

internal static class Quote
{
    public static string Text(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var c in value)
        {
            text.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                ' ' => "\\s", // white space is not part of the text forms
                '\t' => "\\t",
                _ when char.IsWhiteSpace(c) => $"\\u{(int)c:x4}",
                '#' => "\\h", // nor is what starts a comment
                _ => c.ToString(),
            });
        }
        return text.Append('"').ToString();
    }

    public static string Unquote(string quoted)
    {
        var text = new StringBuilder();
        for (var i = 1; i < quoted.Length - 1; i++)
        {
            if (quoted[i] != '\\')
            {
                text.Append(quoted[i]);
                continue;
            }
            i++;
            if (quoted[i] == 'u' && i + 4 < quoted.Length - 1)
            {
                text.Append((char)System.Convert.ToInt32(quoted.Substring(i + 1, 4), 16));
                i += 4;
                continue;
            }
            text.Append(quoted[i] switch { 'n' => '\n', 's' => ' ', 't' => '\t', 'h' => '#', var c => c });
        }
        return text.ToString();
    }
}
