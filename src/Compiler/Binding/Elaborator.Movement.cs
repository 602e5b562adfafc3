// The primitives that move elements, and those on lists and shapes.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>A list of sizes (a single size is a list of one). Null after a diagnostic.</summary>
    private ImmutableArray<Size>? Sizes(Argument a)
    {
        var items = a.Value is ListValue list ? list.Items : [a.Value];
        if (items.All(i => i is IntValue)) return [.. items.Select(i => ((IntValue)i).Size)];
        if (!items.Any(i => i is PoisonValue)) WrongArgument(a, "a list of sizes");
        return null;
    }

    /// <summary>A list of valid extents: none is negative. Null after a diagnostic.</summary>
    private ImmutableArray<Size>? Extents(Argument a, string what)
    {
        if (Sizes(a) is not { } sizes) return null;
        return sizes.All(size => IsExtent(size, a.Span, what)) ? sizes : null;
    }

    /// <summary>True if an axis can have that size: proved, or checked by the call. False after a diagnostic.</summary>
    private bool IsExtent(Size size, Span span, string what)
    {
        if (size.IsConstant && size.Value < 0)
        {
            Fail(Codes.SizesDiffer, span, $"{what} of {size}: a size is at least 0", null,
                size.Is(-1) ? "no size is worked out from the others; one that the call decides is a name in a type, "
                    + "or `_`" : null);
            return false;
        }
        AtMost(0, size, $"{what} of {size}");
        return true;
    }

    public Value ReshapeOf(BuiltinCall c)
    {
        if (c["x"].Value is not TensorValue t) return WrongArgument(c["x"], "a tensor");
        if (Sizes(c["shape"]) is { } given && given.Any(s => s.Is(-1)))
            return Fail(Codes.SizesDiffer, c["shape"].Span, "no axis is worked out from the others, and -1 is no size",
                null, WorkedOut(t, given, Short(c["x"].Span)), new Label(c["x"].Span, Describe(t)));
        if (Extents(c["shape"], "an axis") is not { } shape) return Value.Poison;
        if (!t.Indices.IsEmpty) return Limit(c.Span, "`reshape` inside an index form");
        var count = Size.Product(shape);
        switch (Compare(t.Node.Type.Count, count, $"reshape of {Describe(t)} to [{string.Join(", ", shape)}]"))
        {
            case Sameness.Same:
                return t.Shape.SequenceEqual(shape) ? t : Tensor(Reshaped(t.Node, shape));
            case Sameness.Checked:
                return Retype(t, shape);
            default:
                return Fail(Codes.SizesDiffer, c.Span,
                    $"{Describe(t)} has {t.Node.Type.Count} elements, [{string.Join(", ", shape)}] has {count}", null,
                    Equalize(t.Node.Type.Count, count)
                        ?? $"the sizes have to multiply to {t.Node.Type.Count}", new Label(c["x"].Span, Describe(t)));
        }
    }

    public Value TransposeOf(BuiltinCall c)
    {
        if (c["x"].Value is not TensorValue t) return WrongArgument(c["x"], "a tensor");
        if (!t.Indices.IsEmpty) return Limit(c.Span, "`transpose` inside an index form");
        List<int>? order = [.. Enumerable.Range(0, t.Rank).Reverse()];
        if (c.Find("order") is { } given) order = Axes(given, t.Rank, Describe(t));
        if (order is null) return Value.Poison;
        return order.Count == t.Rank ? Tensor(new Transpose(t.Node, [.. order]))
            : Fail(Codes.BadAxis, c.Find("order")!.Span, $"{order.Count} axes for the {t.Rank} of {Describe(t)}", null,
                "name every axis once");
    }

    public Value PadOf(BuiltinCall c)
    {
        if (c["x"].Value is not TensorValue t) return WrongArgument(c["x"], "a tensor");
        if (Axes(c["axis"], t.Rank, Describe(t)) is not { } axes || Sizes(c["before"]) is not { } before
            || Sizes(c["after"]) is not { } after)
            return Value.Poison;
        if ((before.Length != 1 && before.Length != axes.Count) || (after.Length != 1 && after.Length != axes.Count))
            return Fail(Codes.WrongArgumentCount, c.Span,
                $"{axes.Count} axes, {before.Length} paddings before and {after.Length} after");
        var fill = c.Find("value");
        if (Realize(fill?.Value ?? new IntValue(0), t.DType, fill?.Span ?? c.Span) is not { } value)
            return Value.Poison;
        if (value.Rank != 0 || value.DType != t.DType) return WrongArgument(fill!, $"a scalar {t.DType.Name()}");
        if (Betweens(c, axes.Count) is not { } betweens) return Value.Poison;
        var low = Enumerable.Repeat(Size.Zero, t.Node.Type.Rank).ToArray();
        var high = (Size[])low.Clone();
        var between = new long[low.Length];
        for (var k = 0; k < axes.Count; k++)
        {
            var axis = axes[k] + t.Indices.Length;
            (low[axis], high[axis]) = (before[before.Length == 1 ? 0 : k], after[after.Length == 1 ? 0 : k]);
            between[axis] = betweens[betweens.Count == 1 ? 0 : k];
            if (between[axis] > 0) AtMost(1, t.Shape[axes[k]], "padding between elements needs an element");
            foreach (var amount in new[] { low[axis], high[axis] })
                if (!amount.IsConstant) AtMost(0, amount, $"a padding of {amount}");
        }
        // A negative constant cuts, after all insertions: also of those between the elements.
        Size[] put = [.. low.Concat(high).Select(s => s.IsConstant && s.Value < 0 ? Size.Zero : s)];
        var node = t.Node;
        if (put.Any(s => !s.Is(0)) || between.Any(b => b > 0))
            node = Emit(new Pad(node, value.Node, [.. put.Take(low.Length)], [.. put.Skip(low.Length)], [.. between]));
        for (var axis = 0; axis < low.Length; axis++)
        {
            var (first, last) = (Cut(low[axis]), Cut(high[axis]));
            var left = node.Type.Shape[axis] - first - last;
            if (left.IsConstant && left.Value < 0)
                return Fail(Codes.SliceOutOfRange, c.Span,
                    $"{first + last} elements are cut from an axis of {node.Type.Shape[axis]}", null,
                    "a padding below 0 cuts", new Label(c["x"].Span, Describe(t)));
            AtMost(0, left, $"a padding leaves {left} elements");
            node = SliceAxis(node, axis, first, left, 1);
        }
        return ReferenceEquals(node, t.Node) ? t : Tensor(node, t.Indices);

        static Size Cut(Size amount) => amount.IsConstant && amount.Value < 0 ? -amount.Value : 0;
    }

    private List<long>? Betweens(BuiltinCall c, int axes)
    {
        if (c.Find("between") is not { } given) return [0];
        var amounts = new List<long>();
        foreach (var item in given.Value is ListValue list ? list.Items : [given.Value])
        {
            if (Constant(item, given.Span, "the padding between elements") is not { } amount) return null;
            amounts.Add(amount);
        }
        if (amounts.All(b => b >= 0) && (amounts.Count == 1 || amounts.Count == axes)) return amounts;
        Fail(Codes.WrongArgumentCount, given.Span, amounts.Any(b => b < 0) ? "a negative padding between elements"
            : $"{axes} axes, {amounts.Count} paddings between elements");
        return null;
    }

    public Value ConcatOf(BuiltinCall c)
    {
        if (c["parts"].Value is TensorValue lone)
            return Fail(Codes.TypeMismatch, c["parts"].Span, $"{Describe(lone)} stands where a list is needed",
                Describe(lone), Listed("concat", c.Arguments.Values));
        if (c["parts"].Value is not ListValue list) return WrongArgument(c["parts"], "a list");
        if (list.Items.Any(i => i is PoisonValue)) return Value.Poison;
        if (list.Items.All(i => i is ListValue))
        {
            Spend(list.Items.Sum(i => (long)((ListValue)i).Items.Length));
            return new ListValue([.. list.Items.SelectMany(i => ((ListValue)i).Items)]);
        }
        if (list.Items.Any(i => i is not TensorValue))
            return WrongArgument(c["parts"], "a list of tensors, or of lists,");
        var parts = list.Items.Cast<TensorValue>().ToArray();
        var first = parts[0];
        if (parts.FirstOrDefault(p => p.Rank != first.Rank) is { } odd)
        {
            var (low, high) = odd.Rank < first.Rank ? (odd, first) : (first, odd);
            var full = string.Join(", ", high.Shape.Take(high.Rank - low.Rank).Concat(low.Shape));
            return Fail(Codes.WrongRank, c["parts"].Span, $"`concat` of {Describe(first)} and {Describe(odd)}: "
                + $"{Quantity.Of(first.Rank, "axis")} and {odd.Rank}", null, "all parts have as many axes; "
                    + (low.Rank == 0 ? "a scalar has one as `reshape(x, [1])`"
                        : $"{Describe(low)} gets those of the other by `broadcast(…, [{full}])`, "
                            + "with 1 along the axis that is joined"));
        }
        var axes = c.Find("axis") is { } axis ? Axes(axis, first.Rank, Describe(first)) : first.Rank > 0 ? [0] : [];
        if (axes is null) return Value.Poison;
        if (axes.Count != 1) return Fail(Codes.BadAxis, c.Span, "`concat` takes one axis");
        for (var k = 1; k < parts.Length; k++)
        {
            if (parts[k].DType != first.DType)
                return Fail(Codes.DtypeMix, c["parts"].Span,
                    $"{first.DType.Name()} and {parts[k].DType.Name()} do not mix", null, "cast one of them");
            for (var d = 0; d < first.Rank; d++)
            {
                if (d == axes[0]) continue;
                var (p, q) = (first.Shape[d], parts[k].Shape[d]);
                switch (Compare(p, q, $"concat along {axes[0]}: axis {d} is {p} and {q}"))
                {
                    case Sameness.Different:
                        return Fail(Codes.SizesDiffer, c["parts"].Span,
                            $"`concat` of {Describe(first)} and {Describe(parts[k])}: axis {d} is {p} and {q}",
                            null, Enumerable.Range(0, first.Rank).All(e => e == d
                                || first.Shape[e].Equals(parts[k].Shape[e]))
                                ? $"axis {d} is the only one that differs: `concat({Short(c["parts"].Span)}, axis: "
                                    + $"{d})`"
                                : Equalize(p, q) ?? "all axes but the one along which they are joined are equal");
                    case Sameness.Checked:
                        parts[k] = Retype(parts[k], parts[k].Shape.SetItem(d, p));
                        break;
                }
            }
        }
        if (parts.Any(p => !p.Indices.IsEmpty)) return Limit(c.Span, "`concat` inside an index form");
        return parts.Length == 1 ? first : Tensor(new Concat([.. parts.Select(p => p.Node)], axes[0]));
    }

    private const int MostParts = 10_000;

    public Value SplitOf(BuiltinCall c)
    {
        if (c["x"].Value is not TensorValue t) return WrongArgument(c["x"], "a tensor");
        if (!t.Indices.IsEmpty) return Limit(c.Span, "`split` inside an index form");
        var axes = c.Find("axis") is { } given ? Axes(given, t.Rank, Describe(t)) : t.Rank > 0 ? [t.Rank - 1] : [];
        if (axes is null) return Value.Poison;
        if (axes.Count != 1) return Fail(Codes.BadAxis, c.Span, "`split` takes one axis");
        var (axis, extent) = (axes[0], t.Shape[axes[0]]);
        ImmutableArray<Size> sizes;
        if (c["parts"].Value is ListValue)
        {
            if (Extents(c["parts"], "a part") is not { } listed) return Value.Poison;
            sizes = listed;
        }
        else
        {
            if (Constant(c["parts"].Value, c["parts"].Span, "the number of parts") is not { } parts)
                return Value.Poison;
            if (parts < 1) return Fail(Codes.TypeMismatch, c["parts"].Span, $"{parts} parts");
            // Each part is a value of its own.
            if (parts > MostParts) return Limit(c["parts"].Span, $"`split` into more than {MostParts} parts");
            sizes = [.. Enumerable.Repeat(FloorDiv(extent, parts), (int)parts)];
        }
        var total = sizes.Aggregate(Size.Zero, (a, b) => a + b);
        if (Compare(extent, total, $"split of {extent} into {sizes.Length}") == Sameness.Different)
        {
            return Fail(Codes.SizesDiffer, c.Span,
                $"axis {axis} of {Describe(t)} is {extent}, the parts are {string.Join(" + ", sizes)}", null,
                Equalize(extent, total), new Label(c["x"].Span, Describe(t)));
        }
        var items = ImmutableArray.CreateBuilder<Value>();
        var start = Size.Zero;
        foreach (var size in sizes)
        {
            items.Add(Tensor(SliceAxis(t.Node, axis, start, size, 1)));
            start += size;
        }
        return new ListValue(items.ToImmutable());
    }

    // ---- known values ----------------------------------------------------------------------------------------------

    public Value ShapeOf(BuiltinCall c) => c["x"].Value is TensorValue t
        ? new ListValue([.. t.Shape.Select(s => (Value)new IntValue(s))]) : WrongArgument(c["x"], "a tensor");

    public Value SizeOf(BuiltinCall c)
    {
        if (c["x"].Value is not TensorValue t) return WrongArgument(c["x"], "a tensor");
        if (c.Find("axis") is not { } axis) return new IntValue(Size.Product(t.Shape));
        return Axes(axis, t.Rank, Describe(t)) is { } axes ? new IntValue(Size.Product(axes.Select(a => t.Shape[a])))
            : Value.Poison;
    }

    public Value Length(BuiltinCall c) => c["list"].Value is ListValue list ? new IntValue(list.Items.Length)
        : c["list"].Value is TensorValue { Rank: > 0 } t ? new IntValue(t.Shape[0])
            : WrongArgument(c["list"], "a list");

    private Value NoList(Argument a) => Exchanged(a.Value, a.Span) ? Value.Poison
        : a.Value is TensorValue { Rank: > 0 } t
        ? Fail(Codes.TypeMismatch, a.Span, $"{Describe(t)} stands where a list is needed", Describe(t),
            $"a tensor is counted along an axis: `for i in 0:{t.Shape[0]}`, with `{Short(a.Span)}[i]`")
        : WrongArgument(a, "a list");

    public Value Zip(BuiltinCall c)
    {
        var lists = new List<ListValue>();
        foreach (var argument in c.Arguments.Values)
        {
            if (argument.Value is not ListValue list) return NoList(argument);
            if (lists.Count > 0 && lists[0].Items.Length != list.Items.Length)
            {
                return Fail(Codes.SizesDiffer, argument.Span,
                    $"`zip` of a list of {lists[0].Items.Length} and a list of {list.Items.Length}", null,
                    "cut the longer one with a slice");
            }
            lists.Add(list);
        }
        return new ListValue([.. Enumerable.Range(0, lists[0].Items.Length)
            .Select(i => (Value)new ListValue([.. lists.Select(l => l.Items[i])]))],
            lists[0].Names);
    }

    public Value Enumerate(BuiltinCall c) => c["list"].Value is ListValue list
        ? new ListValue([.. list.Items.Select((v, i) => (Value)new ListValue([new IntValue(i), v]))], list.Names)
        : NoList(c["list"]);

    public Value NamesOf(BuiltinCall c) => c["list"].Value is ListValue { Names: { } names }
        ? new ListValue([.. names.Select(n => (Value)new StringValue(n))])
            : WrongArgument(c["list"], "a list of state or gradients");

    public Value ToInt(BuiltinCall c)
    {
        var x = c["x"];
        return x.Value switch
        {
            IntValue i => i,
            FloatValue f when Math.Abs(f.Number) < 9e18 => new IntValue((long)Math.Truncate(f.Number)),
            BoolValue b => new IntValue(b.Truth ? 1 : 0),
            TensorValue =>
                Fail(Codes.ConstantNeeded, x.Span,
                $"`int` is for numbers known when compiling, not {Describe(x.Value)}", null,
                "cast to a dtype: `i32(x)`"),
            _ => Fail(Codes.ConstantNeeded, x.Span, $"`int` needs a constant, {Describe(x.Value)} is none"),
        };
    }

    public Value ToFloat(BuiltinCall c)
    {
        var x = c["x"];
        return x.Value switch
        {
            WeakValue w => Number(w) is { } v ? new FloatValue(v) : w,
            BoolValue b => new FloatValue(b.Truth ? 1 : 0),
            TensorValue =>
                Fail(Codes.ConstantNeeded, x.Span,
                $"`float` is for numbers known when compiling, not {Describe(x.Value)}", null,
                "cast to a dtype: `f32(x)`"),
            _ => WrongArgument(x, "a number"),
        };
    }
}
