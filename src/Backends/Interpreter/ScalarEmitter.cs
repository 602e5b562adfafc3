// In: a scalar operation and its operands as expressions. Out: the expression of its result.
using System.Linq.Expressions;
using System.Reflection;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.Interpreter;

internal static class ScalarEmitter
{
    /// <summary>The .NET type of a value of the dtype.</summary>
    public static Type TypeOf(DType type) => type switch
    {
        DType.Bool => typeof(bool),
        DType.I8 => typeof(sbyte),
        DType.I16 => typeof(short),
        DType.I32 => typeof(int),
        DType.I64 => typeof(long),
        DType.U8 => typeof(byte),
        DType.U16 => typeof(ushort),
        DType.U32 => typeof(uint),
        DType.U64 => typeof(ulong),
        DType.F16 => typeof(Half),
        DType.BF16 => typeof(BFloat16),
        DType.F32 => typeof(float),
        DType.F64 => typeof(double),
        _ => throw new LimitationException($"not supported: {type.Name()} in kernels"),
    };

    /// <summary>The method that implements the operation for operands of the dtype.</summary>
    public static MethodInfo Method(string op, DType type)
    {
        var holder = type switch
        {
            DType.Bool => typeof(BoolOps),
            DType.F16 or DType.BF16 => typeof(NarrowOps),
            _ => type.IsFloat ? typeof(FloatOps) : typeof(IntegerOps),
        };
        var method = holder.GetMethod(op)
            ?? throw new InternalErrorException($"{op.ToLowerInvariant()} does not exist on {type.Name()}");
        return method.IsGenericMethodDefinition ? method.MakeGenericMethod(TypeOf(type)) : method;
    }

    public static Expression Compute(ScalarOp op, DType result, DType operand, Expression[] arguments) => op switch
    {
        ScalarOp.Select => Expression.Condition(arguments[0], arguments[1], arguments[2]),
        ScalarOp.Convert => Convert(arguments[0], operand, result),
        ScalarOp.Bitcast => operand == result ? arguments[0] : Expression.Call(
            typeof(Conversions), nameof(Conversions.Bits), [TypeOf(operand), TypeOf(result)], arguments),
        _ => Expression.Call(Method(op.ToString(), operand), arguments),
    };

    public static Expression Literal(DType type, double number, long integer) => type switch
    {
        DType.Bool => Expression.Constant(integer != 0),
        DType.F16 => Expression.Constant((Half)number),
        DType.BF16 => Expression.Constant((BFloat16)number),
        DType.F32 => Expression.Constant((float)number),
        DType.F64 => Expression.Constant(number),
        DType.I64 => Expression.Constant(integer),
        _ => Expression.Constant(System.Convert.ChangeType(Wrap(type, integer), TypeOf(type))),
    };

    /// <summary>The initial value of a reduction: combining it with any term gives that term.</summary>
    public static Expression Identity(ReduceKind kind, DType type) => kind switch
    {
        ReduceKind.Add => Literal(type, 0, 0),
        ReduceKind.Mul => Literal(type, 1, 1),
        ReduceKind.Max => Limit(type, double.NegativeInfinity, "MinValue"),
        ReduceKind.Min => Limit(type, double.PositiveInfinity, "MaxValue"),
        ReduceKind.And => type == DType.Bool ? Expression.Constant(true) : Expression.Call(Method("Not", type),
            Literal(type, 0, 0)),
        ReduceKind.Or => Literal(type, 0, 0),
        _ => throw new InternalErrorException($"{kind} has no identity"),
    };

    private static Expression Limit(DType type, double infinity, string field) => type switch
    {
        DType.Bool => Expression.Constant(infinity > 0),
        _ when type.IsFloat => Literal(type, infinity, 0),
        _ => Expression.Constant(TypeOf(type).GetField(field)!.GetValue(null)),
    };

    private static object Wrap(DType type, long integer) => unchecked(type switch
    {
        DType.I8 => (sbyte)integer,
        DType.I16 => (short)integer,
        DType.I32 => (int)integer,
        DType.U8 => (byte)integer,
        DType.U16 => (ushort)integer,
        DType.U32 => (uint)integer,
        _ => (object)(ulong)integer,
    });

    private static Expression Convert(Expression a, DType from, DType to)
    {
        if (from == to) return a;
        if (from is DType.F16 or DType.BF16)
            return Convert(Expression.Call(typeof(NarrowOps), nameof(NarrowOps.From), [TypeOf(from)], a), DType.F32,
                to);
        if (to is DType.F16 or DType.BF16) return Narrow(a, from, TypeOf(to));
        var (source, target) = (TypeOf(from), TypeOf(to));
        var (name, types) = (from, to) switch
        {
            (DType.Bool, _) => (nameof(Conversions.FromBool), new[] { target }),
            (_, DType.Bool) => (nameof(Conversions.ToBool), [source]),
            (DType.F32, DType.F64) => (nameof(Conversions.Widen), null),
            (DType.F64, DType.F32) => (nameof(Conversions.Narrow), null),
            _ when from.IsFloat => (nameof(Conversions.FloatToInteger), [source, target]),
            _ when !to.IsFloat => (nameof(Conversions.IntegerToInteger), [source, target]),
            _ when from.IsSigned => (nameof(Conversions.SignedToFloat), [source, target]),
            _ => (nameof(Conversions.UnsignedToFloat), [source, target]),
        };
        return Expression.Call(typeof(Conversions), name, types, a);
    }

    /// <summary>Converts to f16 or bf16 with one rounding: an integer of up to 32 bits is an exact f64.</summary>
    private static Expression Narrow(Expression a, DType from, Type target)
    {
        var (name, wide) = from switch
        {
            DType.F32 => (nameof(NarrowOps.To), DType.F32),
            _ when from.IsInteger && from.IsSigned => (nameof(NarrowOps.FromSigned), DType.I64),
            _ when from.IsInteger => (nameof(NarrowOps.FromUnsigned), DType.U64),
            _ => (nameof(NarrowOps.FromF64), DType.F64),
        };
        return Expression.Call(typeof(NarrowOps), name, [target], Convert(a, from, wide));
    }
}
