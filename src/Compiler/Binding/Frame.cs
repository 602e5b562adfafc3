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

    /// <summary>Later locals have greater numbers; what a region assigns of earlier ones leaves it.</summary>
    public long Serial { get; init; } = Interlocked.Increment(ref count);

    public Value Value { get; set; } = value;

    /// <summary>
    /// What the value has to be, for state and what a caller has lent; null for a local, which takes what it is given.
    /// </summary>
    public TensorType? Type { get; init; }

    /// <summary>
    /// For an `inout` parameter: the place that it stands for, which is read and assigned in its stead.
    /// </summary>
    public Place? Alias { get; init; }

    /// <summary>True when it was computed from an index, also from one that has a single value.</summary>
    public bool IsOverIndex { get; init; }

    public Span Span { get; } = span;
}

/// <summary>A condition of an index form, and which of the two it has to be.</summary>
internal sealed record Guard(TensorValue Condition, bool Truth);

internal sealed class Frame(string name, SourceFile file, Instance? self, Frame? caller, Span? site)
{
    public string Name { get; } = name;

    public SourceFile File { get; } = file;

    public Instance? Self { get; } = self;

    public Frame? Caller { get; } = caller;

    /// <summary>The call that entered it.</summary>
    public Span? Site { get; } = site;

    /// <summary>The function whose body it is.</summary>
    public Syntax.FunctionSyntax? Entered { get; init; }

    /// <summary>Where its arguments stand, by parameter.</summary>
    public ImmutableArray<Span?> Given { get; init; } = [];

    /// <summary>The instance whose members are being made in it.</summary>
    public Instance? Makes { get; init; }

    /// <summary>Innermost last; the first holds parameters, sizes and the body's own locals.</summary>
    public List<Dictionary<string, Local>> Blocks { get; } = [[]];

    public Dictionary<string, DType> DTypes { get; } = [];

    /// <summary>The indices of the index forms around the expression being evaluated, innermost last.</summary>
    public List<Index> Indices { get; } = [];

    /// <summary>The indices that `..` and `..s` stand for.</summary>
    public Dictionary<string, List<Index>> Groups { get; } = [];

    /// <summary>True within a subscript, where a name means the index.</summary>
    public bool InSubscript { get; set; }

    /// <summary>
    /// What holds where the expression being evaluated is looked at, in index forms: a read happens there alone.
    /// </summary>
    public ImmutableArray<Guard> Guards { get; set; } = [];

    /// <summary>The member whose right side is evaluated: not in scope there.</summary>
    public string? Hidden { get; set; }

    /// <summary>Names that were declared in blocks that have ended.</summary>
    public Dictionary<string, Span> Ended { get; } = [];

    public bool HasReturned { get; set; }

    /// <summary>What is left to do behind the statements being evaluated, up to the end of the function.</summary>
    public Action? After { get; set; }

    /// <summary>True in the body of a loop, which `return` cannot leave in the middle.</summary>
    public bool InLoop { get; set; }

    public Value Returned { get; set; } = ListValue.Nothing;

    /// <summary>The dtype that a branch not taken returns, when the indices of a form have decided which is.</summary>
    public DType? ReturnsLike { get; set; }

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
