// In: a contraction whose left side is an image with padding. Out: an order of its rows in which whole tiles meet padding.
using System.Numerics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Rows of a contraction in an order of their own, tile after tile. A row is a pixel, an outer step of k a tap of the
/// window; what a tile misses are the taps that fall on padding for every pixel of it. Pixels of one kind share tiles: those
/// inside, those of each edge; a corner goes with an edge. Leaving such a tap out changes no bit where the tap's weights are
/// finite, since the sum loses ±0 terms and the epilogue adds +0 to it, which leaves one zero. That the weights are
/// finite is seen from the sums of a tile that left nothing out: one weight that is not makes them infinite or NaN.
/// </summary>
/// <param name="Rows">The row at each place.</param>
/// <param name="Starts">The place where each tile begins, and where the last one ends.</param>
/// <param name="Missed">A bit for each outer step of k that a tile misses.</param>
/// <remarks>
/// 3x3 256 to 256 at 14 x 14, where 9.3 % of the products are with padding: 1.99 ms without, 1.82 ms with; 512 to 512 at 7 x 7 (18 %)
/// 1.99 ms and 1.68 ms; 128 to 128 at 28 x 28 (4.7 %) 1.99 ms and 1.90 ms; 64 to 64 at 56 x 56 (2.4 %) 2.00 ms and 1.96 ms
/// (`accc time bench/conv.acc nhwc … --conv direct --kernels`, AMD Zen 4 with AVX-512, 1 thread).
/// </remarks>
internal sealed record TileOrder(int[] Rows, int[] Starts, long[] Missed)
{
    /// <summary>Larger images have so little padding that its products cost less than 2 %.</summary>
    private const int MostRows = 4096;

    /// <summary>Fewer rows of a kind than these join a kind that misses less: a tile of so few is bound by its loads.</summary>
    private const int FewRows = 5;

    /// <summary>Tiles of other numbers of rows are other code.</summary>
    private const int MostCounts = 3;

    public int Tiles => Missed.Length;

    /// <summary>The numbers of rows that tiles have, the most frequent first.</summary>
    public int[] Counts { get; } = [.. Missed.Select((_, t) => Starts[t + 1] - Starts[t]).CountBy(c => c).OrderByDescending(c => c.Value).Select(c => c.Key)];

    /// <param name="contract">The contraction.</param>
    /// <param name="access">Its left side.</param>
    /// <param name="outer">How many axes of k are not part of a run.</param>
    /// <param name="most">Rows of a tile.</param>
    public static TileOrder? Find(Contract contract, RowAccess access, int outer, int most)
    {
        if (!contract.M.Extent.IsConstant || contract.M.Extent.Value is var m && (m <= most || m > MostRows)) return null;
        if (access.Fill is not { Float: 0, Integer: 0 } || !IgnoresZeros(contract)) return null;
        if (Padding(contract, access.Load, outer) is not { } padding) return null;

        var kinds = Enumerable.Range(0, padding.Length).GroupBy(row => padding[row]).ToDictionary(g => g.Key, g => g.ToList());
        if (!kinds.ContainsKey(0) || kinds.Count == 1) return null;
        foreach (var kind in kinds.Keys.OrderByDescending(k => BitOperations.PopCount((ulong)k)).ToArray())
        {
            if (kind == 0 || kinds[kind].Count >= FewRows) continue;
            var wider = kinds.Keys.Where(k => k != kind && (k & kind) == k)
                .OrderByDescending(k => BitOperations.PopCount((ulong)k)).ThenBy(k => kinds[k].Count).First();
            kinds[wider].AddRange(kinds[kind]);
            kinds.Remove(kind);
        }

        var inside = Tiles(kinds[0]).Select(rows => (Rows: rows, Missed: 0L)).ToArray();
        var edges = kinds.Where(k => k.Key != 0).OrderBy(k => k.Value[0]).SelectMany(k => Tiles(k.Value).Select(rows => (Rows: rows, Missed: k.Key))).ToArray();
        // Edges are spread evenly behind the tiles that show whether the weights are finite.
        var all = new (int[] Rows, long Missed)[inside.Length + edges.Length];
        for (var (t, e) = (0, 0); t < all.Length; t++) all[t] = e < (t + 1) * edges.Length / all.Length ? edges[e++] : inside[t - e];
        var steps = contract.K.Take(outer).Aggregate(1L, (p, k) => p * k.Extent.Value);
        var plain = Cost((padding.Length + most - 1) / most, padding.Length, steps);
        var order = new TileOrder([.. all.SelectMany(t => t.Rows)], [0, .. Sums(all.Select(t => t.Rows.Length))], [.. all.Select(t => t.Missed)]);
        var isWorthIt = all.Sum(t => Cost(1, t.Rows.Length, steps - BitOperations.PopCount((ulong)t.Missed))) <= 0.98 * plain;
        return isWorthIt && order.Counts.Length <= MostCounts ? order : null;

        // A step of a tile costs its rows, and its loads of the panel about as much as another.
        static double Cost(int tiles, int rows, long steps) => (rows + 1.0 * tiles) * steps;

        static IEnumerable<int> Sums(IEnumerable<int> counts)
        {
            var sum = 0;
            foreach (var count in counts) yield return sum += count;
        }

        IEnumerable<int[]> Tiles(List<int> rows)
        {
            rows.Sort();
            var tiles = (rows.Count + most - 1) / most;
            return Enumerable.Range(0, tiles).Select(t => rows[(rows.Count * t / tiles)..(rows.Count * (t + 1) / tiles)].ToArray());
        }
    }

    /// <summary>A bit for each outer step of k that falls on padding, for each row; null where that is not known.</summary>
    private static long[]? Padding(Contract contract, Load load, int outer)
    {
        var axes = contract.K.Take(outer).ToArray();
        if (axes.Any(k => !k.Extent.IsConstant)) return null;
        var steps = axes.Aggregate(1L, (p, k) => p * k.Extent.Value);
        if (steps is < 2 or > 63) return null;
        var padding = new long[contract.M.Extent.Value];
        foreach (var guard in load.Guards)
        {
            if (!guard.Extent.IsConstant) return null;
            // The index is a part that moves with the row, and one that moves with the step.
            var ofRow = guard.Index;
            var ofStep = new long[steps];
            var period = steps;
            foreach (var k in axes)
            {
                if (ofRow.AffineIn(k.Variable) is not var (by, rest) || !by.IsConstant) return null;
                (ofRow, period) = (rest, period / k.Extent.Value);
                for (var s = 0; s < steps; s++) ofStep[s] += by.Value * (s / period % k.Extent.Value);
            }
            if (ofRow.Variables().Any(v => v != contract.M.Variable)) return null;
            for (var row = 0; row < padding.Length; row++)
            {
                var at = ofRow.Evaluate(_ => row);
                for (var s = 0; s < steps; s++)
                    if (at + ofStep[s] is var i && (i < 0 || i >= guard.Extent.Value)) padding[row] |= 1L << s;
            }
        }
        return padding;
    }

    /// <summary>True when a term of ±0 more or less in a sum changes nothing: +0 is added to it, or it has no other zero.</summary>
    private static bool IgnoresZeros(Contract contract)
    {
        if (!contract.Accumulator.Type.IsFloat) return true;
        return contract.Epilogue.Statements.Count(IsZeroAdded) == 1 && contract.Epilogue.Statements.All(s => IsZeroAdded(s) || s switch
        {
            Literal or IndexValue => true,
            Compute c => !c.Arguments.Contains(contract.Accumulator),
            Load l => l.Fill != contract.Accumulator,
            Store t => t.Value != contract.Accumulator,
            _ => false,
        });

        bool IsZeroAdded(Statement statement) => statement is Compute { Op: ScalarOp.Add } add && add.Arguments[0] == contract.Accumulator
            && contract.Epilogue.Statements.OfType<Literal>().Any(l => l.Result == add.Arguments[1] && BitConverter.DoubleToInt64Bits(l.Float) == 0);
    }
}
