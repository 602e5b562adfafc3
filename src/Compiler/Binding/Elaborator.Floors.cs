// `//` and `%`: the quotient that floors and the remainder with the divisor's sign, from operations that truncate.
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;
using Convert = Accelerate.Compiler.Graph.Convert;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>Python's `//` and `%`: x == (x // y) * y + x % y, of integers for every x and y.</summary>
    private (Node Quotient, Node Remainder) Floored(Node x, Node y)
    {
        var type = x.Type;
        if (!type.DType.IsFloat) return FlooredIntegers(x, y);
        if (Accumulator(type.DType) is var wide && wide == type.DType) return FlooredFloats(x, y);
        var (quotient, remainder) = FlooredFloats(Emit(new Convert(x, wide)), Emit(new Convert(y, wide)));
        return (Emit(new Convert(quotient, type.DType)), Emit(new Convert(remainder, type.DType)));
    }

    /// <summary>
    /// x // 0 is -1 (all ones) and x % 0 is x, as in `div` and `rem`; MIN // -1 is MIN, and the remainder 0.
    /// </summary>
    private (Node Quotient, Node Remainder) FlooredIntegers(Node x, Node y)
    {
        var type = x.Type;
        var quotient = Emit(new Binary(BinaryOp.Div, x, y));
        var remainder = Emit(new Binary(BinaryOp.Rem, x, y));
        if (!type.DType.IsSigned) return (quotient, remainder);
        var zero = Emit(Const.Of(type, [0L]));
        // True if the remainder and the divisor have different signs; never for a divisor of 0.
        var differs = Emit(new Compare(CompareOp.Ne, Emit(new Compare(CompareOp.Lt, remainder, zero)),
            Emit(new Compare(CompareOp.Lt, y, zero))));
        var fix = Emit(new Binary(BinaryOp.And, Emit(new Compare(CompareOp.Ne, remainder, zero)), differs));
        if (y is not Const { IsSplat: true } c || c.Integers[0] == 0)
            fix = Emit(new Binary(BinaryOp.And, Emit(new Compare(CompareOp.Ne, y, zero)), fix));
        return (Emit(new Select(fix, Emit(new Binary(BinaryOp.Sub, quotient, Emit(Const.Of(type, [1L])))), quotient)),
            Emit(new Select(fix, Emit(new Binary(BinaryOp.Add, remainder, y)), remainder)));
    }

    /// <summary>
    /// As in NumPy. The remainder comes first, and is exact: floor(x / y) is one too great where the quotient rounds up
    /// to an integer. A remainder of 0 has the sign of the divisor, a quotient of 0 that of the true quotient.
    /// </summary>
    private (Node Quotient, Node Remainder) FlooredFloats(Node x, Node y)
    {
        var type = x.Type;
        Node Number(double value) => Emit(Const.Of(type, [value]));
        Node Is(CompareOp kind, Node a, Node b) => Emit(new Compare(kind, a, b));
        Node Of(BinaryOp op, Node a, Node b) => Emit(new Binary(op, a, b));
        Node Choose(Node condition, Node a, Node b) => Emit(new Select(condition, a, b));
        var zero = Number(0);
        var one = Number(1);
        var rest = Of(BinaryOp.Rem, x, y);
        var fix = Of(BinaryOp.And, Is(CompareOp.Ne, rest, zero),
            Is(CompareOp.Ne, Is(CompareOp.Lt, rest, zero), Is(CompareOp.Lt, y, zero)));
        var ratio = Of(BinaryOp.Div, x, y);
        // (x - rest) / y is an integer except for rounding.
        var whole = Of(BinaryOp.Div, Of(BinaryOp.Sub, x, rest), y);
        whole = Choose(fix, Of(BinaryOp.Sub, whole, one), whole);
        var floor = Emit(new Unary(UnaryOp.Floor, whole));
        var nearest = Choose(Is(CompareOp.Gt, Of(BinaryOp.Sub, whole, floor), Number(0.5)),
            Of(BinaryOp.Add, floor, one), floor);
        // |x / y| is below 1 here, so its product with 0 is a zero with its sign.
        var quotient = Choose(Is(CompareOp.Eq, whole, zero), Of(BinaryOp.Mul, ratio, zero), nearest);
        var none = Choose(Is(CompareOp.Lt, y, zero), Number(-0.0), zero);
        return (Choose(Is(CompareOp.Eq, y, zero), ratio, quotient),
            Choose(fix, Of(BinaryOp.Add, rest, y), Choose(Is(CompareOp.Eq, rest, zero), none, rest)));
    }

    /// <summary>The same for known numbers.</summary>
    private static (double Quotient, double Remainder) Floored(double x, double y)
    {
        var rest = x % y;
        if (y == 0) return (x / y, rest);
        var whole = (x - rest) / y;
        if (rest == 0) rest = Math.CopySign(0, y);
        else if (rest < 0 != y < 0) (rest, whole) = (rest + y, whole - 1);
        if (whole == 0) return (Math.CopySign(0, x / y), rest);
        var floor = Math.Floor(whole);
        return (whole - floor > 0.5 ? floor + 1 : floor, rest);
    }
}
