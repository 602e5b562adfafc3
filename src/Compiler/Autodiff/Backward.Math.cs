// The arithmetic in which rules are written: nodes in, nodes out. Multiplying by one and adding zero make no node.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Convert = Accelerate.Compiler.Graph.Convert;

namespace Accelerate.Compiler.Autodiff;

internal sealed partial class Backward
{
    /// <summary>A tensor filled with one value.</summary>
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

    /// <summary>
    /// Permutes the axes; where that swaps the two sides of a dot, the dot's operands are swapped instead.
    /// </summary>
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

    /// <summary>Broadcasts x along new axes; `axes` are those of the result that x has.</summary>
    internal Node Spread(Node x, ImmutableArray<Size> shape, ImmutableArray<int> axes) =>
        axes.Length == shape.Length ? x : Add(new Broadcast(x, shape, axes));

    /// <summary>
    /// The sum over axes; f16 and bf16 are accumulated in f32 and rounded once, as in the language's `sum`.
    /// </summary>
    internal Node Sum(Node x, ImmutableArray<int> axes) => axes.IsEmpty ? x
        : As(Add(new Reduce(ReduceOp.Add, As(x, Wide(x.Type.DType)), axes)), x.Type.DType);

    internal static DType Wide(DType dtype) => dtype is DType.F16 or DType.BF16 ? DType.F32 : dtype;

    internal static ImmutableArray<int> Axes(int rank, Func<int, bool>? which = null) =>
        [.. Enumerable.Range(0, rank).Where(d => which?.Invoke(d) ?? true)];

    internal static ImmutableArray<long> Ones(int rank) => [.. Enumerable.Repeat(1L, rank)];

    private static bool IsOne(Node x) => x is Const { IsSplat: true, FoldedIndex: < 0 } c && c.Type.DType.IsFloat
        && c.Floats[0] == 1;

    /// <summary>
    /// For each element, its position in the flattened tensor when its index along one axis is replaced by another;
    /// i64.
    /// </summary>
    /// <param name="type">The type that is flattened.</param>
    /// <param name="index">Each element's index along the axis, in the shape of the type except along that
    /// axis.</param>
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

    /// <summary>Adds up elements at flat positions of a tensor of the type; 0 where nothing is added.</summary>
    internal Node Collected(TensorType type, Node positions, Node values)
    {
        var flat = type.With([type.Count]);
        ImmutableArray<Size> count = [values.Type.Count];
        var sum = Add(new Scatter(ScatterOp.Add, Zeros(flat), Shaped(positions, count), Shaped(values, count), 0));
        return Shaped(sum, type.Shape);
    }
}
