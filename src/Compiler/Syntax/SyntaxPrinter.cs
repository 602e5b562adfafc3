// In: a syntax tree. Out: an indented text, the same for the same tree: `accc dump --stage syntax`.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Compiler.Syntax;

/// <summary>One line per node: kind, its own content, then its children two spaces further in. No spans.</summary>
internal static class SyntaxPrinter
{
    public static string Print(SyntaxNode node) => Nesting.Deeply(() =>
    {
        var text = new StringBuilder();
        Write(text, 0, "", node);
        return text.ToString();
    });

    private static void Write(StringBuilder text, int depth, string role, SyntaxNode node)
    {
        text.Append(' ', 2 * depth).Append(role).Append(Head(node)).Append('\n');
        foreach (var (childRole, child) in Children(node))
        {
            if (child is not null)
            {
                Write(text, depth + 1, childRole, child);
            }
        }
    }

    private static string Head(SyntaxNode node) => node switch
    {
        FileSyntax n => "file" + Doc(n.Documentation),
        UseSyntax n => "use " + string.Join('.', n.Path.Select(p => p.Text)),
        ModuleSyntax n => $"module {n.Name.Text}{Doc(n.Documentation)}",
        FunctionSyntax n => $"{(n.Exported ? "export " : "")}{(n.IsComposite ? "composite " : "")}fn {n.Name.Text}"
            + (n.ExpressionBodied ? " =" : "") + Doc(n.Documentation),
        StateSyntax n => $"{(n.Kind == StateKind.Param ? "param" : "buffer")} {n.Name.Text}{Doc(n.Documentation)}",
        ConstantSyntax n => $"let {Names(n.Names)}{Doc(n.Documentation)}",
        ConditionalItemSyntax n => "if item" + Doc(n.Documentation),
        WeightsSyntax n => "weights" + Doc(n.Documentation),
        CheckSyntax n => "check" + Doc(n.Documentation),
        RenameSyntax n => $"rename {Quote(n.Source.Value)} -> "
            + (n.Targets.IsEmpty ? "_" : string.Join(", ", n.Targets.Select(t => Quote(t.Value))))
            + (n.IsOptional ? " optional" : ""),
        ParameterSyntax n => $"parameter {(n.Inout ? "inout " : "")}{n.Name.Text}",
        ResultSyntax => "result",
        FieldSyntax n => "field" + Named(n.Name),
        NamedType n => $"type {n.Name.Text}{(n.Bracketed ? "[]" : "")}",
        ListType => "list type",
        FunctionType => "type fn",
        ErrorType => "error",
        GroupDim n => "group" + Named(n.Name),
        AnyDim => "any",
        SizeDim => "size",
        BlockSyntax => "block",
        DeclareStatement n => $"let {Names(n.Names)}",
        AssignStatement n => "assign " + n.Operator switch
        {
            AssignOperator.Add => "+=",
            AssignOperator.Subtract => "-=",
            AssignOperator.Multiply => "*=",
            AssignOperator.Divide => "/=",
            _ => "=",
        },
        IfStatement => "if",
        ForStatement n => $"for {Names(n.Names)}",
        WhileStatement => "while",
        ReturnStatement => "return",
        EffectStatement => "effect",
        RangeIterable => "range",
        ListIterable => "over",
        MemberExpression n => $"member {n.Name.Text}",
        ApplyExpression => "apply",
        SelectExpression => "select",
        BinaryExpression n => Sign(n.Operator),
        NegateExpression => "negate",
        NotExpression => "not",
        PipeExpression => "|>",
        MapExpression => "map",
        ComprehensionExpression n => $"comprehension {Names(n.Names)}",
        ListExpression => "list",
        IfExpression => "if value",
        IntegerLiteral n => n.Value.ToString(CultureInfo.InvariantCulture),
        FloatLiteral n => Float(n.Value),
        StringLiteral n => Quote(n.Value),
        BooleanLiteral n => n.Value ? "true" : "false",
        NameExpression n => $"name {n.Name}",
        ErrorExpression => "error",
        ArgumentSyntax n => "argument" + Named(n.Name) + (n.Inout ? " inout" : ""),
        ElementSyntax n => n.Splice ? "splice" : "element",
        GroupIndex n => "group" + Named(n.Name),
        NamedIndex n => $"index {n.Name.Text}",
        GroupSubscript n => "group" + Named(n.Name),
        SliceSubscript => "slice",
        ValueSubscript => "at",
        NameToken n => n.Text,
        _ => throw new NotSupportedException(node.GetType().Name),
    };

    /// <summary>The parts of a node, in the order of the text, with their roles.</summary>
    internal static IEnumerable<(string Role, SyntaxNode? Node)> Children(SyntaxNode node) => node switch
    {
        FileSyntax n => [.. All(n.Uses), .. All(n.Items)],
        ModuleSyntax n => [.. All(n.Parameters), .. All(n.Items)],
        FunctionSyntax n => [.. All(n.Parameters), ("", n.Result), .. All(n.Where, "where "), ("", n.Body)],
        StateSyntax n => [("", n.Type), ("", n.Value)],
        ConstantSyntax n => [("", n.Type), ("", n.Value)],
        ConditionalItemSyntax n => [("", n.Condition), .. All(n.Then, "then "), .. All(n.Else, "else ")],
        WeightsSyntax n => All(n.Renames),
        CheckSyntax n => [("", n.Call)],
        ParameterSyntax n => [("", n.Type), ("default ", n.Default)],
        ResultSyntax n => All(n.Fields),
        FieldSyntax n => [("", n.Type)],
        NamedType n => All(n.Dims),
        ListType n => [("", n.Element)],
        SizeDim n => [("", n.Size)],
        BlockSyntax n => All(n.Statements),
        DeclareStatement n => [("", n.Type), ("", n.Value)],
        AssignStatement n => [.. All(n.Places, "place "), ("", n.Value)],
        IfStatement n => [("", n.Condition), ("then ", n.Then), ("else ", n.Else)],
        ForStatement n => [("", n.Iterable), ("", n.Body)],
        WhileStatement n => [("", n.Condition), ("", n.Body)],
        ReturnStatement n => All(n.Values),
        EffectStatement n => [("", n.Call)],
        RangeIterable n => [("from ", n.Start), ("to ", n.End), ("step ", n.Step)],
        ListIterable n => [("", n.List)],
        MemberExpression n => [("", n.Target)],
        ApplyExpression n => [("", n.Callee), .. All(n.Arguments)],
        SelectExpression n => [("", n.Target), .. All(n.Subscripts)],
        BinaryExpression n => [("", n.Left), ("", n.Right)],
        NegateExpression n => [("", n.Operand)],
        NotExpression n => [("", n.Operand)],
        PipeExpression n => [("", n.Left), ("", n.Right)],
        MapExpression n => [.. All(n.Indices), ("", n.Body)],
        ComprehensionExpression n => [("", n.Element), ("", n.Iterable), ("if ", n.Condition)],
        ListExpression n => All(n.Elements),
        IfExpression n => [("", n.Condition), ("then ", n.Then), ("else ", n.Else)],
        ArgumentSyntax n => [("", n.Value)],
        ElementSyntax n => [("", n.Value)],
        NamedIndex n => [("", n.Extent)],
        SliceSubscript n => [("from ", n.Start), ("to ", n.End), ("step ", n.Step)],
        ValueSubscript n => [("", n.Value)],
        _ => [],
    };

    private static (string Role, SyntaxNode? Node)[] All<T>(ImmutableArray<T> nodes, string role = "")
        where T : SyntaxNode => [.. nodes.Select(n => (role, (SyntaxNode?)n))];

    /// <summary>An operator as it is written.</summary>
    public static string Sign(BinaryOperator op) => op switch
    {
        BinaryOperator.Power => "**",
        BinaryOperator.Multiply => "*",
        BinaryOperator.Divide => "/",
        BinaryOperator.FloorDivide => "//",
        BinaryOperator.Modulo => "%",
        BinaryOperator.Contract => "@",
        BinaryOperator.Add => "+",
        BinaryOperator.Subtract => "-",
        BinaryOperator.Equal => "==",
        BinaryOperator.NotEqual => "!=",
        BinaryOperator.Less => "<",
        BinaryOperator.LessOrEqual => "<=",
        BinaryOperator.Greater => ">",
        BinaryOperator.GreaterOrEqual => ">=",
        BinaryOperator.And => "and",
        _ => "or",
    };

    private static string Names(ImmutableArray<NameToken> names) => string.Join(", ", names.Select(n => n.Text));

    private static string Named(NameToken? name) => name is null ? "" : " " + name.Text;

    private static string Doc(string? text) => text is null ? "" : "  # " + text.Replace("\n", "\\n");

    private static string Float(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny(".E") < 0 ? text + ".0" : text;
    }

    private static string Quote(string text) => "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"")
        .Replace("\n", "\\n").Replace("\t", "\\t").Replace("\r", "\\r") + "\"";
}
