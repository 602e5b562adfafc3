// The records of files, declarations and types: the parser's output for the first half of grammar/Acc.g4.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Compiler.Syntax;

/// <summary>Any node; the span covers all of its text.</summary>
internal abstract record SyntaxNode(Span Span);

/// <summary>A name and its place.</summary>
internal sealed record NameToken(string Text, Span Span) : SyntaxNode(Span);

/// <summary>A whole file.</summary>
internal sealed record FileSyntax(
    Span Span, ImmutableArray<UseSyntax> Uses, ImmutableArray<ItemSyntax> Items) : SyntaxNode(Span)
{
    /// <summary>The comment at the top of the file, unless it documents the first declaration.</summary>
    public string? Documentation { get; init; }
}

/// <summary>`use blocks.attention`</summary>
internal sealed record UseSyntax(Span Span, ImmutableArray<NameToken> Path) : SyntaxNode(Span);

// ---- declarations ------------------------------------------------------------------------------------------------

/// <summary>A declaration in a file or a module.</summary>
internal abstract record ItemSyntax(Span Span) : SyntaxNode(Span)
{
    /// <summary>The comment directly above, without its `#`.</summary>
    public string? Documentation { get; init; }
}

/// <summary>`module Linear(i, o) { … }`</summary>
internal sealed record ModuleSyntax(
    Span Span, NameToken Name, ImmutableArray<ParameterSyntax> Parameters, ImmutableArray<ItemSyntax> Items)
    : ItemSyntax(Span);

/// <summary>
/// `export fn f(x: f32[n]) -> f32[n] where … { … }`. With `= e` the body is a block of one return, and
/// <see cref="ExpressionBodied"/> is set. A `composite fn` stays one call in the graph until `decompose`.
/// </summary>
internal sealed record FunctionSyntax(
    Span Span, bool Exported, bool IsComposite, NameToken Name, ImmutableArray<ParameterSyntax> Parameters,
    ResultSyntax? Result, ImmutableArray<ExpressionSyntax> Where, BlockSyntax Body, bool ExpressionBodied)
    : ItemSyntax(Span);

internal enum StateKind
{
    Param,
    Buffer,
}

/// <summary>`param weight: f32[o, i] = 0`, or `buffer`.</summary>
internal sealed record StateSyntax(
    Span Span, StateKind Kind, NameToken Name, TypeSyntax? Type, ExpressionSyntax Value) : ItemSyntax(Span);

/// <summary>`let fc = Linear(3, 4)` among declarations.</summary>
internal sealed record ConstantSyntax(
    Span Span, ImmutableArray<NameToken> Names, TypeSyntax? Type, ExpressionSyntax Value) : ItemSyntax(Span);

/// <summary>`if biased { param … } else { … }` among declarations.</summary>
internal sealed record ConditionalItemSyntax(
    Span Span, ExpressionSyntax Condition, ImmutableArray<ItemSyntax> Then, ImmutableArray<ItemSyntax> Else)
    : ItemSyntax(Span);

/// <summary>`weights { "model.**" -> "$1" }`</summary>
internal sealed record WeightsSyntax(Span Span, ImmutableArray<RenameSyntax> Renames) : ItemSyntax(Span);

/// <summary>`"key in the file" -> "path here"`; no target for `_`.</summary>
internal sealed record RenameSyntax(Span Span, StringLiteral Source, ImmutableArray<StringLiteral> Targets,
    bool IsOptional) : SyntaxNode(Span);

/// <summary>`assert(…)` among declarations.</summary>
internal sealed record CheckSyntax(Span Span, ApplyExpression Call) : ItemSyntax(Span);

/// <summary>`inout cache: f32[n] = 0`; without a type it is an int.</summary>
internal sealed record ParameterSyntax(
    Span Span, bool Inout, NameToken Name, TypeSyntax? Type, ExpressionSyntax? Default) : SyntaxNode(Span);

/// <summary>The result types after `->`: one field without a name, or several.</summary>
internal sealed record ResultSyntax(Span Span, ImmutableArray<FieldSyntax> Fields) : SyntaxNode(Span);

/// <summary>`loss: f32`; the name may be missing.</summary>
internal sealed record FieldSyntax(Span Span, NameToken? Name, TypeSyntax Type) : SyntaxNode(Span);

// ---- types -------------------------------------------------------------------------------------------------------

internal abstract record TypeSyntax(Span Span) : SyntaxNode(Span);

/// <summary>`f32[n, 2 * h]`, `int`, `Linear`. <see cref="Bracketed"/> distinguishes `f32[]` from `f32`.</summary>
internal sealed record NamedType(
    Span Span, NameToken Name, ImmutableArray<DimSyntax> Dims, bool Bracketed) : TypeSyntax(Span);

/// <summary>`[int]`</summary>
internal sealed record ListType(Span Span, TypeSyntax Element) : TypeSyntax(Span);

/// <summary>`fn`</summary>
internal sealed record FunctionType(Span Span) : TypeSyntax(Span);

/// <summary>A type that could not be read; it has been reported.</summary>
internal sealed record ErrorType(Span Span) : TypeSyntax(Span);

/// <summary>One entry between a type's brackets.</summary>
internal abstract record DimSyntax(Span Span) : SyntaxNode(Span);

/// <summary>`..` or `..s`</summary>
internal sealed record GroupDim(Span Span, NameToken? Name) : DimSyntax(Span);

/// <summary>`_`</summary>
internal sealed record AnyDim(Span Span) : DimSyntax(Span);

/// <summary>`n`, `2 * h`</summary>
internal sealed record SizeDim(Span Span, ExpressionSyntax Size) : DimSyntax(Span);
