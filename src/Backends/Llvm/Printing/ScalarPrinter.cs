// In: a scalar operation on operands (scalars or lanes). Out: LLVM instructions with exactly the meaning defined in
// NUMERICS.md.
using System.Numerics;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// The complete list: arithmetic, compare, select, bitcast, conversions of guarded values, sqrt and fabs; fma, floor,
/// ceil, trunc, roundeven if the target has the instruction.
/// </summary>
internal sealed class ScalarPrinter(LlvmText text, LlvmTarget target)
{
    private bool HasRound => target.HasFma; // every target with FMA has SSE4.1's roundps

    public Operand Constant(double value, DType type, int lanes = 0) => type.IsFloat
        ? new(Types.Splat(Types.Element(type), LlvmText.Float(value), lanes), type, lanes)
        : new(Types.Splat(Types.Element(type), type == DType.Bool ? value != 0 ? "true" : "false"
            : $"{(long)value}", lanes), type, lanes);

    public Operand Integer(BigInteger value, DType type, int lanes) =>
        new(Types.Splat(Types.Element(type), type == DType.Bool ? value.IsZero ? "false" : "true" : $"{value}", lanes),
            type, lanes);

    /// <summary>Broadcasts a scalar to every lane; vectors are returned unchanged.</summary>
    public Operand Widen(Operand x, int lanes)
    {
        if (lanes == 0 || x.Lanes == lanes) return x;
        var element = Types.Element(x.Type);
        if (x.Text[0] != '%') return new(Types.Splat(element, x.Text, lanes), x.Type, lanes);
        var vector = Types.Vector(element, lanes);
        var one = text.Value($"insertelement {vector} poison, {element} {x.Text}, i64 0");
        return new(text.Value($"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer"),
            x.Type, lanes);
    }

    /// <summary>Prints the operation; operands are widened to the widest.</summary>
    public Operand Compute(ScalarOp op, DType type, params Operand[] x)
    {
        var lanes = x.Max(o => o.Lanes);
        for (var i = 0; i < x.Length; i++) x[i] = Widen(x[i], lanes);
        var from = x[0].Type;
        if (from is DType.F16 or DType.BF16 && op is not (ScalarOp.Convert or ScalarOp.Bitcast))
            return Narrow.Compute(this, op, type, x);
        return op switch
        {
            ScalarOp.Neg => from.IsFloat ? One("fneg", x) : Two("sub", Integer(0, from, lanes), x[0]),
            ScalarOp.Abs when from.IsFloat => Intrinsic("fabs", x),
            ScalarOp.Abs when !from.IsSigned => x[0],
            ScalarOp.Abs => Choose(Compare(ScalarOp.Lt, x[0], Integer(0, from, lanes)),
                Two("sub", Integer(0, from, lanes), x[0]), x[0]),
            ScalarOp.Sqrt => Intrinsic("sqrt", x),
            ScalarOp.Floor => HasRound ? Intrinsic("floor", x) : Rounding.Floor(this, x[0]),
            ScalarOp.Ceil => HasRound ? Intrinsic("ceil", x) : Rounding.Ceil(this, x[0]),
            ScalarOp.Trunc => HasRound ? Intrinsic("trunc", x) : Rounding.Trunc(this, x[0]),
            ScalarOp.Round => HasRound ? Intrinsic("roundeven", x) : Rounding.Nearest(this, x[0]),
            ScalarOp.Not => Two("xor", x[0], Integer(from == DType.Bool ? 1 : -1, from, lanes)),
            ScalarOp.Add => Two(from.IsFloat ? "fadd" : "add", x[0], x[1]),
            ScalarOp.Sub => Two(from.IsFloat ? "fsub" : "sub", x[0], x[1]),
            ScalarOp.Mul => Two(from.IsFloat ? "fmul" : "mul", x[0], x[1]),
            ScalarOp.Div => from.IsFloat ? Two("fdiv", x[0], x[1]) : Divide(x[0], x[1], remainder: false),
            ScalarOp.Rem => Divide(x[0], x[1], remainder: true),
            ScalarOp.Max => Extreme(x[0], x[1], ScalarOp.Gt),
            ScalarOp.Min => Extreme(x[0], x[1], ScalarOp.Lt),
            ScalarOp.And => Two("and", x[0], x[1]),
            ScalarOp.Or => Two("or", x[0], x[1]),
            ScalarOp.Xor => Two("xor", x[0], x[1]),
            ScalarOp.Shl => Shift(x[0], x[1], "shl"),
            ScalarOp.Shr => Shift(x[0], x[1], from.IsSigned ? "ashr" : "lshr"),
            ScalarOp.Eq or ScalarOp.Ne or ScalarOp.Lt or ScalarOp.Le or ScalarOp.Gt or ScalarOp.Ge =>
                Compare(op, x[0], x[1]),
            ScalarOp.Fma => Fma(x[0], x[1], x[2]),
            ScalarOp.Select => Choose(x[0], x[1], x[2]),
            ScalarOp.Convert => Conversions.Convert(this, x[0], type),
            ScalarOp.Bitcast => Narrow.Bitcast(this, x[0], type),
            _ => throw new InvalidOperationException($"no LLVM text for {op}"),
        };
    }

    /// <summary>True if there is an instruction that scales 16 lanes of f32 by powers of two.</summary>
    internal bool HasScaling => target.VectorBits == 512;

    internal bool HasHalf => target.Has("f16c");

    /// <summary>The exact instruction to f16, as bits, and back; the f16 side is an i16.</summary>
    internal Operand Half(string instruction, Operand x, DType to)
    {
        var half = Types.Vector("half", x.Lanes);
        return to == DType.I16
            ? new(text.Value(
                $"bitcast {half} {text.Value($"{instruction} {x.LlvmType} {x.Text} to {half}")} to {Types.Of(to, x.Lanes)}"),
                    to, x.Lanes)
            : new(text.Value(
                $"{instruction} {half} {text.Value($"bitcast {x.LlvmType} {x.Text} to {half}")} to {Types.Of(to, x.Lanes)}"),
                    to, x.Lanes);
    }

    internal Operand Cast(string instruction, Operand x, DType to)
    {
        var result = new Operand("", to, x.Lanes);
        return Types.Of(to, 0) == Types.Of(x.Type, 0) ? x with { Type = to }
            : result with { Text = text.Value($"{instruction} {x.LlvmType} {x.Text} to {result.LlvmType}") };
    }

    internal Operand Two(string instruction, Operand a, Operand b)
    {
        if (instruction.StartsWith("fcmp", StringComparison.Ordinal)) (a, b) = (Opaque(a), Opaque(b));
        return new(text.Value($"{instruction} {a.LlvmType} {a.Text}, {b.Text}"), a.Type, a.Lanes);
    }

    /// <summary>
    /// Hides from LLVM that a value was converted from a half, for comparisons and further use as f32; costs no
    /// instruction. Where f16 is converted by an instruction, LLVM would compare the halves themselves, recognise a
    /// compare and a select of them as a maximum, and call fmaxf for it, which no object may.
    /// </summary>
    internal Operand Opaque(Operand x)
    {
        if (x.Type != DType.F16 || !HasHalf || x.Text[0] != '%') return x;
        var name = $"@llvm.arithmetic.fence.{Types.Suffix(x.Type, x.Lanes)}";
        text.Declare($"declare {x.LlvmType} {name}({x.LlvmType})");
        return x with { Text = text.Value($"call {x.LlvmType} {name}({x.LlvmType} {x.Text})") };
    }

    private Operand One(string instruction, Operand[] x) =>
        new(text.Value($"{instruction} {x[0].LlvmType} {x[0].Text}"), x[0].Type, x[0].Lanes);

    private Operand Intrinsic(string name, Operand[] x)
    {
        var (type, full) = (x[0].LlvmType, $"@llvm.{name}.{Types.Suffix(x[0].Type, x[0].Lanes)}");
        text.Declare($"declare {type} {full}({string.Join(", ", x.Select(_ => type))})");
        return new(text.Value($"call {type} {full}({string.Join(", ", x.Select(o => $"{type} {o.Text}"))})"), x[0].Type,
            x[0].Lanes);
    }

    internal Operand Compare(ScalarOp op, Operand a, Operand b)
    {
        var name = op.ToString().ToLowerInvariant();
        var instruction = a.Type.IsFloat
            ? op == ScalarOp.Ne ? "fcmp une" : $"fcmp o{name}"
            : op is ScalarOp.Eq or ScalarOp.Ne ? $"icmp {name}" : $"icmp {(a.Type.IsSigned ? 's' : 'u')}{name}";
        return Two(instruction, a, b) with { Type = DType.Bool };
    }

    internal Operand Choose(Operand condition, Operand a, Operand b)
    {
        var lanes = Math.Max(condition.Lanes, Math.Max(a.Lanes, b.Lanes));
        (condition, a, b) = (Widen(condition, lanes), Widen(a, lanes), Widen(b, lanes));
        return a with
        {
            Text = text.Value(
            $"select {condition.LlvmType} {condition.Text}, {a.LlvmType} {a.Text}, {b.LlvmType} {b.Text}")
        };
    }

    /// <summary>
    /// a≠a ? a : (a&gt;b ? a : b); min likewise. The inner selection is one instruction (maxps a, b), the outer one its
    /// mask. Against a constant that is neither zero nor NaN it is b&gt;a ? b : a, which keeps a NaN of a: one
    /// instruction.
    /// </summary>
    private Operand Extreme(Operand a, Operand b, ScalarOp beats)
    {
        if (!a.Type.IsFloat) return Choose(Compare(beats, a, b), a, b);
        if (IsOrdinary(b)) return Choose(Compare(beats, b, a), b, a);
        var best = Choose(Compare(beats, a, b), a, b);
        return Choose(Two("fcmp ord", a, a) with { Type = DType.Bool }, best, a);
    }

    /// <summary>True for a constant, the same in all lanes, that equals only itself.</summary>
    private static bool IsOrdinary(Operand x)
    {
        var at = x.Text.IndexOf("0x", StringComparison.Ordinal);
        if (x.Text[0] == '%' || at < 0) return false;
        var value = BitConverter.UInt64BitsToDouble(System.Convert.ToUInt64(x.Text.Substring(at + 2, 16), 16));
        return value != 0 && !double.IsNaN(value);
    }

    private Operand Shift(Operand a, Operand count, string instruction)
    {
        var width = 8 * a.Type.Bytes();
        var bounded = Two("and", count, Integer(width - 1, a.Type, a.Lanes));
        var inside = Two("icmp ult", count, Integer(width, a.Type, a.Lanes)) with { Type = DType.Bool };
        var outside = instruction == "ashr" ? Two("ashr", a, Integer(width - 1, a.Type, a.Lanes))
            : Integer(0, a.Type, a.Lanes);
        return Choose(inside, Two(instruction, a, bounded), outside);
    }

    /// <summary>
    /// x/0 = -1, x rem 0 = x, MIN/-1 = MIN, MIN rem -1 = 0: the instruction itself only gets safe divisors.
    /// </summary>
    private Operand Divide(Operand a, Operand b, bool remainder)
    {
        if (a.Type.IsFloat) throw new LimitationException($"not supported: rem of {a.Type.Name()} in kernels");
        var (type, lanes) = (a.Type, a.Lanes);
        var byZero = Compare(ScalarOp.Eq, b, Integer(0, type, lanes));
        var safe = Choose(byZero, Integer(1, type, lanes), b);
        if (!type.IsSigned)
        {
            var unsigned = Two(remainder ? "urem" : "udiv", a, safe);
            return Choose(byZero, remainder ? a : Integer(-1, type, lanes), unsigned);
        }
        var byMinusOne = Compare(ScalarOp.Eq, b, Integer(-1, type, lanes));
        safe = Choose(byMinusOne, Integer(1, type, lanes), safe);
        var quotient = Two(remainder ? "srem" : "sdiv", a, safe);
        var negated = remainder ? Integer(0, type, lanes) : Two("sub", Integer(0, type, lanes), a);
        return Choose(byZero, remainder ? a : Integer(-1, type, lanes), Choose(byMinusOne, negated, quotient));
    }

    /// <summary>Calls the function printed next to the kernel.</summary>
    private Operand DoubleFmas(Operand a, Operand b, Operand c)
    {
        text.Declare(DoubleFma.Text);
        if (a.Lanes > 0) text.Declare(DoubleFma.Of(a.Lanes));
        var type = a.LlvmType;
        return a with
        {
            Text = text.Value(
                $"call {type} @{DoubleFma.NameOf(a.Lanes)}({type} {a.Text}, {type} {b.Text}, {type} {c.Text})"),
        };
    }

    private Operand Fma(Operand a, Operand b, Operand c)
    {
        if (!a.Type.IsFloat) return Two("add", Two("mul", a, b), c);
        if (target.HasFma) return Intrinsic("fma", [a, b, c]);
        if (a.Type == DType.F64) return DoubleFmas(a, b, c);
        return Cast("fptrunc", OddFma(a, b, c), DType.F32);
    }

    /// <summary>
    /// a * b + c of f32 in f64: the product is exact, the sum rounded to odd, so that rounding it to f32 or less rounds
    /// once.
    /// </summary>
    internal Operand OddFma(Operand a, Operand b, Operand c)
    {
        var (lanes, f64) = (a.Lanes, DType.F64);
        var p = Two("fmul", Cast("fpext", a, f64), Cast("fpext", b, f64));
        var d = Cast("fpext", c, f64);
        var s = Two("fadd", p, d);
        var t = Two("fsub", s, p);
        var error = Two("fadd", Two("fsub", p, Two("fsub", s, t)), Two("fsub", d, t));
        var bits = Cast("bitcast", s, DType.I64);
        var inexact = Two("fcmp one", error, Constant(0, f64, lanes)) with { Type = DType.Bool };
        var even = Compare(ScalarOp.Eq, Two("and", bits, Integer(1, DType.I64, lanes)), Integer(0, DType.I64, lanes));
        // Towards the error: away from zero if both have the same sign, otherwise towards zero; an even last bit
        // becomes odd.
        var away =
            Two("xor", Compare(ScalarOp.Gt, error, Constant(0, f64, lanes)),
                Compare(ScalarOp.Lt, bits, Integer(0, DType.I64, lanes)));
        var moved =
            Choose(away, Two("add", bits, Integer(1, DType.I64, lanes)),
                Two("sub", bits, Integer(1, DType.I64, lanes)));
        bits = Choose(Two("and", inexact, even), moved, bits);
        return Cast("bitcast", bits, f64);
    }
}
