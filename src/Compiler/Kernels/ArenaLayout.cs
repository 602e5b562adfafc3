// In: a program, the values of its sizes. Out: where each temporary lies in the arena, and the least that any layout
// takes.
using System.Collections.Immutable;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// Temporaries that are alive at the same step lie apart; all others may share memory, wherever it is free. Worked out
/// from the sizes of one call, so that symbolic sizes share as well as constant ones. A program without lives (written
/// by hand) keeps its slots.
/// </summary>
public sealed class ArenaLayout
{
    /// <summary>Temporaries begin at whole cache lines, which are also AVX-512 vectors.</summary>
    public const int Line = 64;

    private readonly List<Block> blocks = [];

    /// <exception cref="OverflowException">The arena has no size in 64 bits.</exception>
    public ArenaLayout(Program program, Func<string, long> sizes)
    {
        var offsets = new long[program.Buffers.Length];
        for (var b = 0; b < offsets.Length; b++)
        {
            var buffer = program.Buffers[b];
            if (buffer.Kind != BufferKind.Temporary) continue;
            var bytes = checked(buffer.Type.Count.Evaluate(sizes) * buffer.Type.DType.Bytes());
            blocks.Add(new Block(b, bytes, checked(bytes + Line - 1) & ~(Line - 1L), buffer.Life ?? (0, int.MaxValue)));
        }
        if (program.Buffers.Any(b => b is { Kind: BufferKind.Temporary, Life: null }))
        {
            var slots = new long[program.Slots.Length + 1];
            for (var slot = 0; slot < program.Slots.Length; slot++)
                slots[slot + 1] = checked(
                    (slots[slot] + program.Slots[slot].Evaluate(sizes) + Line - 1) & ~(Line - 1L));
            foreach (var block in blocks) offsets[block.Buffer] = slots[program.Buffers[block.Buffer].Slot];
            (Bytes, Offsets) = (slots[^1], [.. offsets]);
            (LiveMaximum, LiveMaximumInLines) = (Bytes, Bytes);
            return;
        }
        (LiveMaximum, LiveMaximumInLines) = (Greatest(b => b.Bytes), Greatest(b => b.Room));
        Bytes = long.MaxValue;
        // The greatest first is what most models want; the other orders are tried when it leaves gaps.
        foreach (var order in (
            Func<Block, long>[])[b => -b.Room, b => -b.Room * (b.Life.Last - b.Life.First + 1L), b => b.Life.First, b =>
            -b.Life.Last])
        {
            if (Bytes == LiveMaximumInLines) break;
            var placed = Place(blocks.OrderBy(order).ThenBy(b => -b.Room).ThenBy(b => b.Buffer));
            var bytes = placed.Select(p => p.End).DefaultIfEmpty(0).Max();
            if (bytes >= Bytes) continue;
            Bytes = bytes;
            foreach (var (block, offset, _) in placed) offsets[block.Buffer] = offset;
        }
        Offsets = [.. offsets];
    }

    /// <summary>Bytes of the arena.</summary>
    public long Bytes { get; }

    /// <summary>Bytes from the start of the arena to each temporary, by buffer; 0 for every other buffer.</summary>
    public ImmutableArray<long> Offsets { get; }

    /// <summary>Bytes of the largest set of temporaries that are alive at one step.</summary>
    public long LiveMaximum { get; }

    /// <summary>The same with each of them in whole lines: no layout is smaller.</summary>
    public long LiveMaximumInLines { get; }

    private long Greatest(Func<Block, long> size)
    {
        // The set can only be largest at a step where one begins.
        var greatest = 0L;
        foreach (var at in blocks.Select(b => b.Life.First).Distinct())
        {
            var sum = 0L;
            foreach (var b in blocks)
                if (b.Life.First <= at && at <= b.Life.Last) sum = checked(sum + size(b));
            greatest = Math.Max(greatest, sum);
        }
        return greatest;
    }

    /// <summary>Each in turn into the smallest gap that holds it between those alive at the same time.</summary>
    private static List<(Block Block, long Offset, long End)> Place(IEnumerable<Block> order)
    {
        var placed = new List<(Block Block, long Offset, long End)>(); // by offset
        foreach (var block in order)
        {
            var (best, room, end) = (-1L, long.MaxValue, 0L);
            foreach (var (other, offset, last) in placed)
            {
                if (!other.Meets(block)) continue;
                if (offset - end >= block.Room && offset - end < room) (best, room) = (end, offset - end);
                end = Math.Max(end, last);
            }
            if (best < 0) best = end;
            var at = placed.FindIndex(p => p.Offset > best);
            placed.Insert(at < 0 ? placed.Count : at, (block, best, checked(best + block.Room)));
        }
        return placed;
    }

    private sealed record Block(int Buffer, long Bytes, long Room, (int First, int Last) Life)
    {
        public bool Meets(Block other) => Life.First <= other.Life.Last && other.Life.First <= Life.Last;
    }
}
