// The converter's statements.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime.Tree;

namespace Accelerate.Compiler.Syntax;

internal sealed partial class Converter
{
    private BlockSyntax Block(AccParser.BlockContext? c)
    {
        if (c is null)
        {
            return new(new(source, 0, 0), []);
        }
        var statements = Some(c.statement(), Statement);
        for (var i = 0; i + 1 < statements.Length; i++)
        {
            if (statements[i] is ReturnStatement ending)
            {
                // The unreadable text on that line may have been meant as the value.
                if (bag.All.Any(d => d.Span.Line == statements[i + 1].Span.Line)) break;
                bag.Report(Codes.AfterReturn, statements[i + 1].Span, "this statement is never reached",
                    help: "`return` ends its function", secondary: new Label(ending.Span, "the function ends here"));
                break;
            }
        }
        return new(SpanOf(c), statements);
    }

    private StatementSyntax? Statement(AccParser.StatementContext c) => Broken(c)
        ? null
        : c switch
        {
            AccParser.DeclareContext s => new DeclareStatement(SpanOf(c), Names(s.names()),
                s.type() is { } type ? Type(type) : null, Expression(s.expr())),
            AccParser.AssignContext s => new AssignStatement(SpanOf(c), All(s.place(), Place), s.op.Text switch
            {
                "+=" => AssignOperator.Add,
                "-=" => AssignOperator.Subtract,
                "*=" => AssignOperator.Multiply,
                "/=" => AssignOperator.Divide,
                _ => AssignOperator.Set,
            }, SpanOf(s.op), Expression(s.expr())),
            AccParser.BranchContext s => Choice(s.choice()),
            AccParser.LoopContext s =>
                new ForStatement(SpanOf(c), Names(s.names()), Iterable(s.iterable()), Block(s.block())),
            AccParser.WhileContext s => new WhileStatement(SpanOf(c), Expression(s.expr()), Block(s.block())),
            AccParser.ReturnContext s => new ReturnStatement(SpanOf(c), All(s.expr(), Expression)),
            AccParser.EffectContext s => Call(s.call()) is { } call ? new EffectStatement(SpanOf(c), call) : null,
            _ => null,
        };

    private IfStatement? Choice(AccParser.ChoiceContext c)
    {
        if (Broken(c))
        {
            return null;
        }
        var otherwise = c.choice() is { } next
            ? Choice(next) is { } nested ? new BlockSyntax(nested.Span, [nested]) : null
            : c.block().Length > 1 ? Block(c.block(1)) : null;
        return new(SpanOf(c), Expression(c.expr()), Block(c.block(0)), otherwise);
    }

    private IterableSyntax Iterable(AccParser.IterableContext c)
    {
        if (Broken(c))
        {
            return new ListIterable(SpanOf(c), new ErrorExpression(SpanOf(c)));
        }
        var parts = c.expr();
        return parts.Length == 1
            ? new ListIterable(SpanOf(c), Expression(parts[0]))
            : new RangeIterable(SpanOf(c), Expression(parts[0]), Expression(parts[1]),
                parts.Length > 2 ? Expression(parts[2]) : null);
    }

    /// <summary>`a.b[i].c` from the flat list of its parts.</summary>
    private ExpressionSyntax Place(AccParser.PlaceContext c)
    {
        if (Broken(c))
        {
            return new ErrorExpression(SpanOf(c));
        }
        var start = SpanOf(c.name(0));
        ExpressionSyntax place = new NameExpression(start, Name(c.name(0)).Text);
        for (var i = 1; i < c.ChildCount; i++)
        {
            switch (c.GetChild(i))
            {
                case AccParser.NameContext name:
                    place = new MemberExpression(start.To(SpanOf(name)), place, Name(name));
                    break;
                case AccParser.SubscriptsContext subscripts:
                    CheckLine(place.Span, ((ITerminalNode)c.GetChild(i - 1)).Symbol);
                    place = new SelectExpression(start.To(SpanOf((ITerminalNode)c.GetChild(i + 1))), place,
                        Subscripts(subscripts));
                    break;
            }
        }
        return place;
    }

    private ApplyExpression? Call(AccParser.CallContext? c)
    {
        if (c is null || Broken(c))
        {
            return null;
        }
        var callee = Place(c.place());
        CheckLine(callee.Span, ((ITerminalNode)c.GetChild(1)).Symbol);
        return new(SpanOf(c), callee, Arguments(c.arguments()));
    }
}
