// The operations that combine elements along axes: reduce, arg_reduce, dot.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

internal enum ReduceOp
{
    Add, Mul, Max, Min, And, Or,
}

/// <summary>
/// Combines the listed axes (ascending) and drops them. An empty axis gives the operation's identity.
/// </summary>
internal sealed class Reduce(ReduceOp kind, Node x, ImmutableArray<int> axes)
    : Node("reduce", [x], Infer(kind, x.Type, axes))
{
    public override OpTraits Traits => OpTraits.Combines | OpTraits.Costly;

    public ReduceOp Kind { get; } = kind;

    public ImmutableArray<int> Axes { get; } = axes;

    public override string Attributes => $"{Ops.Name(Kind)},{Rule.List(Axes)}";

    public override Node With(ImmutableArray<Node> operands) => new Reduce(Kind, operands[0], Axes);

    internal static TensorType Drop(TensorType x, ImmutableArray<int> axes, string rule)
    {
        Rule.Require(axes.All(a => a >= 0 && a < x.Rank) && axes.Zip(axes.Skip(1)).All(p => p.First < p.Second), rule,
            () => $"axes {Rule.List(axes)} of {x}");
        return x.With([.. x.Shape.Where((_, d) => !axes.Contains(d))]);
    }

    internal static bool Allows(ReduceOp kind, DType dtype) => kind is ReduceOp.And or ReduceOp.Or
        ? dtype == DType.Bool || dtype.IsInteger
        : kind is ReduceOp.Max or ReduceOp.Min || dtype != DType.Bool;

    private static TensorType Infer(ReduceOp kind, TensorType x, ImmutableArray<int> axes)
    {
        Rule.Require(Allows(kind, x.DType), "reduce C2", () =>
            $"reduce {Ops.Name(kind)} is not defined for {x.DType.Name()}");
        return Drop(x, axes, "reduce C1");
    }
}

/// <summary>
/// The index of the greatest (least) element along one axis; the first of equals; a NaN counts as the greatest (least).
/// </summary>
internal sealed class ArgReduce(bool greatest, Node x, int axis, DType dtype)
    : Node("arg_reduce", [x], Infer(x.Type, axis, dtype))
{
    public override OpTraits Traits => OpTraits.Combines | OpTraits.Costly;

    public bool Greatest { get; } = greatest;

    public int Axis { get; } = axis;

    public override string Attributes => $"{(Greatest ? "max" : "min")},{Axis}";

    public override Node With(ImmutableArray<Node> operands) => new ArgReduce(Greatest, operands[0], Axis, Type.DType);

    private static TensorType Infer(TensorType x, int axis, DType dtype)
    {
        Rule.Require(axis >= 0 && axis < x.Rank, "arg_reduce C1", () => $"axis {axis} of {x}");
        Rule.Require(dtype is DType.I32 or DType.I64, "arg_reduce C2", () => $"an index of dtype {dtype.Name()}");
        return Reduce.Drop(x, [axis], "arg_reduce C1").With(dtype);
    }
}

/// <summary>
/// result[batch.., a.., b..] = sum over the contracted axes, in the order listed, of a[..] * b[..]. The accumulator
/// starts at +0 and each step rounds once (fma). Accumulate is the dtype of the accumulator and the result: the
/// operands are converted to it, exactly, if theirs is narrower (bf16 and f16 to f32, i8 and u8 to i32). a.. and b..
/// are the axes of each operand that are neither, in order.
/// </summary>
internal sealed class Dot(Node a, Node b, ImmutableArray<int> batchA, ImmutableArray<int> batchB,
    ImmutableArray<int> contractA, ImmutableArray<int> contractB, DType? accumulate = null)
    : Node("dot", [a, b], Infer(a.Type, b.Type, batchA, batchB, contractA, contractB, accumulate ?? a.Type.DType))
{
    public override OpTraits Traits => OpTraits.Costly;

    public ImmutableArray<int> BatchA { get; } = batchA;

    public ImmutableArray<int> BatchB { get; } = batchB;

    public ImmutableArray<int> ContractA { get; } = contractA;

    public ImmutableArray<int> ContractB { get; } = contractB;

    public override string Attributes =>
        $"contract {Rule.List(ContractA)}x{Rule.List(ContractB)},batch {Rule.List(BatchA)}x{Rule.List(BatchB)}"
        + (Type.DType == OperandType(0).DType ? "" : $",{Type.DType.Name()}");

    /// <summary>Axes of the left operand that are neither batch nor contracted.</summary>
    public ImmutableArray<int> FreeA => Free(OperandType(0), BatchA, ContractA);

    /// <summary>Axes of the right operand that are neither batch nor contracted.</summary>
    public ImmutableArray<int> FreeB => Free(OperandType(1), BatchB, ContractB);

    public override Node With(ImmutableArray<Node> operands) =>
        new Dot(operands[0], operands[1], BatchA, BatchB, ContractA, ContractB,
            operands[0].Type.DType == OperandType(0).DType ? Type.DType : null);

    private static ImmutableArray<int> Free(TensorType x, ImmutableArray<int> batch, ImmutableArray<int> contract) =>
        [.. Enumerable.Range(0, x.Rank).Where(d => !batch.Contains(d) && !contract.Contains(d))];

    private static TensorType Infer(TensorType a, TensorType b, ImmutableArray<int> batchA, ImmutableArray<int> batchB,
        ImmutableArray<int> contractA, ImmutableArray<int> contractB, DType accumulate)
    {
        Rule.Require(accumulate == a.DType || (accumulate, a.DType) is (DType.F32, DType.F16 or DType.BF16)
            or (DType.F64, DType.F32) or (DType.I32, DType.I8 or DType.U8 or DType.I16 or DType.U16)
                or (DType.I64, DType.I32), "dot C4",
            () => $"a dot of {a.DType.Name()} accumulated in {accumulate.Name()}");
        Rule.Require(a.DType == b.DType && a.DType != DType.Bool, "dot C1", () => $"dot of {a} and {b}");
        Rule.Require(batchA.Length == batchB.Length && contractA.Length == contractB.Length
            && Distinct(a, batchA, contractA) && Distinct(b, batchB, contractB), "dot C2",
            () => $"batch {Rule.List(batchA)}x{Rule.List(batchB)}, contract {Rule.List(contractA)}x{Rule.List(contractB)} of {a} and {b}");
        foreach (var (x, y) in batchA.Concat(contractA).Zip(batchB.Concat(contractB)))
            Rule.Require(a.Shape[x].Equals(b.Shape[y]), "dot C3",
                () => $"axis {x} of {a} is {a.Shape[x]}, axis {y} of {b} is {b.Shape[y]}");
        return a.With(accumulate)
            .With([.. batchA.Select(d => a.Shape[d]), .. Free(a, batchA, contractA).Select(d => a.Shape[d]),
            .. Free(b, batchB, contractB).Select(d => b.Shape[d])]);
    }

    private static bool Distinct(TensorType x, ImmutableArray<int> batch, ImmutableArray<int> contract) =>
        batch.Concat(contract).All(d => d >= 0 && d < x.Rank)
        && batch.Concat(contract).Distinct().Count() == batch.Length + contract.Length;
}
