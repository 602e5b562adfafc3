// In: a kernel. Out: the loops that become work items, the code of each work item, and the launch for given sizes.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// The outer parallel and vector loops of a kernel, and inside them the rows and columns of a contraction, the keys of
/// an order or the rows of attention, as an index space of at most three dimensions. Dimension 0 is the innermost loop,
/// so that adjacent work items access adjacent elements; from the third loop outwards, all share dimension 2.
/// </summary>
internal sealed class NdRange : IndexSpace
{
    /// <summary>The number of dimensions that OpenCL guarantees.</summary>
    public const int MaxDimensions = 3;

    // Enough items to fill the vectors of a CPU and two warps of a GPU; kernels here use no local memory.
    private const long GroupItems = 64;

    private readonly ImmutableArray<ImmutableArray<Statement>> before;

    private NdRange(
        ImmutableArray<Axis> loops, ImmutableArray<ImmutableArray<Statement>> before, Block body, Statement? element) =>
        (Loops, this.before, Body, Element) = (loops, before, body, element);

    /// <summary>Outermost first.</summary>
    public ImmutableArray<Axis> Loops { get; }

    /// <summary>
    /// The code of a work item, unless it is one element of a contraction or an order, or a row of attention.
    /// </summary>
    public Block Body { get; }

    /// <summary>
    /// The contraction whose rows and columns, the order whose keys, or the attention whose rows are the innermost
    /// loops.
    /// </summary>
    public Statement? Element { get; }

    public int Dimensions => Math.Clamp(Loops.Length, 1, MaxDimensions);

    /// <summary>
    /// The statements between the enclosing loop and that loop; every work item executes them itself.
    /// </summary>
    public ImmutableArray<Statement> Before(int loop) => before[loop];

    /// <summary>The first of the loops with a separate dimension; those outside it share the last one.</summary>
    public int FirstUnshared => Loops.Length > MaxDimensions ? Loops.Length - (MaxDimensions - 1) : 0;

    /// <summary>
    /// Goes inwards while a block consists of values and flags followed by one loop with independent iterations. A
    /// store or a reduction before the loop ends the descent: repeating it for each iteration would be wrong or slow.
    /// </summary>
    public static NdRange Of(Kernel kernel)
    {
        var range = Of(kernel, flags: true);
        // A flag inside the shared dimension would not be raised if an inner extent is 0, although it should be.
        return range.FirstUnshared > 0 && range.before.Take(range.FirstUnshared).Any(b => b.Any(s => s is Flag))
            ? Of(kernel, flags: false) : range;
    }

    private static NdRange Of(Kernel kernel, bool flags)
    {
        var loops = ImmutableArray.CreateBuilder<Axis>();
        var before = ImmutableArray.CreateBuilder<ImmutableArray<Statement>>();
        var block = kernel.Body;
        while (block.Statements is [.. var outside, var last]
            && outside.All(s => s is Compute or Literal or IndexValue or Load || (flags && s is Flag)))
        {
            if (last is Loop { Kind: LoopKind.Parallel or LoopKind.Vector } loop
                && IsOuter(new(loop.Variable, loop.Extent)))
            {
                before.Add(outside);
                loops.Add(new(loop.Variable, loop.Extent));
                block = loop.Body;
                continue;
            }
            Axis[] axes = last switch
            {
                Contract c => [c.M, c.N],
                Attend a => [a.M, AttentionText.Chunks(a)],
                Ordering o => [new(o.Variable, o.Extent)],
                _ => [],
            };
            if (axes.Length == 0 || !axes.All(IsOuter)) break;
            before.Add(outside);
            foreach (var _ in axes.Skip(1)) before.Add([]);
            loops.AddRange(axes);
            return new NdRange(loops.ToImmutable(), before.ToImmutable(), Block.Empty, last);
        }
        return new NdRange(loops.ToImmutable(), before.ToImmutable(), block, null);

        bool IsOuter(Axis axis) => axis.Extent.Variables().All(kernel.Sizes.Contains)
            && loops.All(l => l.Variable != axis.Variable);
    }

    /// <inheritdoc/>
    public override Launch? For(Func<string, long> sizes, long limit, bool isGpu)
    {
        var extents = Extents(sizes);
        if (extents.Contains(0)) return null;
        // A CPU compiles a kernel for every shape of a group: two are enough. Without loops there is no index to detect
        // surplus items.
        var group = isGpu || Loops.IsEmpty ? Group(extents, limit)
            : [Math.Min(limit, extents[0] >= GroupItems ? GroupItems : 8), 1, 1];
        return new([.. extents.Select((e, d) => checked((e + group[d] - 1) / group[d] * group[d]))],
            group[..extents.Length]);
    }

    /// <summary>The number of work items in each dimension; a zero means there is nothing to launch.</summary>
    public long[] Extents(Func<string, long> sizes)
    {
        var extents = new long[Dimensions];
        Array.Fill(extents, 1);
        var flagged = false;
        for (var k = 0; k < Loops.Length; k++)
        {
            // A flag outside a loop is raised even if the loop has no iterations.
            flagged |= before[k].Any(s => s is Flag);
            var extent = Math.Max(flagged ? 1 : 0, Loops[k].Extent.Evaluate(sizes));
            var dimension = Math.Min(MaxDimensions, Loops.Length - k) - 1;
            extents[dimension] = checked(extents[dimension] * extent);
        }
        return extents;
    }

    /// <summary>
    /// The work items of a group in each dimension, filling the first dimension first; their product is at most the
    /// limit.
    /// </summary>
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
