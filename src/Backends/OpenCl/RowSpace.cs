// In: the outer loops of a row kernel and its reductions. Out: how many work items share a row, and how many rows a group.
using System.Collections.Immutable;
using System.Numerics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// 16 work items are a team, one for each lane of a reduction. A row of several blocks has a team for each, up to 16; short
/// rows share a group. One int argument says how many teams a row has.
/// </summary>
/// <param name="rows">The parallel loops.</param>
/// <param name="lengths">Extents of the lane reductions that the items of a row share.</param>
/// <param name="mayShare">Whether all rows of a group pass the same barriers.</param>
internal sealed class RowSpace(ImmutableArray<Axis> rows, ImmutableArray<Size> lengths, bool mayShare) : IndexSpace
{
    /// <summary>The teams of a group: the text's local arrays are for as many.</summary>
    public const int MaxTeams = 16;

    // Two to four warps hide each other's latency; rows beyond that are groups of their own.
    private const int SharedTeams = 8;

    // Groups that a GPU wants before rows may share one.
    private const long ManyGroups = 256;

    public override long LeastGroup => ReductionText.Lanes;

    /// <summary>Terms of the longest reduction; one whose extent only the row knows counts as long.</summary>
    public long Longest(Func<string, long> sizes)
    {
        try
        {
            return lengths.Max(l => l.Evaluate(sizes));
        }
        catch (Exception e) when (e is KeyNotFoundException or Compiler.Diagnostics.InternalErrorException)
        {
            return ReductionText.BlockSize;
        }
    }

    /// <inheritdoc/>
    public override Launch? For(Func<string, long> sizes, long limit, bool isGpu)
    {
        var count = rows.Aggregate(1L, (product, r) => checked(product * Math.Max(0, r.Extent.Evaluate(sizes))));
        if (count == 0) return null;
        var most = Math.Min(MaxTeams, limit / ReductionText.Lanes);
        var blocks = Math.Clamp((Longest(sizes) + ReductionText.BlockSize - 1) / ReductionText.BlockSize, 1, most);
        var teams = (long)BitOperations.RoundUpToPowerOf2((ulong)blocks);
        if (teams > most) teams /= 2;
        var shared = 1L;
        while (mayShare && shared * 2 * teams <= Math.Min(SharedTeams, most) && count / (shared * 2) >= ManyGroups) shared *= 2;
        var group = ReductionText.Lanes * teams * shared;
        return new([checked(((count + shared - 1) / shared) * group)], [group], (int)teams);
    }
}
