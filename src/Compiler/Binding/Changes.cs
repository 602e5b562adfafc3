// In: the syntax of a loop, with the meaning of its names where it begins. Out: the locals and the state that a round
// may change. Where the call decides, this is more than a round changes; the loop drops the rest.
using Accelerate.Compiler.Syntax;

namespace Accelerate.Compiler.Binding;

/// <param name="states">The list of all state, which grows as state is declared.</param>
/// <param name="isTrue">The truth of a condition on known values; null if it is not a truth value.</param>
internal sealed class Changes(IReadOnlyList<StateMember> states, Func<ExpressionSyntax, bool?> isTrue)
{
    /// <summary>
    /// The places that a text assigns or lends, and the names that it mentions, as paths: `net.fc` for `net.fc[i]`. A
    /// name that is called is distinguished from one that is passed on and may be called there.
    /// </summary>
    private sealed record Said(HashSet<string> Places, HashSet<(string Path, bool IsCalled)> Mentions)
    {
        public HashSet<string> Declared { get; } = [];

        public HashSet<ExpressionSyntax> Conditions { get; } = new(ReferenceEqualityComparer.Instance);

        public void Add(Said other)
        {
            Places.UnionWith(other.Places);
            Mentions.UnionWith(other.Mentions);
            Declared.UnionWith(other.Declared);
            Conditions.UnionWith(other.Conditions);
        }
    }

    /// <summary>A function, with the instance whose members it sees. Syntax is compared by reference.</summary>
    private readonly record struct Called(FunctionSyntax Syntax, SourceFile File, Instance? Self)
    {
        public bool Equals(Called other) => ReferenceEquals(Syntax, other.Syntax) && Self == other.Self;

        public override int GetHashCode() =>
            HashCode.Combine(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(Syntax), Self);
    }

    private readonly Dictionary<SyntaxNode, Said> said = new(ReferenceEqualityComparer.Instance);

    /// <summary>The state that a function changes itself, and the functions it calls.</summary>
    private readonly Dictionary<Called, (HashSet<StateMember> States, HashSet<Called> Calls)> summaries = [];

    /// <summary>The locals and state that the parts of a loop (its condition, its body) may change.</summary>
    public (List<Local> Locals, HashSet<StateMember> States) Of(Frame frame, params ReadOnlySpan<SyntaxNode> parts)
    {
        var locals = new List<Local>();
        var changed = new HashSet<StateMember>();
        var calls = new HashSet<Called>();
        var text = Taken(frame, parts);
        foreach (var place in text.Places)
        {
            if (frame.Find(place.Split('.')[0]) is not { } local) continue;
            // Changing a lent place changes the local it comes from.
            if (!locals.Contains(local.Alias?.Root ?? local)) locals.Add(local.Alias?.Root ?? local);
        }
        Resolve(text, frame, frame.File, frame.Self, changed, calls);
        var open = new Stack<Called>(calls);
        while (open.TryPop(out var call))
        {
            var (own, further) = Summary(call);
            changed.UnionWith(own);
            foreach (var next in further) if (calls.Add(next)) open.Push(next);
        }
        return (locals, changed);
    }

    private (HashSet<StateMember> States, HashSet<Called> Calls) Summary(Called call)
    {
        if (summaries.TryGetValue(call, out var known)) return known;
        var (changed, calls) = (new HashSet<StateMember>(), new HashSet<Called>());
        Resolve(Read(call.Syntax), null, call.File, call.Self, changed, calls);
        return summaries[call] = (changed, calls);
    }

    // ---- branches that are known not to be taken ---------------------------------------------------------------

    /// <summary>
    /// Reads the parts without the branches that no round takes: a condition keeps its value if it depends only on
    /// values that are known before the loop and that the rest does not change.
    /// </summary>
    private Said Taken(Frame frame, ReadOnlySpan<SyntaxNode> parts)
    {
        var all = new Said([], []);
        foreach (var part in parts) all.Add(Read(part));
        // At first nothing is assumed to change; the next turn adds the changes of branches that the changes so far
        // open.
        var taken = new Said([], []);
        while (true)
        {
            var decided = Decided(frame, all, taken.Places);
            if (decided.Count == 0) return all;
            var next = new Said([], []);
            foreach (var part in parts) next.Add(Read(part, decided));
            if (next.Places.IsSubsetOf(taken.Places)) return next;
            next.Places.UnionWith(taken.Places);
            taken = next;
        }
    }

    private Dictionary<ExpressionSyntax, bool> Decided(Frame frame, Said text, HashSet<string> changed)
    {
        var decided = new Dictionary<ExpressionSyntax, bool>(ReferenceEqualityComparer.Instance);
        foreach (var condition in text.Conditions)
            if (Decide(condition) is { } truth) decided[condition] = truth;
        return decided;

        bool? Decide(ExpressionSyntax e) => e switch
        {
            NotExpression n => !Decide(n.Operand),
            BinaryExpression { Operator: BinaryOperator.And } b => Decide(b.Left) & Decide(b.Right),
            BinaryExpression { Operator: BinaryOperator.Or } b => Decide(b.Left) | Decide(b.Right),
            _ => IsKnown(e) ? isTrue(e) : null,
        };

        bool IsKnown(ExpressionSyntax e) => e switch
        {
            IntegerLiteral or FloatLiteral or StringLiteral or BooleanLiteral => true,
            NegateExpression n => IsKnown(n.Operand),
            BinaryExpression b => IsKnown(b.Left) && IsKnown(b.Right),
            NameExpression { Name: var name } => !changed.Contains(name) && !text.Declared.Contains(name)
                && First(name, frame, frame.File, frame.Self).ToList() is [IntValue { Size.IsConstant: true }
                    or FloatValue or BoolValue or StringValue or DTypeValue],
            _ => false,
        };
    }

    // ---- the text ------------------------------------------------------------------------------------------------

    /// <summary>An inner loop is read once, however many loops are around it.</summary>
    private Said Read(SyntaxNode text)
    {
        if (!said.TryGetValue(text, out var known)) said[text] = known = Read(text, null);
        return known;
    }

    /// <param name="text">The text.</param>
    /// <param name="decided">The values of conditions; null to read all branches.</param>
    private Said Read(SyntaxNode text, Dictionary<ExpressionSyntax, bool>? decided)
    {
        var result = new Said([], []);
        var open = new Stack<SyntaxNode?>([text]);
        while (open.TryPop(out var node))
        {
            switch (node)
            {
                case ForStatement f:
                    result.Declared.UnionWith(f.Names.Select(n => n.Text));
                    open.Push(f.Iterable);
                    Include(f.Body);
                    break;
                case WhileStatement w:
                    open.Push(w.Condition);
                    Include(w.Body);
                    break;
                case IfStatement s when decided?.TryGetValue(s.Condition, out var truth) == true:
                    open.Push(truth ? s.Then : s.Else);
                    break;
                case IfStatement s:
                    result.Conditions.Add(s.Condition);
                    PushChildren(s);
                    break;
                case DeclareStatement d:
                    result.Declared.UnionWith(d.Names.Select(n => n.Text));
                    PushChildren(d);
                    break;
                case AssignStatement a:
                    foreach (var place in a.Places) if (PathOf(place) is { } path) result.Places.Add(path);
                    PushChildren(a);
                    break;
                case ArgumentSyntax { Inout: true } lent:
                    if (PathOf(lent.Value) is { } of) result.Places.Add(of);
                    PushChildren(lent);
                    break;
                case ApplyExpression call:
                    Mention(call.Callee, isCalled: true);
                    foreach (var argument in call.Arguments) open.Push(argument);
                    break;
                case PipeExpression { Right: not ApplyExpression } pipe:
                    open.Push(pipe.Left);
                    Mention(pipe.Right, isCalled: true);
                    break;
                case NameExpression or MemberExpression or SelectExpression:
                    Mention((ExpressionSyntax)node, isCalled: false);
                    break;
                case not null:
                    PushChildren(node);
                    break;
            }
        }
        return result;

        void PushChildren(SyntaxNode of)
        {
            foreach (var (_, child) in SyntaxPrinter.Children(of)) open.Push(child);
        }

        void Include(BlockSyntax body)
        {
            if (decided is null) result.Add(Read(body));
            else open.Push(body);
        }

        // Mentions the whole path, and the expressions in its subscripts or in the place of a name.
        void Mention(ExpressionSyntax e, bool isCalled)
        {
            if (PathOf(e) is { } path) result.Mentions.Add((path, isCalled));
            while (e is MemberExpression or SelectExpression)
            {
                if (e is SelectExpression s)
                {
                    foreach (var subscript in s.Subscripts) open.Push(subscript);
                    e = s.Target;
                }
                else
                {
                    e = ((MemberExpression)e).Target;
                }
            }
            if (e is not NameExpression) open.Push(e);
        }
    }

    /// <summary>The names of a path, without its subscripts; null for one that does not begin with a name.</summary>
    private static string? PathOf(ExpressionSyntax e)
    {
        var names = new Stack<string>();
        while (true)
        {
            switch (e)
            {
                case MemberExpression m:
                    names.Push(m.Name.Text);
                    e = m.Target;
                    break;
                case SelectExpression s:
                    e = s.Target;
                    break;
                case NameExpression n:
                    names.Push(n.Name);
                    return string.Join('.', names);
                default:
                    return null;
            }
        }
    }

    // ---- the meaning of names ------------------------------------------------------------------------------------

    /// <summary>
    /// Finds the state that the places name, and the functions that the mentions lead to. Names of locals that do not
    /// exist yet are skipped: their values come from other mentions.
    /// </summary>
    private void Resolve(Said text, Frame? frame, SourceFile file, Instance? self, HashSet<StateMember> changed,
        HashSet<Called> calls)
    {
        foreach (var place in text.Places)
            foreach (var value in Named(place, frame, file, self)) AddStates(value, changed);
        foreach (var (path, isCalled) in text.Mentions)
            foreach (var value in Named(path, frame, file, self)) AddCalls(value, isCalled, changed, calls);
    }

    private static void AddStates(object value, HashSet<StateMember> changed)
    {
        switch (value)
        {
            case StateMember state:
                changed.Add(state);
                break;
            case StateValue state:
                changed.Add(state.Member);
                break;
            case ListValue list:
                foreach (var item in list.Items) AddStates(item, changed);
                break;
        }
    }

    private void AddCalls(object value, bool isCalled, HashSet<StateMember> changed, HashSet<Called> calls)
    {
        switch (value)
        {
            case FunctionValue f:
                calls.Add(new(f.Syntax, f.File, f.Self));
                break;
            case ListValue list:
                foreach (var item in list.Items) AddCalls(item, isCalled, changed, calls);
                break;
            case InstanceValue { Instance: var instance } when isCalled:
                if (instance.Members.GetValueOrDefault("apply") is FunctionMember apply)
                    calls.Add(new(apply.Syntax, instance.File, instance));
                break;
            case InstanceValue { Instance: var instance }:
                // A function that receives an instance may call any function of it, and assign its state.
                foreach (var state in states)
                    if (Elaborator.Within(instance, state) is not null) changed.Add(state);
                var (open, seen) = (new Stack<Instance>([instance]), new HashSet<Instance> { instance });
                while (open.TryPop(out var at))
                {
                    foreach (var member in at.Members.Values.OfType<FunctionMember>())
                        calls.Add(new(member.Syntax, at.File, at));
                    foreach (var inner in at.Members.Values.OfType<LetMember>().Select(l => l.Value)
                        .Concat(at.Hyper.Values.Select(h => h.Value)).SelectMany(InstancesIn))
                        if (seen.Add(inner)) open.Push(inner);
                }
                break;
        }
    }

    private static IEnumerable<Instance> InstancesIn(Value value) => value switch
    {
        InstanceValue i => [i.Instance],
        ListValue l => l.Items.SelectMany(InstancesIn),
        _ => [],
    };

    /// <summary>The values and state that a path names. Nothing is evaluated for it.</summary>
    private IEnumerable<object> Named(string path, Frame? frame, SourceFile file, Instance? self)
    {
        var names = path.Split('.');
        var found = First(names[0], frame, file, self);
        return names.Skip(1).Aggregate(found, (of, name) => of.SelectMany(o => Member(o, name)));
    }

    private IEnumerable<object> First(string name, Frame? frame, SourceFile file, Instance? self)
    {
        if (frame?.Find(name) is { } local) return [local.Value];
        if (self is not null && OfInstance(self, name) is { } own) return [own];
        if (OfFile(file, name) is { } item) return [item];
        return file.Opened.SelectMany(f => OfFile(f, name) is { } other ? [other]
            : f.Name == name ? [new FileValue(f)] : Enumerable.Empty<object>());
    }

    private IEnumerable<object> Member(object of, string name) => of switch
    {
        InstanceValue i => OfInstance(i.Instance, name) is { } member ? [member] : [],
        ListValue l => l.Items.SelectMany(i => Member(i, name)),
        FileValue f => First(name, null, f.File, null),
        _ => [],
    };

    private object? OfInstance(Instance instance, string name) =>
        instance.Members.TryGetValue(name, out var member) ? member switch
        {
            FunctionMember f => new FunctionValue(f.Syntax, instance.File, instance),
            LetMember let => let.Value,
            _ => member,
        }
        : instance.Hyper.TryGetValue(name, out var hyper) ? hyper.Value
        : name is "params" or "buffers" ? new ListValue(
            [.. states.Where(s => Elaborator.Within(instance, s) is not null).Select(s => (Value)new StateValue(s))])
        : null;

    private static object? OfFile(SourceFile file, string name) => file.Items.GetValueOrDefault(name) switch
    {
        FunctionSyntax f => new FunctionValue(f, file, null),
        ConstantSyntax => file.Constants.GetValueOrDefault(name),
        _ => null,
    };
}
