// Numbers without a dtype: their arithmetic, and how they become tensors when they meet one.
using System.Collections.Immutable;
using System.Globalization;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>
    /// True if a number may have a fraction: an expression of integers has one only through `/` and functions.
    /// </summary>
    private static bool IsReal(Value v) => v switch
    {
        FloatValue => true,
        RealValue { Operation: "+" or "-" or "*" or "//" or "%" or "neg" or "max" or "min" } r =>
            r.Operands.Any(IsReal),
        RealValue => true,
        ChoiceValue c => IsReal(c.Then) || IsReal(c.Else),
        _ => false,
    };

    private static double? Number(WeakValue v) => v switch
    {
        IntValue { Size.IsConstant: true } i => i.Size.Value,
        FloatValue f => f.Number,
        WideValue w => w.Number,
        _ => null,
    };

    private Value Weak(BinaryOperator op, WeakValue a, WeakValue b, Span span)
    {
        if ((a as WideValue ?? b as WideValue) is { } wide && !IsReal(a) && !IsReal(b))
        {
            return Fail(Codes.NumberOutOfRange, span,
                $"{wide.Number} does not fit an int, which has 64 bits and a sign", null,
                $"give it its dtype: `u64({wide.Number})`");
        }
        if (IsComparison(op)) return WeakCompare(op, a, b, span);
        if (a is IntValue { Size: var x } && b is IntValue { Size: var y })
        {
            try
            {
                if (op is BinaryOperator.FloorDivide or BinaryOperator.Modulo
                    && !IsDivisor(x, y, SyntaxPrinter.Sign(op)))
                {
                    // The operand depends on an index, so it is computed for each element: by the rules of integers,
                    // also for negative divisors and 0.
                    return Realize(a, IndexType(x, y), span) is { } p && Realize(b, IndexType(x, y), span) is { } q
                        ? Arithmetic(op, p, q, span, span, span) : Value.Poison;
                }
                switch (op)
                {
                    case BinaryOperator.Add: return new IntValue(x + y);
                    case BinaryOperator.Subtract: return new IntValue(x - y);
                    case BinaryOperator.Multiply: return new IntValue(x * y);
                    case BinaryOperator.FloorDivide: return new IntValue(FloorDiv(x, y));
                    case BinaryOperator.Modulo: return new IntValue(x - y * FloorDiv(x, y));
                    case BinaryOperator.Divide when x.IsConstant && y.IsConstant && !y.Is(0) && x.Value % y.Value == 0:
                    case BinaryOperator.Divide when !(x.IsConstant && y.IsConstant):
                        break;
                    case BinaryOperator.Power when y.IsConstant && y.Value is >= 0 and <= 64:
                        return new IntValue(Enumerable.Repeat(x, (int)y.Value).Aggregate(Size.One, (p, s) => p * s));
                }
            }
            catch (DivideByZeroException)
            {
                return Fail(Codes.TypeMismatch, span,
                    $"{x} {SyntaxPrinter.Sign(op)} {y}: the divisor must be positive");
            }
            catch (OverflowException e) when (e is not SizeLimitException)
            {
                return Fail(Codes.TypeMismatch, span, $"{x} {SyntaxPrinter.Sign(op)} {y} does not fit 64 bits");
            }
        }
        if (Number(a) is { } u && Number(b) is { } v)
        {
            return new FloatValue(op switch
            {
                BinaryOperator.Add => u + v,
                BinaryOperator.Subtract => u - v,
                BinaryOperator.Multiply => u * v,
                BinaryOperator.Divide => u / v,
                BinaryOperator.FloorDivide => Floored(u, v).Quotient,
                BinaryOperator.Modulo => Floored(u, v).Remainder,
                _ => Math.Pow(u, v),
            });
        }
        return new RealValue(SyntaxPrinter.Sign(op), [a, b]);
    }

    /// <summary>
    /// Divisors of sizes must be positive: proved, or checked by the call. False if the divisor contains indices of a
    /// form, and may be anything.
    /// </summary>
    private bool IsDivisor(Size dividend, Size divisor, string sign)
    {
        if (divisor.IsConstant || ranges.NonNegative(divisor - 1)) return true;
        if (divisor.Variables().Any(indexOf.ContainsKey)) return false;
        var by = divisor.Terms.Length > 1 ? $"({divisor})" : divisor.Text;
        if (Frame.Guards.IsEmpty || !IsImplied(divisor - 1))
            AtMost(1, divisor, $"{dividend} {sign} {by} needs a positive divisor");
        return true;
    }

    /// <summary>
    /// The dtype for numbers computed from indices: i32, unless they contain products. Where sums are computed, i32 is
    /// checked to hold them.
    /// </summary>
    private static DType IndexType(params ReadOnlySpan<Size> sizes)
    {
        foreach (var size in sizes) if (HasProducts(size)) return DType.I64;
        return DType.I32;
    }

    private static bool HasProducts(Size size) => size.Terms.Any(t => t.Atoms.Length > 1 || t.Atoms.Any(a => a switch
    {
        FloorDivAtom d => HasProducts(d.Dividend) || HasProducts(d.Divisor),
        MinAtom m => HasProducts(m.Left) || HasProducts(m.Right),
        MaxAtom m => HasProducts(m.Left) || HasProducts(m.Right),
        _ => false,
    }));

    private Size FloorDiv(Size a, Size b) => SizeDivision.FloorDiv(a, b, ranges);

    private Value WeakCompare(BinaryOperator op, WeakValue a, WeakValue b, Span span)
    {
        if (!(a is IntValue && b is IntValue) && Number(a) is { } u && Number(b) is { } v)
        {
            return new BoolValue(op switch
            {
                BinaryOperator.Equal => u == v,
                BinaryOperator.NotEqual => u != v,
                BinaryOperator.Less => u < v,
                BinaryOperator.LessOrEqual => u <= v,
                BinaryOperator.Greater => u > v,
                _ => u >= v,
            });
        }
        if (a is IntValue { Size: var x } && b is IntValue { Size: var y })
        {
            if (x.IsConstant && y.IsConstant) return new BoolValue(Compared(op, x.Value.CompareTo(y.Value)));
            var (less, atLeast) = op switch
            {
                BinaryOperator.Less => (y - x - 1, x - y),
                BinaryOperator.LessOrEqual => (y - x, x - y - 1),
                BinaryOperator.Greater => (x - y - 1, y - x),
                BinaryOperator.GreaterOrEqual => (x - y, y - x - 1),
                _ => (x - y, x - y),
            };
            if (op is BinaryOperator.Equal or BinaryOperator.NotEqual)
            {
                if (x.Equals(y)) return new BoolValue(op == BinaryOperator.Equal);
                if ((x - y).IsConstant || ranges.NonNegative(x - y - 1) || ranges.NonNegative(y - x - 1))
                    return new BoolValue(op == BinaryOperator.NotEqual);
            }
            else
            {
                if (ranges.NonNegative(less)) return new BoolValue(true);
                if (ranges.NonNegative(atLeast)) return new BoolValue(false);
            }
        }
        var dtype = IsReal(a) || IsReal(b) ? DType.F32
            : a is IntValue left && b is IntValue right ? IndexType(left.Size, right.Size) : DType.I32;
        return Realize(a, dtype, span) is { } p && Realize(b, dtype, span) is { } q
            ? a is IntValue { Size: var m } && b is IntValue { Size: var n }
                ? Implying(Arithmetic(op, p, q, span, span, span), op, m, n) : Arithmetic(op, p, q, span, span, span)
            : Value.Poison;
    }

    private static bool Compared(BinaryOperator op, int order) => op switch
    {
        BinaryOperator.Equal => order == 0,
        BinaryOperator.NotEqual => order != 0,
        BinaryOperator.Less => order < 0,
        BinaryOperator.LessOrEqual => order <= 0,
        BinaryOperator.Greater => order > 0,
        _ => order >= 0,
    };

    /// <summary>A function of one real number: `sqrt(d)`.</summary>
    private Value WeakUnary(string name, WeakValue x, Span span)
    {
        if (Number(x) is not { } v) return new RealValue(name, [x]);
        return new FloatValue(name switch
        {
            "exp" => Math.Exp(v),
            "log" => Math.Log(v),
            "sin" => Math.Sin(v),
            "cos" => Math.Cos(v),
            "tanh" => Math.Tanh(v),
            "sqrt" => Math.Sqrt(v),
            "rsqrt" => 1 / Math.Sqrt(v),
            "expm1" => Math.Abs(v) < 1e-5 ? v + v * v / 2 : Math.Exp(v) - 1,
            "log1p" => Math.Abs(v) < 1e-5 ? v - v * v / 2 : Math.Log(1 + v),
            "erf" => Erf(v),
            // Functions without an implementation here use that of the reference interpreter.
            _ => Enum.TryParse<UnaryOp>(name, ignoreCase: true, out var op) ? FloatMath.Apply(op, v)
                : throw new InvalidOperationException(name),
        });
    }

    // The Maclaurin series below 3, where it loses under five digits of the sixteen; beyond 6 erf is 1 in a double.
    private static double Erf(double x)
    {
        if (Math.Abs(x) > 6) return Math.Sign(x);
        double sum = x, term = x;
        for (var n = 1; n < 200; n++)
        {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return sum * 2 / Math.Sqrt(Math.PI);
    }

    /// <summary>
    /// The tensor that a value becomes where a dtype is wanted; tensors stay as they are. Null after a diagnostic.
    /// </summary>
    public TensorValue? Realize(Value value, DType dtype, Span span)
    {
        switch (value)
        {
            case PoisonValue:
                return null;
            case TensorValue t:
                return t;
            case BoolValue b when dtype == DType.Bool:
                return Scalar(b.Truth ? 1L : 0, dtype);
            case WeakValue when dtype == DType.Bool:
                Fail(Codes.TypeMismatch, span, $"{Describe(value)} is no bool", null, "compare: `x != 0`");
                return null;
            case WideValue w when dtype == DType.U64:
                return Scalar(unchecked((long)w.Number), dtype);
            case WideValue w when dtype.IsFloat:
                // Rounds to f32 once.
                return !IsHeld(w.Number, dtype, span) ? null : Scalar(dtype == DType.F64 ? w.Number : (double)(float)w.Number, dtype);
            case WideValue w:
                Fail(Codes.NumberOutOfRange, span, $"{w.Number} does not fit {dtype.Name()}", null,
                    $"{dtype.Name()} holds {RangeOf(dtype).Low} to {RangeOf(dtype).High}");
                return null;
            case FloatValue f when dtype.IsFloat:
                return IsHeld(f.Number, dtype, span) ? Scalar(f.Number, dtype) : null;
            case FloatValue f when f.Number == Math.Floor(f.Number) && Math.Abs(f.Number) < 1e15:
                return Fits((long)f.Number, dtype, span) ? Scalar((long)f.Number, dtype) : null;
            case FloatValue or RealValue or ChoiceValue when !dtype.IsFloat && IsReal(value):
                Fail(Codes.DtypeMix, span,
                    $"{Describe(value)} never becomes an integer on its own, and the tensor is {dtype.Name()}",
                    Describe(value), $"cast the tensor: `f32(x)`, or round the number: `int(…)`");
                return null;
            case IntValue i:
                return !i.Size.IsConstant || Fits(i.Size.Value, dtype, span) ? RealizeSize(i.Size, dtype) : null;
            case ChoiceValue c:
                return Realize(c.Then, dtype, span) is { } then && Realize(c.Else, dtype, span) is { } otherwise
                    ? Select(c.Condition, then, otherwise, span, span, span) as TensorValue : null;
            // Computed in f32, and rounded once.
            case RealValue r when dtype is DType.F16 or DType.BF16:
                return RealizeReal(r, DType.F32, span) is { } real ? As(real, dtype) : null;
            case RealValue r:
                return RealizeReal(r, dtype, span);
            default:
                Fail(Codes.TypeMismatch, span, $"{Describe(value)} stands where a number or a tensor is needed",
                    Describe(value), value is StringValue ? "text is for `print` and `assert`: write a number"
                        : Stacked(value, span));
                return null;
        }
    }

    /// <summary>True if a float dtype holds a number, rounded; infinity is written `inf`.</summary>
    private bool IsHeld(double number, DType dtype, Span span)
    {
        if (!double.IsFinite(number) || double.IsFinite(ConstText.Round(number, dtype))) return true;
        Fail(Codes.NumberOutOfRange, span, $"{ConstText.Float(number)} does not fit {dtype.Name()}", null,
            string.Create(CultureInfo.InvariantCulture,
                $"{dtype.Name()} holds numbers up to {LargestOf(dtype):G8}; infinity is written `inf`"));
        return false;
    }

    private static double LargestOf(DType dtype) => dtype switch
    {
        DType.F16 => (double)Half.MaxValue,
        // Seven bits after the binary point, and the exponents of f32.
        DType.BF16 => Math.ScaleB(2 - Math.ScaleB(1, -7), 127),
        DType.F32 => float.MaxValue,
        _ => double.MaxValue,
    };

    /// <summary>True if a dtype holds an integer; a float holds it rounded.</summary>
    private bool Fits(long number, DType dtype, Span span)
    {
        if (dtype.IsFloat) return IsHeld(number, dtype, span);
        var (low, high) = RangeOf(dtype);
        if (number >= low && (high < 0 || number <= high)) return true;
        Fail(Codes.NumberOutOfRange, span, $"{number} does not fit {dtype.Name()}", null, dtype == DType.U64
            ? "u64 holds numbers from 0" : $"{dtype.Name()} holds {low} to {high}");
        return false;
    }

    /// <summary>
    /// The least and the greatest value of an integer dtype; for u64 the greatest is -1, which means no limit.
    /// </summary>
    private static (long Low, long High) RangeOf(DType dtype) => dtype switch
    {
        DType.Bool => (0, 1),
        DType.U64 => (0, -1),
        DType.I64 => (long.MinValue, long.MaxValue),
        _ when dtype.IsSigned => (-(1L << (8 * dtype.Bytes() - 1)), (1L << (8 * dtype.Bytes() - 1)) - 1),
        _ => (0, (1L << (8 * dtype.Bytes())) - 1),
    };

    private TensorValue? RealizeReal(RealValue r, DType dtype, Span span)
    {
        var operands = r.Operands.Select(o => Realize(o, dtype, span)).ToList();
        if (operands.Any(o => o is null)) return null;
        Value result = (r.Operation, operands.Count) switch
        {
            ("neg", _) => Tensor(new Unary(UnaryOp.Neg, operands[0]!.Node), operands[0]!.Indices),
            (_, 1) => Tensor(new Unary(Enum.Parse<UnaryOp>(r.Operation, ignoreCase: true), operands[0]!.Node),
                operands[0]!.Indices),
            ("max" or "min", _) => Elementwise(operands[0]!, operands[1]!, span, span, span,
                (x, y) => new Binary(r.Operation == "max" ? BinaryOp.Max : BinaryOp.Min, x, y)),
            _ => Arithmetic(Enum.GetValues<BinaryOperator>()
                .First(o => SyntaxPrinter.Sign(o) == r.Operation), operands[0]!,
                operands[1]!, span, span, span),
        };
        return result as TensorValue;
    }

    /// <summary>A size, or an expression of indices, as numbers: indices become iotas along their axes.</summary>
    private TensorValue RealizeSize(Size size, DType dtype)
    {
        if (size.IsConstant) return Scalar(size.Value, dtype);
        if (!size.Variables().Any(indexOf.ContainsKey)) return Tensor(new SizeValue(size, dtype));
        if (size.Terms is [{ Coefficient: 1, Atoms: [VariableAtom single] }]
            && indexOf.TryGetValue(single.Name, out var index))
            return Tensor(new Iota(new TensorType(dtype, [index.Extent]), 0), [index]);
        // Integers are exact in i32 or i64 and rounded once when they become floats; narrow ones wrap.
        if (dtype is not (DType.I32 or DType.I64))
        {
            if (dtype == DType.U32) Room(size, dtype);
            var exact = RealizeSize(size, dtype.Bytes() == 8 || dtype == DType.U32 ? DType.I64 : IndexType(size));
            return Tensor(new Graph.Convert(exact.Node, dtype), exact.Indices);
        }
        Room(size, dtype);
        TensorValue? sum = null;
        foreach (var term in size.Terms)
        {
            TensorValue? product = term.Coefficient == 1 && term.Atoms.Length > 0 ? null
                : Scalar(term.Coefficient, dtype);
            foreach (var atom in term.Atoms)
            {
                var factor = RealizeAtom(atom, dtype);
                product = product is null ? factor : Join(product, factor, (x, y) => new Binary(BinaryOp.Mul, x, y));
            }
            sum = sum is null ? product : Join(sum, product!, (x, y) => new Binary(BinaryOp.Add, x, y));
        }
        return sum!;
    }

    /// <summary>
    /// A check of the call that the dtype holds an expression of indices, at its least and its greatest. An index has
    /// room for a small constant more: <see cref="AxisChecks"/>.
    /// </summary>
    private void Room(Size size, DType dtype)
    {
        var unit = size - size.Offset;
        var isNear = Math.Abs((decimal)size.Offset) <= AxisChecks.Room
            && unit.Terms is [{ Coefficient: 1 or -1, Atoms: [VariableAtom] }];
        if (dtype == DType.I64 ? !HasProducts(size) : isNear) return;
        // 64-bit numbers get a fraction of the range: the difference from a bound has to fit too.
        var (low, high) = dtype == DType.I64 ? (-(1L << 61), 1L << 61) : RangeOf(dtype);
        var why = $"an index expression fits in {dtype.Name()}";
        foreach (var most in Ends(greatest: true)) AtMost(most, high, why);
        foreach (var least in Ends(greatest: false)) if (!ranges.NonNegative(least - low)) AtMost(low, least, why);

        IReadOnlyList<Size> Ends(bool greatest) => AxisChecks.Ends(size, greatest,
            size.Variables().Where(indexOf.ContainsKey).ToList(), name => indexOf[name].Extent, ranges);
    }

    private TensorValue RealizeAtom(Atom atom, DType dtype) => atom switch
    {
        FloorDivAtom d =>
            Join(RealizeSize(d.Dividend, dtype), RealizeSize(d.Divisor, dtype), (x, y) => Floored(x, y).Quotient),
        MinAtom m =>
            Join(RealizeSize(m.Left, dtype), RealizeSize(m.Right, dtype), (x, y) => new Binary(BinaryOp.Min, x, y)),
        MaxAtom m =>
            Join(RealizeSize(m.Left, dtype), RealizeSize(m.Right, dtype), (x, y) => new Binary(BinaryOp.Max, x, y)),
        _ => RealizeSize(Size.Of(atom), dtype),
    };
}
