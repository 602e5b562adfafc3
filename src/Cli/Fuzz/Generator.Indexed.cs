// Steps that read and write at places given by data: gathers, scatters, slices at run-time positions, assigned slices.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

internal sealed partial class Generator
{
    private static ImmutableArray<Step> IndexedSteps =>
    [
        new("gather", 8, g => g.Gather()), new("gather_reduce", 5, g => g.GatherReduce()),
        new("scatter", 5, g => g.Scatter()), new("scatter_reduce", 3, g => g.ScatterReduce()),
        new("dynamic_slice", 3, g => g.DynamicSlice()),
        new("update_slice", 4, g => g.UpdateSlice()), new("random_bits", 1, g => g.RandomBits()),
    ];

    /// <summary>Indices into an axis, all but one in forty in range; null for an axis of extent 0.</summary>
    private FuzzValue? Places(Size extent, ImmutableArray<Size> shape)
    {
        var value = Value(extent);
        if (value == 0 && !(Count(shape) == 0)) return null;
        var high = Math.Max(0, value - 1) + (Chance(40) ? 2 : 0);
        var type = Pick(DType.I32, DType.I32, DType.I64, DType.U8, DType.I16, DType.U32);
        if (high > 200 && type == DType.U8) type = DType.I32;
        return Parameter(type, shape, Uniform(0, high));
    }

    /// <summary>
    /// The text of indices into an axis: a parameter, or integers of the program, clamped to the range.
    /// </summary>
    private (string Text, FuzzValue Value)? At(Size extent, Func<FuzzValue, bool> fits,
        Func<ImmutableArray<Size>> shape)
    {
        var value = Value(extent);
        if (value > 0 && Chance(2) && Find(v => v.Type.IsInteger && fits(v)
            && (v.Type.Bytes() > 1 || value < 100)) is { } known)
            return (Chance(2) && extent.IsConstant ? $"min(max({known.Name}, 0), {value - 1})"
                : $"({known.Name} % ({extent.Display}))", known);
        return Places(extent, shape()) is { } places ? (places.Name, places) : null;
    }

    /// <summary>The grade of values at places: a rounded index may be another one.</summary>
    private static Grade Placed(Grade values, FuzzValue places) =>
        values > Jump(places) ? values : Jump(places);

    private bool Gather()
    {
        if (Find(v => v.Rank > 0) is not { } x) return false;
        var axis = Chance(3) ? random.Next(x.Rank) : 0;
        var at = At(x.Shape[axis], v => v.Rank is 1 or 2, () => Chance(4)
            ? [Pick(palette), Size.Constant(random.Next(1, 5))]
            : [Chance(2) ? Size.Constant(random.Next(Chance(8) ? (int)Zero() : 1, 9)) : Pick(palette)]);
        if (at is not var (text, places)) return false;
        var before = Before(axis);
        return Let("gather", x.Type, [.. x.Shape[..axis], .. places.Shape, .. x.Shape[(axis + 1)..]],
            Placed(x.Grade, places), $"{x.Name}[{before}{text}]", x, places);
    }

    /// <summary>Gathered values, reduced at once along the axes of the indices.</summary>
    private bool GatherReduce()
    {
        if (Find(v => v.Rank is 1 or 2 or 3 && v.Type != DType.Bool) is not { } x) return false;
        var count = Chance(4) ? Pick(palette) : Size.Constant(random.Next(1, 12));
        if (At(x.Shape[0], v => v.Rank == 1, () => [count]) is not var (text, places)) return false;
        var f = x.Type.IsFloat ? Pick("sum", "mean", "prod", "max", "min") : Pick("sum", "prod", "max", "min");
        var grade = Placed(x.Grade, places);
        if (f is "sum" or "mean" or "prod") grade = Round(x.Type, grade);
        var read = Chance(3) ? $"reverse({x.Name}, 0)[{text}]" : $"{x.Name}[{text}]";
        if (Chance(3)) read = $"{read} * {LiteralOperand(x.Type)}";
        return Let($"gather_{f}", x.Type, x.Shape[1..], grade, $"{f}({read}, axis: 0)", x, places);
    }

    private bool Scatter()
    {
        if (Find(v => v.Rank > 0) is not { } x) return false;
        var adds = x.Type != DType.Bool && Chance(2);
        if (At(x.Shape[0], v => v.Rank == 1, () => [Chance(2) ? Size.Constant(random.Next(1, 9)) : Pick(palette)])
            is not var (text, places)) return false;
        var update = FindOr(x.Type, [.. places.Shape, .. x.Shape[1..]]);
        var name = Name();
        var grade = Placed(Worst(x, update), places);
        if (adds && Chance(3))
        {
            var f = Pick("max", "min");
            return Let($"scatter_{f}", x.Type, x.Shape, grade, $"scatter_{f}({x.Name}, {text}, {update.Name})",
                x, places, update);
        }
        return Define(adds ? "scatter_add" : "scatter", name, x.Type, x.Shape, adds ? Round(x.Type, grade) : grade,
            $"let {name} = {x.Name}\n{name}[{text}] {(adds ? "+=" : "=")} {update.Name}", x, places, update);
    }

    /// <summary>Values scattered into rows, and a reduction of those.</summary>
    private bool ScatterReduce()
    {
        if (Find(v => v.Rank is 1 or 2 or 3 && v.Type != DType.Bool) is not { } x) return false;
        if (At(x.Shape[0], v => v.Rank == 1, () => [Size.Constant(random.Next(1, 7))]) is not var (text, places))
            return false;
        var update = FindOr(x.Type, [.. places.Shape, .. x.Shape[1..]]);
        var (rows, name) = (Name(), Name());
        var f = Pick("sum", "max", "min");
        var worst = Placed(Worst(x, update), places);
        return Define($"scatter_{f}", name, x.Type, x.Shape[1..], Round(x.Type, worst),
            $"let {rows} = {x.Name}\n{rows}[{text}] {Pick("=", "+=")} {update.Name}\nlet {name} = {f}({rows}, axis: 0)",
            x, places, update);
    }

    private bool DynamicSlice()
    {
        if (Axis() is not var (x, axis)) return false;
        var value = Value(x.Shape[axis]);
        if (value == 0) return false;
        var length = random.Next(1, (int)Math.Min(value, 5) + 1);
        var high = value - length + (Chance(30) ? 2 : 0);
        var place = Parameter(Pick(DType.I32, DType.I64), [], Uniform(0, high));
        var before = Before(axis);
        return Let("dynamic_slice", x.Type, x.Shape.SetItem(axis, length), x.Grade,
            $"{x.Name}[{before}{place.Name} : {place.Name} + {length}]", x, place);
    }

    private bool UpdateSlice()
    {
        if (Axis() is not var (x, axis)) return false;
        var (extent, value) = (x.Shape[axis], Value(x.Shape[axis]));
        if (value == 0) return false;
        var before = Before(axis);
        var length = random.Next(1, (int)Math.Min(value, 5) + 1);
        var name = Name();
        switch (random.Next(3))
        {
            case 0:
                var place = Parameter(DType.I32, [], Uniform(0, value - length));
                var part = FindOr(x.Type, x.Shape.SetItem(axis, length));
                return Define("update_slice", name, x.Type, x.Shape, Worst(x, part),
                    $"let {name} = {x.Name}\n{name}[{before}{place.Name} : {place.Name} + {length}] = {part.Name}",
                    x, place, part);
            case 1 when value > 1 && Chance(2):
                var (first, step) = (random.Next(2), random.Next(2, 4));
                var strided = FindOr(x.Type, x.Shape.SetItem(axis, Size.FloorDiv(extent - first - 1, step) + 1));
                return Define("update_slice", name, x.Type, x.Shape, Worst(x, strided),
                    $"let {name} = {x.Name}\n{name}[{before}{first}::{step}] = {strided.Name}", x, strided);
            case 1 when extent.IsConstant:
                var start = random.Next((int)(value - length) + 1);
                var known = FindOr(x.Type, x.Shape.SetItem(axis, length));
                return Define("update_slice", name, x.Type, x.Shape, Worst(x, known),
                    $"let {name} = {x.Name}\n{name}[{before}{start}:{start + length}] = {known.Name}", x, known);
            default:
                var row = FindOr(x.Type, x.Shape.RemoveAt(axis));
                return Define("update_slice", name, x.Type, x.Shape, Worst(x, row),
                    $"let {name} = {x.Name}\n{name}[{before}{Pick("0", "-1")}] = {row.Name}", x, row);
        }
    }

    private bool RandomBits()
    {
        var key = Parameter(DType.I64, [], Uniform(0, 100_000));
        var shape = AnyShape();
        return Let("random_bits", DType.U32, shape, Grade.Exact,
            $"random_bits({(Chance(2) ? key.Name : $"fold({key.Name}, 3)")}, {Shape(shape)})", key);
    }
}
