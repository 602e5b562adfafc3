// In: attention. Out: expressions that compute it row by row, with keys in blocks, in the order defined in KERNELS.md.
using System.Linq.Expressions;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.Interpreter;

internal sealed partial class KernelCompiler
{
    private void Attention(Attend a, Scope scope)
    {
        var type = a.Sum.Type;
        var element = ScalarEmitter.TypeOf(type);
        Expression Number(double value) => ScalarEmitter.Literal(type, value, 0);
        Expression Two(string op, Expression x, Expression y) => Expression.Call(ScalarEmitter.Method(op, type), x, y);
        Expression Fma(Expression x, Expression y, Expression z) =>
            Expression.Call(ScalarEmitter.Method("Fma", type), x, y, z);
        Expression Element(Expression array, Expression index) =>
            Expression.ArrayAccess(array, Expression.Convert(index, typeof(int)));
        Expression Least(Expression x, Expression y) => Expression.Call(typeof(Math), nameof(Math.Min), null, x, y);
        Expression zero = Expression.Constant(0L), size = Expression.Constant((long)a.KeyBlock);

        var scores = root.Local("scores", Expression.NewArrayBounds(element, size));
        var lanes = Lanes(ReduceKind.Add);
        var columns =
            scope.Local("columns",
                Expression.Call(typeof(Math), nameof(Math.Max), null, scope.Evaluate(a.E.Extent), zero));
        var sums = scope.Local("sums", Expression.NewArrayBounds(element, columns));
        For(scope, a.M.Variable, zero, scope.Evaluate(a.M.Extent), row =>
        {
            var keys = row.Local("keys", row.Evaluate(a.S.Extent));
            if (a.Until is { } until)
            {
                Emit(until.Block, row);
                row.Add(Expression.Assign(keys, Least(keys, row.Use(until.Yield))));
            }
            var greatest = row.Local("greatest", Number(double.NegativeInfinity));
            var total = row.Local("total", Number(0));
            For(row, a.E.Variable, zero, columns, inner =>
                inner.Add(Expression.Assign(Element(sums, inner.Find(a.E.Variable)), Number(0))));
            var blocks =
                Expression.Divide(Expression.AddChecked(keys, Expression.Subtract(size, Expression.Constant(1L))),
                    size);
            For(row, $"block of {a.S.Variable}", zero, blocks, block =>
            {
                var begin = block.Local("begin", Expression.Multiply(block.Find($"block of {a.S.Variable}"), size));
                var end = block.Local("end", Least(Expression.Add(begin, size), keys));
                var highest = block.Local("highest", greatest);
                Over((inner, score) =>
                {
                    var product = inner.Local("product", Number(0));
                    For(inner, a.K.Variable, zero, inner.Evaluate(a.K.Extent), step =>
                    {
                        Emit(a.Query.Block, step);
                        Emit(a.Key.Block, step);
                        step.Add(
                            Expression.Assign(product, Fma(step.Use(a.Query.Yield), step.Use(a.Key.Yield), product)));
                    });
                    inner.Define(a.Product, product);
                    Emit(a.Score.Block, inner);
                    inner.Add(Expression.Assign(score, inner.Use(a.Score.Yield)));
                    inner.Add(Expression.IfThen(Expression.GreaterThan(inner.Use(a.Score.Yield), highest),
                        Expression.Assign(highest, inner.Use(a.Score.Yield))));
                });
                // Normalises a zero of either sign to +0, since either may have come first.
                block.Add(Expression.Assign(highest, Two("Add", highest, Number(0))));
                var shift = block.Local("shift", Expression.Condition(
                    Expression.Equal(highest, Number(double.NegativeInfinity)), Number(0), highest));
                var scale = block.Local("scale", Weight(block, Two("Sub", greatest, shift)));
                block.Add(Expression.IfThen(Expression.Equal(begin, zero), Expression.Assign(scale, Number(0))));
                Over((inner, score) => inner.Add(Expression.Assign(score, Weight(inner, Two("Sub", score, shift)))));
                block.Add(Expression.Assign(total, Fma(scale, total, Summed())));
                For(block, a.E.Variable, zero, columns, inner =>
                    inner.Add(Expression.Assign(Element(sums, inner.Find(a.E.Variable)),
                    Two("Mul", scale, Element(sums, inner.Find(a.E.Variable))))));
                Over((key, weight) => For(key, a.E.Variable, zero, columns, inner =>
                {
                    Emit(a.Value.Block, inner);
                    var sum = Element(sums, inner.Find(a.E.Variable));
                    inner.Add(Expression.Assign(sum, Fma(weight, inner.Use(a.Value.Yield), sum)));
                }));
                block.Add(Expression.Assign(greatest, highest));

                void Over(Action<Scope, Expression> body) => For(block, a.S.Variable, begin, end, inner =>
                    body(inner, Element(scores, Expression.Subtract(inner.Find(a.S.Variable), begin))));

                Expression Summed()
                {
                    block.Add(Expression.Call(lanes, nameof(LaneReduction<>.Begin), null));
                    block.Add(Expression.Call(lanes, nameof(LaneReduction<>.BeginBlock), null));
                    Over((inner, score) =>
                    {
                        var lane = Element(Expression.Field(lanes, nameof(LaneReduction<>.Lanes)), Expression.And(
                            Expression.Subtract(inner.Find(a.S.Variable), begin),
                                Expression.Constant(LaneReduction<int>.Width - 1L)));
                        inner.Add(Expression.Assign(lane, Two("Add", lane, score)));
                    });
                    block.Add(Expression.Call(lanes, nameof(LaneReduction<>.EndBlock), null));
                    return block.Local("summed", Expression.Call(lanes, nameof(LaneReduction<>.End), null));
                }
            });
            For(row, a.E.Variable, zero, columns, inner =>
            {
                inner.Define(a.Sum, Element(sums, inner.Find(a.E.Variable)));
                inner.Define(a.Total, total);
                if (a.Greatest is not null) inner.Define(a.Greatest, greatest);
                Emit(a.Epilogue, inner);
            });
        });

        Expression Weight(Scope at, Expression difference)
        {
            at.Define(a.Difference, difference);
            Emit(a.Weight.Block, at);
            return at.Use(a.Weight.Yield);
        }

        Expression Lanes(ReduceKind kind)
        {
            var method = ScalarEmitter.Method(kind.ToString(), type);
            var state = typeof(LaneReduction<>).MakeGenericType(element);
            return root.Local("state", Expression.New(state.GetConstructors()[0], Expression.Constant(
                method.CreateDelegate(typeof(Func<,,>).MakeGenericType(element, element, element))),
                    ScalarEmitter.Identity(kind, type)));
        }
    }
}
