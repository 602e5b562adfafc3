// The register tile of attention for each ISA and dtype.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Rows x Columns accumulators stay in registers during both products: rows of queries, columns of keys, then of
/// values. A job has at most Chunk rows, a multiple of Rows, and packs each block of keys and values once for them.
/// </summary>
internal sealed record AttentionTile(int Rows, int Columns)
{
    /// <summary>
    /// Queries and sums of 256 rows of 64 elements are 128 KB, a quarter of the second-level cache with the packed
    /// block.
    /// </summary>
    public int Chunk => 256 / Rows * Rows;

    /// <summary>
    /// The tile for a number of rows: smaller than the maximum if that leaves fewer rows of the last tile empty.
    /// </summary>
    public static AttentionTile For(LlvmTarget target, DType type, Size rows)
    {
        var (most, columns) = (target.VectorBits, type.Bytes()) switch
        {
            // 32 registers: 24 accumulators, 2 of the panel, 1 broadcast.
            (512, <= 4) => (12, 32),
            (512, _) => (12, 16),
            // 16 registers: 12 accumulators, 2 of the panel, 1 broadcast.
            (256, <= 4) => (6, 16),
            (256, _) => (3, 16),
            // Without FMA the expansion needs the registers.
            _ => (2, 16),
        };
        if (!rows.IsConstant || rows.Value < 1) return new(most, columns);
        var count = (int)Math.Min(rows.Value, int.MaxValue);
        if (count <= most) return new(count, columns);
        // Two thirds of the accumulators still hide the latency of an fma; weights are computed for four rows at a
        // time.
        var fewer = most == 12 ? 8 : most;
        return new((count + fewer - 1) / fewer * fewer < (count + most - 1) / most * most ? fewer : most, columns);
    }
}
