// In: a function's `where` conditions. Out: for each a proof, a report of the call that violates it, or a check of
// every call.
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>
    /// Checks the conditions in order and reports the first that does not hold. Conditions that only some calls fulfil
    /// are checked before anything is written: between sizes on entry, of other numbers by an assertion.
    /// </summary>
    private bool Hold(FunctionSyntax syntax)
    {
        foreach (var condition in syntax.Where)
        {
            if (condition is BinaryExpression e && Expression(e.Left) is IntValue a && Expression(e.Right) is IntValue b
                && Holds(e.Operator, a.Size, b.Size, Needed(syntax, condition)) is { } holds)
            {
                if (holds) continue;
                Refuse(syntax, condition, $", which is {a.Size} {SyntaxPrinter.Sign(e.Operator)} {b.Size} here",
                    // A number comes from the function that is called, and no condition of the caller can change it.
                    e.Operator == BinaryOperator.Equal && !a.Size.IsConstant && !b.Size.IsConstant
                        ? Equalize(a.Size, b.Size) : null);
                return false;
            }
            switch (Expression(condition))
            {
                case BoolValue { Truth: true }:
                    break;
                case BoolValue when condition is ApplyExpression { Callee: NameExpression { Name: "are_gradients" } }
                    && OthersGradients(syntax) is var (says, of):
                    Fail(Codes.SizesDiffer, Frame.Site ?? condition.Span, says, null, of);
                    return false;
                case BoolValue:
                    Refuse(syntax, condition, "", null);
                    return false;
                case PoisonValue:
                    return false;
                case TensorValue { DType: DType.Bool, Rank: 0, Indices.IsEmpty: true } t when inEntry && openForms == 0:
                    Emit(new Graph.Assert(Literal(Needed(syntax, condition)), t.Node, []));
                    break;
                case var other:
                    Fail(Codes.TypeMismatch, condition.Span, $"`where` compares numbers, and this is {Describe(other)}",
                        null, "what tensors hold is checked by `assert(…)`");
                    return false;
            }
        }
        return true;
    }

    private void Refuse(FunctionSyntax syntax, ExpressionSyntax condition, string found, string? help) =>
        Fail(Codes.SizesDiffer, Frame.Site ?? condition.Span, $"`{Title(syntax)}` needs {condition.Span.Text}{found}",
            null, help ?? Meanings(condition), new Label(condition.Span, "declared here"));

    /// <summary>What is said where an optimiser is given gradients of something else; null outside of optimisers.
    /// </summary>
    private (string Says, string Help)? OthersGradients(FunctionSyntax syntax)
    {
        if (Frame.Find("gs")?.Value is not ListValue gs || Frame.Self is not { } self
            || self.Hyper.GetValueOrDefault("of").Value is not ListValue of) return null;
        var by = MadeOf().Match(self.Call) is { Success: true } first ? first.Groups[1].Value.Trim() : "…";
        var made = $"{self.Path} was made with {Short(self.Made)}: take the gradients by the same, `wrt: {by}`";
        if (gs.Items.Length != of.Items.Length)
            return ($"`{Title(syntax)}` is given {Quantity.Of(gs.Items.Length, "gradient")} for "
                + $"{Quantity.Of(of.Items.Length, "piece")} of state", made);
        var at = Enumerable.Range(0, gs.Items.Length).First(i => !Shape(gs.Items[i]).SequenceEqual(Shape(of.Items[i])));
        var state = of.Items[at] is StateValue s ? s.Member.Type.Text : Describe(of.Items[at]);
        return ($"gradient {at} that `{Title(syntax)}` is given is {Describe(gs.Items[at])}, and the state "
            + $"{(of.Names is { } names ? names[at] + " " : "")}is {state}", made);

        static ImmutableArray<Size> Shape(Value value) => value switch
        {
            TensorValue t => t.Shape,
            StateValue kept => kept.Member.Type.Shape,
            _ => [],
        };
    }

    /// <summary>A layer goes by its module's name: calls never spell its `apply`.</summary>
    private string Title(FunctionSyntax syntax) => Frame.Self is not { Syntax.Name.Text: var module } ? syntax.Name.Text
        : syntax.Name.Text == "apply" ? module : $"{module}.{syntax.Name.Text}";

    /// <summary>The condition as a message of the call: the user's own call, and what it requires.</summary>
    private string Needed(FunctionSyntax syntax, ExpressionSyntax condition)
    {
        if (Frame.Site is null) return condition.Span.Text;
        var calls = Chain();
        var user = calls.FirstOrDefault(c => !SourceLoader.IsLibrary(c.Span.Source)) ?? calls[0];
        return $"`{Title(syntax)}` at {user.Span.Place} needs {condition.Span.Text}";
    }

    /// <summary>The values of the names in a condition, as a help line; null if the names say it themselves.</summary>
    private string? Meanings(ExpressionSyntax condition)
    {
        var known = Word().Matches(condition.Span.Text).Select(m => m.Value).Distinct()
            .Select(name => (Name: name, Frame.Find(name)?.Value)).Where(n => n.Value is IntValue or FloatValue)
            .Select(n => (n.Name, Value: Plain(n.Value!))).Where(n => n.Name != n.Value).ToList();
        return known.Count == 0 ? null : $"here {string.Join(", ", known.Select(n => $"{n.Name} is {n.Value}"))}";
    }

    private static string Literal(string text) =>
        text.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);

    /// <summary>
    /// Whether two sizes compare this way; a condition that only some calls fulfil becomes a check. Null for `!=`,
    /// which is evaluated instead.
    /// </summary>
    private bool? Holds(BinaryOperator op, Size a, Size b, string why)
    {
        switch (op)
        {
            case BinaryOperator.Equal:
                if (Compare(a, b, why) != Sameness.Different) return true;
                if ((a - b).IsConstant || Frame.Site is not null) return false;
                Graph.Require(new EntryCheck(CheckKind.Equal, a, b, why));
                return true;
            case BinaryOperator.Less: return Holds(BinaryOperator.LessOrEqual, a + 1, b, why);
            case BinaryOperator.Greater: return Holds(BinaryOperator.LessOrEqual, b + 1, a, why);
            case BinaryOperator.GreaterOrEqual: return Holds(BinaryOperator.LessOrEqual, b, a, why);
            case BinaryOperator.LessOrEqual:
                if ((b - a).IsConstant) return (b - a).Value >= 0;
                AtMost(a, b, why);
                return true;
            default: return null;
        }
    }

    [GeneratedRegex(@"^\w+\(([^,()]+)[,)]")]
    private static partial Regex MadeOf();

    [GeneratedRegex(@"[A-Za-z_]\w*")]
    private static partial Regex Word();
}
