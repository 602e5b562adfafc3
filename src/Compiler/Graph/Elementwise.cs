// The elementwise operations: unary, binary, compare, select, convert. Operands have one shape; nothing broadcasts
// here.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

internal enum UnaryOp
{
    Neg, Abs, Sign, Floor, Ceil, Trunc, Round, Exp, Log, Expm1, Log1p, Sin, Cos, Tanh, Erf, Sqrt, Rsqrt, Not,
}

internal enum BinaryOp
{
    Add, Sub, Mul, Div, Rem, Pow, Max, Min, Atan2, And, Or, Xor, Shl, Shr,
}

internal enum CompareOp
{
    Eq, Ne, Lt, Le, Gt, Ge,
}

internal sealed class Unary(UnaryOp kind, Node x) : Node(Ops.Name(kind), [x], Infer(kind, x.Type))
{
    public override OpTraits Traits => OpTraits.Elementwise
        | (Kind is UnaryOp.Neg or UnaryOp.Abs or UnaryOp.Not or UnaryOp.Sign or UnaryOp.Floor or UnaryOp.Ceil
            or UnaryOp.Trunc ? OpTraits.None : OpTraits.Costly);

    public UnaryOp Kind { get; } = kind;

    public override Node With(ImmutableArray<Node> operands) => new Unary(Kind, operands[0]);

    private static TensorType Infer(UnaryOp kind, TensorType x)
    {
        var allowed = kind switch
        {
            UnaryOp.Not => x.DType == DType.Bool || x.DType.IsInteger,
            UnaryOp.Neg or UnaryOp.Abs or UnaryOp.Sign => x.DType.IsFloat || x.DType.IsInteger,
            _ => x.DType.IsFloat,
        };
        Rule.Require(allowed, "unary C1", () => $"{Ops.Name(kind)} is not defined for {x.DType.Name()}");
        return x;
    }
}

internal sealed class Binary(BinaryOp kind, Node a, Node b) : Node(Ops.Name(kind), [a, b], Infer(kind, a.Type, b.Type))
{
    public override OpTraits Traits => OpTraits.Elementwise
        | (Kind is BinaryOp.Pow or BinaryOp.Atan2 ? OpTraits.Costly : OpTraits.None);

    public BinaryOp Kind { get; } = kind;

    public override Node With(ImmutableArray<Node> operands) => new Binary(Kind, operands[0], operands[1]);

    private static TensorType Infer(BinaryOp kind, TensorType a, TensorType b)
    {
        Rule.Require(a.Equals(b), "binary C1", () => $"{Ops.Name(kind)} of {a} and {b}");
        var allowed = kind switch
        {
            BinaryOp.Add or BinaryOp.Sub or BinaryOp.Mul or BinaryOp.Div or BinaryOp.Rem => a.DType != DType.Bool,
            BinaryOp.Max or BinaryOp.Min => true,
            BinaryOp.Pow => a.DType.IsFloat || a.DType.IsInteger,
            BinaryOp.Atan2 => a.DType.IsFloat,
            BinaryOp.And or BinaryOp.Or or BinaryOp.Xor => a.DType == DType.Bool || a.DType.IsInteger,
            _ => a.DType.IsInteger,
        };
        Rule.Require(allowed, "binary C2", () => $"{Ops.Name(kind)} is not defined for {a.DType.Name()}");
        return a;
    }
}

internal sealed class Compare(CompareOp kind, Node a, Node b) : Node("compare", [a, b], Infer(kind, a.Type, b.Type))
{
    public override OpTraits Traits => OpTraits.Elementwise;

    public CompareOp Kind { get; } = kind;

    public override string Attributes => Ops.Name(Kind);

    public override Node With(ImmutableArray<Node> operands) => new Compare(Kind, operands[0], operands[1]);

    private static TensorType Infer(CompareOp kind, TensorType a, TensorType b)
    {
        Rule.Require(a.Equals(b), "compare C1", () => $"{Ops.Name(kind)} of {a} and {b}");
        return a.With(DType.Bool);
    }
}

internal sealed class Select(Node condition, Node a, Node b)
    : Node("select", [condition, a, b], Infer(condition.Type, a.Type, b.Type))
{
    public override OpTraits Traits => OpTraits.Elementwise;

    public override Node With(ImmutableArray<Node> operands) => new Select(operands[0], operands[1], operands[2]);

    private static TensorType Infer(TensorType condition, TensorType a, TensorType b)
    {
        Rule.Require(condition.DType == DType.Bool, "select C1", () => $"the condition is {condition}");
        Rule.Require(a.Equals(b), "select C2", () => $"select between {a} and {b}");
        Rule.Require(condition.Equals(a.With(DType.Bool)), "select C3", () => $"{condition} selects from {a}");
        return a;
    }
}

/// <summary>The numeric cast; float to int truncates, saturates, and turns NaN into 0.</summary>
internal sealed class Convert(Node x, DType dtype) : Node("convert", [x], x.Type.With(dtype))
{
    public override OpTraits Traits => OpTraits.Elementwise;

    public override Node With(ImmutableArray<Node> operands) => new Convert(operands[0], Type.DType);
}

internal sealed class Bitcast(Node x, DType dtype) : Node("bitcast", [x], Infer(x.Type, dtype))
{
    public override OpTraits Traits => OpTraits.Elementwise;

    public override Node With(ImmutableArray<Node> operands) => new Bitcast(operands[0], Type.DType);

    private static TensorType Infer(TensorType x, DType dtype)
    {
        Rule.Require(x.DType.Bytes() == dtype.Bytes() && x.DType != DType.Bool && dtype != DType.Bool, "bitcast C1",
            () => $"{x.DType.Name()} and {dtype.Name()} differ in width");
        return x.With(dtype);
    }
}

/// <summary>The identity, through which no gradient flows.</summary>
internal sealed class StopGradient(Node x) : Node("stop_gradient", [x], x.Type)
{
    public override OpTraits Traits => OpTraits.Elementwise;

    public override Node With(ImmutableArray<Node> operands) => new StopGradient(operands[0]);
}
