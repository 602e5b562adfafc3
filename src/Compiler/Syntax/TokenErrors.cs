// The token stream comes in; diagnostics about single tokens go out: stray characters and strings that do not end.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;

namespace Accelerate.Compiler.Syntax;

internal static class TokenErrors
{
    public static void Report(SourceText source, CommonTokenStream tokens, DiagnosticBag bag)
    {
        var strayEnd = -1;
        foreach (var token in tokens.GetTokens())
        {
            var span = Parser.SpanOf(source, token);
            if (token.Type == AccLexer.STRAY)
            {
                // Adjacent ones are one mistake: `&&`, or the two halves of a character beyond 16 bits.
                if (token.StartIndex != strayEnd)
                {
                    var whole = Run(source.Text, span);
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
