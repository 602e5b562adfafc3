// In: the token stream. Out: diagnostics about single tokens: stray characters and strings that do not end.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Accelerate.Runtime;
using Antlr4.Runtime;

namespace Accelerate.Compiler.Syntax;

internal static class TokenErrors
{
    // More than anybody fixes at once: a file that is no text has one error for each character.
    private const int MostReports = 100;

    /// <summary>False when parsing would exhaust the stack.</summary>
    public static bool Report(SourceText source, CommonTokenStream tokens, DiagnosticBag bag)
    {
        var (depth, strayEnd, strays, reports) = (0, -1, 0, 0);
        var seen = new HashSet<(int Line, string Text)>();
        IToken? before = null;
        var numberEnd = 0;
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
                // Adjacent stray characters are one error: `&&`, or the two halves of a character beyond 16 bits. So
                // are equal ones on one line: the quotes of 'x'.
                if (token.StartIndex != strayEnd)
                {
                    var whole = Run(source.Text, span);
                    var isQuote = Quotes.Contains(whole.Text[0], StringComparison.Ordinal);
                    if (isQuote) whole = Quoted(source.Text, span);
                    // One misunderstanding, even if every line has it: a semicolon. A pair of quotes counts as one.
                    if (seen.Add((whole.Text == ";" ? 0 : token.Line, isQuote ? Quotes : whole.Text)))
                    {
                        bag.Report(Codes.UnexpectedCharacter, whole, whole.Text == ";"
                            && source.LineText(token.Line).TrimStart().StartsWith("for", StringComparison.Ordinal)
                                ? "there is no `for (…; …; …)`, and no `;`" : $"unexpected `{whole.Text}`",
                            help: whole.Text == ";" && source.LineText(token.Line).TrimStart()
                                .StartsWith("for", StringComparison.Ordinal)
                                ? "a loop over a range is `for i in 0:n { … }`"
                                : whole.Text == "&" && before?.Text is "(" or "," && whole.End < source.Text.Length
                                    && char.IsLetter(source.Text[whole.End])
                                        ? "what is lent is marked `inout`: `f(inout x)`"
                                : whole.Text == "?" && before?.Text is "[" or ","
                                    ? "a size that the call decides is a name, or `_`: `f32[n, 4]`" : Help(whole.Text));
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
            else if (before is not null && before.StopIndex + 1 == token.StartIndex && before.StartIndex >= numberEnd
                && NumberHelp(source.Text, before, token) is { } help)
            {
                var whole = Parser.SpanOf(source, before).To(span);
                bag.Report(Codes.UnexpectedToken, whole, $"`{whole.Text}` is no number", help: help);
                numberEnd = token.StopIndex + 1;
                reports++;
            }
            before = token;
        }
        return true;
    }

    /// <summary>
    /// What to write for a number and the text that touches it, which the lexer reads as two tokens, and the parser as
    /// two statements; null if the two are no error.
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

    // The lexer falls back to an open string only if no quote closes it, so a last quote that is not escaped closes it.
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
        if (end < text.Length && text[end] == '=' && text[first.Start] is '|' or '&' or '^') end++;
        return first with { Length = end - first.Start };
    }

    /// <summary>Variants of a straight quote made by word processors and web pages, and Python's other quote.</summary>
    private const string Quotes = "'\u2018\u2019\u201A\u201B\u201C\u201D\u201E\u00AB\u00BB\u0060\u00B4";

    /// <summary>From a quote to the last one on its line.</summary>
    private static Span Quoted(string text, Span first)
    {
        var end = first.End;
        for (var i = end; i < text.Length && text[i] is not ('\n' or '\r'); i++)
            if (Quotes.Contains(text[i], StringComparison.Ordinal)) end = i + 1;
        return first with { Length = end - first.Start };
    }

    private static string? Help(string text) => text switch
    {
        "|=" => "bits have functions: `x = bit_or(x, y)`; of truth values, `x = x or y`",
        "&=" => "bits have functions: `x = bit_and(x, y)`; of truth values, `x = x and y`",
        "^=" => "bits have functions: `x = bit_xor(x, y)`",
        "|" => "disjunction is `or`, of bits `bit_or(x, y)`; the pipe is `|>`",
        "&" => "conjunction is `and`, of bits `bit_and(x, y)`",
        [var quote, ..] when Quotes.Contains(quote, StringComparison.Ordinal) =>
            "strings are in straight double quotes: "
            + $"`\"{(text.Length is > 2 and < 40 ? text[1..^1] : "…")}\"`",
        _ => Character(text),
    };

    private static string? Character(string text) => text[0] switch
    {
        ';' => "there are no semicolons: a statement ends where the next one begins",
        '!' => "negation is `not`",
        '&' => "conjunction is `and`",
        '|' => "disjunction is `or`; the pipe is `|>`",
        '^' => "power is `**`",
        '~' => "negation is `not`, of bits `bit_not(x)`",
        '?' => "a choice is `if c { a } else { b }`",
        '$' => "a name has letters, digits and `_`",
        '\\' => "a line goes on by itself: leave the `\\` out",
        '×' or '·' or '⋅' => "a product is `*`, of matrices `@`",
        '−' or '–' => "a minus is `-`",
        '≤' => "write `<=`",
        '≥' => "write `>=`",
        '≠' => "write `!=`",
        '→' => "write `->`",
        _ => null,
    };
}
