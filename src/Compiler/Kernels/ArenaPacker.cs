// In: the bytes of temporaries and the steps at which they are alive. Out: where each lies in one block of memory.
namespace Accelerate.Compiler.Kernels;

/// <summary>
/// Temporaries that are alive at the same step lie apart; all others may share memory. A pure function of numbers,
/// written with arrays and loops only: the driver that is compiled ahead of time contains the same code in C, line by
/// line, and must get the same offsets (ties are broken by the number of the temporary; keys are doubles, which C
/// multiplies to the same bits).
/// </summary>
internal static class ArenaPacker
{
    /// <summary>Temporaries begin at whole cache lines, which are also AVX-512 vectors.</summary>
    public const int Line = 64;

    /// <summary>
    /// The number of orders that are tried. Greatest first suits most models; the others are tried when it leaves gaps:
    /// the greatest in bytes times steps, the first to begin, the last to end.
    /// </summary>
    private const int Orders = 4;

    /// <summary>Fills in the offset of each temporary; returns the bytes of the whole arena.</summary>
    /// <exception cref="OverflowException">The size of all temporaries together does not fit into 64 bits.</exception>
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
    /// The bytes of the largest set of temporaries that are alive at one step; given sizes in whole lines, no arena is
    /// smaller.
    /// </summary>
    public static long LiveMaximum(long[] bytes, int[] first, int[] last)
    {
        // The set can only be largest at a step where a temporary begins.
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

    /// <summary>Sizes in whole lines. All of them together fit into 64 bits, so no partial sum overflows.</summary>
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

    /// <summary>Sorts by key, then the greater first, then by number.</summary>
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

    /// <summary>Places each in turn into the smallest gap that holds it between those alive at the same time.</summary>
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
            // Placed temporaries are kept sorted by offset.
            var q = k;
            for (; q > 0 && at[placed[q - 1]] > best; q--) placed[q] = placed[q - 1];
            placed[q] = block;
            if (best + room[block] > top) top = best + room[block];
        }
        return top;
    }
}
