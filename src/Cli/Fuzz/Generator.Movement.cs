// Steps that move elements: shapes, orders, slices, padding, concatenation.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

internal sealed partial class Generator
{
    private static ImmutableArray<Step> MovementSteps =>
    [
        new("reshape", 5, g => g.Reshape()), new("transpose", 4, g => g.Transpose()),
        new("broadcast", 3, g => g.Broadcast()), new("slice", 6, g => g.Slice()), new("pad", 4, g => g.Pad()),
        new("reverse", 3, g => g.Reverse()), new("concat", 5, g => g.Concat()), new("split", 2, g => g.Split()),
        new("overlap_add", 2, g => g.OverlapAdd()),
    ];

    /// <summary>A value with axes, and one of them.</summary>
    private (FuzzValue X, int Axis)? Axis(Func<FuzzValue, bool>? fits = null) =>
        Find(v => v.Rank > 0 && (fits is null || fits(v))) is { } x ? (x, random.Next(x.Rank)) : null;

    /// <summary>The number of an axis, sometimes counted from the end.</summary>
    private string AxisText(FuzzValue x, int axis) => Text(Chance(3) ? axis - x.Rank : axis);

    /// <summary>The subscripts of the axes before one, which are taken whole.</summary>
    private static string Before(int axis) => string.Concat(Enumerable.Repeat(":, ", axis));

    private bool Reshape()
    {
        if (Find(_ => true) is not { } x) return false;
        var shape = x.Shape;
        var axis = x.Rank == 0 ? 0 : random.Next(x.Rank);
        switch (random.Next(4))
        {
            case 0:
                shape = shape.Insert(random.Next(x.Rank + 1), 1);
                break;
            case 1 when x.Rank > 1 && axis + 1 < x.Rank:
                shape = shape.RemoveAt(axis + 1).SetItem(axis, shape[axis] * shape[axis + 1]);
                break;
            case 2 when x.Rank > 0 && shape[axis].IsConstant && shape[axis].Value > 1:
                var factors = Enumerable.Range(1, 8).Where(f => shape[axis].Value % f == 0).ToList();
                var factor = Pick(factors);
                shape = shape.SetItem(axis, shape[axis].Value / factor).Insert(axis + 1, factor);
                break;
            default:
                shape = [shape.Aggregate(Size.One, (p, s) => p * s)];
                break;
        }
        return Let("reshape", x.Type, shape, x.Grade, $"reshape({x.Name}, {Shape(shape)})", x);
    }

    private bool Transpose()
    {
        if (Find(v => v.Rank > 1) is not { } x) return false;
        int[] order = [.. Enumerable.Range(0, x.Rank).OrderBy(_ => random.Next())];
        return Let("transpose", x.Type, [.. order.Select(d => x.Shape[d])], x.Grade,
            $"transpose({x.Name}, [{string.Join(", ", order)}])", x);
    }

    private bool Broadcast()
    {
        if (Find(v => v.Rank < 5) is not { } x) return false;
        var shape = x.Shape.Insert(0, Chance(2) ? Pick(palette) : Size.Constant(random.Next(1, 4)));
        for (var d = 1; d < shape.Length; d++)
            if (shape[d].Is(1) && Chance(2)) shape = shape.SetItem(d, Pick(palette));
        return Let("broadcast", x.Type, shape, x.Grade, $"broadcast({x.Name}, {Shape(shape)})", x);
    }

    private bool Slice()
    {
        if (Axis() is not var (x, axis)) return false;
        var (extent, value) = (x.Shape[axis], Value(x.Shape[axis]));
        var before = Before(axis);
        string At(string part) => $"{x.Name}[{before}{part}{(axis < x.Rank - 1 ? ", .." : "")}]";
        var rest = x.Shape.RemoveAt(axis);
        switch (random.Next(7))
        {
            case 0 when value > 0 && extent.IsConstant:
                var index = random.Next((int)value);
                return Let("slice", x.Type, rest, x.Grade, At(Text(Chance(2) ? index - value : index)), x);
            case 1 when value > 0:
                return Let("slice", x.Type, rest, x.Grade, At(Pick("0", "-1")), x);
            case 2 when extent.IsConstant:
                var start = random.Next((int)value + 1);
                var end = random.Next(start, (int)value + 1);
                var step = random.Next(1, 4);
                if (end == start && avoided.Contains("zero")) return false;
                return Let("slice", x.Type, x.Shape.SetItem(axis, (end - start + step - 1) / step), x.Grade,
                    At($"{start}:{end}{(step > 1 ? $":{step}" : "")}"), x);
            case 3 when value > 0:
                return Let("slice", x.Type, x.Shape.SetItem(axis, extent - 1), x.Grade, At(Pick("1:", ":-1")), x);
            case 4:
                return Let("slice", x.Type, x.Shape.SetItem(axis, Size.FloorDiv(extent + 1, 2)), x.Grade, At("::2"), x);
            case 5 when value > 1:
                return Let("slice", x.Type, x.Shape.SetItem(axis, Size.FloorDiv(extent, 2)), x.Grade, At("1::2"), x);
            case 6 when value > 2 && !extent.IsConstant:
                return Let("slice", x.Type, x.Shape.SetItem(axis, extent - 2), x.Grade, At("1:-1"), x);
            default: return false;
        }
    }

    private bool Pad()
    {
        if (Axis() is not var (x, axis)) return false;
        var (extent, value) = (x.Shape[axis], Value(x.Shape[axis]));
        var (before, after) = (random.Next(0, 4), random.Next(0, 4));
        if (value > 4 && extent.IsConstant && Chance(4)) before = -random.Next(1, 3);
        var between = value > 0 && Chance(4) ? random.Next(1, 3) : 0;
        var size = between == 0 ? extent + before + after
            : (extent - 1) * (between + 1) + 1 + before + after;
        var fill = Chance(2) ? $", value: {Literal(x.Type)}" : "";
        if (x.Type == DType.Bool) fill = $", value: {Literal(x.Type)}";
        return Let("pad", x.Type, x.Shape.SetItem(axis, size), x.Grade,
            $"pad({x.Name}, axis: {AxisText(x, axis)}, before: {before}, after: {after}{fill}"
            + $"{(between > 0 ? $", between: {between}" : "")})", x);
    }

    private bool Reverse()
    {
        if (Axis() is not var (x, axis)) return false;
        var second = random.Next(x.Rank);
        var axes = second == axis || Chance(2) ? AxisText(x, axis) : $"[{axis}, {second}]";
        return Let("reverse", x.Type, x.Shape, x.Grade, $"reverse({x.Name}, {axes})", x);
    }

    private bool Concat()
    {
        if (Axis() is not var (x, axis)) return false;
        var parts = new List<FuzzValue> { x };
        for (var i = random.Next(1, 3); i > 0; i--)
        {
            var part = Find(v => v.Type == x.Type && v.Rank == x.Rank
                && v.Shape.RemoveAt(axis).SequenceEqual(x.Shape.RemoveAt(axis)))!;
            if (part == x && Chance(2))
                part = Parameter(x.Type, x.Shape.SetItem(axis, Chance(6) ? Zero() : Pick(palette)));
            parts.Insert(random.Next(parts.Count + 1), part);
        }
        var size = parts.Aggregate(Size.Zero, (s, p) => s + p.Shape[axis]);
        return Let("concat", x.Type, x.Shape.SetItem(axis, size), Worst([.. parts]),
            $"concat([{string.Join(", ", parts.Select(p => p.Name))}], axis: {AxisText(x, axis)})", [.. parts]);
    }

    private bool Split()
    {
        if (Axis(v => v.Shape.Any(s => s.IsConstant)) is not var (x, axis)) return false;
        if (!x.Shape[axis].IsConstant || x.Shape[axis].Value < 1) return false;
        var value = x.Shape[axis].Value;
        var parts = Pick(Enumerable.Range(1, 4).Where(k => value % k == 0).ToList());
        return Let("split", x.Type, x.Shape.SetItem(axis, value / parts), x.Grade,
            $"split({x.Name}, {parts}, axis: {AxisText(x, axis)})[{random.Next(parts)}]", x);
    }

    private bool OverlapAdd()
    {
        if (Find(v => v.Rank > 1 && v.Type != DType.Bool) is not { } x) return false;
        var axis = random.Next(x.Rank - 1);
        var (count, width) = (x.Shape[axis], x.Shape[axis + 1]);
        var (stride, dilation) = (random.Next(1, 4), random.Next(1, 3));
        if (Value(count) < 1 || Value(width) < 1) return false;
        var size = (count - 1) * stride + (width - 1) * dilation + 1;
        var shape = x.Shape.RemoveAt(axis + 1).SetItem(axis, size);
        return Let("overlap_add", x.Type, shape, Round(x.Type, x.Grade),
            $"overlap_add({x.Name}, axis: {axis}, stride: {stride}, dilation: {dilation})", x);
    }
}
