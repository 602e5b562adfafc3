// In: an expression's syntax. Out: its value.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>Evaluates an expression to a value of the region that is being built.</summary>
    public Value Expression(ExpressionSyntax e)
    {
        using var deeper = Deeper(e.Span);
        return Here(Evaluate(e));
    }

    private Value Here(Value value) =>
        region is not null && value is TensorValue t && !Owns(Graph, t.Node) ? Import(t) : value;

    private Value Evaluate(ExpressionSyntax e)
    {
        if (!Frame.File.IsLibrary) userPlace = e.Span;
        switch (e)
        {
            case IntegerLiteral { Value: > long.MaxValue } wide: return new WideValue(wide.Value);
            case IntegerLiteral i: return new IntValue((long)i.Value);
            case FloatLiteral f: return new FloatValue(f.Value);
            case StringLiteral s: return new StringValue(s.Value);
            case BooleanLiteral b: return new BoolValue(b.Value);
            case NameExpression n: return Name(n.Name, n.Span);
            case MemberExpression m: return MemberOf(m);
            case BinaryExpression b: return Binary(b);
            case NegateExpression n: return Negate(Expression(n.Operand), n.Operand.Span);
            case NotExpression n: return Not(Expression(n.Operand), n.Operand.Span);
            case ListExpression l: return List(l);
            case IfExpression i: return Choice(i);
            case ComprehensionExpression c: return Comprehension(c);
            case MapExpression m: return IndexForm(m);
            case SelectExpression s: return Subscripted(s);
            case ApplyExpression a: return Apply(a, null);
            case PipeExpression { Right: ApplyExpression call } p: return Apply(call, p.Left);
            case PipeExpression p:
                var first = new Argument(Expression(p.Left), p.Left.Span, null);
                return Call(Expression(p.Right), [first], p.Right.Span, p.Right.Span);
            default: return Value.Poison;
        }
    }

    private Value Apply(ApplyExpression call, ExpressionSyntax? piped)
    {
        if (call.Callee is SelectExpression { Target: NameExpression { Name: var name } target } select
            && ReductionNames.Contains(name) && Frame.Find(name) is null)
        {
            return Reduction(name, target.Span, select, call);
        }
        if (openForms > 0 && call is
            {
                Callee: NameExpression { Name: var reduces } plain,
                Arguments: [{ Name: null, Value: var summand }]
            }
            && ReductionNames.Contains(reduces) && Frame.Find(reduces) is null && Unnamed(summand) is { } index)
            return Fail(Codes.UnknownName, index.Span, $"no form and no reduction introduces an index `{index.Name}`",
                null, $"a reduction over an index names it: `{reduces}[{index.Name}]({Short(summand.Span)})`",
                new Label(plain.Span, "within an index form this is of one element"));
        if (call.Callee is NameExpression { Name: "assert" or "print" } effect && Frame.Find(effect.Name) is null)
            return Effect(call);
        applied = call;
        var callee = Expression(call.Callee);
        if (callee is TransformationValue transformation) return Transform(transformation, call, piped);
        // The arguments of an unknown method belong to the other library: `x.to(torch.float16)`.
        var isMethod = callee is PoisonValue && (call.Callee is MemberExpression
            || call.Callee is NameExpression { Name: var called } && ForeignNames.Find(called) is not null);
        var arguments = Arguments(call, piped, isQuiet: isMethod);
        if (!Frame.File.IsLibrary) userPlace = call.Span;
        return Call(callee, arguments, call.Span, call.Callee.Span);
    }

    private ImmutableArray<Argument> Arguments(ApplyExpression call, ExpressionSyntax? piped, bool isQuiet)
    {
        using var quiet = new Scope<int>(ref muted, isQuiet ? muted + 1 : muted);
        var arguments = ImmutableArray.CreateBuilder<Argument>();
        if (piped is not null)
            arguments.Add(new(Expression(piped), piped.Span, null) { IsOverIndex = IsOverIndex(piped) });
        foreach (var a in call.Arguments)
        {
            if (!a.Inout)
                arguments.Add(new(Expression(a.Value), a.Value.Span, a.Name?.Text)
                {
                    IsOverIndex = IsOverIndex(a.Value),
                    NameSpan = a.Name?.Span,
                });
            else if (PlaceIn(a.Value) is { } place)
                arguments.Add(new(Get(place), a.Value.Span, a.Name?.Text, true) { Place = place });
            else arguments.Add(new(Value.Poison, a.Value.Span, a.Name?.Text, true));
        }
        return arguments.ToImmutable();
    }

    private Value MemberOf(MemberExpression m)
    {
        if (Package(m) is { } package) return package;
        var target = Expression(m.Target);
        switch (target)
        {
            case PoisonValue:
                return target;
            case InstanceValue { Instance: var instance }:
                if (instance.Members.TryGetValue(m.Name.Text, out var member))
                    return Loaded(ValueOf(instance, member, m.Span), m.Span);
                if (instance.Hyper.TryGetValue(m.Name.Text, out var hyper)) return Loaded(hyper.Value, m.Span);
                if (m.Name.Text is "params" or "buffers")
                    return inEntry ? Loaded(StatesOf(instance, m.Name.Text), m.Span) : StatesOf(instance, m.Name.Text);
                // The step of torch, `zero_grad`, `backward`, `step()`, is one mistake.
                var isZero = m.Name.Text == "zero_grad";
                if (isZero && IsTold(BackwardCall)) return Value.Poison;
                return Fail(Codes.UnknownMember, m.Name.Span,
                    $"{instance.Syntax.Name.Text} has no member `{m.Name.Text}`", null,
                    isZero ? "leave it out, as no gradients are added up: `let l, gs = value_and_grad(loss, wrt: "
                        + $"params)(x)`, then `{Short(m.Target.Span)}.step(gs, rate)`"
                    : m.Name.Text is "forward" or "call" or "__call__" && instance.Members.ContainsKey("apply")
                        ? $"a layer is called by its name: `{Short(m.Target.Span)}(…)`"
                        : ForeignNames.Member(m.Name.Text, instance.Members.Keys) is { } ours
                            ? $"it is called `{ours}` here"
                        : Spelling.Nearest(m.Name.Text, instance.Members.Keys.Concat(instance.Hyper.Keys)) is { } near
                            ? $"did you mean `{near}`?" : $"it has {string.Join(", ", instance.Members.Keys.Take(8))}",
                    new Label(instance.Syntax.Name.Span, "the module"));
            case FileValue { File: var file }:
                // `nn.relu`: the library's nn stands for everything that it opens.
                var declaring = file.IsLibrary && !file.Items.ContainsKey(m.Name.Text)
                    ? file.Opened.FirstOrDefault(f => f.Items.ContainsKey(m.Name.Text)) ?? file : file;
                return Item(declaring, m.Name.Text, m.Span) ?? Fail(Codes.UnknownName, m.Name.Span,
                    $"{file.Name} declares no `{m.Name.Text}`", null,
                    ForeignNames.Find(m.Name.Text) ?? (Lookup(m.Name.Text, m.Name.Span) is not null
                        ? $"it goes by its name alone: `{m.Name.Text}`"
                            : Spelling.Nearest(m.Name.Text, file.Items.Keys) is { } name
                                ? $"did you mean `{file.Name}.{name}`?"
                        : null));
            case TensorValue tensor:
                if (m.Name.Text == BackwardCall && IsTold(BackwardCall)) return Value.Poison;
                return Fail(Codes.UnknownMember, m.Name.Span, $"tensors have no members", Describe(target),
                    Method(m, tensor));
            default:
                // The method that should have changed it does not exist: errors that follow from that are not reported.
                if (target is ListValue && m.Target is NameExpression n && Frame.Find(n.Name) is { Alias: null } local)
                    Write(local, Value.Poison);
                return Fail(Codes.UnknownMember, m.Name.Span, $"{Describe(target)} has no members", Describe(target),
                    (target, m.Name.Text) switch
                    {
                        (ListValue, "append" or "extend" or "insert") => $"a list grows by `{Short(m.Target.Span)} = "
                            + $"[..{Short(m.Target.Span)}, x]`",
                        (ListValue or WeakValue, var called) when IsFunction(called, m.Name.Span) =>
                            $"write `{called}({Short(m.Target.Span)})`",
                        (IntValue, _) when m.Target is NameExpression { Name: "self" } =>
                            $"members are seen bare: leave the parameter `self` out, and write `{m.Name.Text}`",
                        (ModuleValue, _) => $"make an instance first: `let layer = {Short(m.Target.Span)}(…)`",
                        _ => ForeignNames.Find(m.Name.Text),
                    });
        }
    }

    // A longer piece of a program does not help inside a help line.
    private const int Longest = 40;

    /// <summary>The text of an operand in a help line; `…` if it is long.</summary>
    private static string Short(Span span) =>
        span.Length > Longest || span.Text.Contains('\n', StringComparison.Ordinal) ? "…" : span.Text;

    private bool IsFunction(string name, Span span) =>
        Frame.Find(name) is null && Lookup(name, span) is FunctionValue or BuiltinValue or DTypeValue;

    private Value List(ListExpression l)
    {
        var items = ImmutableArray.CreateBuilder<Value>();
        var poisoned = false;
        foreach (var element in l.Elements)
        {
            // In a module's body a list of state consists of the state itself, like `params`.
            var value = element.Value is null ? Name("..", element.Span)
                : !inEntry && initializing.Count == 0 && !element.Splice && StateNamed(element.Value) is { } state
                    ? new StateValue(state) : Expression(element.Value);
            if (!element.Splice) items.Add(value);
            else if (value is ListValue list)
            {
                Spend(list.Items.Length);
                items.AddRange(list.Items);
            }
            else if (value is PoisonValue) poisoned = true;
            else return Fail(Codes.TypeMismatch, element.Span, $"`..` splices a list, not {Describe(value)}",
                Describe(value));
        }
        return poisoned ? Value.Poison : new ListValue(items.ToImmutable());
    }

    private Value Choice(IfExpression e)
    {
        var condition = Expression(e.Condition);
        switch (condition)
        {
            case PoisonValue:
                return condition;
            case BoolValue b when IsOverIndex(e.Condition):
                return Decided(e, b.Truth);
            case BoolValue b:
                return Expression(b.Truth ? e.Then : e.Else);
            case TensorValue { DType: DType.Bool, Rank: 0 } t when openForms > 0:
                var then = Under(t, true, () => Expression(e.Then));
                var otherwise = Under(t, false, () => Expression(e.Else));
                // Two numbers stay a number, which takes the dtype it meets.
                return then is WeakValue first && otherwise is WeakValue second ? new ChoiceValue(t, first, second)
                    : Select(t, then, otherwise, e.Span, e.Then.Span, e.Else.Span);
            case TensorValue { DType: DType.Bool, Rank: 0 } t:
                return Branch(t, e);
            default:
                return BadCondition(condition, e.Condition.Span);
        }
    }

    /// <summary>
    /// An `if` of an index form that the extents of its indices decide, such as `i &gt;= 1` for an extent of 1. The
    /// type is the one that both branches have, as for every other extent.
    /// </summary>
    private Value Decided(IfExpression e, bool truth)
    {
        var taken = Expression(truth ? e.Then : e.Else);
        if (taken is not WeakValue) return taken;
        var other = Tried(() => Expression(truth ? e.Else : e.Then));
        return other is TensorValue { Rank: 0 } like ? Realize(taken, like.DType, e.Span) ?? Value.Poison
            : other is WeakValue number && IsReal(number) && taken is IntValue { Size.IsConstant: true } i
                ? new FloatValue(i.Size.Value) : taken;
    }

    /// <summary>Evaluates a branch that no element takes: nothing is reported, and reads may be out of range.</summary>
    private T Tried<T>(Func<T> branch)
    {
        using var place = new Scope<Span?>(ref userPlace, userPlace);
        using var quiet = new Scope<int>(ref muted, muted + 1);
        return Under(Scalar(0L, DType.Bool), true, branch);
    }

    /// <summary>True if an expression depends on an index of the surrounding forms.</summary>
    private bool IsOverIndex(ExpressionSyntax e) => openForms > 0 && Names(e).Any(n =>
        Frame.Indices.Any(i => i.Name == n) || Frame.Find(n) is { IsOverIndex: true });

    private Value BadCondition(Value condition, Span span, string what = "if") => condition switch
    {
        TensorValue t when t.DType == DType.Bool || t.Rank > 0 =>
            Fail(Codes.TensorCondition, span, $"`{what}` takes a constant or a scalar, not {Describe(condition)}",
            Describe(condition), what == "while" ? "reduce it: `while any(c)`"
                : "for a choice an element: `select(c, a, b)`, or an `if` inside an index form"),
        _ => Fail(Codes.TypeMismatch, span, $"`{what}` takes a truth value, not {Describe(condition)}",
            Describe(condition), "compare: `x != 0`"),
    };

    public Value Select(TensorValue condition, Value a, Value b, Span span, Span aSpan, Span bSpan)
    {
        if (a is PoisonValue || b is PoisonValue) return Value.Poison;
        if (Meet(a, b, span, aSpan, bSpan) is not var (x, y)) return Value.Poison;
        TensorValue[] all = [condition, x, y];
        if (BroadcastShape(all, [span, aSpan, bSpan], span) is not { } shape) return Value.Poison;
        for (var i = 0; i < 3; i++) all[i] = Whole(all[i]);
        var indices = InOrder(all.SelectMany(v => v.Indices));
        return Tensor(new Select(Spread(all[0], indices, shape).Node, Spread(all[1], indices, shape).Node,
            Spread(all[2], indices, shape).Node), indices);
    }

    private Value Comprehension(ComprehensionExpression c)
    {
        if (Iterate(c.Iterable) is not { } items) return Value.Poison;
        var results = ImmutableArray.CreateBuilder<Value>();
        // Only the names of the selected elements, so that an optimiser of a part keeps, and names, its own state.
        var names = ImmutableArray.CreateBuilder<string>();
        using var pure = new Scope<long>(ref pureFrom, Local.Next);
        for (var at = 0; at < items.Items.Length; at++)
        {
            using var block = Frame.Block();
            var values = Unpack(c.Names, items.Items[at], c.Iterable.Span);
            for (var i = 0; i < c.Names.Length; i++) Frame.Declare(c.Names[i].Text, values[i], c.Names[i].Span);
            var keep = c.Condition is null ? new BoolValue(true) : Expression(c.Condition);
            if (keep is not BoolValue { Truth: true })
            {
                if (keep is not (BoolValue or PoisonValue))
                    Fail(Codes.ConstantNeeded, c.Condition!.Span,
                        "the condition of a comprehension must be a constant", Describe(keep));
                continue;
            }
            // `[p for p in net.params if …]` for an optimiser: the elements are the state itself.
            var named = c.Element is NameExpression e && !inEntry && initializing.Count == 0
                ? c.Names.Select(n => n.Text).ToList().IndexOf(e.Name) : -1;
            results.Add(named >= 0 && values[named] is StateValue state ? state : Expression(c.Element));
            if (items.Names is { } all) names.Add(all[at]);
        }
        return new ListValue(results.ToImmutable(), items.Names is null ? null : names.ToImmutable());
    }

    /// <summary>The list that an unrolled loop runs over. Null after a diagnostic.</summary>
    private ListValue? Iterate(IterableSyntax iterable)
    {
        if (iterable is ListIterable l)
        {
            switch (Expression(l.List))
            {
                case ListValue list: return list;
                case PoisonValue: return null;
                case var other:
                    Fail(Codes.TypeMismatch, l.Span, $"`for` runs over a list or a range, not {Describe(other)}",
                        Describe(other),
                        other is IntValue ? $"write a range: `0:{Short(l.Span)}`"
                            : other is TensorValue { Rank: > 0 } t ? $"count along an axis: `for i in 0:{t.Shape[0]}`, "
                                + $"and take `{Short(l.Span)}[i]`" : null);
                    return null;
            }
        }
        var range = (RangeIterable)iterable;
        var (start, end) = (Expression(range.Start), Expression(range.End));
        var by = range.Step is null ? new IntValue(1) : Expression(range.Step);
        if (start is PoisonValue || end is PoisonValue || by is PoisonValue) return null;
        if ((start, end, by) is (IntValue { Size.IsConstant: true } a, IntValue { Size.IsConstant: true } b,
            IntValue { Size.IsConstant: true } s))
        {
            if (s.Size.Value == 0)
            {
                Fail(Codes.TypeMismatch, range.Span, "the step of a range is 0");
                return null;
            }
            if ((b.Size.Value - a.Size.Value) / s.Size.Value > 10000)
            {
                Limit(range.Span, "a loop of more than 10000 rounds");
                return null;
            }
            var items = ImmutableArray.CreateBuilder<Value>();
            for (var i = a.Size.Value; s.Size.Value > 0 ? i < b.Size.Value : i > b.Size.Value; i += s.Size.Value)
                items.Add(new IntValue(i));
            return new(items.ToImmutable());
        }
        Limit(range.Span, "a loop whose number of rounds only the call knows");
        return null;
    }

    /// <summary>The values for several names; a single name takes the whole value.</summary>
    private ImmutableArray<Value> Unpack(ImmutableArray<NameToken> names, Value value, Span span)
    {
        if (names.Length == 1) return [value];
        if (value is ListValue list && list.Items.Length == names.Length) return list.Items;
        if (value is not PoisonValue)
        {
            Fail(Codes.WrongResultCount, span,
                $"{names.Length} names take a list of {names.Length}, not {Describe(value)}", Describe(value),
                value is TensorValue && span.Text.Split('(')[0] is var extreme && extreme is "max" or "min"
                    ? $"the places have a function of their own: `arg{extreme}{span.Text[3..]}`"
                    : value is ListValue { Items.Length: > 1 and < 8 and var count } ? "each has a name: `"
                        + string.Join(", ", names.Select(n => n.Text)
                            .Concat(["_", "_1", "_2", "_3", "_4", "_5"]).Take(count))
                        + "`"
                    : null);
        }
        return [.. names.Select(_ => Value.Poison)];
    }
}
