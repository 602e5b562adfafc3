// The building blocks of softmax and masks, as patterns of primitive operations.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Fusion;

/// <summary>exp(scores - max scores) / sum(exp(scores - max scores)), or times the reciprocal of the sum.</summary>
internal sealed record SoftmaxPattern(Binary Quotient, Unary Power, Binary Difference, Reduce Max, Reduce Sum)
{
    public Node Scores => Difference.Operands[0];
}

internal static class RowPattern
{
    /// <summary>The softmax along the axis that ends in a node; null if there is none.</summary>
    public static SoftmaxPattern? SoftmaxOf(Node node, int axis) =>
        node is Binary quotient && quotient.Operands[0] is Unary { Kind: UnaryOp.Exp } power
            && power.Operands[0] is Binary { Kind: BinaryOp.Sub } difference
            && SumOf(quotient, power, axis) is { } sum
            && RowOf(difference.Operands[1], difference.Operands[0], ReduceOp.Max, axis) is { } max
            ? new(quotient, power, difference, max, sum) : null;

    /// <summary>
    /// The sum of x along the axis by which the quotient, or product with its reciprocal, divides; null for another
    /// operation.
    /// </summary>
    public static Reduce? SumOf(Binary quotient, Node x, int axis)
    {
        if (quotient.Kind == BinaryOp.Div) return RowOf(quotient.Operands[1], x, ReduceOp.Add, axis);
        if (quotient.Kind != BinaryOp.Mul || quotient.Operands[1] is not Broadcast b || b.Axes.Contains(axis))
            return null;
        var node = b.Operands[0];
        while (node is Reshape r && Kept(r)) node = r.Operands[0];
        return node is Binary { Kind: BinaryOp.Div, Operands: [Const { IsSplat: true } one, var sum] }
            && one.FloatAt(0) == 1 ? Row(sum, x, ReduceOp.Add, axis) : null;
    }

    /// <summary>The value that a row's value is computed from; for a reciprocal, its divisor.</summary>
    public static Node Below(Node row) => row is Binary { Kind: BinaryOp.Div } d ? d.Operands[1] : row.Operands[0];

    /// <summary>The reduction of x along the axis that is broadcast back over it.</summary>
    public static Reduce? RowOf(Node node, Node x, ReduceOp kind, int axis)
    {
        if (node is not Broadcast b || b.Axes.Contains(axis)) return null;
        return Row(b.Operands[0], x, kind, axis);
    }

    private static Reduce? Row(Node node, Node x, ReduceOp kind, int axis)
    {
        while (node is Reshape r && Kept(r)) node = r.Operands[0];
        return node is Reduce reduce && reduce.Kind == kind && reduce.Axes is [var a] && a == axis
            && ReferenceEquals(reduce.Operands[0], x)
            ? reduce : null;
    }

    /// <summary>True for a reshape that only adds or drops axes of one element.</summary>
    public static bool Kept(Reshape r) =>
        r.Type.Shape.Where(s => !s.Is(1)).SequenceEqual(r.OperandType(0).Shape.Where(s => !s.Is(1)));

    /// <summary>The operand's axis for an axis of such a reshape; -1 for an axis of one element.</summary>
    public static int Behind(Reshape r, int axis)
    {
        if (r.Type.Shape[axis].Is(1)) return -1;
        var nth = r.Type.Shape.Take(axis).Count(s => !s.Is(1));
        return Enumerable.Range(0, r.OperandType(0).Rank).Where(d => !r.OperandType(0).Shape[d].Is(1)).ElementAt(nth);
    }

    /// <summary>True for the index along the axis, as an integer.</summary>
    public static bool IsIndex(Node node, int axis) => node switch
    {
        Iota i => i.Axis == axis && i.Type.DType is DType.I32 or DType.I64,
        Broadcast b => b.Axes.IndexOf(axis) is >= 0 and var d && IsIndex(b.Operands[0], d),
        Reshape r => Kept(r) && Behind(r, axis) is >= 0 and var d && IsIndex(r.Operands[0], d),
        Graph.Convert { Type.DType: DType.I64 } c => IsIndex(c.Operands[0], axis),
        _ => false,
    };
}
