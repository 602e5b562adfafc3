// Operators: weak numbers are computed, tensors become nodes once both sides have the same dtype and shape.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private Value Binary(BinaryExpression e)
    {
        if (e.Operator is BinaryOperator.And or BinaryOperator.Or) return Logic(e);
        var left = Expression(e.Left);
        var right = Expression(e.Right);
        return Operate(e.Operator, left, right, e.OperatorSpan, e.Left.Span, e.Right.Span);
    }

    private Value Logic(BinaryExpression e)
    {
        var left = Expression(e.Left);
        var isAnd = e.Operator == BinaryOperator.And;
        // The right side of a decided `and` or `or` is not evaluated: `i > 0 and x[i - 1] > 0` on constants.
        if (left is BoolValue l) return l.Truth == isAnd ? Expression(e.Right) : l;
        // Also for a run-time scalar, if evaluating could fail: `k < n and x[k] > 0`. A silent trial only needs the
        // type.
        if (left is TensorValue { DType: DType.Bool, Rank: 0 } decides && openForms == 0 && inEntry && muted == 0
            && MayFail(e.Right))
            return Lazy(decides, e, isAnd);
        // Within an index form it is used only where the left side does not decide: a read there need not be in range.
        var right = openForms > 0 && left is TensorValue { DType: DType.Bool, Rank: 0 } looked
            ? Under(looked, isAnd, () => Expression(e.Right)) : Expression(e.Right);
        if (left is PoisonValue || right is PoisonValue) return Value.Poison;
        if (right is BoolValue r) return r.Truth == isAnd ? left : r;
        if (left is TensorValue { DType: DType.Bool } a && right is TensorValue { DType: DType.Bool } b)
            return ImplyingBoth(Elementwise(a, b, e.OperatorSpan, e.Left.Span, e.Right.Span, (x, y) =>
                new Binary(isAnd ? BinaryOp.And : BinaryOp.Or, x, y)), isAnd, a, b);
        var wrong = left is TensorValue { DType: DType.Bool } ? (right, e.Right.Span) : (left, e.Left.Span);
        return Fail(Codes.TypeMismatch, wrong.Span,
            $"`{(isAnd ? "and" : "or")}` joins truth values, not {Describe(wrong.Item1)}",
            Describe(wrong.Item1), "compare first: `x != 0`");
    }

    /// <summary>
    /// True if a truth value is computed by reads that can be out of range: because of data, or of conditions on sizes.
    /// The expression is elaborated only to find that out.
    /// </summary>
    private bool MayFail(ExpressionSyntax e)
    {
        using var place = new Scope<Span?>(ref userPlace, userPlace);
        using var quiet = new Scope<int>(ref muted, muted + 1);
        demanded = false;
        var trial = Made("trial");
        using var inside = Inside(trial);
        return Expression(e) is TensorValue { DType: DType.Bool, Rank: 0 }
            // For control flow within it, only its conditions count.
            && (demanded || trial.Graph.Nodes.Any(n => n.MayFail && n is not RegionNode));
    }

    /// <summary>The right side becomes a branch, computed only if the left one does not decide.</summary>
    private Value Lazy(TensorValue decides, BinaryExpression e, bool isAnd)
    {
        var result = new Local(Value.Poison, e.Span);
        void Right() => Write(result, Expression(e.Right));
        void Known() => Write(result, new BoolValue(!isAnd));
        Branches(decides, new Meeting(e.Span, e.Left.Span, e.Right.Span), isAnd ? Right : Known, isAnd ? Known : Right);
        return result.Value;
    }

    public Value Operate(BinaryOperator op, Value left, Value right, Span span, Span leftSpan, Span rightSpan)
    {
        if (left is PoisonValue || right is PoisonValue) return Value.Poison;
        if (left is ListValue || right is ListValue)
        {
            if (op is BinaryOperator.Equal or BinaryOperator.NotEqual && KnownEquality(left, right) is { } same)
                return new BoolValue(same == (op == BinaryOperator.Equal));
            var (list, at) = left is ListValue ? (left, leftSpan) : (right, rightSpan);
            var other = left is ListValue ? right : left;
            return Fail(Codes.ListArithmetic, span, ReferenceEquals(list, ListValue.Nothing)
                    ? $"`{Short(at)}` gives nothing" : "lists have no arithmetic", null,
                other is ListValue ? "join lists with `[..a, ..b]`"
                    : Stacked(list, at, (other as TensorValue)?.DType)
                        ?? "compute on the elements with a comprehension",
                new Label(leftSpan, Describe(left)), new Label(rightSpan, Describe(right)));
        }
        if (left is WeakValue a && right is WeakValue b) return op == BinaryOperator.Contract
            ? Fail(Codes.TypeMismatch, span, "`@` takes tensors") : Weak(op, a, b, span);
        if (op is BinaryOperator.Equal or BinaryOperator.NotEqual && KnownEquality(left, right) is { } equal)
            return new BoolValue(equal == (op == BinaryOperator.Equal));
        if (left is BoolValue p && right is BoolValue q && IsComparison(op))
            return Weak(op, new IntValue(p.Truth ? 1 : 0), new IntValue(q.Truth ? 1 : 0), span);
        if (!IsNumeric(left) || !IsNumeric(right))
        {
            var (value, at) = IsNumeric(left) ? (right, rightSpan) : (left, leftSpan);
            return Fail(Codes.TypeMismatch, at,
                $"`{SyntaxPrinter.Sign(op)}` takes numbers and tensors, not {Describe(value)}", Describe(value),
                value is StringValue ? "a text has places for values: `print(\"x is {}\", x)`" : null);
        }
        if (left is not TensorValue && right is not TensorValue)
            return Fail(Codes.TypeMismatch, span,
                $"`{SyntaxPrinter.Sign(op)}` of {Describe(left)} and {Describe(right)}");
        if (op == BinaryOperator.Contract) return Contract(left, right, span, leftSpan, rightSpan);
        if (Meet(left, right, span, leftSpan, rightSpan) is not var (x, y)) return Value.Poison;
        return Arithmetic(op, x, y, span, leftSpan, rightSpan);
    }

    private static bool IsComparison(BinaryOperator op) =>
        op is >= BinaryOperator.Equal and <= BinaryOperator.GreaterOrEqual;

    private static bool IsNumeric(Value v) => v is TensorValue or WeakValue or BoolValue;

    private static bool? KnownEquality(Value a, Value b) => (a, b) switch
    {
        (BoolValue x, BoolValue y) => x.Truth == y.Truth,
        (StringValue x, StringValue y) => x.Text == y.Text,
        (DTypeValue x, DTypeValue y) => x.DType == y.DType,
        (IntValue x, IntValue y) => x.Size.Equals(y.Size) ? true : (x.Size - y.Size).IsConstant ? false : null,
        (FloatValue x, FloatValue y) => x.Number == y.Number,
        (ListValue x, ListValue y) => x.Items.Length == y.Items.Length
            && x.Items.Zip(y.Items).All(p => KnownEquality(p.First, p.Second) == true),
        _ => null,
    };

    /// <summary>Both sides as tensors of one dtype: numbers take the other side's. Null after a diagnostic.</summary>
    private (TensorValue, TensorValue)? Meet(Value left, Value right, Span span, Span leftSpan, Span rightSpan)
    {
        var dtype = left is TensorValue l ? l.DType : right is TensorValue r ? r.DType : Default(left, right);
        if (Realize(left, dtype, leftSpan) is not { } a || Realize(right, dtype, rightSpan) is not { } b) return null;
        if (a.DType == b.DType) return (a, b);
        Fail(Codes.DtypeMix, span, $"{a.DType.Name()} and {b.DType.Name()} do not mix", null,
            span.Text is "+=" or "-=" or "*=" or "/=" && b.DType.IsFloat && !a.DType.IsFloat
                ? $"declare `{leftSpan.Text}` as {b.DType.Name()}: `let {leftSpan.Text}: {b.DType.Name()} = …`" :
            $"cast one of them: `{(b.DType == DType.Bool || a.DType != DType.Bool ? a.DType.Name() + Cast(rightSpan)
                : b.DType.Name() + Cast(leftSpan))}`",
            new Label(leftSpan, Describe(a)), new Label(rightSpan, Describe(b)));
        return null;
    }

    private static string Cast(Span span) => span.Text is ['(', .., ')'] ? span.Text : $"({span.Text})";

    private static DType Default(params Value[] values) => values.Any(IsReal) ? DType.F32
        : values.All(v => v is BoolValue) ? DType.Bool : DType.I32;

    private Value Arithmetic(BinaryOperator op, TensorValue a, TensorValue b, Span span, Span leftSpan, Span rightSpan)
    {
        Value Each(Func<Node, Node, Node> make) => Elementwise(a, b, span, leftSpan, rightSpan, make);
        if (a.DType == DType.Bool && !IsComparison(op))
        {
            return Fail(Codes.TypeMismatch, span, $"`{SyntaxPrinter.Sign(op)}` is not defined for bool", null,
                "cast it: `f32(x)`",
                new Label(leftSpan, Describe(a)), new Label(rightSpan, Describe(b)));
        }
        var isFloat = a.DType.IsFloat;
        switch (op)
        {
            case BinaryOperator.Add: return Each((x, y) => new Binary(BinaryOp.Add, x, y));
            case BinaryOperator.Subtract: return Each((x, y) => new Binary(BinaryOp.Sub, x, y));
            case BinaryOperator.Multiply: return Each((x, y) => new Binary(BinaryOp.Mul, x, y));
            case BinaryOperator.Divide when !isFloat:
                return Fail(Codes.IntegerDivision, span, $"`/` divides really, and {a.DType.Name()} has no fractions",
                    null,
                    "write `//` for the floor, or cast: "
                        + $"`f32({Short(leftSpan)}) / "
                        + (b.Node is Const ? $"{Short(rightSpan)}`" : $"f32({Short(rightSpan)})`"),
                    new Label(leftSpan, Describe(a)), new Label(rightSpan, Describe(b)));
            case BinaryOperator.Divide: return Each((x, y) => new Binary(BinaryOp.Div, x, y));
            case BinaryOperator.FloorDivide: return Each((x, y) => Floored(x, y).Quotient);
            case BinaryOperator.Modulo: return Each((x, y) => Floored(x, y).Remainder);
            case BinaryOperator.Power: return Power(a, b, span, leftSpan, rightSpan);
            default:
                var kind = op switch
                {
                    BinaryOperator.Equal => CompareOp.Eq,
                    BinaryOperator.NotEqual => CompareOp.Ne,
                    BinaryOperator.Less => CompareOp.Lt,
                    BinaryOperator.LessOrEqual => CompareOp.Le,
                    BinaryOperator.Greater => CompareOp.Gt,
                    _ => CompareOp.Ge,
                };
                return Each((x, y) => new Compare(kind, x, y));
        }
    }

    private Value Power(TensorValue a, TensorValue b, Span span, Span leftSpan, Span rightSpan)
    {
        if (b.Node is Const { IsSplat: true } c && KnownPower(a.Node, c.FloatAt(0)) is { } power)
            return Elementwise(a with { Node = power }, b, span, leftSpan, rightSpan, (v, _) => v);
        return Elementwise(a, b, span, leftSpan, rightSpan, (x, y) => new Binary(BinaryOp.Pow, x, y));
    }

    /// <summary>
    /// A small constant exponent becomes products, a root or a quotient, each rounded once where pow would round
    /// differently; integers are multiplied. Null for any other exponent.
    /// </summary>
    private Node? KnownPower(Node x, double exponent)
    {
        if (!x.Type.DType.IsFloat)
            return exponent is >= 0 and <= 63 && exponent == Math.Floor(exponent) ? IntegerPower(x, (int)exponent)
                : null;
        return exponent switch
        {
            0 or 1 or 2 or 3 or 4 => IntegerPower(x, (int)exponent),
            0.5 => Emit(new Unary(UnaryOp.Sqrt, x)),
            -0.5 => Emit(new Unary(UnaryOp.Rsqrt, x)),
            -1 => Emit(new Binary(BinaryOp.Div, Emit(Const.Of(x.Type, [1.0])), x)),
            _ => null,
        };
    }

    /// <summary>By squaring; x ** 3 is x * x * x.</summary>
    private Node IntegerPower(Node x, int exponent)
    {
        if (exponent == 0) return Emit(Const.Of(x.Type, [1L]));
        if (exponent == 1) return x;
        var square = IntegerPower(Emit(new Binary(BinaryOp.Mul, x, x)), exponent / 2);
        return exponent % 2 == 0 ? square : Emit(new Binary(BinaryOp.Mul, square, x));
    }

    private Value Negate(Value x, Span span) => x switch
    {
        PoisonValue => x,
        IntValue i => new IntValue(-i.Size),
        WideValue { Number: 1UL << 63 } => new IntValue(long.MinValue),
        WideValue w => Fail(Codes.NumberOutOfRange, span, $"-{w.Number} does not fit 64 bits", null,
            $"the least integer is {long.MinValue}"),
        FloatValue f => new FloatValue(-f.Number),
        WeakValue w => new RealValue("neg", [w]),
        TensorValue t when t.DType != DType.Bool => Tensor(new Unary(UnaryOp.Neg, t.Node), t.Indices),
        ListValue => Fail(Codes.ListArithmetic, span, "lists have no arithmetic"),
        _ => Fail(Codes.TypeMismatch, span, $"`-` takes a number or a tensor, not {Describe(x)}", Describe(x)),
    };

    private Value Not(Value x, Span span) => x switch
    {
        PoisonValue => x,
        BoolValue b => new BoolValue(!b.Truth),
        TensorValue { DType: DType.Bool } t => ImplyingNot(Tensor(new Unary(UnaryOp.Not, t.Node), t.Indices), t),
        _ => Fail(Codes.TypeMismatch, span, $"`not` takes a truth value, not {Describe(x)}", Describe(x),
            "compare first: `x == 0`"),
    };

    /// <summary>
    /// `@`: contracts the last axis of the left with the last but one of the right; leading axes are a batch. A vector
    /// on the left is a matrix of one row, whose axis the result lacks; a vector on the right has only the contracted
    /// axis.
    /// </summary>
    private Value Contract(Value left, Value right, Span span, Span leftSpan, Span rightSpan)
    {
        if (left is not TensorValue a || right is not TensorValue b)
            return Fail(Codes.TypeMismatch, span,
                $"`@` takes tensors, not {Describe(left is TensorValue ? right : left)}");
        if (a.DType != b.DType)
        {
            Meet(a, b, span, leftSpan, rightSpan);
            return Value.Poison;
        }
        if (!a.Indices.IsEmpty || !b.Indices.IsEmpty)
            return Limit(span, "`@` inside an index form", "write the sum: `sum[k](a[i, k] * b[k, j])`");
        if (a.Rank == 0 || b.Rank == 0 || a.DType == DType.Bool)
            return Fail(Codes.WrongRank, span, "`@` takes tensors of numbers with at least one axis", null, null,
                new Label(leftSpan, Describe(a)), new Label(rightSpan, Describe(b)));
        var (written, isRow) = (Describe(a), a.Rank == 1);
        if (isRow) a = Tensor(Reshaped(a.Node, [Size.One, a.Shape[0]]));
        var (ka, kb) = (a.Rank - 1, Math.Max(0, b.Rank - 2));
        var why = $"{leftSpan.Text} @ {rightSpan.Text}: {a.Shape[ka]} and {b.Shape[kb]} are contracted";
        switch (Compare(a.Shape[ka], b.Shape[kb], why))
        {
            case Sameness.Different:
                return Fail(Codes.ContractMismatch, span, $"cannot contract {a.Shape[ka]} with {b.Shape[kb]}", null,
                    b.Rank >= 2 && b.Shape[^1].Equals(a.Shape[ka])
                        ? $"their last axes agree: `{Short(leftSpan)} @ {Turned(Short(rightSpan), b.Rank)}`"
                        : a.Rank >= 2 && !isRow && a.Shape[^2].Equals(b.Shape[kb])
                            ? $"write `{Turned(Short(leftSpan), a.Rank)} @ {Short(rightSpan)}`"
                            : Equalize(a.Shape[ka], b.Shape[kb], MadeBy(b.Node) ?? MadeBy(a.Node)),
                    [new(leftSpan, written), new(rightSpan, Describe(b)),
                        .. DeclaredAs(b.Node).Concat(DeclaredAs(a.Node))]);
            case Sameness.Checked:
                b = Retype(b, b.Shape.SetItem(kb, a.Shape[ka]));
                break;
        }
        // Leading axes of the right must exist on the left; missing or literal 1 axes are dropped from the right.
        var lead = Math.Max(0, b.Rank - 2);
        if (lead > a.Rank - 2 && lead > 0 && a.Rank >= 2)
        {
            if (lead > a.Rank - 2) a = Spread(a, [], [.. b.Shape.Take(lead - (a.Rank - 2)), .. a.Shape]);
        }
        var shift = a.Rank - 2 - lead;
        if (shift < 0) return Limit(span, $"`@` of {written} and {Describe(b)}");
        var batchA = ImmutableArray.CreateBuilder<int>();
        var batchB = ImmutableArray.CreateBuilder<int>();
        for (var d = 0; d < lead; d++)
        {
            if (!a.Shape[shift + d].Equals(b.Shape[d]))
            {
                return Fail(Codes.BroadcastMismatch, span,
                    $"the leading axes {a.Shape[shift + d]} and {b.Shape[d]} of `@` differ", null,
                    a.Shape[shift + d].Is(1) || b.Shape[d].Is(1)
                        ? "`@` repeats axes that are missing, and none of 1: leave it out, or `broadcast(…)` it"
                        : Equalize(a.Shape[shift + d], b.Shape[d]), new Label(leftSpan, written),
                        new Label(rightSpan, Describe(b)));
            }
            batchA.Add(shift + d);
            batchB.Add(d);
        }
        var dot = As(Tensor(new Dot(a.Node, b.Node, batchA.ToImmutable(), batchB.ToImmutable(), [a.Rank - 1], [kb],
            Accumulator(a.DType))), a.DType);
        if (isRow) return Tensor(Reshaped(dot.Node, dot.Shape.RemoveAt(b.Rank == 1 ? 0 : dot.Rank - 2)));
        if (lead == 0 || shift == 0) return dot;
        // The batch axes come first in a dot: the left's other leading axes are moved before them again.
        var order = Enumerable.Range(lead, shift).Concat(Enumerable.Range(0, lead))
            .Concat(Enumerable.Range(lead + shift, dot.Rank - lead - shift));
        return Tensor(new Transpose(dot.Node, [.. order]));
    }

    /// <summary>
    /// The help line for sizes that are equal only in some calls. If the maker of one of them (a layer) fixes it as a
    /// constant, it must be the same for every input, and a condition of the caller cannot fix an axis in the wrong
    /// place.
    /// </summary>
    private string? Equalize(Size a, Size b, string? maker = null)
    {
        if ((maker is not null && (a.IsConstant || b.IsConstant)) || IsApart(a - b)) return maker;
        (a, b) = WithoutCommon(a, b);
        if (IsApart(a - b)) return maker;
        const string Some = "these sizes are equal for some calls only; ";
        if (Solved(a, b) is not var (name, size))
            return maker ?? Some + "write them as numbers in the types of the parameters";
        return Some + $"if callers guarantee it, declare it: `where {Readable(name)} == {Readable(size.Text)}`";
    }

    /// <summary>An equation solved for a size: a name that the other side does not mention.</summary>
    private static (string Name, Size Size)? Solved(Size a, Size b)
    {
        foreach (var (side, other) in new[] { (a, b), (b, a) })
            if (side.Terms is [{ Coefficient: 1, Atoms: [VariableAtom { Name: var name }] }]
                && !other.Variables().Contains(name)) return (name, other);
        foreach (var term in (a - b).Terms)
        {
            if (term is not { Coefficient: 1 or -1, Atoms: [VariableAtom { Name: var name }] }) continue;
            var rest = a - b - Size.OfTerm(term);
            if (!rest.Variables().Contains(name)) return (name, term.Coefficient == 1 ? -rest : rest);
        }
        return null;
    }

    /// <summary>
    /// True if a difference is 0 only when sizes are: all its terms have the same sign, and no `where` that demands
    /// equality can hold in a call that has elements.
    /// </summary>
    private static bool IsApart(Size difference) => difference.IsConstant
        || (difference.Terms.All(t => t.Coefficient > 0) && !difference.Terms.Any(IsOpen))
        || (difference.Terms.All(t => t.Coefficient < 0) && !difference.Terms.Any(IsOpen));

    /// <summary>A quotient, or the lesser of two, may be 0 though its parts are not.</summary>
    private static bool IsOpen(Size.Term term) => term.Atoms.Any(a => a is not VariableAtom);

    /// <summary>m * n and 15 * n without the common factor: m and 15.</summary>
    private static (Size, Size) WithoutCommon(Size a, Size b)
    {
        var all = a.Terms.Concat(b.Terms).ToList();
        foreach (var atom in a.Terms.SelectMany(t => t.Atoms).OfType<VariableAtom>().Distinct().ToList())
        {
            if (!all.All(t => t.Atoms.Contains(atom))) continue;
            Size Less(Size s) => s.Terms.Aggregate(Size.Zero, (sum, t) =>
                sum + Size.OfTerm(new Size.Term(t.Coefficient, t.Atoms.Remove(atom))));
            return WithoutCommon(Less(a), Less(b));
        }
        return (a, b);
    }

    /// <summary>The call that made the layer with this state, as a help line.</summary>
    private string? MadeBy(Node node) => StateOf(node)?.Owner is { IsRoot: false } owner
        ? $"{owner.Path} was made with {owner.Call} at {owner.Made}" : null;

    /// <summary>The declaration of this state, as a label.</summary>
    private IEnumerable<Label> DeclaredAs(Node node) => StateOf(node) is { Syntax.Type: { } type } state
        ? [new(type.Span, $"{state.Name} is {state.Type}")] : [];

    private StateMember? StateOf(Node node)
    {
        while (node is Transpose or Reshape or Broadcast or Accelerate.Compiler.Graph.Convert) node = node.Operands[0];
        return node is State state ? States.FirstOrDefault(s => s.Path == state.Name) : null;
    }
}
