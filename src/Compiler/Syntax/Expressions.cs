// The records of expressions, tightest first, in the order of grammar/Acc.g4.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Compiler.Syntax;

/// <summary>Parentheses make no node: the span of their content is widened to include them.</summary>
internal abstract record ExpressionSyntax(Span Span) : SyntaxNode(Span);

/// <summary>`a.b`</summary>
internal sealed record MemberExpression(Span Span, ExpressionSyntax Target, NameToken Name) : ExpressionSyntax(Span);

/// <summary>`f(a, axis: 1)`; also the right side of `x |> f(a)`.</summary>
internal sealed record ApplyExpression(
    Span Span, ExpressionSyntax Callee, ImmutableArray<ArgumentSyntax> Arguments) : ExpressionSyntax(Span);

/// <summary>`x[:, 0]`, and `sum[i, j &lt; n]` before its parentheses.</summary>
internal sealed record SelectExpression(
    Span Span, ExpressionSyntax Target, ImmutableArray<SubscriptSyntax> Subscripts) : ExpressionSyntax(Span)
{
    /// <summary>
    /// The subscripts read as the indices of a reduction, `sum[i, j &lt; n](…)`; null if one cannot be. The binder
    /// decides by the target's name whether it is a reduction.
    /// </summary>
    public ImmutableArray<IndexSyntax>? AsIndices()
    {
        var indices = ImmutableArray.CreateBuilder<IndexSyntax>(Subscripts.Length);
        foreach (var subscript in Subscripts)
        {
            switch (subscript)
            {
                case GroupSubscript group:
                    indices.Add(new GroupIndex(group.Span, group.Name));
                    break;
                case ValueSubscript { Value: NameExpression name }:
                    indices.Add(new NamedIndex(name.Span, new(name.Name, name.Span), null));
                    break;
                case ValueSubscript
                {
                    Value: BinaryExpression { Operator: BinaryOperator.Less, Left: NameExpression left } less
                }:
                    indices.Add(new NamedIndex(less.Span, new(left.Name, left.Span), less.Right));
                    break;
                default:
                    return null;
            }
        }
        return indices.MoveToImmutable();
    }
}

internal enum BinaryOperator
{
    Power,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Contract,
    Add,
    Subtract,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

internal sealed record BinaryExpression(
    Span Span, BinaryOperator Operator, Span OperatorSpan, ExpressionSyntax Left, ExpressionSyntax Right)
    : ExpressionSyntax(Span);

/// <summary>`-a`</summary>
internal sealed record NegateExpression(Span Span, Span OperatorSpan, ExpressionSyntax Operand)
    : ExpressionSyntax(Span);

/// <summary>`not a`</summary>
internal sealed record NotExpression(Span Span, Span OperatorSpan, ExpressionSyntax Operand) : ExpressionSyntax(Span);

/// <summary>`x |> f` and `x |> f(a)`; the left is the first argument of the right.</summary>
internal sealed record PipeExpression(Span Span, Span OperatorSpan, ExpressionSyntax Left, ExpressionSyntax Right)
    : ExpressionSyntax(Span);

/// <summary>The index form `[i, j &lt; n] => e`.</summary>
internal sealed record MapExpression(Span Span, ImmutableArray<IndexSyntax> Indices, ExpressionSyntax Body)
    : ExpressionSyntax(Span);

/// <summary>`[e for a, b in list if c]`</summary>
internal sealed record ComprehensionExpression(
    Span Span, ExpressionSyntax Element, ImmutableArray<NameToken> Names, IterableSyntax Iterable,
    ExpressionSyntax? Condition) : ExpressionSyntax(Span);

/// <summary>`[a, ..b]`</summary>
internal sealed record ListExpression(Span Span, ImmutableArray<ElementSyntax> Elements) : ExpressionSyntax(Span);

/// <summary>`if c { a } else { b }`</summary>
internal sealed record IfExpression(
    Span Span, ExpressionSyntax Condition, ExpressionSyntax Then, ExpressionSyntax Else) : ExpressionSyntax(Span);

internal sealed record IntegerLiteral(Span Span, ulong Value) : ExpressionSyntax(Span);

internal sealed record FloatLiteral(Span Span, double Value) : ExpressionSyntax(Span);

/// <summary>The value has its escapes replaced.</summary>
internal sealed record StringLiteral(Span Span, string Value) : ExpressionSyntax(Span);

internal sealed record BooleanLiteral(Span Span, bool Value) : ExpressionSyntax(Span);

internal sealed record NameExpression(Span Span, string Name) : ExpressionSyntax(Span);

/// <summary>An expression that could not be read; it has been reported.</summary>
internal sealed record ErrorExpression(Span Span) : ExpressionSyntax(Span);

// ---- parts -------------------------------------------------------------------------------------------------------

/// <summary>`a`, `axis: 1`, `inout cache[i]`</summary>
internal sealed record ArgumentSyntax(Span Span, NameToken? Name, bool Inout, ExpressionSyntax Value)
    : SyntaxNode(Span);

/// <summary>`a`, `..a`, and `..` alone: Splice without a value, the axes of the unnamed group.</summary>
internal sealed record ElementSyntax(Span Span, bool Splice, ExpressionSyntax? Value) : SyntaxNode(Span);

/// <summary>An index of an index form or a reduction.</summary>
internal abstract record IndexSyntax(Span Span) : SyntaxNode(Span);

/// <summary>`..` or `..s`</summary>
internal sealed record GroupIndex(Span Span, NameToken? Name) : IndexSyntax(Span);

/// <summary>`i` or `i &lt; n`</summary>
internal sealed record NamedIndex(Span Span, NameToken Name, ExpressionSyntax? Extent) : IndexSyntax(Span);

internal abstract record SubscriptSyntax(Span Span) : SyntaxNode(Span);

/// <summary>`..` or `..s`</summary>
internal sealed record GroupSubscript(Span Span, NameToken? Name) : SubscriptSyntax(Span);

/// <summary>`a:b:step`, each part optional.</summary>
internal sealed record SliceSubscript(
    Span Span, ExpressionSyntax? Start, ExpressionSyntax? End, ExpressionSyntax? Step) : SubscriptSyntax(Span);

/// <summary>Anything else.</summary>
internal sealed record ValueSubscript(Span Span, ExpressionSyntax Value) : SubscriptSyntax(Span);
