// In: an exported function. Out: its graph: inputs with size variables, the body, the declared results.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>The size variables of the entries so far, pinned or not.</summary>
    public SortedSet<string> SizeVariables { get; } = new(StringComparer.Ordinal);

    /// <summary>The graph of an exported function; `dims` fixes size variables. Null after a diagnostic.</summary>
    public Function? Entry(FunctionSyntax syntax, SourceFile file, Instance? self,
        IReadOnlyDictionary<string, long> dims)
    {
        using var into = new Scope<Function>(ref graph, new Function(syntax.Name.Text));
        using var within = Entering(new Frame(syntax.Name.Text, file, self, null, null) { Entered = syntax });
        using var place = new Scope<Span?>(ref userPlace, syntax.Span);
        using var entry = new Scope<bool>(ref inEntry, true);
        Elaborated.Add(syntax);
        states.Clear();
        lent.Clear();
        if (!Inputs(syntax, dims)) return null;
        if (!Hold(syntax)) return null;
        var value = Body(syntax, syntax.Name.Span);
        var values = syntax.Result is { Fields.Length: > 1 } && value is ListValue list ? list.Items : [value];
        var results = ImmutableArray.CreateBuilder<Node>();
        foreach (var v in values)
        {
            if (v is PoisonValue) return null;
            if (v is ListValue { Items.IsEmpty: true } && (Graph.Effects.Count > 0 || Changed)) continue;
            if (v is ListValue { Items.IsEmpty: true })
            {
                Fail(Codes.ReturnMismatch, syntax.Name.Span,
                    $"`{syntax.Name.Text}` is exported and returns nothing", null,
                        "`return` a tensor, or assign state or an `inout` parameter");
                return null;
            }
            if (Realize(v, v is BoolValue ? DType.Bool : Default(v), syntax.Name.Span) is not { } tensor)
                return null;
            results.Add(tensor.Node);
        }
        AssignAtEnd();
        Graph.Results = results.ToImmutable();
        Graph.ResultNames = syntax.Result is { } r && r.Fields.Length == results.Count
            ? [.. r.Fields.Select(f => f.Name?.Text ?? "")] : [.. results.Select(_ => "")];
        return Named(Live(Graph), syntax, dims);
    }

    /// <summary>The function without nodes that its results do not need; all inputs stay.</summary>
    private static Function Live(Function function)
    {
        var needed = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var stack = new Stack<Node>(function.Results.Concat(function.Effects).Concat(function.Inputs));
        while (stack.TryPop(out var node))
        {
            if (!needed.Add(node)) continue;
            foreach (var operand in node.Operands) stack.Push(operand);
        }
        var live = new Rebuild(function);
        foreach (var node in function.Nodes.Where(needed.Contains)) live.Copy(node);
        return live.Finish();
    }

    /// <summary>
    /// Callers pass every `int` parameter by name, also one that nothing is computed from, and one that `where` equates
    /// with another size.
    /// </summary>
    private Function Named(Function function, FunctionSyntax syntax, IReadOnlyDictionary<string, long> dims)
    {
        foreach (var p in syntax.Parameters.Where(p => !dims.ContainsKey(p.Name.Text)
            && p is { Default: null, Type: null or NamedType { Name.Text: "int" } }))
        {
            if (Frame.Blocks[0].GetValueOrDefault(p.Name.Text)?.Value is IntValue { Size: var size }
                && !size.Equals(Size.Variable(p.Name.Text)))
                function.Require(new EntryCheck(CheckKind.Equal, Size.Variable(p.Name.Text), size,
                    $"{p.Name.Text} is {size}"));
            else if (!function.Sizes.Contains(p.Name.Text)) function.Require(EntryCheck.Given(p.Name.Text));
        }
        function.Parameters = [.. syntax.Parameters.Select(p => p.Name.Text)];
        return function;
    }

    private bool Inputs(FunctionSyntax syntax, IReadOnlyDictionary<string, long> dims)
    {
        Size Variable(string name)
        {
            SizeVariables.Add(name);
            return dims.TryGetValue(name, out var pinned) ? pinned : Size.Variable(name);
        }
        var good = true;

        // Names that stand alone come first: they may be used before they are bound. `where n == m` makes two names
        // one.
        var alone = new Dictionary<string, Span>();
        foreach (var p in syntax.Parameters)
        {
            if (p.Type is NamedType { Name.Text: "int" } or null && p.Default is null)
                alone.TryAdd(p.Name.Text, p.Name.Span);
            if (p.Type is not NamedType type || !IsTensorType(type)) continue;
            foreach (var dim in type.Dims.OfType<SizeDim>())
            {
                if (dim.Size is NameExpression { Name: var name } && name != "_" && Inner(name, dim.Span) is null)
                    alone.TryAdd(name, dim.Span);
            }
        }
        var same = new Dictionary<string, string>();
        foreach (var condition in syntax.Where)
        {
            if (condition is BinaryExpression
                {
                    Operator: BinaryOperator.Equal, Left: NameExpression l,
                    Right: NameExpression r
                }
                && alone.ContainsKey(l.Name) && alone.ContainsKey(r.Name)) same[r.Name] = same.GetValueOrDefault(
                    l.Name, l.Name);
        }
        foreach (var (name, span) in alone)
            Frame.DeclareParameter(name, new IntValue(Variable(same.GetValueOrDefault(name, name))), span);
        // `where m == 2 * n`: m is that expression everywhere.
        foreach (var condition in syntax.Where)
        {
            if (condition
                is BinaryExpression
                {
                    Operator: BinaryOperator.Equal, Left: NameExpression l,
                    Right: not NameExpression
                } e
                && alone.TryGetValue(l.Name, out var at) && !Names(e.Right).Contains(l.Name)
                && Expression(e.Right) is IntValue size)
                Frame.DeclareParameter(l.Name, size, at);
        }

        foreach (var p in syntax.Parameters)
        {
            if (p.Type is null or NamedType { Name.Text: "int" })
            {
                if (p.Default is not null)
                    Frame.DeclareParameter(p.Name.Text, dims.TryGetValue(p.Name.Text, out var set) ? new IntValue(set)
                        : Expression(p.Default), p.Name.Span);
                continue;
            }
            if (p.Type is NamedType type && IsTensorType(type) && DTypeOf(type) is { } dtype)
            {
                if (InputShape(type, p, Variable) is not { } shape)
                {
                    good = false;
                    continue;
                }
                var input = Graph.Add(new Input(p.Name.Text, new TensorType(dtype, shape), p.Inout));
                var local =
                    new Local(new TensorValue(input, Graph, []), p.Name.Span) { Type = p.Inout ? input.Type : null };
                Frame.Blocks[0][p.Name.Text] = local;
                if (p.Inout) lent.Add((input, local));
                continue;
            }
            if (p.Type is NamedType { Name.Text: "bool", Bracketed: false } && p.Default is null)
            {
                Frame.DeclareParameter(p.Name.Text, Tensor(new Input(p.Name.Text, TensorType.Scalar(DType.Bool))),
                    p.Name.Span);
                continue;
            }
            if (p.Default is not null)
            {
                var value = As(p.Type, Expression(p.Default), p.Default.Span, Codes.TypeMismatch,
                    $"the parameter {p.Name.Text}");
                Frame.DeclareParameter(p.Name.Text, value, p.Name.Span);
                good &= value is not PoisonValue;
                continue;
            }
            if (p.Type is NamedType unknown && IsNoType(unknown)) NoType(unknown);
            else Fail(Codes.UnknownType, p.Type.Span, $"an exported function cannot take {p.Type.Span.Text}", null,
                p.Type is NamedType { Name.Text: "float" }
                    ? $"a number of the call is a scalar tensor: `{p.Name.Text}: f32`"
                : p.Type is NamedType { Name.Text: "string" or "dtype" } or FunctionType
                    ? $"what is known is a hyper-parameter of the module, set by `--set {p.Name.Text}=…`"
                    : "exported types are dtypes with sizes, bool and int; a dtype variable has to be a dtype");
            good = false;
        }
        return good;
    }

    private ImmutableArray<Size>? InputShape(NamedType type, ParameterSyntax p, Func<string, Size> variable)
    {
        var shape = ImmutableArray.CreateBuilder<Size>();
        for (var d = 0; d < type.Dims.Length; d++)
        {
            switch (type.Dims[d])
            {
                case SizeDim { Size: NameExpression { Name: "_" } } or AnyDim:
                    shape.Add(variable($"{p.Name.Text}_{d}"));
                    break;
                case SizeDim s:
                    if (Names(s.Size).FirstOrDefault(n => Inner(n, s.Span) is null
                        && !Frame.File.Items.ContainsKey(n)) is { } unbound)
                    {
                        Fail(Codes.UnboundSize, s.Span,
                            $"the size `{unbound}` never stands alone in a parameter's type", null,
                            $"a size is bound where it stands alone: `x: f32[{unbound}]`");
                        return null;
                    }
                    switch (Expression(s.Size))
                    {
                        // A size of the caller's tensor is not negative.
                        case IntValue i when i.Size.IsConstant && !IsExtent(i.Size, s.Span, "an axis"):
                            return null;
                        case IntValue i:
                            shape.Add(i.Size);
                            break;
                        case PoisonValue:
                            return null;
                        case var other:
                            Fail(Codes.TypeMismatch, s.Span,
                                $"`{s.Span.Text}` in a type is a size, but here it is {Describe(other)}", null,
                                "take another name for the size");
                            return null;
                    }
                    break;
                default:
                    Limit(type.Dims[d].Span, "an exported function of any number of axes",
                        "name each axis: `f32[n, d]`");
                    return null;
            }
        }
        return shape.ToImmutable();
    }
}
