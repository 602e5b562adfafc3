// The rules of simplify about values: integers and bools, for which more identities hold than for floats; exact
// conversions; control flow with a known condition.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

internal static partial class Simplify
{
    /// <summary>
    /// Identities of integers and bools. For floats they do not hold: 0 * x and x - x are NaN for an infinity.
    /// </summary>
    private static Node? Whole(Node node, Rewriter r)
    {
        if (node.Operands.IsEmpty || node.Operands[0].Type.DType.IsFloat) return null;
        var (a, b) = (node.Operands[0], node.Operands.Length > 1 ? node.Operands[1] : node.Operands[0]);
        var same = node.Operands.Length > 1 && ReferenceEquals(a, b);
        Const All(long value) => Const.Of(node.Type, value);
        // All bits of the dtype; a bool has one.
        bool IsOnes(Node x) => IsConst(x, x.Type.DType == DType.Bool ? 1 : -1)
            || (!x.Type.DType.IsSigned && x is Const { IsSplat: true, Integers: [var v] } && x.Type.DType.Bytes() < 8
            && v == (1L << (8 * x.Type.DType.Bytes())) - 1);
        return node switch
        {
            Binary { Kind: BinaryOp.Add } when IsConst(a, 0) => r.By("integer 0 + x", b),
            Binary { Kind: BinaryOp.Mul } when IsConst(a, 0) || IsConst(b, 0) => r.By("integer x * 0", r.Add(All(0))),
            Binary { Kind: BinaryOp.Sub } when same => r.By("integer x - x", r.Add(All(0))),
            Binary { Kind: BinaryOp.And } when IsConst(a, 0) || IsConst(b, 0) => r.By("x and 0", r.Add(All(0))),
            Binary { Kind: BinaryOp.And } when IsOnes(b) => r.By("x and all ones", a),
            Binary { Kind: BinaryOp.And } when IsOnes(a) => r.By("all ones and x", b),
            Binary { Kind: BinaryOp.Or or BinaryOp.Xor } when IsConst(b, 0) => r.By("x or 0, x xor 0", a),
            Binary { Kind: BinaryOp.Or or BinaryOp.Xor } when IsConst(a, 0) => r.By("0 or x, 0 xor x", b),
            Binary { Kind: BinaryOp.Or } when IsOnes(a) => r.By("all ones or x", a),
            Binary { Kind: BinaryOp.Or } when IsOnes(b) => r.By("x or all ones", b),
            Binary { Kind: BinaryOp.And or BinaryOp.Or or BinaryOp.Max or BinaryOp.Min } when same =>
                r.By("x and x, x or x, max, min", a),
            Binary { Kind: BinaryOp.Xor } when same => r.By("x xor x", r.Add(All(0))),
            Binary { Kind: BinaryOp.Shl or BinaryOp.Shr } when IsConst(b, 0) => r.By("shift by 0", a),
            Unary { Kind: UnaryOp.Not } when a is Unary { Kind: UnaryOp.Not } x => r.By("not not x", x.Operands[0]),
            Unary { Kind: UnaryOp.Not } when a is Const { IsSplat: true, Type.DType: DType.Bool, Integers: [var v] } =>
                r.By("not of a constant", r.Add(All(1 - v))),
            Compare c when same =>
                r.By("integer x compared with x",
                    r.Add(All(c.Kind is CompareOp.Eq or CompareOp.Le or CompareOp.Ge ? 1 : 0))),
            _ => null,
        };
    }

    /// <summary>Comparisons of constants, and conversions whose first step loses nothing.</summary>
    private static Node? Known(Node node, Rewriter r) => node switch
    {
        Compare { Kind: var op } when node.Operands[0] is Const { IsSplat: true } a
            && node.Operands[1] is Const { IsSplat: true } b =>
            r.By("compare of constants", r.Add(Const.Of(node.Type, Holds(op, a, b) ? 1L : 0L))),
        // The value passes through unchanged, so the second conversion sees the same value as the first. An integer
        // that goes through a float would saturate where a direct conversion wraps.
        Graph.Convert when node.Operands[0] is Graph.Convert x && Holds(x.Type.DType, x.OperandType(0).DType)
            && (!x.Type.DType.IsFloat || x.OperandType(0).DType.IsFloat || !node.Type.DType.IsInteger
            || Holds(node.Type.DType, x.OperandType(0).DType)) =>
            r.By("convert of an exact convert", r.Add(new Graph.Convert(x.Operands[0], node.Type.DType))),
        _ => null,
    };

    private static bool Holds(CompareOp op, Const a, Const b)
    {
        if (a.Type.DType.IsFloat)
        {
            var (x, y) = (a.Floats[0], b.Floats[0]);
            return op switch
            {
                CompareOp.Eq => x == y,
                CompareOp.Ne => x != y,
                CompareOp.Lt => x < y,
                CompareOp.Le => x <= y,
                CompareOp.Gt => x > y,
                _ => x >= y,
            };
        }
        // Both literals at the dtype's width: u64 by its bits, the others by their value.
        var order = a.Type.DType == DType.U64
            ? ((ulong)a.Integers[0]).CompareTo((ulong)b.Integers[0])
            : Wrapped(a).CompareTo(Wrapped(b));
        return op switch
        {
            CompareOp.Eq => order == 0,
            CompareOp.Ne => order != 0,
            CompareOp.Lt => order < 0,
            CompareOp.Le => order <= 0,
            CompareOp.Gt => order > 0,
            _ => order >= 0,
        };
    }

    private static long Wrapped(Const c)
    {
        var (value, unused) = (c.Integers[0], 64 - 8 * c.Type.DType.Bytes());
        return c.Type.DType == DType.Bool ? value != 0 ? 1 : 0
            : c.Type.DType.IsSigned ? value << unused >> unused : (long)((ulong)value << unused >> unused);
    }

    /// <summary>True if every value of the narrow dtype is also a value of the wide one.</summary>
    private static bool Holds(DType wide, DType narrow)
    {
        if (wide == narrow || narrow == DType.Bool) return true;
        if (wide == DType.Bool) return false;
        if (narrow.IsFloat) return wide == DType.F64 || (wide == DType.F32 && narrow is DType.F16 or DType.BF16);
        if (wide.IsFloat) return 8 * narrow.Bytes() <= Digits(wide);
        return wide.IsSigned == narrow.IsSigned ? wide.Bytes() >= narrow.Bytes()
            : wide.IsSigned && wide.Bytes() > narrow.Bytes();
    }

    /// <summary>The number of bits up to which whole numbers are exact.</summary>
    private static int Digits(DType dtype) => dtype switch
    {
        DType.F16 => 11,
        DType.BF16 => 8,
        DType.F32 => 24,
        _ => 53,
    };

    /// <summary>
    /// An `if` with a known condition becomes its branch; a loop without iterations its initial values; a carried value
    /// that never changes is captured.
    /// </summary>
    private static Node? Control(Node node, Rewriter r)
    {
        switch (node)
        {
            case If branch when branch.Operands[0] is Const { IsSplat: true, Integers: [var c] }:
                return r.By("if of a constant",
                    Inlined(c != 0 ? branch.Then : branch.Otherwise, branch.Operands.RemoveAt(0), r));
            case Scan scan when scan.Count.Is(0) && !scan.ResultTypes.IsEmpty:
                return r.By("scan of nothing",
                    r.Add(new Graph.Tuple([.. scan.ResultTypes.Select(Node (type, k) => k < scan.Carried
                    ? scan.Operands[k]
                    : r.Add(type.DType.IsFloat ? Const.Of(type, 0.0) : Const.Of(type, 0L)))])));
            case Scan scan when Enumerable.Range(0, scan.Carried)
                .Where(k => ReferenceEquals(scan.Body.Results[k], scan.Body.Inputs[k])).ToList() is { Count: > 0 } same:
                return r.By("carried value that does not change", Captured(scan, same, r));
            default: return null;
        }
    }

    private static Node Inlined(Function region, ImmutableArray<Node> operands, Rewriter r)
    {
        var map = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (var (input, operand) in region.Inputs.Zip(operands)) map[input] = operand;
        foreach (var inner in region.Nodes)
            if (!map.ContainsKey(inner)) map[inner] = r.Add(inner.On(map));
        return r.Add(new Graph.Tuple([.. region.Results.Select(x => map[x])]));
    }

    private static Graph.Tuple Captured(Scan scan, List<int> same, Rewriter r)
    {
        List<int> order =
            [.. Enumerable.Range(0, scan.Carried)
                .Except(same), .. same, .. Enumerable.Range(scan.Carried, scan.Operands.Length - scan.Carried)];
        var rebuild = new Rebuild(scan.Body);
        foreach (var i in order) rebuild.Copy(scan.Body.Inputs[i]);
        rebuild.CopyAll();
        var body = rebuild.Into;
        List<int> results = [.. Enumerable.Range(0, scan.ResultTypes.Length).Except(same)];
        body.Results = [.. results.Select(k => rebuild[scan.Body.Results[k]])];
        var made = r.Add(
            new Scan(body, scan.Variable, scan.Count, scan.Carried - same.Count,
                [.. order.Select(i => scan.Operands[i])]));
        return r.Add(
            new Graph.Tuple(
                [.. scan.ResultTypes.Select(
                    (_, k) => same.Contains(k) ? scan.Operands[k] : r.Add(new Result(made, results.IndexOf(k))))]));
    }
}
