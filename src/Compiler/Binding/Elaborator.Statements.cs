// Statements change locals and decide what is returned; what needs the run-time (loops, state) answers with a
// limitation.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private void Statements(ImmutableArray<StatementSyntax> statements)
    {
        foreach (var statement in statements)
        {
            if (Frame.HasReturned) return;
            if (!Frame.File.IsLibrary) userPlace = statement.Span;
            Statement(statement);
        }
    }

    private void Block(BlockSyntax block)
    {
        Frame.Blocks.Add([]);
        Statements(block.Statements);
        Frame.Blocks.RemoveAt(Frame.Blocks.Count - 1);
    }

    private void Statement(StatementSyntax statement)
    {
        switch (statement)
        {
            case DeclareStatement d:
                var values = Unpack(d.Names, Declared(d.Type, Expression(d.Value), d.Value.Span), d.Value.Span);
                for (var i = 0; i < d.Names.Length; i++) Introduce(d.Names[i], values[i]);
                break;
            case AssignStatement a:
                Assign(a);
                break;
            case IfStatement s:
                switch (Expression(s.Condition))
                {
                    case BoolValue b:
                        if (b.Truth) Block(s.Then);
                        else if (s.Else is not null) Block(s.Else);
                        break;
                    case PoisonValue:
                        Poison(s.Then);
                        if (s.Else is not null) Poison(s.Else);
                        break;
                    case var condition:
                        BadCondition(condition, s.Condition.Span);
                        Poison(s.Then);
                        if (s.Else is not null) Poison(s.Else);
                        break;
                }
                break;
            case ForStatement f:
                if (Iterate(f.Iterable) is not { } list)
                {
                    Poison(f.Body);
                    break;
                }
                foreach (var item in list.Items)
                {
                    if (Frame.HasReturned) break;
                    Frame.Blocks.Add([]);
                    var parts = Unpack(f.Names, item, f.Iterable.Span);
                    for (var i = 0; i < parts.Length; i++) Introduce(f.Names[i], parts[i]);
                    Block(f.Body);
                    Frame.Blocks.RemoveAt(Frame.Blocks.Count - 1);
                }
                break;
            case WhileStatement w:
                Limit(w.Condition.Span, "`while`");
                Poison(w.Body);
                break;
            case ReturnStatement r:
                var results = r.Values.Select(Expression).ToImmutableArray();
                Frame.Returned = results.Length == 1 ? results[0]
                    : results.Any(v => v is PoisonValue) ? Value.Poison : new ListValue(results);
                Frame.HasReturned = true;
                break;
            case EffectStatement e:
                Expression(e.Call);
                break;
        }
    }

    /// <summary>A `let` of a function: it may not hide a local of an outer block.</summary>
    private void Introduce(NameToken name, Value value)
    {
        for (var i = 0; i < Frame.Blocks.Count - 1; i++)
        {
            if (!Frame.Blocks[i].TryGetValue(name.Text, out var outer)) continue;
            Fail(Codes.HiddenInBlock, name.Span,
                $"`{name.Text}` is declared outside this block, so this `let` would change nothing there",
                null, $"write `{name.Text} = …` to change it, or take another name",
                    new Label(outer.Span, "declared here"));
            break;
        }
        Frame.Declare(name.Text, value, name.Span);
    }

    /// <summary>What a block that cannot be followed would have changed is poison, so that nothing cascades.</summary>
    private void Poison(BlockSyntax block)
    {
        foreach (var statement in block.Statements)
        {
            switch (statement)
            {
                case AssignStatement a:
                    foreach (var place in a.Places)
                    {
                        var root = place;
                        while (root is MemberExpression or SelectExpression)
                            root = root is MemberExpression m ? m.Target : ((SelectExpression)root).Target;
                        if (root is NameExpression n && Frame.Find(n.Name) is { } local) local.Value = Value.Poison;
                    }
                    break;
                case IfStatement s:
                    Poison(s.Then);
                    if (s.Else is not null) Poison(s.Else);
                    break;
                case ForStatement f:
                    Poison(f.Body);
                    break;
                case WhileStatement w:
                    Poison(w.Body);
                    break;
                case ReturnStatement:
                    Frame.Returned = Value.Poison;
                    Frame.HasReturned = true;
                    break;
            }
        }
    }

    private void Assign(AssignStatement a)
    {
        var value = Expression(a.Value);
        var values = Unpack([.. a.Places.Select(p => new NameToken(p.Span.Text, p.Span))], value, a.Value.Span);
        for (var i = 0; i < a.Places.Length; i++) AssignPlace(a, a.Places[i], values[i]);
    }

    private void AssignPlace(AssignStatement a, ExpressionSyntax place, Value value)
    {
        switch (place)
        {
            case NameExpression n when Frame.Find(n.Name) is { } local:
                if (a.Operator != AssignOperator.Set) value = Combined(a, local.Value, place.Span, value);
                // A tensor keeps its type in a straight line only by choice: nothing carries it round a loop here.
                local.Value = value;
                break;
            case NameExpression n when Frame.Self is { } self && self.Members.TryGetValue(n.Name, out var member):
                if (member is StateMember) Limit(place.Span, "assignment to state");
                else Fail(Codes.NotAssignable, place.Span, $"`{n.Name}` cannot be assigned", null,
                    "only `param`, `buffer`, locals and `inout` parameters change",
                        new Label(member.Span, "declared here"));
                break;
            case NameExpression n:
                if (Frame.Self is { } s && s.Hyper.ContainsKey(n.Name) || Frame.File.Items.ContainsKey(n.Name))
                {
                    Fail(Codes.NotAssignable, place.Span, $"`{n.Name}` cannot be assigned", null,
                        "only `param`, `buffer`, locals and `inout` parameters change");
                    break;
                }
                Fail(Codes.Undeclared, place.Span, $"`{n.Name}` is not declared", null,
                    Spelling.Nearest(n.Name, Frame.Blocks.SelectMany(b => b.Keys)) is { } near
                        ? $"did you mean `{near}`? `let {n.Name} = …` would introduce it"
                            : $"introduce it: `let {n.Name} = …`");
                Frame.Declare(n.Name, Value.Poison, n.Span);
                break;
            case SelectExpression:
                Limit(place.Span, "assignment to a part of a value");
                Spoil(place);
                break;
            case MemberExpression:
                Limit(place.Span, "assignment to state");
                break;
        }
    }

    private void Spoil(ExpressionSyntax place)
    {
        while (place is SelectExpression s) place = s.Target;
        if (place is NameExpression n && Frame.Find(n.Name) is { } local) local.Value = Value.Poison;
    }

    private Value Combined(AssignStatement a, Value old, Span oldSpan, Value value) => Operate(a.Operator switch
    {
        AssignOperator.Add => BinaryOperator.Add,
        AssignOperator.Subtract => BinaryOperator.Subtract,
        AssignOperator.Multiply => BinaryOperator.Multiply,
        _ => BinaryOperator.Divide,
    }, old, value, a.OperatorSpan, oldSpan, a.Value.Span);

    /// <summary>
    /// `assert` on constants is decided here; `print` and run-time asserts are effects, not built
    /// yet.
    /// </summary>
    private Value Effect(ApplyExpression call)
    {
        var name = ((NameExpression)call.Callee).Name;
        if (openForms > 0)
            return Fail(Codes.EffectInPureForm, call.Span, $"`{name}` inside an index form", null,
                "move it before the form");
        if (name == "print") return Limit(call.Span, "`print`");
        var values = call.Arguments.Select(a => Expression(a.Value)).ToList();
        if (values.Any(v => v is PoisonValue)) return Value.Poison;
        if (values.Count == 0)
            return Fail(Codes.WrongArgumentCount, call.Span, "`assert` takes a condition, and a message if one helps");
        if (values[0] is not BoolValue condition)
        {
            return values[0] is TensorValue { DType: Runtime.DType.Bool, Rank: 0 }
                ? Limit(call.Span, "an `assert` on a run-time value")
                : Fail(Codes.TypeMismatch, call.Arguments[0].Span,
                    $"`assert` takes a truth value, not {Describe(values[0])}");
        }
        if (condition.Truth) return new ListValue([]);
        var message = values.Count > 1 && values[1] is StringValue text ? Format(text.Text, values.Skip(2))
            : call.Arguments[0].Span.Text;
        return Fail(Codes.AssertFailed, call.Span, $"assert failed: {message}", null, OwnerHelp());
    }

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
        FloatValue f => ConstText.Float(f.Number),
        StringValue s => s.Text,
        ListValue l => "[" + string.Join(", ", l.Items.Select(Plain)) + "]",
        _ => Describe(value),
    };
}
