// In: a module and arguments. Out: an instance with its members. The first holder of an instance names its state.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private Value Instantiate(ModuleValue module, ImmutableArray<Argument> arguments, Span span, Span callee)
    {
        var syntax = module.Syntax;
        foreach (var argument in arguments)
        {
            if (argument.Name is not null || argument.Value is not TensorValue { Rank: var rank }) continue;
            var place = arguments.Take(arguments.IndexOf(argument)).Count(a => a.Name is null);
            if (place < syntax.Parameters.Length && (rank == 0
                || syntax.Parameters[place].Type is not (null or NamedType { Name.Text: "int" or "float" or "bool" })))
                continue;
            var made = $"{syntax.Name.Text}({(syntax.Parameters.IsEmpty ? "" : "…")})";
            // `let fc = Linear`: what is missing is missing there.
            if (callee.Text is var name && name != syntax.Name.Text
                && DeclarationOf(name) is { IsLet: true, Span: var declared })
                return Fail(Codes.WrongArgumentCount, declared,
                    $"`{name}` is the module {syntax.Name.Text}, not yet a layer", null, $"make the layer here: "
                        + $"`let {name} = {made}`, then `{name}({Short(argument.Span)})`",
                    new Label(argument.Span, Describe(argument.Value)));
            return Fail(Codes.WrongArgumentCount, argument.Span, $"`{syntax.Name.Text}` is a module, not yet a layer",
                Describe(argument.Value), $"make the layer first: `let layer = {made}`, then "
                    + $"`layer({Short(argument.Span)})`", new Label(syntax.Name.Span, "the module"));
        }
        if (Bind(syntax.Name.Text, syntax.Name.Span, syntax.Parameters, arguments, span, syntax) is not { } bound)
            return Value.Poison;
        var instance = new Instance(syntax, module.File, span, span.Text);
        return Filled(instance, bound, span) ? new InstanceValue(instance) : Value.Poison;
    }

    /// <summary>
    /// Binds hyper-parameters, then members in order. False after a diagnostic about the hyper-parameters: from their
    /// types, or from a check of the module.
    /// </summary>
    public bool Filled(Instance instance, Argument?[] bound, Span span)
    {
        var syntax = instance.Syntax;
        Instances.Add(instance);
        using var within = Entering(new Frame(syntax.Name.Text, instance.File, instance, Frame,
            instance.IsRoot ? null : span)
        { Makes = instance });
        using var deeper = Deeper(span);
        using var call = new Scope<int>(ref depth, depth + CallDepth);
        Spend(InstanceWork);
        var good = Parameters(syntax.Parameters, bound, span);
        foreach (var p in syntax.Parameters)
        {
            if (Frame.Find(p.Name.Text) is { } local) instance.Hyper[p.Name.Text] = (local.Value, local.Span);
        }
        if (good)
        {
            Endless(instance, span);
            Frame.Blocks[0].Clear(); // hyper-parameters are found through the instance, so that members may hide them
            good = Members(instance, syntax.Items);
            foreach (var (name, (value, _)) in instance.Hyper) Hold(value, instance, name);
        }
        return good;
    }

    // The greatest nesting of instances of one module with different hyper-parameters; beyond it, the nesting is taken
    // to be endless.
    private const int MostOfOneKind = 1000;

    /// <summary>
    /// Reports an instance that contains one of the same module with the same hyper-parameters, and so contains itself
    /// without end.
    /// </summary>
    private void Endless(Instance instance, Span span)
    {
        var around = 0;
        for (var f = Frame.Caller; f is not null; f = f.Caller)
        {
            if (f.Makes is not { } outer || outer.Syntax != instance.Syntax) continue;
            var isSame = instance.Hyper.All(h => outer.Hyper.TryGetValue(h.Key, out var other)
                && SameKnown(h.Value.Value, other.Value));
            if (!isSame && ++around < MostOfOneKind) continue;
            throw Abandoned(Codes.Recursion, span, isSame ? $"`{instance.Syntax.Name.Text}` holds itself"
                : $"`{instance.Syntax.Name.Text}` holds itself, {MostOfOneKind} levels deep",
                "a module may hold another of its kind where a hyper-parameter differs, and an `if` ends it",
                new Label(instance.Syntax.Name.Span, "this module"));
        }
    }

    /// <summary>False if a check failed: later members rely on it.</summary>
    private bool Members(Instance instance, ImmutableArray<ItemSyntax> items)
    {
        foreach (var item in items)
        {
            if (!Frame.File.IsLibrary) userPlace = item.Span;
            foreach (var name in SourceLoader.NamesOf(item))
            {
                if (instance.Members.TryGetValue(name.Text, out var earlier))
                {
                    Fail(Codes.DuplicateName, name.Span,
                        $"`{name.Text}` is declared twice in {instance.Syntax.Name.Text}", null,
                        "rename one of them", new Label(earlier.Span, "first here"));
                }
            }
            switch (item)
            {
                case FunctionSyntax f:
                    instance.Members[f.Name.Text] = new FunctionMember(f);
                    break;
                case ConstantSyntax c:
                    Let(instance, c);
                    break;
                case StateSyntax s when IsStateList(s, out var list):
                    instance.Members[s.Name.Text] =
                        new LetMember(s.Name.Text, s.Name.Span, null!, 0, StateList(instance, s, list), null);
                    break;
                case StateSyntax s:
                    if (StateType(s) is { } type)
                    {
                        var state = new StateMember(instance, s, type);
                        instance.Members[s.Name.Text] = state;
                        States.Add(state);
                    }
                    else
                    {
                        instance.Members[s.Name.Text] = new LetMember(s.Name.Text, s.Name.Span, null!, 0, Value.Poison,
                            null);
                    }
                    break;
                case ConditionalItemSyntax i:
                    switch (Expression(i.Condition))
                    {
                        case BoolValue b:
                            if (!Members(instance, b.Truth ? i.Then : i.Else)) return false;
                            break;
                        case PoisonValue:
                            break;
                        case var other:
                            Fail(Codes.ConstantNeeded, i.Condition.Span,
                                $"a member's `if` takes a constant bool, not {Describe(other)}", Describe(other));
                            break;
                    }
                    break;
                case CheckSyntax check:
                    if (!ForItsEffects(check.Call)) return false;
                    break;
                case ModuleSyntax m:
                    Limit(m.Name.Span, "a module inside a module", "declare it beside the module");
                    break;
            }
        }
        return true;
    }

    private void Let(Instance instance, ConstantSyntax c)
    {
        var values = Unpack(c.Names, RightSide(), c.Value.Span);
        for (var i = 0; i < c.Names.Length; i++)
        {
            var name = c.Names[i].Text;
            Hold(values[i], instance, name);
            instance.Members[name] = new LetMember(name, c.Names[i].Span, c, i, values[i], HoldsTensor(values[i])
                ? Graph : null);
        }

        Value RightSide()
        {
            // A name is not in scope in its own right side: `let LayerNorm = LayerNorm(h)`.
            using var hidden = new Scope<string?>(ref Frame.Hidden, c.Names.Length == 1 ? c.Names[0].Text : null);
            return Declared(c.Type, Expression(c.Value), c.Value.Span);
        }
    }

    /// <summary>Instances that have no holder yet get this name; elements of lists are named by position.</summary>
    private static void Hold(Value value, Instance? owner, string name)
    {
        switch (value)
        {
            case InstanceValue { Instance: { Holder: null, IsRoot: false } instance }:
                instance.Holder = (owner, name);
                break;
            case ListValue list:
                for (var i = 0; i < list.Items.Length; i++) Hold(list.Items[i], owner, $"{name}.{i}");
                break;
        }
    }

    /// <summary>The constant type of a `param` or `buffer`. Null after a diagnostic.</summary>
    private TensorType? StateType(StateSyntax s)
    {
        if (s.Type is null)
        {
            switch (WithKey(s, 0))
            {
                case PoisonValue:
                    return null;
                case TensorValue t:
                    return t.Type;
                case var value:
                    Fail(Codes.TypeMismatch, s.Value.Span, $"`{s.Name.Text}` needs a type: {Describe(value)} has none",
                        null,
                        $"write `{s.Name.Text}: f32 = …`");
                    return null;
            }
        }
        if (s.Type is not NamedType named || DTypeOf(named) is not { } dtype)
        {
            if (s.Type is NamedType unknown && IsNoType(unknown)) NoType(unknown);
            else Fail(Codes.UnknownType, s.Type.Span, $"state has a tensor type, not {s.Type.Span.Text}", null,
                "a dtype with sizes: `f32[o, i]`");
            return null;
        }
        if (SizesOf(named) is not { } shape) return null;
        var bad = shape.FirstOrDefault(x => !x.IsConstant || x.Value < 0);
        if (bad is not null)
        {
            Fail(Codes.ConstantNeeded, s.Type.Span, bad.IsConstant ? $"a size of state is at least 0, and not {bad}"
                : $"the sizes of state are constants, {bad} is not");
            return null;
        }
        return new(dtype, shape);
    }

    /// <summary>FNV-1a, 64 bits, of the path's UTF-8.</summary>
    public static long Fnv1a(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in System.Text.Encoding.UTF8.GetBytes(text)) hash = unchecked((hash ^ b) * 1099511628211UL);
        return unchecked((long)hash);
    }
}
