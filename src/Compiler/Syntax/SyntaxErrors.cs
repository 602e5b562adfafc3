// In: ANTLR's reports. Out: ACC1xxx diagnostics in the user's terms, one for each error.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;
using Antlr4.Runtime.Misc;

namespace Accelerate.Compiler.Syntax;

internal sealed class SyntaxErrors(SourceText source, CommonTokenStream tokens, DiagnosticBag bag) : BaseErrorListener
{
    private static readonly string[] Keywords =
    [
        "use", "module", "fn", "export", "param", "buffer", "let", "if", "else", "for", "while", "in", "return",
        "inout", "and", "or", "not", "true", "false",
    ];

    private static readonly string[] NameStarts = ["NAME", "weights", "where", "optional", "composite", "_"];

    private static readonly string[] ExpressionStarts =
        ["INT", "FLOAT", "STRING", "true", "false", "not", "if", "-", "(", "[", .. NameStarts];

    private static readonly string[] Continuations =
    [
        ".", "(", "[", "**", "*", "/", "//", "%", "@", "+", "-", "==", "!=", "<", "<=", ">", ">=", "and", "or", "|>",
    ];

    private static readonly string[] StatementStarts = ["let", "if", "for", "while", "return", .. NameStarts];

    private static readonly string[] ItemStarts =
        ["module", "export", "fn", "param", "buffer", "let", "if", .. NameStarts];

    // An error costs a search of all tokens before it, and nobody fixes more at once.
    private const int MostReports = 100;

    private readonly ForeignSyntax habits = new(source, tokens);
    private readonly HashSet<int> badLines = [.. bag.All.Where(d => d.Span.Source == source).Select(d => d.Span.Line)];
    private int lastLine = -1;
    private bool lost;

    public override void SyntaxError(TextWriter output, IRecognizer recognizer, IToken offending, int line, int column,
        string message, RecognitionException exception)
    {
        // An error later on the same line, or after a bracket error, is a consequence; so is one after a line with a
        // stray character or an open string.
        if (lost || bag.Count >= MostReports || line == lastLine || badLines.Contains(line)
            || (Before(offending) is { } before && badLines.Contains(before.Line)))
        {
            return;
        }
        var isFirst = bag.All.All(d => d.Span.Source != source);
        lastLine = line;
        var exact = exception is not NoViableAltException choice || choice.StartToken == offending;
        var expected = exact
            ? Names(exception?.GetExpectedTokens() ?? ((AccParser)recognizer).GetExpectedTokens())
            : [];
        // Skipping text has left or closed a block too early: an unclosed block was left, or one closes twice.
        if (!isFirst && (OpenBracket(offending) is null ? offending.Text == "}"
            : expected.Contains("module") && !expected.Contains("while"))) return;
        bag.Add(Describe(offending, expected));
    }

    private Diagnostic Describe(IToken offending, HashSet<string> expected)
    {
        var text = offending.Text;
        var end = offending.Type == TokenConstants.EOF;
        var span = Parser.SpanOf(source, offending);
        var open = OpenBracket(offending);
        // Brackets other than braces do not extend over a word that begins a statement.
        var isBehind = open?.Text is "(" or "[" && open.Line != offending.Line
            && text is "return" or "let" or "while" or "fn" or "export" or "module" or "param" or "buffer" or "use";
        // In a formatted file a brace closes in the column where the line of its opening begins.
        if ((end && open?.Text == "{") || (offending.Column == 0 && text is "module" or "export" or "fn"
            && open is not null))
        {
            if (Unclosed(offending) is var (brace, closer))
            {
                lost = true;
                return new(Codes.OpenBracket, "`{` is not closed", Parser.SpanOf(source, brace))
                {
                    Secondary = [new(Parser.SpanOf(source, closer), "by its column this closes a block around it")],
                    Help = "close it with `}`",
                };
            }
        }
        if (open is not null && (end || isBehind || (text is ")" or "]" or "}" && text != Partner(open.Text))))
        {
            lost = true;
            var missed = end ? "the file ends here" : isBehind ? $"`{Partner(open.Text)}` is missing before this"
                : $"`{text}` stands where `{Partner(open.Text)}` is missing";
            return new(Codes.OpenBracket, $"`{open.Text}` is not closed", Parser.SpanOf(source, open))
            {
                Secondary = [new(span, missed)],
                Help = $"close it with `{Partner(open.Text)}`",
            };
        }
        if (habits.At(offending) is var (whole, says, instead))
            return new(Codes.UnexpectedToken, says, whole) { Help = instead };
        if (expected.SetEquals(["else"]))
        {
            return new(Codes.MissingElse, "an `if` that is a value needs an `else`",
                Parser.SpanOf(source, Before(offending) ?? offending))
            {
                Label = "expected `else` after this",
                Help = "write `if c { a } else { b }`",
            };
        }
        if (Keywords.Contains(text) && expected.Contains("NAME") && !expected.Contains("INT")
            && !expected.Contains("while") && !expected.Contains("module"))
        {
            return new(Codes.ReservedName, $"`{text}` is a reserved word", span)
            {
                Label = "expected a name",
                Help = "take another name",
            };
        }
        if (expected.Contains("=") && Valueless(offending) is { } state)
        {
            return new(Codes.UnexpectedToken, $"`{state.Name.Text}` has no initial value",
                Parser.SpanOf(source, state.Name))
            {
                Help = state.Kind.Text == "let" ? "a local has a value from the start: `= 0`"
                    : $"a {state.Kind.Text} has one: `= 0`, or an initialiser",
            };
        }
        // A one-word statement that ends with its line or block.
        if (Before(offending) is { Text: "break" or "continue" } jump && (text == "}" || jump.Line != offending.Line)
            && Before(jump)?.Text is not ("let" or "," or "."))
        {
            return new(Codes.UnexpectedToken, $"there is no `{jump.Text}`", Parser.SpanOf(source, jump))
            {
                Help = jump.Text == "break"
                    ? "write the condition into the loop: `while going { … going = false … }`, with "
                    + "`let going: bool = true`" : "put the rest of the round into an `if`",
            };
        }
        // A brace that is missing leaves the state of the module in its place, and not deeper than the function.
        if (text is "param" or "buffer" && expected.Contains("while") && open is not null
            && habits.IsDeeper(offending, open))
        {
            return new(Codes.UnexpectedToken, $"a function holds no state, and `{text}` declares one", span)
            {
                Help = $"declare it in a module, `module Net {{ {text} … }}`, whose functions see it by its name",
            };
        }
        if (text is "for" or "while" && expected.Contains("module") && !expected.Contains("while"))
        {
            return new(Codes.UnexpectedToken, $"a `{text}` stands in a function, and here declarations do", span)
            {
                Help = text == "while" ? "write it in a function: `export fn f() { … }`"
                    : "a list of layers is a comprehension, `let layers = [Linear(8, 8) for i in 0:depth]`; what runs "
                        + "stands in a function",
            };
        }
        var list = Expected(expected);
        var message = end ? "unexpected end of file" : $"unexpected `{text}`";
        var diagnostic = new Diagnostic(Codes.UnexpectedToken, message, span)
        {
            Label = list.Count is > 0 and <= 4 ? "expected " + Join(list) : null,
            Help = Help(offending, expected, open),
        };
        if (open is not null && open.Line != offending.Line
            && (expected.Contains(Partner(open.Text)) || text is "module" or "export" or "fn"))
        {
            var label = new Label(Parser.SpanOf(source, open), $"this `{open.Text}` is still open");
            diagnostic = diagnostic with { Secondary = [label] };
        }
        return diagnostic;
    }

    private string? Help(IToken offending, HashSet<string> expected, IToken? open)
    {
        var before = Before(offending);
        return (before?.Text, offending.Text) switch
        {
            (_, "//") => "comments begin with `#`",
            (_, "=") when open?.Text == "(" && before?.Type == AccLexer.NAME =>
                $"a named argument is written `{before.Text}: value`",
            (_, "=") when expected.Contains("(") && !expected.Contains("INT") =>
                "a declaration begins with `let`, `param` or `buffer`",
            (_, ":") when expected.Contains("->") && before?.Type == AccLexer.STRING =>
                "a rule is `\"key in the file\" -> \"path here\"`",
            (")", ":") when expected.Contains("->") => "write `->` before the result's type",
            (_, ":") when expected.Contains("{") => "a block is written in braces",
            (_, "fn") when expected.Contains("while") => "functions stand in a file or a module, not inside a function",
            (_, "param" or "buffer" or "module" or "export") when expected.Contains("while") =>
                "declarations stand in a file or a module",
            (_, "=>") => "an index form is written `[i, j < n] => e`",
            (_, "}") when open is null => "nothing is open here",
            _ when expected.Contains("{") && habits.FirstOfLine(offending) is "if" or "for" or "while" or "else" =>
                $"its block is in braces: `{habits.FirstOfLine(offending)} … {{ … }}`",
            _ => null,
        };
    }

    private IToken? Before(IToken token)
    {
        for (var i = token.TokenIndex - 1; i >= 0; i--)
        {
            if (tokens.Get(i).Channel == TokenConstants.DefaultChannel)
            {
                return tokens.Get(i);
            }
        }
        return null;
    }

    /// <summary>`param w: f32[4]` before the next declaration or the end: state whose value is missing.</summary>
    private (IToken Kind, IToken Name)? Valueless(IToken offending)
    {
        if (offending.Text == "=" || (Before(offending) is { } last && last.Line == offending.Line
            && offending.Text != "}" && offending.Type != TokenConstants.EOF))
            return null;
        var name = Before(offending);
        for (var at = name; at is not null && at.Text is not ("=" or "{" or "}"); at = Before(at))
        {
            if (at.Text is "param" or "buffer" or "let" && name!.TokenIndex > at.TokenIndex) return (at, name);
            name = at;
        }
        return null;
    }

    /// <summary>
    /// The first brace before a token whose partner, by counting, is in another column than the brace's line begins in.
    /// </summary>
    private (IToken Brace, IToken Closer)? Unclosed(IToken token)
    {
        var stack = new Stack<(IToken Brace, int Column)>();
        var (line, column) = (-1, 0);
        for (var i = 0; i < token.TokenIndex; i++)
        {
            var t = tokens.Get(i);
            if (t.Channel != TokenConstants.DefaultChannel) continue;
            if (t.Line != line) (line, column) = (t.Line, t.Column);
            if (t.Text == "{") stack.Push((t, column));
            else if (t.Text == "}" && stack.TryPop(out var top) && top.Brace.Line != t.Line && t.Column == column
                && t.Column < top.Column) return (top.Brace, t);
        }
        return null;
    }

    /// <summary>The innermost bracket that is open before a token.</summary>
    private IToken? OpenBracket(IToken token)
    {
        var stack = new Stack<IToken>();
        for (var i = 0; i < token.TokenIndex; i++)
        {
            var t = tokens.Get(i);
            if (t.Channel != TokenConstants.DefaultChannel)
            {
                continue;
            }
            if (t.Text is "(" or "[" or "{")
            {
                stack.Push(t);
            }
            else if (stack.Count > 0 && t.Text == Partner(stack.Peek().Text))
            {
                stack.Pop();
            }
        }
        return stack.Count > 0 ? stack.Peek() : null;
    }

    private static string Partner(string bracket) => bracket switch { "(" => ")", "[" => "]", _ => "}" };

    private static HashSet<string> Names(IntervalSet set) => [.. set.ToArray().Select(Name)];

    private static string Name(int type) => type == TokenConstants.EOF
        ? "EOF"
        : AccParser.DefaultVocabulary.GetLiteralName(type)?.Trim('\'')
            ?? AccParser.DefaultVocabulary.GetSymbolicName(type);

    /// <summary>Token kinds as a reader thinks of them: an expression, a name, a statement; sorted.</summary>
    private static List<string> Expected(HashSet<string> expected)
    {
        var rest = new HashSet<string>(expected);
        var groups = new List<string>();
        void Fold(string sign, string[] members, string? name)
        {
            if (!rest.Contains(sign))
            {
                return;
            }
            rest.ExceptWith(members);
            if (name is not null)
            {
                groups.Add(name);
            }
        }
        Fold("+", Continuations, null);
        Fold("while", StatementStarts, "a statement");
        Fold("module", ItemStarts, "a declaration");
        Fold("INT", ExpressionStarts, "an expression");
        Fold("NAME", NameStarts, "a name");
        Fold("EOF", ["EOF"], null);
        Fold("STRING", ["STRING"], "a string");
        rest.ExceptWith(["where", "optional", "composite"]);
        groups.AddRange(rest.Select(r => $"`{r}`").Order(StringComparer.Ordinal));
        return groups;
    }

    private static string Join(List<string> items) =>
        items.Count == 1 ? items[0] : string.Join(", ", items.SkipLast(1)) + " or " + items[^1];
}
