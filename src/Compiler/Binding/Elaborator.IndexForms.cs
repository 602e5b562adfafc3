// Index forms and reductions: the body is a scalar over named axes; a sum of products becomes a dot.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private static readonly HashSet<string> ReductionNames = ["sum", "mean", "max", "min", "prod", "any", "all"];

    private Value IndexForm(MapExpression m)
    {
        using var outer = new Scope<MapExpression?>(ref form, form ?? m);
        return Form(m);
    }

    private Value Form(MapExpression m) => WithIndices(m.Indices, m.Body, isReduction: false, mine =>
    {
        if (Scalars(Expression(m.Body), null, m.Body.Span) is not { } body) return Value.Poison;
        var leaves = mine.SelectMany(i => i.Axes).ToList();
        var outer = body.Indices.Where(i => !leaves.Contains(i)).ToImmutableArray();
        var node = Spread(body, [.. outer, .. leaves], []).Node;
        ImmutableArray<Size> shape = [.. outer.Select(i => i.Extent), .. mine.Select(i => i.Extent)];
        if (!node.Type.Shape.SequenceEqual(shape)) node = Reshaped(node, shape);
        return new TensorValue(node, Graph, outer);
    }) ?? Value.Poison;

    /// <summary>A scalar over indices, with split axes split. Null after a diagnostic.</summary>
    private TensorValue? Scalars(Value value, DType? dtype, Span span)
    {
        if (Realize(value, dtype ?? (value is BoolValue ? DType.Bool : Default(value)), span) is not { } tensor)
            return null;
        if (tensor.Rank == 0) return Whole(tensor);
        Fail(Codes.WrongRank, span, $"the body of an index form is one element, not {Describe(tensor)}",
            Describe(tensor),
            "subscript it with the indices");
        return null;
    }

    private Value Reduction(string name, Span nameSpan, SelectExpression head, ApplyExpression call)
    {
        if (head.AsIndices() is not { } syntax)
            return Fail(Codes.TypeMismatch, head.Span, $"`{name}[…](…)` takes indices: `{name}[i, j < n](…)`");
        if (call.Arguments is not [{ Name: null, Value: var body }])
            return Fail(Codes.WrongArgumentCount, call.Span, $"`{name}[…](…)` reduces one expression");
        return WithIndices(syntax, body, isReduction: true, indices => name is "sum" or "mean"
            ? Sum(name, indices, body, nameSpan) : Fold(name, indices, body, nameSpan)) ?? Value.Poison;
    }

    private Value Fold(string name, List<Index> indices, ExpressionSyntax body, Span span)
    {
        if (Scalars(Expression(body), null, body.Span) is not { } x) return Value.Poison;
        if (name is "any" or "all" != (x.DType == DType.Bool) && name is "any" or "all" or "prod")
            return Fail(Codes.TypeMismatch, span, $"`{name}` is not defined for {x.DType.Name()}", null, null,
                new Label(body.Span, Describe(x)));
        var reduced = indices.SelectMany(i => i.Axes).ToList();
        // Except for a product, the result is the same over an axis along which nothing changes.
        if (name == "prod") x = Spread(x, InOrder(x.Indices.Union(reduced)), []);
        return ReduceOver(x, name switch
        {
            "max" => ReduceOp.Max,
            "min" => ReduceOp.Min,
            "prod" => ReduceOp.Mul,
            "any" => ReduceOp.Or,
            _ => ReduceOp.And,
        }, reduced);
    }

    /// <summary>Combines the axes of these indices, as far as the value has them.</summary>
    private TensorValue ReduceOver(TensorValue x, ReduceOp op, List<Index> reduced)
    {
        ImmutableArray<int> axes = [.. Enumerable.Range(0, x.Indices.Length)
            .Where(a => reduced.Contains(x.Indices[a]))];
        if (axes.IsEmpty) return x;
        var wide = op is ReduceOp.Add or ReduceOp.Mul ? Wide(x) : x;
        return As(Tensor(new Reduce(op, wide.Node, axes), [.. x.Indices.Where(i => !reduced.Contains(i))]), x.DType);
    }

    /// <summary>sum[k](a * b * c): factors without a reduced index are pulled out, two with one are a dot.</summary>
    private Value Sum(string name, List<Index> indices, ExpressionSyntax body, Span span)
    {
        var syntax = Factors(body).ToList();
        var values = syntax.Select(Expression).ToList();
        if (values.Any(v => v is PoisonValue)) return Value.Poison;
        var dtype = values.OfType<TensorValue>().Select(t => (DType?)t.DType).FirstOrDefault() ?? Default([.. values]);
        var factors = new List<TensorValue>();
        for (var i = 0; i < values.Count; i++)
        {
            if (Scalars(values[i], dtype, syntax[i].Span) is not { } factor) return Value.Poison;
            if (factor.DType != dtype)
            {
                Meet(factors[0], factor, body.Span, syntax[0].Span, syntax[i].Span);
                return Value.Poison;
            }
            factors.Add(factor);
        }
        if (dtype == DType.Bool)
            return Fail(Codes.TypeMismatch, span, $"`{name}` is not defined for bool", null,
                $"count with `{name}[…](i32(…))`");
        if (name == "mean" && !dtype.IsFloat)
            return Fail(Codes.IntegerDivision, span, $"`mean` divides, and {dtype.Name()} has no fractions", null,
                "cast: `mean[…](f32(…))`");

        factors = [.. factors.Select(Whole)]; // a later factor may have split an index
        var reduced = indices.SelectMany(i => i.Axes).ToList();
        var inside = factors.Where(f => f.Indices.Any(reduced.Contains)).ToList();
        TensorValue? result = factors.Except(inside).Aggregate((TensorValue?)null, Times);
        if (inside.Count > 0)
        {
            var left = inside.Take(Math.Max(1, inside.Count - 1)).Aggregate(Times)!;
            var total = inside.Count == 1 ? ReduceOver(left, ReduceOp.Add, reduced)
                : DotOver(left, inside[^1], reduced);
            result = result is null ? total : Times(result, total);
        }
        // An index that no factor mentions repeats the sum.
        var repeats = Size.Product(reduced.Where(i => !inside.Any(f => f.Indices.Contains(i))).Select(i => i.Extent));
        if (!repeats.Is(1) && name == "sum") result = Times(result!, RealizeSize(repeats, dtype));
        if (name == "sum") return result!;
        var count = Size.Product(indices.Select(i => i.Extent)) is var all && repeats.Is(1) ? all
            : Size.Product(reduced.Where(i => inside.Any(f => f.Indices.Contains(i))).Select(i => i.Extent));
        return Join(result!, RealizeSize(count, dtype), (x, y) => new Binary(BinaryOp.Div, x, y));
    }

    private TensorValue Times(TensorValue? a, TensorValue b) => a is null ? b
        : Join(a, b, (x, y) => new Binary(BinaryOp.Mul, x, y));

    private static IEnumerable<ExpressionSyntax> Factors(ExpressionSyntax e) =>
        e is BinaryExpression { Operator: BinaryOperator.Multiply } b ? Factors(b.Left).Concat(Factors(b.Right)) : [e];

    /// <summary>Contracts the reduced indices that both share, in order; other shared indices are a batch.</summary>
    private TensorValue DotOver(TensorValue a, TensorValue b, List<Index> reduced)
    {
        a = ReduceOver(a, ReduceOp.Add, [.. reduced.Where(i => !b.Indices.Contains(i))]);
        b = ReduceOver(b, ReduceOp.Add, [.. reduced.Where(i => !a.Indices.Contains(i))]);
        var contract = reduced.Where(i => a.Indices.Contains(i) && b.Indices.Contains(i)).ToList();
        if (contract.Count == 0) return Times(a, b);
        var batch = a.Indices.Where(i => b.Indices.Contains(i) && !contract.Contains(i)).ToList();
        return As(Tensor(
            new Dot(a.Node, b.Node, At(a, batch), At(b, batch), At(a, contract), At(b, contract), Accumulator(a.DType)),
            [.. batch, .. a.Indices.Except(batch).Except(contract), .. b.Indices.Except(batch).Except(contract)]),
                a.DType);

        static ImmutableArray<int> At(TensorValue x, List<Index> indices) =>
            [.. indices.Select(i => x.Indices.IndexOf(i))];
    }
}
