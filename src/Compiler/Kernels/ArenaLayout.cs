// In: a program, the values of its sizes. Out: where each temporary lies in the arena, and the least that any layout
// takes.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// The arena of one call: the offsets in the program's plan where they are constants, otherwise the packer's for these
/// sizes, so that temporaries of symbolic size share memory as well as those of constant size.
/// </summary>
internal sealed class ArenaLayout
{
    private readonly CallPlan plan;
    private readonly long[] temporaries;

    /// <exception cref="OverflowException">The arena's size does not fit into 64 bits.</exception>
    public ArenaLayout(Program program, Func<string, long> sizes)
    {
        plan = program.Plan;
        temporaries = plan.BytesOf(sizes);
        var arena = plan.Arena ?? plan.Pack(temporaries);
        var offsets = new long[program.Buffers.Length];
        for (var i = 0; i < temporaries.Length; i++) offsets[plan.Temporaries[i].Buffer] = arena.Offsets[i];
        (Bytes, Offsets) = (arena.Bytes, [.. offsets]);
    }

    /// <summary>The size of the arena in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Bytes from the start of the arena to each temporary, by buffer; 0 for every other buffer.</summary>
    public ImmutableArray<long> Offsets { get; }

    /// <summary>The bytes of the largest set of temporaries that are alive at one step.</summary>
    public long LiveMaximum => plan.LiveMaximum(temporaries);

    /// <summary>The same with each temporary rounded up to whole lines: no layout is smaller.</summary>
    public long LiveMaximumInLines => plan.LiveMaximum(ArenaPacker.Rooms(temporaries));
}
