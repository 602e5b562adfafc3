// In: the kernels in order and the nodes they read and write. Out: the arena slot of every temporary.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// Liveness and slot sharing: a temporary takes a slot that is free from its first write to its last read, one of its own
/// size if there is one. A slot is as large as its largest member.
/// </summary>
internal sealed class MemoryPlan
{
    private readonly Dictionary<Node, int> slots = new(ReferenceEqualityComparer.Instance);
    private readonly List<Size> sizes = [];

    public MemoryPlan(IReadOnlyList<LoweredKernel> kernels, Func<Node, bool> isTemporary)
    {
        var lastUse = new Dictionary<Node, int>(ReferenceEqualityComparer.Instance);
        for (var step = 0; step < kernels.Count; step++)
            foreach (var node in kernels[step].Uses) lastUse[node] = step;
        var free = new List<int>();
        for (var step = 0; step < kernels.Count; step++)
        {
            foreach (var node in kernels[step].Arguments.Where(n => isTemporary(n) && !slots.ContainsKey(n)))
                slots[node] = Take(free, node.Type.Count * node.Type.DType.Bytes());
            // Freed after the kernel: an output never shares memory with an operand of the same kernel.
            free.AddRange(slots.Where(s => lastUse[s.Key] == step).Select(s => s.Value).Order());
        }
    }

    public IReadOnlyList<Size> Slots => sizes;

    public int SlotOf(Node node) => slots[node];

    private int Take(List<int> free, Size bytes)
    {
        var best = free.FindIndex(s => sizes[s].Equals(bytes));
        if (best < 0 && bytes.IsConstant)
        {
            // The smallest that is large enough, else the largest: it grows least.
            var constant = free.Where(s => sizes[s].IsConstant).OrderBy(s => sizes[s].Value).ToList();
            if (constant.Count > 0)
                best = free.IndexOf(constant.FindIndex(s => sizes[s].Value >= bytes.Value) is >= 0 and var i ? constant[i] : constant[^1]);
        }
        if (best < 0 && !bytes.IsConstant) best = free.FindIndex(s => !sizes[s].IsConstant && (sizes[s] - bytes).IsConstant);
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
