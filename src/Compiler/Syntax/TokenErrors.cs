// The token stream comes in; diagnostics about single tokens go out: stray characters and strings that do not end.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;

namespace Accelerate.Compiler.Syntax;

internal static class TokenErrors
{
    // More than anybody mends at once: a file that is no text has as many as it has characters.
    private const int MostReports = 100;

    /// <summary>False when parsing would exhaust the stack.</summary>
    public static bool Report(SourceText source, CommonTokenStream tokens, DiagnosticBag bag)
    {
        var (depth, strayEnd, strays, reports) = (0, -1, 0, 0);
        var seen = new HashSet<(int Line, string Text)>();
        foreach (var token in tokens.GetTokens())
        {
            var span = Parser.SpanOf(source, token);
            depth += token.Text switch { "(" or "[" or "{" => 1, ")" or "]" or "}" => -1, _ => 0 };
            if (depth > Nesting.Brackets)
            {
                bag.Report(Codes.NestedTooDeep, span, $"brackets nested deeper than {Nesting.Brackets}");
                return false;
            }
            if (reports >= MostReports || strays >= BoundedLexer.MostStrays) return false;
            if (token.Type == AccLexer.STRAY)
            {
                // Adjacent ones are one mistake: `&&`, or the two halves of a character beyond 16 bits; and so is the
                // same again on one line: the quotes of 'x'.
                if (token.StartIndex != strayEnd)
                {
                    var whole = Run(source.Text, span);
                    if (seen.Add((token.Line, whole.Text)))
                    {
                        bag.Report(Codes.UnexpectedCharacter, whole, $"unexpected `{whole.Text}`",
                            help: Help(whole.Text));
                        reports++;
                    }
                }
                strayEnd = token.StopIndex + 1;
                strays++;
            }
            else if (token.Type == AccLexer.STRING && !Closed(span.Text))
            {
                bag.Report(Codes.OpenString, span, "the string is not closed on its line",
                    help: "close it with `\"`; a line end inside a string is `\\n`");
                reports++;
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
        while (end < text.Length && end - first.Start < 16
            && (text[end] == text[first.Start] || char.IsLowSurrogate(text[end])))
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
