// In: a declared type and a value. Out: the value as that type, with sizes, groups and dtype variables bound.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private static bool IsVariable(string name) => name.Length == 1 && char.IsAsciiLetterUpper(name[0]);

    /// <summary>
    /// The dtype that a type names, directly or through a variable; null for an unbound variable or another name.
    /// </summary>
    private DType? DTypeOf(NamedType type) => DTypeNames.TryParse(type.Name.Text, out var dtype) ? dtype
        : Frame.DTypes.TryGetValue(type.Name.Text, out var bound) ? bound
        : (Inner(type.Name.Text, type.Name.Span) as DTypeValue)?.DType;

    private bool IsTensorType(TypeSyntax? type) => type is NamedType n
        && (DTypeNames.TryParse(n.Name.Text, out var d) && (d != DType.Bool || n.Bracketed)
            || IsVariable(n.Name.Text) || Inner(n.Name.Text, n.Name.Span) is DTypeValue);

    /// <summary>Converts the value to the declared type: `let y: f32[n, t] = 0` fills.</summary>
    public Value Declared(TypeSyntax? type, Value value, Span span) =>
        type is null ? value : As(type, value, span, Codes.TypeMismatch, "this is declared");

    public Value As(TypeSyntax type, Value value, Span span, Code code, string says)
    {
        if (value is PoisonValue) return value;
        Value Wrong(string? help = null) =>
            ReferenceEquals(value, ListValue.Nothing) ? Fail(code, span, $"`{Short(span)}` gives nothing, where "
                + $"{type.Span.Text} is declared", Describe(value), Stacked(value, span), new Label(type.Span, says))
            : Fail(code, span, $"{Describe(value)} stands where {type.Span.Text} is declared",
            Describe(value), help, new Label(type.Span, says));
        switch (type)
        {
            case ErrorType:
                return Value.Poison;
            case NamedType { Bracketed: true } n when IsNoType(n):
                return NoType(n);
            case FunctionType:
                return value is FunctionValue or BuiltinValue or TransformedValue or InstanceValue or ListValue or ModuleValue
                    or DTypeValue ? value : Wrong();
            // An int is accepted as a list of one: `axis: 1` where `axis: [int]` is declared.
            case ListType { Element: NamedType { Name.Text: "int" } } when value is IntValue:
                return new ListValue([value]);
            case ListType l:
                return value is not ListValue list ? Wrong()
                    : list with { Items = [.. list.Items.Select(i => ElementAs(l.Element, i, span, code, says))] };
            case NamedType n when IsTensorType(n):
                return AsTensor(n, value, span, code, says);
            case NamedType n:
                return n.Name.Text switch
                {
                    "int" => value is IntValue ? value : Wrong(),
                    "float" => value is WeakValue ? value : Wrong(),
                    "bool" => value is BoolValue or TensorValue { DType: DType.Bool, Rank: 0 } ? value : Wrong(),
                    "string" => value is StringValue ? value : Wrong(),
                    "dtype" => value is DTypeValue ? value : Wrong(),
                    _ => AsModule(n, value, Wrong),
                };
            default:
                return value;
        }
    }

    /// <summary>Each element of a list binds its own `..`.</summary>
    private Value ElementAs(TypeSyntax type, Value value, Span span, Code code, string says)
    {
        using var own = Frame.Unbound("..");
        var result = As(type, value is StateValue ? Loaded(value, span) : value, span, code, says);
        return value is StateValue && result is not PoisonValue ? value : result;
    }

    private Value AsModule(NamedType type, Value value, Func<string?, Value> wrong)
    {
        if (Lookup(type.Name.Text, type.Name.Span) is ModuleValue module)
            return value is InstanceValue { Instance.Syntax: var made } && made == module.Syntax ? value : wrong(null);
        return NoType(type);
    }

    /// <summary>Python's types, with their spelling here.</summary>
    private static readonly Dictionary<string, string> ForeignTypes = new()
    {
        ["list"] = "a list has the type of its elements in brackets: `[f32[n]]`, `[int]`",
        ["List"] = "a list has the type of its elements in brackets: `[f32[n]]`, `[int]`",
        ["Sequence"] = "a list has the type of its elements in brackets: `[f32[n]]`, `[int]`",
        ["tuple"] = "several results stand in parentheses: `-> (f32[n], i32)`",
        ["Tuple"] = "several results stand in parentheses: `-> (f32[n], i32)`",
        ["str"] = "text that is known is a `string`",
        ["Callable"] = "a function or layer is an `fn`",
        ["Module"] = "a layer is an `fn`, or goes by its own module's name",
        ["None"] = "leave the result out",
        ["void"] = "leave the result out",
        ["Optional"] = "there is no optional value: give the parameter a default",
        ["dict"] = "there are no dictionaries",
        ["Dict"] = "there are no dictionaries",
    };

    private Value NoType(NamedType type) => ForeignTypes.TryGetValue(type.Name.Text, out var instead)
        ? Fail(Codes.UnknownType, type.Name.Span, $"there is no type `{type.Name.Text}`", null, instead)
        : type.Name.Text is "Tensor" or "tensor" or "Array" or "array" or "ndarray"
        ? Fail(Codes.UnknownType, type.Name.Span, $"there is no type `{type.Name.Text}`", null,
            "the type of a tensor is its dtype with its sizes: `f32[n, d]`")
        : ForeignNames.DType(type.Name.Text) is { } dtype
        ? Fail(Codes.UnknownType, type.Name.Span, $"there is no dtype `{type.Name.Text}`", null,
            $"did you mean `{dtype}`?")
        : Fail(Codes.UnknownType, type.Name.Span, $"`{type.Name.Text}` is no type", null,
            Spelling.Nearest(type.Name.Text, [.. Words, "f32", "f64", "i32", "i64", "bf16", "u8"]) is { } near
                ? $"did you mean `{near}`?"
                    : "a type is a dtype with sizes, `int`, `float`, `bool`, `string`, `dtype`, `fn`, a list or a "
                        + "module");

    // Types that are not tensors.
    private static readonly string[] Words = ["int", "float", "bool", "string", "dtype"];

    /// <summary>
    /// A name that is no type anywhere, such as `float32`; or a number's type with sizes, such as `float[n]`.
    /// </summary>
    private bool IsNoType(NamedType type) => !IsTensorType(type)
        && (Words.Contains(type.Name.Text) ? type.Bracketed && ForeignNames.DType(type.Name.Text) is not null
            : Lookup(type.Name.Text, type.Name.Span) is not (ModuleValue or PoisonValue));

    private Value AsTensor(NamedType type, Value value, Span span, Code code, string says)
    {
        var known = DTypeOf(type);
        if (known is not { } dtype)
        {
            dtype = value is TensorValue t ? t.DType : Default(value);
            Frame.DTypes[type.Name.Text] = dtype;
        }
        if (value is TensorValue given && given.DType != dtype)
        {
            return Fail(code == Codes.TypeMismatch ? Codes.DtypeMix : code, span,
                $"{Describe(given)} stands where {dtype.Name()} is declared",
                Describe(given), dtype == DType.Bool && given.DType.IsFloat && says == "the parameter mask"
                    // Of 0 and -inf a cast would make the opposite.
                    ? "a mask is true where something is seen, as `causal(t)`; numbers that are added are a bias: "
                        + $"`bias: {Short(span)}`"
                    : $"cast it: `{dtype.Name()}({span.Text})`", new Label(type.Span, says));
        }
        if (!IsNumeric(value))
        {
            return Fail(code, span, ReferenceEquals(value, ListValue.Nothing) ? $"`{Short(span)}` gives nothing, where "
                + $"{type.Span.Text} is declared" : $"{Describe(value)} stands where {type.Span.Text} is declared",
                Describe(value), Stacked(value, span, known), new Label(type.Span, says));
        }
        if (Realize(value, dtype, span) is not { } tensor) return Value.Poison;
        // A scalar fills a declared type, and a number any type; a group that is not bound yet is bound to no axes
        // instead.
        var hasGroup = type.Dims.Any(d => d is GroupDim);
        if (tensor.Rank == 0 && type.Dims.Length > 0 && type.Dims.All(d => d is not GroupDim g || IsBound(g)))
        {
            if (value is not TensorValue || says == "this is declared")
                return SizesOf(type) is { } fill ? Spread(tensor, tensor.Indices, fill) : Value.Poison;
            if (!hasGroup) return RankMismatch(type, tensor, span, code, says);
        }
        return Shaped(type, tensor, span, code, says);
    }

    /// <summary>All sizes of a type whose names are bound. Null after a diagnostic.</summary>
    public ImmutableArray<Size>? SizesOf(NamedType type)
    {
        var sizes = ImmutableArray.CreateBuilder<Size>();
        foreach (var dim in type.Dims)
        {
            switch (dim)
            {
                case SizeDim s:
                    if (s.Size is NameExpression { Name: var name } && Inner(name, s.Span) is null)
                    {
                        Fail(Codes.UnboundSize, s.Span, $"the size `{name}` is not bound here", null,
                            Frame.Makes is { } made
                            ? $"state has its size when the module is made: a number, or a hyper-parameter, `module "
                                + $"{made.Syntax.Name.Text}({name})`" : "use the name of a size in scope");
                        return null;
                    }
                    var value = Expression(s.Size);
                    if (value is not IntValue size)
                    {
                        if (value is not PoisonValue)
                            Fail(Codes.TypeMismatch, s.Span, $"a size is an int, not {Describe(value)}",
                                Describe(value), AsSize(value) ?? Whole(value, s.Span));
                        return null;
                    }
                    if (!IsExtent(size.Size, s.Span, "an axis")) return null;
                    sizes.Add(size.Size);
                    break;
                case GroupDim g when Frame.Find(g.Name?.Text ?? "..") is { Value: ListValue list }:
                    sizes.AddRange(list.Items.OfType<IntValue>().Select(i => i.Size));
                    break;
                case GroupDim g when g.Name is not null && Inner(g.Name.Text, g.Span) is ListValue list:
                    sizes.AddRange(list.Items.OfType<IntValue>().Select(i => i.Size));
                    break;
                default:
                    Fail(Codes.UnboundSize, dim.Span, $"`{dim.Span.Text}` says no size here");
                    return null;
            }
        }
        return sizes.ToImmutable();
    }

    /// <summary>The help line for a parameter that a shape depends on.</summary>
    private static string? AsSize(Value value) => value is TensorValue { Rank: 0, DType.IsInteger: true, Node: Input i }
        ? $"what a shape depends on is known before the call: declare the parameter `{i.Name}: int`" : null;

    private Value RankMismatch(NamedType type, TensorValue value, Span span, Code code, string says) =>
        Fail(code == Codes.TypeMismatch ? Codes.WrongRank : code, span,
            $"{Describe(value)} has {Quantity.Of(value.Rank, "axis")}, {type.Span.Text} has {type.Dims.Length}",
            Describe(value), Ranked(type, value, span), new Label(type.Span, says));

    /// <summary>The help line for a tensor with an axis too many or too few.</summary>
    private string? Ranked(NamedType type, TensorValue value, Span span)
    {
        var text = Short(span);
        if (!value.Indices.IsEmpty) return null;
        if (type.Dims.IsEmpty && value.Node is ArgReduce { Operands: [var of] } && of.Type.Rank > 1)
            return "the place among all elements: `argmax(reshape(x, [size(x)]))`, which counts row by row";
        if (type.Dims.IsEmpty) return $"reduce it: `mean({text})`, `sum({text})`, or take an element of it";
        // torch's idiom for picking the entry of a label from each row.
        if (value is { Node: Gather { Axis: 1 } gather, Rank: 2 } && gather.OperandType(1).Rank == 1
            && type.Dims.Length == 1)
            return "one element of each row is an index form: `[i] => x[i, y[i]]`";
        if (value.Rank == type.Dims.Length + 1)
        {
            // The axis whose removal would give the declared type.
            var more = Enumerable.Range(0, value.Rank).Reverse().FirstOrDefault(p =>
                value.Shape.RemoveAt(p).Zip(type.Dims)
                .All(d => d.Second is SizeDim s && d.First.Text == s.Span.Text), 0);
            var part = $"({text})[{string.Concat(Enumerable.Repeat(":, ", more))}0]";
            if (value.Shape[more].Is(1)) return text.Contains("keep: true", StringComparison.Ordinal)
                ? "leave `keep: true` out, or declare the axis of 1" : $"take the only one along it: `{part}`";
            if (value.Node is Accelerate.Compiler.Graph.Binary { Kind: BinaryOp.Max or BinaryOp.Min }
                && text.Split('(') is
                [("max" or "min") and var name, ..])
                return $"`{text}` is elementwise; along an axis: `{name}(…, axis: {more})`";
            if (value.Node is Accelerate.Compiler.Graph.Binary { Kind: BinaryOp.Mul } && more == value.Rank - 1)
                return $"`*` is elementwise: a product of matrices is `@`, or sum it: `sum({text}, axis: {more})`";
            return $"axis {more} is one more: reduce along it, `mean({text}, axis: {more})`, or take one of it: "
                + $"`{part}`";
        }
        if (value.Rank + 1 != type.Dims.Length || type.Dims.Any(d => d is GroupDim)) return null;
        Size? Known(DimSyntax dim) => dim is SizeDim { Size: var size }
            && (size is not NameExpression { Name: var name }
            || (name != "_" && Inner(name, dim.Span) is IntValue)) ? (Tried(() => Expression(size)) as IntValue)?.Size
                : null;
        var places = Enumerable.Range(0, type.Dims.Length).Where(p => value.Shape.Insert(p, Size.One)
            .Zip(type.Dims).All(d => Known(d.Second) is not { } wanted || wanted.Equals(d.First))).ToList();
        if (places.Count == 0) return Unreduced(type, value.Node) ?? "it has an axis less";
        var at = places.FirstOrDefault(p => Known(type.Dims[p]) is not null, places[0]);
        return $"an axis of 1 more: {Written(text, value.Shape.Insert(at, Size.One))}";
    }

    /// <summary>The help line where a reduction took all axes, and one of them was meant to stay.</summary>
    private static string? Unreduced(NamedType type, Node node)
    {
        while (node is Unary or Accelerate.Compiler.Graph.Convert) node = node.Operands[0];
        if (node is Accelerate.Compiler.Graph.Binary { Operands: [var left, var right] })
            return Unreduced(type, left) ?? Unreduced(type, right);
        if (node is not Reduce { Operands: [var of] } || of.Type.Rank != type.Dims.Length + 1) return null;
        var more = Enumerable.Range(0, of.Type.Rank).Reverse().FirstOrDefault(p => of.Type.Shape.RemoveAt(p)
            .Zip(type.Dims).All(d => d.Second is SizeDim s && d.First.Text == s.Span.Text), -1);
        return more < 0 ? null
            : $"a reduction takes all axes but where it says which: with `axis: {more}` {type.Span.Text} is left";
    }

    private Value Shaped(NamedType type, TensorValue value, Span span, Code code, string says)
    {
        var at = type.Dims.Select((d, i) => (d, i)).FirstOrDefault(p => p.d is GroupDim, (d: null!, i: -1)).i;
        if (at < 0 ? value.Rank != type.Dims.Length : value.Rank < type.Dims.Length - 1)
            return RankMismatch(type, value, span, code, says);
        var shape = value.Shape;
        var checkedShape = shape.ToArray();
        var isChecked = false;
        var grouped = value.Rank - (type.Dims.Length - 1);
        for (var d = 0; d < type.Dims.Length; d++)
        {
            var axis = at >= 0 && d > at ? d + grouped - 1 : d;
            switch (type.Dims[d])
            {
                case GroupDim g:
                    var sizes = shape.Skip(axis).Take(grouped).ToList();
                    if (!Group(g, sizes, value, span, code)) return Value.Poison;
                    break;
                case SizeDim s:
                    if (!Bound(s, shape[axis], out var expected)) return Value.Poison;
                    switch (Compare(expected, shape[axis],
                        $"{span.Text}: axis {axis} is {shape[axis]}, declared as {s.Span.Text}"))
                    {
                        case Sameness.Different:
                            var name = s.Size is NameExpression n ? n.Name : "";
                            var bound = Frame.Find(name);
                            var declared = bound is null ? DeclarationOf(name) : null;
                            return Fail(code == Codes.TypeMismatch ? Codes.SizesDiffer : code, span,
                                $"axis {axis} of {Describe(value)} is {shape[axis]}, "
                                    + $"but {type.Span.Text} wants {expected}",
                                Describe(value), declared is { IsLet: true } captured
                                    ? $"`{name}` is {captured.What}; for a size of its own take another name"
                                    : Moved(type, value, axis, expected, span)
                                        ?? Joined(type, value, axis, expected, span)
                                        ?? Equalize(expected, shape[axis], MadeBy(value.Node) ?? OwnerHelp())
                                        ?? (code == Codes.ReturnMismatch && IsClosed(value)
                                            ? $"declare what comes out, `{value.Type.Display}`, or change what makes it"
                                            : null),
                                bound is not null && bound.Span.Source is not null && bound.Span != s.Span
                                    ? new Label(bound.Span, expected.Text == name ? "bound here"
                                        : $"{name} is {expected} here")
                                    : declared is var (place, _, _) && place.Source is not null && expected.Text != name
                                        ? new Label(Frame.Self is { IsRoot: false, Made: var made }
                                            && !SourceLoader.IsLibrary(made.Source) ? made : place,
                                            $"{name} is {expected} here")
                                    : new Label(type.Span, $"this axis is {expected}"));
                        case Sameness.Checked:
                            checkedShape[axis] = expected;
                            isChecked = true;
                            break;
                    }
                    break;
            }
        }
        return isChecked ? Retype(value, [.. checkedShape]) : value;
    }

    /// <summary>
    /// True if the type can be written down: its sizes mention neither an index of a form nor a loop.
    /// </summary>
    private static bool IsClosed(TensorValue value) => value.Indices.IsEmpty
        && value.Shape.All(s => s.Variables().All(v => !v.Contains('\'') && !v.Contains('.')));

    [System.Text.RegularExpressions.GeneratedRegex(@"^\[([^\[\]()]*)\]\s*=>")]
    private static partial System.Text.RegularExpressions.Regex FormHead();

    /// <summary>
    /// The help line if another axis has the expected size, such as the channels of an image that come last.
    /// </summary>
    private string? Moved(NamedType type, TensorValue value, int axis, Size expected, Span span)
    {
        if (expected.Is(1) || type.Dims.Any(d => d is GroupDim) || !value.Indices.IsEmpty) return null;
        var others = Enumerable.Range(0, value.Rank).Where(d => value.Shape[d].Equals(expected)).ToList();
        if (others is not [var other] || other < axis || type.Dims[other].Span.Text == type.Dims[axis].Span.Text)
            return null;
        var order = Enumerable.Range(0, value.Rank).Where(d => d != other).ToList();
        order.Insert(axis, other);
        // An index form has the axes in the order in which it names them.
        if (FormHead().Match(span.Text) is { Success: true } head
            && head.Groups[1].Value.Split(',') is { } names && names.Length == value.Rank)
            return $"axis {other} is {expected}: begin the form with "
                + $"`[{string.Join(", ", order.Select(d => names[d].Trim()))}]`";
        return (OwnerHelp() is { } owner ? owner + "; " : "")
            + $"axis {other} is {expected}: `transpose({Short(span)}, [{string.Join(", ", order)}])`";
    }

    /// <summary>
    /// The help line if a layer expects a number for an axis and gets a name, or an image whose axes need another order
    /// or have to be joined.
    /// </summary>
    private string? Joined(NamedType type, TensorValue value, int axis, Size expected, Span span)
    {
        if (OwnerHelp() is not { } owner || !expected.IsConstant || !value.Indices.IsEmpty) return null;
        var text = Short(span);
        var help = owner;
        if (axis == value.Rank - 1 && value.Rank >= 2 && type.Dims.Any(d => d is GroupDim))
        {
            var first = Enumerable.Range(0, axis).Reverse()
                .FirstOrDefault(d => Size.Product(value.Shape.Skip(d)).Equals(expected), value.Rank >= 3 ? 1 : -1);
            var joined = first < 0 ? Size.One : Size.Product(value.Shape.Skip(first));
            if (first >= 0 && (!joined.IsConstant || joined.Equals(expected)))
                help += $"; as one axis: `reshape({text}, "
                    + $"[{string.Join(", ", value.Shape.Take(first).Append(joined))}])`";
        }
        // An axis whose name starts with `c` is in the place of the channels already.
        else if (axis == 1 && value.Rank >= 3 && !value.Shape[1].Text.StartsWith('c') && type.Dims.Length == value.Rank
            && type.Dims.Skip(2).All(d => d is AnyDim || d.Span.Text == "_"))
        {
            var order = Enumerable.Range(1, value.Rank - 2).Prepend(value.Rank - 1).Prepend(0);
            help += $"; channels come before the places: `transpose({text}, [{string.Join(", ", order)}])`";
        }
        return value.Shape[axis].Terms is [{ Coefficient: 1, Atoms: [VariableAtom { Name: var name }] }]
            ? help + $"; if {Readable(name)} is always {expected}, write {expected} for it in the parameter's type"
            : value.Shape[axis].IsConstant ? help : help
                + $"; {Readable(value.Shape[axis].Text)} is {expected} where the "
                + "parameter's type has numbers for its sizes";
    }

    /// <summary>The call that made the layer, while the layer's own function is entered.</summary>
    private string? OwnerHelp() => Frame.Self is { Path: { Length: > 0 } path } self
        ? $"{path} was made with {self.Call} at {self.Made}" : null;

    private bool Bound(SizeDim s, Size actual, out Size expected)
    {
        expected = actual;
        if (s.Size is NameExpression { Name: "_" }) return true;
        if (s.Size is NameExpression { Name: var name })
        {
            switch (Inner(name, s.Span))
            {
                case IntValue known:
                    expected = known.Size;
                    return true;
                case null:
                    Frame.DeclareParameter(name, new IntValue(actual), s.Span);
                    return true;
                case PoisonValue:
                    return false;
                case var other:
                    Fail(Codes.TypeMismatch, s.Span, $"`{name}` in a type is a size, but here it is {Describe(other)}",
                        Describe(other),
                        "take another name for the size");
                    return false;
            }
        }
        switch (Expression(s.Size))
        {
            case IntValue i:
                expected = i.Size;
                return true;
            case PoisonValue:
                return false;
            case var other:
                Fail(Codes.TypeMismatch, s.Span, $"a size is an int, not {Describe(other)}", Describe(other),
                    Whole(other, s.Span));
                return false;
        }
    }

    private bool IsBound(GroupDim g) =>
        (g.Name is null ? Frame.Find("..")?.Value : Inner(g.Name.Text, g.Span)) is ListValue;

    private bool Group(GroupDim g, List<Size> sizes, TensorValue value, Span span, Code code)
    {
        var name = g.Name?.Text ?? "..";
        var known = g.Name is null ? Frame.Find(name)?.Value : Inner(name, g.Span);
        if (known is not ListValue list)
        {
            Frame.DeclareParameter(name, new ListValue([.. sizes.Select(s => (Value)new IntValue(s))]), g.Span);
            return true;
        }
        var bound = list.Items.OfType<IntValue>().Select(i => i.Size).ToList();
        if (bound.Count == sizes.Count
            && bound.Zip(sizes).All(p =>
                Compare(p.First, p.Second,
                $"{span.Text}: {p.First} and {p.Second}") != Sameness.Different)) return true;
        Fail(code == Codes.TypeMismatch ? Codes.SizesDiffer : code, span,
            $"the axes `{g.Span.Text}` of {Describe(value)} are [{string.Join(", ", sizes)}], "
                + $"elsewhere [{string.Join(", ", bound)}]",
            Describe(value), sizes.Count == bound.Count + 1
                ? $"it has an axis more: `argmax({Short(span)}, axis: -1)` of "
                + $"one-hot rows, or one of it: `{Short(span)}[.., 0]`"
                : sizes.Count > bound.Count + 1 ? "are two arguments the wrong way round?"
                    : null, Frame.Find(name) is { } first && first.Span != g.Span
                ? new Label(first.Span, "first bound here") : new Label(g.Span, "this group"));
        return false;
    }

    /// <summary>
    /// Before arguments are checked: binds names that stand alone in a tensor's type, groups and dtype variables.
    /// </summary>
    private void BindNames(TypeSyntax? type, Value value)
    {
        if (value is not TensorValue tensor || type is not NamedType n || !IsTensorType(n)) return;
        if (IsVariable(n.Name.Text) && !Frame.DTypes.ContainsKey(n.Name.Text)) Frame.DTypes[n.Name.Text] = tensor.DType;
        var at = n.Dims.Select((d, i) => (d, i)).FirstOrDefault(p => p.d is GroupDim, (d: null!, i: -1)).i;
        if (at < 0 ? tensor.Rank != n.Dims.Length : tensor.Rank < n.Dims.Length - 1) return;
        for (var d = 0; d < n.Dims.Length; d++)
        {
            var axis = at >= 0 && d > at ? tensor.Rank - (n.Dims.Length - d) : d;
            if (n.Dims[d] is SizeDim { Size: NameExpression { Name: var name } } s && name != "_"
                && Inner(name, s.Span) is null)
                Frame.DeclareParameter(name, new IntValue(tensor.Shape[axis]), s.Span);
        }
    }
}
