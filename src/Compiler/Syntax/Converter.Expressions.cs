// The converter's expressions, and the checks beyond the grammar.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;
using Antlr4.Runtime.Tree;

namespace Accelerate.Compiler.Syntax;

internal sealed partial class Converter
{
    private int depth;

    private ExpressionSyntax Expression(AccParser.ExprContext? c)
    {
        if (!Nesting.Allows(++depth, Nesting.Expressions))
        {
            throw new NestingException(SpanOf(c!.Start),
                $"an expression of more than {Nesting.Expressions} operators or calls");
        }
        var converted = Converted(c);
        depth--;
        return converted;
    }

    private ExpressionSyntax Converted(AccParser.ExprContext? c)
    {
        if (Broken(c))
        {
            return new ErrorExpression(c is null ? new(source, 0, 0) : SpanOf(c));
        }
        switch (c)
        {
            case AccParser.MemberContext e:
                return new MemberExpression(SpanOf(c), Expression(e.expr()), Name(e.name()));
            case AccParser.ApplyContext e:
                var callee = Expression(e.expr());
                CheckLine(callee.Span, ((ITerminalNode)e.GetChild(1)).Symbol);
                return new ApplyExpression(SpanOf(c), callee, Arguments(e.arguments()));
            case AccParser.SelectContext e:
                var target = Expression(e.expr());
                CheckLine(target.Span, ((ITerminalNode)e.GetChild(1)).Symbol);
                return new SelectExpression(SpanOf(c), target, Subscripts(e.subscripts()));
            case AccParser.BinaryContext e:
                return Binary(e);
            case AccParser.NegateContext e:
                return new NegateExpression(SpanOf(c), SpanOf(c.Start), Expression(e.expr()));
            case AccParser.NotContext e:
                return new NotExpression(SpanOf(c), SpanOf(c.Start), Expression(e.expr()));
            case AccParser.PipeContext e:
                return new PipeExpression(SpanOf(c), SpanOf(e.op), Expression(e.expr(0)), Expression(e.expr(1)));
            case AccParser.MapContext e:
                return new MapExpression(SpanOf(c), Some(e.index(), Index), Expression(e.expr()));
            case AccParser.ComprehensionContext e:
                return new ComprehensionExpression(SpanOf(c), Expression(e.expr(0)), Names(e.names()),
                    Iterable(e.iterable()), e.expr().Length > 1 ? Expression(e.expr(1)) : null);
            case AccParser.ListContext e:
                return new ListExpression(SpanOf(c), Some(e.element(), Element));
            case AccParser.IfContext e:
                return Ternary(e.ternary());
            case AccParser.ParensContext e:
                return Expression(e.expr()) with { Span = SpanOf(c) };
            case AccParser.LiteralContext:
                return Literal(c.Start);
            case AccParser.VariableContext e:
                return new NameExpression(SpanOf(c), Name(e.name()).Text);
            default:
                return new ErrorExpression(SpanOf(c!));
        }
    }

    private BinaryExpression Binary(AccParser.BinaryContext c)
    {
        var op = c.op.Text switch
        {
            "**" => BinaryOperator.Power,
            "*" => BinaryOperator.Multiply,
            "/" => BinaryOperator.Divide,
            "//" => BinaryOperator.FloorDivide,
            "%" => BinaryOperator.Modulo,
            "@" => BinaryOperator.Contract,
            "+" => BinaryOperator.Add,
            "-" => BinaryOperator.Subtract,
            "==" => BinaryOperator.Equal,
            "!=" => BinaryOperator.NotEqual,
            "<" => BinaryOperator.Less,
            "<=" => BinaryOperator.LessOrEqual,
            ">" => BinaryOperator.Greater,
            ">=" => BinaryOperator.GreaterOrEqual,
            "and" => BinaryOperator.And,
            _ => BinaryOperator.Or,
        };
        // The left operand of a comparison is itself a comparison context only without parentheses, which are another
        // context.
        if (IsComparison(op) && c.expr(0) is AccParser.BinaryContext { op.Text: { } inner }
            && inner is "==" or "!=" or "<" or "<=" or ">" or ">=")
        {
            bag.Report(Codes.ChainedComparison, SpanOf(c.op), "comparisons do not chain",
                help: c.expr(0) is AccParser.BinaryContext first && first.GetText().Length
                    + c.expr(1).GetText().Length < 40
                    ? $"write `{SpanOf(first).Text} and {SpanOf(first.expr(1)).Text} {c.op.Text} "
                        + $"{SpanOf(c.expr(1)).Text}`"
                    : "write `a < b and b < c`, or parentheses");
        }
        return new(SpanOf(c), op, SpanOf(c.op), Expression(c.expr(0)), Expression(c.expr(1)));
    }

    private static bool IsComparison(BinaryOperator op) =>
        op is >= BinaryOperator.Equal and <= BinaryOperator.GreaterOrEqual;

    private ExpressionSyntax Ternary(AccParser.TernaryContext c) => Broken(c)
        ? new ErrorExpression(SpanOf(c))
        : new IfExpression(SpanOf(c), Expression(c.expr(0)), Expression(c.expr(1)),
            c.ternary() is { } next ? Ternary(next) : Expression(c.expr(2)));

    // ---- parts ---------------------------------------------------------------------------------------------------

    private ImmutableArray<ArgumentSyntax> Arguments(AccParser.ArgumentsContext? c) =>
        c is null ? [] : Some(c.argument(), Argument);

    private ArgumentSyntax? Argument(AccParser.ArgumentContext c)
    {
        if (Broken(c))
        {
            return null;
        }
        var inout = c.children.Any(child => child is ITerminalNode { Symbol.Text: "inout" });
        var value = Expression(c.expr());
        if (inout && !IsPlace(value))
        {
            bag.Report(Codes.InoutNeedsPlace, value.Span, "`inout` takes a place to write back to", "this is a value",
                "give it a name first: `let y = …`, then `inout y`");
        }
        return new(SpanOf(c), c.name() is { } name ? Name(name) : null, inout, value);
    }

    private static bool IsPlace(ExpressionSyntax e) => e switch
    {
        NameExpression or ErrorExpression => true,
        MemberExpression m => IsPlace(m.Target),
        SelectExpression s => IsPlace(s.Target),
        _ => false,
    };

    private ElementSyntax? Element(AccParser.ElementContext c) => Broken(c)
        ? null
        : new(SpanOf(c), c.Start.Text == "..", c.expr() is { } value ? Expression(value) : null);

    private IndexSyntax? Index(AccParser.IndexContext c) => Broken(c)
        ? null
        : c.group() is { } group
            ? new GroupIndex(SpanOf(c), GroupName(group))
            : new NamedIndex(SpanOf(c), Name(c.name()), c.expr() is { } extent ? Expression(extent) : null);

    private ImmutableArray<SubscriptSyntax> Subscripts(AccParser.SubscriptsContext? c) =>
        c is null ? [] : Some(c.subscript(), Subscript);

    private SubscriptSyntax? Subscript(AccParser.SubscriptContext c)
    {
        if (Broken(c))
        {
            return null;
        }
        if (c.group() is { } group)
        {
            return new GroupSubscript(SpanOf(c), GroupName(group));
        }
        if (c.slice() is not { } slice)
        {
            return new ValueSubscript(SpanOf(c), Expression(c.expr()));
        }
        return new SliceSubscript(SpanOf(c), slice.first is { } first ? Expression(first) : null,
            slice.end is { } end ? Expression(end) : null, slice.step is { } step ? Expression(step) : null);
    }

    // ---- literals ------------------------------------------------------------------------------------------------

    private ExpressionSyntax Literal(IToken token)
    {
        var span = SpanOf(token);
        var digits = token.Text.Replace("_", "");
        switch (token.Type)
        {
            case AccLexer.STRING:
                return new StringLiteral(span, Unescape(span));
            case AccLexer.INT:
                var hexadecimal = digits.StartsWith("0x", StringComparison.Ordinal);
                if (ulong.TryParse(hexadecimal ? digits[2..] : digits,
                    hexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture,
                    out var integer))
                {
                    return new IntegerLiteral(span, integer);
                }
                bag.Report(Codes.NumberTooLarge, span, $"{Short(token.Text)} does not fit 64 bits",
                    help: $"the largest integer is {ulong.MaxValue}, of u64");
                return new ErrorExpression(span);
            case AccLexer.FLOAT:
                var value = double.Parse(digits, CultureInfo.InvariantCulture);
                if (double.IsFinite(value))
                {
                    return new FloatLiteral(span, value);
                }
                bag.Report(Codes.NumberTooLarge, span, $"{Short(token.Text)} is beyond the largest float",
                    help: "write `inf` for infinity");
                return new ErrorExpression(span);
            default:
                return new BooleanLiteral(span, token.Text == "true");
        }
    }

    private static string Short(string number) => number.Length <= 40 ? number : number[..40] + "…";

    private StringLiteral String(ITerminalNode node) => new(SpanOf(node), Unescape(SpanOf(node)));

    private string Unescape(Span span)
    {
        var text = span.Text;
        var result = new StringBuilder();
        // A string reported as open has no closing quote.
        for (var i = 1; i < text.Length && text[i] != '"'; i++)
        {
            if (text[i] != '\\' || i + 1 >= text.Length)
            {
                result.Append(text[i]);
                continue;
            }
            i++;
            if (text[i] == 'u' && i + 4 < text.Length
                && ushort.TryParse(text.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, null, out var unit))
            {
                result.Append((char)unit);
                i += 4;
                continue;
            }
            char? plain = text[i] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', '"' => '"', '\\' => '\\', _ => null };
            if (plain is null)
            {
                bag.Report(Codes.UnknownEscape, span with { Start = span.Start + i - 1, Length = 2 },
                    $"unknown escape `\\{text[i]}`",
                    help: "the escapes are \\n \\t \\r \\\" \\\\ and \\u with four digits");
            }
            result.Append(plain ?? text[i]);
        }
        return result.ToString();
    }

    // ---- the rule about lines ------------------------------------------------------------------------------------

    /// <summary>A bracket that continues an expression must be on the line where the expression ends.</summary>
    private void CheckLine(Span before, IToken bracket)
    {
        if (source.Line(Math.Max(before.Start, before.End - 1)) == bracket.Line)
        {
            return;
        }
        var does = bracket.Text == "(" ? "calls" : "indexes";
        bag.Report(Codes.ContinuedOnNextLine, SpanOf(bracket), $"this `{bracket.Text}` {does} what ends the line above",
            help: $"put the `{bracket.Text}` on that line; no statement begins with one",
            secondary: new Label(new(source, before.End - 1, 1), "the expression ends here"));
    }
}
