// In: a parse tree. Out: the facts about single tokens that the formatter needs.
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;
using Antlr4.Runtime.Tree;

namespace Accelerate.Compiler.Syntax;

/// <summary>
/// The facts that a token's text does not tell: whether a `-` is a prefix or an operator, whether a `(` is that of a
/// call.
/// </summary>
internal sealed class TokenRoles
{
    private readonly HashSet<int> starts = [];
    private readonly HashSet<int> blocks = [];
    private readonly HashSet<int> prefixes = [];
    private readonly HashSet<int> postfixes = [];
    private readonly Dictionary<int, bool> ranges = [];

    public TokenRoles(AccParser.FileContext file) => Visit(file);

    /// <summary>True if it begins a statement, a declaration, a rename, or the `else` of one.</summary>
    public bool Starts(IToken token) => starts.Contains(token.TokenIndex);

    /// <summary>True for the brace of a block, false for that of a value.</summary>
    public bool IsBlock(IToken token) => blocks.Contains(token.TokenIndex);

    public bool IsPrefix(IToken token) => prefixes.Contains(token.TokenIndex);

    /// <summary>True if the bracket belongs to the expression before it.</summary>
    public bool IsPostfix(IToken token) => postfixes.Contains(token.TokenIndex);

    /// <summary>True if the colon is one of a slice or a range.</summary>
    public bool IsRange(IToken token) => ranges.ContainsKey(token.TokenIndex);

    /// <summary>True if a part of that slice or range has an operator.</summary>
    public bool IsWide(IToken token) => ranges[token.TokenIndex];

    private void Visit(ParserRuleContext c)
    {
        switch (c)
        {
            case AccParser.UseContext or AccParser.ItemContext or AccParser.StatementContext or AccParser.RenameContext:
                starts.Add(c.Start.TokenIndex);
                break;
            case AccParser.OtherwiseContext:
                starts.Add(c.Start.TokenIndex);
                break;
            case AccParser.NegateContext:
                prefixes.Add(c.Start.TokenIndex);
                break;
        }
        if (c is AccParser.SliceContext or AccParser.IterableContext)
        {
            var wide = c.children.Any(child => child is AccParser.BinaryContext or AccParser.PipeContext);
            foreach (var colon in Terminals(c, ":"))
            {
                ranges[colon] = wide;
            }
        }
        if (c is AccParser.ModuleContext or AccParser.FunctionContext or AccParser.ApplyContext
            or AccParser.SelectContext or AccParser.NamedTypeContext or AccParser.PlaceContext or AccParser.CallContext)
        {
            postfixes.UnionWith([.. Terminals(c, "("), .. Terminals(c, "[")]);
        }
        if (c is AccParser.ModuleContext or AccParser.ConditionalContext or AccParser.OtherwiseContext
            or AccParser.WeightsContext or AccParser.BlockContext)
        {
            blocks.UnionWith(Terminals(c, "{"));
        }
        if (c is AccParser.ChoiceContext)
        {
            starts.UnionWith(Terminals(c, "else"));
        }
        foreach (var child in c.children ?? [])
        {
            if (child is ParserRuleContext rule)
            {
                Visit(rule);
            }
        }
    }

    private static IEnumerable<int> Terminals(ParserRuleContext c, string text) =>
        c.children.OfType<ITerminalNode>().Where(t => t.Symbol.Text == text).Select(t => t.Symbol.TokenIndex);
}
