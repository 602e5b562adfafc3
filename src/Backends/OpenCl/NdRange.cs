// In: a map kernel. Out: which of its loops become work items, what each work item runs, and the launch for given sizes.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// The outer parallel and vector loops of a kernel as an index space of at most three dimensions. Dimension 0 is the
/// innermost loop, so that neighbouring work items touch neighbouring elements; from the third loop outwards, all share
/// dimension 2.
/// </summary>
internal sealed class NdRange
{
    /// <summary>OpenCL promises three dimensions and no more.</summary>
    public const int MaxDimensions = 3;

    // Enough items to fill the vectors of a CPU and two warps of a GPU; kernels here use no local memory.
    private const long GroupItems = 64;

    private NdRange(ImmutableArray<Loop> loops, ImmutableArray<Statement> between, Block body) =>
        (Loops, Between, Body) = (loops, between, body);

    /// <summary>Outermost first.</summary>
    public ImmutableArray<Loop> Loops { get; }

    /// <summary>Values defined between the loops, which every work item computes for itself.</summary>
    public ImmutableArray<Statement> Between { get; }

    public Block Body { get; }

    public int Dimensions => Math.Clamp(Loops.Length, 1, MaxDimensions);

    /// <summary>The loops of a dimension, outermost first: one each, but for the last dimension.</summary>
    public ImmutableArray<Loop> LoopsOf(int dimension) => dimension < MaxDimensions - 1
        ? [Loops[^(dimension + 1)]]
        : [.. Loops.Take(Loops.Length - (MaxDimensions - 1))];

    /// <summary>
    /// Goes inwards while a block is values and then one loop whose iterations are independent. A store or a reduction
    /// before the loop ends the descent: repeating it for each iteration would be wrong or slow.
    /// </summary>
    public static NdRange Of(Kernel kernel)
    {
        var loops = ImmutableArray.CreateBuilder<Loop>();
        var between = ImmutableArray.CreateBuilder<Statement>();
        var block = kernel.Body;
        while (block.Statements is [.. var values, Loop { Kind: LoopKind.Parallel or LoopKind.Vector } loop]
            && values.All(s => s is Compute or Literal or IndexValue or Load)
            && loop.Extent.Variables().All(v => kernel.Sizes.Contains(v))
            && loops.All(l => l.Variable != loop.Variable))
        {
            between.AddRange(values);
            loops.Add(loop);
            block = loop.Body;
        }
        return new NdRange(loops.ToImmutable(), between.ToImmutable(), block);
    }

    /// <summary>The iterations of each dimension; a zero among them means there is nothing to launch.</summary>
    public long[] Extents(Func<string, long> sizes)
    {
        var extents = new long[Dimensions];
        Array.Fill(extents, 1);
        if (Loops.IsEmpty) return extents;
        for (var d = 0; d < extents.Length; d++)
            extents[d] = LoopsOf(d).Aggregate(1L, (product, l) => checked(product * Math.Max(0, l.Extent.Evaluate(sizes))));
        return extents;
    }

    /// <summary>Work items of a group in each dimension, filling the first dimension first; their product is at most the limit.</summary>
    public static long[] Group(long[] extents, long limit)
    {
        var left = Math.Min(GroupItems, limit);
        var group = new long[extents.Length];
        for (var d = 0; d < group.Length; d++)
        {
            group[d] = 1;
            while (group[d] < extents[d] && group[d] * 2 <= left) group[d] *= 2;
            left /= group[d];
        }
        return group;
    }
}
