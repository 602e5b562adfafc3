// In: a function. Out: the same values with movements joined, identities removed, constants propagated. Exact for
// floats: x * 1 and x - 0 are x for every x; x + 0, x * 0 and x - x are not touched.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

internal static partial class Simplify
{
    /// <summary>
    /// Replaced nodes are removed at once: a loop and its replacement have a region of the same name.
    /// </summary>
    public static Function Run(Function function, Rewrites? rewrites = null) =>
        DeadCode.Run(new Rewriter(Rule, rewrites, "simplify").Run(function));

    /// <summary>The better form of a node, or null.</summary>
    internal static Node? Rule(Node node, Rewriter r) =>
        Basic(node, r) ?? Movement(node, r) ?? Whole(node, r) ?? Known(node, r) ?? Control(node, r);

    private static Node? Basic(Node node, Rewriter r) => node switch
    {
        // Constants are propagated: a movement of one repeated value is that value in another shape.
        _ when node.Is(OpTraits.View) && node.Operands[0] is Const { IsSplat: true } c =>
            r.By("movement of a constant", r.Add(Splat(c, node.Type))),

        // Movements join.
        Transpose { Permutation: var p } when IsIdentity(p) => r.By("transpose to the same order", node.Operands[0]),
        Transpose { Permutation: var q } when node.Operands[0] is Transpose { Permutation: var p } x =>
            r.By("transpose of transpose", r.Add(new Transpose(x.Operands[0], [.. q.Select(i => p[i])]))),
        Reshape when node.Type.Equals(node.OperandType(0)) => r.By("reshape to the same shape", node.Operands[0]),
        Reshape { IsChecked: false } when node.Operands[0] is Reshape { IsChecked: false } x =>
            r.By("reshape of reshape", r.Add(new Reshape(x.Operands[0], node.Type.Shape))),
        Broadcast { Axes: var a } when a.Length == node.Type.Rank =>
            r.By("broadcast to the same shape", node.Operands[0]),
        Broadcast { Axes: var a } when node.Operands[0] is Broadcast { Axes: var b } x =>
            r.By("broadcast of broadcast",
                r.Add(new Broadcast(x.Operands[0], node.Type.Shape, [.. b.Select(i => a[i])]))),
        Slice s when s.Type.Equals(s.OperandType(0)) && s.Starts.All(i => i.Is(0)) && s.Steps.All(i => i == 1) =>
            r.By("slice of everything", s.Operands[0]),
        Slice s when s.Operands[0] is Slice x && x.Steps.All(i => i == 1) =>
            r.By("slice of slice",
                r.Add(new Slice(x.Operands[0], [.. s.Starts.Zip(x.Starts, (a, b) => a + b)], s.Type.Shape, s.Steps))),
        Pad p when p.Before.Concat(p.After).All(i => i.Is(0)) && p.Between.All(i => i == 0) =>
            r.By("pad by nothing", p.Operands[0]),
        Reverse { Axes.IsEmpty: true } => r.By("reverse along no axis", node.Operands[0]),
        Concat { Operands: [var only] } => r.By("concat of one part", only),

        // Reductions over nothing, or over axes of size 1.
        Reduce { Axes.IsEmpty: true } => r.By("reduce over no axis", node.Operands[0]),

        // Identities that hold for every value, also NaN and -0.
        Binary { Kind: BinaryOp.Mul or BinaryOp.Div } when IsConst(node.Operands[1], 1) =>
            r.By("x * 1, x / 1", node.Operands[0]),
        Binary { Kind: BinaryOp.Mul } when IsConst(node.Operands[0], 1) => r.By("1 * x", node.Operands[1]),
        Binary { Kind: BinaryOp.Sub } when IsPositiveZero(node.Operands[1]) => r.By("x - 0", node.Operands[0]),
        Binary { Kind: BinaryOp.Add } when !node.Type.DType.IsFloat && IsConst(node.Operands[1], 0) =>
            r.By("integer x + 0", node.Operands[0]),
        Graph.Convert when node.Type.Equals(node.OperandType(0)) =>
            r.By("convert to the same dtype", node.Operands[0]),
        Unary { Kind: UnaryOp.Neg } when node.Operands[0] is Unary { Kind: UnaryOp.Neg } x =>
            r.By("-(-x)", x.Operands[0]),
        Select when ReferenceEquals(node.Operands[1], node.Operands[2]) => r.By("select of equals", node.Operands[1]),
        Select when node.Operands[0] is Const { IsSplat: true, Integers: [var c] } =>
            r.By("select by a constant", node.Operands[c != 0 ? 1 : 2]),
        Result { Index: var i } when node.Operands[0] is Graph.Tuple t => r.By("result of a tuple", t.Operands[i]),
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
