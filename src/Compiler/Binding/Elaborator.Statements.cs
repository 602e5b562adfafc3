// Statements change locals and state and decide what is returned.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private readonly Dictionary<BlockSyntax, bool> mayReturn = new(ReferenceEqualityComparer.Instance);

    private void Statements(ImmutableArray<StatementSyntax> statements, int from = 0)
    {
        for (var i = from; i < statements.Length && !Frame.HasReturned; i++)
        {
            if (!Frame.File.IsLibrary) userPlace = statements[i].Span;
            if (statements[i] is IfStatement s) Conditional(s, MayReturn(s) ? Rest(statements, i + 1) : null);
            else Statement(statements[i]);
        }
    }

    /// <summary>
    /// The statements that follow in this list and the lists around it, to be evaluated from within: a branch that does
    /// not return continues there. It sees the blocks that are open here, and leaves them as they are.
    /// </summary>
    private Action Rest(ImmutableArray<StatementSyntax> statements, int from)
    {
        var (after, depth) = (Frame.After, Frame.Blocks.Count);
        return () =>
        {
            using var blocks = new Scope<List<Dictionary<string, Local>>>(ref Frame.Blocks,
                [.. Frame.Blocks.Take(depth).Select(b => new Dictionary<string, Local>(b))]);
            using var then = new Scope<Action?>(ref Frame.After, after);
            Statements(statements, from);
            if (!Frame.HasReturned) after?.Invoke();
        };
    }

    /// <summary>
    /// An `if`; `rest` is the code after it, if it may return, so that a branch that does not can continue.
    /// </summary>
    private void Conditional(IfStatement s, Action? rest)
    {
        switch (Expression(s.Condition))
        {
            case BoolValue b:
                var (taken, other) = b.Truth ? (s.Then, s.Else) : (s.Else, s.Then);
                if (taken is not null) Block(taken, rest ?? Frame.After);
                if (other is not null && IsOverIndex(s.Condition)) Like(other);
                return;
            case TensorValue { DType: DType.Bool, Rank: 0 } when rest is not null && Frame.InLoop:
                Limit(s.Condition.Span, "a `return` under an `if` on a run-time value in a loop",
                    "assign to a local, and return it behind the loop");
                break;
            case TensorValue { DType: DType.Bool, Rank: 0 } t:
                Branch(t, s, rest);
                return;
            case PoisonValue:
                break;
            case var condition:
                BadCondition(condition, s.Condition.Span);
                break;
        }
        Poison(s.Then);
        if (s.Else is not null) Poison(s.Else);
    }

    /// <summary>
    /// Gives numbers the dtypes that a branch of an index form would have given them though no element takes it: types
    /// do not depend on extents.
    /// </summary>
    private void Like(BlockSyntax branch)
    {
        var tried = Tried(() =>
        {
            using var returned = new Scope<Value>(ref Frame.Returned, Frame.Returned);
            using var hasReturned = new Scope<bool>(ref Frame.HasReturned, false);
            var inline = Inline();
            using (Inside(inline)) Block(branch, null);
            if (Frame is { HasReturned: true, Returned: TensorValue { Rank: 0 } result })
                Frame.ReturnsLike = result.DType;
            return inline;
        });
        foreach (var (local, value) in tried.Assigned)
            if (local.Value is WeakValue number && value is TensorValue { Rank: 0 } like
                && Realize(number, like.DType, branch.Span) is { } realized) Write(local, realized);
    }

    private bool MayReturn(IfStatement s) => MayReturn(s.Then) || (s.Else is not null && MayReturn(s.Else));

    private bool MayReturn(BlockSyntax block)
    {
        // Cached: each `else if` of a long chain asks about all that follow it.
        if (!mayReturn.TryGetValue(block, out var may))
        {
            may = mayReturn[block] = block.Statements.Any(s => s switch
            {
                ReturnStatement => true,
                IfStatement i => MayReturn(i),
                ForStatement f => MayReturn(f.Body),
                WhileStatement w => MayReturn(w.Body),
                _ => false,
            });
        }
        return may;
    }

    private void Block(BlockSyntax block) => Block(block, Frame.After);

    /// <summary>`after` is the code that follows the block, up to the end of the function.</summary>
    private void Block(BlockSyntax block, Action? after)
    {
        using var then = new Scope<Action?>(ref Frame.After, after);
        using var own = Frame.Block();
        Statements(block.Statements);
        foreach (var (name, local) in Frame.Blocks[^1]) Frame.Ended[name] = local.Span;
    }

    private void Statement(StatementSyntax statement)
    {
        StatementCount++;
        switch (statement)
        {
            case DeclareStatement d:
                var values = Unpack(d.Names, Declared(d.Type, Expression(d.Value), d.Value.Span), d.Value.Span);
                for (var i = 0; i < d.Names.Length; i++) Introduce(d.Names[i], values[i], IsOverIndex(d.Value));
                break;
            case AssignStatement a:
                Assign(a);
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
                ForItsEffects(e.Call);
                break;
        }
    }

    /// <summary>A `let` of a function: it may not hide a local of an outer block.</summary>
    private void Introduce(NameToken name, Value value, bool isOverIndex = false)
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
        Frame.Declare(name.Text, value, name.Span, isOverIndex);
    }

    /// <summary>
    /// The places that a block would have changed become poison if it cannot be elaborated, so that errors do not
    /// cascade.
    /// </summary>
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
                        if (root is NameExpression n && Frame.Find(n.Name) is { Alias: null } local)
                            Write(local, Value.Poison);
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
