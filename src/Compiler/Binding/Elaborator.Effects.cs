// `print` and `assert`: decided here if everything is known, else effects of the graph, in program order.
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>The number of effects so far: prints, asserts, assignments to places that callers see.</summary>
    private int effectCount;

    /// <summary>The oldest local that has been assigned since a statement reset this.</summary>
    private long oldestWritten = long.MaxValue;

    /// <summary>A call as a statement: it needs an effect, otherwise it is an error.</summary>
    private bool ForItsEffects(ApplyExpression call)
    {
        var (effects, start) = (effectCount, Local.Next);
        var value = OldestWritten(call, out var oldest);
        oldestWritten = Math.Min(oldest, oldestWritten);
        var assigns = oldest < start;
        if (value is PoisonValue or ListValue { Items.IsEmpty: true } || effectCount > effects || assigns
            || MayHaveEffects(call)) return value is not PoisonValue;
        var place = call.Arguments is [{ Value: NameExpression { Name: var name } }, ..] ? name : null;
        // The last of a function that has a result, as Rust returns it: that nothing is returned is the same mistake.
        if (Frame.Entered is { Result: not null, ExpressionBodied: false, Body.Statements: [.., EffectStatement last] }
            && last.Call == call)
        {
            Fail(Codes.UnusedValue, call.Span, $"nothing takes the value of `{call.Callee.Span.Text}(…)`",
                Describe(value), $"write `return {Short(call.Span)}`: the last value of a block is not its result");
            (Frame.Returned, Frame.HasReturned) = (Value.Poison, true);
            return false;
        }
        Fail(Codes.UnusedValue, call.Span, $"nothing takes the value of `{call.Callee.Span.Text}(…)`",
            Describe(value), (place is null ? $"write `let y = {call.Callee.Span.Text}(…)`"
                : $"write `{place} = {call.Callee.Span.Text}(…)`: values are not changed in place")
                + ", or `return` it");
        return false;
    }

    /// <summary>The value of a call, and the oldest local that it assigns.</summary>
    private Value OldestWritten(ApplyExpression call, out long oldest)
    {
        using var none = new Scope<long>(ref oldestWritten, long.MaxValue);
        var value = Expression(call);
        oldest = oldestWritten;
        return value;
    }

    /// <summary>An `assert` at file level, which is decided at compile time.</summary>
    public Value Check(CheckSyntax check, SourceFile file)
    {
        using var within = Entering(new Frame("", file, null, null, null));
        using var place = new Scope<Span?>(ref userPlace, check.Span);
        ForItsEffects(check.Call);
        return Value.Poison;
    }

    /// <summary>True if the called function has an effect under a condition that does not hold here.</summary>
    private bool MayHaveEffects(ApplyExpression call)
    {
        using var quiet = new Scope<int>(ref muted, muted + 1);
        return Effective(Expression(call.Callee));

        static bool Effective(Value callee) => callee switch
        {
            FunctionValue f => SyntaxPrinter.Children(f.Syntax.Body).Any(c => Acts(c.Node, f.Syntax)),
            InstanceValue { Instance: var i } => i.Members.GetValueOrDefault("apply") is FunctionMember apply
                && Effective(new FunctionValue(apply.Syntax, i.File, i)),
            ListValue layers => layers.Items.Any(Effective),
            _ => false,
        };

        // An effect of its own, or an assignment to a place that it has not declared.
        static bool Acts(SyntaxNode? node, FunctionSyntax function) => node switch
        {
            EffectStatement => true,
            AssignStatement a => a.Places.Any(p => p is not NameExpression n || !Declares(function.Body, n.Name)),
            BlockSyntax or IfStatement or ForStatement or WhileStatement =>
                SyntaxPrinter.Children(node).Any(c => Acts(c.Node, function)),
            _ => false,
        };

        static bool Declares(SyntaxNode node, string name) => SyntaxPrinter.Children(node).Any(c => c.Node switch
        {
            DeclareStatement d => d.Names.Any(n => n.Text == name),
            ForStatement f when f.Names.Any(n => n.Text == name) => true,
            BlockSyntax or IfStatement or ForStatement or WhileStatement => Declares(c.Node, name),
            _ => false,
        });
    }

    private Value Effect(ApplyExpression call)
    {
        var name = ((NameExpression)call.Callee).Name;
        if (openForms > 0)
            return Fail(Codes.EffectInPureForm, call.Span, $"`{name}` inside an index form", null,
                "move it before the form");
        effectCount++;
        if (call.Arguments.FirstOrDefault(a => a.Name is not null) is { } named)
            return Fail(Codes.UnknownArgument, named.Span, $"`{name}` has no named arguments", null,
                $"leave `{named.Name!.Text}:` out");
        var values = call.Arguments.Select(a => Expression(a.Value)).ToList();
        if (values.Any(v => v is PoisonValue)) return Value.Poison;
        return name == "print" ? PrintOf(call, values) : AssertOf(call, values);
    }

    private Value PrintOf(ApplyExpression call, List<Value> values)
    {
        if (values is not [StringValue format, ..])
            return Fail(Codes.TypeMismatch, call.Span, "`print` takes a string first", null,
                $"write `print(\"{string.Join(' ', values.Select(_ => "{}"))}\", "
                    + $"{string.Join(", ", call.Arguments.Select(a => Short(a.Span)))})`");
        if (Formatted(format.Text, values.Skip(1).ToList(), call) is not var (text, nodes)) return Value.Poison;
        if (!inEntry)
            return Fail(Codes.EffectInPureForm, call.Span, "`print` outside a call", null, "print in functions");
        if (pureFrom > 0)
            return Fail(Codes.EffectInPureForm, call.Span, "`print` inside a comprehension", null, "use a `for` loop");
        Emit(new Print(text, nodes));
        return new ListValue([]);
    }

    private Value AssertOf(ApplyExpression call, List<Value> values)
    {
        if (values.Count == 0)
            return Fail(Codes.WrongArgumentCount, call.Span, "`assert` takes a condition, and a message if one helps");
        if (values.Count > 1 && values[1] is not StringValue)
            return Fail(Codes.TypeMismatch, call.Arguments[1].Span,
                $"the message of `assert` is a string, not {Describe(values[1])}");
        var text = values.Count > 1 ? ((StringValue)values[1]).Text
            : call.Arguments[0].Span.Text.Replace("{", "{{", StringComparison.Ordinal);
        if (values[0] is BoolValue known && (known.Truth || region is not { IsBranch: true }))
        {
            if (known.Truth) return new ListValue([]);
            return Fail(Codes.AssertFailed, call.Span, $"assert failed: {Format(text, values.Skip(2))}", null,
                OwnerHelp() ?? (Frame.File.IsLibrary ? Given(call.Arguments[0].Value) : null));
        }
        if (values[0] is not (BoolValue or TensorValue { DType: DType.Bool, Rank: 0 }))
        {
            return Fail(Codes.TypeMismatch, call.Arguments[0].Span,
                $"`assert` takes a truth value, not {Describe(values[0])}", null,
                values[0] is TensorValue { DType: DType.Bool } ? "all of them: `assert(all(c))`" : null);
        }
        if (!inEntry) return Fail(Codes.EffectInPureForm, call.Span, "an `assert` on a tensor outside a call");
        if (Formatted(text, values.Skip(2).ToList(), call) is not var (message, nodes)) return Value.Poison;
        if (Realize(values[0], DType.Bool, call.Arguments[0].Span) is not { } condition) return Value.Poison;
        Emit(new Graph.Assert($"{call.Span.Place}: {message}", condition.Node, nodes));
        return new ListValue([]);
    }

    /// <summary>The arguments that a library module received for the names in a condition, as a help line.</summary>
    private string? Given(ExpressionSyntax condition)
    {
        var known = Frame.Self?.Hyper.Where(h => Names(condition).Contains(h.Key)
            && h.Value.Value is IntValue or FloatValue).Select(h => $"{h.Key} is {Plain(h.Value.Value)}").ToList();
        return known is { Count: > 0 } ? $"here {string.Join(", ", known)}" : null;
    }

    /// <summary>
    /// The format with strings inserted, and a tensor for each `{}` or `{:.4}` that is left. Null after a diagnostic.
    /// </summary>
    private (string Text, ImmutableArray<Node> Nodes)? Formatted(string format, List<Value> values,
        ApplyExpression call)
    {
        var holes = Hole().Matches(format);
        var wrong = holes.FirstOrDefault(
            h => h.Groups[1].Value is not ("" or ":") && !Precision().IsMatch(h.Groups[1].Value));
        if (wrong is not null)
        {
            Fail(Codes.TypeMismatch, call.Span, $"the format {wrong.Value} is not known", null,
                "`{}` prints a value, `{:.4}` with four digits, `{:.4f}` with four behind the point");
            return null;
        }
        if (holes.Count != values.Count)
        {
            Fail(Codes.WrongArgumentCount, call.Span,
                $"the format has {Quantity.Of(holes.Count, "place")}, {Quantity.Are(values.Count)} given", null,
                holes.Count < values.Count ? CFormat().Count(format) is var c && c == values.Count && holes.Count == 0
                    ? $"a value has a place `{{}}`: `\"{CFormat().Replace(format, "{}")}\"`"
                    : $"a value has a place `{{}}`: `\"{string.Join(' ', values.Skip(holes.Count).Select(_ => "{}")
                        .Prepend(format.TrimEnd()))}\"`"
                    : "each place `{}` takes a value behind the text; a brace is written `{{`");
            return null;
        }
        var nodes = ImmutableArray.CreateBuilder<Node>();
        var text = new System.Text.StringBuilder();
        var at = 0;
        for (var i = 0; i < values.Count; i++)
        {
            text.Append(format, at, holes[i].Index - at);
            at = holes[i].Index + holes[i].Length;
            if (values[i] is StringValue or ListValue or DTypeValue)
            {
                if (Leaves(values[i]).Any())
                {
                    Fail(Codes.TypeMismatch, call.Span, $"{Describe(values[i])} is not printed", null,
                        "print its elements one by one");
                    return null;
                }
                text.Append(Literal(Plain(values[i])));
                continue;
            }
            var dtype = values[i] switch
            {
                BoolValue => DType.Bool,
                IntValue => DType.I64,
                WideValue => DType.U64,
                _ => DType.F64,
            };
            if (Realize(values[i], dtype, call.Arguments[0].Span) is not { } tensor) return null;
            text.Append(holes[i].Value);
            nodes.Add(tensor.Node);
        }
        return (text.Append(format, at, format.Length - at).ToString(), nodes.ToImmutable());
    }

    /// <summary>C's and Python's `%d`, `%.3f`.</summary>
    [GeneratedRegex(@"%[0-9.]*[a-z]")]
    private static partial Regex CFormat();

    // A placeholder, but no doubled brace.
    [GeneratedRegex(@"(?<!\{)\{([^{}]*)\}")]
    private static partial Regex Hole();

    [GeneratedRegex(@"^:\.[0-9]{1,2}f?$")]
    private static partial Regex Precision();

    private static string Format(string text, IEnumerable<Value> values)
    {
        foreach (var value in values)
        {
            var (open, close) = (text.IndexOf('{', StringComparison.Ordinal),
                text.IndexOf('}', StringComparison.Ordinal));
            if (open < 0 || close < open) break;
            text = text[..open] + Plain(value) + text[(close + 1)..];
        }
        return text;
    }

    private static string Plain(Value value) => value switch
    {
        IntValue i => i.Size.Text,
        WideValue w => $"{w.Number}",
        FloatValue f => ConstText.Float(f.Number),
        StringValue s => s.Text,
        ListValue l => "[" + string.Join(", ", l.Items.Select(Plain)) + "]",
        _ => Describe(value),
    };
}
