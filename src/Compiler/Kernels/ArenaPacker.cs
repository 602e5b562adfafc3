// In: the bytes of temporaries and the steps that they are alive at. Out: where each lies in one block of memory.
namespace Accelerate.Compiler.Kernels;

/// <summary>
/// Temporaries that are alive at the same step lie apart; all others may share memory, wherever it is free. A pure
/// function of numbers, in arrays and loops alone: the driver that is compiled ahead of time carries the same in C,
/// line by line, and must come to the same offsets (ties are broken by the number of the temporary, keys are doubles,
/// which C multiplies to the same bits).
/// </summary>
internal static class ArenaPacker
{
    /// <summary>Temporaries begin at whole cache lines, which are also AVX-512 vectors.</summary>
    public const int Line = 64;

    /// <summary>
    /// The greatest first is what most models want; the other orders are tried when it leaves gaps: the greatest in
    /// bytes times steps, the first to begin, the last to end.
    /// </summary>
    private const int Orders = 4;

    /// <summary>Fills in the offset of each temporary; the bytes of the whole.</summary>
    /// <exception cref="OverflowException">Together the temporaries have no size in 64 bits.</exception>
    public static long Pack(long[] bytes, int[] first, int[] last, long[] offsets)
    {
        var count = bytes.Length;
        var room = Rooms(bytes);
        var least = LiveMaximum(room, first, last);
        var best = long.MaxValue;
        var order = new int[count];
        var key = new double[count];
        var at = new long[count];
        var placed = new int[count];
        for (var rule = 0; rule < Orders && best > least; rule++)
        {
            for (var i = 0; i < count; i++)
            {
                if (rule == 0) key[i] = -(double)room[i];
                else if (rule == 1) key[i] = -(double)room[i] * ((double)last[i] - first[i] + 1);
                else if (rule == 2) key[i] = first[i];
                else key[i] = -(double)last[i];
            }
            Sort(key, room, order);
            var end = Place(order, room, first, last, at, placed);
            if (end >= best) continue;
            best = end;
            for (var i = 0; i < count; i++) offsets[i] = at[i];
        }
        return best;
    }

    /// <summary>
    /// Bytes of the largest set of temporaries that are alive at one step: of whole lines, no arena is smaller.
    /// </summary>
    public static long LiveMaximum(long[] bytes, int[] first, int[] last)
    {
        // The set can only be largest at a step where one begins.
        var greatest = 0L;
        for (var i = 0; i < bytes.Length; i++)
        {
            var sum = 0L;
            for (var j = 0; j < bytes.Length; j++)
                if (first[j] <= first[i] && first[i] <= last[j]) sum = checked(sum + bytes[j]);
            if (sum > greatest) greatest = sum;
        }
        return greatest;
    }

    /// <summary>
    /// In whole lines. All of them fit in 64 bits together, so that no sum of some of them overflows.
    /// </summary>
    public static long[] Rooms(long[] bytes)
    {
        var room = new long[bytes.Length];
        var all = 0L;
        for (var i = 0; i < bytes.Length; i++)
        {
            room[i] = checked(bytes[i] + Line - 1) & ~(Line - 1L);
            all = checked(all + room[i]);
        }
        return room;
    }

    /// <summary>By key, then the greater first, then by number.</summary>
    private static void Sort(double[] key, long[] room, int[] order)
    {
        for (var i = 0; i < order.Length; i++)
        {
            var q = i;
            for (; q > 0; q--)
            {
                var other = order[q - 1];
                if (key[other] < key[i] || (key[other] == key[i] && room[other] >= room[i])) break;
                order[q] = other;
            }
            order[q] = i;
        }
    }

    /// <summary>Each in turn into the smallest gap that holds it between those alive at the same time.</summary>
    private static long Place(int[] order, long[] room, int[] first, int[] last, long[] at, int[] placed)
    {
        var top = 0L;
        for (var k = 0; k < order.Length; k++)
        {
            var block = order[k];
            var (best, gap, end) = (-1L, long.MaxValue, 0L);
            for (var p = 0; p < k; p++)
            {
                var other = placed[p];
                if (first[other] > last[block] || first[block] > last[other]) continue;
                if (at[other] - end >= room[block] && at[other] - end < gap) (best, gap) = (end, at[other] - end);
                if (at[other] + room[other] > end) end = at[other] + room[other];
            }
            if (best < 0) best = end;
            at[block] = best;
            // Those that are placed stand by their offsets.
            var q = k;
            for (; q > 0 && at[placed[q - 1]] > best; q--) placed[q] = placed[q - 1];
            placed[q] = block;
            if (best + room[block] > top) top = best + room[block];
        }
        return top;
    }
}
