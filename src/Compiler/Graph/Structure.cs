// Structure and effects: tuples, calls of closed functions, barriers, and what happens in program order.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

/// <summary>A call of a closed function: everything it uses is an operand. The value is a tuple when it has several results.</summary>
public sealed class Call(Function callee, ImmutableArray<Node> arguments)
    : Node("call", arguments, Infer(callee, arguments))
{
    public Function Callee { get; } = callee;

    public override string Attributes => $"@{Callee.Name}";

    public override Node With(ImmutableArray<Node> operands) => new Call(Callee, operands);

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
public sealed class Tuple(ImmutableArray<Node> items) : Node("tuple", items, Infer(items))
{
    public override Node With(ImmutableArray<Node> operands) => new Tuple(operands);

    private static TensorType Infer(ImmutableArray<Node> items)
    {
        Rule.Require(!items.IsEmpty, "tuple C1", () => "a tuple of nothing");
        return items[0].Type;
    }
}

/// <summary>Element Index of a tuple or of a call with several results.</summary>
public sealed class Result(Node of, int index) : Node("result", [of], Infer(of, index))
{
    public int Index { get; } = index;

    public override string Attributes => $"{Index}";

    public override Node With(ImmutableArray<Node> operands) => new Result(operands[0], Index);

    private static TensorType Infer(Node of, int index)
    {
        var types = of switch
        {
            Tuple t => t.Operands.Select(o => o.Type).ToArray(),
            Call c => [.. c.Callee.Results.Select(r => r.Type)],
            _ => throw new GraphException("result C1", $"result of {of.Op}"),
        };
        Rule.Require(index >= 0 && index < types.Length, "result C2", () => $"result {index} of {types.Length}");
        return types[index];
    }
}

/// <summary>The identity with an identity of its own: a value recomputed behind a barrier is not merged with the first.</summary>
public sealed class Barrier(Node x, int unique) : Node("barrier", [x], x.Type)
{
    public int Unique { get; } = unique;

    public override string Attributes => $"{Unique}";

    public override Node With(ImmutableArray<Node> operands) => new Barrier(operands[0], Unique);
}

/// <summary>Prints its operands through the format, in program order. The value is its first operand, without one `true`.</summary>
public sealed class Print(string format, ImmutableArray<Node> values)
    : Node("print", values, values.IsEmpty ? TensorType.Scalar(DType.Bool) : values[0].Type)
{
    public string Format { get; } = format;

    public override string Attributes => Quote.Text(Format);

    public override bool IsEffect => true;

    public override Node With(ImmutableArray<Node> operands) => new Print(Format, operands);
}

/// <summary>Fails the call with the message when the scalar condition is false.</summary>
public sealed class Assert(string message, Node condition) : Node("assert", [condition], Infer(condition.Type))
{
    public string Message { get; } = message;

    public override string Attributes => Quote.Text(Message);

    public override bool IsEffect => true;

    public override Node With(ImmutableArray<Node> operands) => new Assert(Message, operands[0]);

    private static TensorType Infer(TensorType condition)
    {
        Rule.Require(condition.Equals(TensorType.Scalar(DType.Bool)), "assert C1", () => $"the condition is {condition}");
        return condition;
    }
}

/// <summary>A new value for a piece of state from here on.</summary>
public sealed class Assign(StorageClass storage, string name, Node value) : Node("assign", [value], value.Type)
{
    public StorageClass Storage { get; } = storage;

    public string Name { get; } = name;

    public override string Attributes => $"{(Storage == StorageClass.Param ? "param" : "buffer")} {Quote.Text(Name)}";

    public override bool IsEffect => true;

    public override Node With(ImmutableArray<Node> operands) => new Assign(Storage, Name, operands[0]);
}
