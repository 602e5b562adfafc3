// The primitives that go along an axis in order: sort, cumulative sums and products; and reverse, overlapping sums,
// scatters.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>The single axis of a primitive; the last if none is given. Null after a diagnostic.</summary>
    private int? OneAxis(BuiltinCall c, TensorValue t)
    {
        if (c.Find("axis") is not { } axis)
        {
            if (t.Rank > 0) return t.Rank - 1;
            Fail(Codes.WrongRank, c.Span, $"`{c.Name}` of {Describe(t)}, which has no axis");
            return null;
        }
        if (Axes(axis, t.Rank, Describe(t)) is not { } axes) return null;
        if (axes.Count == 1) return axes[0];
        Fail(Codes.BadAxis, axis.Span, $"`{c.Name}` takes one axis");
        return null;
    }

    /// <summary>A constant bool argument; false if it is left out. Null after a diagnostic.</summary>
    private bool? Flag(BuiltinCall c, string name)
    {
        if (c.Find(name) is not { } flag) return false;
        if (flag.Value is BoolValue b) return b.Truth;
        Fail(Codes.ConstantNeeded, flag.Span, $"`{name}` is true or false, not {Describe(flag.Value)}");
        return null;
    }

    public Value CumulateOf(BuiltinCall c, ReduceOp op)
    {
        if (c["x"].Value is not TensorValue t) return WrongArgument(c["x"], "a tensor");
        if (t.DType == DType.Bool)
            return Fail(Codes.TypeMismatch, c["x"].Span, $"`{c.Name}` is not defined for bool", Describe(t),
                $"count with `{c.Name}(i32(x))`");
        if (OneAxis(c, t) is not { } axis || Flag(c, "reversed") is not { } reversed) return Value.Poison;
        var wide = op is ReduceOp.Add or ReduceOp.Mul ? Wide(t) : t;
        return As(Tensor(new Cumulate(op, wide.Node, axis + t.Indices.Length, reversed), t.Indices), t.DType);
    }

    /// <summary>`sort` is result 0 of the operation, `argsort` result 1: both together sort once.</summary>
    public Value SortOf(BuiltinCall c, int result)
    {
        if (c["x"].Value is not TensorValue t) return WrongArgument(c["x"], "a tensor");
        if (OneAxis(c, t) is not { } axis || Flag(c, "descending") is not { } descending) return Value.Poison;
        return Tensor(new Result(Emit(new Sort(t.Node, axis + t.Indices.Length, descending, DType.I32)), result),
            t.Indices);
    }

    public Value ReverseOf(BuiltinCall c)
    {
        if (c["x"].Value is ListValue list && c["axis"].Value is IntValue { Size.Terms: [] })
            return new ListValue([.. list.Items.Reverse()], list.Names is { } names ? [.. names.Reverse()] : null);
        if (c["x"].Value is not TensorValue t) return WrongArgument(c["x"], "a tensor");
        if (Axes(c["axis"], t.Rank, Describe(t)) is not { } axes) return Value.Poison;
        return axes.Count == 0 ? t
            : Tensor(new Reverse(t.Node, [.. axes.Order().Select(a => a + t.Indices.Length)]), t.Indices);
    }

    public Value BroadcastOf(BuiltinCall c)
    {
        if (Extents(c["shape"], "an axis") is not { } shape) return Value.Poison;
        if (Realize(c["x"].Value, Default(c["x"].Value), c["x"].Span) is not { } t) return Value.Poison;
        TensorValue[] both = [t, new(Emit(Const.Of(new TensorType(t.DType, shape), [0L])), Graph, [])];
        if (BroadcastShape(both, [c["x"].Span, c["shape"].Span], c.Span) is not { } common) return Value.Poison;
        if (common.SequenceEqual(shape)) return Spread(Whole(both[0]), Whole(both[0]).Indices, shape);
        return Fail(Codes.BroadcastMismatch, c.Span,
            $"{Describe(t)} does not broadcast to [{string.Join(", ", shape)}]", null, null,
            new Label(c["x"].Span, Describe(t)));
    }

    /// <summary>
    /// Axes `axis` and `axis + 1` (i and r) become one: element p is the sum of all x[.., i, r, ..] with i * stride + r
    /// * dilation = p. The size is the smallest that holds them, or a given one.
    /// </summary>
    public Value OverlapAddOf(BuiltinCall c)
    {
        if (c["x"].Value is not TensorValue t) return WrongArgument(c["x"], "a tensor");
        if (t.DType == DType.Bool)
            return Fail(Codes.TypeMismatch, c["x"].Span, $"`{c.Name}` is not defined for bool", Describe(t));
        if (OneAxis(c, t) is not { } axis) return Value.Poison;
        if (axis + 1 >= t.Rank)
            return Fail(Codes.BadAxis, c["axis"].Span,
                $"`{c.Name}` joins axis {axis} and the next, and {Describe(t)} ends there");
        if (Positive(c, "stride") is not { } stride || Positive(c, "dilation") is not { } dilation) return Value.Poison;
        var (count, extent) = (t.Shape[axis], t.Shape[axis + 1]);
        var size = (count - 1) * stride + (extent - 1) * dilation + 1;
        if (c.Find("size") is { } given)
        {
            if (given.Value is not IntValue { Size: var wanted }) return WrongArgument(given, "a size");
            AtMost(size, wanted, $"overlapping sums reach {size} of {wanted}");
            size = wanted;
        }
        var wide = Wide(t);
        return As(Tensor(new Fold(wide.Node, axis + t.Indices.Length, size, stride, dilation), t.Indices), t.DType);
    }

    /// <summary>
    /// Scatters the maximum or the minimum of the old element and the updates at each index of the first axis.
    /// </summary>
    public Value ScatterOf(BuiltinCall c, ScatterOp op)
    {
        if (c["x"].Value is not TensorValue { Rank: > 0, Indices: [] } x) return WrongArgument(c["x"], "a tensor");
        if (c["ids"].Value is not TensorValue { DType.IsInteger: true, Indices: [] } ids)
            return WrongArgument(c["ids"], "an integer tensor");
        var wanted = x.Type.With([.. ids.Shape, .. x.Shape.Skip(1)]);
        return Filling(c["values"].Value, wanted, c["values"].Span, c["x"].Span) is { } values
            ? Tensor(new Scatter(op, x.Node, ids.Node, values.Node, 0)) : Value.Poison;
    }

    private long? Positive(BuiltinCall c, string name)
    {
        if (c.Find(name) is not { } given) return 1;
        if (Constant(given.Value, given.Span, $"`{name}`") is not { } value) return null;
        if (value > 0) return value;
        Fail(Codes.TypeMismatch, given.Span, $"`{name}` is {value}, and must be at least 1");
        return null;
    }
}
