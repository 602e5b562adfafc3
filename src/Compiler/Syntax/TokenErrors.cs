// The token stream comes in; diagnostics about single tokens go out: stray characters and strings that do not end.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;

namespace Accelerate.Compiler.Syntax;

internal static class TokenErrors
{
    // Parser, converter and binder recurse with the nesting; about 3 KB of stack a level in the parser alone.
    private const int DeepestNesting = 256;

    /// <summary>False when parsing would exhaust the stack.</summary>
    public static bool Report(SourceText source, CommonTokenStream tokens, DiagnosticBag bag)
    {
        var depth = 0;
        var strayEnd = -1;
        var seen = new HashSet<(int Line, string Text)>();
        foreach (var token in tokens.GetTokens())
        {
            var span = Parser.SpanOf(source, token);
            depth += token.Text switch { "(" or "[" or "{" => 1, ")" or "]" or "}" => -1, _ => 0 };
            if (depth > DeepestNesting)
            {
                bag.Report(Codes.NestedTooDeep, span, $"brackets nested deeper than {DeepestNesting}");
                return false;
            }
            if (token.Type == AccLexer.STRAY)
            {
                // Adjacent ones are one mistake: `&&`, or the two halves of a character beyond 16 bits; and so is the
                // same again on one line: the quotes of 'x'.
                var whole = Run(source.Text, span);
                if (token.StartIndex != strayEnd && seen.Add((token.Line, whole.Text)))
                {
                    bag.Report(Codes.UnexpectedCharacter, whole, $"unexpected `{whole.Text}`", help: Help(whole.Text));
                }
                strayEnd = token.StopIndex + 1;
            }
            else if (token.Type == AccLexer.STRING && !Closed(span.Text))
            {
                bag.Report(Codes.OpenString, span, "the string is not closed on its line",
                    help: "close it with `\"`; a line end inside a string is `\\n`");
            }
        }
        return true;
    }

    // The lexer falls back to an open string only where no quote closes it, so a last quote that is not escaped closes.
    private static bool Closed(string text)
    {
        var i = 1;
        while (i < text.Length && text[i] != '"')
        {
            i += text[i] == '\\' ? 2 : 1;
        }
        return i < text.Length;
    }

    private static Span Run(string text, Span first)
    {
        var end = first.End;
        while (end < text.Length && (text[end] == text[first.Start] || char.IsLowSurrogate(text[end])))
        {
            end++;
        }
        return first with { Length = end - first.Start };
    }

    private static string? Help(string text) => text[0] switch
    {
        ';' => "there are no semicolons: a statement ends where the next one begins",
        '\'' => "strings are in double quotes",
        '!' => "negation is `not`",
        '&' => "conjunction is `and`",
        '|' => "disjunction is `or`; the pipe is `|>`",
        '^' => "power is `**`",
        '~' => "negation is `not`",
        _ => null,
    };
}
