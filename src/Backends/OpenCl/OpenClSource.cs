// In: a kernel's texts and the sizes of a call. Out: which text runs, with how many work items in which groups.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;

namespace Accelerate.Backends.OpenCl;

/// <summary>What a launch is given: global and local sizes, and the int arguments behind the kernel's sizes.</summary>
internal sealed record Launch(long[] Global, long[] Local, params int[] Extra);

/// <summary>How a kernel's iterations are laid out over work items.</summary>
internal abstract class IndexSpace
{
    /// <summary>The launch for the given sizes, or null if there is nothing to do.</summary>
    /// <param name="sizes">The kernel's sizes.</param>
    /// <param name="limit">Work items that a group may have.</param>
    /// <param name="isGpu">Whether groups run in lockstep.</param>
    public abstract Launch? For(Func<string, long> sizes, long limit, bool isGpu);

    /// <summary>The work items a group needs at least.</summary>
    public virtual long LeastGroup => 1;
}

/// <summary>A kernel as source text, and what a caller must know to launch it.</summary>
/// <param name="Name">The name of the `__kernel` function.</param>
/// <param name="Source">Self-contained OpenCL C 1.2.</param>
/// <param name="Space">Its index space.</param>
/// <param name="Flags">
/// Whether the last arguments are the number of the step, and the int that it is put in where an index is out of range.
/// </param>
/// <param name="NeedsF64">Whether only a device with f64 can compile it.</param>
internal sealed record OpenClSource(string Name, string Source, IndexSpace Space, bool Flags, bool NeedsF64);

/// <summary>
/// Which of a kernel's texts to prefer; the tests force one, everyone else leaves it to the sizes and the device.
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
/// <param name="Thin">The text for groups where a contraction has few rows.</param>
internal sealed record OpenClKernel(Kernel Kernel, OpenClSource Item, OpenClSource? Group, OpenClSource? Thin)
{
    // Of a contraction on a CPU: below it the plain text is as fast and takes less time to compile.
    private const double TileWork = 1 << 21;

    // Rows of fewer elements leave most of 16 lanes idle.
    private const long ShortRow = 32;

    // Rows of a contraction up to which a tile of 64 rows is mostly empty.
    public const long FewRows = 8;

    /// <summary>
    /// The texts to compile before the first call; another is compiled when a call's sizes ask for it.
    /// </summary>
    public IEnumerable<OpenClSource> Eager(bool isGpu, WorkShape shape) =>
        shape == WorkShape.Group || (shape == WorkShape.Auto && isGpu) ? Texts.Take(1) : [Item];

    public IEnumerable<OpenClSource> Texts => new[] { Group, Thin, Item }.OfType<OpenClSource>();

    /// <summary>The text to launch; the item's is the one that fits every device.</summary>
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
