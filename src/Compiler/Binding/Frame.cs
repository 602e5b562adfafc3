// The scopes of one function while its body is evaluated: blocks of locals, dtype variables, indices, the call that
// entered it.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

/// <summary>A local; sizes bound by a type are locals too.</summary>
internal sealed class Local(Value value, Span span)
{
    private static long count;

    /// <summary>The serial number of the next local.</summary>
    public static long Next => Interlocked.Read(ref count) + 1;

    /// <summary>
    /// Later locals have greater numbers; assignments to locals older than a region leave the region.
    /// </summary>
    public long Serial { get; init; } = Interlocked.Increment(ref count);

    public Value Value { get; set; } = value;

    /// <summary>
    /// The required type of the value, for state and lent places; null for a local, which takes any value.
    /// </summary>
    public TensorType? Type { get; init; }

    /// <summary>For an `inout` parameter: the place that is read and assigned in its stead.</summary>
    public Place? Alias { get; init; }

    /// <summary>True if it was computed from an index, even one with a single value.</summary>
    public bool IsOverIndex { get; init; }

    public Span Span { get; } = span;
}

/// <summary>A condition of an index form, and the value it must have.</summary>
internal sealed record Guard(TensorValue Condition, bool Truth);

internal sealed class Frame(string name, SourceFile file, Instance? self, Frame? caller, Span? site)
{
    // Settings for a part of the body, restored by a `Scope`.
    private bool inSubscript, hasReturned, inLoop;
    private ImmutableArray<Guard> guards = [];
    private ImmutableArray<Index> indices = [];
    private ImmutableDictionary<string, List<Index>> groups = ImmutableDictionary<string, List<Index>>.Empty;
    private List<Dictionary<string, Local>> blocks = [[]];
    private string? hidden;
    private Action? after;
    private Value returned = ListValue.Nothing;

    public string Name { get; } = name;

    public SourceFile File { get; } = file;

    public Instance? Self { get; } = self;

    public Frame? Caller { get; } = caller;

    /// <summary>The call that entered it.</summary>
    public Span? Site { get; } = site;

    /// <summary>The position within `train`: the number that the caller has given to this call.</summary>
    public (Training Around, int Number)? Call { get; init; }

    private int calls;

    /// <summary>The number of the next call in this body.</summary>
    public int NextCall() => calls++;

    /// <summary>The numbers of the calls that lead here through a `train`, outermost first.</summary>
    public IEnumerable<int> CallPath(Training around) => Call is var (of, number) && ReferenceEquals(of, around)
        ? [.. Caller?.CallPath(around) ?? [], number] : [];

    /// <summary>The function whose body it is.</summary>
    public Syntax.FunctionSyntax? Entered { get; init; }

    /// <summary>The places of its arguments, by parameter.</summary>
    public ImmutableArray<Span?> Given { get; init; } = [];

    /// <summary>The instance whose members are being made in it.</summary>
    public Instance? Makes { get; init; }

    /// <summary>Innermost last; the first holds parameters, sizes and the body's own locals.</summary>
    public ref List<Dictionary<string, Local>> Blocks => ref blocks;

    public Dictionary<string, DType> DTypes { get; } = [];

    /// <summary>The indices of the index forms around the expression being evaluated, innermost last.</summary>
    public ref ImmutableArray<Index> Indices => ref indices;

    /// <summary>The indices that `..` and `..s` stand for.</summary>
    public ref ImmutableDictionary<string, List<Index>> Groups => ref groups;

    /// <summary>True within a subscript, where a name refers to the index.</summary>
    public ref bool InSubscript => ref inSubscript;

    /// <summary>
    /// The conditions under which the current expression is used, in index forms: a read happens only there.
    /// </summary>
    public ref ImmutableArray<Guard> Guards => ref guards;

    /// <summary>The member whose right side is being evaluated: not in scope there.</summary>
    public ref string? Hidden => ref hidden;

    /// <summary>Names that were declared in blocks that have ended.</summary>
    public Dictionary<string, Span> Ended { get; } = [];

    public ref bool HasReturned => ref hasReturned;

    /// <summary>The work left to do after the statements being evaluated, up to the end of the function.</summary>
    public ref Action? After => ref after;

    /// <summary>True in the body of a loop, which `return` cannot leave early.</summary>
    public ref bool InLoop => ref inLoop;

    public ref Value Returned => ref returned;

    /// <summary>
    /// The dtype returned by a branch not taken, when the indices of a form have decided between branches.
    /// </summary>
    public DType? ReturnsLike { get; set; }

    /// <summary>Opens a nested block until the scope ends.</summary>
    public BlockScope Block()
    {
        Blocks.Add([]);
        return new(this);
    }

    public readonly ref struct BlockScope(Frame frame)
    {
        private readonly int around = frame.Blocks.Count - 1;

        public void Dispose() => frame.Blocks.RemoveRange(around, frame.Blocks.Count - around);
    }

    /// <summary>Allows a name to be bound anew until the scope ends.</summary>
    public NameScope Unbound(string name) => new(Blocks[0], name);

    public readonly ref struct NameScope
    {
        private readonly Dictionary<string, Local> block;
        private readonly string name;
        private readonly Local? outer;

        public NameScope(Dictionary<string, Local> block, string name)
        {
            (this.block, this.name, outer) = (block, name, block.GetValueOrDefault(name));
            block.Remove(name);
        }

        public void Dispose()
        {
            block.Remove(name);
            if (outer is not null) block[name] = outer;
        }
    }

    public Local? Find(string name)
    {
        for (var i = Blocks.Count - 1; i >= 0; i--)
        {
            if (Blocks[i].TryGetValue(name, out var local)) return local;
        }
        return null;
    }

    public void Declare(string name, Value value, Span span, bool isOverIndex = false) =>
        Blocks[^1][name] = new(value, span) { IsOverIndex = isOverIndex };

    public void DeclareParameter(string name, Value value, Span span) => Blocks[0][name] = new(value, span);
}
