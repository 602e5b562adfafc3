// In: the arguments of primitives. Out: nodes or known values: elementwise functions, reductions, movement, random
// bits.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

/// <summary>The arguments of a primitive by parameter; null for an optional one left out.</summary>
internal sealed record BuiltinCall(string Name, IReadOnlyDictionary<string, Argument> Arguments, Span Span)
{
    public Argument this[string name] => Arguments[name];

    public Argument? Find(string name) => Arguments.GetValueOrDefault(name);
}

internal sealed partial class Elaborator
{
    private Value Invoke(Builtin builtin, ImmutableArray<Argument> arguments, Span span)
    {
        var parameters = builtin.Parameters.Split(' ');
        var bound = new Dictionary<string, Argument>();
        var next = 0;
        foreach (var argument in arguments)
        {
            var name = argument.Name ?? (next < parameters.Length ? parameters[next++].TrimEnd('?') : "");
            if (argument.Inout)
                return Fail(Codes.InoutNotMarked, argument.Span, $"`{builtin.Name}` writes nothing back", null,
                    "leave `inout` out");
            if (argument.Name is not null && !parameters.Any(p => p.TrimEnd('?') == name))
            {
                return Fail(Codes.UnknownArgument, argument.NameSpan ?? argument.Span,
                    $"`{builtin.Name}` has no parameter `{name}`", null,
                    Meant(name, parameters.Select(p => p.TrimEnd('?'))));
            }
            if (name.Length == 0 || !bound.TryAdd(name, argument))
            {
                if (builtin.Name == "transpose" && arguments is [{ Value: TensorValue turned }, { Value: IntValue a },
                    { Value: IntValue b }] && Swapped(turned.Rank, a, b) is { } order)
                    return Fail(Codes.WrongArgumentCount, argument.Span,
                        "`transpose` takes all axes in their new order",
                        null, $"write `transpose({Short(arguments[0].Span)}, {order})`");
                var first = arguments.Length > 0 ? Short(arguments[0].Span) : "x";
                if (builtin.Name is "round" or "log")
                    return Fail(Codes.WrongArgumentCount, argument.Span, $"`{builtin.Name}` takes one argument", null,
                        builtin.Name == "round" ? $"to two decimals: `round({first} * 100) / 100`"
                            : $"to another base: `log({first}) / log({Short(argument.Span)})`");
                // `concat(a, b, c)`, `reshape(x, n, d)`: the sizes or tensors are a list.
                var at = parameters.ToList().FindIndex(p => p is "shape" or "order?" or "parts");
                return Fail(Codes.WrongArgumentCount, argument.Span, $"`{builtin.Name}` is given too many arguments",
                    null, at >= 0 && arguments.All(a => a.Name is null)
                        ? $"{(parameters[at] == "parts" ? "they" : "the numbers")} stand in a list: `{builtin.Name}("
                            + string.Concat(arguments.Take(at).Select(a => Short(a.Span) + ", "))
                            + $"[{string.Join(", ", arguments.Skip(at).Select(a => Short(a.Span)))}])`"
                        : Listed(parameters.Select(p => p.TrimEnd('?'))));
            }
        }
        var missing = parameters.FirstOrDefault(p => !p.EndsWith('?') && !bound.ContainsKey(p));
        if (missing is not null)
        {
            return Fail(Codes.WrongArgumentCount, span, $"`{builtin.Name}` is called without `{missing}`", null,
                builtin.Name == "split" && arguments is [{ Value: TensorValue { Rank: 0 } }]
                    ? $"of a key, `fold({Short(arguments[0].Span)}, 1)` makes another"
                    : Listed(parameters.Select(p => p.TrimEnd('?'))));
        }
        return builtin.Apply(this, new(builtin.Name, bound, span));
    }

    private Value WrongArgument(Argument a, string wanted) =>
        Fail(Codes.TypeMismatch, a.Span, $"{Describe(a.Value)} stands where {wanted} is needed", Describe(a.Value),
            wanted.Contains("a tensor", StringComparison.Ordinal) ? Stacked(a.Value, a.Span) : null);

    // ---- elementwise -----------------------------------------------------------------------------------------------

    public Value UnaryOf(UnaryOp op, BuiltinCall c)
    {
        var x = c["x"];
        switch (x.Value)
        {
            case TensorValue t:
                var integers = op is UnaryOp.Neg or UnaryOp.Abs or UnaryOp.Sign && t.DType.IsInteger;
                if (t.DType.IsFloat || integers) return Tensor(new Unary(op, t.Node), t.Indices);
                return t.DType.IsInteger && op is UnaryOp.Floor or UnaryOp.Ceil or UnaryOp.Trunc or UnaryOp.Round ? t
                    : Fail(Codes.TypeMismatch, x.Span, $"`{c.Name}` is not defined for {t.DType.Name()}", Describe(t),
                        $"cast it: `{c.Name}(f32(x))`");
            case WeakValue w when op is UnaryOp.Neg:
                return Negate(w, x.Span);
            case WeakValue w when Number(w) is { } v
                && op is UnaryOp.Abs or UnaryOp.Sign or UnaryOp.Floor or UnaryOp.Ceil or UnaryOp.Trunc or UnaryOp.Round:
                var r = op switch
                {
                    UnaryOp.Abs => Math.Abs(v),
                    UnaryOp.Sign => v > 0 ? 1 : v < 0 ? -1 : double.IsNaN(v) ? v : 0,
                    UnaryOp.Floor => Math.Floor(v),
                    UnaryOp.Ceil => Math.Ceiling(v),
                    UnaryOp.Trunc => Math.Truncate(v),
                    _ => Math.Round(v),
                };
                // An infinity, a NaN or a value that is too large is no int.
                return w is IntValue || (op is not (UnaryOp.Abs or UnaryOp.Sign) && Math.Abs(r) < 1L << 62)
                    ? new IntValue((long)r) : new FloatValue(r);
            case WeakValue w when op is UnaryOp.Abs or UnaryOp.Sign or UnaryOp.Floor or UnaryOp.Ceil or UnaryOp.Trunc
                or UnaryOp.Round:
                return Realize(w, Default(w), x.Span) is { } tensor
                    ? UnaryOf(op, new(c.Name, new Dictionary<string, Argument> { ["x"] = x with { Value = tensor } },
                    c.Span)) : Value.Poison;
            case WeakValue w:
                return WeakUnary(c.Name, w, x.Span);
            case ListValue:
                return Fail(Codes.ListArithmetic, x.Span, $"`{c.Name}` of {Describe(x.Value)}", null,
                    $"for a list, `[{c.Name}(x) for x in {Short(x.Span)}]`"
                        + (Stacked(x.Value, x.Span) is { } stacked ? "; " + stacked : ""));
            default:
                return WrongArgument(x, "a number or a tensor");
        }
    }

    public Value SelectOf(BuiltinCall c)
    {
        var (condition, a, b) = (c["condition"], c["a"], c["b"]);
        return condition.Value switch
        {
            // A constant still broadcasts: both sides decide the shape.
            BoolValue t => Meet(a.Value, b.Value, c.Span, a.Span, b.Span) is var (x, y)
                ? Elementwise(x, y, c.Span, a.Span, b.Span, (p, q) => t.Truth ? p : q) : Value.Poison,
            TensorValue { DType: DType.Bool } t => Select(t, a.Value, b.Value, c.Span, a.Span, b.Span),
            _ => WrongArgument(condition, "a bool tensor"),
        };
    }

    public Value StopGradientOf(BuiltinCall c) => c["x"].Value switch
    {
        TensorValue t => Tensor(new StopGradient(t.Node), t.Indices),
        WeakValue w => w,
        _ => WrongArgument(c["x"], "a tensor"),
    };

    public Value Extreme(BuiltinCall c, bool greatest)
    {
        if (c.Find("y") is not { } y) return ReduceAxes(c, greatest ? ReduceOp.Max : ReduceOp.Min);
        var x = c["x"];
        if (c.Find("axis") is { } axis)
            return Fail(Codes.WrongArgumentCount, axis.Span,
                $"`{c.Name}` of two values is elementwise and has no axis", null, $"write `{c.Name}(x, axis: …)`");
        if (x.Value is WeakValue a && y.Value is WeakValue b)
        {
            if (a is IntValue { Size: var p } && b is IntValue { Size: var q })
            {
                if (ranges.NonNegative(p - q)) return new IntValue(greatest ? p : q);
                if (ranges.NonNegative(q - p)) return new IntValue(greatest ? q : p);
                return new IntValue(greatest ? Size.Max(p, q) : Size.Min(p, q));
            }
            return Number(a) is { } u && Number(b) is { } v ? new FloatValue(greatest ? Math.Max(u, v) : Math.Min(u, v))
                : new RealValue(greatest ? "max" : "min", [a, b]);
        }
        if (x.Value is BoolValue first && y.Value is BoolValue second)
            return new BoolValue(greatest ? first.Truth || second.Truth : first.Truth && second.Truth);
        if (!IsNumeric(x.Value)) return WrongArgument(x, "a number or a tensor");
        if (!IsNumeric(y.Value)) return WrongArgument(y, "a number or a tensor");
        return Meet(x.Value, y.Value, c.Span, x.Span, y.Span) is var (s, t)
            ? Elementwise(s, t, c.Span, x.Span, y.Span, (m, n) =>
                new Binary(greatest ? BinaryOp.Max : BinaryOp.Min, m, n)) : Value.Poison;
    }

    // ---- along axes ------------------------------------------------------------------------------------------------

    /// <summary>The axes of an argument, ascending; all if it is missing. Null after a diagnostic.</summary>
    private List<int>? Axes(Argument? axis, int rank, string what)
    {
        if (axis is null) return [.. Enumerable.Range(0, rank)];
        var values = axis.Value is ListValue list ? list.Items : [axis.Value];
        var axes = new List<int>();
        foreach (var value in values)
        {
            if (Constant(value, axis.Span, "an axis") is not { } a) return null;
            if (a < -rank || a >= rank || axes.Contains((int)(a < 0 ? a + rank : a)))
            {
                Fail(Codes.BadAxis, axis.Span, a < -rank || a >= rank ? $"there is no axis {a} in {what}"
                    : $"axis {a} is named twice", null,
                    $"the axes are 0 to {rank - 1}, or -{rank} to -1");
                return null;
            }
            axes.Add((int)(a < 0 ? a + rank : a));
        }
        return axes;
    }

    public Value ReduceAxes(BuiltinCall c, ReduceOp op)
    {
        var x = c["x"];
        if (x.Value is ListValue list) return OfList(list, op, c);
        if (x.Value is not TensorValue t)
            return x.Value is BoolValue or WeakValue && op is not (ReduceOp.And or ReduceOp.Or) ? x.Value
            : WrongArgument(x, "a tensor");
        if (t.DType == DType.Bool && op is ReduceOp.Max or ReduceOp.Min)
            op = op == ReduceOp.Max ? ReduceOp.Or : ReduceOp.And;
        if ((op is ReduceOp.And or ReduceOp.Or) != (t.DType == DType.Bool))
        {
            return Fail(Codes.TypeMismatch, x.Span, $"`{c.Name}` is not defined for {t.DType.Name()}", Describe(t),
                t.DType == DType.Bool ? $"count with `{c.Name}(i32(x))`" : "compare first: `x != 0`");
        }
        if (Axes(c.Find("axis"), t.Rank, Describe(t)) is not { } axes || Keep(c) is not { } keep) return Value.Poison;
        return op is ReduceOp.Add or ReduceOp.Mul
            ? As(Reduced(Wide(t), axes, keep, (node, all) => new Reduce(op, node, all)), t.DType)
            : Reduced(t, axes, keep, (node, all) => new Reduce(op, node, all));
    }

    /// <summary>f16 and bf16 are added and multiplied in f32, and rounded once.</summary>
    private TensorValue Wide(TensorValue t) => As(t, Accumulator(t.DType));

    private static DType Accumulator(DType dtype) => dtype is DType.F16 or DType.BF16 ? DType.F32 : dtype;

    private TensorValue As(TensorValue t, DType dtype) =>
        t.DType == dtype ? t : Tensor(new Graph.Convert(t.Node, dtype), t.Indices);

    private bool? Keep(BuiltinCall c)
    {
        if (c.Find("keep") is not { } keep) return false;
        if (keep.Value is BoolValue b) return b.Truth;
        Fail(Codes.ConstantNeeded, keep.Span, $"`keep` is true or false, not {Describe(keep.Value)}");
        return null;
    }

    private TensorValue Reduced(TensorValue t, List<int> axes, bool keep, Func<Node, ImmutableArray<int>, Node> make)
    {
        if (axes.Count == 0) return t;
        var node = Emit(make(t.Node, [.. axes.Order().Select(a => a + t.Indices.Length)]));
        if (keep)
        {
            var shape = t.Shape.Select((s, d) => axes.Contains(d) ? Size.One : s);
            node = Reshaped(node, [.. t.Indices.Select(i => i.Extent), .. shape]);
        }
        return new(node, Graph, t.Indices);
    }

    private Value OfList(ListValue list, ReduceOp op, BuiltinCall c)
    {
        Value? total = null;
        foreach (var item in list.Items)
        {
            total = total is null ? item : op switch
            {
                ReduceOp.Add => Operate(BinaryOperator.Add, total, item, c.Span, c.Span, c.Span),
                ReduceOp.Mul => Operate(BinaryOperator.Multiply, total, item, c.Span, c.Span, c.Span),
                ReduceOp.And or ReduceOp.Or => total is BoolValue p && item is BoolValue q
                    ? new BoolValue(op == ReduceOp.And ? p.Truth && q.Truth : p.Truth || q.Truth)
                        : WrongArgument(c["x"], "a list of bools"),
                _ => ExtremeOf(c, total, item, op == ReduceOp.Max),
            };
        }
        return total ?? op switch
        {
            ReduceOp.Add => new IntValue(0),
            ReduceOp.Mul => new IntValue(1),
            ReduceOp.And => new BoolValue(true),
            ReduceOp.Or => new BoolValue(false),
            _ => Fail(Codes.TypeMismatch, c.Span, $"`{c.Name}` of an empty list"),
        };
    }

    private Value ExtremeOf(BuiltinCall c, Value a, Value b, bool greatest)
    {
        var both = new Dictionary<string, Argument> { ["x"] = new(a, c.Span, null), ["y"] = new(b, c.Span, null) };
        return Extreme(new(c.Name, both, c.Span), greatest);
    }

    public Value Mean(BuiltinCall c)
    {
        var x = c["x"];
        if (x.Value is not TensorValue t) return WrongArgument(x, "a tensor");
        if (!t.DType.IsFloat)
        {
            return Fail(Codes.IntegerDivision, x.Span, $"`mean` divides, and {t.DType.Name()} has no fractions",
                Describe(t), $"cast: `mean(f32({Short(x.Span)}))`");
        }
        if (Axes(c.Find("axis"), t.Rank, Describe(t)) is not { } axes || Keep(c) is not { } keep) return Value.Poison;
        var wide = Wide(t);
        var sum = Reduced(wide, axes, keep, (node, all) => new Reduce(ReduceOp.Add, node, all));
        var count = Size.Product(axes.Select(a => t.Shape[a]));
        return As(Join(sum, RealizeSize(count, wide.DType), (p, q) => new Binary(BinaryOp.Div, p, q)), t.DType);
    }

    public Value ArgReduceAxis(BuiltinCall c, bool greatest)
    {
        var x = c["x"];
        if (x.Value is not TensorValue t) return WrongArgument(x, "a tensor");
        if (OneAxis(c, t) is not { } axis) return Value.Poison;
        return Tensor(new ArgReduce(greatest, t.Node, axis + t.Indices.Length, DType.I32), t.Indices);
    }
}
