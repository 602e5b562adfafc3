// Subscripts outside index forms: elements and slices of lists; slices, integers and one tensor of indices on tensors.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private Value Subscripted(SelectExpression s)
    {
        if (s.Target is NameExpression { Name: var reduction } && ReductionNames.Contains(reduction)
            && Frame.Find(reduction) is null)
        {
            return Fail(Codes.NotAnArray, s.Span, $"`{reduction}[…]` needs what it reduces in parentheses", null,
                $"write `{s.Span.Text}(…)`");
        }
        var target = Expression(s.Target);
        switch (target)
        {
            case PoisonValue:
                return target;
            case ListValue list:
                return Element(list, s);
            case TensorValue tensor:
                return openForms > 0 ? Read(tensor, s) : Sliced(tensor, s);
            default:
                return Fail(Codes.NotAnArray, s.Target.Span, $"{Describe(target)} has no subscripts", Describe(target));
        }
    }

    private Value Element(ListValue list, SelectExpression s)
    {
        if (s.Subscripts is not [var subscript])
            return Fail(Codes.WrongRank, s.Span, "a list takes one subscript", null, "for a list in a list: `a[i][j]`");
        var count = list.Items.Length;
        if (subscript is SliceSubscript slice)
        {
            if (Bounds(slice, count, s.Target.Span, Describe(list)) is not var (start, end, step)) return Value.Poison;
            var picked = new List<int>();
            for (var i = (int)start.Value; i < end.Value; i += (int)step) picked.Add(i);
            return new ListValue([.. picked.Select(i => list.Items[i])], list.Names is { } names
                ? [.. picked.Select(i => names[i])] : null);
        }
        if (subscript is not ValueSubscript v)
            return Fail(Codes.WrongRank, subscript.Span, "a list takes one subscript");
        var value = Expression(v.Value);
        if (value is IntValue { Size.IsConstant: false } or TensorValue)
        {
            return Fail(Codes.ConstantNeeded, v.Span,
                $"a subscript of a list must be a constant, {Describe(value)} is only known when called",
                null, "the elements of a list are separate values; put tensors of one shape in one tensor");
        }
        if (Constant(value, v.Span, "a subscript of a list") is not { } at) return Value.Poison;
        if (at < -count || at >= count)
            return Fail(Codes.SliceOutOfRange, v.Span, $"subscript {at} of a list of {count}", null, null,
                new Label(s.Target.Span, Describe(list)));
        return list.Items[(int)(at < 0 ? at + count : at)];
    }

    /// <summary>
    /// Start, end and step of a slice of an axis. Only negative constants wrap. Null after a
    /// diagnostic.
    /// </summary>
    private (Size Start, Size End, long Step)? Bounds(SliceSubscript slice, Size extent, Span target, string what)
    {
        Size? Part(ExpressionSyntax? e, Size missing)
        {
            if (e is null) return missing;
            switch (Expression(e))
            {
                case IntValue i:
                    return i.Size.IsConstant && i.Size.Value < 0 ? i.Size + extent : i.Size;
                case TensorValue:
                    Limit(e.Span, "a slice whose bounds are run-time values");
                    return null;
                case PoisonValue:
                    return null;
                case var other:
                    Fail(Codes.TypeMismatch, e.Span, $"a slice takes ints, not {Describe(other)}", Describe(other));
                    return null;
            }
        }
        if (Part(slice.Start, Size.Zero) is not { } start || Part(slice.End, extent) is not { } end) return null;
        long step = 1;
        if (slice.Step is not null)
        {
            if (Constant(Expression(slice.Step), slice.Step.Span, "the step of a slice") is not { } given) return null;
            step = given;
            if (step <= 0)
            {
                Limit(slice.Step.Span, "a step that is not positive",
                    "reverse with an index form: `[i < n] => x[n - 1 - i]`");
                return null;
            }
        }
        foreach (var (low, high) in new[] { (Size.Zero, start), (start, end), (end, extent) })
        {
            if (!(high - low).IsConstant || (high - low).Value >= 0) continue;
            Fail(Codes.SliceOutOfRange, slice.Span, $"the slice {start}:{end} leaves 0:{extent}", null,
                "slices are not clamped",
                new Label(target, what));
            return null;
        }
        AtMost(0, start, $"a slice starts at {start}");
        AtMost(start, end, $"a slice runs from {start} to {end}");
        AtMost(end, extent, $"a slice ends at {end} of {extent}");
        return (start, end, step);
    }

    /// <summary>low &lt;= high: proved, or a check at entry.</summary>
    private void AtMost(Size low, Size high, string why)
    {
        if (!ranges.NonNegative(high - low)) Graph.Require(new EntryCheck(CheckKind.AtMost, low, high, Readable(why)));
    }

    private Value Sliced(TensorValue x, SelectExpression s)
    {
        var rank = x.Rank;
        var groups = s.Subscripts.Count(g => g is GroupSubscript);
        var given = s.Subscripts.Length - groups;
        if (groups > 1 || given > rank)
        {
            return Fail(Codes.WrongRank, s.Span, groups > 1 ? "`..` stands at most once among subscripts"
                : $"{given} subscripts for {rank} axes", null, null, new Label(s.Target.Span, Describe(x)));
        }
        var starts = Enumerable.Repeat(Size.Zero, rank).ToArray();
        var sizes = x.Shape.ToArray();
        var steps = Enumerable.Repeat(1L, rank).ToArray();
        var dropped = new List<int>();
        (int Axis, TensorValue Indices)? gather = null;
        var axis = 0;
        foreach (var subscript in s.Subscripts)
        {
            switch (subscript)
            {
                case GroupSubscript:
                    axis += rank - given;
                    continue;
                case SliceSubscript slice:
                    if (Bounds(slice, x.Shape[axis], s.Target.Span, Describe(x)) is not var (start, end, step))
                        return Value.Poison;
                    (starts[axis], steps[axis]) = (start, step);
                    sizes[axis] = step == 1 ? end - start : FloorDiv(end - start + (step - 1), step);
                    break;
                case ValueSubscript v:
                    switch (Expression(v.Value))
                    {
                        case IntValue i:
                            var at = i.Size.IsConstant && i.Size.Value < 0 ? i.Size + x.Shape[axis] : i.Size;
                            var room = x.Shape[axis] - 1 - at;
                            if ((at.IsConstant && at.Value < 0) || (room.IsConstant && room.Value < 0))
                            {
                                return Fail(Codes.SliceOutOfRange, v.Span,
                                    $"subscript {i.Size} of an axis of {x.Shape[axis]}", null, null,
                                    new Label(s.Target.Span, Describe(x)));
                            }
                            AtMost(0, at, $"subscript {at}");
                            AtMost(at + 1, x.Shape[axis], $"subscript {at} of an axis of {x.Shape[axis]}");
                            (starts[axis], sizes[axis]) = (at, Size.One);
                            dropped.Add(axis);
                            break;
                        case TensorValue t when t.DType.IsInteger:
                            if (gather is not null)
                                return Limit(v.Span, "two tensors as subscripts",
                                "write an index form: `[n] => a[i[n], j[n]]`");
                            gather = (axis, t);
                            break;
                        case TensorValue t:
                            return Fail(Codes.TypeMismatch, v.Span, $"subscripts are integers, not {Describe(t)}",
                                Describe(t));
                        case PoisonValue:
                            return Value.Poison;
                        case var other:
                            return Fail(Codes.TypeMismatch, v.Span,
                                $"a subscript is an int or an integer tensor, not {Describe(other)}", Describe(other));
                    }
                    break;
            }
            axis++;
        }
        var node = x.Node;
        if (!sizes.SequenceEqual(x.Shape) || steps.Any(p => p != 1))
            node = Emit(new Slice(node, [.. starts], [.. sizes], [.. steps]));
        if (gather is var (gathered, indices))
        {
            node = Emit(new Gather(node, indices.Node, gathered));
            dropped = [.. dropped.Select(d => d > gathered ? d + indices.Rank - 1 : d)];
        }
        if (dropped.Count > 0) node = Reshaped(node, [.. node.Type.Shape.Where((_, d) => !dropped.Contains(d))]);
        return Tensor(node);
    }
}
