// In: the loops of a map. Out: the loop along which its reads are contiguous, if that is not the axis of the lanes.
using System.Collections.Immutable;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// A map whose result is contiguous along the lanes while its reads are contiguous along a parallel loop (a transpose,
/// or channels first to channels last, with the elementwise work around it): it is printed in blocks, read as rows,
/// transposed in registers, stored as columns.
/// </summary>
/// <param name="Outer">The other parallel loops.</param>
/// <param name="Joined">Loops around the one along the reads that are merged with it: they stay at 0.</param>
/// <param name="Along">The variable of the loop along the reads.</param>
/// <param name="Extent">Its extent, including that of the merged loops.</param>
/// <param name="Before">The statements before the lanes.</param>
/// <param name="Lanes">The loop over the lanes.</param>
/// <param name="Loads">The loads that are transposed.</param>
internal sealed record TurnedMap(ImmutableArray<Loop> Outer, ImmutableArray<string> Joined, string Along, Size Extent,
    ImmutableArray<Statement> Before, Loop Lanes, ImmutableArray<Load> Loads)
{
    /// <summary>The elements along the reads of one job: some lines of each row, which are contiguous.</summary>
    public const int PerJob = 64;

    /// <summary>The maximum statements that are printed for each of the 16 rows of a block.</summary>
    private const int MostStatements = 24;

    /// <summary>With fewer, blocks are not used.</summary>
    private const long FewestLanes = 4, FewestAlong = 4;

    /// <summary>
    /// The elements along the reads of one block, as many as a register holds: the block is 16 rows of them.
    /// </summary>
    public int Block(LlvmTarget target) =>
        Math.Min(IndexPrinter.Width,
            Math.Max(128, target.VectorBits) / 8 / Loads.Max(l => Math.Max(2, l.Result.Type.Bytes())));

    public static TurnedMap? Find(ImmutableArray<Loop> loops, Block inner)
    {
        if (inner.Statements is not [.., Loop { Kind: LoopKind.Vector } lanes] || loops.Length == 0) return null;
        ImmutableArray<Statement> before = [.. inner.Statements.SkipLast(1)];
        if (!before.All(s => s is Literal or Compute or Load or IndexValue)) return null;
        if (!lanes.Body.Statements.All(s => s is Literal or Compute or Load or IndexValue or Store)
            || lanes.Body.Statements.Length > MostStatements)
            return null;
        if (lanes.Extent.IsConstant && lanes.Extent.Value < FewestLanes) return null;
        string? along = null;
        var turned = new List<Load>();
        foreach (var load in lanes.Body.Statements.OfType<Load>())
        {
            if (load.Offset.AffineIn(lanes.Variable) is not var (stride, _) || stride.Is(0) || stride.Is(1)) continue;
            if (load.Fill is { } fill && !before.Any(b => b is Literal l && l.Result == fill)) continue;
            if (load.Guards.Any(g => g.Index.Mentions(lanes.Variable) || g.Extent.Mentions(lanes.Variable))) continue;
            var loop = loops.FirstOrDefault(l => load.Offset.AffineIn(l.Variable) is var (one, _) && one.Is(1));
            if (loop is null || (along ??= loop.Variable) != loop.Variable) continue;
            turned.Add(load);
        }
        if (turned.Count is 0 or > 2 || lanes.Extent.Mentions(along!)) return null;
        // Indices that depend on other loads inside the loop are not known before it.
        if (turned.Any(l => l.Guards.SelectMany(g => new[] { g.Index, g.Extent }).Append(l.Offset)
            .Any(s => s.Mentions(VariableKind.Loaded)))) return null;
        var at = loops.Select(l => l.Variable).ToList().IndexOf(along!);
        var extent = loops[at].Extent;
        var joined = ImmutableArray.CreateBuilder<string>();
        var first = at;
        while (first > 0 && Join(loops[first - 1].Variable, along!, extent))
        {
            first--;
            joined.Add(loops[first].Variable);
            extent = loops[first].Extent * extent;
        }
        if (extent.IsConstant && extent.Value < FewestAlong) return null;
        return new([.. loops.Take(first), .. loops.Skip(at + 1)], joined.ToImmutable(), along!, extent, before, lanes,
            [.. turned]);

        // Everything that depends on one of them varies by the inner loop's extent.
        bool Join(string outer, string inside, Size extent) => !lanes.Extent.Mentions(outer)
            && Kernel.Statements(inner).SelectMany(Indices)
                .All(index => !index.Mentions(outer) && !index.Mentions(inside)
                || index.AffineIn(inside) is var (a, rest) && rest.AffineIn(outer) is var (b, _) && b.Equals(a * extent)
                && !a.Mentions(outer));
    }

    private static IEnumerable<Size> Indices(Statement statement) => statement switch
    {
        Load l => l.Guards.SelectMany(g => new[] { g.Index, g.Extent }).Append(l.Offset),
        Store s => s.Guards.SelectMany(g => new[] { g.Index, g.Extent }).Append(s.Offset),
        IndexValue i => [i.Index],
        _ => [],
    };
}
