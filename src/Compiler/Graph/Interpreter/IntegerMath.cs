// In: integers of a dtype as longs. Out: the integer operations, exact at the dtype's width, with no undefined case.
using System.Numerics;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

internal static class IntegerMath
{
    /// <summary>The value of the dtype that agrees with v modulo 2^width; any non-zero bool is 1.</summary>
    public static long Wrap(long v, DType dtype) => dtype switch
    {
        DType.Bool => v != 0 ? 1 : 0,
        DType.I8 => (sbyte)v,
        DType.I16 => (short)v,
        DType.I32 => (int)v,
        DType.U8 => (byte)v,
        DType.U16 => (ushort)v,
        DType.U32 => (uint)v,
        _ => v,
    };

    public static long Least(DType dtype) => dtype switch
    {
        DType.I8 => sbyte.MinValue,
        DType.I16 => short.MinValue,
        DType.I32 => int.MinValue,
        DType.I64 => long.MinValue,
        _ => 0,
    };

    public static long Greatest(DType dtype) => dtype switch
    {
        DType.Bool => 1,
        DType.I8 => sbyte.MaxValue,
        DType.I16 => short.MaxValue,
        DType.I32 => int.MaxValue,
        DType.I64 => long.MaxValue,
        _ => Wrap(-1, dtype), // all ones
    };

    public static int Order(long a, long b, DType dtype) =>
        dtype == DType.U64 ? ((ulong)a).CompareTo((ulong)b) : a.CompareTo(b);

    public static long Apply(UnaryOp op, long x, DType dtype) => op switch
    {
        UnaryOp.Neg => Wrap(-x, dtype),
        UnaryOp.Abs => dtype.IsSigned && x < 0 ? Wrap(-x, dtype) : x,
        UnaryOp.Sign => dtype.IsSigned ? Math.Sign(x) : x == 0 ? 0 : 1,
        UnaryOp.Not => dtype == DType.Bool ? 1 - x : Wrap(~x, dtype),
        _ => throw new ReferenceException($"{op} of {dtype.Name()}"),
    };

    public static long Apply(BinaryOp op, long a, long b, DType dtype) => op switch
    {
        BinaryOp.Add => Wrap(a + b, dtype),
        BinaryOp.Sub => Wrap(a - b, dtype),
        BinaryOp.Mul => Wrap(a * b, dtype),
        BinaryOp.Div => Divide(a, b, dtype),
        BinaryOp.Rem => Remainder(a, b, dtype),
        BinaryOp.Pow => Power(a, b, dtype),
        BinaryOp.Max => Order(a, b, dtype) > 0 ? a : b,
        BinaryOp.Min => Order(a, b, dtype) < 0 ? a : b,
        BinaryOp.And => a & b,
        BinaryOp.Or => a | b,
        BinaryOp.Xor => a ^ b,
        BinaryOp.Shl => Count(b, dtype) is { } n ? Wrap(a << n, dtype) : 0,
        BinaryOp.Shr => Count(b, dtype) is { } n
            ? dtype == DType.U64 ? (long)((ulong)a >> n) : a >> n
            : dtype.IsSigned && a < 0 ? -1 : 0,
        _ => throw new ReferenceException($"{op} of {dtype.Name()}"),
    };

    public static bool Apply(CompareOp op, long a, long b, DType dtype)
    {
        var order = Order(a, b, dtype);
        return op switch
        {
            CompareOp.Eq => order == 0,
            CompareOp.Ne => order != 0,
            CompareOp.Lt => order < 0,
            CompareOp.Le => order <= 0,
            CompareOp.Gt => order > 0,
            _ => order >= 0,
        };
    }

    private static long Divide(long a, long b, DType dtype)
    {
        if (b == 0) return Wrap(-1, dtype);
        if (dtype == DType.U64) return (long)((ulong)a / (ulong)b);
        return dtype.IsSigned && b == -1 ? Wrap(-a, dtype) : a / b;
    }

    private static long Remainder(long a, long b, DType dtype)
    {
        if (b == 0) return a;
        if (dtype == DType.U64) return (long)((ulong)a % (ulong)b);
        return dtype.IsSigned && b == -1 ? 0 : a % b;
    }

    /// <summary>
    /// a^b modulo the width; for a negative b the integer division 1 / a^-b: -1, 1, or 0, and 1 / 0 is -1.
    /// </summary>
    private static long Power(long a, long b, DType dtype)
    {
        if (dtype.IsSigned && b < 0) return a == 0 ? -1 : a is 1 or -1 ? (b & 1) == 0 ? 1 : a : 0;
        var exponent = dtype.IsSigned ? new BigInteger(b) : new BigInteger((ulong)b);
        var residue = BigInteger.ModPow(new BigInteger((ulong)a), exponent, BigInteger.One << 64);
        return Wrap((long)(ulong)residue, dtype);
    }

    /// <summary>The shift count if it is below the width; a negative one, read as unsigned, never is.</summary>
    private static int? Count(long b, DType dtype) => b >= 0 && b < 8 * dtype.Bytes() ? (int)b : null;
}
