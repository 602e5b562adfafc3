// In: the nodes that a kernel reads and writes, and its body. Out: the kernel with its buffers in order of first use.
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
        var name = VariableName.Loop(stem, variables++);
        Ranges.Add(name, extent);
        return name;
    }

    /// <summary>
    /// Conditions that a call must meet, beyond the function's own checks: an indexed axis has elements.
    /// </summary>
    public List<EntryCheck> Checks { get; } = [];

    public int Buffer(Node node, bool isOutput = false, bool isUpdated = false)
    {
        var index = buffers.FindIndex(b => ReferenceEquals(b.Node, node));
        if (index >= 0) return index;
        buffers.Add(
            (node, new KernelBuffer($"b{buffers.Count}", node.Type.DType, node.Type.Count, isOutput, isUpdated)));
        return buffers.Count - 1;
    }

    /// <summary>The kernel of a complete nest.</summary>
    public LoweredKernel Finish(LoopNest nest) => new(Finish(nest.Close()), Arguments) { Checks = [.. Checks] };

    private Kernel Finish(Block body)
    {
        var sizes = new SortedSet<string>(StringComparer.Ordinal);
        void Mention(Size size)
        {
            foreach (var name in size.Variables())
                if (!VariableName.IsOfKernel(name)) sizes.Add(name);
        }
        foreach (var (_, buffer) in buffers) Mention(buffer.Count);
        foreach (var size in Kernel.Statements(body).SelectMany(s => s.Sizes)) Mention(size);
        return new Kernel("_", [.. buffers.Select(b => b.Buffer)], [.. sizes], body);
    }
}
