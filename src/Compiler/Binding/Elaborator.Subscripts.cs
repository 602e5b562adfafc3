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
                return Fail(Codes.NotAnArray, s.Target.Span, $"{Describe(target)} has no subscripts", Describe(target),
                    target is FunctionValue or BuiltinValue or ModuleValue or InstanceValue
                        ? $"a call has parentheses: `{Short(s.Target.Span)}(…)`" : null);
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
            // A step may be any number of 64 bits, but a list has few elements.
            for (var i = start.Value; i < end.Value; i += Math.Min(step, count)) picked.Add((int)i);
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
                null, value is IntValue { Size: var size } && size.Variables().Any(loopVariables.Contains)
                    ? "a range is one loop in the call; `for i, x in enumerate(list)` is unrolled"
                    : "the elements of a list are separate values; put tensors of one shape in one tensor");
        }
        if (value is StringValue)
            return Fail(Codes.TypeMismatch, v.Span, "a list has positions and no names", Describe(value),
                $"write `{Short(s.Target.Span)}[0]`, or a `let` for each value");
        if (Constant(value, v.Span, "a subscript of a list") is not { } at) return Value.Poison;
        if (at < -count || at >= count)
            return Fail(Codes.SliceOutOfRange, v.Span, $"subscript {at} is outside a list of {count}", null,
                Subscripts(count), new Label(s.Target.Span, Describe(list)));
        return list.Items[(int)(at < 0 ? at + count : at)];
    }

    /// <summary>
    /// Start, end and step of a slice of a list. Only negative constants wrap. Null after a
    /// diagnostic.
    /// </summary>
    private (Size Start, Size End, long Step)? Bounds(SliceSubscript slice, Size extent, Span target, string what) =>
        PartOf(slice, extent, target, what) is not { } part ? null
            : part.Offset is null ? (part.Start, part.End, part.Step)
            : Run(slice);

    private (Size Start, Size End, long Step)? Run(SliceSubscript slice)
    {
        Fail(Codes.ConstantNeeded, slice.Span,
            "a slice of a list has constant bounds, these are only known when called",
            null, "the elements of a list are separate values; put tensors of one shape in one tensor");
        return null;
    }

    /// <summary>
    /// low &lt;= high: proved, or demanded. Outside branches it is demanded for the rounds of a loop where it is least
    /// likely to hold; in a branch, which some rounds do not take, for the current round.
    /// </summary>
    private void AtMost(Size low, Size high, string why)
    {
        if (ranges.NonNegative(high - low) || IsAsked(high - low)) return;
        var loop = (high - low).Variables().FirstOrDefault(v => ranges.Knows(v) && !indexOf.ContainsKey(v));
        if (IsConditional || loop is null || (high - low).AffineIn(loop) is not var (factor, _))
        {
            Demand(new EntryCheck(CheckKind.AtMost, low, high, Readable(why)));
            return;
        }
        // The first and the last round of the loop, one of which is the worst.
        void At(Size round) => AtMost(low.Substitute(v => v == loop ? round : null),
            high.Substitute(v => v == loop ? round : null), why);
        if (!Affine.IsNegative(factor)) At(Size.Zero);
        if (!factor.Terms.All(t => t.Coefficient > 0)) At(ranges.ExtentOf(loop) - 1);
    }

    /// <summary>True if an entry check already implies it: 3 &lt;= h + 2 is the same as 1 &lt;= h.</summary>
    private bool IsAsked(Size difference) => Root.Checks.Any(c => c.Kind == CheckKind.AtMost
        && difference - (c.Right - c.Left) is { IsConstant: true, Value: >= 0 });

    private Value Sliced(TensorValue x, SelectExpression s) => PlaceOf(x, s) is { } place ? ReadPlace(x, place)
        : Value.Poison;
}
