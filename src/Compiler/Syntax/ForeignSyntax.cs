// In: the tokens around a place where parsing failed. Out: the habit of another language found there, as a message with
// what to write here.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;

namespace Accelerate.Compiler.Syntax;

/// <summary>Code written as in Python, C or Rust.</summary>
/// <param name="Span">The whole construct.</param>
/// <param name="Message">The construct that does not exist here.</param>
/// <param name="Help">What to write instead, using the user's text where possible.</param>
internal sealed record Habit(Span Span, string Message, string Help);

internal sealed class ForeignSyntax(SourceText source, CommonTokenStream tokens)
{
    /// <summary>First words of lines in other languages that begin no statement here.</summary>
    private static readonly Dictionary<string, string> Openers = new()
    {
        ["import"] = "a file or the library is opened with `use`: `use nn`",
        ["from"] = "a file or the library is opened with `use`: `use nn`",
        ["include"] = "a file or the library is opened with `use`: `use nn`",
        ["def"] = "a function begins with `fn`",
        ["func"] = "a function begins with `fn`",
        ["function"] = "a function begins with `fn`",
        ["class"] = "a layer is a `module`",
        ["struct"] = "a layer is a `module`",
        ["layer"] = "a layer is a `module`",
        ["var"] = "a local is introduced by `let`",
        ["const"] = "a local is introduced by `let`",
        ["static"] = "a local is introduced by `let`",
        ["val"] = "a local is introduced by `let`",
        ["mut"] = "every local may change: leave `mut` out",
        ["elif"] = "write `else if`",
        ["pass"] = "an empty block is `{ }`",
        ["del"] = "leave it out: what nothing needs any more is freed",
        ["global"] = "leave it out: state of a module is seen bare",
        ["nonlocal"] = "leave it out: an assignment in a block changes the outer local",
        ["with"] = "leave it out: nothing is recorded for gradients, and devices are chosen by `--backend`",
        ["try"] = "a call fails as a whole; what must hold is said by `assert(c, \"…\")` or `where`",
        ["raise"] = "what must hold is said by `assert(c, \"…\")`",
        ["throw"] = "what must hold is said by `assert(c, \"…\")`",
        ["yield"] = "a loop fills a tensor: `y[k] = v`, and `return y`",
        ["switch"] = "write `if … { } else if … { } else { }`",
        ["do"] = "a loop is `while c { … }`",
    };

    /// <summary>The tokens without comments and white space, in order.</summary>
    private readonly List<IToken> code =
        [.. tokens.GetTokens().Where(t => t.Channel == TokenConstants.DefaultChannel)];

    /// <summary>The habit at an unexpected token; null for an error of another kind.</summary>
    public Habit? At(IToken offending)
    {
        var at = code.FindIndex(t => t.TokenIndex == offending.TokenIndex);
        if (at < 0) return null;
        return Block(at) ?? Opener(at) ?? Augmented(at) ?? Ellipsis(at) ?? Walrus(at) ?? Formatted(at) ?? Nameless(at)
            ?? Choice(at) ?? Tuple(at) ?? Word(at) ?? Sign(at) ?? Apart(at) ?? Alone(at);
    }

    /// <summary>The first word of a token's line.</summary>
    public string FirstOfLine(IToken token) =>
        code.FindIndex(t => t.TokenIndex == token.TokenIndex) is >= 0 and var at ? Text(LineStart(at)) : "";

    /// <summary>Whether a token's line begins further in than that of a bracket before it.</summary>
    public bool IsDeeper(IToken token, IToken bracket)
    {
        var at = code.FindIndex(t => t.TokenIndex == token.TokenIndex);
        var around = code.FindIndex(t => t.TokenIndex == bracket.TokenIndex);
        return at >= 0 && around >= 0 && code[LineStart(at)].Column > code[LineStart(around)].Column;
    }

    // ---- lines ------------------------------------------------------------------------------------------------------

    private string Text(int at) => at >= 0 && at < code.Count ? code[at].Text : "";

    private Span SpanOf(int first, int last) =>
        Parser.SpanOf(source, code[first]).To(Parser.SpanOf(source, code[Math.Max(first, last)]));

    private string Written(int first, int last) => first > last ? "…" : Short(SpanOf(first, last).Text);

    private static string Short(string text) =>
        text.Length > 40 || text.Contains('\n', StringComparison.Ordinal) ? "…" : text;

    private bool Touch(int at) => at >= 0 && at + 1 < code.Count && code[at].StopIndex + 1 == code[at + 1].StartIndex;

    private int LineStart(int at)
    {
        while (at > 0 && code[at - 1].Line == code[at].Line) at--;
        return at;
    }

    /// <summary>The last token of a line, comments left out.</summary>
    private int LineEnd(int at)
    {
        while (at + 1 < code.Count && code[at + 1].Line == code[at].Line
            && code[at + 1].Type != TokenConstants.EOF) at++;
        return at;
    }

    private bool EndsValue(int at) => at >= 0 && (code[at].Type is AccLexer.NAME or AccLexer.INT or AccLexer.FLOAT
        or AccLexer.STRING || Text(at) is ")" or "]" or "true" or "false" or "weights" or "where" or "_");

    /// <summary>
    /// The start of the operand that ends at a token: after an opening bracket, a separator or an introducing word.
    /// </summary>
    private int OperandStart(int last)
    {
        var (start, depth, line) = (last, 0, code[last].Line);
        for (var i = last; i >= 0 && (code[i].Line == line || depth > 0); i--)
        {
            depth += Text(i) switch { ")" or "]" or "}" => 1, "(" or "[" or "{" => -1, _ => 0 };
            if (depth < 0 || (depth == 0 && Text(i) is "=" or "return" or "," or ":" or "let" or "in" or "=>"
                or "if" or "while")) break;
            start = i;
        }
        return start;
    }

    private int OperandEnd(int first)
    {
        var (end, depth) = (first, 0);
        for (var i = first; i < code.Count && (code[i].Line == code[first].Line || depth > 0); i++)
        {
            depth += Text(i) switch { ")" or "]" or "}" => -1, "(" or "[" or "{" => 1, _ => 0 };
            if (depth < 0 || (depth == 0 && Text(i) is "," or ":") || code[i].Type == TokenConstants.EOF) break;
            end = i;
        }
        return end;
    }

    /// <summary>The bracket that is still open before a token, or -1.</summary>
    private int Open(int at)
    {
        var depth = 0;
        for (var i = at - 1; i >= 0; i--)
        {
            depth += Text(i) switch { ")" or "]" or "}" => 1, "(" or "[" or "{" => -1, _ => 0 };
            if (depth < 0) return i;
        }
        return -1;
    }

    private int Close(int open)
    {
        var depth = 0;
        for (var i = open; i < code.Count; i++)
        {
            depth += Text(i) switch { ")" or "]" or "}" => -1, "(" or "[" or "{" => 1, _ => 0 };
            if (depth == 0) return i;
        }
        return -1;
    }

    // ---- habits -----------------------------------------------------------------------------------------------------

    /// <summary>`if c:`, `for i in 0:n:`, `def f(x):`, where the colon ends its line.</summary>
    private Habit? Block(int at)
    {
        for (var i = at; i >= 0 && i >= at - 1; i--)
        {
            var colon = i;
            // The parser takes the first word of the next line, after the range, for the range's end.
            while (colon > 0 && Text(colon) != ":" && code[colon].Line == code[i].Line) colon--;
            if (Text(colon) != ":" || LineEnd(colon) != colon) continue;
            if (Text(LineStart(colon)) is not ("if" or "else" or "elif" or "for" or "while" or "fn" or "export" or "def"
                or "class" or "with" or "module" or "}")) return null;
            return Text(LineStart(colon)) is var word && Openers.TryGetValue(word, out var help)
                ? new(SpanOf(LineStart(colon), LineStart(colon)), $"there is no `{word}`", help
                    + "; its block is in braces")
                : new(SpanOf(colon, colon), "unexpected `:`", "a block is written in braces: `{ … }`");
        }
        return null;
    }

    /// <summary>A name alone on its line, or in its block.</summary>
    private bool IsLone(int at) => at > 0 && code[at].Type == AccLexer.NAME
        && (Text(at + 1) == "}" || LineEnd(at) == at)
        && (Text(at - 1) is "{" or "}" || LineStart(at) == at);

    private Habit? Opener(int at)
    {
        if (IsLone(at - 1) && Openers.TryGetValue(Text(at - 1), out var lone))
            return new(SpanOf(at - 1, at - 1), $"there is no `{Text(at - 1)}`", lone);
        var start = LineStart(at);
        // `let mut x`: the word comes before the name.
        var first = Text(at - 1) is "mut" or "elif" ? at - 1 : start;
        if (at - first > 3 || !Openers.TryGetValue(Text(first), out var help)) return Asserted(start, at);
        return Text(first + 1) is "(" or "=" or "." or "[" ? null
            : new(SpanOf(first, first), $"there is no `{Text(first)}`", help);
    }

    /// <summary>Python's `assert x > 0, "…"` and `print x`, which are calls here.</summary>
    private Habit? Asserted(int start, int at) => Text(start) is "assert" or "print" && at == start + 1
        ? new(SpanOf(start, start), $"`{Text(start)}` is called",
            $"write `{Text(start)}({Written(at, OperandEnd(at))}{(Text(OperandEnd(at) + 1) == "," ? ", …" : "")})`")
                : null;

    /// <summary>`x //= 2` and `i++`.</summary>
    private Habit? Augmented(int at)
    {
        var sign = Text(at) == "=" && Text(at - 1) is "//" or "%" or "**" or "@" && Touch(at - 1) ? at - 1 : at;
        if (Text(sign) is "//" or "%" or "**" or "@" && Text(sign + 1) == "=" && Touch(sign) && EndsValue(sign - 1))
        {
            var place = Written(LineStart(sign), sign - 1);
            return new(SpanOf(sign, sign + 1), $"there is no `{Text(sign)}=`",
                $"write `{place} = {place} {Text(sign)} {Written(sign + 2, LineEnd(sign))}`");
        }
        for (var i = Math.Max(1, at - 1); i <= at; i++)
        {
            // The second sign is a minus of the next statement, or is followed by nothing on its line.
            if (Text(i) is not ("+" or "-") || Text(i + 1) != Text(i) || !Touch(i) || LineEnd(i) != i + 1
                || !EndsValue(i - 1)) continue;
            return new(SpanOf(i, i + 1), $"there is no `{Text(i)}{Text(i)}`",
                $"write `{Written(LineStart(i), i - 1)} {Text(i)}= 1`");
        }
        return null;
    }

    private Habit? Ellipsis(int at)
    {
        var first = Text(at) == "." && Text(at - 1) == ".." ? at - 1 : at;
        return Text(first) == ".." && Text(first + 1) == "." && Touch(first)
            ? new(SpanOf(first, first + 1), "there is no `...`", "any number of axes is `..`: `x[.., 0]`")
            : Text(at) == ".." && Text(LineStart(at)) == "for"
                ? new(SpanOf(at, at), "unexpected `..`", $"a range is `a:b`: `{Written(OperandStart(at - 1), at - 1)}:"
                    + $"{Text(at + 1)}`")
                : null;
    }

    private Habit? Walrus(int at)
    {
        var colon = Text(at) == "=" && Text(at - 1) == ":" ? at - 1 : at;
        return Text(colon) == ":" && Text(colon + 1) == "=" && Touch(colon)
            ? new(SpanOf(colon, colon + 1), "there is no `:=`", "introduce a local with "
                + $"`let {Written(OperandStart(colon - 1), colon - 1)} = …`, change one with `=`") : null;
    }

    /// <summary>`f"x is {x}"`, and text in three quotes.</summary>
    private Habit? Formatted(int at)
    {
        if (code[at].Type != AccLexer.STRING) return null;
        if (Text(at) == "\"\"" && Touch(at) && code[at + 1].Type == AccLexer.STRING)
            return new(SpanOf(at, LineEnd(at)), "there are no texts in three quotes",
                "documentation is a comment, `# …`, above the declaration");
        if (Text(at - 1) is ":" or "->") return new(SpanOf(at, at), "a type stands without quotes",
            "write `f32[n, d]`");
        if (!Touch(at - 1)) return null;
        if (Text(at - 1) is not { Length: <= 2 } prefix || code[at - 1].Type != AccLexer.NAME) return null;
        var holes = System.Text.RegularExpressions.Regex.Matches(Text(at), @"\{([^{}:!]+)[^{}]*\}");
        var plain = System.Text.RegularExpressions.Regex.Replace(Text(at), @"\{[^{}:!]+(:[^{}]*)?[^{}]*\}", "{}");
        return new(SpanOf(at - 1, at), $"a string has no prefix `{prefix}`", holes.Count == 0
            ? $"write `{Short(plain)}`"
            : $"the values follow: `{Short(plain)}, {string.Join(", ", holes.Select(h => h.Groups[1].Value.Trim()))}`");
    }

    /// <summary>`lambda x: x * 2`, `x => x * 2`.</summary>
    private Habit? Nameless(int at)
    {
        var word = at;
        while (word > LineStart(at) && Text(word) != "lambda") word--;
        var isArrow = Text(at) == "=>" && Text(at - 1) is not "]";
        return Text(word) == "lambda" || isArrow
            ? new(Text(word) == "lambda" ? SpanOf(word, word) : SpanOf(at, at), "there are no functions without a name",
                "declare it beside the others, `fn g(y: T[..]) -> T[..] = 2 * y`, and name it here: `g`") : null;
    }

    /// <summary>`a if c else b`, `if c then a else b`.</summary>
    private Habit? Choice(int at)
    {
        var (start, end) = (LineStart(at), LineEnd(at));
        for (var i = start + 1; i <= end; i++)
        {
            if (Text(i) != "if" || !EndsValue(i - 1)) continue;
            var other = i + 1;
            while (other <= end && Text(other) is not ("else" or "{")) other++;
            if (Text(other) != "else" || Text(other + 1) is "{" or "if" or ":") continue;
            var first = OperandStart(i - 1);
            return new(SpanOf(first, OperandEnd(other + 1)), "a choice begins with its condition",
                $"write `if {Written(i + 1, other - 1)} {{ {Written(first, i - 1)} }} else "
                    + $"{{ {Written(other + 1, OperandEnd(other + 1))} }}`");
        }
        var then = at;
        while (then > start && Text(then) != "then") then--;
        return Text(then) == "then" ? new(SpanOf(then, then), "there is no `then`",
            "both values stand in braces: `if c { a } else { b }`") : null;
    }

    /// <summary>`(a, b)` for a list, for several results and for several names.</summary>
    private Habit? Tuple(int at)
    {
        var open = Text(at) == "(" ? at : Text(at) == "," ? Open(at) : -1;
        if (open < 0 || Text(open) != "(" || Close(open) is not (> 0 and var close)) return null;
        if (Text(at) == "(" && Text(at - 1) is not ("let" or "for") && !(Text(at - 1) == ","
            && Text(LineStart(at)) is "let" or "for")) return null;
        if (Text(at) == "," && EndsValue(open - 1) && code[open - 1].Line == code[open].Line) return null;
        var inner = Written(open + 1, close - 1).TrimEnd(',');
        return new(SpanOf(open, close), "there are no tuples", Text(open - 1) switch
        {
            "return" => $"several results stand bare: `return {inner}`",
            "let" or "for" => $"several names stand bare: `{Text(open - 1)} {inner}`",
            "," when Text(LineStart(at)) is "let" or "for" && !Written(LineStart(at), open - 1).Contains('=') =>
                $"several names stand bare: `{Written(LineStart(at), open - 1)} {inner}`",
            _ => $"a list is in square brackets: `[{inner}]`",
        });
    }

    /// <summary>Words that other languages write between values.</summary>
    private Habit? Word(int at) => Text(at) switch
    {
        "in" when EndsValue(at - 1) && Text(LineStart(at)) is not "for" =>
            new(SpanOf(at, at), "there is no operator `in`",
                $"compare with each: `any([{Text(at - 1)} == each for each in {Text(at + 1)}])`"),
        "for" when Text(Open(at)) == "(" => new(SpanOf(at, at), "unexpected `for`",
            "a comprehension is in square brackets: "
            + $"`[{Written(Open(at) + 1, Math.Max(at, Close(Open(at)) - 1))}]`"),
        "is" => new(SpanOf(at, at), "there is no operator `is`", "compare with `==`"),
        "xor" => new(SpanOf(at, at), "there is no operator `xor`", "of truth values that is `!=`"),
        "as" => new(SpanOf(at, at), "there is no `as`", "a dtype is the cast: `f32(x)`"),
        "await" or "new" => new(SpanOf(at, at), $"there is no `{Text(at)}`", "leave it out"),
        _ => null,
    };

    /// <summary>Signs that have another meaning here, or none.</summary>
    private Habit? Sign(int at) => (Text(at - 1), Text(at)) switch
    {
        (_, "@") when LineStart(at) == at =>
            new(SpanOf(at, at + 1), "there are no decorators", "leave it out: every function is compiled"),
        (_, "=>") when Text(LineStart(at)) is "fn" or "export" =>
            new(SpanOf(at, at), "unexpected `=>`", "a function of one expression is written with `=`"),
        ("]", "->") => new(SpanOf(at, at), "unexpected `->`",
            "an index form is written with `=>`: `[i, j] => x[j, i]`"),
        (_, ")" or "]") when Open(at) < 0 || Text(Open(at)) == "{" =>
            new(SpanOf(at, at), $"unexpected `{Text(at)}`",
                $"no `{(Text(at) == ")" ? "(" : "[")}` is open here: leave it out"),
        (_, ".") when IsType(at) => new(SpanOf(at - 1, Math.Min(at + 1, LineEnd(at))),
            $"`{Written(at - 1, at + 1)}` is no type",
            "a type is a dtype with its sizes: `f32[n, d]`"),
        (_, "<" or "(") when IsType(at) => new(SpanOf(at, at), $"unexpected `{Text(at)}`",
            "the sizes of a type stand in square brackets: `f32[n, d]`"),
        (_, "<") when Text(at - 2) == "fn" => new(SpanOf(at, at), "unexpected `<`",
            "a capital letter is any dtype, without being declared: `fn f(x: T[n]) -> T[n]`"),
        (_, "*" or "**") when Text(at - 1) is "(" or "[" or "," => new(SpanOf(at, at), $"unexpected `{Text(at)}`",
            "a list is spliced by `..`: `[..a, ..b]`; parameters are named one by one"),
        (_, "{") when Text(at - 1) is "=" or "(" or "," or "[" or "return" =>
            new(SpanOf(at, at), "unexpected `{`", "there are no dictionaries or sets; a list is `[a, b]`"),
        _ => null,
    };

    /// <summary>`f(x y)`, `[a b]`: two values with nothing between them.</summary>
    private Habit? Apart(int at)
    {
        if (!(code[at].Type is AccLexer.NAME or AccLexer.INT or AccLexer.FLOAT or AccLexer.STRING) || !EndsValue(at - 1)
            || Text(Open(at)) is not ("(" or "[") || Openers.ContainsKey(Text(at))) return null;
        return new(SpanOf(at, at), $"unexpected `{Short(Text(at))}`", "is a `,` missing before it?");
    }

    /// <summary>True if the word before a sign is in the place of a type.</summary>
    private bool IsType(int at) => Text(at - 2) is ":" or "->" && code[at - 1].Type == AccLexer.NAME
        && (Text(at - 2) == "->" || Text(Open(at)) is "(" or "{" or "" || Open(at) < 0);

    /// <summary>An expression in place of a statement, or several in place of one.</summary>
    private Habit? Alone(int at)
    {
        var start = LineStart(at);
        var (first, sign) = (Text(start), Text(at));
        var open = Open(at);
        var isAssigned = open < start && code.Skip(start).Take(at - start).Any(t => t.Text == "=");
        if (sign == "=" && first == "return" && open >= 0)
            return new(SpanOf(start, at), "`return` takes a value, and assigns none",
                $"write `return {Written(at + 1, LineEnd(at))}`");
        if (sign == "=" && isAssigned)
            return new(SpanOf(at, at), "an assignment has one `=`", "assign one after the other");
        if (sign == "," && isAssigned)
            return new(SpanOf(at, at), "unexpected `,`",
                $"several values are a list: `[{Written(OperandStart(at - 1), LineEnd(at))}]`");
        if (code[at].Type == AccLexer.NAME && Text(at + 1) == "=" && at > start && EndsValue(at - 1) && first != "let")
            return new(SpanOf(start, at), "a local is introduced by `let`",
                $"write `let {sign}: {Written(start, at - 1)} = …`");
        if (open < 0 || Text(open) != "{") return null;
        if (Text(at - 1) is not ("break" or "continue")
            && IsLone(at - 1)) return new(SpanOf(at - 1, at - 1), "nothing takes this value",
            $"write `return {Text(at - 1)}`, or leave it out");
        var isValue = at == start && (code[at].Type is AccLexer.INT or AccLexer.FLOAT or AccLexer.STRING
            || sign is "-" or "(" or "[" or "not" or "true" or "false");
        var isOperator = at > start && code[start].Type == AccLexer.NAME && EndsValue(at - 1)
            && sign is "+" or "-" or "*" or "/" or "//" or "%" or "@" or "**" or "==" or "|>" or "<" or ">";
        if (!(isValue || isOperator)) return null;
        var text = Written(start, LineEnd(at));
        return new(SpanOf(start, LineEnd(at)), "nothing takes this value",
            $"write `return {text}`, or `let y = {text}`");
    }
}
