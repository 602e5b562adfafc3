// Steps of several statements that people write together and the compiler fuses into one kernel: slices of slices,
// neighbours, chains of conversions, products with their prologues and epilogues, rows with their sums.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

internal sealed partial class Generator
{
    private static ImmutableArray<Step> IdiomSteps =>
    [
        new("parts", 5, g => g.Parts()), new("neighbours", 4, g => g.Neighbours()),
        new("narrow", 6, g => g.Narrow()), new("product", 7, g => g.Product()), new("row", 5, g => g.Row()),
        new("combine", 5, g => g.Combine()), new("masked_row", 3, g => g.MaskedRow()),
        new("regroup", 3, g => g.Regroup()),
    ];

    /// <summary>The value that <see cref="Let"/> defines; null if it does not fit.</summary>
    private FuzzValue? New(string op, DType type, ImmutableArray<Size> shape, Grade grade, string expression,
        params ReadOnlySpan<FuzzValue> uses) => Let(op, type, shape, grade, expression, uses) ? pool[^1] : null;

    /// <summary>A slice of `x` along one axis, such as `x[:, 1::2, ..]`.</summary>
    private static string Taken(FuzzValue x, int axis, string part) =>
        $"{x.Name}[{Before(axis)}{part}{(axis < x.Rank - 1 ? ", .." : "")}]";

    /// <summary>A slice of a slice along one axis, sometimes reversed in between.</summary>
    private bool Parts()
    {
        if (Axis(v => v.Shape.Any(s => Value(s) > 2)) is not var (x, axis)) return false;
        for (var rounds = random.Next(2, 4); rounds > 0; rounds--)
        {
            var (extent, value) = (x.Shape[axis], Value(x.Shape[axis]));
            if (value < 1) break;
            if (Chance(4))
            {
                if (New("reverse", x.Type, x.Shape, x.Grade, $"reverse({x.Name}, {axis})", x) is not { } turned)
                    return false;
                x = turned;
                continue;
            }
            var first = random.Next((int)Math.Min(value, 4));
            var left = value - first;
            var step = (int)Math.Min(left, random.Next(1, 4));
            var last = Chance(2) && left > step ? 1 : 0;
            // The number of whole steps after the first place, plus the first itself.
            var count = Size.FloorDiv(extent - first - last - 1, step) + 1;
            var part = $"{(first > 0 ? Text(first) : "")}:{(last > 0 ? "-1" : "")}{(step > 1 ? $":{step}" : "")}";
            if (New("slice", x.Type, x.Shape.SetItem(axis, count), x.Grade, Taken(x, axis, part), x) is not { } taken)
                return false;
            x = taken;
        }
        return true;
    }

    /// <summary>Neighbours along an axis, added, subtracted or multiplied: differences and moving sums.</summary>
    private bool Neighbours()
    {
        if (Axis(v => v.Type != DType.Bool) is not var (x, axis)) return false;
        var taps = random.Next(2, 5);
        if (Value(x.Shape[axis]) < taps) return false;
        var shape = x.Shape.SetItem(axis, x.Shape[axis] - (taps - 1));
        FuzzValue? sum = null;
        for (var i = 0; i < taps; i++)
        {
            var behind = taps - 1 - i;
            var part = $"{(i > 0 ? Text(i) : "")}:{(behind > 0 ? $"-{behind}" : "")}";
            if (New("slice", x.Type, shape, x.Grade, Taken(x, axis, part), x) is not { } tap) return false;
            if (sum is null)
            {
                sum = tap;
                continue;
            }
            var op = Pick("+", "-", "+", "*", "max");
            var text = op == "max" ? $"max({sum.Name}, {tap.Name})" : $"{sum.Name} {op} {tap.Name}";
            sum = New(op, x.Type, shape, x.Grade, text, sum, tap);
            if (sum is null) return false;
        }
        return true;
    }

    /// <summary>A chain of conversions, with arithmetic that overflows the narrow types.</summary>
    private bool Narrow()
    {
        var x = Chance(3) ? Parameter(Pick(Integers), AnyShape()) : Find(_ => true);
        if (x is null) return false;
        for (var rounds = random.Next(2, 5); rounds > 0; rounds--)
        {
            // Between signed and unsigned of the same width, where only the meaning of the bits changes.
            ImmutableArray<DType> turned = [.. Integers.Where(t => t.Bytes() == x.Type.Bytes())];
            var type = !x.Type.IsFloat && turned.Length > 0 && Chance(3) ? Pick(turned)
                : Chance(3) ? Pick(Floats) : Pick(Integers);
            if (type == x.Type) continue;
            var grade = type.IsFloat ? x.Grade : Jump(x);
            if (New("convert", type, x.Shape, grade, $"{type.Name()}({x.Name})", x) is not { } converted) return false;
            x = converted;
            if (Chance(3)) continue;
            var (op, other) = (Pick("+", "-", "*"), LiteralOperand(type));
            if (New(op, type, x.Shape, x.Grade, $"{x.Name} {op} {other}", x) is not { } changed) return false;
            x = changed;
        }
        return true;
    }

    /// <summary>
    /// A matrix product at the edges of tiles, either side transposed, single or batched, with an elementwise epilogue:
    /// a bias, a scale for each row, an addition, a maximum, its own transpose.
    /// </summary>
    private bool Product()
    {
        var type = Chance(3) ? AnyType() : Pick(DType.F32, DType.F32, mainFloat, mainInteger);
        if (type == DType.Bool) return false;
        Size Side() => Chance(3) ? Pick(palette) : Pick([1, 2, 3, 4, .. Edges]);
        // Sometimes deeper than one block of the sum.
        var (m, k) = (Side(), Chance(6) ? Pick(100, 257, 300, 513) : Chance(6) ? Pick(769, 900, 1537) : Side());
        var n = Chance(2) ? m : Side();
        if (Value(m) * Value(k) * Value(n) > 40 * MostElements || Count([m, k]) > 2 * MostElements
            || Count([k, n]) > 2 * MostElements) return false;
        var fill = $"random:seed={random.Next(1000)}{(type.IsFloat ? "" : $",low={(type.IsSigned ? -3 : 0)},high=4")}";
        var product = Chance(4) ? Batched(type, m, k, n, fill) : Single(type, m, k, n, fill);
        for (var more = random.Next(Chance(6) ? 10 : 4); product is not null && more > 0; more--)
            product = Epilogue(product);
        return product is not null;
    }

    private FuzzValue? Single(DType type, Size m, Size k, Size n, string fill)
    {
        var (x, isLeft) = Side(type, m, k, fill);
        var (y, isRight) = Chance(8) && m.Equals(n) ? (x, !isLeft) : Side(type, k, n, fill);
        string Text(FuzzValue v, bool isTurned) => isTurned ? $"transpose({v.Name}, [1, 0])" : v.Name;
        return New("matmul", type, [m, n], Round(type, Worst(x, y)), $"{Text(x, isLeft)} @ {Text(y, isRight)}", x, y);
    }

    /// <summary>A matrix, and whether it is stored transposed.</summary>
    private (FuzzValue Matrix, bool IsTurned) Side(DType type, Size rows, Size columns, string fill)
    {
        var isTurned = Chance(3);
        ImmutableArray<Size> shape = isTurned ? [columns, rows] : [rows, columns];
        return (Chance(2) && Find(v => v.Type == type && v.Shape.SequenceEqual(shape)) is { } known
            ? known : Parameter(type, shape, fill), isTurned);
    }

    /// <summary>As an index form, with the batch axis at any place of either side.</summary>
    private FuzzValue? Batched(DType type, Size m, Size k, Size n, string fill)
    {
        Size batch = random.Next(1, 4);
        (FuzzValue, string) Operand((string Name, Size Extent)[] axes)
        {
            var order = axes.OrderBy(_ => random.Next()).ToList();
            var value = Parameter(type, [.. order.Select(a => a.Extent)], fill);
            return (value, $"{value.Name}[{string.Join(", ", order.Select(a => a.Name))}]");
        }
        var (x, left) = Operand([("b", batch), ("i", m), ("r", k)]);
        var (y, right) = Operand(Chance(4) ? [("r", k), ("j", n)] : [("b", batch), ("r", k), ("j", n)]);
        return New("index_sum", type, [batch, m, n], Round(type, Worst(x, y)),
            $"[b < {batch.Display}, i < {m.Display}, j < {n.Display}] => sum[r < {k.Display}]({left} * {right})", x, y);
    }

    private FuzzValue? Epilogue(FuzzValue x)
    {
        var (rows, columns) = (x.Shape[^2], x.Shape[^1]);
        // A square product combined with its own transpose reads one element at two places.
        switch (rows.Equals(columns) && Chance(3) ? 4 : random.Next(7))
        {
            case 0:
                var bias = FindOr(x.Type, [columns]);
                return New("+", x.Type, x.Shape, Worst(x, bias), $"{x.Name} + {bias.Name}", x, bias);
            case 1:
                var scale = FindOr(x.Type, [rows, 1]);
                return New("*", x.Type, x.Shape, Worst(x, scale), $"{x.Name} * {scale.Name}", x, scale);
            case 2:
                var other = FindOr(x.Type, x.Shape);
                return New("-", x.Type, x.Shape, Worst(x, other), $"{other.Name} - {x.Name}", x, other);
            case 3:
                return New("max", x.Type, x.Shape, x.Grade, $"max({x.Name}, 0)", x);
            case 4 when rows.Equals(columns):
                string order = x.Rank == 2 ? "1, 0" : "0, 2, 1", op = Pick("+", "-", "*");
                return New(op, x.Type, x.Shape, x.Grade, $"{x.Name} {op} transpose({x.Name}, [{order}])", x);
            case 5 when x.Type.IsFloat:
                var f = Pick("tanh", "tanh", "sin", "erf");
                return New(f, x.Type, x.Shape, Round(x.Type, x.Grade), $"{f}({x.Name})", x);
            default:
                int[] turned = [.. Enumerable.Range(0, x.Rank - 2), x.Rank - 1, x.Rank - 2];
                return New("transpose", x.Type, [.. turned.Select(d => x.Shape[d])], x.Grade,
                    $"transpose({x.Name}, [{string.Join(", ", turned)}])", x);
        }
    }

    /// <summary>Sums and extremes along an axis, combined with the elements they came from.</summary>
    private bool Row()
    {
        var x = Chance(3) || Find(v => v.Type.IsFloat && v.Rank > 0) is not { } known
            ? Parameter(mainFloat, [.. Chance(2) ? new Size[] { random.Next(1, 4) } : [],
                Pick(31, 100, 128, 257, 1000, 2049, 4097)])
            : known;
        var axis = Chance(3) ? random.Next(x.Rank) : x.Rank - 1;
        for (var rounds = random.Next(1, 4); rounds > 0; rounds--)
        {
            var f = Pick("mean", "max", "min", "sum");
            var grade = f is "max" or "min" ? x.Grade : Round(x.Type, x.Grade);
            if (New(f, x.Type, x.Shape.SetItem(axis, 1), grade, $"{f}({x.Name}, axis: {AxisText(x, axis)}, keep: true)",
                x) is not { } of) return false;
            var next = random.Next(5) switch
            {
                0 => New("*", x.Type, x.Shape, Worst(x, of), $"({x.Name} - {of.Name}) * {x.Name}", x, of),
                1 => New("exp", x.Type, x.Shape, Composite(x, of), $"exp(-abs({x.Name} - {of.Name}))", x, of),
                2 => New("/", x.Type, x.Shape, Composite(x, of), $"{x.Name} / (abs({of.Name}) + 1)", x, of),
                _ => New("-", x.Type, x.Shape, Worst(x, of), $"{x.Name} - {of.Name}", x, of),
            };
            if (next is null) return false;
            x = next;
        }
        if (Chance(2)) return true;
        var last = Pick("sum", "max", "mean");
        return Let(last, x.Type, x.Shape.RemoveAt(axis), last == "max" ? x.Grade : Round(x.Type, x.Grade),
            $"{last}({x.Name}, axis: {axis})", x);
    }

    /// <summary>
    /// All elements flattened, sliced from any place, and grouped by another size, like frames of a signal.
    /// </summary>
    private bool Regroup()
    {
        var x = Find(v => v.Rank > 0 && v.Shape.All(s => s.IsConstant) && Count(v.Shape) > 4)
            ?? Parameter(AnyType(), [random.Next(2, 6), Pick(4, 6, 8, 12, 16)]);
        var count = Count(x.Shape);
        if (New("reshape", x.Type, [count], x.Grade, $"reshape({x.Name}, [{count}])", x) is not { } flat) return false;
        var (width, first) = (Pick(2, 3, 4, 6, 8), random.Next(0, 4));
        var rows = (count - first) / width;
        if (rows < 1) return false;
        if (New("slice", x.Type, [rows * width], x.Grade, $"{flat.Name}[{first}:{first + rows * width}]", flat)
            is not { } part) return false;
        return Let("reshape", x.Type, [rows, width], x.Grade, $"reshape({part.Name}, [{rows}, {width}])", part);
    }

    /// <summary>The extreme of masked values, and a sum of them with another fill: a written-out softmax.</summary>
    private bool MaskedRow()
    {
        var x = Find(v => v.Type.IsFloat && v.Rank is 1 or 2 && Value(v.Shape[^1]) > 0)
            ?? Parameter(mainFloat, [Pick(31, 100, 257, 1000)]);
        var (axis, limit) = (x.Rank - 1, LiteralOperand(x.Type));
        // Scores that are capped cost more than a load: a later pass over the row reads them back.
        var y = Chance(2) ? x : New("tanh", x.Type, x.Shape, Composite(x), $"tanh({x.Name})", x);
        if (y is null
            || New("select", x.Type, x.Shape, Composite(x, y), $"select({x.Name} < {limit}, {y.Name}, -inf)", x, y)
                is not { } seen
            || New("max", x.Type, x.Shape.SetItem(axis, 1), Composite(seen),
                $"max({seen.Name}, axis: {axis}, keep: true)", seen) is not { } most) return false;
        var fill = Pick("0", "1", LiteralOperand(x.Type));
        var again = Chance(2) ? $"select({x.Name} < {limit}, {y.Name}, {fill}) - {most.Name}"
            : $"select({x.Name} < {limit}, exp({y.Name} - {most.Name}), {fill})";
        if (New("select", x.Type, x.Shape, Composite(x, y), again, x, y, most) is not { } kept) return false;
        return New("sum", x.Type, x.Shape.SetItem(axis, 1), Composite(kept),
            $"sum({kept.Name}, axis: {axis}, keep: true)", kept) is { } total
            && Let("/", x.Type, x.Shape, Composite(kept, total), $"{kept.Name} / (abs({total.Name}) + 1)", kept, total);
    }

    /// <summary>A reduction over one or two axes of an expression of two values, either of them transposed.</summary>
    private bool Combine()
    {
        if (Find(v => v.Rank is 2 or 3 or 4 && v.Type != DType.Bool) is not { } x) return false;
        if (Chance(2))
        {
            int[] order = [.. Enumerable.Range(0, x.Rank).OrderBy(_ => random.Next())];
            if (New("transpose", x.Type, [.. order.Select(d => x.Shape[d])], x.Grade,
                $"transpose({x.Name}, [{string.Join(", ", order)}])", x) is not { } turned) return false;
            x = turned;
        }
        var (other, uses) = Operand(x);
        var (op, grade) = Pick(("*", Worst([x, .. uses])), ("+", Worst([x, .. uses])), ("-", Worst([x, .. uses])));
        if (New(op, x.Type, x.Shape, grade, $"{x.Name} {op} {other}", [x, .. uses]) is not { } body) return false;
        var axis = random.Next(x.Rank);
        var f = x.Type.IsFloat ? Pick("sum", "mean", "max", "min") : Pick("sum", "prod", "max", "min");
        var both = Chance(4) && axis + 1 < x.Rank;
        var shape = both ? body.Shape.RemoveRange(axis, 2) : body.Shape.RemoveAt(axis);
        return Let(f, x.Type, shape, f is "max" or "min" ? body.Grade : Round(x.Type, body.Grade),
            $"{f}({body.Name}, axis: {(both ? $"[{axis}, {axis + 1}]" : AxisText(body, axis))})", body);
    }
}
