// In: a function. Out: the function without any computation on tensors that have no elements.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// x: f32[n,0] => const; reduce, dot, pad, fold of such an x => const; concat without it; scatter of it => its base.
/// After this pass every constant extent is positive wherever an element is computed, so other passes may divide by
/// extents. Axes that only a call makes empty are left to the kernels: their loops do not run.
/// </summary>
/// <remarks>
/// Operations that fail because they read from an empty axis stay: arg_reduce, gather, scatter and dynamic_slice become
/// checks of the call.
/// </remarks>
internal static class Empty
{
    public static Function Run(Function function) =>
        GraphPrinter.Closure(function).SelectMany(f => f.Nodes).Any(n => n.ResultTypes.Any(IsEmpty))
            ? DeadCode.Run(new Rewriter(Rule).Run(function)) : function;

    /// <summary>True for a tensor without elements for all sizes of a call.</summary>
    public static bool IsEmpty(TensorType type) => type.Shape.Any(s => s.Is(0));

    private static Node? Rule(Node node, Rewriter r)
    {
        if (node is Const or Input or State or RegionNode or Call or Graph.Tuple or Sort) return null;
        // All its indices are out of range, which fails the call.
        if (node is Scatter s && s.Type.Shape[s.Axis].Is(0) && !IsEmpty(s.OperandType(2))) return null;
        if (IsEmpty(node.Type)) return r.Add(Splat(node.Type, 0, 0));
        return node switch
        {
            Reduce x when IsEmpty(x.OperandType(0)) => r.Add(Identity(x.Kind, x.Type)),
            Dot when IsEmpty(node.OperandType(0)) || IsEmpty(node.OperandType(1)) => r.Add(Splat(node.Type, 0, 0)),
            Fold when IsEmpty(node.OperandType(0)) => r.Add(Splat(node.Type, 0, 0)),
            Pad when IsEmpty(node.OperandType(0)) => node.Operands[1] is Const { IsSplat: true } value
                ? r.Add(Splat(node.Type, value.Floats.FirstOrDefault(), value.Integers.FirstOrDefault()))
                : r.Add(new Broadcast(node.Operands[1], node.Type.Shape, [])),
            Concat c when c.Operands.Any(o => IsEmpty(o.Type)) =>
                c.Operands.Where(o => !IsEmpty(o.Type)).ToImmutableArray() is [var only] ? only
                    : r.Add(new Concat([.. c.Operands.Where(o => !IsEmpty(o.Type))], c.Axis)),
            Scatter when IsEmpty(node.OperandType(2)) => node.Operands[0],
            UpdateSlice when IsEmpty(node.OperandType(1)) => node.Operands[0],
            _ => null,
        };
    }

    /// <summary>The result of a reduction over nothing.</summary>
    private static Const Identity(ReduceOp kind, TensorType type) => kind switch
    {
        ReduceOp.Mul => Splat(type, 1, 1),
        ReduceOp.Max => Splat(type, double.NegativeInfinity, IntegerMath.Least(type.DType)),
        ReduceOp.Min => Splat(type, double.PositiveInfinity, IntegerMath.Greatest(type.DType)),
        ReduceOp.And => Splat(type, 0, IntegerMath.Wrap(-1, type.DType)),
        _ => Splat(type, 0, 0),
    };

    private static Const Splat(TensorType type, double value, long integer) =>
        type.DType.IsFloat ? Const.Of(type, value) : Const.Of(type, integer);
}
