// In: the subscripts of a tensor outside an index form. Out: the part of it that they name: per axis a start that is a
// size, an offset that the call computes, a length and a step.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

/// <summary>
/// A part of a tensor. Along each axis the elements Starts + Offsets + i * Steps, i &lt; Sizes; an offset is a scalar
/// i32 or i64, null for none. Dropped axes have one element and are not axes of the value. On the axes of Gather the
/// subscripts are tensors instead.
/// </summary>
internal sealed record TensorPlace(ImmutableArray<Size> Starts, ImmutableArray<Node?> Offsets,
    ImmutableArray<Size> Sizes,
    ImmutableArray<long> Steps, ImmutableArray<int> Dropped, PickedAxes? Gather)
{
    public bool IsStatic => Offsets.All(o => o is null);

    /// <summary>True if it names the whole tensor, in order.</summary>
    public bool IsWhole(ImmutableArray<Size> shape) => IsStatic && Gather is null && Dropped.IsEmpty
        && Sizes.SequenceEqual(shape) && Steps.All(s => s == 1);
}

/// <summary>
/// Count axes from Axis on, read as one in row-major order, and what picks from it: the tensor that is the subscript of
/// a lone axis, or the places that several of them name together. Dropped axes may lie between.
/// </summary>
internal sealed record PickedAxes(int Axis, int Count, TensorValue Indices)
{
    /// <summary>The shape with these axes as one.</summary>
    public ImmutableArray<Size> Joined(ImmutableArray<Size> shape) => shape.RemoveRange(Axis, Count)
        .Insert(Axis, Size.Product(shape.Skip(Axis).Take(Count)));
}

internal sealed partial class Elaborator
{
    /// <summary>One axis of a place: from Start + Offset up to End + Offset.</summary>
    private sealed record AxisPart(Size Start, Size End, long Step, Node? Offset);

    /// <summary>The part of x that the subscripts name. Null after a diagnostic.</summary>
    private TensorPlace? PlaceOf(TensorValue x, SelectExpression s)
    {
        if (HasNewAxis(x, s)) return null;
        var rank = x.Rank;
        var groups = s.Subscripts.Count(g => g is GroupSubscript);
        var given = s.Subscripts.Length - groups;
        if (groups > 1 || given > rank)
        {
            Fail(Codes.WrongRank, s.Span, groups > 1 ? "`..` stands at most once among subscripts"
                : $"{Quantity.Of(given, "subscript")} for {Quantity.Of(rank, "axis")}", null,
                rank == 0 ? "a scalar has no subscripts" : null,
                new Label(s.Target.Span, Describe(x)));
            return null;
        }
        var starts = Enumerable.Repeat(Size.Zero, rank).ToArray();
        var offsets = new Node?[rank];
        var sizes = x.Shape.ToArray();
        var steps = Enumerable.Repeat(1L, rank).ToArray();
        var dropped = ImmutableArray.CreateBuilder<int>();
        var picks = new List<(int Axis, TensorValue Indices, Span Span)>();
        var axis = 0;
        foreach (var subscript in s.Subscripts)
        {
            switch (subscript)
            {
                case GroupSubscript:
                    axis += rank - given;
                    continue;
                case SliceSubscript slice:
                    if (PartOf(slice, x.Shape[axis], s.Target.Span, Describe(x)) is not { } part) return null;
                    (starts[axis], offsets[axis], steps[axis]) = (part.Start, part.Offset, part.Step);
                    var length = part.End - part.Start;
                    sizes[axis] = part.Step == 1 ? length : FloorDiv(length + (part.Step - 1), part.Step);
                    break;
                case ValueSubscript v:
                    switch (Expression(v.Value))
                    {
                        case IntValue i:
                            var at = i.Size.IsConstant && i.Size.Value < 0 ? i.Size + x.Shape[axis] : i.Size;
                            if (!Within(at, x, axis, v, s)) return null;
                            (starts[axis], sizes[axis]) = (at, Size.One);
                            dropped.Add(axis);
                            break;
                        case TensorValue { DType.IsInteger: true, Rank: 0 } t:
                            (starts[axis], offsets[axis]) = Split(t.Node);
                            if (offsets[axis] is null && !Within(starts[axis], x, axis, v, s)) return null;
                            sizes[axis] = Size.One;
                            dropped.Add(axis);
                            break;
                        case TensorValue t when t.DType.IsInteger:
                            picks.Add((axis, t, v.Span));
                            break;
                        case TensorValue t:
                            Fail(Codes.TypeMismatch, v.Span, $"subscripts are integers, not {Describe(t)}", Describe(t),
                                t.DType == DType.Bool
                                    ? "choose elements with `select(c, a, b)`; a shape cannot depend on data"
                                    : "cast them: `i32(…)`");
                            return null;
                        case PoisonValue:
                            return null;
                        case var other:
                            Fail(Codes.TypeMismatch, v.Span,
                                $"a subscript is an int or an integer tensor, not {Describe(other)}", Describe(other),
                                Whole(other, v.Span));
                            if (v.Value is NameExpression) Spoil(v.Value);
                            return null;
                    }
                    break;
            }
            axis++;
        }
        var lone = picks is [var pick] ? new PickedAxes(pick.Axis, 1, pick.Indices) : null;
        if (picks.Count > 1 && (lone = Together(x, s, picks, dropped)) is null) return null;
        return new([.. starts], [.. offsets], [.. sizes], [.. steps], dropped.ToImmutable(), lone);
    }

    /// <summary>
    /// Tensors side by side pick together: they broadcast, and their elements name one place of their axes read as one.
    /// Null after a diagnostic.
    /// </summary>
    private PickedAxes? Together(TensorValue x, SelectExpression s,
        List<(int Axis, TensorValue Indices, Span Span)> picks, IReadOnlyCollection<int> dropped)
    {
        var (first, last) = (picks[0].Axis, picks[^1].Axis);
        if (Enumerable.Range(first, last - first).Any(d => !dropped.Contains(d) && picks.All(p => p.Axis != d)))
        {
            Fail(Codes.TypeMismatch, picks[1].Span, "two tensors as subscripts, with an axis between them", null,
                $"write an index form: `{IndexForm(s, picks.Max(p => p.Indices.Rank))}`");
            return null;
        }
        TensorValue[] values = [.. picks.Select(p => p.Indices)];
        if (BroadcastShape(values, [.. picks.Select(p => p.Span)], s.Span) is not { } shape) return null;
        TensorValue? flat = null;
        foreach (var (index, (axis, _, _)) in values.Zip(picks))
        {
            var extent = x.Shape[axis];
            // Among all places together an index that leaves its axis would meet another row. Read from the axis's own
            // numbers it is the same where it is in range, and is reported as out of range of this axis where not.
            var numbers = Emit(new Iota(new TensorType(DType.I64, [extent]), 0));
            var at = Spread(Tensor(new Gather(numbers, index.Node, 0)), [], shape);
            flat = flat is null ? at : Tensor(new Binary(BinaryOp.Add, Tensor(new Binary(BinaryOp.Mul, flat.Node,
                Spread(RealizeSize(extent, DType.I64), [], shape).Node)).Node, at.Node));
        }
        return new(first, last - first + 1, flat!);
    }

    /// <summary>
    /// `x[a, :, b]` with tensors a and b rewritten as an index form: `[i, j] => x[a[i], j, b[i]]`, in the user's own
    /// names.
    /// </summary>
    private static string IndexForm(SelectExpression s, int rank)
    {
        var texts = s.Subscripts.Select(g => g.Span.Text).Append(s.Target.Span.Text).ToHashSet();
        var free = new Queue<string>("ijklpqrtuvw".Select(c => $"{c}").Where(c => !texts.Contains(c)));
        if (s.Subscripts.Any(
            g => g is GroupSubscript or SliceSubscript { Span.Length: > 1 }
            or ValueSubscript { Value: not NameExpression })
            || s.Subscripts.Count(g => g is ValueSubscript) != 2 || free.Count < rank + s.Subscripts.Length)
        {
            return "[i] => x[a[i], b[i]]";
        }
        var shared = Enumerable.Range(0, rank).Select(_ => free.Dequeue()).ToList();
        var indices = new List<string>();
        var parts = new List<string>();
        foreach (var g in s.Subscripts)
        {
            var index = g is SliceSubscript ? free.Dequeue() : $"{g.Span.Text}[{string.Join(", ", shared)}]";
            if (g is SliceSubscript) indices.Add(index);
            else if (!parts.Any(p => p.EndsWith(']'))) indices.AddRange(shared);
            parts.Add(index);
        }
        return $"[{string.Join(", ", indices)}] => {s.Target.Span.Text}[{string.Join(", ", parts)}]";
    }

    private bool Within(Size at, TensorValue x, int axis, ValueSubscript v, SelectExpression s)
    {
        var room = x.Shape[axis] - 1 - at;
        if ((at.IsConstant && at.Value < 0) || (room.IsConstant && room.Value < 0))
        {
            Fail(Codes.SliceOutOfRange, v.Span,
                $"subscript {v.Span.Text} is outside axis {axis}, which has {x.Shape[axis]}", null,
                at.IsConstant || x.Shape[axis].IsConstant ? Subscripts(x.Shape[axis])
                    : at.Equals(x.Shape[axis]) ? $"subscripts count from 0: the last is {x.Shape[axis] - 1}, or -1"
                        : null,
                new Label(s.Target.Span, Describe(x)));
            return false;
        }
        var why = $"subscript {at} of axis {axis}, which has {x.Shape[axis]}";
        AtMost(0, at, why);
        AtMost(at + 1, x.Shape[axis], why);
        return true;
    }

    /// <summary>
    /// Start, end and step of a slice of an axis. Only negative constants wrap; a run-time scalar occurs in both ends,
    /// so that the length is a size. Null after a diagnostic.
    /// </summary>
    private AxisPart? PartOf(SliceSubscript slice, Size extent, Span target, string what)
    {
        Value? Part(ExpressionSyntax? e, Size missing)
        {
            if (e is null) return new IntValue(missing);
            switch (Expression(e))
            {
                case IntValue i:
                    return new IntValue(i.Size.IsConstant && i.Size.Value < 0 ? i.Size + extent : i.Size);
                case TensorValue { DType.IsInteger: true, Rank: 0 } t:
                    return t;
                case PoisonValue:
                    return null;
                case var other:
                    Fail(Codes.TypeMismatch, e.Span, $"a slice takes ints, not {Describe(other)}", Describe(other),
                        Whole(other, e.Span));
                    if (e is NameExpression) Spoil(e);
                    return null;
            }
        }
        if (Part(slice.Start, Size.Zero) is not { } first || Part(slice.End, extent) is not { } last) return null;
        long step = 1;
        if (slice.Step is not null)
        {
            if (Constant(Expression(slice.Step), slice.Step.Span, "the step of a slice") is not { } given) return null;
            step = given;
            if (step <= 0)
            {
                Fail(Codes.SliceOutOfRange, slice.Step.Span, $"a step of {step}", null,
                    "reverse with `reverse(x, axis: 0)`");
                return null;
            }
        }
        if (first is IntValue { Size: var start } && last is IntValue { Size: var end })
        {
            foreach (var (bound, written) in new[] { (start, slice.Start), (end, slice.End) })
            {
                if (written is not NegateExpression || bound.IsConstant || !bound.Terms.All(t => t.Coefficient < 0))
                    continue;
                Fail(Codes.SliceOutOfRange, written.Span, "only a negative constant counts from the end, and "
                    + $"{bound} is not known", $"from {bound} of 0:{extent}",
                    $"write `{extent} - {((-bound).Terms.Length > 1 ? $"({-bound})" : -bound)}`: the axis has {extent}",
                    new Label(target, what));
                return null;
            }
            foreach (var (low, high) in new[] { (Size.Zero, start), (start, end), (end, extent) })
            {
                if (!(high - low).IsConstant || (high - low).Value >= 0) continue;
                Fail(Codes.SliceOutOfRange, slice.Span, $"the slice {start}:{end} leaves 0:{extent}", null,
                    $"slices are not clamped: both ends lie in 0:{extent}" + ((end - extent).IsConstant
                        && (end - extent).Value > 0 && slice.Start is not null ? $", as `{slice.Start.Span.Text}:`"
                            : ""),
                    new Label(target, what));
                return null;
            }
            AtMost(0, start, $"a slice starts at {start}");
            AtMost(start, end, $"a slice runs from {start} to {end}");
            AtMost(end, extent, $"a slice ends at {end} of {extent}");
            return new(start, end, step, null);
        }
        var (a, b) = (LinearForm.Of(first), LinearForm.Of(last));
        if ((b - a) is not { IsSize: true, Rest: var length })
        {
            Fail(Codes.ConstantNeeded, slice.Span,
                "the length of a slice must be a size, this one is only known in the call",
                null, new[] { first, last }.Select(AsSize).FirstOrDefault(h => h is not null)
                    ?? "let the same run-time scalar stand at both ends: `x[pos : pos + n]`, or mask instead of "
                        + "cutting");
            return null;
        }
        if (length.IsConstant && length.Value < 0)
        {
            Fail(Codes.SliceOutOfRange, slice.Span, $"a slice of {length} elements");
            return null;
        }
        AtMost(0, length, $"a slice has {length} elements");
        AtMost(length, extent, $"a slice of {length} elements of {extent}");
        var (low0, offset) = first is IntValue f ? (f.Size, null) : Split(((TensorValue)first).Node);
        if (offset is null)
        {
            AtMost(0, low0, $"a slice starts at {low0}");
            AtMost(low0 + length, extent, $"a slice ends at {low0 + length} of {extent}");
        }
        return new(low0, low0 + length, step, offset);
    }

    /// <summary>Splits a scalar integer into a size and an offset that the call adds to it, an i32 or i64.</summary>
    private (Size Start, Node? Offset) Split(Node scalar)
    {
        var form = LinearForm.Of(scalar);
        if (form.IsSize) return (form.Rest, null);
        if (form.Single is not { } node) (node, form) = (scalar, form with { Rest = Size.Zero });
        if (node.Type.DType is not (DType.I32 or DType.I64))
            node = Emit(new Graph.Convert(node, node.Type.DType.Bytes() < 4 ? DType.I32 : DType.I64));
        return (form.Rest, node);
    }

    /// <summary>The elements of a place.</summary>
    private TensorValue ReadPlace(TensorValue x, TensorPlace place)
    {
        var node = x.Node;
        if (!place.IsStatic)
        {
            // With a step, the whole stretch is read first, then every step-th element of it.
            ImmutableArray<Size> stretch = [.. place.Sizes.Select((size, d) =>
                place.Steps[d] == 1 ? size : (size - 1) * place.Steps[d] + 1)];
            ImmutableArray<int> axes = [.. Enumerable.Range(0, x.Rank).Where(d => place.Offsets[d] is not null)];
            node = Emit(new DynamicSlice(node, [.. axes.Select(d => place.Offsets[d]!)], axes, place.Starts, stretch));
            if (place.Steps.Any(s => s != 1))
                node = Emit(new Slice(node, [.. place.Starts.Select(_ => Size.Zero)], place.Sizes, place.Steps));
        }
        else if (!place.Sizes.SequenceEqual(x.Shape) || place.Steps.Any(p => p != 1))
        {
            node = Emit(new Slice(node, place.Starts, place.Sizes, place.Steps));
        }
        var dropped = place.Dropped;
        if (place.Gather is { } gather)
        {
            node = Emit(new Gather(Reshaped(node, gather.Joined(node.Type.Shape)), gather.Indices.Node, gather.Axis));
            var (end, more) = (gather.Axis + gather.Count, gather.Indices.Rank - gather.Count);
            dropped = [.. dropped.Where(d => d < gather.Axis), .. dropped.Where(d => d >= end).Select(d => d + more)];
        }
        if (dropped.Length > 0) node = Reshaped(node, [.. node.Type.Shape.Where((_, d) => !dropped.Contains(d))]);
        return Tensor(node);
    }
}
