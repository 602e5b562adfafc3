// In: a key. Out: random bits, or another key. All other random functions are library code based on these two.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    public Value RandomBits(BuiltinCall c)
    {
        if (Realize(c["key"].Value, DType.I64, c["key"].Span) is not { } key
            || Extents(c["shape"], "an axis") is not { } shape)
            return Value.Poison;
        if (key.DType != DType.I64 || key.Rank != 0) return WrongArgument(c["key"], "a key, which is a scalar i64,");
        return Tensor(new Graph.Random(key.Node, shape));
    }

    /// <summary>
    /// Another key: h = (key + (i + 1) * a); h = (h ^ h >> 31) * b; h ^ h >> 29, with the odd constants of SplitMix64.
    /// Each
    /// step is a bijection of 64 bits, so different i give different keys.
    /// </summary>
    public Value FoldKey(BuiltinCall c)
    {
        if (Realize(c["key"].Value, DType.I64, c["key"].Span) is not { } key
            || Realize(c["i"].Value, DType.I64, c["i"].Span) is not { } i) return Value.Poison;
        if (key.DType != DType.I64 || key.Rank != 0) return WrongArgument(c["key"], "a key, which is a scalar i64,");
        if (!i.DType.IsInteger || i.Rank != 0) return WrongArgument(c["i"], "a scalar integer");
        Node Number(ulong v) => Emit(Const.Of(TensorType.Scalar(DType.I64), [unchecked((long)v)]));
        Node Make(BinaryOp op, Node a, Node b) => Emit(new Binary(op, a, b));
        var n = i.DType == DType.I64 ? i.Node : Emit(new Graph.Convert(i.Node, DType.I64));
        var h = Make(BinaryOp.Add, key.Node, Make(BinaryOp.Mul, Make(BinaryOp.Add, n, Number(1)),
            Number(0x9E3779B97F4A7C15)));
        h = Make(BinaryOp.Mul, Make(BinaryOp.Xor, h, Make(BinaryOp.Shr, h, Number(31))), Number(0xBF58476D1CE4E5B9));
        return Tensor(Make(BinaryOp.Xor, h, Make(BinaryOp.Shr, h, Number(29))));
    }
}
