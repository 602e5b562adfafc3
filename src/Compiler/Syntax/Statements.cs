// The records of statements, in the order of grammar/Acc.g4.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Compiler.Syntax;

internal abstract record StatementSyntax(Span Span) : SyntaxNode(Span);

/// <summary>`{ … }`</summary>
internal sealed record BlockSyntax(Span Span, ImmutableArray<StatementSyntax> Statements) : SyntaxNode(Span);

/// <summary>`let l, g: f32 = …`</summary>
internal sealed record DeclareStatement(
    Span Span, ImmutableArray<NameToken> Names, TypeSyntax? Type, ExpressionSyntax Value) : StatementSyntax(Span);

internal enum AssignOperator
{
    Set,
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// <summary>`x[:, i] = e`, `n += 1`. A place is a name, a member or a subscript, nested.</summary>
internal sealed record AssignStatement(
    Span Span, ImmutableArray<ExpressionSyntax> Places, AssignOperator Operator, Span OperatorSpan,
    ExpressionSyntax Value) : StatementSyntax(Span);

/// <summary>
/// `if c { … } else { … }`; an `else if` is an else block that contains one if, and its span has no braces.
/// </summary>
internal sealed record IfStatement(
    Span Span, ExpressionSyntax Condition, BlockSyntax Then, BlockSyntax? Else) : StatementSyntax(Span);

/// <summary>`for i, x in … { … }`</summary>
internal sealed record ForStatement(
    Span Span, ImmutableArray<NameToken> Names, IterableSyntax Iterable, BlockSyntax Body) : StatementSyntax(Span);

/// <summary>`while c { … }`</summary>
internal sealed record WhileStatement(Span Span, ExpressionSyntax Condition, BlockSyntax Body) : StatementSyntax(Span);

/// <summary>`return a, b`</summary>
internal sealed record ReturnStatement(Span Span, ImmutableArray<ExpressionSyntax> Values) : StatementSyntax(Span);

/// <summary>A call for its effect: `print(…)`, `opt.step(g)`.</summary>
internal sealed record EffectStatement(Span Span, ApplyExpression Call) : StatementSyntax(Span);

/// <summary>The range or list that a loop or a comprehension runs over.</summary>
internal abstract record IterableSyntax(Span Span) : SyntaxNode(Span);

/// <summary>`a:b:step`</summary>
internal sealed record RangeIterable(
    Span Span, ExpressionSyntax Start, ExpressionSyntax End, ExpressionSyntax? Step) : IterableSyntax(Span);

/// <summary>A list.</summary>
internal sealed record ListIterable(Span Span, ExpressionSyntax List) : IterableSyntax(Span);
