// The register tile of a contraction for each ISA and dtype.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Kernels.Lowering;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Rows x (16 · Vectors) accumulators stay in registers while k runs. A vector is 16 lanes on every ISA.
/// </summary>
internal sealed record Tile(int Rows, int Vectors)
{
    /// <summary>
    /// The columns of a packed panel, the same for every ISA: narrower tiles take half panels, wider ones several.
    /// </summary>
    public const int Panel = PanelLayout.Columns;

    public int Columns => Vectors * IndexPrinter.Width;

    /// <param name="target">The target of code generation.</param>
    /// <param name="type">The type of the accumulators.</param>
    /// <param name="rows">The extent of the rows; with few rows, tiles have more columns, so that enough sums run side
    /// by side.</param>
    /// <param name="isWide">False if the number of columns is not known: a tile then stays within one panel.</param>
    public static Tile For(LlvmTarget target, DType type, Size rows, bool isWide)
    {
        var m = rows.IsConstant ? (int)Math.Clamp(rows.Value, 1, 1 << 20) : 1 << 20;
        var (most, columns) = (target.VectorBits, type.Bytes()) switch
        {
            // 32 registers of 16 lanes: 28 accumulators, 2 of the panel, 1 broadcast. 256³ with packed weights: 99 % of
            // the FMA peak; 12 and 13 rows were the same within the noise, and 14 divides the images of most networks.
            // One row of 3072 columns, 768 deep: 93 GB/s of the third-level cache's 99 with 8 vectors (4 panels side by
            // side).
            (512, <= 4) => (14, m switch { 1 or 2 => 8, <= 6 => 4, _ => 2 }),
            (512, _) => (12, m switch { 1 or 2 => 4, <= 6 => 2, _ => 1 }),
            // 16 registers of 8 lanes: 12 accumulators, 2 of the panel, 1 broadcast.
            (256, <= 4) => (6, m switch { 1 => 4, <= 3 => 2, _ => 1 }),
            (256, _) => (3, m switch { 1 => 2, _ => 1 }),
            // Without FMA the expansion needs the registers.
            _ => (2, 1),
        };
        return new Tile(Math.Min(m, most), isWide ? columns : Math.Min(columns, 2));
    }
}
