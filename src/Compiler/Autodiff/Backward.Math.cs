// The arithmetic that rules are written in: nodes in, nodes out, without what multiplies by one or adds nothing.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Convert = Accelerate.Compiler.Graph.Convert;

namespace Accelerate.Compiler.Autodiff;

internal sealed partial class Backward
{
    /// <summary>A tensor of one value.</summary>
    internal Node Fill(TensorType type, double value) => Add(type.DType.IsFloat ? Const.Of(type, [value])
        : Const.Of(type, [(long)value]));

    internal Node Fill(TensorType type, long value) => Add(Const.Of(type, [value]));

    internal Node Zeros(TensorType type) => Fill(type, 0.0);

    internal Node Plus(Node a, Node b) => Add(new Binary(BinaryOp.Add, a, b));

    internal Node Minus(Node a, Node b) => Add(new Binary(BinaryOp.Sub, a, b));

    internal Node Times(Node a, Node b) => IsOne(a) ? b : IsOne(b) ? a : Add(new Binary(BinaryOp.Mul, a, b));

    internal Node Times(Node a, double factor) => Times(a, Fill(a.Type, factor));

    internal Node Over(Node a, Node b) => Add(new Binary(BinaryOp.Div, a, b));

    internal Node Plus(Node a, double b) => Plus(a, Fill(a.Type, b));

    internal Node Minus(Node a) => Add(new Unary(UnaryOp.Neg, a));

    internal Node Of(UnaryOp op, Node x) => Add(new Unary(op, x));

    internal Node Of(BinaryOp op, Node a, Node b) => Add(new Binary(op, a, b));

    internal Node Is(CompareOp op, Node a, Node b) => Add(new Compare(op, a, b));

    internal Node Choose(Node condition, Node a, Node b) => Add(new Select(condition, a, b));

    /// <summary>x where the condition holds, else 0.</summary>
    internal Node Where(Node condition, Node x) => Choose(condition, x, Zeros(x.Type));

    /// <summary>x where the condition does not hold, else 0.</summary>
    internal Node Unless(Node condition, Node x) => Choose(condition, Zeros(x.Type), x);

    internal Node As(Node x, DType dtype) => x.Type.DType == dtype ? x : Add(new Convert(x, dtype));

    internal Node Shaped(Node x, ImmutableArray<Size> shape) =>
        x.Type.Shape.SequenceEqual(shape) ? x : Add(new Reshape(x, shape));

    /// <summary>The axes in another order; a product whose two sides change places is that of the two.</summary>
    internal Node Turned(Node x, ImmutableArray<int> order)
    {
        if (order.SequenceEqual(Enumerable.Range(0, order.Length))) return x;
        if (x is Dot d)
        {
            var (batch, a, b) = (d.BatchA.Length, d.FreeA.Length, d.FreeB.Length);
            ImmutableArray<int> swap = [.. Enumerable.Range(0, batch), .. Enumerable.Range(batch + a, b),
                .. Enumerable.Range(batch, a)];
            if (order.SequenceEqual(swap))
                return Add(new Dot(d.Operands[1], d.Operands[0], d.BatchB, d.BatchA, d.ContractB, d.ContractA,
                    d.Type.DType));
        }
        return Add(new Transpose(x, order));
    }

    /// <summary>x along new axes: it has the result's axes that are listed.</summary>
    internal Node Spread(Node x, ImmutableArray<Size> shape, ImmutableArray<int> axes) =>
        axes.Length == shape.Length ? x : Add(new Broadcast(x, shape, axes));

    /// <summary>The sum over axes; f16 and bf16 are added up in f32 and rounded once, as the language's `sum`.</summary>
    internal Node Sum(Node x, ImmutableArray<int> axes) => axes.IsEmpty ? x
        : As(Add(new Reduce(ReduceOp.Add, As(x, Wide(x.Type.DType)), axes)), x.Type.DType);

    internal static DType Wide(DType dtype) => dtype is DType.F16 or DType.BF16 ? DType.F32 : dtype;

    internal static ImmutableArray<int> Axes(int rank, Func<int, bool>? which = null) =>
        [.. Enumerable.Range(0, rank).Where(d => which?.Invoke(d) ?? true)];

    internal static ImmutableArray<long> Ones(int rank) => [.. Enumerable.Repeat(1L, rank)];

    private static bool IsOne(Node x) => x is Const { IsSplat: true, FoldedIndex: < 0 } c && c.Type.DType.IsFloat
        && c.Floats[0] == 1;

    /// <summary>
    /// The position of each element in a flat tensor of that type when its index along one axis is another: both have
    /// i64 positions.
    /// </summary>
    /// <param name="type">The type that is flattened.</param>
    /// <param name="index">For each element its index along the axis; of that type's shape but for the axis.</param>
    /// <param name="axis">The axis.</param>
    internal Node Positions(TensorType type, Node index, int axis)
    {
        var wide = index.Type.With(DType.I64);
        var position = Times64(As(index, DType.I64), Size.Product(type.Shape.Skip(axis + 1)));
        for (var d = 0; d < type.Rank; d++)
        {
            if (d == axis || type.Shape[d].Is(1)) continue;
            var along = Add(new Iota(wide, d));
            position = Plus(position, Times64(along, Size.Product(type.Shape.Skip(d + 1))));
        }
        return position;

        Node Times64(Node x, Size size)
        {
            if (size.Is(1)) return x;
            var factor = size.IsConstant ? Fill(x.Type, size.Value)
                : Spread(Add(new SizeValue(size, DType.I64)), x.Type.Shape, []);
            return Of(BinaryOp.Mul, x, factor);
        }
    }

    /// <summary>Elements added up at flat positions: of the type, 0 where nothing is added.</summary>
    internal Node Collected(TensorType type, Node positions, Node values)
    {
        var flat = type.With([type.Count]);
        ImmutableArray<Size> count = [values.Type.Count];
        var sum = Add(new Scatter(ScatterOp.Add, Zeros(flat), Shaped(positions, count), Shaped(values, count), 0));
        return Shaped(sum, type.Shape);
    }
}
