// In: a kernel whose rows are shared by several items. Out: the number of work items for a row, and of rows in a group.
using System.Collections.Immutable;
using System.Numerics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// 16 work items are a team, one for each lane of a reduction. A row of several blocks has a team for each, up to 16;
/// short rows share a group. One int argument is the number of teams of a row.
/// </summary>
/// <param name="kernel">The kernel.</param>
/// <param name="reductions">The extents of the lane reductions that the items of a row share.</param>
/// <param name="vectors">The extents of the vector loops that they share.</param>
/// <param name="mayShare">Whether all rows of a group pass the same barriers.</param>
internal sealed class RowSpace(Kernel kernel, ImmutableArray<Size> reductions, ImmutableArray<Size> vectors,
    bool mayShare)
    : IndexSpace
{
    /// <summary>The maximum teams of a group, which is the size of the text's local arrays.</summary>
    public const int MaxTeams = 16;

    // Two to four warps hide each other's latency; rows with more teams get a group of their own.
    private const int SharedTeams = 8;

    // The number of groups that a GPU should have before rows share one.
    private const long ManyGroups = 256;

    public override long LeastGroup => ReductionText.Lanes;

    // The elements of a vector loop that are worth a work item.
    private const long ItemElements = 4;

    /// <summary>The iterations of the longest loop that the items of a row share.</summary>
    public long Longest(Func<string, long> sizes) => Math.Max(Longest(reductions, sizes), Longest(vectors, sizes));

    /// <summary>An extent that depends on the row is taken for the first row.</summary>
    private long Longest(ImmutableArray<Size> extents, Func<string, long> sizes) => extents
        .Select(e => e.Evaluate(name => kernel.Sizes.Contains(name) ? sizes(name) : 0)).DefaultIfEmpty(0).Max();

    /// <inheritdoc/>
    public override Launch? For(Func<string, long> sizes, long limit, bool isGpu)
    {
        var count = kernel.ParallelNest().Loops
            .Aggregate(1L, (product, l) => checked(product * Math.Max(0, l.Extent.Evaluate(sizes))));
        if (count == 0) return null;
        var most = Math.Min(MaxTeams, limit / ReductionText.Lanes);
        // A team has work in a reduction only if it has a block of terms.
        var wanted = reductions.IsEmpty ? Longest(vectors, sizes) / (ItemElements * ReductionText.Lanes)
            : (Longest(reductions, sizes) + ReductionText.BlockSize - 1) / ReductionText.BlockSize;
        var teams = (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Clamp(wanted, 1, most));
        if (teams > most) teams /= 2;
        var shared = 1L;
        while (mayShare && shared * 2 * teams <= Math.Min(SharedTeams, most) && count / (shared * 2) >= ManyGroups)
            shared *= 2;
        var group = ReductionText.Lanes * teams * shared;
        return new([checked(((count + shared - 1) / shared) * group)], [group], (int)teams);
    }
}
