// One value of the graph: an operation, its operands, its attributes as text, and its type.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Graph;

/// <summary>
/// A node is only made by its function's <see cref="Function.Add"/> and is interned by (op, operands, attributes,
/// type): equal values are the same object, and equality is reference equality.
/// </summary>
internal abstract class Node(string op, ImmutableArray<Node> operands, TensorType type)
{
    /// <summary>The operation's name in the text form.</summary>
    public string Op { get; } = op;

    public ImmutableArray<Node> Operands { get; } = operands;

    /// <summary>The type; for a tuple, that of its first element.</summary>
    public TensorType Type { get; } = type;

    /// <summary>
    /// The types of all its results: several for nodes that only <see cref="Result"/> takes apart; none for a loop that
    /// only has effects.
    /// </summary>
    public virtual ImmutableArray<TensorType> ResultTypes => [Type];

    /// <summary>Position in the function: operands come first. -1 before the node is added to a function.</summary>
    public int Id { get; internal set; } = -1;

    /// <summary>
    /// For a view: the index of the operand's element that the result has at the given index, so that users of the
    /// result can read the operand. Null for all other operations.
    /// </summary>
    /// <param name="index">A polynomial in loop variables for each axis of the result.</param>
    /// <param name="ranges">The ranges of these variables, used to simplify divisions.</param>
    public virtual ImmutableArray<Size>? Below(ImmutableArray<Size> index, IndexRanges ranges) => null;

    /// <summary>Everything besides operands and type, in the text form; empty if there is nothing.</summary>
    public virtual string Attributes => "";

    /// <summary>The sizes among the attributes: starts, paddings, counts; those of the type are not included.</summary>
    public virtual IEnumerable<Size> AttributeSizes => [];

    /// <summary>The properties that passes and lowering may rely on.</summary>
    public abstract OpTraits Traits { get; }

    /// <summary>True if it has one of the traits.</summary>
    public bool Is(OpTraits traits) => (Traits & traits) != 0;

    /// <summary>
    /// True for a node that may fail a call, such as by an index out of range: it must not run where it did not before.
    /// </summary>
    public bool MayFail => Is(OpTraits.ReadsAtValue | OpTraits.WritesAtValue) || this is RegionNode || IsEffect;

    /// <summary>
    /// True for nodes that run in program order and are never merged: print, assert, assign, and control flow that
    /// contains such.
    /// </summary>
    public virtual bool IsEffect => false;

    /// <summary>
    /// The same operation on other operands, as a node that is in no function yet; the type is inferred again.
    /// </summary>
    public abstract Node With(ImmutableArray<Node> operands);

    /// <summary>The same operation on the replacements of its operands.</summary>
    public Node On(IReadOnlyDictionary<Node, Node> map) => With([.. Operands.Select(o => map[o])]);

    public TensorType OperandType(int index) => Operands[index].Type;

    /// <summary>Everything about it but its function: operands are numbers.</summary>
    internal string KeyText => $"{Op}({string.Join(',', Operands.Select(o => o.Id))};{Attributes}):{Type.Text}";

    public override string ToString() => $"%{Id} = {Op} : {Type}";
}

/// <summary>Two nodes of a function with equal keys are merged.</summary>
internal readonly struct NodeKey(Node node) : IEquatable<NodeKey>
{
    private readonly Node node = node;
    private readonly string attributes = node.Attributes;

    public bool Equals(NodeKey other) => node.Op == other.node.Op && attributes == other.attributes
        && node.Operands.AsSpan().SequenceEqual(other.node.Operands.AsSpan()) && node.Type.Equals(other.node.Type);

    public override bool Equals(object? obj) => obj is NodeKey other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(node.Op);
        hash.Add(attributes);
        hash.Add(node.Type);
        foreach (var operand in node.Operands) hash.Add(operand.Id);
        return hash.ToHashCode();
    }
}

/// <summary>A violated rule of OPS.md; the id is the constraint's there, such as `dot C2`.</summary>
internal sealed class GraphException(string constraint, string message) : Exception($"{constraint}: {message}")
{
    public string Constraint { get; } = constraint;
}

internal static class Rule
{
    /// <summary>Throws unless the condition holds.</summary>
    public static void Require(bool holds, string constraint, Func<string> message)
    {
        if (!holds) throw new GraphException(constraint, message());
    }

    public static string List<T>(IEnumerable<T> items) => $"[{string.Join(',', items)}]";
}
