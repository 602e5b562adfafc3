// In: the terms of a lane reduction. Out: their combination, in an order that is the same on every machine.
namespace Accelerate.Backends.Interpreter;

/// <summary>
/// Element j of a block of 4096 goes to lane j % 16; the lanes combine as a tree, the blocks pairwise. One instance
/// serves one reduction of a kernel in one thread.
/// </summary>
internal sealed class LaneReduction<T>(Func<T, T, T> combine, T identity)
{
    public const int Width = 16;
    public const int BlockSize = 4096;

    // Entry i is the combination of 2^k consecutive blocks, with decreasing k: 64 entries are enough for any int64
    // extent.
    private readonly T[] stack = new T[64];
    private int depth;
    private long block;

    /// <summary>The partial results, to be updated in place.</summary>
    public readonly T[] Lanes = new T[Width];

    public void Begin() => (depth, block) = (0, 0);

    public void BeginBlock() => Array.Fill(Lanes, identity);

    public void EndBlock()
    {
        for (var half = Width / 2; half > 0; half /= 2)
            for (var lane = 0; lane < half; lane++) Lanes[lane] = combine(Lanes[lane], Lanes[lane + half]);
        stack[depth++] = Lanes[0];
        // Like the carries of a binary counter: a block with index ...0111 completes three pairs.
        for (var carries = block++; (carries & 1) == 1; carries >>= 1)
        {
            depth--;
            stack[depth - 1] = combine(stack[depth - 1], stack[depth]);
        }
    }

    public T End()
    {
        if (depth == 0) return identity;
        var result = stack[--depth];
        while (depth > 0) result = combine(stack[--depth], result);
        return result;
    }
}
