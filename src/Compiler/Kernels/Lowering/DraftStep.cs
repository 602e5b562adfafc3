// A program under construction: its steps as a tree, over tensors that have no slot yet.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// The memory of one tensor. Several nodes may live in one storage, one after the other: a result that is written in
/// place shares it with the operand it replaces. A temporary belongs to the block that made it: at the end of the block
/// its content is lost.
/// </summary>
internal sealed class Storage(BufferKind kind, TensorType type, string label, DraftBlock? home = null)
{
    public BufferKind Kind => kind;

    public TensorType Type => type;

    public string Label => label;

    public DraftBlock? Home => home;

    public Const? Values { get; init; }

    public bool IsInout { get; init; }
}

internal abstract record DraftStep;

internal sealed record DraftCall(int Kernel, ImmutableArray<Storage> Storages, Graph.Origin Origin) : DraftStep;

internal sealed record DraftCopy(Storage From, Storage To) : DraftStep;

internal sealed record DraftSize(string Variable, Storage From, long Plus, Size Most) : DraftStep;

internal sealed record DraftLet(string Variable, Size Value) : DraftStep;

internal sealed record DraftCheck(EntryCheck Check) : DraftStep;

internal sealed record DraftLoop(string Variable, Size Count, DraftBlock Body) : DraftStep;

internal sealed record DraftWhile(DraftBlock Condition, Storage Test, DraftBlock Body) : DraftStep;

internal sealed record DraftIf(Storage Test, DraftBlock Then, DraftBlock Else) : DraftStep;

internal sealed record DraftPrint(string Format, ImmutableArray<Storage> Storages) : DraftStep;

internal sealed record DraftAssert(string Message, Storage Test, ImmutableArray<Storage> Storages,
    Graph.Origin Origin) : DraftStep;

/// <summary>Steps in order, and the block around them.</summary>
internal sealed class DraftBlock(DraftBlock? outer)
{
    public DraftBlock? Outer => outer;

    public List<DraftStep> Steps { get; } = [];

    public DraftBlock Inner() => new(this);

    public void Add(DraftStep step) => Steps.Add(step);
}

/// <summary>Kernels by their text: equal ones are one kernel, called twice.</summary>
internal sealed class KernelTable
{
    private readonly Dictionary<string, int> known = [];
    private readonly List<Kernel> kernels = [];

    public int Add(Kernel kernel)
    {
        var body = KernelPrinter.Body(kernel);
        if (known.TryGetValue(body, out var index)) return index;
        kernels.Add(kernel with { Name = $"k{kernels.Count}" });
        return known[body] = kernels.Count - 1;
    }

    public ImmutableArray<Kernel> ToImmutable() => [.. kernels];
}
