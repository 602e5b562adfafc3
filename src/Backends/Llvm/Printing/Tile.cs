// The register tile of a contraction for each ISA and dtype.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Rows x Columns accumulators stay in registers while k runs. Columns is a multiple of 16; Chunk is the rows one job
/// takes, so that a packed panel is used for all of them and there are jobs enough for the workers.
/// </summary>
internal sealed record Tile(int Rows, int Columns, int Chunk)
{
    public static Tile For(LlvmTarget target, DType type) => (target.VectorBits, type.Bytes()) switch
    {
        // 32 registers: 24 accumulators, 2 of the panel, 1 broadcast.
        (512, <= 4) => new(12, 32, 240),
        (512, _) => new(12, 16, 240),
        // 16 registers: 12 accumulators, 2 of the panel, 1 broadcast.
        (256, <= 4) => new(6, 16, 240),
        (256, _) => new(3, 16, 240),
        // Without FMA the expansion needs the registers.
        _ => new(2, 16, 240),
    };
}
