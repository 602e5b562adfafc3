// Steps that write an index form: reads at affine, reversed, shifted, divided and gathered places, guarded reads,
// reductions of constant and symbolic length, windows.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

internal sealed partial class Generator
{
    private static ImmutableArray<Step> IndexFormSteps =>
        [new("index_form", 10, g => g.IndexForm()), new("index_window", 6, g => g.IndexWindow())];

    private sealed record Index(string Name, Size Extent);

    /// <summary>A scalar expression of the indices.</summary>
    private sealed record Term(string Text, Grade Grade);

    private bool IndexForm()
    {
        var type = Find(v => v.Type != DType.Bool && v.Rank > 0)?.Type ?? mainFloat;
        var outer = new List<Index>();
        for (var i = random.Next(1, 4); i > 0; i--) outer.Add(new(((char)('i' + outer.Count)).ToString(), Extent()));
        var reduced = new List<Index>();
        if (Chance(2))
            for (var i = Chance(3) ? 2 : 1; i > 0; i--)
                reduced.Add(new($"r{reduced.Count}", Chance(2) ? Size.Constant(random.Next(1, 9)) : Extent()));
        List<Index> all = [.. outer, .. reduced];
        if (all.Aggregate(1L, (p, i) => p * Math.Max(1, Value(i.Extent))) > 4 * MostElements) return false;
        var uses = new List<FuzzValue>();
        var body = Read(type, all, uses);
        for (var more = random.Next(3); more > 0; more--)
        {
            var next = Chance(5) ? new Term(LiteralOperand(type), Grade.Exact) : Read(type, all, uses);
            var op = Pick("*", "*", "+", "-", "max", "min");
            body = new(op is "max" or "min" ? $"{op}({body.Text}, {next.Text})" : $"({body.Text} {op} {next.Text})",
                body.Grade > next.Grade ? body.Grade : next.Grade);
        }
        // Literals alone have no dtype.
        if (uses.Count == 0) body = body with { Text = $"{type.Name()}({body.Text})" };
        var (text, grade, name) = (body.Text, body.Grade, "index");
        if (reduced.Count > 0)
        {
            var f = type.IsFloat ? Pick("sum", "sum", "mean", "prod", "max", "min")
                : Pick("sum", "sum", "prod", "max", "min");
            text = $"{f}[{Indices(reduced)}]({text})";
            name = $"index_{f}";
            if (f is "sum" or "mean" or "prod") grade = Round(type, grade);
            if (f == "prod" && body.Grade != Grade.Exact) grade = Grade.Loose;
            if (Chance(4)) text = $"{text} + {Read(type, outer, uses).Text}";
            grade = Worst([.. uses]) is var worst && worst > grade ? worst : grade;
        }
        if (Chance(5) && uses.Count > 0)
        {
            // A selection for each element: the branch that is not taken reads nothing.
            var index = Pick(outer);
            var limit = random.Next(0, 4);
            text = $"if {index.Name} {Pick("<", ">=")} {limit} {{ {text} }} else {{ {LiteralOperand(type)} }}";
        }
        return Let(name, type, [.. outer.Select(i => i.Extent)], grade, $"[{Indices(outer)}] => {text}", [.. uses]);
    }

    private Size Extent() => Chance(3) ? Size.Constant(random.Next(1, 6)) : Pick(palette);

    private static string Indices(IEnumerable<Index> indices) =>
        string.Join(", ", indices.Select(i => $"{i.Name} < {i.Extent.Display}"));

    /// <summary>Reads a value of that dtype, with a guard if a subscript may leave its axis.</summary>
    private Term Read(DType type, List<Index> indices, List<FuzzValue> uses)
    {
        var x = Find(v => v.Type == type && v.Rank is > 0 and < 4 && v.Shape.All(s => Value(s) > 0))
            ?? Parameter(type, [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ =>
                Chance(2) ? Pick(indices).Extent : Size.Constant(random.Next(1, 7)))]);
        if (x.Shape.Any(s => Value(s) == 0)) return new(LiteralOperand(type), Grade.Exact);
        uses.Add(x);
        var guards = new List<string>();
        var grade = x.Grade;
        var subscripts = x.Shape.Select(extent =>
        {
            var (text, guard, where) = Subscript(extent, indices, uses);
            if (guard is not null) guards.Add(guard);
            if (where > grade) grade = where;
            return text;
        }).ToList();
        var read = $"{x.Name}[{string.Join(", ", subscripts)}]";
        return guards.Count == 0 ? new(read, grade)
            : new($"(if {string.Join(" and ", guards)} {{ {read} }} else {{ {LiteralOperand(type)} }})", grade);
    }

    private (string Text, string? Guard, Grade Grade) Subscript(Size extent, List<Index> indices, List<FuzzValue> uses)
    {
        var value = Value(extent);
        var same = indices.Where(i => i.Extent.Equals(extent)).ToList();
        var any = Pick(indices);
        var smaller = indices.Where(i => i.Extent.IsConstant && extent.IsConstant && i.Extent.Value <= value
            && i.Extent.Value > 0).ToList();
        switch (random.Next(14))
        {
            case 12 or 13 when indices.Count > 1:
                return Mixed(extent, any, Pick(indices));
            case < 4 when same.Count > 0:
                return (Pick(same).Name, null, Grade.Exact);
            case 4 when same.Count > 0:
                return ($"{extent.Display} - 1 - {Pick(same).Name}", null, Grade.Exact);
            case 5 or 6 when smaller.Count > 0:
                var index = Pick(smaller);
                var room = (int)(value - index.Extent.Value);
                var last = index.Extent.Value - 1;
                var scale = last > 0 ? random.Next(1, (int)((value - 1) / last) + 1) : 1;
                return scale > 1 ? ($"{scale} * {index.Name}", null, Grade.Exact)
                    : ($"{index.Name} + {random.Next(room + 1)}", null, Grade.Exact);
            case 7 when same.Count > 0:
                return ($"{Pick(same).Name} // {random.Next(1, 4)}", null, Grade.Exact);
            case 8:
                // Shifted and guarded; sometimes on one side only, or by another index.
                var by = random.Next(1, 3);
                // The guard must not follow from the extent of an index: the compiler would refuse the read.
                if (Chance(6) && value > by && Value(any.Extent) > by
                    && Pick(indices) is var other && Value(other.Extent) > by)
                    return ($"{any.Name} {Pick("-", "+")} {by}", $"{other.Name} {Pick(">=", "<")} {by}", Grade.Exact);
                return Chance(2)
                    ? ($"{any.Name} - {by}", $"{any.Name} >= {by} and {any.Name} - {by} < {extent.Display}",
                        Grade.Exact)
                    : ($"{any.Name} + {by}", $"{any.Name} + {by} < {extent.Display}", Grade.Exact);
            case 9:
                return ($"{any.Name} % ({extent.Display})", null, Grade.Exact);
            default:
                // Gathered by indices in range, or by any indices with a guard.
                if (Chance(3) && Find(v => v.Type is DType.I32 or DType.I64 && v.Rank == 1
                    && v.Shape[0].Equals(any.Extent)) is { } wild)
                {
                    uses.Add(wild);
                    var at = $"{wild.Name}[{any.Name}]";
                    if (Chance(6)) return (at, $"{at} {Pick(">= 0", $"< {extent.Display}")}", Jump(wild));
                    return Chance(2) ? (at, $"{at} >= 0 and {at} < {extent.Display}", Jump(wild))
                        : ($"{at} % ({extent.Display})", null, Jump(wild));
                }
                var places = Parameter(Pick(DType.I32, DType.I32, DType.I64), [any.Extent],
                    Uniform(0, value - 1));
                uses.Add(places);
                return ($"{places.Name}[{any.Name}]", null, Grade.Exact);
        }
    }

    /// <summary>
    /// A flat index of two indices, divided. The second may be shorter than the factor of the first, as long, or
    /// longer.
    /// </summary>
    private (string Text, string? Guard, Grade Grade) Mixed(Size extent, Index major, Index minor)
    {
        var factor = random.Next(1, 5);
        var divisor = factor * random.Next(1, 4);
        var first = random.Next(3);
        var sum = $"({(factor > 1 ? $"{factor} * " : "")}{major.Name} + {minor.Name}{(first > 0 ? $" + {first}" : "")})";
        if (Chance(3)) return ($"{sum} // {divisor} % ({extent.Display})", null, Grade.Exact);
        var place = Chance(2) ? $"{sum} // {divisor}" : $"{sum} % {divisor}";
        return (place, $"{place} < {extent.Display}", Grade.Exact);
    }

    /// <summary>Windows along one axis: moving sums, and convolutions with a parameter.</summary>
    private bool IndexWindow()
    {
        if (Axis(v => v.Type != DType.Bool && v.Rank < 4) is not var (x, axis)) return false;
        // Rows of which the last block of lanes ends inside of a window, beside it, and behind it.
        if (Chance(3))
        {
            x = Parameter(x.Type, [random.Next(1, 4), random.Next(28, 36) * random.Next(1, 4)]);
            axis = 1;
        }
        var (extent, value) = (x.Shape[axis], Value(x.Shape[axis]));
        var (width, stride, dilation) = (random.Next(1, 5), random.Next(1, 4), random.Next(1, 3));
        var span = (width - 1) * dilation + 1;
        var padding = Chance(2) ? random.Next(1, 3) : 0;
        if (value < span) return false;
        var count = Size.FloorDiv(extent + 2 * padding - span, stride) + 1;
        var names = Enumerable.Range(0, x.Rank).Select(d => $"i{d}").ToList();
        string Times(int factor, string index) => factor > 1 ? $"{factor} * {index}" : index;
        var place = $"{Times(stride, names[axis])} + {Times(dilation, "r")}{(padding > 0 ? $" - {padding}" : "")}";
        var reads = names.Select((n, d) => d == axis ? place : n);
        var outer = names.Select((n, d) => $"{n} < {(d == axis ? count : x.Shape[d]).Display}");
        var f = x.Type.IsFloat ? Pick("sum", "mean", "max", "min") : Pick("sum", "max", "min");
        var weight = f == "sum" && Chance(2) ? Parameter(x.Type, [width]) : null;
        var read = $"{x.Name}[{string.Join(", ", reads)}]";
        if (padding > 0) read = $"(if {place} >= 0 and {place} < {extent.Display} {{ {read} }} else {{ 0 }})";
        var term = $"{read}{(weight is null ? "" : $" * {weight.Name}[r]")}";
        var grade = f is "sum" or "mean" ? Round(x.Type, x.Grade) : x.Grade;
        return Let($"window_{f}", x.Type, x.Shape.SetItem(axis, count), grade,
            $"[{string.Join(", ", outer)}] => {f}[r < {width}]({term})",
            weight is null ? [x] : [x, weight]);
    }
}
