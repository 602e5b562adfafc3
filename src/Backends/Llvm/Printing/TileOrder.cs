// In: a contraction whose left side is an image with padding. Out: an order of its rows in which whole tiles meet
// padding.
using System.Numerics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// The rows of a contraction in a special order, tile after tile. A row is a pixel, an outer step of k a tap of the
/// window; a tile skips the taps that fall on padding for every pixel of it. Pixels of one kind share tiles: those
/// inside, and those of each edge; a corner is grouped with an edge. Skipping such a tap changes no bit if the tap's
/// weights are finite, since the sum loses ±0 terms and the epilogue adds +0 to it, which leaves one kind of zero.
/// Finiteness of the weights follows from the sums of a tile that skipped nothing: one weight that is not finite makes
/// them infinite or NaN.
/// </summary>
/// <param name="Rows">The row at each position.</param>
/// <param name="Starts">The position where each tile begins, and where the last one ends.</param>
/// <param name="Missed">A bit for each outer step of k that a tile skips.</param>
/// <remarks>
/// 3x3 256 to 256 at 14 x 14, where 9.3 % of the products are with padding: 1.99 ms without, 1.82 ms with; 512 to 512
/// at 7 x 7 (18 %) 1.99 ms and 1.68 ms; 128 to 128 at 28 x 28 (4.7 %) 1.99 ms and 1.90 ms; 64 to 64 at 56 x 56 (2.4 %)
/// 2.00 ms and 1.96 ms (`accc time bench/conv.acc nhwc … --conv direct --kernels`, AMD Zen 4 with AVX-512, 1 thread).
/// </remarks>
internal sealed record TileOrder(int[] Rows, int[] Starts, long[] Missed)
{
    /// <summary>Larger images have so little padding that its products cost less than 2 %.</summary>
    private const int MostRows = 4096;

    /// <summary>
    /// Kinds with fewer rows than this are merged with a kind that skips less: a tile of so few is bound by its loads.
    /// </summary>
    private const int FewRows = 5;

    /// <summary>Tiles with other numbers of rows need separate code.</summary>
    private const int MostCounts = 3;

    public int Tiles => Missed.Length;

    /// <summary>The numbers of rows of the tiles.</summary>
    public int[] Counts { get; } = CountsOf(Starts);

    /// <param name="contract">The contraction.</param>
    /// <param name="access">Its left side.</param>
    /// <param name="outer">The number of axes of k that are not part of a run.</param>
    /// <param name="most">The maximum rows of a tile.</param>
    public static TileOrder? Find(Contract contract, RowAccess access, int outer, int most)
    {
        if (!contract.M.Extent.IsConstant || contract.M.Extent.Value is var m && (m <= most || m > MostRows))
            return null;
        if (access.Fill is not { Float: 0, Integer: 0 } || !IgnoresZeros(contract)) return null;
        if (Padding(contract, access.Load, outer) is not { } padding) return null;

        var kinds = new List<Kind>();
        for (var row = 0; row < padding.Length; row++) Of(padding[row]).Rows.Add(row);
        if (kinds.Count == 1 || !kinds.Exists(k => k.Missed == 0)) return null;
        kinds.Sort((a, b) => b.Count.CompareTo(a.Count));
        foreach (var few in kinds.ToArray())
        {
            if (few.Missed == 0 || few.Rows.Count >= FewRows) continue;
            Kind? wider = null;
            foreach (var k in kinds)
            {
                if (k == few || (k.Missed & few.Missed) != k.Missed) continue;
                if (wider is null || k.Count > wider.Count || k.Count == wider.Count && k.Rows.Count < wider.Rows.Count)
                    wider = k;
            }
            wider!.Rows.AddRange(few.Rows);
            kinds.Remove(few);
        }

        // Edges are spread evenly after the tiles that show whether the weights are finite.
        var (inside, edges) = (new List<Cut>(), new List<Cut>());
        foreach (var kind in kinds)
        {
            kind.Rows.Sort();
            var (rows, tiles) = (kind.Rows, (kind.Rows.Count + most - 1) / most);
            for (var t = 0; t < tiles; t++)
            {
                var from = rows.Count * t / tiles;
                (kind.Missed == 0 ? inside : edges)
                    .Add(new(rows.GetRange(from, rows.Count * (t + 1) / tiles - from), kind.Missed));
            }
        }
        edges.Sort((a, b) => a.Rows[0].CompareTo(b.Rows[0]));
        var steps = 1L;
        for (var i = 0; i < outer; i++) steps *= contract.K[i].Extent.Value;
        var (order, starts, missed) =
            (new List<int>(), new int[inside.Count + edges.Count + 1], new long[inside.Count + edges.Count]);
        // A step of a tile costs one unit for each row, and about one more for its loads of the panel.
        var (cost, plain) = (0L, (padding.Length + (padding.Length + most - 1) / most) * steps);
        for (var (t, e) = (0, 0); t < missed.Length; t++)
        {
            var tile = e < (t + 1) * edges.Count / missed.Length ? edges[e++] : inside[t - e];
            order.AddRange(tile.Rows);
            (starts[t + 1], missed[t]) = (order.Count, tile.Missed);
            cost += (tile.Rows.Count + 1) * (steps - BitOperations.PopCount((ulong)tile.Missed));
        }
        var found = new TileOrder([.. order], starts, missed);
        return cost <= 0.98 * plain && found.Counts.Length <= MostCounts ? found : null;

        Kind Of(long missed)
        {
            foreach (var kind in kinds)
                if (kind.Missed == missed) return kind;
            kinds.Add(new Kind(missed));
            return kinds[^1];
        }
    }

    /// <summary>Rows that skip the same steps.</summary>
    private sealed class Kind(long missed)
    {
        public long Missed { get; } = missed;

        public int Count { get; } = BitOperations.PopCount((ulong)missed);

        public List<int> Rows { get; } = [];
    }

    private sealed record Cut(List<int> Rows, long Missed);

    private static int[] CountsOf(int[] starts)
    {
        var counts = new List<int>();
        for (var t = 0; t + 1 < starts.Length; t++)
            if (starts[t + 1] - starts[t] is var count && !counts.Contains(count)) counts.Add(count);
        return [.. counts];
    }

    /// <summary>
    /// For each row, a bit for each outer step of k that falls on padding; null if that is not known.
    /// </summary>
    private static long[]? Padding(Contract contract, Load load, int outer)
    {
        var steps = 1L;
        for (var i = 0; i < outer; i++)
        {
            if (!contract.K[i].Extent.IsConstant) return null;
            steps *= contract.K[i].Extent.Value;
        }
        if (steps is < 2 or > 63) return null;
        var padding = new long[contract.M.Extent.Value];
        foreach (var guard in load.Guards)
        {
            if (!guard.Extent.IsConstant) return null;
            // The index is the sum of a part that varies with the row and one that varies with the step.
            var ofRow = guard.Index;
            var ofStep = new long[steps];
            var period = steps;
            for (var i = 0; i < outer; i++)
            {
                var k = contract.K[i];
                if (ofRow.AffineIn(k.Variable) is not var (by, rest) || !by.IsConstant) return null;
                (ofRow, period) = (rest, period / k.Extent.Value);
                for (var s = 0; s < steps; s++) ofStep[s] += by.Value * (s / period % k.Extent.Value);
            }
            if (ofRow.Variables().Any(v => v != contract.M.Variable)) return null;
            for (var row = 0; row < padding.Length; row++)
            {
                var at = ofRow.Evaluate(_ => row);
                for (var s = 0; s < steps; s++)
                    if (at + ofStep[s] is var place && (place < 0 || place >= guard.Extent.Value))
                        padding[row] |= 1L << s;
            }
        }
        return padding;
    }

    /// <summary>
    /// True if adding or leaving out a term of ±0 in a sum changes nothing: +0 is added to the sum, or its only zero is
    /// +0.
    /// </summary>
    private static bool IgnoresZeros(Contract contract)
    {
        if (!contract.Accumulator.Type.IsFloat) return true;
        return contract.Epilogue.Statements.Count(IsZeroAdded) == 1
            && contract.Epilogue.Statements.All(s => IsZeroAdded(s) || s switch
            {
                Literal or IndexValue => true,
                Compute c => !c.Arguments.Contains(contract.Accumulator),
                Load l => l.Fill != contract.Accumulator,
                Store t => t.Value != contract.Accumulator,
                _ => false,
            });

        bool IsZeroAdded(Statement statement) =>
            statement is Compute { Op: ScalarOp.Add } add && add.Arguments[0] == contract.Accumulator
            && contract.Epilogue.Statements.OfType<Literal>()
                .Any(l => l.Result == add.Arguments[1] && BitConverter.DoubleToInt64Bits(l.Float) == 0);
    }
}
