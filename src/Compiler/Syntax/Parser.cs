// In: a source text. Out: its syntax tree and its syntax errors. Only this folder depends on ANTLR.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;
using Antlr4.Runtime.Atn;
using Antlr4.Runtime.Misc;
using Antlr4.Runtime.Tree;

namespace Accelerate.Compiler.Syntax;

/// <summary>Text to syntax tree.</summary>
internal static class Parser
{
    /// <summary>
    /// Parses a file. There is always a tree: unreadable parts are left out (declarations, statements) or become error
    /// nodes, and each error is in the bag.
    /// </summary>
    public static FileSyntax Parse(SourceText source, DiagnosticBag bag) => Nesting.Deeply(() =>
    {
        var nothing = new FileSyntax(source.All, [], []);
        if (source.Text.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var nul)
        {
            bag.Report(Codes.NoText, new Span(source, nul, 1), "this file is no text: it holds a zero byte",
                help: "is this the file that was meant?");
            return nothing;
        }
        try
        {
            var tokens = Tokens(source);
            return TokenErrors.Report(source, tokens, bag)
                ? new Converter(source, tokens, bag).File(Tree(source, tokens, bag)) : nothing;
        }
        catch (FileTooLongException e)
        {
            bag.Report(Codes.FileTooLong, e.Span, e.Message, help: "read numbers from files: `x=@data.npy`");
        }
        catch (NestingException e)
        {
            bag.Report(Codes.NestedTooDeep, e.Span, e.Message, help: "give inner parts names with `let`");
        }
        return nothing;
    });

    /// <summary>All tokens; comments and stray characters are on the hidden channel.</summary>
    public static CommonTokenStream Tokens(SourceText source)
    {
        // A stream over UTF-16 units, so that token offsets are offsets into the text.
        var tokens = new CommonTokenStream(new BoundedLexer(source));
        tokens.Fill();
        return tokens;
    }

    /// <summary>The parse tree; errors are not reported if the bag is null.</summary>
    public static AccParser.FileContext Tree(SourceText source, CommonTokenStream tokens, DiagnosticBag? bag)
    {
        // SLL prediction is several times faster and, if it succeeds, gives the tree of full LL. It gives up at the
        // first problem; only then does the slower parse with recovery and messages run.
        tokens.Seek(0);
        AccParser parser = new BoundedParser(source, tokens) { ErrorHandler = new BailErrorStrategy() };
        parser.RemoveErrorListeners();
        parser.Interpreter.PredictionMode = PredictionMode.SLL;
        try
        {
            return parser.file();
        }
        catch (ParseCanceledException)
        {
            tokens.Seek(0);
            parser = new BoundedParser(source, tokens) { ErrorHandler = new LineRecovery() };
            parser.RemoveErrorListeners();
            parser.Interpreter.PredictionMode = PredictionMode.LL;
            if (bag is not null)
            {
                parser.AddErrorListener(new SyntaxErrors(source, tokens, bag));
            }
            return parser.file();
        }
    }

    /// <summary>The span of a token; the end of the file has length 0.</summary>
    public static Span SpanOf(SourceText source, IToken token) =>
        token.Type == TokenConstants.EOF || token.StartIndex < 0
            ? new(source, Math.Clamp(token.StartIndex, 0, source.Text.Length), 0)
            : new(source, token.StartIndex, token.StopIndex - token.StartIndex + 1);

    /// <summary>The span of a subtree; empty if it has no tokens.</summary>
    public static Span SpanOf(SourceText source, ParserRuleContext context)
    {
        var start = context.Start is { } first ? SpanOf(source, first) : new Span(source, 0, 0);
        return context.Stop is { } last && last.TokenIndex >= context.Start!.TokenIndex
            ? start.To(SpanOf(source, last))
            : start with { Length = 0 };
    }

    /// <summary>
    /// True if the rule itself failed: a child may then be missing. Subtrees are checked on their own.
    /// </summary>
    public static bool Broken(ParserRuleContext? context) =>
        context is null || context.exception is not null
        || (context.children?.Any(c => c is IErrorNode) ?? true);
}
