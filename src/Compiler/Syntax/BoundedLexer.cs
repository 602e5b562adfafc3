// ANTLR's lexer, which makes an object of every token and of every character outside of tokens; this one stops when
// there are too many.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;

namespace Accelerate.Compiler.Syntax;

internal sealed class BoundedLexer(SourceText source)
    : AccLexer(new AntlrInputStream(source.Text), TextWriter.Null, TextWriter.Null)
{
    /// <summary>
    /// From this many characters outside of tokens on, a file is taken not to be a program, and only its first errors
    /// are reported.
    /// </summary>
    public const int MostStrays = 1000;

    // Together with its tree nodes a token takes about a kilobyte: a list of 100,000 numbers, 150 MB.
    private const int MostTokens = 600_000;

    private int strays;
    private int count;

    public override IToken NextToken()
    {
        var token = base.NextToken();
        if (++count > MostTokens)
        {
            throw new FileTooLongException(Parser.SpanOf(source, token),
                $"the file has more than {MostTokens} words and signs");
        }
        if (token.Type != STRAY || ++strays <= MostStrays) return token;
        HitEOF = true;
        return EmitEOF();
    }
}

/// <summary>A file too long to be a program.</summary>
internal sealed class FileTooLongException(Span span, string message) : Exception(message)
{
    public Span Span { get; } = span;
}
