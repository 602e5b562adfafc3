// State within an entry: the current values of `param`s and `buffer`s, lists of them, and their values at the return.
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>The state that the entry has mentioned, as locals outside of all blocks.</summary>
    private readonly Dictionary<StateMember, Local> states = new(ReferenceEqualityComparer.Instance);

    /// <summary>The `inout` parameters of the entry.</summary>
    private readonly List<(Input Input, Local Local)> lent = [];

    /// <summary>True while an exported function is elaborated: there the value of state can change.</summary>
    private bool inEntry;

    /// <summary>The local that holds a piece of state; null after a diagnostic.</summary>
    private Local? StateOf(StateMember state, Span span)
    {
        if (!inEntry)
        {
            Fail(Codes.EffectInPureForm, span, $"`{state.Name}` is assigned outside a call", null,
                "assign state in functions");
            return null;
        }
        if (state.Path is null)
        {
            NoPath(state.Owner);
            return null;
        }
        if (!states.TryGetValue(state, out var local))
        {
            // Made in the entry's own graph, wherever it is first mentioned: it exists before all other nodes.
            var node = Root.Add(new State(state.Storage, state.Path, state.Type));
            states[state] = local =
                new Local(new TensorValue(node, Root, []), state.Span) { Serial = 0, Type = state.Type };
            Begin(state, local);
        }
        return local;
    }

    /// <summary>Adds the state to the surrounding loops that may change it but have begun without it.</summary>
    private void Begin(StateMember state, Local local)
    {
        var around = new Stack<LoopStart>();
        for (var r = region; r is not null; r = r.Outer)
            if (r.Loop is { } loop && loop.May(state)) around.Push(loop);
        foreach (var loop in around) local.Value = loop.Begin(local, local.Value).Inside;
    }

    private Value NoPath(Instance instance) => Fail(Codes.InstanceWithoutPath, instance.Made,
        $"{instance.Call} has no name, so its state has no keys", "nothing holds this layer",
            "give the layer to a `let` of a module");

    /// <summary>The current value of a piece of state.</summary>
    private Value ValueOf(StateMember state, Span span)
    {
        if (initializing.Count > 0) return Initial(state);
        if (!inEntry) return state.Path is null && Graph.Name != Known ? NoPath(state.Owner)
            : Tensor(new State(state.Storage, state.Path ?? "?" + state.Name, state.Type));
        return StateOf(state, span) is { } local ? local.Value : Value.Poison;
    }

    /// <summary>A value with state replaced by its tensors.</summary>
    private Value Loaded(Value value, Span span) => value switch
    {
        StateValue s => ValueOf(s.Member, span),
        ListValue l when l.Items.Any(HoldsState) => l with { Items = [.. l.Items.Select(i => Loaded(i, span))] },
        _ => value,
    };

    private static bool HoldsState(Value value) =>
        value is StateValue || (value is ListValue l && l.Items.Any(HoldsState));

    /// <summary>`params` or `buffers` of an instance: its state so far, named relative to it.</summary>
    private ListValue StatesOf(Instance instance, string name)
    {
        var storage = name == "params" ? StorageClass.Param : StorageClass.Buffer;
        var found = States.Where(s => s.Storage == storage)
            .Select(s => (State: s, Path: Within(instance, s))).Where(p => p.Path is not null).ToList();
        return new ListValue([.. found.Select(p => (Value)new StateValue(p.State))], [.. found.Select(p => p.Path!)]);
    }

    /// <summary>
    /// The path from an instance, which may have no holder yet, down to a piece of state; null for state outside of it.
    /// </summary>
    public static string? Within(Instance instance, StateMember state)
    {
        var path = state.Name;
        for (var owner = state.Owner; owner != instance;)
        {
            if (owner.Holder is not ({ } up, var name)) return null;
            (path, owner) = ($"{name}.{path}", up);
        }
        return path;
    }

    /// <summary>
    /// Whether a name fits a pattern, in which `*` stands for any characters: `match(name, "*.bias")`.
    /// </summary>
    public Value Match(BuiltinCall c)
    {
        if (c["name"].Value is not StringValue name) return WrongArgument(c["name"], "a string");
        if (c["pattern"].Value is not StringValue pattern) return WrongArgument(c["pattern"], "a string");
        return new BoolValue(Regex.IsMatch(name.Text,
            $"^{Regex.Escape(pattern.Text).Replace(@"\*", ".*", StringComparison.Ordinal)}$",
            RegexOptions.NonBacktracking));
    }

    /// <summary>
    /// The state that a place names as a list: `params`, `net.buffers`, a list given as hyper-parameter. Null if there
    /// is none.
    /// </summary>
    private ListValue? ListOfState(ExpressionSyntax place)
    {
        switch (place)
        {
            case NameExpression { Name: var name } when Frame.Find(name) is null:
                if (Frame.Self is not { } self) return null;
                if (self.Members.TryGetValue(name, out var member))
                    return member is LetMember { Value: ListValue list } && HoldsState(list) ? list : null;
                if (self.Hyper.TryGetValue(name, out var hyper))
                    return hyper.Value is ListValue h && HoldsState(h) ? h : null;
                return name is "params" or "buffers" ? StatesOf(self, name) : null;
            case MemberExpression { Name.Text: "params" or "buffers" } m when Expression(m.Target)
                is InstanceValue { Instance: var instance }
                && !instance.Members.ContainsKey(m.Name.Text):
                return StatesOf(instance, m.Name.Text);
            case MemberExpression m when Expression(m.Target) is InstanceValue { Instance: var instance }
                && instance.Members.TryGetValue(m.Name.Text, out var held):
                return held is LetMember { Value: ListValue l } && HoldsState(l) ? l : null;
            default:
                return null;
        }
    }

    private void AssignAll(AssignStatement a, ListValue list, Value value)
    {
        if (value is PoisonValue) return;
        if (a.Operator != AssignOperator.Set)
        {
            Fail(Codes.ListArithmetic, a.OperatorSpan, "lists have no arithmetic", null,
                "write a comprehension: `[p - d for p, d in zip(params, g)]`");
            return;
        }
        if (value is not ListValue given || given.Items.Length != list.Items.Length)
        {
            Fail(Codes.WrongResultCount, a.Value.Span,
                $"{list.Items.Length} pieces of state are assigned {Describe(value)}", Describe(value));
            return;
        }
        foreach (var (target, v) in list.Items.Zip(given.Items))
            if (target is StateValue s && StateOf(s.Member, a.Span) is { } local)
                Put(new Place(local, []), v, ScatterOp.Set, a.Value.Span, a.Places[0].Span);
    }

    /// <summary>True if some state or `inout` parameter has a new value.</summary>
    private bool Changed => states.Any(s => IsNew(s.Key, s.Value))
        || lent.Any(l => l.Local.Value is TensorValue t && !ReferenceEquals(t.Node, l.Input));

    /// <summary>False for state that has its own original value; another state's value is a new one.</summary>
    private static bool IsNew(StateMember state, Local local) =>
        local.Value is TensorValue t && !(t.Node is State own && own.Name == state.Path);

    /// <summary>
    /// Assigns the values that state and `inout` parameters have when the entry returns, in the order of their
    /// declarations.
    /// </summary>
    private void AssignAtEnd()
    {
        foreach (var (state, local) in states.OrderBy(s => States.IndexOf(s.Key)))
            if (IsNew(state, local)) Emit(new Assign(state.Storage, state.Path!, ((TensorValue)local.Value!).Node));
        foreach (var (input, local) in lent)
            if (local.Value is TensorValue t && !ReferenceEquals(t.Node, input))
                Emit(new Assign(StorageClass.Inout, input.Name, t.Node));
    }
}
