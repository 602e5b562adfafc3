// In: the axes of a contraction, the loops around it, and a tile. Out: a group for each tile of the output.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.OpenCl;

/// <summary>The part of the output that a group computes, and the part of a work item.</summary>
/// <param name="M">The rows of a group.</param>
/// <param name="N">The columns of a group.</param>
/// <param name="ItemM">The rows of an item, M / Y apart.</param>
/// <param name="ItemN">The columns of an item, N / X apart, so that adjacent items store adjacent elements.</param>
/// <param name="K">The steps of k in local memory at a time.</param>
internal sealed record TileShape(int M, int N, int ItemM, int ItemN, int K)
{
    /// <summary>
    /// 16 accumulators for 8 reads of local memory a step, which lets a GPU's registers hold four such groups; 8 KiB of
    /// local memory for f32. Not measured on a GPU yet.
    /// </summary>
    public static readonly TileShape Square = new(64, 64, 4, 4, 16);

    /// <summary>A row times a panel: it matters that the panel is read in whole lines.</summary>
    public static readonly TileShape Thin = new(1, 64, 1, 1, 32);

    /// <summary>Work items along n.</summary>
    public int X => N / ItemN;

    /// <summary>Work items along m.</summary>
    public int Y => M / ItemM;

    public int Items => X * Y;
}

internal sealed class TileSpace(ImmutableArray<Axis> outer, Contract contract, TileShape tile) : IndexSpace
{
    public override long LeastGroup => tile.Items;

    /// <summary>Rows, columns, and multiply-adds of the whole launch.</summary>
    public (long M, long N, double Work) Measure(Func<string, long> sizes)
    {
        var (m, n) = (contract.M.Extent.Evaluate(sizes), contract.N.Extent.Evaluate(sizes));
        return (m, n, outer.Concat(contract.K)
            .Aggregate((double)m * n, (product, a) => product * a.Extent.Evaluate(sizes)));
    }

    /// <inheritdoc/>
    public override Launch? For(Func<string, long> sizes, long limit, bool isGpu)
    {
        var batch = outer.Aggregate(1L, (product, a) => checked(product * Math.Max(0, a.Extent.Evaluate(sizes))));
        var (m, n) = (Math.Max(0, contract.M.Extent.Evaluate(sizes)), Math.Max(0, contract.N.Extent.Evaluate(sizes)));
        if (batch == 0 || m == 0 || n == 0) return null;
        // The outer loops share dimension 0 with the columns, because some devices allow at most 65535 groups in the
        // others.
        return new([checked(batch * ((n + tile.N - 1) / tile.N) * tile.X), (m + tile.M - 1) / tile.M * tile.Y],
            [tile.X, tile.Y]);
    }
}
