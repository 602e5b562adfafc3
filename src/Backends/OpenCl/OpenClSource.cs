// In: a kernel's texts and the sizes of a call. Out: the text to run, with the numbers of work items and groups.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// The parameters of a launch: global and local sizes, and the int arguments after the kernel's sizes.
/// </summary>
internal sealed record Launch(long[] Global, long[] Local, params int[] Extra);

/// <summary>The layout of a kernel's iterations over work items.</summary>
internal abstract class IndexSpace
{
    /// <summary>The launch for the given sizes, or null if there is nothing to do.</summary>
    /// <param name="sizes">The kernel's sizes.</param>
    /// <param name="limit">The maximum work items of a group.</param>
    /// <param name="isGpu">Whether groups run in lockstep.</param>
    public abstract Launch? For(Func<string, long> sizes, long limit, bool isGpu);

    /// <summary>The minimum work items of a group.</summary>
    public virtual long LeastGroup => 1;
}

/// <summary>A kernel as source text, with the facts needed to launch it.</summary>
/// <param name="Name">The name of the `__kernel` function.</param>
/// <param name="Source">Self-contained OpenCL C 1.2.</param>
/// <param name="Space">Its index space.</param>
/// <param name="Flags">Whether the last arguments are the number of the step, and the int that receives it if an index
/// is out of range.</param>
/// <param name="NeedsF64">Whether only a device with f64 can compile it.</param>
internal sealed record OpenClSource(string Name, string Source, IndexSpace Space, bool Flags, bool NeedsF64);

/// <summary>
/// The text of a kernel to prefer; tests force one, other callers leave it to the sizes and the device.
/// </summary>
internal enum WorkShape
{
    Auto,

    /// <summary>A work item for each iteration of the outer loops, without barriers.</summary>
    Item,

    /// <summary>Groups that share local memory.</summary>
    Group,
}

/// <summary>A kernel and its texts.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Item">The text without barriers, which every kernel has.</param>
/// <param name="Group">The text for groups, of contractions and of kernels with rows.</param>
/// <param name="Thin">The text for groups if a contraction has few rows.</param>
internal sealed record OpenClKernel(Kernel Kernel, OpenClSource Item, OpenClSource? Group, OpenClSource? Thin)
{
    // The minimum work of a contraction on a CPU: below it the plain text is as fast and compiles faster.
    private const double TileWork = 1 << 21;

    // Shorter rows leave most of 16 lanes idle.
    private const long ShortRow = 32;

    // Up to this many rows of a contraction, a tile of 64 rows is mostly empty.
    public const long FewRows = 8;

    /// <summary>
    /// The texts to compile before the first call; others are compiled when a call's sizes need them.
    /// </summary>
    public IEnumerable<OpenClSource> Eager(bool isGpu, WorkShape shape) =>
        shape == WorkShape.Group || (shape == WorkShape.Auto && isGpu) ? Texts.Take(1) : [Item];

    public IEnumerable<OpenClSource> Texts => new[] { Group, Thin, Item }.OfType<OpenClSource>();

    /// <summary>The text to launch; the item text fits every device.</summary>
    public OpenClSource Choose(Func<string, long> sizes, bool isGpu, WorkShape shape)
    {
        if (Group is null || shape == WorkShape.Item) return Item;
        if (Group.Space is TileSpace tile)
        {
            var (m, n, work) = tile.Measure(sizes);
            var few = Thin is not null && m <= FewRows;
            if (shape == WorkShape.Group || isGpu) return few ? Thin! : Group;
            return work >= TileWork && m >= 16 && n >= 16 ? Group : Item;
        }
        return shape == WorkShape.Group || (isGpu && ((RowSpace)Group.Space).Longest(sizes) > ShortRow) ? Group : Item;
    }
}
