// In: a source text. Out: the same program in canonical layout, comments kept: `accc fmt`.
using System.Text;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;

namespace Accelerate.Compiler.Syntax;

/// <summary>
/// Works on tokens: line breaks stay where they are; the white space between the tokens of a line and before the first
/// is set. Four spaces per level; a line that continues a statement is one level further in; at most one empty line in
/// a row, none after an opening or before a closing brace; two spaces before a comment after code; no alignment.
/// </summary>
internal static class Formatter
{
    /// <summary>The canonical text, or null if the text has syntax errors (which are in the bag).</summary>
    public static string? Format(SourceText source, DiagnosticBag bag) =>
        Nesting.Deeply(() => Formatted(source, bag));

    private static string? Formatted(SourceText source, DiagnosticBag bag)
    {
        var before = bag.Count;
        Parser.Parse(source, bag);
        if (bag.Count > before)
        {
            return null;
        }
        var tokens = Parser.Tokens(source);
        var layout = new TokenRoles(Parser.Tree(source, tokens, null));
        var lines = tokens.GetTokens().Where(t => t.Type != TokenConstants.EOF).GroupBy(t => t.Line);
        var text = new StringBuilder();
        var indent = new Indentation(layout);
        var previous = 0;
        IToken? last = null;
        foreach (var line in lines)
        {
            var all = line.ToList();
            if (previous != 0 && line.Key > previous + 1 && last!.Text != "{" && all[0].Text != "}")
            {
                text.Append('\n');
            }
            previous = line.Key;
            text.Append(' ', indent.Of(all));
            for (var i = 0; i < all.Count; i++)
            {
                if (i > 0)
                {
                    text.Append(Between(all[i - 1], all[i], layout));
                }
                text.Append(all[i].Type == AccLexer.COMMENT ? all[i].Text.TrimEnd() : all[i].Text);
            }
            text.Append('\n');
            last = all[^1];
        }
        return text.ToString();
    }

    private static string Between(IToken left, IToken right, TokenRoles roles)
    {
        if (right.Type == AccLexer.COMMENT)
        {
            return "  ";
        }
        var space = (left.Text, right.Text) switch
        {
            _ when left.Type == AccLexer.STRING => right.Text is not ("," or ")" or "]" or ":" or "." or "[" or "("),
            _ when right.Type == AccLexer.STRING => left.Text is not ("(" or "[" or ".."),
            ("{", "}") => false,
            (_, ",") => false,
            (",", _) => right.Text is not (")" or "]"),
            // A slice or range has no spaces unless a part of it has an operator; then its colon has spaces around it.
            (_, ":") when roles.IsRange(right) => roles.IsWide(right) && left.Text is not "[",
            (":", _) when roles.IsRange(left) => roles.IsWide(left) && right.Text is not ("]" or ","),
            (_, ":") => false,
            ("(" or "[", _) => false,
            (_, ")" or "]") => false,
            ("." or "..", _) => false,
            (_, ".") => false,
            ("-", _) when roles.IsPrefix(left) => false,
            (_, "(" or "[") => !roles.IsPostfix(right),
            _ => true,
        };
        return space ? " " : "";
    }

    /// <summary>Computes the indentation of each line from the open brackets.</summary>
    private sealed class Indentation(TokenRoles roles)
    {
        // For each open bracket the indentation of its content minus one level: that of the block's owner, or of the
        // line.
        private readonly Stack<int> open = new();
        private bool inBlock = true;

        public int Of(List<IToken> line)
        {
            var first = line[0];
            int indent;
            if (first.Text is ")" or "]" or "}" && first.Channel == TokenConstants.DefaultChannel)
            {
                // Several closing brackets in a row return to the line that opened the outermost of them.
                var closing = line.TakeWhile(t => t.Text is ")" or "]" or "}").Count();
                indent = open.ElementAt(Math.Min(closing, open.Count) - 1);
            }
            else
            {
                indent = open.Count == 0 ? 0 : open.Peek() + 4;
                if (inBlock && first.Channel == TokenConstants.DefaultChannel && !roles.Starts(first))
                {
                    indent += 4;
                }
            }
            foreach (var token in line.Where(t => t.Channel == TokenConstants.DefaultChannel))
            {
                if (token.Text is "(" or "[" or "{")
                {
                    var block = roles.IsBlock(token);
                    open.Push(block ? BlockLevel() : indent);
                    blocks.Push(block);
                }
                else if (token.Text is ")" or "]" or "}")
                {
                    open.Pop();
                    blocks.Pop();
                }
            }
            inBlock = blocks.Count == 0 || blocks.Peek();
            return indent;
        }

        private readonly Stack<bool> blocks = new();

        private int BlockLevel() => 4 * blocks.Count(b => b);
    }
}
