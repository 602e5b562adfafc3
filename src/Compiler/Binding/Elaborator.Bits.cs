// The primitives on two numbers without an operator of their own, and those on bits.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    public Value BinaryOf(BinaryOp op, BuiltinCall c)
    {
        var names = Builtins.Find(c.Name)!.Parameters.Split(' ');
        var (x, y) = (c[names[0]], c[names[1]]);
        if (op == BinaryOp.Pow) return Operate(BinaryOperator.Power, x.Value, y.Value, c.Span, x.Span, y.Span);
        if (x.Value is BoolValue { Truth: var first } && y.Value is BoolValue { Truth: var second })
        {
            switch (op)
            {
                case BinaryOp.And: return new BoolValue(first && second);
                case BinaryOp.Or: return new BoolValue(first || second);
                case BinaryOp.Xor: return new BoolValue(first != second);
            }
        }
        if (!IsNumeric(x.Value)) return WrongArgument(x, "a number or a tensor");
        if (!IsNumeric(y.Value)) return WrongArgument(y, "a number or a tensor");
        if (x.Value is WeakValue a && y.Value is WeakValue b && Number(a) is { } u && Number(b) is { } v)
        {
            if (op == BinaryOp.Atan2) return new FloatValue(Math.Atan2(u, v));
            if (a is IntValue && b is IntValue) return KnownBits(op, (long)u, (long)v, c);
        }
        if (op == BinaryOp.Atan2 && x.Value is not TensorValue && y.Value is not TensorValue)
            return Realize(x.Value, DType.F32, x.Span) is { } p && Realize(y.Value, DType.F32, y.Span) is { } q
                ? Elementwise(p, q, c.Span, x.Span, y.Span, (m, n) => new Binary(op, m, n)) : Value.Poison;
        if (Meet(x.Value, y.Value, c.Span, x.Span, y.Span) is not var (s, t)) return Value.Poison;
        var isBits = op is BinaryOp.And or BinaryOp.Or or BinaryOp.Xor;
        if (op == BinaryOp.Atan2 ? s.DType.IsFloat : s.DType.IsInteger || (isBits && s.DType == DType.Bool))
            return Elementwise(s, t, c.Span, x.Span, y.Span, (m, n) => new Binary(op, m, n));
        return Fail(Codes.TypeMismatch, c.Span, $"`{c.Name}` is not defined for {s.DType.Name()}", null,
            s.DType.IsFloat ? "the bits of a float: `bitcast(x, u32)`" : $"cast it: `f32({x.Span.Text})`",
            new Label(x.Span, Describe(s)), new Label(y.Span, Describe(t)));
    }

    private Value KnownBits(BinaryOp op, long x, long y, BuiltinCall c)
    {
        if (op is BinaryOp.Shl or BinaryOp.Shr && y is < 0 or > 63)
            return Fail(Codes.NumberOutOfRange, c.Span, $"a shift by {y}");
        return new IntValue(op switch
        {
            BinaryOp.And => x & y,
            BinaryOp.Or => x | y,
            BinaryOp.Xor => x ^ y,
            BinaryOp.Shl => x << (int)y,
            _ => x >> (int)y,
        });
    }

    public Value BitNotOf(BuiltinCall c) => c["x"].Value switch
    {
        TensorValue t when t.DType.IsInteger || t.DType == DType.Bool =>
            Tensor(new Unary(UnaryOp.Not, t.Node), t.Indices),
        IntValue { Size.IsConstant: true } i => new IntValue(~i.Size.Value),
        BoolValue b => new BoolValue(!b.Truth),
        _ => WrongArgument(c["x"], "an integer tensor"),
    };

    public Value BitcastOf(BuiltinCall c)
    {
        if (c["dtype"].Value is not DTypeValue { DType: var dtype })
            return WrongArgument(c["dtype"], "a dtype");
        if (c["x"].Value is not TensorValue t) return WrongArgument(c["x"], "a tensor");
        if (t.DType == dtype) return t;
        if (t.DType.Bytes() == dtype.Bytes() && t.DType != DType.Bool && dtype != DType.Bool)
            return Tensor(new Bitcast(t.Node, dtype), t.Indices);
        return Fail(Codes.TypeMismatch, c.Span, $"{t.DType.Name()} and {dtype.Name()} differ in width", null,
            $"convert the numbers: `{dtype.Name()}({c["x"].Span.Text})`", new Label(c["x"].Span, Describe(t)));
    }

    /// <summary>The least, or greatest, value of a dtype: the start of a maximum or a minimum.</summary>
    public Value EndOf(BuiltinCall c, bool greatest)
    {
        if (c["dtype"].Value is not DTypeValue { DType: var dtype }) return WrongArgument(c["dtype"], "a dtype");
        if (dtype.IsFloat)
            return Scalar(greatest ? double.PositiveInfinity : double.NegativeInfinity, dtype);
        var (low, high) = RangeOf(dtype);
        return Scalar(greatest ? high : low, dtype);
    }
}
