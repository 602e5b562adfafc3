// In: the nodes a kernel reads and writes, its body. Out: the kernel with its buffers in order of first use.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>The buffers and index ranges of a kernel under construction.</summary>
internal sealed class KernelDraft(IndexRanges? loops = null)
{
    private readonly List<(Node Node, KernelBuffer Buffer)> buffers = [];
    private int variables;

    public IndexRanges Ranges { get; } = loops is null ? new() : new(loops);

    /// <summary>The nodes whose buffers the kernel is called with, in its order.</summary>
    public ImmutableArray<Node> Arguments => [.. buffers.Select(b => b.Node)];

    /// <summary>A new loop variable with its range.</summary>
    public string Variable(string stem, Size extent)
    {
        var name = $"{stem}{variables++}'";
        Ranges.Add(name, extent);
        return name;
    }

    /// <summary>What must hold in a call, beyond the function's own checks: an indexed axis has elements.</summary>
    public List<EntryCheck> Checks { get; } = [];

    public int Buffer(Node node, bool isOutput = false, bool isUpdated = false)
    {
        var index = buffers.FindIndex(b => ReferenceEquals(b.Node, node));
        if (index >= 0) return index;
        buffers.Add(
            (node, new KernelBuffer($"b{buffers.Count}", node.Type.DType, node.Type.Count, isOutput, isUpdated)));
        return buffers.Count - 1;
    }

    /// <summary>The kernel of a nest that is complete.</summary>
    public LoweredKernel Finish(LoopNest nest) => new(Finish(nest.Close()), Arguments) { Checks = [.. Checks] };

    private Kernel Finish(Block body)
    {
        var sizes = new SortedSet<string>(StringComparer.Ordinal);
        void Mention(Size size)
        {
            foreach (var name in size.Variables())
                if (!name.EndsWith('\'')) sizes.Add(name);
        }
        void MentionGuard(Guard guard)
        {
            Mention(guard.Index);
            Mention(guard.Extent);
        }
        foreach (var (_, buffer) in buffers) Mention(buffer.Count);
        foreach (var statement in Kernel.Statements(body))
        {
            switch (statement)
            {
                case IndexValue i: Mention(i.Index); break;
                case Store s:
                    Mention(s.Offset);
                    foreach (var guard in s.Guards) MentionGuard(guard);
                    break;
                case Cumulation c: Mention(c.Extent); break;
                case Ordering o: Mention(o.Extent); break;
                case Loop l: Mention(l.Extent); break;
                case Reduction r: Mention(r.Extent); break;
                case Load l:
                    Mention(l.Offset);
                    foreach (var guard in l.Guards) MentionGuard(guard);
                    break;
                case Contract c:
                    foreach (var axis in c.K.Append(c.M).Append(c.N)) Mention(axis.Extent);
                    break;
                case Attend a:
                    foreach (var axis in (Axis[])[a.M, a.S, a.E, a.K]) Mention(axis.Extent);
                    break;
            }
        }
        return new Kernel("_", [.. buffers.Select(b => b.Buffer)], [.. sizes], body);
    }
}
