// For each operation: how the cotangents of its operands follow from that of its value.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Convert = Accelerate.Compiler.Graph.Convert;

namespace Accelerate.Compiler.Autodiff;

/// <summary>How an operation handles a cotangent.</summary>
internal enum VjpKind
{
    /// <summary>It has a rule.</summary>
    Rule,

    /// <summary>The derivative is 0, or the value has none: integers, comparisons, steps.</summary>
    Zero,

    /// <summary>There is a derivative but no rule: an error where a gradient goes through.</summary>
    None,
}

/// <summary>The rule of an operation.</summary>
/// <param name="Kind">Whether there is a rule.</param>
/// <param name="Apply">Gives the operands their cotangents, from those of the node's results.</param>
/// <param name="Reason">For <see cref="VjpKind.None"/>: the unsupported gradient.</param>
/// <param name="Help">What to write instead.</param>
internal sealed record Vjp(VjpKind Kind, Action<Backward, Node, Node?[]>? Apply = null, string? Reason = null,
    string? Help = null);

/// <summary>
/// The table of vector-Jacobian products, one entry for each operation of <see cref="Ops.All"/>. A gradient goes to the
/// element that was selected: of equal ones along an axis the first, of two equal operands of max or min the second.
/// </summary>
internal static class VjpTable
{
    private static readonly Vjp Zero = new(VjpKind.Zero);

    private static readonly Dictionary<string, Vjp> Table = new()
    {
        // ---- sources have no operands
        ["input"] = Zero,
        ["param"] = Zero,
        ["buffer"] = Zero,
        ["const"] = Zero,
        ["iota"] = Zero,
        ["random"] = Zero,
        ["size"] = Zero,

        // ---- unary: y = f(x), y' of x and y
        ["neg"] = Unary((r, x, y, dy) => r.Minus(dy)),
        ["abs"] = Unary((r, x, y, dy) => r.Times(dy, r.Of(UnaryOp.Sign, x))),
        ["exp"] = Unary((r, x, y, dy) => r.Times(dy, y)),
        ["log"] = Unary((r, x, y, dy) => r.Over(dy, x)),
        ["expm1"] = Unary((r, x, y, dy) => r.Times(dy, r.Plus(y, 1))),
        ["log1p"] = Unary((r, x, y, dy) => r.Over(dy, r.Plus(x, 1))),
        ["sin"] = Unary((r, x, y, dy) => r.Times(dy, r.Of(UnaryOp.Cos, x))),
        ["cos"] = Unary((r, x, y, dy) => r.Times(dy, r.Minus(r.Of(UnaryOp.Sin, x)))),
        ["tanh"] = Unary((r, x, y, dy) => r.Times(dy, r.Minus(r.Fill(y.Type, 1.0), r.Times(y, y)))),
        ["erf"] = Unary((r, x, y, dy) =>
            r.Times(dy, r.Times(r.Of(UnaryOp.Exp, r.Minus(r.Times(x, x))), 2 / Math.Sqrt(Math.PI)))),
        ["sqrt"] = Unary((r, x, y, dy) => r.Over(r.Times(dy, 0.5), y)),
        ["rsqrt"] = Unary((r, x, y, dy) => r.Times(dy, r.Times(r.Over(y, x), -0.5))),
        ["sign"] = Zero,
        ["floor"] = Zero,
        ["ceil"] = Zero,
        ["trunc"] = Zero,
        ["round"] = Zero,
        ["not"] = Zero,
        ["convert"] = Unary((r, x, y, dy) => r.As(dy, x.Type.DType)),
        ["bitcast"] = None("the gradient of `bitcast`", "`stop_gradient(x)` takes it for a constant"),
        ["stop_gradient"] = Zero,

        // ---- binary
        ["add"] = Binary((r, a, b, y, dy) => dy, (r, a, b, y, dy) => dy),
        ["sub"] = Binary((r, a, b, y, dy) => dy, (r, a, b, y, dy) => r.Minus(dy)),
        ["mul"] = Binary((r, a, b, y, dy) => r.Times(dy, b), (r, a, b, y, dy) => r.Times(dy, a)),
        ["div"] = Binary((r, a, b, y, dy) => r.Over(dy, b), (r, a, b, y, dy) => r.Minus(r.Times(r.Over(dy, b), y))),
        ["rem"] = Binary((r, a, b, y, dy) => dy,
            (r, a, b, y, dy) => r.Minus(r.Times(dy, r.Of(UnaryOp.Trunc, r.Over(a, b))))),
        ["pow"] = Binary(PowBase, PowExponent),
        // Of equal values the second is selected, so relu, max(x, 0), has the slope 0 at 0.
        ["max"] = Binary((r, a, b, y, dy) => r.Where(r.Is(CompareOp.Gt, a, b), dy),
            (r, a, b, y, dy) => r.Unless(r.Is(CompareOp.Gt, a, b), dy)),
        ["min"] = Binary((r, a, b, y, dy) => r.Where(r.Is(CompareOp.Lt, a, b), dy),
            (r, a, b, y, dy) => r.Unless(r.Is(CompareOp.Lt, a, b), dy)),
        ["atan2"] = Binary((r, a, b, y, dy) => r.Times(dy, r.Over(b, SumOfSquares(r, a, b))),
            (r, a, b, y, dy) => r.Minus(r.Times(dy, r.Over(a, SumOfSquares(r, a, b))))),
        ["and"] = Zero,
        ["or"] = Zero,
        ["xor"] = Zero,
        ["shl"] = Zero,
        ["shr"] = Zero,
        ["compare"] = Zero,
        ["select"] = new(VjpKind.Rule, (r, n, dy) =>
        {
            if (r.Needs(n.Operands[1])) r.Give(n.Operands[1], r.Where(n.Operands[0], dy[0]!));
            if (r.Needs(n.Operands[2])) r.Give(n.Operands[2], r.Unless(n.Operands[0], dy[0]!));
        }),

        // ---- movement
        ["reshape"] = Of<Reshape>((r, n, dy) =>
            r.Add(new Reshape(dy, n.OperandType(0).Shape, n.IsChecked))),
        ["transpose"] = Of<Transpose>((r, n, dy) =>
            r.Turned(dy, [.. Enumerable.Range(0, dy.Type.Rank).Select(d => n.Permutation.IndexOf(d))])),
        ["broadcast"] = Of<Broadcast>((r, n, dy) => r.Sum(dy, Backward.Axes(n.Type.Rank, d => !n.Axes.Contains(d)))),
        ["slice"] = new(VjpKind.Rule, (r, n, dy) => MovementRules.Slice(r, (Slice)n, dy[0]!)),
        ["pad"] = new(VjpKind.Rule, (r, n, dy) => MovementRules.Pad(r, (Pad)n, dy[0]!)),
        ["reverse"] = Of<Graph.Reverse>((r, n, dy) => r.Add(new Graph.Reverse(dy, n.Axes))),
        ["concat"] = new(VjpKind.Rule, (r, n, dy) => MovementRules.Concat(r, (Concat)n, dy[0]!)),
        ["window"] = Of<Window>((r, n, dy) =>
            r.Add(new Fold(dy, n.Axis, n.OperandType(0).Shape[n.Axis], n.Stride, n.Dilation))),
        ["fold"] = new(VjpKind.Rule, (r, n, dy) => MovementRules.Fold(r, (Fold)n, dy[0]!)),

        // ---- computed indices
        ["gather"] = new(VjpKind.Rule, (r, n, dy) => PlaceRules.Gather(r, (Gather)n, dy[0]!)),
        ["scatter"] = new(VjpKind.Rule, (r, n, dy) => PlaceRules.Scatter(r, (Scatter)n, dy[0]!)),
        ["dynamic_slice"] = new(VjpKind.Rule, (r, n, dy) => PlaceRules.DynamicSlice(r, (DynamicSlice)n, dy[0]!)),
        ["update_slice"] = new(VjpKind.Rule, (r, n, dy) => PlaceRules.UpdateSlice(r, (UpdateSlice)n, dy[0]!)),
        ["sort"] = new(VjpKind.Rule, (r, n, dy) => PlaceRules.Sort(r, (Sort)n, dy[0])),

        // ---- along axes
        ["reduce"] = new(VjpKind.Rule, (r, n, dy) => AxisRules.Reduce(r, (Reduce)n, dy[0]!)),
        ["arg_reduce"] = Zero,
        ["cumulate"] = new(VjpKind.Rule, (r, n, dy) => AxisRules.Cumulate(r, (Cumulate)n, dy[0]!)),
        ["dot"] = new(VjpKind.Rule, (r, n, dy) => AxisRules.Dot(r, (Dot)n, dy[0]!)),

        // ---- control flow and structure
        ["call"] = new(VjpKind.Rule, (r, n, dy) => r.Through((Call)n, dy)),
        ["if"] = new(VjpKind.Rule, (r, n, dy) => r.Through((If)n, dy)),
        ["scan"] = new(VjpKind.Rule, (r, n, dy) => r.Through((Scan)n, dy)),
        ["while"] = None("the gradient of a `while` loop",
            "a loop of a known number of rounds has one: `for i in 0:n { if going { … } }`"),
        ["tuple"] = new(VjpKind.Rule, (r, n, dy) =>
        {
            for (var k = 0; k < dy.Length; k++) r.Give(n.Operands[k], dy[k]);
        }),
        ["result"] = new(VjpKind.Rule, (r, n, dy) => r.Give(n.Operands[0], dy[0], ((Result)n).Index)),
        ["barrier"] = Unary((r, x, y, dy) => dy),

        // ---- the values of effects are not used
        ["extent"] = Zero,
        ["print"] = Zero,
        ["assert"] = Zero,
        ["assign"] = Zero,
    };

    /// <summary>How the operation of that name is differentiated, for tests and documents.</summary>
    /// <exception cref="KeyNotFoundException">The table lacks the operation.</exception>
    public static VjpKind KindOf(string op) => Table[op].Kind;

    /// <summary>The rule of a node; values other than floats have no cotangent.</summary>
    internal static Vjp Of(Node node) =>
        node.ResultTypes.Any(t => t.DType.IsFloat) ? Table[node.Op] : Zero;

    private static Vjp None(string reason, string help) => new(VjpKind.None, null, reason, help);

    private static Vjp Unary(Func<Backward, Node, Node, Node, Node> rule) => new(VjpKind.Rule, (r, n, dy) =>
    {
        if (r.Needs(n.Operands[0])) r.Give(n.Operands[0], rule(r, n.Operands[0], n, dy[0]!));
    });

    private static Vjp Binary(Func<Backward, Node, Node, Node, Node, Node> first,
        Func<Backward, Node, Node, Node, Node, Node> second) => new(VjpKind.Rule, (r, n, dy) =>
    {
        var (a, b) = (n.Operands[0], n.Operands[1]);
        if (r.Needs(a)) r.Give(a, first(r, a, b, n, dy[0]!));
        if (r.Needs(b)) r.Give(b, second(r, a, b, n, dy[0]!));
    });

    private static Vjp Of<T>(Func<Backward, T, Node, Node> rule)
        where T : Node => new(VjpKind.Rule, (r, n, dy) => r.Give(n.Operands[0], rule(r, (T)n, dy[0]!)));

    private static Node SumOfSquares(Backward r, Node a, Node b) => r.Plus(r.Times(a, a), r.Times(b, b));

    /// <summary>b a^(b-1), which is 0 for b = 0 for every a.</summary>
    private static Node PowBase(Backward r, Node a, Node b, Node y, Node dy)
    {
        if (b is Const { IsSplat: true } && Value(b) is 2) return r.Times(dy, r.Times(a, 2));
        var slope = r.Times(b, r.Of(BinaryOp.Pow, a, r.Plus(b, -1)));
        return r.Times(dy, r.Where(r.Is(CompareOp.Ne, b, r.Zeros(b.Type)), slope));
    }

    /// <summary>a^b log a; 0 where a is 0, as a^b is 0 for all b above 0.</summary>
    private static Node PowExponent(Backward r, Node a, Node b, Node y, Node dy)
    {
        var isZero = r.Is(CompareOp.Eq, a, r.Zeros(a.Type));
        var safe = r.Choose(isZero, r.Fill(a.Type, 1.0), a);
        return r.Times(dy, r.Times(y, r.Of(UnaryOp.Log, safe)));
    }

    private static double Value(Node splat) => ((Const)splat).FoldedIndex < 0 ? ((Const)splat).FloatAt(0) : double.NaN;
}
