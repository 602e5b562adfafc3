// Elementwise steps: arithmetic, functions, comparisons, selections, conversions, bits.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

internal sealed partial class Generator
{
    private static ImmutableArray<Step> ElementwiseSteps =>
    [
        new("unary", 10, g => g.Unary()), new("binary", 16, g => g.Binary()), new("compare", 4, g => g.Compare()),
        new("select", 5, g => g.Select()), new("convert", 6, g => g.Cast()), new("bitcast", 2, g => g.Bitcast()),
        new("bits", 7, g => g.Bits()), new("size", 1, g => g.SizeNumber()),
    ];

    private static readonly string[] Smooth = ["sin", "cos", "tanh", "erf", "exp", "expm1"];

    private static readonly string[] Singular = ["log", "log1p", "rsqrt", "sqrt"];

    private bool Unary()
    {
        if (Find(v => v.Type != DType.Bool) is not { } x) return false;
        var f = !x.Type.IsFloat ? Pick("neg", "abs", "sign")
            : random.Next(3) switch
            {
                0 => Pick("neg", "abs", "sign", "floor", "ceil", "trunc", "round", "stop_gradient"),
                1 => Pick(Smooth),
                _ => Pick(Singular),
            };
        var grade = f switch
        {
            "neg" or "abs" or "stop_gradient" => x.Grade,
            // IEEE 754 rounds a square root once.
            "sqrt" or "sign" or "floor" or "ceil" or "trunc" or "round" => Jump(x),
            _ when Smooth.Contains(f) => Round(x.Type, x.Grade),
            _ => x.Grade == Grade.Exact ? Grade.Rounded : Grade.Loose,
        };
        return Let(f, x.Type, x.Shape, grade, $"{f}({x.Name})", x);
    }

    private bool Binary()
    {
        if (Find(v => v.Type != DType.Bool || Chance(4)) is not { } x) return false;
        var (other, uses) = Operand(x);
        FuzzValue[] all = [x, .. uses];
        if (x.Type == DType.Bool)
            return Pick("max", "min") is var m && Let(m, x.Type, x.Shape, Worst(all), $"{m}({x.Name}, {other})", all);
        var op = x.Type.IsFloat
            ? Pick("+", "-", "*", "/", "max", "min", "//", "%", "**", "atan2")
            : Pick("+", "-", "*", "//", "%", "max", "min", "**");
        var turned = uses.Length > 0 && uses[0].Shape.SequenceEqual(x.Shape) ? Chance(2) : Chance(3);
        var (a, b) = turned ? (other, x.Name) : (x.Name, other);
        var text = op is "max" or "min" or "atan2" ? $"{op}({a}, {b})" : $"{a} {op} {b}";
        var grade = op switch
        {
            "+" or "-" or "*" or "max" or "min" => Worst(all),
            "/" or "//" or "%" => Jump(all),
            _ => x.Type.IsFloat && Jump(all) == Grade.Exact ? Grade.Rounded : Jump(all),
        };
        return Let(op, x.Type, x.Shape, grade, text, all);
    }

    private bool Compare()
    {
        if (Find(_ => true) is not { } x) return false;
        var (other, uses) = Operand(x);
        FuzzValue[] all = [x, .. uses];
        var op = Pick("==", "!=", "<", "<=", ">", ">=");
        return Let(op, DType.Bool, x.Shape, Jump(all), $"{x.Name} {op} {other}", all);
    }

    private bool Select()
    {
        if (Find(_ => true) is not { } x) return false;
        var (other, uses) = Operand(x);
        var condition = Find(v => v.Type == DType.Bool && v.Shape.SequenceEqual(x.Shape));
        var test = condition?.Name ?? (x.Type == DType.Bool ? x.Name
            : $"{x.Name} {Pick("<", ">=", "!=")} {(Chance(2) ? "0" : x.Name)}");
        FuzzValue[] all = [x, .. uses];
        var grade = Worst(all);
        if (condition is null && Jump(x) == Grade.Loose) grade = Grade.Loose;
        if (condition is { Grade: Grade.Loose }) grade = Grade.Loose;
        if (condition is not null) all = [.. all, condition];
        var (a, b) = Chance(2) ? (x.Name, other) : (other, x.Name);
        return Let("select", x.Type, x.Shape, grade, $"select({test}, {a}, {b})", all);
    }

    private bool Cast()
    {
        if (Find(_ => true) is not { } x) return false;
        var type = Chance(2) ? Pick(mainFloat, mainInteger) : AnyType();
        if (type == x.Type) return false;
        var grade = type.IsFloat ? x.Grade : Jump(x);
        return Let("convert", type, x.Shape, grade, $"{type.Name()}({x.Name})", x);
    }

    private bool Bitcast()
    {
        if (Find(v => v.Type != DType.Bool) is not { } x) return false;
        var types = Enum.GetValues<DType>().Where(t => t != x.Type && t != DType.Bool && t.Bytes() == x.Type.Bytes())
            .ToList();
        if (types.Count == 0) return false;
        var type = Pick(types);
        var text = $"bitcast({x.Name}, {type.Name()})";
        // The bits of a NaN are unspecified.
        if (x.Type.IsFloat) text = $"bitcast(select({x.Name} == {x.Name}, {x.Name}, 0), {type.Name()})";
        return Let("bitcast", type, x.Shape, Jump(x), text, x);
    }

    private bool Bits()
    {
        if (Find(v => !v.Type.IsFloat) is not { } x) return false;
        if (Chance(4)) return Let("bit_not", x.Type, x.Shape, x.Grade, $"bit_not({x.Name})", x);
        var (other, uses) = Operand(x);
        FuzzValue[] all = [x, .. uses];
        if (x.Type == DType.Bool && Chance(2))
        {
            var word = Pick("and", "or");
            return uses.Length > 0
                && Let(word, x.Type, x.Shape, Worst(all), $"{x.Name} {word} {other}", all);
        }
        var f = x.Type == DType.Bool ? Pick("bit_and", "bit_or", "bit_xor")
            : Pick("bit_and", "bit_or", "bit_xor", "shift_left", "shift_right");
        return Let(f, x.Type, x.Shape, Worst(all), $"{f}({x.Name}, {other})", all);
    }

    /// <summary>A size as a number in the program, and an index along an axis.</summary>
    private bool SizeNumber()
    {
        var type = Pick(mainFloat, mainInteger);
        if (type is DType.I8 or DType.U8) type = DType.I32;
        if (Chance(2) && sizes.Count > 0)
        {
            var name = Name();
            return Define("size", name, type, [], Grade.Exact, $"let {name}: {type.Name()} = {Pick([.. sizes.Keys])}");
        }
        ImmutableArray<Size> shape = [Pick(palette), Pick(palette)];
        var at = Pick("i", "j", "i + j", "i * 2", "j - i");
        return Let("iota", type, shape, Grade.Exact,
            $"[i < {shape[0].Display}, j < {shape[1].Display}] => {type.Name()}({at})");
    }
}
