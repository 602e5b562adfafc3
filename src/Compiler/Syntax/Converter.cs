// In: ANTLR's parse tree. Out: syntax records. This file: files, declarations, types; the other files have the rest.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;
using Antlr4.Runtime.Tree;

namespace Accelerate.Compiler.Syntax;

/// <summary>
/// One method per rule. A context that failed to parse becomes null (declarations, statements: left out) or an error
/// node, so every other context has all the children that the grammar promises.
/// </summary>
internal sealed partial class Converter(SourceText source, CommonTokenStream tokens, DiagnosticBag bag)
{
    public FileSyntax File(AccParser.FileContext c)
    {
        var items = Items(c.item());
        var top = FirstComment();
        return new(source.All, Some(c.use(), Use), items)
        {
            Documentation = items.Any(i => i.Documentation is not null && i.Documentation == top) ? null : top,
        };
    }

    private UseSyntax? Use(AccParser.UseContext c) => Broken(c) ? null : new(SpanOf(c), All(c.name(), Name));

    // ---- declarations --------------------------------------------------------------------------------------------

    private ImmutableArray<ItemSyntax> Items(AccParser.ItemContext[] items) =>
        Some(items, i => Item(i) is { } item ? item with { Documentation = Comment(i.Start) } : null);

    private ItemSyntax? Item(AccParser.ItemContext c) => c switch
    {
        // Modules and functions are kept if their head is complete: an error inside costs only the part it is in.
        AccParser.ModuleContext { } m when m.name() is { } name =>
            new ModuleSyntax(SpanOf(c), Name(name), Parameters(m.parameters()), Items(m.item())),
        AccParser.FunctionContext { } f when f.name() is { } name && f.body() is { } body => Function(f, name, body),
        _ when Broken(c) => null,
        AccParser.StateContext s => new StateSyntax(SpanOf(c),
            s.kind.Text == "param" ? StateKind.Param : StateKind.Buffer, Name(s.name()), s.type() is { } type
                ? Type(type) : null, Expression(s.expr())),
        AccParser.ConstantContext s => new ConstantSyntax(SpanOf(c), Names(s.names()),
            s.type() is { } type ? Type(type) : null, Expression(s.expr())),
        AccParser.ConditionalContext s => new ConditionalItemSyntax(SpanOf(c), Expression(s.expr()), Items(s.item()),
            s.otherwise() is { } otherwise ? Items(otherwise.item()) : []),
        AccParser.WeightsContext s => new WeightsSyntax(SpanOf(c), Some(s.rename(), Rename)),
        AccParser.CheckContext s => Call(s.call()) is { } call ? new CheckSyntax(SpanOf(c), call) : null,
        _ => null,
    };

    private FunctionSyntax Function(AccParser.FunctionContext c, AccParser.NameContext name, AccParser.BodyContext body)
    {
        var block = body.block();
        return new(SpanOf(c), c.exported is not null, c.composite is not null, Name(name), Parameters(c.parameters()),
            c.result() is { } result ? Result(result) : null,
            c.where() is { } where && !Broken(where) ? All(where.expr(), Expression) : [],
            block is not null ? Block(block) : Returned(body), block is null);
    }

    private BlockSyntax Returned(AccParser.BodyContext c)
    {
        var value = Expression(c.expr());
        return new(SpanOf(c), [new ReturnStatement(value.Span, [value])]);
    }

    private RenameSyntax? Rename(AccParser.RenameContext c) => Broken(c)
        ? null
        : new(SpanOf(c), String(c.STRING(0)), [.. c.STRING().Skip(1).Select(String)],
            c.children.Any(child => child.GetText() == "optional"));

    private ImmutableArray<ParameterSyntax> Parameters(AccParser.ParametersContext? c) =>
        c is null ? [] : Some(c.parameter(), Parameter);

    private ParameterSyntax? Parameter(AccParser.ParameterContext c) => Broken(c)
        ? null
        : new(SpanOf(c), c.Start.Text == "inout", Name(c.name()), c.type() is { } type ? Type(type) : null,
            c.expr() is { } value ? Expression(value) : null);

    private ResultSyntax? Result(AccParser.ResultContext c)
    {
        if (Broken(c))
        {
            return null;
        }
        return c.type() is { } type
            ? new(SpanOf(c), [new(SpanOf(c), null, Type(type))])
            : new(SpanOf(c), Some(c.field(), f => Broken(f)
                ? null
                : new FieldSyntax(SpanOf(f), f.name() is { } name ? Name(name) : null, Type(f.type()))));
    }

    // ---- types ---------------------------------------------------------------------------------------------------

    private TypeSyntax Type(AccParser.TypeContext? c) => Broken(c)
        ? new ErrorType(c is null ? new(source, 0, 0) : SpanOf(c))
        : c switch
        {
            AccParser.NamedTypeContext t =>
                new NamedType(SpanOf(c), Name(t.name()), Some(t.dim(), Dim), t.ChildCount > 1),
            AccParser.ListTypeContext t => new ListType(SpanOf(c), Type(t.type())),
            AccParser.FunctionTypeContext => new FunctionType(SpanOf(c)),
            _ => new ErrorType(SpanOf(c!)),
        };

    private DimSyntax? Dim(AccParser.DimContext c)
    {
        if (Broken(c))
        {
            return null;
        }
        if (c.group() is { } group)
        {
            return new GroupDim(SpanOf(c), GroupName(group));
        }
        var size = Expression(c.expr());
        return size is NameExpression { Name: "_" } ? new AnyDim(size.Span) : new SizeDim(SpanOf(c), size);
    }

    // ---- names, spans, comments ----------------------------------------------------------------------------------

    private static bool Broken(ParserRuleContext? c) => Parser.Broken(c);

    private Span SpanOf(ParserRuleContext c) => Parser.SpanOf(source, c);

    private Span SpanOf(IToken t) => Parser.SpanOf(source, t);

    private Span SpanOf(ITerminalNode t) => SpanOf(t.Symbol);

    private NameToken Name(AccParser.NameContext c) => new(Broken(c) ? "_" : c.GetText(), SpanOf(c));

    private NameToken? GroupName(AccParser.GroupContext c) => c.name() is { } name ? Name(name) : null;

    private ImmutableArray<NameToken> Names(AccParser.NamesContext c) => All(c.name(), Name);

    private static ImmutableArray<T> All<C, T>(C[] contexts, Func<C, T> convert) =>
        [.. contexts.Select(convert)];

    private static ImmutableArray<T> Some<C, T>(C[] contexts, Func<C, T?> convert)
        where T : class => [.. contexts.Select(convert).OfType<T>()];

    /// <summary>The comment lines that end on the line above a token, each alone on its line.</summary>
    private string? Comment(IToken first)
    {
        var lines = new List<string>();
        var line = first.Line - 1;
        for (var i = first.TokenIndex - 1; i >= 0; i--, line--)
        {
            var t = tokens.Get(i);
            if (t.Type != AccLexer.COMMENT || t.Line != line || (i > 0 && tokens.Get(i - 1).Line == line))
            {
                break;
            }
            lines.Add(CommentText(t));
        }
        lines.Reverse();
        return lines.Count == 0 ? null : string.Join('\n', lines);
    }

    private string? FirstComment()
    {
        var lines = new List<string>();
        for (var i = 0; i < tokens.Size; i++)
        {
            var t = tokens.Get(i);
            if (t.Type != AccLexer.COMMENT || (i > 0 && t.Line != tokens.Get(i - 1).Line + 1))
            {
                break;
            }
            lines.Add(CommentText(t));
        }
        return lines.Count == 0 ? null : string.Join('\n', lines);
    }

    private static string CommentText(IToken t)
    {
        var text = t.Text[1..];
        return (text.StartsWith(' ') ? text[1..] : text).TrimEnd();
    }
}
