// The values of expressions during elaboration: known ones, and tensors, which are nodes of the graph being built.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal abstract record Value
{
    /// <summary>
    /// The value after an error has been reported; everything computed from it is poison too, without further reports.
    /// </summary>
    public static readonly Value Poison = new PoisonValue();
}

internal sealed record PoisonValue : Value;

/// <summary>A number without a dtype: it takes that of the tensor it meets.</summary>
internal abstract record WeakValue : Value;

/// <summary>An integer: a constant, a size, or an expression of indices.</summary>
internal sealed record IntValue(Size Size) : WeakValue;

/// <summary>A literal beyond the ints: it becomes a u64, or a float; -9223372036854775808 is an int.</summary>
internal sealed record WideValue(ulong Number) : WeakValue;

internal sealed record FloatValue(double Number) : WeakValue;

/// <summary>A number that only the call knows: `1 / sqrt(d)` with a size d. Kept as an expression.</summary>
internal sealed record RealValue(string Operation, ImmutableArray<WeakValue> Operands) : WeakValue;

/// <summary>
/// One of two numbers, chosen by a scalar of an index form: `if j &lt;= i { 1 } else { 0 }`. It takes the dtype it
/// meets, as both would.
/// </summary>
internal sealed record ChoiceValue(TensorValue Condition, WeakValue Then, WeakValue Else) : WeakValue;

internal sealed record BoolValue(bool Truth) : Value;

internal sealed record StringValue(string Text) : Value;

internal sealed record DTypeValue(DType DType) : Value;

/// <summary>
/// A tensor. Inside an index form the leading axes of the node run over <see cref="Indices"/>; the value's own axes
/// come after them.
/// </summary>
internal sealed record TensorValue(Node Node, Function Graph, ImmutableArray<Index> Indices) : Value
{
    public DType DType => Node.Type.DType;

    /// <summary>The value's own axes, without those of the indices.</summary>
    public ImmutableArray<Size> Shape => Indices.IsEmpty ? Node.Type.Shape : [.. Node.Type.Shape.Skip(Indices.Length)];

    public int Rank => Node.Type.Rank - Indices.Length;

    public TensorType Type => new(DType, Shape);
}

/// <summary>A list too large to be intended.</summary>
internal sealed class ListLimitException(string message) : OverflowException(message);

/// <summary>Names are set if the elements are state or gradients; otherwise null.</summary>
internal sealed record ListValue(ImmutableArray<Value> Items, ImmutableArray<string>? Names = null) : Value
{
    /// <summary>The result of a function that ends without `return`.</summary>
    public static readonly ListValue Nothing = new([]);

    // A list of two that are lists of two, nested sixty times, is made in sixty steps but visited in 2^60.
    private const long MostElements = 1_000_000;

    private readonly ImmutableArray<Value> items = Counted(Items, out _);

    public ImmutableArray<Value> Items
    {
        get => items;
        init => items = Counted(value, out elements);
    }

    private readonly long elements = CountOf(Items);

    private static ImmutableArray<Value> Counted(ImmutableArray<Value> items, out long count)
    {
        count = CountOf(items);
        return count <= MostElements ? items
            : throw new ListLimitException(
                $"a list of more than {MostElements} elements, those of lists in it counted");
    }

    private static long CountOf(ImmutableArray<Value> items)
    {
        var sum = 0L;
        foreach (var item in items) sum += item is ListValue list ? list.elements + 1 : 1;
        return sum;
    }

    /// <summary>Compares the arrays by reference; callers compare the elements themselves if they need to.</summary>
    public bool Equals(ListValue? other) =>
        other is not null && items == other.items && Nullable.Equals(Names, other.Names);

    public override int GetHashCode() => items.GetHashCode();
}

/// <summary>A function of a file, or of a module together with the instance whose members it sees.</summary>
internal sealed record FunctionValue(FunctionSyntax Syntax, SourceFile File, Instance? Self) : Value;

/// <summary>A `param` or `buffer` itself, as an element of `params`: read as its tensor, assigned as a place.</summary>
internal sealed record StateValue(StateMember Member) : Value;

internal sealed record BuiltinValue(Builtin Builtin) : Value;

internal sealed record ModuleValue(ModuleSyntax Syntax, SourceFile File) : Value;

internal sealed record InstanceValue(Instance Instance) : Value;

internal sealed record FileValue(SourceFile File) : Value;

/// <summary>An index of an index form. Extents are sizes; in size arithmetic the variable represents it.</summary>
internal sealed class Index(string name, string variable, Size extent, Span span)
{
    public string Name { get; } = name;

    /// <summary>A name that no size variable can have, so that an index n and a size n stay apart.</summary>
    public string Variable { get; } = variable;

    public Size Extent { get; } = extent;

    /// <summary>
    /// True if the extent is written, `i &lt; n`; else it is that of the axes where the index stands alone.
    /// </summary>
    public bool IsBounded { get; init; }

    /// <summary>True for the index of a reduction.</summary>
    public bool IsReduced { get; init; }

    public Span Span { get; } = span;

    /// <summary>f = Outer * Inner.Extent + Inner, once some subscript has divided it.</summary>
    public (Index Outer, Index Inner)? Split { get; set; }

    /// <summary>The value in size arithmetic: an axis of one element has only the index 0.</summary>
    public Size Value => Extent.Is(1) ? Size.Zero
        : Split is var (outer, inner) ? outer.Value * inner.Extent + inner.Value : Size.Variable(Variable);

    /// <summary>The axes of a tensor over this index: none for a single element, two if split.</summary>
    public IEnumerable<Index> Axes => Extent.Is(1) ? []
        : Split is var (outer, inner) ? outer.Axes.Concat(inner.Axes) : [this];
}

/// <summary>
/// An instance of a module: its hyper-parameters and members, and its position in the tree of instances.
/// </summary>
internal sealed class Instance(ModuleSyntax syntax, SourceFile file, Span made, string call)
{
    public ModuleSyntax Syntax { get; } = syntax;

    public SourceFile File { get; } = file;

    /// <summary>The call that made it.</summary>
    public Span Made { get; } = made;

    /// <summary>The text of that call, for messages: `Linear(768, 128)`.</summary>
    public string Call { get; } = call;

    public Dictionary<string, (Value Value, Span Span)> Hyper { get; } = [];

    public Dictionary<string, Member> Members { get; } = [];

    public (Instance? Owner, string Name)? Holder { get; set; }

    public bool IsRoot { get; set; }

    /// <summary>The path through the first holder; null while nothing holds it.</summary>
    public string? Path => path ??= IsRoot ? ""
        : Holder is not var (owner, name) ? null
        : owner is null ? name
        : owner.Path is { } above ? (above.Length == 0 ? name : above + "." + name) : null;

    private string? path;
}

/// <summary>A named thing inside an instance.</summary>
internal abstract class Member(string name, Span span)
{
    public string Name { get; } = name;

    public Span Span { get; } = span;
}

internal sealed class FunctionMember(FunctionSyntax syntax) : Member(syntax.Name.Text, syntax.Name.Span)
{
    public FunctionSyntax Syntax { get; } = syntax;
}

/// <summary>A `let`; one that holds tensors is computed again in each graph that mentions it.</summary>
internal sealed class LetMember(string name, Span span, ConstantSyntax syntax, int position, Value value,
    Function? graph)
    : Member(name, span)
{
    public ConstantSyntax Syntax { get; } = syntax;

    public int Position { get; } = position;

    public Value Value { get; set; } = value;

    public Function? Graph { get; set; } = graph;
}

/// <summary>A `param` or `buffer`.</summary>
internal sealed class StateMember(Instance owner, StateSyntax syntax, TensorType type, string? item = null,
    int position = -1)
    : Member(item is null ? syntax.Name.Text : $"{syntax.Name.Text}.{item}", syntax.Name.Span)
{
    /// <summary>The position in the initialiser's list; -1 for a single piece of state.</summary>
    public int Position { get; } = position;

    public Instance Owner { get; } = owner;

    public StateSyntax Syntax { get; } = syntax;

    public TensorType Type { get; } = type;

    /// <summary>The place to show to the user: for state of a library's layer, where the layer was made.</summary>
    public Span UserSpan
    {
        get
        {
            var (span, instance) = (Span, (Instance?)Owner);
            while (SourceLoader.IsLibrary(span.Source) && instance is { IsRoot: false })
                (span, instance) = (instance.Made, instance.Holder?.Owner);
            return span;
        }
    }

    public StorageClass Storage => Syntax.Kind == StateKind.Param ? StorageClass.Param : StorageClass.Buffer;

    public string? Path => Owner.Path is { } path ? (path.Length == 0 ? Name : path + "." + Name) : null;
}
