// The operations that move elements and compute nothing: each becomes an accessor of its consumer.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

/// <summary>The same elements in row-major order under another shape of the same count.</summary>
internal sealed class Reshape(Node x, ImmutableArray<Size> shape, bool isChecked = false)
    : Node("reshape", [x], Infer(x.Type, shape, isChecked))
{
    public override OpTraits Traits => OpTraits.Movement | OpTraits.View;

    /// <summary>True if the equality of the counts is one of the function's entry checks.</summary>
    public bool IsChecked { get; } = isChecked;

    public override string Attributes => IsChecked ? "checked" : "";

    public override Node With(ImmutableArray<Node> operands) => new Reshape(operands[0], Type.Shape, IsChecked);

    public override ImmutableArray<Size>? Below(ImmutableArray<Size> index, IndexRanges ranges) =>
        Indexing.Reshaped(index, Type.Shape, OperandType(0).Shape, ranges);

    private static TensorType Infer(TensorType x, ImmutableArray<Size> shape, bool isChecked)
    {
        var type = x.With(shape);
        Rule.Require(isChecked
            || x.Count.Equals(type.Count), "reshape C1", () => $"{x} has {x.Count} elements, {type} has {type.Count}");
        return type;
    }
}

/// <summary>Result axis d is operand axis Permutation[d].</summary>
internal sealed class Transpose(Node x, ImmutableArray<int> permutation)
    : Node("transpose", [x], Infer(x.Type, permutation))
{
    public override OpTraits Traits => OpTraits.Movement | OpTraits.View;

    public ImmutableArray<int> Permutation { get; } = permutation;

    public override string Attributes => Rule.List(Permutation);

    public override Node With(ImmutableArray<Node> operands) => new Transpose(operands[0], Permutation);

    public override ImmutableArray<Size>? Below(ImmutableArray<Size> index, IndexRanges ranges) =>
        [.. Enumerable.Range(0, index.Length).Select(d => index[Permutation.IndexOf(d)])];

    private static TensorType Infer(TensorType x, ImmutableArray<int> permutation)
    {
        Rule.Require(permutation.Order().SequenceEqual(Enumerable.Range(0, x.Rank)), "transpose C1",
            () => $"{Rule.List(permutation)} is no permutation of the {x.Rank} axes of {x}");
        return x.With([.. permutation.Select(p => x.Shape[p])]);
    }
}

/// <summary>Operand axis d becomes result axis Axes[d] (ascending); the other result axes repeat the operand.</summary>
internal sealed class Broadcast(Node x, ImmutableArray<Size> shape, ImmutableArray<int> axes)
    : Node("broadcast", [x], Infer(x.Type, shape, axes))
{
    public override OpTraits Traits => OpTraits.Movement | OpTraits.View;

    public ImmutableArray<int> Axes { get; } = axes;

    public override string Attributes => Rule.List(Axes);

    public override Node With(ImmutableArray<Node> operands) => new Broadcast(operands[0], Type.Shape, Axes);

    public override ImmutableArray<Size>? Below(ImmutableArray<Size> index, IndexRanges ranges) =>
        [.. Axes.Select(a => index[a])];

    private static TensorType Infer(TensorType x, ImmutableArray<Size> shape, ImmutableArray<int> axes)
    {
        Rule.Require(axes.Length == x.Rank && axes.Zip(axes.Skip(1)).All(p => p.First < p.Second)
            && axes.All(a => a >= 0 && a < shape.Length), "broadcast C1", () => $"axes {Rule.List(axes)} for {x}");
        for (var d = 0; d < axes.Length; d++)
        {
            var (axis, at) = (d, axes[d]);
            Rule.Require(x.Shape[axis].Equals(shape[at]), "broadcast C2",
                () => $"axis {axis} of {x} is {x.Shape[axis]}, result axis {at} is {shape[at]}");
        }
        return x.With(shape);
    }
}

/// <summary>
/// Elements Starts[d] + i * Steps[d] for i below the result's size, along each axis. Steps are positive.
/// </summary>
internal sealed class Slice(Node x, ImmutableArray<Size> starts, ImmutableArray<Size> sizes, ImmutableArray<long> steps)
    : Node("slice", [x], Infer(x.Type, starts, sizes, steps))
{
    public override OpTraits Traits => OpTraits.Movement | OpTraits.View;

    public ImmutableArray<Size> Starts { get; } = starts;

    public ImmutableArray<long> Steps { get; } = steps;

    public override string Attributes => $"{Rule.List(Starts)},{Rule.List(Steps)}";

    public override IEnumerable<Size> AttributeSizes => Starts;

    public override Node With(ImmutableArray<Node> operands) => new Slice(operands[0], Starts, Type.Shape, Steps);

    public override ImmutableArray<Size>? Below(ImmutableArray<Size> index, IndexRanges ranges) =>
        [.. index.Select((i, d) => Starts[d] + i * Steps[d])];

    private static TensorType Infer(TensorType x, ImmutableArray<Size> starts, ImmutableArray<Size> sizes,
        ImmutableArray<long> steps)
    {
        Rule.Require(starts.Length == x.Rank && sizes.Length == x.Rank && steps.Length == x.Rank, "slice C1",
            () => $"{starts.Length} starts, {sizes.Length} sizes and {steps.Length} steps for {x}");
        Rule.Require(steps.All(s => s > 0), "slice C2", () => $"steps {Rule.List(steps)} must be positive");
        return x.With(sizes);
    }
}

/// <summary>A constant before, after and between the elements of each axis.</summary>
internal sealed class Pad(Node x, Node value, ImmutableArray<Size> before, ImmutableArray<Size> after,
    ImmutableArray<long> between)
    : Node("pad", [x, value], Infer(x.Type, value.Type, before, after, between))
{
    public override OpTraits Traits => OpTraits.Movement;

    public ImmutableArray<Size> Before { get; } = before;

    public ImmutableArray<Size> After { get; } = after;

    public ImmutableArray<long> Between { get; } = between;

    public override string Attributes => $"{Rule.List(Before)},{Rule.List(After)},{Rule.List(Between)}";

    public override IEnumerable<Size> AttributeSizes => Before.Concat(After);

    public override Node With(ImmutableArray<Node> operands) =>
        new Pad(operands[0], operands[1], Before, After, Between);

    private static TensorType Infer(TensorType x, TensorType value, ImmutableArray<Size> before,
        ImmutableArray<Size> after, ImmutableArray<long> between)
    {
        Rule.Require(before.Length == x.Rank && after.Length == x.Rank && between.Length == x.Rank, "pad C1",
            () => $"{before.Length}, {after.Length} and {between.Length} paddings for {x}");
        Rule.Require(value.Rank == 0 && value.DType == x.DType, "pad C2", () => $"{x} is padded with {value}");
        Rule.Require(between.All(b => b >= 0), "pad C3", () => $"{Rule.List(between)} between elements");
        return x.With([.. Enumerable.Range(0, x.Rank).Select(d =>
            before[d] + after[d] + (between[d] == 0 ? x.Shape[d] : (x.Shape[d] - 1) * (between[d] + 1) + 1))]);
    }
}

internal sealed class Reverse(Node x, ImmutableArray<int> axes) : Node("reverse", [x], Infer(x.Type, axes))
{
    public override OpTraits Traits => OpTraits.Movement | OpTraits.View;

    public ImmutableArray<int> Axes { get; } = axes;

    public override string Attributes => Rule.List(Axes);

    public override Node With(ImmutableArray<Node> operands) => new Reverse(operands[0], Axes);

    public override ImmutableArray<Size>? Below(ImmutableArray<Size> index, IndexRanges ranges) =>
        [.. index.Select((i, d) => Axes.Contains(d) ? Type.Shape[d] - 1 - i : i)];

    private static TensorType Infer(TensorType x, ImmutableArray<int> axes)
    {
        Rule.Require(axes.All(a => a >= 0 && a < x.Rank) && axes.Distinct().Count() == axes.Length, "reverse C1",
            () => $"axes {Rule.List(axes)} of {x}");
        return x;
    }
}

internal sealed class Concat(ImmutableArray<Node> parts, int axis) : Node("concat", parts, Infer(parts, axis))
{
    public override OpTraits Traits => OpTraits.Movement;

    public int Axis { get; } = axis;

    public override string Attributes => $"{Axis}";

    public override Node With(ImmutableArray<Node> operands) => new Concat(operands, Axis);

    private static TensorType Infer(ImmutableArray<Node> parts, int axis)
    {
        Rule.Require(parts.Length > 0 && axis >= 0
            && axis < parts[0].Type.Rank, "concat C1", () => $"{parts.Length} parts along axis {axis}");
        var first = parts[0].Type;
        foreach (var part in parts)
        {
            Rule.Require(part.Type.DType == first.DType && part.Type.Rank == first.Rank
                && Enumerable.Range(0, first.Rank).All(d => d == axis || part.Type.Shape[d].Equals(first.Shape[d])),
                "concat C2", () => $"{part.Type} after {first} along axis {axis}");
        }
        return first.With(first.Shape.SetItem(axis, parts.Aggregate(Size.Zero, (s, p) => s + p.Type.Shape[axis])));
    }
}

/// <summary>
/// Axis `axis` becomes two: result[.., i, r, ..] = x[.., i * Stride + r * Dilation, ..], i &lt; Count, r &lt; Extent.
/// Convolution and pooling are a dot and a reduce over windows; a window is never materialised.
/// </summary>
internal sealed class Window(Node x, int axis, Size count, Size extent, long stride, long dilation)
    : Node("window", [x], Infer(x.Type, axis, count, extent, stride, dilation))
{
    public override OpTraits Traits => OpTraits.Movement | OpTraits.View;

    public int Axis { get; } = axis;

    public Size Count { get; } = count;

    public Size Extent { get; } = extent;

    public long Stride { get; } = stride;

    public long Dilation { get; } = dilation;

    public override string Attributes => $"{Axis},[{Count},{Extent}],[{Stride},{Dilation}]";

    public override IEnumerable<Size> AttributeSizes => [Count, Extent];

    public override Node With(ImmutableArray<Node> operands) =>
        new Window(operands[0], Axis, Count, Extent, Stride, Dilation);

    public override ImmutableArray<Size>? Below(ImmutableArray<Size> index, IndexRanges ranges) =>
        index.RemoveAt(Axis).SetItem(Axis, index[Axis] * Stride + index[Axis + 1] * Dilation);

    private static TensorType Infer(TensorType x, int axis, Size count, Size extent, long stride, long dilation)
    {
        Rule.Require(axis >= 0 && axis < x.Rank, "window C1", () => $"axis {axis} of {x}");
        Rule.Require(stride > 0 && dilation > 0, "window C2", () => $"stride {stride}, dilation {dilation}");
        // The last element of the last window; symbolic cases are checked on entry by the code that makes the window.
        var room = x.Shape[axis] - 1 - ((count - 1) * stride + (extent - 1) * dilation);
        Rule.Require(!room.IsConstant || room.Value >= 0 || count.Is(0) || extent.Is(0), "window C3",
            () => $"{count} windows of {extent} (stride {stride}, dilation {dilation}) do not fit in {x.Shape[axis]}");
        return x.With(x.Shape.RemoveAt(axis).Insert(axis, extent).Insert(axis, count));
    }
}

/// <summary>
/// result[a.., i.., b..] = x[a.., indices[i..], b..], where the indices take the place of axis `axis`. An index out of
/// range is clamped, and the call fails and names the place.
/// </summary>
internal sealed class Gather(Node x, Node indices, int axis) : Node("gather", [x, indices],
    Infer(x.Type, indices.Type, axis))
{
    public override OpTraits Traits => OpTraits.ReadsAtValue | OpTraits.Costly;

    public int Axis { get; } = axis;

    public override string Attributes => $"{Axis}";

    public override Node With(ImmutableArray<Node> operands) => new Gather(operands[0], operands[1], Axis);

    private static TensorType Infer(TensorType x, TensorType indices, int axis)
    {
        Rule.Require(axis >= 0 && axis < x.Rank, "gather C1", () => $"axis {axis} of {x}");
        Rule.Require(indices.DType.IsInteger, "gather C2", () => $"the indices are {indices}");
        return x.With([.. x.Shape.Take(axis), .. indices.Shape, .. x.Shape.Skip(axis + 1)]);
    }
}
