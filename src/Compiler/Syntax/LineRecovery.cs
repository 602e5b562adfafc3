// In: a parser that has met an error. Out: the same parser, moved to the start of the next statement.
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;

namespace Accelerate.Compiler.Syntax;

/// <summary>
/// ANTLR resumes at the first token that could follow any open rule. In a language without separators that is nearly
/// every token, so one error would be reported many times. People write one statement per line: parsing resumes at the
/// next line that begins like a statement or a declaration, or at the brace that closes the block.
/// </summary>
internal sealed class LineRecovery : DefaultErrorStrategy
{
    // Where parsing resumed last, to guarantee progress if the same statement fails there again.
    private int resumed = -1;
    private int resumedRule = -1;

    // Distinguishes the loops over declarations and statements, where a whole line is skipped, from all other places.
    private static readonly int Let = Enumerable.Range(1, AccParser.STRAY)
        .First(t => AccParser.DefaultVocabulary.GetLiteralName(t) == "'let'");

    /// <summary>
    /// At the start of a declaration or statement: a token that begins neither is skipped with its line.
    /// </summary>
    public override void Sync(Antlr4.Runtime.Parser recognizer)
    {
        var input = (ITokenStream)recognizer.InputStream;
        var expected = recognizer.Atn.NextTokens(recognizer.Atn.states[recognizer.State]);
        if (recognizer.Context is not (AccParser.FileContext or AccParser.BlockContext or AccParser.ItemContext)
            || !expected.Contains(Let) || expected.Contains(input.LA(1)))
        {
            base.Sync(recognizer);
            return;
        }
        ReportUnwantedToken(recognizer);
        while (input.LA(1) != TokenConstants.EOF && !expected.Contains(input.LA(1)))
        {
            recognizer.Consume();
            SkipToStart(recognizer, input);
        }
    }

    public override void Recover(Antlr4.Runtime.Parser recognizer, RecognitionException e)
    {
        var input = (ITokenStream)recognizer.InputStream;
        if (resumed == input.Index && resumedRule == recognizer.Context.RuleIndex)
        {
            recognizer.Consume();
        }
        SkipToStart(recognizer, input);
        resumed = input.Index;
        resumedRule = recognizer.Context.RuleIndex;
    }

    /// <summary>Never: after an assumed token, the following lines would be parsed as its continuation.</summary>
    protected override bool SingleTokenInsertion(Antlr4.Runtime.Parser recognizer) => false;

    /// <summary>Never: the text after a word of another language is skipped with it.</summary>
    protected override IToken? SingleTokenDeletion(Antlr4.Runtime.Parser recognizer) => null;

    private static void SkipToStart(Antlr4.Runtime.Parser recognizer, ITokenStream input)
    {
        var depth = 0;
        while (input.LA(1) != TokenConstants.EOF)
        {
            var token = input.LT(1);
            if (depth == 0 && token.Text == "}")
            {
                break;
            }
            // A declaration at the left margin ends all open braces.
            if (BeginsLine(input, token) && (depth == 0 ? Starts(token) : token.Column == 0 && Declares(token)))
            {
                break;
            }
            depth += token.Text switch { "{" => 1, "}" => -1, _ => 0 };
            recognizer.Consume();
            if (depth == 0 && token.Text == ":" && BeginsLine(input, input.LT(1))) SkipIndented(recognizer, input);
        }
    }

    /// <summary>After a `:` at the end of a line: skips the block that Python would have there.</summary>
    private static void SkipIndented(Antlr4.Runtime.Parser recognizer, ITokenStream input)
    {
        var first = -1;
        while (input.LT(first - 1) is { } before && before.Line == input.LT(-1).Line) first--;
        var margin = input.LT(first).Column;
        while (input.LA(1) != TokenConstants.EOF && !(BeginsLine(input, input.LT(1)) && input.LT(1).Column <= margin))
            recognizer.Consume();
    }

    private static bool BeginsLine(ITokenStream input, IToken token) =>
        input.LT(-1) is not { } before || before.Line < token.Line;

    private static bool Declares(IToken token) => token.Text is "module" or "fn" or "export" or "param" or "buffer";

    private static bool Starts(IToken token) => Declares(token) || token.Type == AccLexer.NAME
        || token.Text is "use" or "let" or "if" or "for" or "while" or "return" or "weights";
}
