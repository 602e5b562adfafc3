// In: the steps of a program as a tree. Out: the bytes, the life and the slot of every temporary.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// Liveness and slot sharing: a temporary takes a slot that is free from its first use to its last, preferably one of
/// its own size. A temporary that is used inside a loop or branch but belongs to a block outside stays busy for that
/// whole step: an iteration may need a value of an earlier one. A slot is as large as its largest member. Slots are for
/// devices, which allocate each separately; in one block of memory <see cref="ArenaLayout"/> packs the temporaries by
/// their lives.
/// </summary>
internal sealed class MemoryPlan
{
    private readonly Dictionary<Storage, int> slots = new(ReferenceEqualityComparer.Instance);
    private readonly List<Storage> temporaries = [];
    private readonly List<Size> sizes = [];
    private readonly Dictionary<Storage, (int First, int Last)> lives = new(ReferenceEqualityComparer.Instance);
    private readonly Func<Size, Size> most;

    /// <param name="block">The steps.</param>
    /// <param name="most">An upper bound of a size that the call computes.</param>
    public MemoryPlan(DraftBlock block, Func<Size, Size> most)
    {
        this.most = most;
        var end = Walk(block, 0, []);
        var starting = temporaries.ToLookup(t => lives[t].First);
        var ending = temporaries.ToLookup(t => lives[t].Last);
        var free = new List<int>();
        for (var step = 0; step < end; step++)
        {
            foreach (var t in starting[step]) slots[t] = Take(free, Bytes(t));
            // Freed after the step: an output never shares memory with an operand of the same kernel.
            free.AddRange(ending[step].Select(t => slots[t]).Order());
        }
    }

    public IReadOnlyList<Size> Slots => sizes;

    /// <summary>Temporaries in the order of their first use.</summary>
    public IReadOnlyList<Storage> Temporaries => temporaries;

    /// <summary>The plan of the temporary that becomes the given buffer.</summary>
    public PlannedTemporary Of(Storage temporary, int buffer) =>
        new(buffer, Bytes(temporary), lives[temporary].First, lives[temporary].Last, slots[temporary]);

    private Size Bytes(Storage temporary) => most(temporary.Type.Count * temporary.Type.DType.Bytes());

    /// <summary>
    /// Numbers the steps from `at` on, in the same way as <see cref="Lives"/> numbers those of the finished program.
    /// `around`: the surrounding blocks, each with the number at which its current step begins. Returns the number
    /// after the last step.
    /// </summary>
    private int Walk(DraftBlock block, int at, List<(DraftBlock Block, int Start, List<Storage> Used)> around)
    {
        foreach (var step in block.Steps)
        {
            var begin = at;
            var used = new List<Storage>();
            around.Add((block, begin, used));
            at = step switch
            {
                DraftLoop l => Walk(l.Body, at + 1, around) + 1,
                DraftWhile w => Use(w.Test, Walk(w.Body, Walk(w.Condition, at + 1, around), around)) + 1,
                DraftIf i => Walk(i.Else, Walk(i.Then, Use(i.Test, at) + 1, around), around) + 1,
                DraftCall c => Uses(c.Storages, at) + 1,
                DraftSize s => Use(s.From, at) + 1,
                DraftCheck or DraftLet => at + 1,
                DraftCopy c => Uses([c.From, c.To], at) + 1,
                DraftPrint p => Uses(p.Storages, at) + 1,
                DraftAssert a => Uses([a.Test, .. a.Storages], at) + 1,
                _ => throw new InvalidOperationException(step.GetType().Name),
            };
            around.RemoveAt(around.Count - 1);
            foreach (var storage in used)
                lives[storage] = (Math.Min(lives[storage].First, begin), Math.Max(lives[storage].Last, at - 1));
        }
        return at;

        int Uses(IEnumerable<Storage> storages, int step)
        {
            foreach (var storage in storages) Use(storage, step);
            return step;
        }

        // Recorded in the storage's own block, whose step spans the loop that contains the use.
        int Use(Storage storage, int step)
        {
            if (storage.Kind != BufferKind.Temporary) return step;
            if (lives.TryAdd(storage, (step, step))) temporaries.Add(storage);
            around.Last(a => ReferenceEquals(a.Block, storage.Home)).Used.Add(storage);
            return step;
        }
    }

    private int Take(List<int> free, Size bytes)
    {
        var best = free.FindIndex(s => sizes[s].Equals(bytes));
        if (best < 0 && bytes.IsConstant)
        {
            // The smallest that is large enough, else the largest: it grows least.
            var constant = free.Where(s => sizes[s].IsConstant).OrderBy(s => sizes[s].Value).ToList();
            if (constant.Count > 0)
                best = free.IndexOf(
                    constant.FindIndex(s => sizes[s].Value >= bytes.Value) is >= 0 and var i ? constant[i]
                    : constant[^1]);
        }
        if (best < 0 && !bytes.IsConstant)
            best = free.FindIndex(s => !sizes[s].IsConstant && (sizes[s] - bytes).IsConstant);
        if (best < 0)
        {
            sizes.Add(bytes);
            return sizes.Count - 1;
        }
        var slot = free[best];
        free.RemoveAt(best);
        sizes[slot] = Size.Max(sizes[slot], bytes);
        return slot;
    }
}
