// `grad value_and_grad vjp jvp train checkpoint`. In: a function. Out: another one; a call of it adds the gradient of
// the function's computation to the graph.
using System.Collections.Immutable;
using Accelerate.Compiler.Autodiff;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

/// <summary>A transformation itself, before it is given a function.</summary>
internal sealed record TransformationValue(string Name) : Value;

/// <summary>A function made of another by a transformation.</summary>
/// <param name="Name">The transformation.</param>
/// <param name="Function">The function that it transforms.</param>
/// <param name="By">What to differentiate by; null for the first argument, and for transformations without
/// gradients.</param>
/// <param name="Key">For `train`: the source of the keys of its calls.</param>
internal sealed record TransformedValue(string Name, Value Function, Wanted? By, TensorValue? Key) : Value;

/// <summary>The variables of a gradient: parameters and state, alone or in lists.</summary>
internal abstract record Wanted(Span Span);

internal sealed record WantedArgument(string Name, Span Span) : Wanted(Span);

internal sealed record WantedState(StateMember Member, Span Span) : Wanted(Span);

internal sealed record WantedList(ImmutableArray<Wanted> Items, ImmutableArray<string>? Names, Span Span) : Wanted(Span);

/// <summary>The context of calls through `train`: there `training` is true, and `key` is this call's own.</summary>
/// <param name="Key">The source of the keys; null if none is given.</param>
/// <param name="Loops">The number of run-time loops around the `train` itself.</param>
/// <param name="Place">The `train` itself.</param>
internal sealed record Training(TensorValue? Key, int Loops, Span Place);

internal sealed partial class Elaborator
{
    private int leafCount;
    private Training? training;

    /// <summary>
    /// The counters of the surrounding run-time loops, outermost first; null for one that does not count.
    /// </summary>
    private ImmutableArray<Func<TensorValue?>> counters = [];

    private static readonly ImmutableArray<string> Transformations =
        ["grad", "value_and_grad", "vjp", "jvp", "train", "checkpoint"];

    /// <summary>`grad(f, wrt: x)`: the arguments are read as names, not as values.</summary>
    private Value Transform(TransformationValue transformation, ApplyExpression call, ExpressionSyntax? piped)
    {
        var name = transformation.Name;
        var option = name switch { "train" => "key", "checkpoint" => null, _ => "wrt" };
        var usage = option is null ? $"write `{name}(f)(x)`" : $"write `{name}(f, {option}: …)(x)`";
        if (piped is not null || call.Arguments.IsEmpty || call.Arguments[0] is not { Name: null, Inout: false } given)
            return Fail(Codes.WrongArgumentCount, call.Span, $"`{name}` is given no function", null, usage);
        var of = Expression(given.Value);
        if (of is PoisonValue) return of;
        if (of is not (FunctionValue or BuiltinValue or InstanceValue or ListValue or TransformedValue))
            return Fail(Codes.TypeMismatch, given.Value.Span,
                $"`{name}` transforms a function, not {Describe(of)}", Describe(of),
                given.Value is ApplyExpression inner ? $"write `{name}({Short(inner.Callee.Span)})(…)`"
                    : of is TensorValue ? "make what computes it a function, `fn f(x: f32[n]) -> f32 = …`: "
                        + usage["write ".Length..]
                    : usage);
        Wanted? by = null;
        TensorValue? key = null;
        foreach (var argument in call.Arguments.Skip(1))
        {
            if (argument.Inout || option is null || (argument.Name?.Text ?? "wrt") != option)
                return Fail(Codes.UnknownArgument, argument.Name?.Span ?? argument.Span, argument.Name is { } other
                    ? $"`{name}` has no parameter `{other.Text}`" : $"`{name}` has no parameter for this", null,
                    option == "wrt" && argument.Name?.Text is "argnums" or "argnum" or "inputs"
                        && argument.Value is IntegerLiteral { Value: var at }
                        && ParametersOf(of).ElementAtOrDefault((int)Math.Min(at, int.MaxValue)) is { } parameter
                        ? $"parameters go by their names: `wrt: {parameter}`" : usage);
            if (option == "wrt")
            {
                by = By(argument.Value, of);
                if (by is null) return Value.Poison;
            }
            else
            {
                var value = Expression(argument.Value);
                if (value is PoisonValue) return value;
                key = value is TensorValue or WeakValue ? Realize(value, DType.I64, argument.Value.Span) : null;
                if (key is not { DType: DType.I64, Rank: 0 })
                    return Fail(Codes.TypeMismatch, argument.Value.Span,
                        $"{Describe(value)} stands where a key, which is a scalar i64, is needed", Describe(value));
            }
        }
        return new TransformedValue(name, of, by, key);
    }

    /// <summary>The variables that `wrt:` names; null after a diagnostic.</summary>
    private Wanted? By(ExpressionSyntax e, Value of)
    {
        var parameters = ParametersOf(of);
        if (e is NameExpression n && parameters.Contains(n.Name)) return new WantedArgument(n.Name, n.Span);
        if (ListOfState(e) is { } list)
            return new WantedList([.. list.Items.OfType<StateValue>().Select(s => new WantedState(s.Member, e.Span))],
                list.Names, e.Span);
        if (e is ListExpression items)
        {
            var all = items.Elements.Select(i => i.Value is { } item && !i.Splice ? By(item, of) : null).ToList();
            return all.Any(a => a is null) ? null : new WantedList([.. all.Select(a => a!)], null, e.Span);
        }
        if (StateNamed(e) is { } state) return new WantedState(state, e.Span);
        Fail(Codes.TypeMismatch, e.Span, e is StringLiteral
                ? "`wrt` names parameters of the function, or state, and this is a string"
                : "`wrt` names parameters of the function, or state", null,
            e is StringLiteral { Value: var quoted } && parameters.Contains(quoted)
                ? $"a name stands without quotes: `wrt: {quoted}`"
            : parameters.Count > 0 ? $"its parameters are {string.Join(", ", parameters)}; of a module, `params`"
                : "of a module, `params` are all of its parameters");
        return null;
    }

    private StateMember? StateNamed(ExpressionSyntax e) => e switch
    {
        NameExpression { Name: var name } when Frame.Find(name) is null =>
            Frame.Self?.Members.GetValueOrDefault(name) as StateMember,
        MemberExpression m when Expression(m.Target) is InstanceValue { Instance: var instance } =>
            instance.Members.GetValueOrDefault(m.Name.Text) as StateMember,
        _ => null,
    };

    /// <summary>The names of the parameters of a callable value.</summary>
    private List<string> ParametersOf(Value of) => of switch
    {
        FunctionValue f => [.. f.Syntax.Parameters.Select(p => p.Name.Text)],
        BuiltinValue b => [.. b.Builtin.Parameters.Split(' ').Select(p => p.TrimEnd('?'))],
        InstanceValue { Instance: var i } when i.Members.GetValueOrDefault("apply") is FunctionMember f =>
            [.. f.Syntax.Parameters.Select(p => p.Name.Text)],
        ListValue { Items: [var first, ..] } => ParametersOf(first),
        TransformedValue { Name: "vjp" } t => [.. ParametersOf(t.Function), "dy"],
        TransformedValue { Name: "jvp" } t => [.. ParametersOf(t.Function), .. Named(t).Select(n => "d" + n)],
        TransformedValue t => ParametersOf(t.Function),
        _ => [],
    };

    private Value CallTransformed(TransformedValue t, ImmutableArray<Argument> arguments, Span span, Span calleeSpan)
    {
        if (arguments.Any(a => IsPoisoned(a.Value))) return Value.Poison;
        switch (t.Name)
        {
            case "train":
                {
                    using var within = new Scope<Training?>(ref training,
                        new Training(t.Key, counters.Length, calleeSpan));
                    return CallValue(t.Function, arguments, span, calleeSpan);
                }
            case "checkpoint":
                return Recomputed(t, arguments, span, calleeSpan);
        }
        if (openForms > 0)
            return Limit(span, "a gradient inside an index form", "take the gradient of a sum over the form's indices");
        if (arguments.FirstOrDefault(a => a.Inout) is { } lent)
            return Limit(lent.Span, "the gradient of a function with an `inout` argument",
                "give it a copy that it returns: what is written in place is gone when its gradient is taken");
        try
        {
            return Differentiated(t, arguments, span, calleeSpan);
        }
        catch (NotDifferentiableException e)
        {
            var at = e.Origin.Place.Length > 0 && e.Origin.Place != span.Place ? $", at {e.Origin.Place}" : "";
            return Limit(span, e.Message + at, e.Help);
        }
    }

    private Value Differentiated(TransformedValue t, ImmutableArray<Argument> arguments, Span span, Span calleeSpan)
    {
        var parameters = ParametersOf(t.Function);
        var by = t.By ?? (parameters.Count > 0 ? new WantedArgument(parameters[0], calleeSpan) : null);
        if (by is null)
            return Fail(Codes.WrongArgumentCount, calleeSpan, $"`{t.Name}` of a function without parameters", null,
                "say what the gradient is by: `wrt: params`");
        // The arguments of `vjp` and `jvp` beyond the function's own: cotangents, or a tangent for each variable.
        var extra = t.Name switch { "vjp" => 1, "jvp" => Flat(by).Count(), _ => 0 };
        if (arguments.Length < extra || arguments.Skip(arguments.Length - extra).Any(a => a.Name is not null))
            return Fail(Codes.WrongArgumentCount, span, t.Name == "vjp"
                ? "`vjp` is called without the cotangent" : "`jvp` is called without the tangents", null,
                t.Name == "vjp" ? "it comes last: `vjp(f)(x, dy)`" : "they come last, one for each of `wrt`: `jvp(f)(x, dx)`");
        var (own, given) = (arguments[..^extra], arguments[^extra..]);

        var leaves = new LeafSet(this);
        if (Leafed(by, parameters, ref own, leaves, t.Function) is not { } wanted) return Value.Poison;
        Value value;
        try
        {
            value = CallValue(t.Function, own, span, calleeSpan);
        }
        finally
        {
            leaves.Restore();
        }
        if (IsPoisoned(value)) return Value.Poison;
        return t.Name switch
        {
            "vjp" => Vjp(value, wanted, leaves, given[0]),
            "jvp" => Jvp(value, wanted, leaves, by, given),
            _ => Gradient(t.Name, value, wanted, leaves, span),
        };
    }

    /// <summary>
    /// The leaves of one gradient, and the state whose value is restored when the gradient has been made.
    /// </summary>
    private sealed class LeafSet(Elaborator elaborator)
    {
        private readonly List<(Local Local, Value Before, Node Leaf)> lent = [];

        public List<Node> Nodes { get; } = [];

        /// <summary>Replaces a tensor by a leaf of its own.</summary>
        public TensorValue Add(TensorValue x)
        {
            var leaf = elaborator.Tensor(new Graph.Barrier(elaborator.Import(x).Node, BarrierKind.Leaf,
                ++elaborator.leafCount));
            Nodes.Add(leaf.Node);
            return leaf;
        }

        public TensorValue Lend(Local local, TensorValue value)
        {
            if (lent.Find(l => l.Local == local) is { Local: not null } known)
                return new(known.Leaf, elaborator.Graph, []);
            var leaf = Add(value);
            lent.Add((local, value, leaf.Node));
            local.Value = leaf;
            return leaf;
        }

        /// <summary>Restores the state that the function has not assigned.</summary>
        public void Restore()
        {
            foreach (var (local, before, leaf) in lent)
                if (local.Value is TensorValue t && ReferenceEquals(t.Node, leaf)) local.Value = before;
        }
    }

    /// <summary>
    /// Replaces each variable of the gradient by a leaf; returns their values, in the form of `wrt:`. Null after a
    /// diagnostic.
    /// </summary>
    private Value? Leafed(Wanted by, List<string> parameters, ref ImmutableArray<Argument> arguments, LeafSet leaves,
        Value function)
    {
        switch (by)
        {
            case WantedState s:
                if (StateOf(s.Member, s.Span) is not { Value: TensorValue held } local) return null;
                if (!IsFloat(held, s.Span, $"`{s.Member.Name}`")) return null;
                return leaves.Lend(local, held);
            case WantedList list:
                var items = new List<Value>();
                foreach (var item in list.Items)
                {
                    if (Leafed(item, parameters, ref arguments, leaves, function) is not { } value) return null;
                    items.Add(value);
                }
                return new ListValue([.. items], list.Names);
            case WantedArgument a:
                var position = parameters.IndexOf(a.Name);
                var positional = arguments.TakeWhile(x => x.Name is null).Count();
                var at = arguments.ToList().FindIndex(x => x.Name == a.Name);
                if (at < 0) at = position < positional ? position : -1;
                if (at < 0)
                {
                    Fail(Codes.WrongArgumentCount, a.Span, $"the gradient is by `{a.Name}`, which the call does not give",
                        null, $"its parameters are {string.Join(", ", parameters)}");
                    return null;
                }
                var argument = arguments[at];
                if (LeafOf(argument.Value, argument.Span, $"`{a.Name}`", leaves, DeclaredDType(function, position))
                    is not { } leaf) return null;
                arguments = arguments.SetItem(at, argument with { Value = leaf });
                return leaf;
            default:
                return null;
        }
    }

    private Value? LeafOf(Value value, Span span, string what, LeafSet leaves, DType declared)
    {
        switch (value)
        {
            case WeakValue w:
                return Realize(w, declared, span) is { } number ? leaves.Add(number) : null;
            case TensorValue t:
                return IsFloat(t, span, what) ? leaves.Add(t) : null;
            case ListValue l:
                var items = l.Items.Select(i => LeafOf(i, span, $"an element of {what}", leaves, declared)).ToList();
                return items.Any(i => i is null) ? null : l with { Items = [.. items.Select(i => i!)] };
            default:
                Fail(Codes.TypeMismatch, span, $"a gradient is by tensors, and {what} is {Describe(value)}",
                    Describe(value));
                return null;
        }
    }

    private bool IsFloat(TensorValue t, Span span, string what)
    {
        if (t.DType.IsFloat) return true;
        Fail(Codes.TypeMismatch, span, $"a gradient is by floats, and {what} is {Describe(t)}", Describe(t),
            "name another parameter: `wrt: …`");
        return false;
    }

    /// <summary>The declared dtype of a number passed for a parameter.</summary>
    private static DType DeclaredDType(Value function, int position) =>
        function is FunctionValue { Syntax.Parameters: var p } && position < p.Length
            && p[position].Type is NamedType named && DTypeNames.TryParse(named.Name.Text, out var dtype)
            && dtype.IsFloat ? dtype : DType.F32;

    private Value Gradient(string name, Value value, Value wanted, LeafSet leaves, Span span)
    {
        var results = value is ListValue several && !ReferenceEquals(several, ListValue.Nothing)
            ? several.Items : [value];
        var loss = results.Length > 0 ? results[0] : value;
        if (loss is WeakValue number) loss = (Value?)Realize(number, DType.F32, span) ?? Value.Poison;
        if (loss is PoisonValue) return loss;
        if (loss is not TensorValue { Rank: 0, DType.IsFloat: true } scalar)
            return Fail(Codes.TypeMismatch, span,
                $"a gradient is of a scalar, and the first result is {Describe(loss)}", Describe(loss),
                loss is TensorValue { DType.IsFloat: true } ? "take the `sum` or the `mean`; `vjp(f)(x, dy)` is of a tensor" : null);
        var one = Scalar(1.0, scalar.DType).Node;
        var gradient = Pulled([(Import(scalar).Node, one)], wanted, leaves);
        return name == "grad" ? gradient : new ListValue([loss, .. results.Skip(1), gradient]);
    }

    /// <summary>The cotangents of the leaves, in the form of `wrt:`.</summary>
    private Value Pulled(IReadOnlyList<(Node, Node)> outputs, Value wanted, LeafSet leaves)
    {
        var given = Back(outputs, leaves.Nodes);
        var queue = new Queue<TensorValue>(Leaves(wanted).Select(l =>
        {
            var cotangent = given[leaves.Nodes.FindIndex(n => ReferenceEquals(n, l.Node))];
            return Tensor(cotangent ?? Zeros(l.Node.Type));
        }));
        return Rebuilt(wanted, queue);
    }

    private static Const Zeros(TensorType type) => Const.Of(type, [0.0]);

    private IReadOnlyList<Node?> Back(IReadOnlyList<(Node, Node)> outputs, IReadOnlyList<Node> leaves)
    {
        var before = Graph.Nodes.Count;
        var given = Backward.Run(Graph, outputs, leaves, new FreshNames(
            kind => $"{kind.Split('.')[0]}.{++regionCount}",
            () =>
            {
                var variable = $"i.{++loopCount}";
                loopVariables.Add(variable);
                return variable;
            }));
        Spend(Graph.Nodes.Count - before);
        return given;
    }

    private Value Vjp(Value value, Value wanted, LeafSet leaves, Argument cotangent) =>
        Paired(value, cotangent.Value, cotangent.Span, "cotangent") is { } outputs ? Pulled(outputs, wanted, leaves)
            : Value.Poison;

    /// <summary>Pairs each tensor of a value with the one given for it; null after a diagnostic.</summary>
    private List<(Node, Node)>? Paired(Value value, Value given, Span span, string what)
    {
        if (value is ListValue l && given is ListValue m && l.Items.Length == m.Items.Length)
        {
            var pairs = l.Items.Zip(m.Items).Select(p => Paired(p.First, p.Second, span, what)).ToList();
            return pairs.Any(p => p is null) ? null : [.. pairs.SelectMany(p => p!)];
        }
        if (value is not ListValue && !IsNumeric(value)) return [];
        if (value is TensorValue t)
        {
            if (!t.DType.IsFloat) return [];
            if (given is WeakValue number && t.Rank == 0 && Realize(number, t.DType, span) is { } realized)
                return [(Import(t).Node, Import(realized).Node)];
            if (given is TensorValue d && d.Type.Equals(t.Type)) return [(Import(t).Node, Import(d).Node)];
        }
        else if (value is WeakValue && IsNumeric(given))
        {
            return [];
        }
        Fail(Codes.TypeMismatch, span, $"the {what} of {Describe(value)} is {Describe(given)}", Describe(given),
            "it has the type of the value that it belongs to");
        return null;
    }

    /// <summary>
    /// The tangents of the results: a vector-Jacobian product is linear in the cotangent, and its own gradient by the
    /// cotangent, along the tangents, is the Jacobian-vector product. The cotangent's value does not matter.
    /// </summary>
    private Value Jvp(Value value, Value wanted, LeafSet leaves, Wanted by, ImmutableArray<Argument> tangents)
    {
        var flat = Flattened(wanted, by).ToList();
        var pairs = new List<(Node Leaf, Node Tangent)>();
        for (var i = 0; i < tangents.Length; i++)
        {
            if (Paired(flat[i], tangents[i].Value, tangents[i].Span, "tangent") is not { } some) return Value.Poison;
            pairs.AddRange(some);
        }
        var outputs = Leaves(value).Where(l => l.DType.IsFloat).ToList();
        var cotangents = new LeafSet(this);
        var seeds = outputs.Select(o => (Import(o).Node, cotangents.Add(Tensor(Zeros(o.Node.Type))).Node)).ToList();
        var pulled = Back(seeds, leaves.Nodes);
        var products = pairs.Select(p => (pulled[leaves.Nodes.FindIndex(n => ReferenceEquals(n, p.Leaf))], p.Tangent))
            .Where(p => p.Item1 is not null).Select(p => (p.Item1!, p.Tangent)).ToList();
        var pushed = products.Count == 0 ? [.. outputs.Select(_ => (Node?)null)] : Back(products, cotangents.Nodes);
        var queue = new Queue<TensorValue>();
        var next = 0;
        foreach (var leaf in Leaves(value))
            queue.Enqueue(leaf.DType.IsFloat && pushed[next++] is { } tangent ? Tensor(tangent)
                : Tensor(leaf.DType.IsFloat ? Zeros(leaf.Node.Type) : Const.Of(leaf.Node.Type, [0L])));
        return Rebuilt(value, queue);
    }

    /// <summary>The variables one by one, in the order in which `jvp` takes their tangents.</summary>
    private static IEnumerable<Wanted> Flat(Wanted by) => by is WantedList { Names: null } l ? l.Items.SelectMany(Flat) : [by];

    private static IEnumerable<Value> Flattened(Value value, Wanted by) =>
        by is WantedList { Names: null } l && value is ListValue v
            ? l.Items.Zip(v.Items).SelectMany(p => Flattened(p.Second, p.First)) : [value];

    private static IEnumerable<string> Named(TransformedValue t) => t.By is null ? ["x"]
        : Flat(t.By).Select(w => w is WantedArgument a ? a.Name : "x");

    // ---- train and checkpoint ----------------------------------------------------------------------------------------

    /// <summary>
    /// A call's own key: that of `train`, folded with the calls that lead to it, each numbered in the function that
    /// makes it, and with the counters of the surrounding loops. Null if there is none.
    /// </summary>
    private Value? KeyHere(Span span)
    {
        if (training is not { } around) return null;
        if (around.Key is not { } key)
        {
            // What is missing is missing there; what needs it may be a layer of the library.
            var asks = SourceLoader.IsLibrary(span.Source)
                ? Chain().FirstOrDefault(c => !SourceLoader.IsLibrary(c.Span.Source))?.Span ?? span : span;
            return Fail(Codes.UnknownName, around.Place, "`train` is given no key here", null,
                "give it one, an i64: `train(f, key: k)`", new Label(asks, "this draws by a key"));
        }
        var folded = Import(key);
        foreach (var call in Frame.CallPath(around)) folded = Folded(folded, Scalar((long)call, DType.I64));
        foreach (var counter in counters.Skip(around.Loops))
        {
            if (counter() is not { } round)
                return Limit(span, "a `key` in a `while` loop", "a loop that counts has one: `for i in 0:n { … }`");
            folded = Folded(folded, round);
        }
        return folded;

        TensorValue Folded(TensorValue of, TensorValue by) => FoldKey(new("fold",
            new Dictionary<string, Argument> { ["key"] = new(of, span, null), ["i"] = new(by, span, null) }, span))
            as TensorValue ?? of;
    }

    /// <summary>
    /// A call as a function of its own: a backward pass recomputes its values and stores none of them.
    /// </summary>
    private Value Recomputed(TransformedValue t, ImmutableArray<Argument> arguments, Span span, Span calleeSpan)
    {
        if (openForms > 0 || arguments.Any(a => a.Inout)) return CallValue(t.Function, arguments, span, calleeSpan);
        var outline = new Outline(Graph, Graph.Nodes.Count, Graph.Effects.Count, userPlace,
            [.. arguments.SelectMany(a => Leaves(a.Value)).Select(l => Import(l).Node)]);
        return Outlined(outline, Function.Recomputed, CallValue(t.Function, arguments, span, calleeSpan));
    }
}
