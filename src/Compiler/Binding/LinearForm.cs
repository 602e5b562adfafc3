// In: a scalar integer of the graph. Out: the equal sum of run-time scalars and a size.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

/// <summary>
/// Coefficients of scalars that only the call knows, and a size: `pos + t` minus `pos` is the size t for every pos.
/// </summary>
internal sealed record LinearForm(ImmutableDictionary<Node, long> Scalars, Size Rest)
{
    public bool IsSize => Scalars.IsEmpty;

    /// <summary>The scalar of `scalar + size`; null for any other form.</summary>
    public Node? Single => Scalars.Count == 1 && Scalars.First() is { Value: 1, Key: var node } ? node : null;

    public static LinearForm Of(Value value) => value is IntValue i ? Known(i.Size) : Of(((TensorValue)value).Node);

    public static LinearForm Of(Node node)
    {
        switch (node)
        {
            case Const { IsSplat: true, Type.DType.IsInteger: true } c:
                return Known(c.Integers[0]);
            case SizeValue { Type.DType.IsInteger: true } s:
                return Known(s.Size);
            case Binary { Kind: BinaryOp.Add } b:
                return Of(b.Operands[0]) + Of(b.Operands[1]);
            case Binary { Kind: BinaryOp.Sub } b:
                return Of(b.Operands[0]) - Of(b.Operands[1]);
            case Unary { Kind: UnaryOp.Neg } u:
                return Of(u.Operands[0]).Times(-1);
            case Binary { Kind: BinaryOp.Mul } b when Of(b.Operands[0]) is { IsSize: true, Rest.IsConstant: true } k:
                return Of(b.Operands[1]).Times(k.Rest.Value);
            case Binary { Kind: BinaryOp.Mul } b when Of(b.Operands[1]) is { IsSize: true, Rest.IsConstant: true } k:
                return Of(b.Operands[0]).Times(k.Rest.Value);
            // A wider integer holds the same number.
            case Accelerate.Compiler.Graph.Convert { Type.DType: DType.I64, Operands: [{ Type.DType: DType.I32 } x] }:
                return Of(x);
            default:
                return new(ImmutableDictionary<Node, long>.Empty.Add(node, 1), Size.Zero);
        }
    }

    private static LinearForm Known(Size size) =>
        new(ImmutableDictionary<Node, long>.Empty, size);

    private LinearForm Times(long factor) => factor == 0 ? Known(0)
        : new(Scalars.ToImmutableDictionary(p => p.Key, p => checked(p.Value * factor)), Rest * factor);

    public static LinearForm operator +(LinearForm a, LinearForm b)
    {
        var sum = a.Scalars;
        foreach (var (node, factor) in b.Scalars)
        {
            var total = sum.GetValueOrDefault(node) + factor;
            sum = total == 0 ? sum.Remove(node) : sum.SetItem(node, total);
        }
        return new(sum, a.Rest + b.Rest);
    }

    public static LinearForm operator -(LinearForm a, LinearForm b) => a + b.Times(-1);
}
