// Statements change locals and state and decide what is returned.
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
                    case TensorValue { DType: Runtime.DType.Bool, Rank: 0 } t:
                        Branch(t, s);
                        break;
                    case var condition:
                        BadCondition(condition, s.Condition.Span);
                        Poison(s.Then);
                        if (s.Else is not null) Poison(s.Else);
                        break;
                }
                break;
            case ForStatement f:
                For(f);
                break;
            case WhileStatement w:
                While(w);
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
}
