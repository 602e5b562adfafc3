// In: a scalar operation and the names of its arguments. Out: an OpenCL C expression with the meaning defined in
// NUMERICS.md.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

/// <summary>Arguments are always names, so no expression here needs brackets around them.</summary>
internal static class OpenClOps
{
    public static string Compute(
        ScalarOp op, DType result, DType type, ReadOnlySpan<string> x, OpenClPrelude prelude) => op switch
        {
            ScalarOp.Select => $"{x[0]} ? {x[1]} : {x[2]}",
            ScalarOp.Convert => Convert(x[0], type, result, prelude),
            ScalarOp.Bitcast => Bitcast(x[0], type, result, prelude),
            ScalarOp.Eq or ScalarOp.Ne or ScalarOp.Lt or ScalarOp.Le or ScalarOp.Gt or ScalarOp.Ge =>
                $"(uchar)({x[0]} {Comparison(op)} {x[1]})",
            ScalarOp.Max => Extreme(">", type, x[0], x[1]),
            ScalarOp.Min => Extreme("<", type, x[0], x[1]),
            _ => type.IsFloat ? Float(op, type, x, prelude) : Integer(op, type, x, prelude),
        };

    /// <summary>One step of an in-order reduction: the result so far, then the term.</summary>
    public static string Combine(ReduceKind kind, DType type, string sum, string term, OpenClPrelude prelude) =>
        Compute(kind switch
        {
            ReduceKind.Add => ScalarOp.Add,
            ReduceKind.Mul => ScalarOp.Mul,
            ReduceKind.Max => ScalarOp.Max,
            ReduceKind.Min => ScalarOp.Min,
            ReduceKind.And => ScalarOp.And,
            ReduceKind.Or => ScalarOp.Or,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "keeps an index, not a sum"),
        }, type, type, [sum, term], prelude);

    /// <summary>The result of an empty reduction.</summary>
    public static string Identity(ReduceKind kind, DType type) => kind switch
    {
        ReduceKind.Add or ReduceKind.Or => Number(0, type),
        ReduceKind.Mul => Number(1, type),
        ReduceKind.And => OpenClTypes.Integer(-1, type),
        ReduceKind.Max => type.IsFloat ? OpenClTypes.Float(double.NegativeInfinity, type) : OpenClTypes.Least(type),
        ReduceKind.Min => type.IsFloat ? OpenClTypes.Float(double.PositiveInfinity, type) : OpenClTypes.Greatest(type),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "has no identity"),
    };

    /// <summary>
    /// True if the term replaces the best so far: a NaN is both the greatest and the least, and the first wins.
    /// </summary>
    public static string Beats(ReduceKind kind, DType type, string term, string best)
    {
        var order = $"{term} {(kind == ReduceKind.ArgMax ? ">" : "<")} {best}";
        return type.IsFloat ? $"{order} || ({term} != {term} && {best} == {best})" : order;
    }

    /// <summary>Converts a buffer's element to a value.</summary>
    public static string Loaded(string element, DType type, OpenClPrelude prelude) => type switch
    {
        DType.Bool => $"(uchar)({element} != 0)",
        DType.F16 => $"{prelude.Use("acc_f16_value")}({element})",
        DType.BF16 => $"{prelude.Use("acc_bf16_value")}({element})",
        _ => element,
    };

    /// <summary>Converts a value to a buffer's element.</summary>
    public static string Stored(string value, DType type, OpenClPrelude prelude) => type switch
    {
        DType.F16 => $"{prelude.Use("acc_f16_bits")}({value})",
        DType.BF16 => $"{prelude.Use("acc_bf16_bits")}({value})",
        _ => value,
    };

    /// <summary>Rounds an f32 expression to a float dtype.</summary>
    private static string Rounded(string expression, DType type, OpenClPrelude prelude) => type switch
    {
        DType.F16 => $"{prelude.Use("acc_f16")}({expression})",
        DType.BF16 => $"{prelude.Use("acc_bf16")}({expression})",
        _ => expression,
    };

    private static string Number(int value, DType type) =>
        type.IsFloat ? OpenClTypes.Float(value, type) : OpenClTypes.Integer(value, type);

    private static string Comparison(ScalarOp op) => op switch
    {
        ScalarOp.Eq => "==",
        ScalarOp.Ne => "!=",
        ScalarOp.Lt => "<",
        ScalarOp.Le => "<=",
        ScalarOp.Gt => ">",
        _ => ">=",
    };

    private static string Extreme(string order, DType type, string a, string b) =>
        type.IsFloat ? $"{a} != {a} ? {a} : ({a} {order} {b} ? {a} : {b})" : $"{a} {order} {b} ? {a} : {b}";

    /// <summary>
    /// f16 and bf16 compute in f32 and round: for + - * / and the square root two roundings equal one.
    /// </summary>
    private static string Float(ScalarOp op, DType type, ReadOnlySpan<string> x, OpenClPrelude prelude)
    {
        var narrow = type is DType.F16 or DType.BF16;
        return op switch
        {
            ScalarOp.Neg => $"-{x[0]}",
            ScalarOp.Abs => $"fabs({x[0]})",
            ScalarOp.Sqrt => Rounded($"sqrt({x[0]})", type, prelude),
            ScalarOp.Floor => Whole("floor", x[0]),
            ScalarOp.Ceil => Whole("ceil", x[0]),
            ScalarOp.Trunc => Whole("trunc", x[0]),
            ScalarOp.Round => Whole("rint", x[0]),
            ScalarOp.Add => Rounded($"{x[0]} + {x[1]}", type, prelude),
            ScalarOp.Sub => Rounded($"{x[0]} - {x[1]}", type, prelude),
            ScalarOp.Mul => Rounded($"{x[0]} * {x[1]}", type, prelude),
            ScalarOp.Div => Rounded($"{x[0]} / {x[1]}", type, prelude),
            ScalarOp.Rem => throw new LimitationException($"not supported: rem of {type.Name()} in kernels"),
            ScalarOp.Fma => narrow
                ? Rounded($"{prelude.Use("acc_odd_fma")}({x[0]}, {x[1]}, {x[2]})", type, prelude)
                : $"fma({x[0]}, {x[1]}, {x[2]})",
            _ => throw Undefined(op, type),
        };
    }

    /// <summary>
    /// Never applied to a NaN: pocl 3.1 goes through an integer, and a constant NaN may become any number.
    /// </summary>
    private static string Whole(string function, string x) => $"{x} != {x} ? {x} : {function}({x})";

    private static string Integer(ScalarOp op, DType type, ReadOnlySpan<string> x, OpenClPrelude prelude)
    {
        var t = OpenClTypes.Value(type);
        var width = $"{8 * type.Bytes()}u";
        switch (op)
        {
            case ScalarOp.And: return $"({t})({x[0]} & {x[1]})";
            case ScalarOp.Or: return $"({t})({x[0]} | {x[1]})";
            case ScalarOp.Xor: return $"({t})({x[0]} ^ {x[1]})";
            case ScalarOp.Not: return type == DType.Bool ? $"(uchar)({x[0]} ^ 1)" : $"({t})(~{x[0]})";
        }
        if (type == DType.Bool) throw Undefined(op, type);
        switch (op)
        {
            case ScalarOp.Floor or ScalarOp.Ceil or ScalarOp.Trunc or ScalarOp.Round: return x[0];
            case ScalarOp.Neg: return Wrap($"0u - {Modular(x[0], type)}", type);
            case ScalarOp.Abs:
                return type.IsSigned ? $"{x[0]} < 0 ? {Wrap($"0u - {Modular(x[0], type)}", type)} : {x[0]}" : x[0];
            case ScalarOp.Add: return Wrap($"{Modular(x[0], type)} + {Modular(x[1], type)}", type);
            case ScalarOp.Sub: return Wrap($"{Modular(x[0], type)} - {Modular(x[1], type)}", type);
            case ScalarOp.Mul: return Wrap($"{Modular(x[0], type)} * {Modular(x[1], type)}", type);
            case ScalarOp.Fma:
                return Wrap($"{Modular(x[0], type)} * {Modular(x[1], type)} + {Modular(x[2], type)}", type);
            case ScalarOp.Div: return $"{prelude.Divide(type, remainder: false)}({x[0]}, {x[1]})";
            case ScalarOp.Rem: return $"{prelude.Divide(type, remainder: true)}({x[0]}, {x[1]})";
            // A negative count is beyond every width when read as unsigned.
            case ScalarOp.Shl:
                var shifted = Wrap($"{Modular(x[0], type)} << {Modular(x[1], type)}", type);
                return $"{Modular(x[1], type)} < {width} ? {shifted} : 0";
            case ScalarOp.Shr when type.IsSigned:
                return $"({t})({x[0]} >> ({Modular(x[1], type)} < {width} ? {Modular(x[1], type)} : {width} - 1u))";
            case ScalarOp.Shr: return $"{x[1]} < {width} ? ({t})({x[0]} >> {x[1]}) : 0";
            default: throw Undefined(op, type);
        }
    }

    /// <summary>A name of an integer dtype in the unsigned type used for its arithmetic.</summary>
    private static string Modular(string x, DType type) => type switch
    {
        DType.U32 or DType.U64 => x,
        DType.I32 => $"as_uint({x})",
        DType.I64 => $"as_ulong({x})",
        _ => $"(uint){x}",
    };

    /// <summary>Converts a modular expression back to the dtype.</summary>
    private static string Wrap(string modular, DType type) => type switch
    {
        DType.U32 or DType.U64 => modular,
        DType.I32 => $"as_int({modular})",
        DType.I64 => $"as_long({modular})",
        DType.U8 or DType.U16 => $"({OpenClTypes.Value(type)})({modular})",
        _ => $"as_{OpenClTypes.Value(type)}(({OpenClTypes.Unsigned(type)})({modular}))",
    };

    private static string Convert(string x, DType from, DType to, OpenClPrelude prelude)
    {
        if (from == to) return x;
        var target = OpenClTypes.Value(to);
        if (to == DType.Bool) return $"(uchar)({x} != 0)";
        if (to.IsInteger)
        {
            if (from.IsFloat) return $"{prelude.FloatToInteger(from, to)}({x})";
            var fits = from.Bytes() < to.Bytes() || (from == DType.Bool && to == DType.U8);
            return to.IsSigned && !fits ? $"as_{target}(({OpenClTypes.Unsigned(to)}){x})" : $"({target}){x}";
        }
        if (to is DType.F32 or DType.F64) return OpenClTypes.Value(from) == target ? x : $"({target}){x}";
        if (from == DType.F64) return Rounded($"{prelude.Use("acc_odd_double")}({x})", to, prelude);
        if (from.IsFloat) return Rounded(x, to, prelude);
        // An integer beyond 24 bits is beyond f16 as well; for bf16 it must not be rounded twice.
        if (to == DType.F16 || from.Bytes() < 4) return Rounded($"(float){x}", to, prelude);
        var odd = prelude.Use("acc_odd_ulong");
        return Rounded(from.IsSigned
            ? $"{x} < 0 ? -{odd}(0UL - as_ulong((long){x})) : {odd}(as_ulong((long){x}))"
            : $"{odd}((ulong){x})", to, prelude);
    }

    private static string Bitcast(string x, DType from, DType to, OpenClPrelude prelude)
    {
        if (from == to) return x;
        var bits = from is DType.F16 or DType.BF16 ? Stored(x, from, prelude) : x;
        return to is DType.F16 or DType.BF16
            ? Loaded(from is DType.I16 ? $"as_ushort({bits})" : bits, to, prelude)
            : $"as_{OpenClTypes.Value(to)}({bits})";
    }

    private static ArgumentException Undefined(ScalarOp op, DType type) =>
        new($"{op} is not defined for {type.Name()}");
}
