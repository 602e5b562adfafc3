// `for` over a range and `while`: the body becomes a region, and what it assigns goes round.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private int loopCount;

    private void For(ForStatement f)
    {
        switch (f.Iterable)
        {
            case RangeIterable range:
                if (f.Names.Length > 1)
                {
                    Fail(Codes.WrongResultCount, f.Iterable.Span,
                        $"a range gives one number a round, not {f.Names.Length}", null,
                        "for a list with its positions: `for i, x in enumerate(list)`");
                    Poison(f.Body);
                }
                else
                {
                    Counted(f, range);
                }
                break;
            case var _ when Iterate(f.Iterable) is { } list:
                Unrolled(f, list);
                break;
            default:
                Poison(f.Body);
                break;
        }
    }

    private void Unrolled(ForStatement f, ListValue list)
    {
        foreach (var item in list.Items)
        {
            if (Frame.HasReturned) break;
            Round(f, Unpack(f.Names, item, f.Iterable.Span));
        }
    }

    /// <summary>The body once, with the names of the loop in a block around it.</summary>
    private void Round(ForStatement f, ImmutableArray<Value> values)
    {
        var inLoop = Frame.InLoop;
        Frame.InLoop = true;
        Frame.Blocks.Add([]);
        for (var i = 0; i < values.Length; i++) Introduce(f.Names[i], values[i]);
        Block(f.Body);
        Frame.Blocks.RemoveAt(Frame.Blocks.Count - 1);
        Frame.InLoop = inLoop;
    }

    /// <summary>`for i in a:b:step`: a scan over sizes, or a `while` when only the call knows the ends.</summary>
    private void Counted(ForStatement f, RangeIterable range)
    {
        var (start, end) = (Expression(range.Start), Expression(range.End));
        var by = range.Step is null ? 1 : Constant(Expression(range.Step), range.Step.Span, "the step of a range");
        if (start is PoisonValue || end is PoisonValue || by is null)
        {
            Poison(f.Body);
            return;
        }
        if (by == 0)
        {
            Fail(Codes.TypeMismatch, range.Span, "the step of a range is 0");
            Poison(f.Body);
            return;
        }
        var step = by.Value;
        if (start is IntValue { Size: var a } && end is IntValue { Size: var b })
        {
            var count = step > 0 ? FloorDiv(b - a + (step - 1), step) : FloorDiv(a - b + (-step - 1), -step);
            if (count.IsConstant && count.Value <= 0) return;
            if (openForms > 0)
            {
                if (a.IsConstant && count.IsConstant && count.Value <= 1000)
                {
                    Unrolled(f,
                        new([.. Enumerable.Range(0, (int)count.Value).Select(i => (Value)new IntValue(a + i * step))]));
                    return;
                }
                Limit(range.Span, "a loop inside an index form whose number of rounds is no small constant",
                    "write a reduction: `sum[k < n](…)`");
                Poison(f.Body);
                return;
            }
            var variable = $"{f.Names[0].Text}.{++loopCount}";
            loopVariables.Add(variable);
            // In a round there is at least one, so that the count is what it says; outside, a range may be empty.
            ranges.Add(variable, count);
            Scan(f, new IntValue(a + Size.Variable(variable) * step), variable, ranges.NonNegative(count) ? count
                : Size.Max(0, count));
            return;
        }
        if (openForms > 0)
        {
            Limit(range.Span, "a loop inside an index form whose number of rounds is no small constant",
                "write a reduction: `sum[k < n](…)`");
            Poison(f.Body);
            return;
        }
        if (start is IntValue or TensorValue { Rank: 0, DType.IsInteger: true }
            && end is IntValue or TensorValue { Rank: 0, DType.IsInteger: true })
        {
            Uncounted(f, range, start, end, step);
            return;
        }
        Fail(Codes.TypeMismatch, range.Span,
            $"a range runs between ints, not from {Describe(start)} to {Describe(end)}");
        Poison(f.Body);
    }

    private void Scan(ForStatement f, IntValue index, string variable, Size count)
    {
        // Of its own variable the loop already knows that in a round there is at least one.
        var always = count.IsConstant && count.Value > 0;
        Loop("for", f.Iterable.Span, f.Body, null, () => Round(f, [index]), (carried, _, body, initial, operands) =>
            new Scan(body, variable, count, carried, [.. initial, .. operands]), always ? Size.One : count);
    }

    /// <summary>The index is a scalar that is carried; it is tested before each round.</summary>
    private void Uncounted(ForStatement f, RangeIterable range, Value start, Value end, long step)
    {
        var dtype = new[] { start, end }.OfType<TensorValue>().First().DType;
        if (Realize(start, dtype, range.Start.Span) is not { } first
            || Realize(end, dtype, range.End.Span) is not { } last)
            return;
        if (first.DType != last.DType)
        {
            Meet(first, last, range.Span, range.Start.Span, range.End.Span);
            return;
        }
        var counter = new Local(first, range.Span);
        var sign = step > 0 ? CompareOp.Lt : CompareOp.Gt;
        void Body()
        {
            Round(f, [Here(counter.Value)]);
            Write(counter,
                Tensor(new Binary(BinaryOp.Add, ((TensorValue)counter.Value).Node, Scalar(step, dtype).Node)));
        }
        While(f.Iterable.Span, f.Body, () =>
            Tensor(new Compare(sign, ((TensorValue)counter.Value).Node, last.Node)), Body);
    }

    private void While(WhileStatement w)
    {
        if (openForms > 0)
        {
            Limit(w.Condition.Span, "a loop inside an index form");
            Poison(w.Body);
            return;
        }
        While(w.Condition.Span, w.Body, () => Condition(w), () =>
        {
            var inLoop = Frame.InLoop;
            Frame.InLoop = true;
            Block(w.Body);
            Frame.InLoop = inLoop;
        });
    }

    private TensorValue? Condition(WhileStatement w) => Expression(w.Condition) switch
    {
        TensorValue { DType: DType.Bool, Rank: 0 } t => Import(t),
        BoolValue b => Scalar(b.Truth ? 1L : 0, DType.Bool),
        PoisonValue => null,
        var other => BadCondition(other, w.Condition.Span, "while") as TensorValue,
    };

    private void While(Span span, BlockSyntax block, Func<TensorValue?> condition, Action body) =>
        Loop("while", span, block, condition, body, (carried, test, round, initial, operands) =>
            new While(test!, round, carried, [.. initial, .. operands]), null);

    private delegate RegionNode MakeLoop(int carried, Function? condition, Function body, IReadOnlyList<Node> initial,
        IReadOnlyList<Node> operands);

    /// <summary>
    /// Elaborates the body once to see what it assigns, then again with that as what goes round. The values behind the
    /// loop are the node's results. Rounds is how many there are; null where only the call knows.
    /// </summary>
    private void Loop(string kind, Span span, BlockSyntax block, Func<TensorValue?>? condition, Action body,
        MakeLoop make, Size? rounds)
    {
        var before = bag.Reports;
        // Tried with what is known before the first round: what goes wrong then may be right for what goes round.
        var (place, within) = (userPlace, composites);
        muted++;
        var trial = Open(kind);
        condition?.Invoke();
        body();
        var closed = Close(trial);
        var assigned = closed.Select(w => w.Local).ToList();
        muted--;
        (userPlace, composites) = (place, within);
        if (Returned(ReturnIn(block) ?? span))
        {
            foreach (var local in assigned) Write(local, Value.Poison);
            Poison(block);
            return;
        }
        if (muted > 0)
        {
            // A loop around it is tried: that asks only what is assigned, and one look at each level tells.
            foreach (var local in assigned) Write(local, Unknown(local.Value));
            return;
        }
        // Rounds that other loops or only the call decide may be none: what they need is asserted in them.
        var isBranch = rounds is null || rounds.Variables().Any(loopVariables.Contains);
        var atEntry = isBranch || rounds!.Is(1) ? null : rounds;
        var attempts = 0;
        while (true)
        {
            if (Initial(assigned, span, local => closed.FirstOrDefault(w => w.Local == local).After) is not { } initial)
            {
                foreach (var local in assigned) Write(local, Value.Poison);
                return;
            }
            var test = condition is null ? null : Enter(kind + "_condition", initial, assigned, false, null);
            var holds = condition?.Invoke();
            if (test is not null) Close(test);
            var round = Enter(kind, initial, assigned, isBranch, atEntry);
            body();
            var written = Close(round);
            // What the trial did not assign, as another branch was taken there: once more with it.
            var more = written.Select(w => w.Local).Except(assigned).ToList();
            if (more.Count > 0 && bag.Reports == before && ++attempts < 8)
            {
                assigned.AddRange(more);
                continue;
            }
            var results = new List<Node>();
            var failed = false;
            foreach (var (local, value) in assigned.Zip(initial))
            {
                var after = written.FirstOrDefault(w => w.Local == local) is { Local: not null } w ? w.After : null;
                if (after is null || !Carried(round, value, after, span, NameOf(local), results))
                {
                    if (after is null) results.AddRange(Leaves(value).Select(l => Import(round, l.Node)));
                    else failed = true;
                }
            }
            if (failed || bag.Reports > before || (condition is not null && holds is null))
            {
                foreach (var local in assigned) Write(local, Value.Poison);
                return;
            }
            List<Node> truth = test is null ? [] : [In(test, () => Import(holds!.Node))];
            var operands = (test?.Used(truth) ?? []).Union(round.Used(results)).ToList();
            Spend(RegionWork * round.Graph.Nodes.Count);
            if (results.Count == 0 && round.Graph.Effects.Count == 0 && test is null) return;
            var made = make(results.Count, test?.Sealed(operands, truth), round.Sealed(operands, results),
                [.. initial.SelectMany(Leaves).Select(l => Import(l.Node))], operands);
            var leaves = new Queue<TensorValue>(ResultsOf(made));
            foreach (var (local, value) in assigned.Zip(initial)) Write(local, Rebuilt(value, leaves));
            return;
        }
    }

    private static Span? ReturnIn(SyntaxNode node) => node is ReturnStatement ? node.Span
        : SyntaxPrinter.Children(node).Select(c => c.Node is { } inner ? ReturnIn(inner) : null)
            .FirstOrDefault(s => s is not null);

    /// <summary>A `return` inside a loop would leave it early.</summary>
    private bool Returned(Span span)
    {
        if (!Frame.HasReturned) return false;
        Limit(span, "a `return` inside a run-time loop", "assign to a local, and return it behind the loop");
        (Frame.Returned, Frame.HasReturned) = (Value.Poison, true);
        return true;
    }

    /// <summary>What the loop starts with, numbers that it changes being tensors. Null after a diagnostic.</summary>
    private List<Value>? Initial(List<Local> assigned, Span span, Func<Local, Value?> behind)
    {
        var initial = new List<Value>();
        foreach (var local in assigned)
        {
            switch (local.Value)
            {
                case PoisonValue:
                    return null;
                case BoolValue b:
                    initial.Add(Scalar(b.Truth ? 1L : 0, DType.Bool));
                    break;
                case WeakValue w:
                    Fail(Codes.LoopTypeChange, span,
                        $"{NameOf(local)} is {Describe(w)} before the loop, which assigns it",
                        null, $"declare what it is: `let {NameOf(local).Trim('`')}: {DeclaredAs(w, behind(local))} = "
                            + $"{Plain(w)}`",
                        new Label(local.Span, "declared here without a dtype"));
                    return null;
                default:
                    initial.Add(local.Value);
                    break;
            }
        }
        return initial;
    }

    /// <summary>The type of a number that a loop changes: that of what a round makes of it.</summary>
    private static string DeclaredAs(WeakValue number, Value? after) => after is TensorValue t
        ? t.Rank == 0 ? t.DType.Name() : t.Type.Text : number is IntValue ? "i32" : "f32";

    /// <summary>What a loop leaves of a value that it assigns, where only its type is asked for.</summary>
    private Value Unknown(Value value)
    {
        if (value is BoolValue) value = Scalar(0L, DType.Bool);
        return value is WeakValue ? Value.Poison : Typed(value);
    }

    /// <summary>A value of the same type, which nothing computes: while something is only tried.</summary>
    private Value Typed(Value value) => Rebuilt(value, new Queue<TensorValue>(Leaves(value).Select(l =>
        new TensorValue(Graph.Add(new Input($"tried{Graph.Inputs.Count}", l.Node.Type)), Graph, l.Indices))));

    /// <summary>Opens a region in which the assigned locals are what goes round.</summary>
    private Region Enter(string kind, List<Value> initial, List<Local> assigned, bool isBranch, Size? rounds)
    {
        var opened = Open(kind, isBranch, rounds);
        foreach (var (local, value) in assigned.Zip(initial))
        {
            var inputs = new Queue<TensorValue>(
                Leaves(value).Select(l => new TensorValue(opened.Carry(l.Node.Type), opened.Graph, [])));
            Write(local, Rebuilt(value, inputs));
        }
        return opened;
    }

    /// <summary>
    /// Adds what a local is behind a round to the results; false after a diagnostic if its type has changed.
    /// </summary>
    private bool Carried(Region round, Value before, Value after, Span span, string name, List<Node> results)
    {
        bool Changed(string? help = null)
        {
            Fail(Codes.LoopTypeChange, span,
                $"{name} is {Describe(before)} before the loop and {Describe(after)} behind a round", null,
                help ?? "what goes round a loop keeps its type");
            return false;
        }
        switch (before, after)
        {
            case (PoisonValue, _) or (_, PoisonValue):
                return false;
            case (ListValue l, ListValue m):
                return l.Items.Length != m.Items.Length
                    ? Changed("a loop in the call fills a tensor: `let y: f32[n, d] = 0` before it, `y[i] = …` in it")
                    : l.Items.Zip(m.Items)
                        .All(p => Carried(round, p.First, p.Second, span, $"an element of {name}", results));
            case (TensorValue s, TensorValue t):
                if (s.DType != t.DType || s.Rank != t.Rank) return Changed();
                for (var d = 0; d < s.Rank; d++)
                    if (Compare(s.Shape[d], t.Shape[d], $"{name} keeps its type") == Sameness.Different)
                        return Changed();
                results.Add(
                    Import(round, s.Shape.SequenceEqual(t.Shape) ? t.Node : In(round, () => Retype(t, s.Shape)).Node));
                return true;
            case (TensorValue { Rank: 0 } s, WeakValue or BoolValue):
                if (In(round, () => Realize(after, s.DType, span)) is not { } number) return false;
                results.Add(number.Node);
                return true;
            default:
                return SameKnown(before, after) || Changed();
        }
    }
}
