// In: a function. Out: the same values with movements joined, identities gone, constants spread. Exact for floats:
// x * 1 and x - 0 are x for every x; x + 0, x * 0 and x - x are not touched.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

public static class Simplify
{
    public static Function Run(Function function, long limit = long.MaxValue) => new Rewriter(Rule, limit).Run(function);

    /// <summary>The better form of a node, or null.</summary>
    internal static Node? Rule(Node node, Rewriter r) => node switch
    {
        // Constants spread: a movement of one repeated value is that value in another shape.
        Broadcast or Reshape or Transpose or Slice or Reverse or Window when node.Operands[0] is Const { IsSplat: true } c =>
            r.Add(Splat(c, node.Type)),

        // Movements join.
        Transpose { Permutation: var p } when IsIdentity(p) => node.Operands[0],
        Transpose { Permutation: var q } when node.Operands[0] is Transpose { Permutation: var p } x =>
            r.Add(new Transpose(x.Operands[0], [.. q.Select(i => p[i])])),
        Reshape when node.Type.Equals(node.OperandType(0)) => node.Operands[0],
        Reshape { IsChecked: false } when node.Operands[0] is Reshape { IsChecked: false } x => r.Add(new Reshape(x.Operands[0], node.Type.Shape)),
        Broadcast { Axes: var a } when a.Length == node.Type.Rank => node.Operands[0],
        Broadcast { Axes: var a } when node.Operands[0] is Broadcast { Axes: var b } x =>
            r.Add(new Broadcast(x.Operands[0], node.Type.Shape, [.. b.Select(i => a[i])])),
        Slice s when s.Type.Equals(s.OperandType(0)) && s.Starts.All(i => i.Is(0)) && s.Steps.All(i => i == 1) => s.Operands[0],
        Slice s when s.Operands[0] is Slice x && x.Steps.All(i => i == 1) =>
            r.Add(new Slice(x.Operands[0], [.. s.Starts.Zip(x.Starts, (a, b) => a + b)], s.Type.Shape, s.Steps)),
        Pad p when p.Before.Concat(p.After).All(i => i.Is(0)) && p.Between.All(i => i == 0) => p.Operands[0],
        Reverse { Axes.IsEmpty: true } => node.Operands[0],
        Concat { Operands: [var only] } => only,

        // Reductions over nothing, or over axes of size 1.
        Reduce { Axes.IsEmpty: true } => node.Operands[0],

        // Identities that hold for every value, NaN and -0 too.
        Binary { Kind: BinaryOp.Mul or BinaryOp.Div } when IsConst(node.Operands[1], 1) => node.Operands[0],
        Binary { Kind: BinaryOp.Mul } when IsConst(node.Operands[0], 1) => node.Operands[1],
        Binary { Kind: BinaryOp.Sub } when IsPositiveZero(node.Operands[1]) => node.Operands[0],
        Binary { Kind: BinaryOp.Add } when !node.Type.DType.IsFloat && IsConst(node.Operands[1], 0) => node.Operands[0],
        Graph.Convert when node.Type.Equals(node.OperandType(0)) => node.Operands[0],
        Unary { Kind: UnaryOp.Neg } when node.Operands[0] is Unary { Kind: UnaryOp.Neg } x => x.Operands[0],
        Select when ReferenceEquals(node.Operands[1], node.Operands[2]) => node.Operands[1],
        Select when node.Operands[0] is Const { IsSplat: true, Integers: [var c] } => node.Operands[c != 0 ? 1 : 2],
        Result { Index: var i } when node.Operands[0] is Graph.Tuple t => t.Operands[i],
        _ => null,
    };

    private static Const Splat(Const c, TensorType type) => type.DType.IsFloat
        ? Const.Of(type, c.Floats)
        : Const.Of(type, c.Integers);

    private static bool IsIdentity(ImmutableArray<int> permutation) =>
        permutation.SequenceEqual(Enumerable.Range(0, permutation.Length));

    private static bool IsConst(Node node, double value) => node is Const { IsSplat: true } c && c.FloatAt(0) == value;

    private static bool IsPositiveZero(Node node) =>
        node is Const { IsSplat: true } c && c.FloatAt(0) == 0 && !double.IsNegative(c.FloatAt(0));
}
