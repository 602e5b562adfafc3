// Steps that reduce along axes: sums and extremes, argmax and argmin, cumulative sums, sorting, matrix products.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

internal sealed partial class Generator
{
    private static ImmutableArray<Step> ReductionSteps =>
    [
        new("reduce", 12, g => g.Reduce()), new("arg_reduce", 3, g => g.ArgReduce()),
        new("cumulate", 6, g => g.Cumulate()), new("sort", 4, g => g.Sort()), new("matmul", 4, g => g.MatMul()),
    ];

    private bool Reduce()
    {
        if (Find(v => v.Rank > 0) is not { } x) return false;
        var f = x.Type == DType.Bool ? Pick("any", "all", "max", "min")
            : x.Type.IsFloat ? Pick("sum", "sum", "mean", "prod", "max", "min") : Pick("sum", "prod", "max", "min");
        var axes = Enumerable.Range(0, x.Rank).Where(_ => Chance(2)).ToList();
        if (axes.Count == 0) axes = [random.Next(x.Rank)];
        var keep = Chance(4);
        ImmutableArray<Size> shape = [.. x.Shape.Select((s, d) => axes.Contains(d) ? Size.One : s)
            .Where((_, d) => keep || !axes.Contains(d))];
        var axis = axes.Count == x.Rank && Chance(2) ? ""
            : axes.Count == 1 ? $", axis: {AxisText(x, axes[0])}" : $", axis: [{string.Join(", ", axes)}]";
        var grade = f is "sum" or "mean" or "prod" ? Round(x.Type, x.Grade) : x.Grade;
        if (f == "prod" && x.Grade != Grade.Exact) grade = Grade.Loose;
        return Let(f, x.Type, shape, grade, $"{f}({x.Name}{axis}{(keep ? ", keep: true" : "")})", x);
    }

    private bool ArgReduce()
    {
        if (Axis() is not var (x, axis)) return false;
        if (Value(x.Shape[axis]) == 0 && !Chance(20)) return false;
        var f = Pick("argmax", "argmin");
        return Let(f, DType.I32, x.Shape.RemoveAt(axis), Jump(x), $"{f}({x.Name}, axis: {AxisText(x, axis)})", x);
    }

    private bool Cumulate()
    {
        if (Axis(v => v.Type != DType.Bool) is not var (x, axis)) return false;
        var f = Pick("cumsum", "cumprod", "cummax", "cummin");
        var grade = f is "cumsum" or "cumprod" ? Round(x.Type, x.Grade) : x.Grade;
        if (f == "cumprod" && x.Grade != Grade.Exact) grade = Grade.Loose;
        return Let(f, x.Type, x.Shape, grade,
            $"{f}({x.Name}, axis: {AxisText(x, axis)}{(Chance(3) ? ", reversed: true" : "")})", x);
    }

    private bool Sort()
    {
        // Every dtype has its own order of sort keys, but most values of a program have one of its two main dtypes.
        // Long rows use a radix sort by the bytes of their keys.
        if (Chance(2))
            Parameter(Pick(Chance(2) ? Floats : Integers),
                Chance(3) ? [random.Next(1, 4), Pick(48, 65, 129, 300, 1000)] : AnyShape());
        if (Axis() is not var (x, axis)) return false;
        var f = Pick("sort", "argsort");
        return Let(f, f == "sort" ? x.Type : DType.I32, x.Shape, Jump(x),
            $"{f}({x.Name}, axis: {AxisText(x, axis)}{(Chance(2) ? ", descending: true" : "")})", x);
    }

    private bool MatMul()
    {
        if (Find(v => v.Rank is 2 or 3 && v.Type != DType.Bool) is not { } x) return false;
        var (rows, inner) = (x.Shape[..^1], x.Shape[^1]);
        var y = Find(v => v.Type == x.Type && v.Rank == 2 && v.Shape[0].Equals(inner))
            ?? Parameter(x.Type, [inner, Chance(3) ? Pick(palette) : Size.Constant(random.Next(1, 20))]);
        return Let("matmul", x.Type, [.. rows, y.Shape[1]], Round(x.Type, Worst(x, y)), $"{x.Name} @ {y.Name}", x, y);
    }
}
