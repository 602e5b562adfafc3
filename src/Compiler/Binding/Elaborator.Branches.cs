// `if` on a value that only the call knows: both branches become regions, and their assignments are merged.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>The source places for messages about two branches that disagree.</summary>
    private sealed record Meeting(Span Span, Span Then, Span Else);

    private void Branch(TensorValue condition, IfStatement s, Action? rest)
    {
        var spans = new Meeting(s.Condition.Span, s.Then.Span, s.Else?.Span ?? s.Then.Span);
        var frame = Frame;
        Branches(condition, spans, () => Arm(s.Then), () => Arm(s.Else));

        void Arm(BlockSyntax? block)
        {
            if (block is not null) Block(block, rest ?? frame.After);
            if (rest is null || frame.HasReturned) return;
            // A branch that does not return goes on to the end of the function, where the two meet.
            rest();
            frame.HasReturned = true;
        }
    }

    /// <summary>An `if` that is a value: both branches assign it to a local without a name.</summary>
    private Value Branch(TensorValue condition, IfExpression e)
    {
        var result = new Local(Value.Poison, e.Span);
        Branches(condition, new Meeting(e.Span, e.Then.Span, e.Else.Span),
            () => Write(result, Expression(e.Then)), () => Write(result, Expression(e.Else)));
        return result.Value;
    }

    private void Branches(TensorValue condition, Meeting spans, Action then, Action otherwise)
    {
        if (openForms > 0)
        {
            Selected(condition, spans, then, otherwise);
            return;
        }
        var frame = Frame;
        var (a, returnedA) = Arm("then", then);
        var (b, returnedB) = Arm("else", otherwise);
        var locals = a.Assigned.Concat(b.Assigned).Select(w => w.Local).Distinct().ToList();
        var meet = locals.Select(l => (Target: (Local?)l, A: After(a, l), B: After(b, l))).ToList();
        if (returnedA is not null && returnedB is not null) meet.Add((null, returnedA, returnedB));

        var merged = meet.Select(m => (m.Target, Both: Unified(a, b, m.A, m.B, spans, NameOf(m.Target)))).ToList();
        var resultsA = merged.SelectMany(m => m.Both is var (x, _) ? Leaves(x) : []).Select(t => Import(a, t.Node))
            .ToList();
        var resultsB = merged.SelectMany(m => m.Both is var (_, y) ? Leaves(y) : []).Select(t => Import(b, t.Node))
            .ToList();
        var operands = a.Used(resultsA).Union(b.Used(resultsB)).ToList();
        Spend(RegionWork * (a.Graph.Nodes.Count + b.Graph.Nodes.Count));
        var leaves = new Queue<TensorValue>();
        if (resultsA.Count > 0 || a.Graph.Effects.Count > 0 || b.Graph.Effects.Count > 0)
        {
            // Both regions take the same operands, which follow the condition.
            var made =
                new If(a.Sealed([], operands, resultsA), b.Sealed([], operands, resultsB),
                    [Import(condition.Node), .. operands]);
            foreach (var leaf in ResultsOf(made)) leaves.Enqueue(leaf);
        }
        foreach (var (target, both) in merged)
        {
            var value = both is var (x, _) ? Rebuilt(x, leaves) : Value.Poison;
            if (target is not null) Write(target, value);
            else (frame.Returned, frame.HasReturned) = (value, true);
        }

        (Region, Value? Returned) Arm(string kind, Action branch)
        {
            var arm = Made(kind, isBranch: true);
            using var inside = Inside(arm);
            return (arm, ReturnedBy(branch, frame));
        }

        static Value After(Region arm, Local local) =>
            arm.Assigned.FirstOrDefault(w => w.Local == local) is { Local: not null } w ? w.After : local.Value;
    }

    /// <summary>The value that a branch returns, if it does; otherwise the function goes on after it.</summary>
    private static Value? ReturnedBy(Action branch, Frame frame)
    {
        using var returned = new Scope<Value>(ref frame.Returned, frame.Returned);
        using var hasReturned = new Scope<bool>(ref frame.HasReturned, false);
        branch();
        return frame.HasReturned ? frame.Returned : null;
    }

    /// <summary>In an index form both branches are computed, and each value is selected.</summary>
    private void Selected(TensorValue condition, Meeting spans, Action then, Action otherwise)
    {
        var frame = Frame;
        var (a, returnedA) = Under(condition, true, () => Arm(then));
        var (b, returnedB) = Under(condition, false, () => Arm(otherwise));
        foreach (var local in a.Concat(b).Select(w => w.Local).Distinct())
        {
            var (x, y) = (a.Where(w => w.Local == local).Select(w => w.After).FirstOrDefault(local.Value),
                b.Where(w => w.Local == local).Select(w => w.After).FirstOrDefault(local.Value));
            Write(local, Chosen(x, y));
        }
        if (returnedA is not null && returnedB is not null)
            (frame.Returned, frame.HasReturned) = (Chosen(returnedA, returnedB), true);

        Value Chosen(Value x, Value y) => (x, y) switch
        {
            _ when SameKnown(x, y) => x,
            (ListValue l, ListValue m) when l.Items.Length == m.Items.Length =>
                l with { Items = [.. l.Items.Zip(m.Items).Select(p => Chosen(p.First, p.Second))] },
            _ => Select(condition, x, y, spans.Span, spans.Then, spans.Else),
        };

        (List<(Local Local, Value After)> Assigned, Value? Returned) Arm(Action branch)
        {
            var arm = Inline();
            Value? returned;
            using (Inside(arm)) returned = ReturnedBy(branch, frame);
            return (arm.Assigned, returned);
        }
    }

    /// <summary>
    /// Makes two values, each of its own region, agree: tensors of the same types in the same places. Null after a
    /// diagnostic, or for poison.
    /// </summary>
    private (Value A, Value B)? Unified(Region a, Region b, Value x, Value y, Meeting spans, string name)
    {
        (Value, Value)? Differ(string? help = null)
        {
            if (ReferenceEquals(x, ListValue.Nothing) || ReferenceEquals(y, ListValue.Nothing))
            {
                var (gives, without) = ReferenceEquals(y, ListValue.Nothing) ? (x, "false") : (y, "true");
                Fail(Codes.ReturnMismatch, spans.Span, $"where `{Short(spans.Span)}` is {without} the function ends "
                    + $"without `return`, else it returns {Describe(gives)}", null,
                    "end it with `return` and a value of that type");
                return null;
            }
            Fail(Codes.BranchesDiffer, spans.Span,
                $"{name} is {Describe(x)} in one branch and {Describe(y)} in the other", null, help,
                new Label(spans.Then, Describe(x)), new Label(spans.Else, Describe(y)));
            return null;
        }
        switch (x, y)
        {
            case (PoisonValue, _) or (_, PoisonValue):
                return null;
            case (ListValue l, ListValue m):
                if (l.Items.Length != m.Items.Length) return Differ();
                var pairs = l.Items.Zip(m.Items)
                    .Select(p => Unified(a, b, p.First, p.Second, spans, $"an element of {name}")).ToList();
                if (pairs.Any(p => p is null)) return null;
                return (l with { Items = [.. pairs.Select(p => p!.Value.A)] },
                    m with { Items = [.. pairs.Select(p => p!.Value.B)] });
            case (TensorValue s, TensorValue t):
                if (s.DType != t.DType || s.Rank != t.Rank) return Differ();
                for (var d = 0; d < s.Rank; d++)
                    if (Compare(s.Shape[d], t.Shape[d], $"{name} has one type in both branches") == Sameness.Different)
                        return Differ();
                return (s, s.Shape.SequenceEqual(t.Shape) ? t : In(b, () => Retype(t, s.Shape)));
            case (TensorValue { Rank: 0 } s, WeakValue or BoolValue):
                return In(b, () => Realize(y, s.DType, spans.Else)) is { } right ? (s, right) : null;
            case (WeakValue or BoolValue, TensorValue { Rank: 0 } t):
                return In(a, () => Realize(x, t.DType, spans.Then)) is { } left ? (left, t) : null;
            case var _ when SameKnown(x, y):
                return (x, y);
            case (WeakValue or BoolValue, WeakValue or BoolValue):
                if (x is BoolValue != y is BoolValue) return Differ();
                var dtype = x is BoolValue ? DType.Bool : Default(x, y);
                var (p, q) = (In(a, () => Realize(x, dtype, spans.Then)), In(b, () => Realize(y, dtype, spans.Else)));
                return p is null || q is null ? null : (p, q);
            default:
                return Differ(x is TensorValue or WeakValue && y is TensorValue or WeakValue
                    ? "declare its type before: `let x: f32[n] = 0`" : null);
        }
    }

    /// <summary>The name under which a local is declared, for messages.</summary>
    private string NameOf(Local? local)
    {
        if (local is null) return "the result";
        for (var f = Frame; f is not null; f = f.Caller)
            foreach (var block in f.Blocks)
                foreach (var (name, known) in block)
                    if (known == local) return $"`{name}`";
        return states.FirstOrDefault(s => s.Value == local) is { Key: { } state } ? $"`{state.Path}`" : "the value";
    }
}
