// Steps of control flow: branches and loops at run time, guarded iterations, outputs of each iteration, asserts; and
// scalars.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

internal sealed partial class Generator
{
    private static ImmutableArray<Step> ControlSteps =>
    [
        new("scalar", 12, g => g.Scalar()), new("if", 4, g => g.If()), new("for", 5, g => g.For()),
        new("for_rows", 4, g => g.ForRows()), new("while", 2, g => g.While()), new("assert", 1, g => g.Assert()),
        new("print", 1, g => g.Print()), new("pair", 4, g => g.Pair()), new("recurrence", 4, g => g.Recurrence()),
    ];

    /// <summary>An operation on scalars, which have separate code in every backend.</summary>
    private bool Scalar()
    {
        var type = Chance(2) ? Pick(DType.F16, DType.F16, DType.BF16, DType.F64, DType.F32) : AnyType();
        var x = (Chance(3) ? Find(v => v.Rank == 0 && v.Type == type) : null) ?? Parameter(type, []);
        pool.Remove(x);
        pool.Add(x);
        // LLVM calls a library for scalar operations that a target lacks; with a 0 it knows more forms.
        var literal = Chance(2) ? "0" : LiteralOperand(type);
        if (type == DType.Bool) return Let("bit_not", type, [], x.Grade, $"bit_not({x.Name})", x);
        var op = type.IsFloat ? Pick("max", "max", "min", "min", "+", "*", "/", "sqrt", "floor", "ceil", "trunc",
                "round", "abs", "sign", "neg", "%", "//", "**", "exp", "log", "tanh", "sin", "atan2", "select")
            : Pick("max", "min", "+", "*", "//", "%", "**", "abs", "sign", "select");
        var text = op switch
        {
            "max" or "min" or "atan2" => Chance(4) ? $"{op}({literal}, {x.Name})" : $"{op}({x.Name}, {literal})",
            "select" => $"select({x.Name} {Pick("<", ">", "<=", ">=", "==")} {literal}, {x.Name}, {literal})",
            "+" or "*" or "/" or "//" or "%" or "**" => $"{x.Name} {op} {literal}",
            _ => $"{op}({x.Name})",
        };
        var grade = op is "exp" or "log" or "tanh" or "sin" or "atan2" or "**" && type.IsFloat
            ? x.Grade == Grade.Exact ? Grade.Rounded : Grade.Loose
            : op is "max" or "min" or "+" or "*" or "abs" or "neg" ? x.Grade : Jump(x);
        return Let(op, type, [], grade, text, x);
    }

    private FuzzValue Number(int low, int high) =>
        Parameter(DType.I32, [], Uniform(low, high));

    /// <summary>An expression of the same type over variables.</summary>
    private string Change(string x, DType type, string with) => type switch
    {
        DType.Bool => $"bit_xor({x}, {with})",
        _ => random.Next(4) switch
        {
            0 => $"{x} + {with}",
            1 => $"{x} - {with}",
            2 => $"max({x}, {with})",
            _ => type.IsFloat ? $"0.5 * {x} + {with}" : $"3 * {x} + {with}",
        },
    };

    private bool If()
    {
        if (Find(v => v.Rank < 4) is not { } x) return false;
        var (other, uses) = Operand(x);
        var test = Number(-2, 3);
        var name = Name();
        var text = $"let {name} = {x.Name}\nif {test.Name} {Pick(">", "==", "<=")} {random.Next(-1, 3)} {{ {name} = "
            + $"{Change(name, x.Type, other)} }}";
        if (Chance(2)) text += $" else {{ {name} = {Change(other, x.Type, name)} }}";
        FuzzValue[] all = [x, test, .. uses];
        return Define("if", name, x.Type, x.Shape, Worst(all), text, all);
    }

    /// <summary>A loop that changes a value in each iteration, or in those that a guard allows.</summary>
    private bool For()
    {
        if (Find(v => v.Rank < 4) is not { } x) return false;
        var (other, uses) = Operand(x);
        var name = Name();
        var count = Chance(2) ? Text(random.Next(0, 6))
            : Pick(palette) is var size && Value(size) < 70 ? size.Display : "3";
        var change = $"{name} = {Change(name, x.Type, other)}";
        if (Chance(2)) change = $"if i {Pick(">", "<", "!=")} {random.Next(0, 3)} {{ {change} }}";
        else if (Chance(2) && x.Type is not (DType.Bool or DType.I8 or DType.U8)) change = $"{name} = {name} + i";
        FuzzValue[] all = [x, .. uses];
        return Define("for", name, x.Type, x.Shape, Worst(all),
            $"let {name} = {x.Name}\nfor i in 0:{count} {{\n    {change}\n}}", all);
    }

    /// <summary>A recurrence over the rows of an axis, with an output in each iteration.</summary>
    private bool ForRows()
    {
        if (Axis(v => v.Rank < 4 && v.Type != DType.Bool && v.Shape.All(s => Value(s) < 70)) is not var (x, axis))
            return false;
        var rest = x.Shape.RemoveAt(axis);
        var extent = x.Shape[axis];
        var (name, carried) = (Name(), Name());
        var before = Before(axis);
        var row = $"{x.Name}[{before}i]";
        var guard = random.Next(4) switch
        {
            0 => $"if i > {random.Next(0, 3)} {{ {carried} = {Change(carried, x.Type, row)} }}",
            1 when axis == 0 => $"if i > 0 {{ {carried} = {Change(carried, x.Type, $"{x.Name}[i - 1]")} }}",
            _ => $"{carried} = {Change(carried, x.Type, row)}",
        };
        var text = $"let {name}: {x.TypeText} = 0\nlet {carried}: {FuzzValue.Text(x.Type, rest)} = 0\n"
            + $"for i in 0:{extent.Display} {{\n    {guard}\n    {name}[{before}i] = {carried}\n}}";
        return Define("for_rows", name, x.Type, x.Shape, x.Grade, text, x);
    }

    private bool While()
    {
        if (Find(v => v.Rank < 3 && v.Type != DType.Bool) is not { } x) return false;
        var limit = Number(-1, 4);
        var (name, round) = (Name(), Name());
        return Define("while", name, x.Type, x.Shape, x.Grade,
            $"let {name} = {x.Name}\nlet {round}: i32 = 0\nwhile {round} < {limit.Name} {{\n    "
            + $"{name} = {Change(name, x.Type, LiteralOperand(x.Type))}\n    {round} += 1\n}}", x, limit);
    }

    /// <summary>Two loop-carried values, each computed from the other: a swap, or a recurrence of order two.</summary>
    private bool Pair()
    {
        if (Find(v => v.Rank < 4 && v.Type != DType.Bool) is not { } x) return false;
        var y = FindOr(x.Type, x.Shape);
        var (a, b, kept) = (Name(), Name(), Name());
        // A small constant number of iterations is unrolled: for a loop, the number is a size, or large.
        var count = Chance(3) ? Text(random.Next(1, 5))
            : sizes.Count > 0 && Pick([.. sizes.Keys]) is var n && sizes[n] < 70 ? n : Text(random.Next(20, 40));
        var change = Chance(2) ? "" : $" {Pick("+", "-")} {b}";
        var grade = Worst(x, y);
        return Define("pair", a, x.Type, x.Shape, grade, $"let {a} = {x.Name}\nlet {b} = {y.Name}\n"
            + $"for i in 0:{count} {{\n    let {kept} = {a}\n    {a} = {(change == "" ? b : a + change)}\n"
            + $"    {b} = {kept}\n}}", x, y);
    }

    /// <summary>
    /// The loop-carried value is multiplied by a matrix, or read at other places than it is written: transposed,
    /// summed, sorted, moved. Each iteration reads the result of the one before, whose memory it overwrites.
    /// </summary>
    private bool Recurrence()
    {
        var type = Pick(mainFloat, mainInteger, DType.F32);
        var (rows, side) = (Pick(Size.One, Pick(palette), random.Next(2, 9)), Pick(Size.One, Pick(palette), random.Next(2, 9)));
        if (Value(rows) * Value(side) > 2000 || Value(side) > 70) return false;
        var (x, w) = (FindOr(type, [rows, side]), FindOr(type, [side, side]));
        var name = Name();
        var isSquare = rows.Equals(side);
        var next = random.Next(isSquare ? 10 : 7) switch
        {
            0 or 1 => $"{name} @ {w.Name}",
            2 => $"{name} @ {w.Name} + {x.Name}",
            3 => $"reverse({name}, {random.Next(2)}) {Pick("+", "-")} {x.Name}",
            4 => $"{(type.IsFloat ? "sort" : "cumsum")}({name}, axis: {random.Next(2)})",
            5 => $"{name} {Pick("+", "-")} max({name}, axis: 1, keep: true)",
            6 => $"[i < {rows.Display}, j < {side.Display}] => sum[r < {random.Next(2, 5)}]"
                + $"(if j >= r {{ {name}[i, j - r] }} else {{ 0 }})",
            7 => $"{w.Name} @ {name}",
            8 => $"transpose({name}) {Pick("+", "-")} {x.Name}",
            _ => $"{name} @ transpose({name})",
        };
        var count = sizes.Count > 0 && Pick([.. sizes.Keys]) is var n && sizes[n] < 8 ? n : Text(random.Next(2, 5));
        return Define("recurrence", name, type, x.Shape, Grade.Loose,
            $"let {name} = {x.Name}\nfor i in 0:{count} {{ {name} = {next} }}", x, w);
    }

    /// <summary>An assertion that holds, or one that depends on the call.</summary>
    private bool Assert()
    {
        var number = Number(0, 9);
        var holds = Chance(3) ? "< 5" : ">= 0";
        statements.Add(new("assert", $"assert({number.Name} {holds}, \"{{}} is out\", {number.Name})", null,
            [number.Name]));
        return true;
    }

    private bool Print()
    {
        if (Find(v => Count(v.Shape) < 40 && v.Grade == Grade.Exact) is not { } x) return false;
        statements.Add(new("print", $"print(\"{x.Name} {{}}\", {x.Name})", null, [x.Name]));
        return true;
    }
}
