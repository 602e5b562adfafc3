// The token stream comes in; diagnostics about single tokens go out: stray characters and strings that do not end.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Accelerate.Runtime;
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
        IToken? before = null;
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
            else if (before is not null && before.StopIndex + 1 == token.StartIndex
                && NumberHelp(source.Text, before, token) is { } help)
            {
                var whole = Parser.SpanOf(source, before).To(span);
                bag.Report(Codes.UnexpectedToken, whole, $"`{whole.Text}` is no number", help: help);
                reports++;
            }
            before = token;
        }
        return true;
    }

    /// <summary>
    /// What to write for a number and what touches it, which the lexer takes for two tokens, and the parser for two
    /// statements; null where the two are no mistake.
    /// </summary>
    private static string? NumberHelp(string text, IToken first, IToken second)
    {
        var (a, b) = (first.Text, second.Text);
        var (isInt, isFloat) = (first.Type == AccLexer.INT, first.Type == AccLexer.FLOAT);
        if (a == "." && second.Type == AccLexer.INT)
        {
            var at = first.StartIndex - 1;
            return at >= 0 && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '_' or ')' or ']') ? null
                : $"write `0.{b}`";
        }
        if (isInt && b == ".") return $"write `{a}.0`";
        if (second.Type != AccLexer.NAME || !(isInt || isFloat)) return null;
        return b switch
        {
            "e" or "E" => $"an exponent needs digits: `{a}e-3`",
            "f" or "F" or "L" or "U" or "u" => $"numbers have no suffix `{b}`; `{a}` takes the dtype that it meets",
            "d" or "D" or "h" or "l" or "j" when isFloat => $"numbers have no suffix `{b}`",
            _ when Enum.GetValues<DType>().Any(d => d.Name() == b) => $"write `{b}({a})`",
            ['x' or 'X' or 'b' or 'o', ..] when a == "0" =>
                "other than decimal numbers are hexadecimal only: `0x1F`",
            _ => $"write `{a} * {b}`",
        };
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
