// The table of the primitives that are written in C#; all others are in the library, in the language itself.
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Binding;

/// <summary>A primitive: its parameters in order, optional ones with a question mark, and its implementation.</summary>
internal sealed record Builtin(string Name, string Parameters, Func<Elaborator, BuiltinCall, Value> Apply);

internal static class Builtins
{
    public static readonly Builtin ToInt = new("int", "x", (e, c) => e.ToInt(c));
    public static readonly Builtin ToFloat = new("float", "x", (e, c) => e.ToFloat(c));

    private static readonly Dictionary<string, Builtin> Table = new Builtin[]
    {
        // ---- elementwise
        Unary(UnaryOp.Neg), Unary(UnaryOp.Abs), Unary(UnaryOp.Sign), Unary(UnaryOp.Floor), Unary(UnaryOp.Ceil),
        Unary(UnaryOp.Trunc), Unary(UnaryOp.Round), Unary(UnaryOp.Exp), Unary(UnaryOp.Log), Unary(UnaryOp.Expm1),
        Unary(UnaryOp.Log1p), Unary(UnaryOp.Sin), Unary(UnaryOp.Cos), Unary(UnaryOp.Tanh), Unary(UnaryOp.Erf),
        Unary(UnaryOp.Sqrt), Unary(UnaryOp.Rsqrt),
        Binary("pow", "x y", BinaryOp.Pow), Binary("atan2", "y x", BinaryOp.Atan2),
        new("select", "condition a b", (e, c) => e.SelectOf(c)),
        Binary("bit_and", "x y", BinaryOp.And), Binary("bit_or", "x y", BinaryOp.Or),
        Binary("bit_xor", "x y", BinaryOp.Xor), new("bit_not", "x", (e, c) => e.BitNotOf(c)),
        Binary("shift_left", "x by", BinaryOp.Shl), Binary("shift_right", "x by", BinaryOp.Shr),
        new("bitcast", "x dtype", (e, c) => e.BitcastOf(c)),
        new("stop_gradient", "x", (e, c) => e.StopGradientOf(c)),

        // ---- along axes; max and min of two values are elementwise
        new("max", "x y? axis? keep?", (e, c) => e.Extreme(c, greatest: true)),
        new("min", "x y? axis? keep?", (e, c) => e.Extreme(c, greatest: false)),
        new("sum", "x axis? keep?", (e, c) => e.ReduceAxes(c, ReduceOp.Add)),
        new("mean", "x axis? keep?", (e, c) => e.Mean(c)),
        new("prod", "x axis? keep?", (e, c) => e.ReduceAxes(c, ReduceOp.Mul)),
        new("any", "x axis? keep?", (e, c) => e.ReduceAxes(c, ReduceOp.Or)),
        new("all", "x axis? keep?", (e, c) => e.ReduceAxes(c, ReduceOp.And)),
        new("argmax", "x axis?", (e, c) => e.ArgReduceAxis(c, greatest: true)),
        new("argmin", "x axis?", (e, c) => e.ArgReduceAxis(c, greatest: false)),
        new("cumsum", "x axis? reversed?", (e, c) => e.CumulateOf(c, ReduceOp.Add)),
        new("cumprod", "x axis? reversed?", (e, c) => e.CumulateOf(c, ReduceOp.Mul)),
        new("cummax", "x axis? reversed?", (e, c) => e.CumulateOf(c, ReduceOp.Max)),
        new("cummin", "x axis? reversed?", (e, c) => e.CumulateOf(c, ReduceOp.Min)),
        new("sort", "x axis? descending?", (e, c) => e.SortOf(c, 0)),
        new("argsort", "x axis? descending?", (e, c) => e.SortOf(c, 1)),

        // ---- movement
        new("reshape", "x shape", (e, c) => e.ReshapeOf(c)),
        new("transpose", "x order?", (e, c) => e.TransposeOf(c)),
        new("broadcast", "x shape", (e, c) => e.BroadcastOf(c)),
        new("pad", "x axis before after value? between?", (e, c) => e.PadOf(c)),
        new("reverse", "x axis", (e, c) => e.ReverseOf(c)),
        new("concat", "parts axis?", (e, c) => e.ConcatOf(c)),
        new("split", "x parts axis?", (e, c) => e.SplitOf(c)),
        new("overlap_add", "x axis stride? dilation? size?", (e, c) => e.OverlapAddOf(c)),

        new("scatter_max", "x ids values", (e, c) => e.ScatterOf(c, ScatterOp.Max)),
        new("scatter_min", "x ids values", (e, c) => e.ScatterOf(c, ScatterOp.Min)),

        // ---- known values
        new("shape", "x", (e, c) => e.ShapeOf(c)),
        new("size", "x axis?", (e, c) => e.SizeOf(c)),
        new("len", "list", (e, c) => e.Length(c)),
        new("zip", "a b c? d? e? f?", (e, c) => e.Zip(c)),
        new("enumerate", "list", (e, c) => e.Enumerate(c)),
        new("names", "list", (e, c) => e.NamesOf(c)),
        new("least", "dtype", (e, c) => e.EndOf(c, greatest: false)),
        new("greatest", "dtype", (e, c) => e.EndOf(c, greatest: true)),
        new("match", "name pattern", (e, c) => e.Match(c)),

        // ---- random
        new("random_bits", "key shape", (e, c) => e.RandomBits(c)),
        new("fold", "key i", (e, c) => e.FoldKey(c)),
    }.ToDictionary(b => b.Name);

    public static IEnumerable<string> Names => Table.Keys;

    public static IEnumerable<Builtin> All => Table.Values;

    public static Builtin? Find(string name) => Table.GetValueOrDefault(name);

    private static Builtin Binary(string name, string parameters, BinaryOp op) =>
        new(name, parameters, (e, c) => e.BinaryOf(op, c));

    private static Builtin Unary(UnaryOp op) => new(Ops.Name(op), "x", (e, c) => e.UnaryOf(op, c));
}
