// In: a contraction. Out: which of its sides can be read in place, and how: rows, packed panels, columns.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// The last Inner axes of k as one run: the element at step s is Stride · s after the Start, which depends on the other
/// axes of k.
/// </summary>
internal sealed record Run(Size Start, Size Stride, int Inner);

/// <summary>
/// The left side is one load: a pointer for each row and each step of the outer axes of k, then a run.
/// </summary>
internal sealed record RowAccess(Load Load, Run Run, Literal? Fill, bool IsConverted);

/// <summary>The right side is one load, contiguous along n, with a run along k.</summary>
internal sealed record ColumnAccess(Load Load, Run Run);

/// <summary>
/// The right side is already stored in panels [k][32]: that of the columns 32 p .. begins at Start + Stride · p.
/// </summary>
internal sealed record PanelAccess(Load Load, Size Start, Size Stride);

/// <summary>Rows that are contiguous along all of k.</summary>
/// <param name="Load">The load that reads them.</param>
/// <param name="Start">The position of the first row's first element.</param>
/// <param name="Stride">The distance from one row to the next.</param>
/// <param name="Order">The axes of k in memory order, the outermost first.</param>
internal sealed record KRows(Load Load, Size Start, Size Stride, ImmutableArray<Axis> Order);

internal static class ContractSides
{
    /// <summary>
    /// The left side as rows, or null. Guards may depend on the row and the outer axes of k: they select the pointer.
    /// </summary>
    public static RowAccess? Rows(Contract contract)
    {
        Load? load = null;
        var (isYield, isConverted) = (false, false);
        var literals = new Dictionary<Value, Literal>();
        foreach (var statement in contract.Left.Statements)
        {
            switch (statement)
            {
                case Literal l:
                    literals[l.Result] = l;
                    break;
                case Load x when load is null:
                    (load, isYield) = (x, x.Result == contract.LeftYield);
                    break;
                case Compute { Op: ScalarOp.Convert } c when c.Arguments[0] == load?.Result
                    && c.Result == contract.LeftYield:
                    (isYield, isConverted) = (true, true);
                    break;
                default:
                    return null;
            }
        }
        if (load is null || !isYield) return null;
        Literal? fill = null;
        if (load.Fill is { } value && !literals.TryGetValue(value, out fill)) return null;
        var run = RunOf(load.Offset, contract, load.Guards);
        if (run is null) return null;
        var isWhole = run.Inner == contract.K.Length;
        // Converted rows become contiguous; a row of padding is made once, for a known stride.
        if (isConverted && !(isWhole && load.Guards.IsEmpty && run.Stride.Is(1))) return null;
        if (!load.Guards.IsEmpty && !(run.Stride.IsConstant && run.Stride.Value > 0)) return null;
        return new(load, run, fill, isConverted);
    }

    /// <summary>The right side as packed panels, or null.</summary>
    public static PanelAccess? Panels(Contract contract)
    {
        if (contract.Right.Statements is not [Load { Guards.IsEmpty: true } load] || load.Result != contract.RightYield)
            return null;
        var ranges = new IndexRanges();
        ranges.Add("column'", Tile.Panel);
        foreach (var k in contract.K) ranges.Add(k.Variable, k.Extent);
        var offset = load.Offset.Substitute(v => v == contract.N.Variable
            ? Size.Variable("panel'") * Tile.Panel + Size.Variable("column'")
            : null, ranges);
        if (offset.AffineIn("column'") is not var (one, rest) || !one.Is(1)) return null;
        if (rest.AffineIn("panel'") is not var (stride, start)) return null;
        if (contract.K.Any(k => stride.Mentions(k.Variable)) || !(stride.IsConstant || !stride.Mentions("panel'")))
            return null;
        var run = RunOf(start, contract, []);
        // A k of one step has no stride to check.
        var isWhole = contract.K.All(k => k.Extent.Is(1)) || run?.Stride.Is(Tile.Panel) == true;
        return run is not null && isWhole && run.Inner == contract.K.Length ? new(load, run.Start, stride) : null;
    }

    /// <summary>The right side contiguous along n, or null.</summary>
    public static ColumnAccess? Columns(Contract contract)
    {
        if (contract.Right.Statements is not [Load { Guards.IsEmpty: true } load] || load.Result != contract.RightYield)
            return null;
        if (load.Offset.AffineIn(contract.N.Variable) is not var (one, rest) || !one.Is(1)) return null;
        return RunOf(rest, contract, []) is { } run ? new(load, run) : null;
    }

    /// <summary>
    /// The right side as rows along k: contiguous along all of k, in any order of its axes, one load, any stride along
    /// n.
    /// </summary>
    public static KRows? Transposed(Contract contract)
    {
        if (contract.Right.Statements is not [Load { Guards.IsEmpty: true } load] || load.Result != contract.RightYield)
            return null;
        if (load.Offset.AffineIn(contract.N.Variable) is not var (stride, rest)
            || contract.K.Any(k => stride.Mentions(k.Variable)))
            return null;
        // From the innermost axis on, the stride of each must be the size of those inside it.
        var (left, order, count) = (contract.K.ToList(), new List<Axis>(), Size.One);
        while (left.FindLast(k => rest.AffineIn(k.Variable) is var (step, _) && (step == count || k.Extent.Is(1))) is { } k)
        {
            rest = rest.AffineIn(k.Variable)!.Value.Remainder;
            order.Insert(0, k);
            left.Remove(k);
            count *= k.Extent;
        }
        return left.Count == 0 && order.Count > 0 ? new(load, rest, stride, [.. order]) : null;
    }

    /// <summary>
    /// The axes of k by the strides of the right side's reads, the largest first; null for the contract's own order.
    /// </summary>
    public static ImmutableArray<Axis>? ByStride(Contract contract)
    {
        if (contract.Right.Statements.OfType<Load>().ToList() is not [var load]) return null;
        var strides = contract.K.Select(k => load.Offset.AffineIn(k.Variable)?.Coefficient).ToList();
        if (!strides.All(s => s is { IsConstant: true })) return null;
        ImmutableArray<Axis> order = [.. contract.K.Select((k, i) => (Axis: k, Stride: Math.Abs(strides[i]!.Value)))
            .OrderByDescending(k => k.Stride).Select(k => k.Axis)];
        return order.SequenceEqual(contract.K) ? null : order;
    }

    private static Run? RunOf(Size offset, Contract contract, ImmutableArray<Guard> guards)
    {
        Size? stride = null;
        var (count, inner) = (Size.One, 0);
        for (var i = contract.K.Length - 1; i >= 0; i--)
        {
            var k = contract.K[i];
            if (guards.Any(g => g.Index.Mentions(k.Variable) || g.Extent.Mentions(k.Variable))) break;
            if (offset.AffineIn(k.Variable) is not var (coefficient, rest)) break;
            if (!k.Extent.Is(1))
            {
                if (stride is null)
                {
                    // The same stride for all rows and steps.
                    if (coefficient.Mentions(contract.M.Variable) || coefficient.Mentions(contract.N.Variable)
                        || contract.K.Any(o => coefficient.Mentions(o.Variable))) break;
                    stride = coefficient;
                }
                else if (!coefficient.Equals(stride * count)) break;
                count *= k.Extent;
            }
            offset = rest;
            inner++;
        }
        return inner == 0 && contract.K.Length > 0 ? null : new Run(offset, stride ?? Size.One, inner);
    }
}
