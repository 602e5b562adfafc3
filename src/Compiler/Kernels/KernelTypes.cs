// In: a scalar operation, literal or reduction. Out: nothing, or a KernelException if its types do not fit (K5, K14).
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>Which operations exist on which dtypes.</summary>
internal static class KernelTypes
{
    public static void Require(bool holds, string constraint, Func<string> message)
    {
        if (!holds) throw new KernelException(constraint, message());
    }

    public static int Arity(ScalarOp op) => op switch
    {
        <= ScalarOp.Not or ScalarOp.Convert or ScalarOp.Bitcast => 1,
        ScalarOp.Fma or ScalarOp.Select => 3,
        _ => 2,
    };

    public static bool IsComparison(ScalarOp op) => op is >= ScalarOp.Eq and <= ScalarOp.Ge;

    /// <summary>
    /// True if the operation exists on operands of the dtype; not meant for Select, Convert and Bitcast.
    /// </summary>
    public static bool Exists(ScalarOp op, DType type) => op switch
    {
        ScalarOp.Sqrt or ScalarOp.Floor or ScalarOp.Ceil or ScalarOp.Trunc or ScalarOp.Round => type.IsFloat,
        ScalarOp.Not or ScalarOp.And or ScalarOp.Or or ScalarOp.Xor => !type.IsFloat,
        ScalarOp.Rem or ScalarOp.Shl or ScalarOp.Shr => type.IsInteger,
        >= ScalarOp.Eq and <= ScalarOp.Ge or ScalarOp.Max or ScalarOp.Min => true,
        _ => type != DType.Bool,
    };

    public static void Check(Compute c)
    {
        var name = $"%{c.Result.Id} = {c.Op.ToString().ToLowerInvariant()}";
        Require(c.Arguments.Length == Arity(c.Op), "K5",
            () => $"{name} takes {Arity(c.Op)} operands, not {c.Arguments.Length}");
        var (result, operand) = (c.Result.Type, c.Arguments[^1].Type);
        if (c.Op == ScalarOp.Convert) return;
        if (c.Op == ScalarOp.Bitcast)
        {
            Require(result == operand || (result != DType.Bool && operand != DType.Bool
                && result.Bytes() == operand.Bytes()),
                "K5", () => $"{name} of {operand.Name()} to {result.Name()}: the widths differ, or one is bool");
            return;
        }
        var rest = c.Arguments.AsSpan();
        if (c.Op == ScalarOp.Select)
        {
            Require(rest[0].Type == DType.Bool, "K5", () => $"{name}: the condition is {c.Arguments[0].Type.Name()}");
            rest = rest[1..];
        }
        else Require(Exists(c.Op, operand), "K5", () => $"{name} does not exist on {operand.Name()}");
        foreach (var argument in rest)
            Require(argument.Type == operand, "K5",
                () => $"{name}: an operand is {argument.Type.Name()}, another {operand.Name()}");
        var wanted = IsComparison(c.Op) ? DType.Bool : operand;
        Require(result == wanted, "K5", () => $"{name} gives {wanted.Name()}, not {result.Name()}");
    }

    public static void Check(Literal l)
    {
        var type = l.Result.Type;
        var fits = type switch
        {
            _ when type.IsFloat => ConstText.Round(l.Float, type).Equals(l.Float),
            DType.Bool => l.Integer is 0 or 1,
            DType.U64 or DType.I64 => true, // the bits of the value
            _ when type.IsSigned => l.Integer >> ((8 * type.Bytes()) - 1) is 0 or -1,
            _ => l.Integer >> (8 * type.Bytes()) == 0,
        };
        Require(fits, "K6", () => $"the constant %{l.Result.Id} is not exact in {type.Name()}");
    }

    public static void Check(Reduction r, Value yield, Value? factor)
    {
        var (result, term) = (r.Result.Type, yield.Type);
        var name = $"%{r.Result.Id} = {r.Kind.ToString().ToLowerInvariant()}";
        Require(factor is null
            || (r is { Kind: ReduceKind.Add, Lanes: false } && term.IsFloat && factor.Type == term), "K14",
            () => $"{name} of products is a float sum in order, of two values of one dtype");
        if (r.Kind is ReduceKind.ArgMax or ReduceKind.ArgMin)
        {
            Require(result is DType.I32 or DType.I64, "K14", () => $"{name} gives i32 or i64, not {result.Name()}");
            return;
        }
        Require(result == term, "K14", () => $"{name} is {result.Name()}, its terms {term.Name()}");
        Require(Exists(r.Kind, term), "K14", () => $"{name} does not exist on {term.Name()}");
    }

    public static void Check(Cumulation c, Value yield)
    {
        var (result, term) = (c.Running.Type, yield.Type);
        Require(result == term && c.Kind is not (ReduceKind.ArgMax or ReduceKind.ArgMin) && Exists(c.Kind, term), "K17",
            () => $"a running {c.Kind.ToString().ToLowerInvariant()} %{c.Running.Id} of {result.Name()} over {term.Name()}");
    }

    public static void Check(Ordering o, Value yield)
    {
        Require(o.Key.Type == yield.Type, "K18", () =>
            $"the keys are {yield.Type.Name()}, %{o.Key.Id} is {o.Key.Type.Name()}");
        Require(o.At.Type is DType.I32 or DType.I64, "K18", () => $"an index of dtype {o.At.Type.Name()}");
    }

    private static bool Exists(ReduceKind kind, DType term) => kind switch
    {
        ReduceKind.And or ReduceKind.Or => !term.IsFloat,
        ReduceKind.Add or ReduceKind.Mul => term != DType.Bool,
        _ => true,
    };
}
