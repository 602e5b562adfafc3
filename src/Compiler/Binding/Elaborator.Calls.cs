// Calls: a function, a layer, a list of layers, a module, a dtype. Arguments are matched to parameters, the body is
// evaluated.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    // On known values a function may call itself a few levels deep; beyond that the recursion is taken to be endless.
    private const int MostSelfCalls = 8;

    private Value CallValue(Value callee, ImmutableArray<Argument> arguments, Span span, Span calleeSpan)
    {
        if (callee is PoisonValue) return callee;
        switch (callee)
        {
            case FunctionValue f:
                return Enter(f, arguments, span);
            case BuiltinValue b:
                return arguments.Any(a => IsPoisoned(a.Value)) ? Value.Poison : Invoke(b.Builtin, arguments, span);
            case TransformedValue t:
                return CallTransformed(t, arguments, span, calleeSpan);
            case TransformationValue { Name: var name }:
                return Fail(Codes.WrongArgumentCount, calleeSpan, $"`{name}` is given no function", null,
                    $"write `{name}(f)(x)`");
            case ModuleValue m:
                return Instantiate(m, arguments, span, calleeSpan);
            case DTypeValue d:
                return Cast(d.DType, arguments, span);
            case InstanceValue { Instance: var instance }:
                if (instance.Members.TryGetValue("apply", out var apply) && apply is FunctionMember f2)
                    return Enter(new(f2.Syntax, instance.File, instance), arguments, span, instance.Syntax.Name.Text);
                return Fail(Codes.NotCallable, calleeSpan,
                    $"{instance.Syntax.Name.Text} has no `apply`, so it is not a layer", null,
                    instance.Members.Values.OfType<FunctionMember>().Select(f => f.Syntax.Name.Text).ToList()
                        is [var only] ? $"call `{calleeSpan.Text}.{only}(…)`, or name `{only}` `apply`"
                        : "call one of its functions: `m.f(x)`", new Label(instance.Syntax.Name.Span, "the module"));
            case ListValue layers:
                if (arguments.IsEmpty)
                    return Fail(Codes.WrongArgumentCount, span, "a list of layers takes what the first layer takes");
                var x = arguments[0];
                // What a layer gets from the one before it stands nowhere in the text: the list stands for it.
                foreach (var layer in layers.Items)
                    x = x with
                    {
                        Value = CallValue(layer, arguments.SetItem(0, x), span, calleeSpan),
                        Span = calleeSpan,
                    };
                return x.Value;
            default:
                return Fail(Codes.NotCallable, calleeSpan, $"{Describe(callee)} cannot be called", Describe(callee),
                    callee is FileValue { File: var file } ? file.Items.Keys.FirstOrDefault(k =>
                            string.Equals(k, file.Name, StringComparison.OrdinalIgnoreCase)) is { } named
                            ? $"did you mean `{named}`?" : "call one of its functions by its name alone"
                    : callee is TensorValue or ListValue
                        ? $"a part is taken by square brackets: `{Short(calleeSpan)}[i]`"
                    : null);
        }
    }

    private static bool IsPoisoned(Value value) =>
        value is PoisonValue || (value is ListValue l && l.Items.Any(IsPoisoned));

    private Value Cast(DType dtype, ImmutableArray<Argument> arguments, Span span)
    {
        if (arguments is not [var a])
            return Fail(Codes.WrongArgumentCount, span,
            $"`{dtype.Name()}` casts one value, {Quantity.Are(arguments.Length)} given", null,
                $"write `{dtype.Name()}(x)`");
        return a.Value switch
        {
            PoisonValue => a.Value,
            TensorValue t => t.DType == dtype ? t : Tensor(new Graph.Convert(t.Node, dtype), t.Indices),
            BoolValue b => Realize(new IntValue(b.Truth ? 1 : 0), dtype, a.Span) is { } n ? n : Value.Poison,
            FloatValue f when !dtype.IsFloat => (Value?)Realize(new FloatValue(Math.Truncate(f.Number)), dtype, a.Span)
                ?? Value.Poison,
            WeakValue w => (Value?)Realize(w, dtype, a.Span) ?? Value.Poison,
            _ => Fail(Codes.TypeMismatch, a.Span,
                $"`{dtype.Name()}` casts numbers and tensors, not {Describe(a.Value)}", Describe(a.Value)),
        };
    }

    private Value Enter(FunctionValue f, ImmutableArray<Argument> arguments, Span span, string? composite = null)
    {
        var syntax = f.Syntax;
        for (var (caller, same) = (Frame, 0); caller is not null; caller = caller.Caller)
        {
            if (caller.Entered != syntax || caller.Self != f.Self) continue;
            if (++same < MostSelfCalls) continue;
            // The first report ends the elaboration: each of the surrounding levels would find others.
            throw Abandoned(Codes.Recursion, span, $"`{syntax.Name.Text}` calls itself",
                "functions are elaborated where they are called; use `for`",
                new Label(syntax.Name.Span, "this function"));
        }
        if (Bind(syntax.Name.Text, syntax.Name.Span, syntax.Parameters, arguments, span) is not { } bound)
            return Value.Poison;
        Elaborated.Add(syntax);
        var entered = new Frame(syntax.Name.Text, f.File, f.Self, Frame, span)
        {
            Entered = syntax,
            Given = [.. bound.Select(a => a?.Span)],
            Call = training is null ? null : new(training, Frame.NextCall()),
        };
        entered.Guards = Frame.Guards;
        using var within = Entering(entered);
        using var part = new Scope<ImmutableArray<string>>(ref composites,
            composite is null && !f.File.IsLibrary ? composites : composites.Add(composite ?? syntax.Name.Text));
        using var place = new Scope<Span?>(ref userPlace, userPlace);
        using var deeper = new Scope<int>(ref depth, depth + CallDepth);
        var outline = BeginOutline(syntax, bound);
        var result = Parameters(syntax.Parameters, bound, span) && Hold(syntax) ? Body(syntax, span) : Value.Poison;
        return outline is null ? result : Outlined(outline, syntax.Name.Text, result);
    }

    private Value Body(FunctionSyntax syntax, Span site)
    {
        Statements(syntax.Body.Statements);
        if (syntax.Result is not { } declared)
        {
            return Frame is { Returned: WeakValue number, ReturnsLike: { } dtype } ? Realize(number, dtype, site)
                ?? Value.Poison : Frame.Returned;
        }
        if (!syntax.ExpressionBodied && !Frame.HasReturned)
        {
            return Fail(Codes.ReturnMismatch, syntax.Body.Span with { Start = syntax.Body.Span.End - 1, Length = 1 },
                $"`{syntax.Name.Text}` ends without `return`", null, "end it with `return` and the result",
                new Label(declared.Span, "a result is declared"));
        }
        var span = ReturnSpan(syntax) ?? site;
        if (!declared.Fields.All(f => IsBoundResult(f.Type, syntax))) return Value.Poison;
        if (declared.Fields.Length == 1)
            return As(declared.Fields[0].Type, Frame.Returned, span, Codes.ReturnMismatch, "the declared result");
        if (Frame.Returned is PoisonValue) return Value.Poison;
        if (Frame.Returned is not ListValue list || list.Items.Length != declared.Fields.Length)
        {
            return Fail(Codes.ReturnMismatch, span,
                $"{declared.Fields.Length} results are declared, {Describe(Frame.Returned)} is returned",
                null, null, new Label(declared.Span, "declared here"));
        }
        return new ListValue([.. list.Items.Select((v, i) =>
            As(declared.Fields[i].Type, v, syntax.Body.Statements.LastOrDefault() is ReturnStatement r
                && r.Values.Length == list.Items.Length
                ? r.Values[i].Span : span,
                Codes.ReturnMismatch, "the declared result"))]);
    }

    /// <summary>
    /// Checks that a result's sizes and dtype are bound. A name that only the result has would take any size, and so
    /// check nothing; but a local of the body may bind it. False after a diagnostic.
    /// </summary>
    private bool IsBoundResult(TypeSyntax type, FunctionSyntax function)
    {
        if (type is ListType list) return IsBoundResult(list.Element, function);
        if (type is not NamedType named || !IsTensorType(type)) return true;
        if (DTypeOf(named) is null)
        {
            Fail(Codes.UnknownType, named.Name.Span, $"`{named.Name.Text}` stands for no dtype here", null,
                "a result has the dtype of a parameter, or one by name: `f32`");
            return false;
        }
        foreach (var dim in named.Dims)
        {
            var name = dim switch
            {
                SizeDim { Size: NameExpression { Name: not "_" } n } => n.Name,
                GroupDim { Name: { } group } => group.Text,
                _ => null,
            };
            if (name is null || Frame.Find(name) is not null || Inner(name, dim.Span) is not null
                || function.Body.Statements.OfType<DeclareStatement>().Any(d => d.Names.Any(n => n.Text == name)))
                continue;
            Fail(Codes.UnboundSize, dim.Span, $"the size `{name}` of the result is bound nowhere", null,
                Spelling.Nearest(name, SizesInScope()) is { } near ? $"did you mean `{near}`?"
                    : "a result's sizes are those of parameters, ints in scope, or `_` for any");
            return false;
        }
        return true;
    }

    private IEnumerable<string> SizesInScope() => Frame.Blocks.SelectMany(b => b)
        .Where(l => l.Value.Value is IntValue or ListValue).Select(l => l.Key)
        .Concat(Frame.Self?.Hyper.Keys ?? Enumerable.Empty<string>())
        .Concat(Frame.Self?.Members.Keys ?? Enumerable.Empty<string>()).Concat(Frame.File.Items.Keys);

    private static Span? ReturnSpan(FunctionSyntax f) =>
        f.Body.Statements.LastOrDefault() is ReturnStatement { Values: [var value] } ? value.Span
            : f.Body.Statements.LastOrDefault()?.Span;

    /// <summary>
    /// Arguments in the order of the parameters; null elements take the default. Null after a diagnostic.
    /// </summary>
    private Argument?[]? Bind(string name, Span declared, ImmutableArray<ParameterSyntax> parameters,
        ImmutableArray<Argument> arguments, Span span, ModuleSyntax? module = null)
    {
        var bound = new Argument?[parameters.Length];
        var next = 0;
        foreach (var argument in arguments)
        {
            var at = next;
            if (argument.Name is { } wanted)
            {
                at = parameters.ToList().FindIndex(p => p.Name.Text == wanted);
                if (at < 0)
                {
                    Fail(Codes.UnknownArgument, argument.NameSpan ?? argument.Span,
                        $"`{name}` has no parameter `{wanted}`", null,
                        (module is null ? null : Later(wanted, argument, parameters, module))
                            ?? Meant(wanted, parameters.Select(p => p.Name.Text)),
                        new Label(declared, "declared here"));
                    return null;
                }
            }
            else
            {
                next++;
            }
            if (at >= parameters.Length || bound[at] is not null)
            {
                var help = Listed(parameters);
                Fail(Codes.WrongArgumentCount, argument.Span, at >= parameters.Length
                    ? $"`{name}` takes {Quantity.Of(parameters.Length, "argument")}, "
                        + $"{Quantity.Are(arguments.Length)} given"
                        : $"`{parameters[at].Name.Text}` is given twice",
                    null, help, new Label(declared, "declared here"));
                return null;
            }
            if (parameters[at].Inout != argument.Inout)
            {
                Fail(Codes.InoutNotMarked, argument.Span, parameters[at].Inout
                    ? $"`{parameters[at].Name.Text}` is written back, so the argument is marked too"
                    : $"`{parameters[at].Name.Text}` is not `inout`", null,
                    parameters[at].Inout ? $"write `inout {argument.Span.Text}`" : "leave `inout` out",
                        new Label(parameters[at].Span, "the parameter"));
                return null;
            }
            if (argument.Place is { } mine
                && bound.FirstOrDefault(b => b?.Place?.MayOverlap(mine) ?? false) is { } twice)
            {
                Fail(Codes.SameInoutTwice, argument.Span, $"`{argument.Span.Text}` is lent twice in one call", null,
                    "a place is written through one `inout` parameter at a time", new Label(twice.Span, "here too"));
                return null;
            }
            bound[at] = argument;
        }
        for (var i = 0; i < bound.Length; i++)
        {
            if (bound[i] is not null || parameters[i].Default is not null) continue;
            // `optimizer.step()` behind `loss.backward()` is the same mistake.
            if (parameters[i].Name.Text == "gs" && toldOf.Contains(BackwardCall)) return null;
            Fail(Codes.WrongArgumentCount, span, $"`{name}` is called without `{parameters[i].Name.Text}`", null,
                parameters[0].Name.Text == "key" && bound[0]?.Value is ListValue && i > 0
                    ? $"a key comes first, an i64: `{name}(key, {Short(bound[0]!.Span)})`"
                : parameters[i].Name.Text == "key" ? "random numbers come from a key, an i64: take one as a parameter "
                    + "`key: i64`, and give it on"
                    + (LayerOf(name) is { } layer ? $"; the layer `{layer}(…)` needs none, and does nothing outside of "
                        + "`train(f, key: k)`" : "")
                : parameters[i].Name.Text == "gs" ? "gradients come of a function: `let l, gs = "
                    + $"value_and_grad(loss, wrt: params)(x)`, then `{Short(span).Split('(')[0]}(gs, rate)`"
                : Listed(parameters),
                        new Label(parameters[i].Span, "the parameter"));
            return null;
        }
        return bound;
    }

    /// <summary>The module in scope that does what a function does, by its name: `Dropout` for `dropout`.</summary>
    private string? LayerOf(string function) => char.ToUpperInvariant(function[0]) + function[1..] is var layer
        && layer != function && Frame.File.Opened.Any(f => f.Items.GetValueOrDefault(layer) is ModuleSyntax)
            ? layer : null;

    /// <summary>
    /// The help line for an argument that a module takes not when it is made, but in a call of its own function: the
    /// rate of an optimiser.
    /// </summary>
    private static string? Later(string wanted, Argument argument, ImmutableArray<ParameterSyntax> parameters,
        ModuleSyntax module)
    {
        if (ForeignNames.Parameter(wanted, parameters.Select(p => p.Name.Text)) is not null) return null;
        foreach (var function in module.Items.OfType<FunctionSyntax>())
        {
            var names = function.Parameters.Select(p => p.Name.Text).ToList();
            if ((names.Contains(wanted) ? wanted : ForeignNames.Parameter(wanted, names)) is not { } ours) continue;
            var given = names.Select(n => n == ours ? Short(argument.Span) : n).ToList();
            return $"it is given in each call, as `{ours}` of `{function.Name.Text}`: "
                + $"`{function.Name.Text}({string.Join(", ", given)})`";
        }
        return null;
    }

    /// <summary>The help line for a named argument that no parameter takes.</summary>
    private static string Meant(string name, IEnumerable<string> parameters) =>
        ForeignNames.Parameter(name, parameters) is { } ours ? $"it is called `{ours}` here"
            : Spelling.Nearest(name, parameters) is { } near ? $"did you mean `{near}`?" : Listed(parameters);

    private static string Listed(ImmutableArray<ParameterSyntax> parameters) =>
        Listed(parameters.Select(p => p.Name.Text));

    private static string Listed(IEnumerable<string> parameters) => parameters.ToList() switch
    {
        [] => "it has no parameters",
        [var only] => $"its parameter is {only}",
        var names => $"its parameters are {string.Join(", ", names)}",
    };

    /// <summary>
    /// Binds the parameters in the new frame: sizes that stand alone first, then types in order, including defaults.
    /// </summary>
    private bool Parameters(ImmutableArray<ParameterSyntax> parameters, Argument?[] bound, Span span)
    {
        var good = true;
        for (var i = 0; i < bound.Length; i++)
        {
            if (parameters[i].Type is NamedType { Name.Text: "dtype" } && bound[i]?.Value is DTypeValue d)
                Frame.DTypes[parameters[i].Name.Text] = d.DType;
        }
        for (var i = 0; i < bound.Length; i++)
        {
            // An int is in scope for the types of other parameters: `fn f(x: f32[n, k], k)`, or `k: int`.
            if (parameters[i].Type is null or NamedType { Name.Text: "int" } && bound[i]?.Value is IntValue size)
                Frame.DeclareParameter(parameters[i].Name.Text, size, parameters[i].Name.Span);
        }
        for (var i = 0; i < bound.Length; i++)
        {
            if (bound[i] is { } a) BindNames(parameters[i].Type, a.Value);
        }
        for (var i = 0; i < bound.Length; i++)
        {
            var p = parameters[i];
            var value = bound[i]?.Value ?? Expression(p.Default!);
            var at = bound[i]?.Span ?? p.Default!.Span;
            if (value is PoisonValue) good = false;
            else if (p.Type is ListType && value is TensorValue && bound[i] is not null)
            {
                using (Entering(Frame.Caller ?? Frame))
                    if (Exchanged(value, at)) return false;
                // The tensors after it were meant for the list, and are in the places of other parameters.
                Fail(Codes.TypeMismatch, at, $"{Describe(value)} stands where {p.Type.Span.Text} is declared",
                    Describe(value), Listed(Frame.Name, bound.OfType<Argument>().Skip(i)),
                    new Label(p.Type.Span, $"the parameter {p.Name.Text}"));
                return false;
            }
            else if (value is StringValue && p.Name.Text == "padding")
                value = Fail(Codes.TypeMismatch, at, $"`padding` takes numbers, not {Describe(value)}", Describe(value),
                    "a number of zeros at each side: `k // 2` keeps the size for an odd window k at stride 1");
            else if (p.Type is not null)
                value = As(p.Type, value, at, Codes.TypeMismatch, $"the parameter {p.Name.Text}");
            else if (value is not IntValue)
            {
                value = Fail(Codes.TypeMismatch, at, $"`{p.Name.Text}` takes an int, not {Describe(value)}",
                    Describe(value),
                    value is FloatValue && Frame.File.IsLibrary ? "a whole number belongs here"
                        : value is FloatValue ? $"declare it: `{p.Name.Text}: float`"
                        : value is ListValue { Items: [var one, ..] } && at.Text is ['[', ..]
                            ? $"one number goes for all axes: `{Plain(one)}`"
                        : value is TensorValue { Rank: 0, DType.IsInteger: true }
                            ? $"in the exported function declare the parameter "
                            + $"`{(at.Text.All(c => char.IsLetterOrDigit(c) || c == '_') ? at.Text : p.Name.Text)}: int`; the caller gives it by name" : null,
                        new Label(p.Span, "without a type, a parameter is an int"));
            }
            if (value is PoisonValue) good = false;
            Frame.Blocks[0][p.Name.Text] = new Local(value, p.Name.Span)
            {
                Alias = bound[i]?.Place,
                IsOverIndex = bound[i]?.IsOverIndex ?? false,
            };
        }
        return good;
    }
}
