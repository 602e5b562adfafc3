// Parts of tensors at places known only in the call: dynamic slice and its update, scatter; orders along an axis:
// cumulate, sort.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

/// <summary>
/// Elements Starts[d] + i along each axis, for i below the result's size; on the axes listed in Axes, a scalar integer
/// operand each (operands 1, 2, …) is added to the start. A part outside x is clamped into it as a whole, and the call
/// fails and names the place.
/// </summary>
internal sealed class DynamicSlice(Node x, ImmutableArray<Node> offsets, ImmutableArray<int> axes,
    ImmutableArray<Size> starts,
    ImmutableArray<Size> sizes)
    : Node("dynamic_slice", [x, .. offsets], Infer(x.Type, offsets, axes, starts, sizes))
{
    public override OpTraits Traits => OpTraits.ReadsAtValue;

    public ImmutableArray<int> Axes { get; } = axes;

    public ImmutableArray<Size> Starts { get; } = starts;

    public override string Attributes => $"{Rule.List(Axes)},{Rule.List(Starts)}";

    public override IEnumerable<Size> AttributeSizes => Starts;

    public override Node With(ImmutableArray<Node> operands) =>
        new DynamicSlice(operands[0], operands.RemoveAt(0), Axes, Starts, Type.Shape);

    private static TensorType Infer(TensorType x, ImmutableArray<Node> offsets, ImmutableArray<int> axes,
        ImmutableArray<Size> starts, ImmutableArray<Size> sizes)
    {
        Rule.Require(starts.Length == x.Rank && sizes.Length == x.Rank, "dynamic_slice C1",
            () => $"{starts.Length} starts and {sizes.Length} sizes for {x}");
        Offsets(x, offsets, axes, "dynamic_slice C2");
        return x.With(sizes);
    }

    internal static void Offsets(TensorType x, ImmutableArray<Node> offsets, ImmutableArray<int> axes, string rule) =>
        Rule.Require(offsets.Length == axes.Length && axes.All(a => a >= 0 && a < x.Rank)
            && axes.Zip(axes.Skip(1)).All(p => p.First < p.Second)
            && offsets.All(o => o.Type.Rank == 0 && o.Type.DType is DType.I32 or DType.I64), rule,
            () => $"offsets {Rule.List(offsets.Select(o => o.Type))} along axes {Rule.List(axes)} of {x}");
}

/// <summary>
/// x with `update` in place of the elements at Starts[d] + i * Steps[d] (+ the offsets of the axes listed, operands 2,
/// 3, …). Operands: x, update, offsets. Out of range: as in <see cref="DynamicSlice"/>. Written in place if x has no
/// later use.
/// </summary>
internal sealed class UpdateSlice(Node x, Node update, ImmutableArray<Node> offsets, ImmutableArray<int> axes,
    ImmutableArray<Size> starts, ImmutableArray<long> steps)
    : Node("update_slice", [x, update, .. offsets], Infer(x.Type, update.Type, offsets, axes, starts, steps))
{
    public override OpTraits Traits => OpTraits.WritesAtValue | OpTraits.Costly;

    public ImmutableArray<int> Axes { get; } = axes;

    public ImmutableArray<Size> Starts { get; } = starts;

    public ImmutableArray<long> Steps { get; } = steps;

    public override string Attributes => $"{Rule.List(Axes)},{Rule.List(Starts)},{Rule.List(Steps)}";

    public override IEnumerable<Size> AttributeSizes => Starts;

    public override Node With(ImmutableArray<Node> operands) =>
        new UpdateSlice(operands[0], operands[1], operands.RemoveRange(0, 2), Axes, Starts, Steps);

    private static TensorType Infer(TensorType x, TensorType update, ImmutableArray<Node> offsets,
        ImmutableArray<int> axes,
        ImmutableArray<Size> starts, ImmutableArray<long> steps)
    {
        Rule.Require(starts.Length == x.Rank && steps.Length == x.Rank && steps.All(s => s > 0), "update_slice C1",
            () => $"starts {Rule.List(starts)}, steps {Rule.List(steps)} for {x}");
        Rule.Require(update.Rank == x.Rank && update.DType == x.DType, "update_slice C2", () => $"{update} into {x}");
        DynamicSlice.Offsets(x, offsets, axes, "update_slice C3");
        return x;
    }
}

internal enum ScatterOp
{
    /// <summary>Of several updates of one element the last one wins.</summary>
    Set,
    Add, Mul, Max, Min,
}

/// <summary>
/// x with result[a.., indices[i..], b..] combined with updates[a.., i.., b..], in the order of i (row-major); the
/// adjoint of <see cref="Gather"/>. Operands: x, indices, updates. An index out of range changes nothing, and the call
/// fails.
/// </summary>
internal sealed class Scatter(ScatterOp kind, Node x, Node indices, Node updates, int axis)
    : Node("scatter", [x, indices, updates], Infer(kind, x.Type, indices.Type, updates.Type, axis))
{
    public override OpTraits Traits => OpTraits.WritesAtValue | OpTraits.Costly;

    public ScatterOp Kind { get; } = kind;

    public int Axis { get; } = axis;

    public override string Attributes => $"{Kind.ToString().ToLowerInvariant()},{Axis}";

    public override Node With(ImmutableArray<Node> operands) =>
        new Scatter(Kind, operands[0], operands[1], operands[2], Axis);

    private static TensorType Infer(ScatterOp kind, TensorType x, TensorType indices, TensorType updates, int axis)
    {
        Rule.Require(axis >= 0 && axis < x.Rank, "scatter C1", () => $"axis {axis} of {x}");
        Rule.Require(indices.DType.IsInteger, "scatter C2", () => $"the indices are {indices}");
        Rule.Require(kind is ScatterOp.Set or ScatterOp.Max or ScatterOp.Min || x.DType != DType.Bool, "scatter C3",
            () => $"scatter {kind.ToString().ToLowerInvariant()} is not defined for {x.DType.Name()}");
        var wanted = x.With([.. x.Shape.Take(axis), .. indices.Shape, .. x.Shape.Skip(axis + 1)]);
        Rule.Require(updates.Equals(wanted), "scatter C4", () => $"the updates are {updates}, not {wanted}");
        return x;
    }
}

/// <summary>
/// result[.., i, ..] = x[.., 0, ..] op … op x[.., i, ..], in that order; reversed: from the last element down to i.
/// </summary>
internal sealed class Cumulate(ReduceOp kind, Node x, int axis, bool isReversed)
    : Node("cumulate", [x], Infer(kind, x.Type, axis))
{
    public override OpTraits Traits => OpTraits.Costly;

    public ReduceOp Kind { get; } = kind;

    public int Axis { get; } = axis;

    public bool IsReversed { get; } = isReversed;

    public override string Attributes => $"{Ops.Name(Kind)},{Axis}{(IsReversed ? ",reversed" : "")}";

    public override Node With(ImmutableArray<Node> operands) => new Cumulate(Kind, operands[0], Axis, IsReversed);

    private static TensorType Infer(ReduceOp kind, TensorType x, int axis)
    {
        Rule.Require(axis >= 0 && axis < x.Rank, "cumulate C1", () => $"axis {axis} of {x}");
        Rule.Require(Reduce.Allows(kind, x.DType), "cumulate C2",
            () => $"cumulate {Ops.Name(kind)} is not defined for {x.DType.Name()}");
        return x;
    }
}

/// <summary>
/// Two results: x sorted along the axis, and the index along the axis that each element had (i32 or i64). Stable; NaN
/// comes last in both directions; -0 and +0 are equal.
/// </summary>
internal sealed class Sort(Node x, int axis, bool isDescending, DType index) : Node("sort", [x],
    Infer(x.Type, axis, index))
{
    public override OpTraits Traits => OpTraits.Costly;

    public int Axis { get; } = axis;

    public bool IsDescending { get; } = isDescending;

    /// <summary>The dtype of the second result.</summary>
    public DType Index { get; } = index;

    public override string Attributes => $"{(IsDescending ? "descending" : "ascending")},{Axis},{Index.Name()}";

    public override ImmutableArray<TensorType> ResultTypes => [Type, Type.With(Index)];

    public override Node With(ImmutableArray<Node> operands) => new Sort(operands[0], Axis, IsDescending, Index);

    private static TensorType Infer(TensorType x, int axis, DType index)
    {
        Rule.Require(axis >= 0 && axis < x.Rank, "sort C1", () => $"axis {axis} of {x}");
        Rule.Require(index is DType.I32 or DType.I64, "sort C2", () => $"an index of dtype {index.Name()}");
        return x;
    }
}

/// <summary>
/// The adjoint of <see cref="Window"/>: axes Axis and Axis + 1 (i and r) become one of the given size; result[.., p,
/// ..] is the sum, in the order of r, of all x[.., i, r, ..] with i * Stride + r * Dilation = p.
/// </summary>
internal sealed class Fold(Node x, int axis, Size size, long stride, long dilation)
    : Node("fold", [x], Infer(x.Type, axis, size, stride, dilation))
{
    public override OpTraits Traits => OpTraits.Combines | OpTraits.Costly;

    public int Axis { get; } = axis;

    public Size Size => Type.Shape[Axis];

    public long Stride { get; } = stride;

    public long Dilation { get; } = dilation;

    public override string Attributes => $"{Axis},{Size},[{Stride},{Dilation}]";

    public override Node With(ImmutableArray<Node> operands) => new Fold(operands[0], Axis, Size, Stride, Dilation);

    private static TensorType Infer(TensorType x, int axis, Size size, long stride, long dilation)
    {
        Rule.Require(axis >= 0 && axis + 1 < x.Rank, "fold C1", () => $"axes {axis} and {axis + 1} of {x}");
        Rule.Require(stride > 0 && dilation > 0, "fold C2", () => $"stride {stride}, dilation {dilation}");
        Rule.Require(x.DType != DType.Bool, "fold C3", () => $"a fold of {x}");
        return x.With(x.Shape.RemoveAt(axis + 1).SetItem(axis, size));
    }
}
