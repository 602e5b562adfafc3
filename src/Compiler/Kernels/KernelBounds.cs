// In: a kernel. Out: the accesses that are not proved to lie inside their buffers.
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>An unguarded access, and the offset that is not proved to lie in [0, Count).</summary>
internal sealed record UnprovedAccess(string Buffer, Size Offset, Size Count)
{
    public override string ToString() => $"{Buffer}[{Offset}] of {Count}";
}

/// <summary>
/// Proves by the ranges of loop variables that unguarded accesses are in bounds. Sound, not complete. A value in an
/// offset has a range when it is a clamp: select(x &lt; 0, 0, select(x &gt; last, last, x)), for an axis that is not
/// empty.
/// </summary>
internal static class KernelBounds
{
    public static IReadOnlyList<UnprovedAccess> Unproved(Kernel kernel) =>
        [.. Find(kernel, strict: false).Select(a => a.Access)];

    /// <summary>
    /// The loads and stores whose bounds rest on the text alone: also those with guards, which may test something else,
    /// and clamps to an axis that may be empty.
    /// </summary>
    internal static IEnumerable<Statement> UnprovedStatements(Kernel kernel) =>
        Find(kernel, strict: true).Select(a => a.Statement);

    private static List<(Statement Statement, UnprovedAccess Access)> Find(Kernel kernel, bool strict)
    {
        var unproved = new List<(Statement, UnprovedAccess)>();
        Check(kernel.Body, new IndexRanges(), []);
        return unproved;

        void Check(Block block, IndexRanges ranges, Dictionary<int, Statement> outer)
        {
            ranges = new IndexRanges(ranges);
            var defined = new Dictionary<int, Statement>(outer);
            foreach (var statement in block.Statements)
            {
                switch (statement)
                {
                    case Compute c:
                        defined[c.Result.Id] = c;
                        if (ClampExtent(c, defined) is { } clamped && (!strict || ranges.NonNegative(clamped - 1)))
                            ranges.Add(c.Result.IndexName, clamped);
                        break;
                    case Literal l:
                        defined[l.Result.Id] = l;
                        break;
                    case IndexValue i:
                        defined[i.Result.Id] = i;
                        break;
                    case Load l when strict || l.Guards.IsEmpty:
                        Access(l, l.Buffer, l.Offset, ranges);
                        break;
                    case Store s when strict || s.Guards.IsEmpty:
                        Access(s, s.Buffer, s.Offset, ranges);
                        break;
                    default:
                        foreach (var scope in statement.Scopes)
                            Check(scope.Block, Within(ranges, statement, scope), defined);
                        break;
                }
            }
        }

        void Access(Statement statement, int buffer, Size offset, IndexRanges ranges)
        {
            var (name, count) = (kernel.Buffers[buffer].Name, kernel.Buffers[buffer].Count);
            // A name without a range is either a size, which is not negative, or a value, of which nothing is known.
            var known = offset.Variables().All(v => ranges.Knows(v) || kernel.Sizes.Contains(v));
            if (!known || !ranges.InRange(offset, count)) unproved.Add((statement, new UnprovedAccess(name, offset, count)));
        }
    }

    private static IndexRanges Within(IndexRanges outer, Statement statement, Scope scope)
    {
        var ranges = new IndexRanges(outer);
        foreach (var axis in scope.Axes) ranges.Add(axis.Variable, axis.Extent);
        // The index for which a key was yielded; the body's own blocks do not see it.
        if (statement is Ordering o) ranges.Add(o.At.IndexName, o.Extent);
        return ranges;
    }

    /// <summary>last + 1, if the value is x clamped to [0, last].</summary>
    private static Size? ClampExtent(Compute value, Dictionary<int, Statement> defined)
    {
        if (value is not
            {
                Op: ScalarOp.Select, Result.Type: DType.I64, Arguments: [var low, var zero,
            var rest]
            }) return null;
        if (!IsZero(zero) || defined.GetValueOrDefault(rest.Id) is not Compute
            {
                Op: ScalarOp.Select,
                Arguments: [var high, var last, var x]
            })
            return null;
        return (Compares(low, ScalarOp.Lt, x, zero) || Compares(low, ScalarOp.Lt, rest, zero))
            && Compares(high, ScalarOp.Gt, x, last)
            && defined.GetValueOrDefault(last.Id) is IndexValue index ? index.Index + 1 : null;

        bool IsZero(Value v) => defined.GetValueOrDefault(v.Id) is Literal { Integer: 0 };

        bool Compares(Value condition, ScalarOp op, Value a, Value b) =>
            defined.GetValueOrDefault(condition.Id) is Compute c && c.Op == op && c.Arguments[0] == a
                && c.Arguments[1] == b;
    }
}
