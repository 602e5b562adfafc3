// `for` over a range and `while`: the body becomes a region, and the variables it assigns are carried.
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

    private Changes? changes;

    private Changes Changes => changes ??= new(States, IsTrue);

    private bool? IsTrue(ExpressionSyntax condition)
    {
        using var place = new Scope<Span?>(ref userPlace, userPlace);
        using var quiet = new Scope<int>(ref muted, muted + 1);
        return (Expression(condition) as BoolValue)?.Truth;
    }

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

    /// <summary>Elaborates the body once, with the names of the loop in a block around it.</summary>
    private void Round(ForStatement f, ImmutableArray<Value> values)
    {
        using var inLoop = new Scope<bool>(ref Frame.InLoop, true);
        using var block = Frame.Block();
        for (var i = 0; i < values.Length; i++) Introduce(f.Names[i], values[i]);
        Block(f.Body);
    }

    /// <summary>`for i in a:b:step`: a scan over sizes, or a `while` if only the call knows the ends.</summary>
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
            // Inside a round there is at least one round, so the count is exact; outside, a range may be empty.
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
        // The range of the loop's own variable already implies that in a round there is at least one.
        var always = count.IsConstant && count.Value > 0;
        Loop(new("for", f.Iterable.Span, f.Body, (carried, _, body, initial, operands) =>
            new Scan(body, variable, count, carried, [.. initial, .. operands]), always ? Size.One : count),
            null, () =>
            {
                using var counting = Counting(() => RealizeSize(index.Size, DType.I64));
                Round(f, [index]);
            }, Changes.Of(Frame, f.Body));
    }

    /// <summary>The index is a carried scalar, tested before each round.</summary>
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
            using (Counting(() => (TensorValue)Here(counter.Value))) Round(f, [Here(counter.Value)]);
            Write(counter,
                Tensor(new Binary(BinaryOp.Add, ((TensorValue)counter.Value).Node, Scalar(step, dtype).Node)));
        }
        var (locals, states) = Changes.Of(Frame, f.Body);
        While(f.Iterable.Span, f.Body, () =>
            Tensor(new Compare(sign, ((TensorValue)counter.Value).Node, last.Node)), Body,
            ([.. locals, counter], states));
    }

    /// <summary>Elaborations until the scope ends are in the round with that number.</summary>
    private Scope<ImmutableArray<Func<TensorValue?>>> Counting(Func<TensorValue?> counter) =>
        new(ref counters, counters.Add(counter));

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
            using var inLoop = new Scope<bool>(ref Frame.InLoop, true);
            using var counting = Counting(() => null);
            Block(w.Body);
        }, Changes.Of(Frame, w.Condition, w.Body));
    }

    private TensorValue? Condition(WhileStatement w) => Expression(w.Condition) switch
    {
        TensorValue { DType: DType.Bool, Rank: 0 } t => Import(t),
        BoolValue b => Scalar(b.Truth ? 1L : 0, DType.Bool),
        PoisonValue => null,
        var other => BadCondition(other, w.Condition.Span, "while") as TensorValue,
    };

    private void While(Span span, BlockSyntax block, Func<TensorValue?> condition, Action body,
        (List<Local> Locals, HashSet<StateMember> States) may) =>
        Loop(new("while", span, block, (carried, test, round, initial, operands) =>
            new While(test!, round, carried, [.. initial, .. operands]), null), condition, body, may);

    private delegate RegionNode MakeLoop(int carried, Function? condition, Function body, IReadOnlyList<Node> initial,
        IReadOnlyList<Node> operands);

    /// <summary>The properties of a loop that its messages and its node need.</summary>
    /// <param name="Rounds">The number of rounds; null if only the call knows.</param>
    private sealed record LoopForm(string Kind, Span Span, BlockSyntax Block, MakeLoop Make, Size? Rounds);

    /// <summary>
    /// Elaborates a round, in which each place that it may change has a new value. After the loop, the values are the
    /// node's results; places that no round has changed keep their values.
    /// </summary>
    private void Loop(LoopForm loop, Func<TensorValue?>? condition, Action body,
        (List<Local> Locals, HashSet<StateMember> States) may)
    {
        var attempt = Mark();
        for (var isFirst = true; ; isFirst = false)
        {
            var start = new LoopStart(loop.Kind, may.States);
            var mentioned = may.States.Where(states.ContainsKey).Select(s => states[s]);
            foreach (var local in may.Locals.Union(mentioned))
                // Assignments that a comprehension must not make are reported at the assignment.
                if (local.Serial >= pureFrom) start.Begin(local, Changing(local.Value));
            var (test, holds, round) = Rounds(loop, condition, body, start);
            var assigned = (test?.Assigned ?? []).Concat(round.Assigned).Select(w => w.Local).Distinct().ToList();
            if (Misjudged(start, assigned, test, round, isFirst) is { } better)
            {
                // Rare: a place was changed that was not expected to change, or a known value, which may have
                // influenced elaboration, was not changed after all.
                Undo(attempt);
                (Frame.HasReturned, may) = (false, better);
                // A `let` of a file has its value only after its first mention: the earlier search did not know it.
                changes = null;
                continue;
            }
            var results = new List<Node>();
            if (!IsRight(loop, start, assigned, round, attempt, results) || bag.Reports > attempt.Bag.Reports
                || (condition is not null && holds is null))
            {
                foreach (var local in assigned) Write(local, Value.Poison);
                if (Frame.HasReturned) Poison(loop.Block);
                return;
            }
            List<Node> truth = test is null ? [] : [In(test, () => Import(holds!.Node))];
            Close(start, assigned, test, truth, round, results, loop, attempt.Place);
            return;
        }
    }

    /// <summary>The condition and the body, each in a region of its own.</summary>
    private (Region? Test, TensorValue? Holds, Region Round) Rounds(LoopForm loop, Func<TensorValue?>? condition,
        Action body, LoopStart start)
    {
        Region? test = null;
        TensorValue? holds = null;
        if (condition is not null)
        {
            test = Made(loop.Kind + "_condition", loop: start);
            using var inside = Inside(test);
            holds = condition();
        }
        // Rounds whose number depends on other loops or on the call may be none: their conditions are asserted inside.
        var isBranch = loop.Rounds is null || loop.Rounds.Variables().Any(loopVariables.Contains);
        var round = Made(loop.Kind, isBranch, isBranch || loop.Rounds!.Is(1) ? null : loop.Rounds, start);
        using (Inside(round)) body();
        return (test, holds, round);
    }

    /// <summary>
    /// If the prediction of changes was wrong, the corrected one; null if it was right. For an unknown value the body
    /// is the same whether it changes or not; a known value may have influenced how the body was elaborated.
    /// </summary>
    private static (List<Local>, HashSet<StateMember>)? Misjudged(LoopStart start, List<Local> assigned, Region? test,
        Region round, bool isFirst)
    {
        bool IsRead(Node inside) => round.Captures.ContainsKey(inside) || test?.Captures.ContainsKey(inside) == true;
        var begun = start.Starts.Select(s => s.Local).ToList();
        var unforeseen = assigned.Except(begun).ToList();
        var known = start.Starts.Where(s => isFirst && !assigned.Contains(s.Local)
            && Leaves(s.Inside).Any(l => IsRepeated(start.Initial[l.Node]) && IsRead(l.Node)))
            .Select(s => s.Local).ToList();
        return unforeseen.Count + known.Count == 0 ? null : ([.. begun.Except(known), .. unforeseen], []);
    }

    /// <summary>
    /// True if the values that the round assigned can be carried, as its results; false after a diagnostic, which
    /// replaces others if it is about the loop itself.
    /// </summary>
    private bool IsRight(LoopForm loop, LoopStart start, List<Local> assigned, Region round, Attempt attempt,
        List<Node> results)
    {
        if (Frame.HasReturned)
        {
            Undo(attempt);
            Limit(ReturnIn(loop.Block) ?? loop.Span, "a `return` inside a run-time loop",
                "assign to a local, and return it behind the loop");
            Frame.Returned = Value.Poison;
            return false;
        }
        foreach (var local in assigned)
        {
            if (local.Value is not (PoisonValue or WeakValue)) continue;
            // Reports made with a value that turns out to change are dropped.
            Undo(attempt);
            if (local.Value is WeakValue number) NoType(loop, local, number, After(local));
            return false;
        }
        var isRight = true;
        foreach (var local in assigned)
        {
            var begun = start.Starts.First(s => s.Local == local);
            isRight &= Carried(round, begun.Initial, After(local) ?? begun.Inside, loop, NameOf(local), results);
        }
        return isRight;

        Value? After(Local local) => round.Assigned.FirstOrDefault(w => w.Local == local).After;
    }

    private void NoType(LoopForm loop, Local local, WeakValue number, Value? after) =>
        Fail(Codes.LoopTypeChange, loop.Span,
            $"{NameOf(local)} is {Describe(number)} before the loop, which assigns it",
            null, $"declare what it is: `let {NameOf(local).Trim('`')}: {DeclaredAs(number, after)} = "
                + $"{Plain(number)}`",
            new Label(local.Span, "declared here without a dtype"));

    /// <summary>Makes the node from the regions, and its results the values of the assigned places.</summary>
    private void Close(LoopStart start, List<Local> assigned, Region? test, List<Node> truth, Region round,
        List<Node> results, LoopForm loop, Span? place)
    {
        var begun = assigned.Select(local => start.Starts.First(s => s.Local == local)).ToList();
        var carried = begun.SelectMany(s => Leaves(s.Inside)).Select(l => l.Node).ToList();
        Node? Outside(Node operand) => carried.Contains(operand) ? null
            : start.Initial.TryGetValue(operand, out var initial) ? Before(initial) : operand;
        test?.Replace(Outside);
        round.Replace(Outside);
        var operands = (test?.Used(truth) ?? []).Union(round.Used(results)).ToList();
        Spend(RegionWork * round.Graph.Nodes.Count);
        if (results.Count == 0 && round.Graph.Effects.Count == 0 && test is null) return;
        var made = loop.Make(results.Count, test?.Sealed(carried, operands, truth),
            round.Sealed(carried, operands, results),
            [.. begun.SelectMany(s => Leaves(s.Initial)).Select(l => Before(l.Node))], operands);
        var leaves = new Queue<TensorValue>(ResultsOf(made));
        foreach (var s in begun) Write(s.Local, Rebuilt(s.Initial, leaves));

        // A truth value becomes a tensor here, before the loop.
        Node Before(Node initial)
        {
            using var before = new Scope<Span?>(ref userPlace, place);
            return Emit(initial);
        }
    }

    private static Span? ReturnIn(SyntaxNode node) => node is ReturnStatement ? node.Span
        : SyntaxPrinter.Children(node).Select(c => c.Node is { } inner ? ReturnIn(inner) : null)
            .FirstOrDefault(s => s is not null);

    /// <summary>
    /// A truth value that changes becomes a tensor, added to the graph only then; a number has no dtype, and is
    /// rejected.
    /// </summary>
    private Value Changing(Value value) => value is BoolValue b
        ? new TensorValue(Const.Of(TensorType.Scalar(DType.Bool), [b.Truth ? 1L : 0]), Graph, []) : value;

    /// <summary>The type to declare for a number that a loop changes: that of its value after a round.</summary>
    private static string DeclaredAs(WeakValue number, Value? after) => after is TensorValue t
        ? t.Rank == 0 ? t.DType.Name() : t.Type.Text : number is IntValue ? "i32" : "f32";

    private const string KeepsType = "what goes round a loop keeps its type: fill a tensor that has its whole size "
        + "before the loop, `let y: f32[n, d] = 0`, by `y[i] = …` in it";

    /// <summary>The last assignment to a name in a block or the blocks within.</summary>
    private static Span? AssignedIn(SyntaxNode node, string? name) => node is AssignStatement a
        ? a.Places.Any(p => p is NameExpression n && n.Name == name) ? a.Span : null
        : SyntaxPrinter.Children(node).Select(c => c.Node is { } inner ? AssignedIn(inner, name) : null)
            .LastOrDefault(s => s is not null);

    /// <summary>
    /// Adds a local's value after a round to the results; false after a diagnostic if its type has changed.
    /// </summary>
    private bool Carried(Region round, Value before, Value after, LoopForm loop, string name, List<Node> results)
    {
        var span = loop.Span;
        bool Changed(string? help = null)
        {
            Fail(Codes.LoopTypeChange, span,
                $"{name} is {Describe(before)} before the loop and {Describe(after)} behind a round", null,
                help ?? "what goes round a loop keeps its type",
                AssignedIn(loop.Block, name.Split('`').ElementAtOrDefault(1)) is { } place
                    ? [new Label(place, $"{Describe(after)} from here on")] : []);
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
                        .All(p => Carried(round, p.First, p.Second, loop, $"an element of {name}", results));
            case (TensorValue s, TensorValue t):
                if (s.DType != t.DType)
                    return Changed($"what goes round a loop keeps its type: cast it, `{s.DType.Name()}(…)`");
                if (s.Rank != t.Rank) return Changed(KeepsType);
                for (var d = 0; d < s.Rank; d++)
                    if (Compare(s.Shape[d], t.Shape[d], $"{name} keeps its type") == Sameness.Different)
                        return Changed(KeepsType);
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
