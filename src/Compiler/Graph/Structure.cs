// Structure and effects: tuples, calls of closed functions, barriers, and effects in program order.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

/// <summary>
/// A call of a closed function: everything it uses is an operand. The value is a tuple if it has several results.
/// </summary>
internal sealed class Call(Function callee, ImmutableArray<Node> arguments)
    : Node("call", arguments, Infer(callee, arguments))
{
    public override OpTraits Traits => OpTraits.None;

    public Function Callee { get; } = callee;

    public override string Attributes => $"@{Callee.Name}";

    public override Node With(ImmutableArray<Node> operands) => new Call(Callee, operands);

    public override ImmutableArray<TensorType> ResultTypes => [.. Callee.Results.Select(r => r.Type)];

    private static TensorType Infer(Function callee, ImmutableArray<Node> arguments)
    {
        Rule.Require(callee.Inputs.Count == arguments.Length
            && callee.Inputs.Zip(arguments).All(p => p.First.Type.Equals(p.Second.Type)), "call C1",
            () => $"@{callee.Name} takes {Rule.List(callee.Inputs.Select(i => i.Type))}, not {Rule.List(arguments.Select(a => a.Type))}");
        Rule.Require(callee.Effects.Count == 0, "call C2", () => $"@{callee.Name} has effects");
        Rule.Require(!callee.Results.IsEmpty, "call C3", () => $"@{callee.Name} has no results");
        return callee.Results[0].Type;
    }
}

/// <summary>Several values as one operand of `result`.</summary>
internal sealed class Tuple(ImmutableArray<Node> items) : Node("tuple", items, Infer(items))
{
    public override OpTraits Traits => OpTraits.None;

    public override Node With(ImmutableArray<Node> operands) => new Tuple(operands);

    public override ImmutableArray<TensorType> ResultTypes => [.. Operands.Select(o => o.Type)];

    private static TensorType Infer(ImmutableArray<Node> items)
    {
        Rule.Require(!items.IsEmpty, "tuple C1", () => "a tuple of nothing");
        return items[0].Type;
    }
}

/// <summary>Element Index of a node with several results: a tuple, a call, control flow, a sort.</summary>
internal sealed class Result(Node of, int index) : Node("result", [of], Infer(of, index))
{
    public override OpTraits Traits => OpTraits.None;

    public int Index { get; } = index;

    public override string Attributes => $"{Index}";

    public override Node With(ImmutableArray<Node> operands) => new Result(operands[0], Index);

    private static TensorType Infer(Node of, int index)
    {
        Rule.Require(of is Tuple or Call or RegionNode or Sort, "result C1", () => $"result of {of.Op}");
        var types = of.ResultTypes;
        Rule.Require(index >= 0 && index < types.Length, "result C2", () => $"result {index} of {types.Length}");
        return types[index];
    }
}

/// <summary>The reason for a barrier.</summary>
internal enum BarrierKind
{
    /// <summary>The value gets a buffer of its own, whoever reads it: no kernel recomputes it.</summary>
    Materialise,

    /// <summary>
    /// If the value is the same in all calls, it is computed before the first one, and kept in the form that it has
    /// here.
    /// </summary>
    Setup,

    /// <summary>Computations after it are not merged with equal ones before it.</summary>
    Checkpoint,

    /// <summary>
    /// A value that a gradient is taken by: kept apart from equal values, and from its own operands. Removed once
    /// gradients are made.
    /// </summary>
    Leaf,
}

/// <summary>The identity; no pass looks through it.</summary>
/// <param name="x">The value.</param>
/// <param name="kind">The reason for the barrier.</param>
/// <param name="unique">Distinguishes checkpoints and leaves; 0 for the other kinds, where equal values are
/// merged.</param>
internal sealed class Barrier(Node x, BarrierKind kind, int unique = 0) : Node("barrier", [x], Infer(x, kind, unique))
{
    /// <summary>A checkpoint only has to stay a node of its own: its users read the operand.</summary>
    public override OpTraits Traits =>
        Kind == BarrierKind.Checkpoint ? OpTraits.Movement | OpTraits.View : OpTraits.None;

    public override ImmutableArray<Size>? Below(ImmutableArray<Size> index, IndexRanges ranges) =>
        Kind == BarrierKind.Checkpoint ? index : null;

    public BarrierKind Kind { get; } = kind;

    public int Unique { get; } = unique;

    public override string Attributes =>
        Kind.ToString().ToLowerInvariant() + (IsNumbered(Kind) ? $",{Unique}" : "");

    public override Node With(ImmutableArray<Node> operands) => new Barrier(operands[0], Kind, Unique);

    private static TensorType Infer(Node x, BarrierKind kind, int unique)
    {
        Rule.Require(IsNumbered(kind) || unique == 0, "barrier C1",
            () => $"only a checkpoint or a leaf has a number, not {kind}, {unique}");
        return x.Type;
    }

    /// <summary>True for the kinds with a number that keeps equal values apart.</summary>
    public static bool IsNumbered(BarrierKind kind) => kind is BarrierKind.Checkpoint or BarrierKind.Leaf;
}

/// <summary>
/// Defines the size Variable for the following nodes: the scalar integer operand + Plus, but at least 1 and at most
/// Most. An effect, because nodes that mention the size do not have it as an operand.
/// </summary>
internal sealed class Extent(Node limit, string variable, long plus, Size most) : Node("extent", [limit],
    Infer(limit, most))
{
    public override OpTraits Traits => OpTraits.None;

    public string Variable { get; } = variable;

    public long Plus { get; } = plus;

    public Size Most { get; } = most;

    public override string Attributes => $"{Variable},{Plus},{Most}";

    public override IEnumerable<Size> AttributeSizes => [Most];

    public override bool IsEffect => true;

    public override Node With(ImmutableArray<Node> operands) => new Extent(operands[0], Variable, Plus, Most);

    private static TensorType Infer(Node limit, Size most)
    {
        Rule.Require(limit.Type is { Rank: 0, DType: DType.I32 or DType.I64 }, "extent C1",
            () => $"the limit is {limit.Type}, no i32 or i64");
        Rule.Require(!most.IsConstant || most.Value >= 1, "extent C2", () => $"a size of 1 to {most}");
        return TensorType.Scalar(DType.Bool);
    }
}

/// <summary>
/// Prints its operands through the format, in program order. The value is its first operand; `true` if there is none.
/// </summary>
internal sealed class Print(string format, ImmutableArray<Node> values)
    : Node("print", values, values.IsEmpty ? TensorType.Scalar(DType.Bool) : values[0].Type)
{
    public override OpTraits Traits => OpTraits.None;

    public string Format { get; } = format;

    public override string Attributes => Quote.Text(Format);

    public override bool IsEffect => true;

    public override Node With(ImmutableArray<Node> operands) => new Print(Format, operands);
}

/// <summary>
/// Fails the call if the scalar condition, operand 0, is false; the message formats the other operands.
/// </summary>
internal sealed class Assert(string message, Node condition, ImmutableArray<Node> values)
    : Node("assert", [condition, .. values], Infer(condition.Type))
{
    public override OpTraits Traits => OpTraits.None;

    public string Message { get; } = message;

    public override string Attributes => Quote.Text(Message);

    public override bool IsEffect => true;

    public override Node With(ImmutableArray<Node> operands) => new Assert(Message, operands[0], operands.RemoveAt(0));

    private static TensorType Infer(TensorType condition)
    {
        Rule.Require(condition.Equals(TensorType.Scalar(DType.Bool)), "assert C1", () =>
            $"the condition is {condition}");
        return condition;
    }
}

/// <summary>
/// The value that a piece of state, or an `inout` input of that name, has when the function returns. At most one each.
/// </summary>
internal sealed class Assign(StorageClass storage, string name, Node value) : Node("assign", [value], value.Type)
{
    public override OpTraits Traits => OpTraits.None;

    public StorageClass Storage { get; } = storage;

    public string Name { get; } = name;

    public override string Attributes => $"{Storage.ToString().ToLowerInvariant()} {Quote.Text(Name)}";

    public override bool IsEffect => true;

    public override Node With(ImmutableArray<Node> operands) => new Assign(Storage, Name, operands[0]);
}
