// A read under an `if` of an index form, or on the right of its `and` and `or`: the facts known there about a
// subscript, and positions that are out of range only where the read happens.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>
    /// A proof looks at pairs of facts: if there are more, those of the outermost guards are left out.
    /// </summary>
    private const int MostKnown = 16;

    /// <summary>Sizes that are not negative where a truth value is true, and where it is false.</summary>
    private sealed record Implied(ImmutableArray<Size> IfTrue, ImmutableArray<Size> IfFalse);

    private readonly Dictionary<Node, Implied> implied = new(ReferenceEqualityComparer.Instance);

    /// <summary>Evaluates an expression that is used only where the condition is true, or where it is false.</summary>
    private T Under<T>(TensorValue condition, bool truth, Func<T> evaluate)
    {
        using var guards = new Scope<ImmutableArray<Guard>>(ref Frame.Guards,
            Frame.Guards.Add(new(condition, truth)));
        return evaluate();
    }

    // ---- facts about sizes from conditions -------------------------------------------------------------------------

    /// <summary>
    /// Records the facts that a comparison of two expressions of indices implies where it holds, and where it does not.
    /// </summary>
    private Value Implying(Value compared, Syntax.BinaryOperator op, Size x, Size y)
    {
        if (compared is not TensorValue { Node: var node } || openForms == 0) return compared;
        var (more, less) = (Tightened(x - y), Tightened(y - x));
        ImmutableArray<Size> apart = ranges.NonNegative(more) ? [more - 1] : ranges.NonNegative(less) ? [less - 1] : [];
        implied[node] = op switch
        {
            Syntax.BinaryOperator.Less => new([Tightened(y - x - 1)], [more]),
            Syntax.BinaryOperator.LessOrEqual => new([less], [Tightened(x - y - 1)]),
            Syntax.BinaryOperator.Greater => new([Tightened(x - y - 1)], [less]),
            Syntax.BinaryOperator.GreaterOrEqual => new([more], [Tightened(y - x - 1)]),
            Syntax.BinaryOperator.Equal => new([more, less], apart),
            _ => new(apart, [more, less]),
        };
        return compared;
    }

    /// <summary>Where an `and` is true both sides are true, where an `or` is false both are false.</summary>
    private Value ImplyingBoth(Value joined, bool isAnd, TensorValue a, TensorValue b)
    {
        if (joined is not TensorValue { Node: var node }) return joined;
        var (p, q) = (ImpliedBy(a), ImpliedBy(b));
        implied[node] = isAnd ? new([.. p.IfTrue, .. q.IfTrue], []) : new([], [.. p.IfFalse, .. q.IfFalse]);
        return joined;
    }

    private TensorValue ImplyingNot(TensorValue negated, TensorValue of)
    {
        var (ifTrue, ifFalse) = ImpliedBy(of);
        implied[negated.Node] = new(ifFalse, ifTrue);
        return negated;
    }

    private Implied ImpliedBy(TensorValue condition) => implied.GetValueOrDefault(condition.Node) ?? new([], []);

    /// <summary>For integers, 2 * i - 1 is at least 0 exactly if i - 1 is.</summary>
    private static Size Tightened(Size s)
    {
        var divisor = 0L;
        foreach (var term in s.Terms.Where(t => !t.Atoms.IsEmpty))
            divisor = (long)System.Numerics.BigInteger.GreatestCommonDivisor(divisor, term.Coefficient);
        if (divisor < 2) return s;
        var offset = Size.Constant((long)Math.Floor((decimal)s.Offset / divisor));
        return s.Terms.Where(t => !t.Atoms.IsEmpty).Aggregate(offset, (sum, t) => sum + Size.OfTerm(new Size.Term(t.Coefficient / divisor, t.Atoms)));
    }

    /// <summary>
    /// True if the surrounding guards and the extents of the indices keep a subscript within its axis.
    /// </summary>
    private bool IsCovered(Size at, Size extent) => IsImplied(at, extent - 1 - at);

    /// <summary>True if they imply that the sizes are not negative.</summary>
    private bool IsImplied(params ReadOnlySpan<Size> sizes)
    {
        // Where an element is read, each surrounding index has an element.
        var known = new List<Size>();
        foreach (var guard in Frame.Guards)
        {
            var says = ImpliedBy(guard.Condition);
            known.AddRange((guard.Truth ? says.IfTrue : says.IfFalse).Select(Current));
        }
        for (var f = Frame; f is not null; f = f.Caller)
            known.AddRange(f.Indices.Where(i => !i.Extent.IsConstant).Select(i => i.Extent - 1));
        known = [.. known.Distinct().TakeLast(MostKnown)];
        try
        {
            foreach (var size in sizes) if (!Follows(size)) return false;
            return true;
        }
        catch (OverflowException)
        {
            // A difference that overflows 64 bits proves nothing.
            return false;
        }

        bool Follows(Size s)
        {
            // max(e - 2, 0) is one of the two.
            if (s.Terms.FirstOrDefault(t => t.Atoms is [MaxAtom or MinAtom]) is { } choice)
            {
                var (left, right) = choice.Atoms[0] is MaxAtom m ? (m.Left, m.Right)
                    : (((MinAtom)choice.Atoms[0]).Left, ((MinAtom)choice.Atoms[0]).Right);
                var rest = s - Size.OfTerm(choice);
                return ranges.NonNegative(s)
                    || (Follows(rest + choice.Coefficient * left) && Follows(rest + choice.Coefficient * right));
            }
            return ranges.NonNegative(s) || known.Any(k => ranges.NonNegative(s - k))
                || known.Any(k => known.Any(l => !ReferenceEquals(k, l) && ranges.NonNegative(s - k - l)));
        }
    }

    /// <summary>
    /// A subscript that the guards keep within its axis is clamped for the places where they do not hold; the values
    /// read there are not used.
    /// </summary>
    private TensorValue Clamped(TensorValue at, Size extent) =>
        Join(Join(at, Scalar(0L, at.DType), (p, q) => new Binary(BinaryOp.Max, p, q)),
            RealizeSize(extent - 1, at.DType), (p, q) => new Binary(BinaryOp.Min, p, q));

    // ---- positions where the read happens --------------------------------------------------------------------------

    /// <summary>
    /// The positions where the read happens; elsewhere a valid one. A gather is computed for every element, so it must
    /// fail the call only for those that are really read. An axis that may be empty gets an element for the others.
    /// </summary>
    private TensorValue WhereRead(ref Node node, int axis, TensorValue at, bool isNeverEmpty)
    {
        if (Frame.Guards.IsEmpty) return at;
        at = Whole(at);
        var reads = Reads(at.Indices);
        if (isNeverEmpty) return Chosen(reads, at, Scalar(0L, at.DType));
        var extent = node.Type.Shape[axis];
        if (at.DType != DType.I64) at = Tensor(new Graph.Convert(at.Node, DType.I64), at.Indices);
        var none = RealizeSize(extent, DType.I64);
        node = PadAxis(node, axis, 0, 1, Zero(node.Type.DType));
        var outside = Join(at, none, (p, q) => new Compare(CompareOp.Ge, p, q));
        return Chosen(reads, Chosen(outside, Scalar(-1L, DType.I64), at), none);
    }

    private TensorValue Chosen(TensorValue condition, TensorValue a, TensorValue b)
    {
        var indices = InOrder(condition.Indices.Concat(a.Indices).Concat(b.Indices));
        return Tensor(new Select(Spread(condition, indices, []).Node, Spread(a, indices, []).Node,
            Spread(b, indices, []).Node), indices);
    }

    /// <summary>
    /// True where all surrounding guards hold, over the given indices: a position that several elements share is read
    /// if they hold for any of them.
    /// </summary>
    private TensorValue Reads(ImmutableArray<Index> indices)
    {
        var parts = Frame.Guards.Select(g => Whole(g.Truth ? g.Condition
            : Tensor(new Unary(UnaryOp.Not, g.Condition.Node), g.Condition.Indices))).ToList();
        foreach (var index in parts.SelectMany(p => p.Indices).Except(indices).ToList())
        {
            var those = parts.Where(p => p.Indices.Contains(index)).ToList();
            parts = [.. parts.Except(those), ReduceOver(All(those), ReduceOp.Or, [index])];
        }
        return All(parts);

        TensorValue All(List<TensorValue> conditions) => conditions.Aggregate((a, b) =>
            Join(a, b, (p, q) => new Binary(BinaryOp.And, p, q)));
    }
}
