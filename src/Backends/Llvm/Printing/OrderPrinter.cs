// In: a sort statement. Out: LLVM instructions that put its keys in order: a bottom-up merge sort in the worker's scratch.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Each element is one unsigned integer: the key's bits, made to compare like the key, above the index. No two are equal,
/// so that whatever sorts them is stable; the merge has no branch that depends on the keys. Keys of 32 bits and fewer take
/// 64 bits with a 32-bit index, keys of 64 bits take 128.
/// </summary>
internal sealed class OrderPrinter(StatementPrinter statements, LlvmText text, ScalarPrinter scalars, IndexPrinter index,
    Func<Size, string> scratch)
{
    public void Print(Ordering order)
    {
        var key = order.Key.Type;
        var wide = key.Bytes() == 8;
        var (element, elementBytes, shift) = wide ? ("i128", 16, 64) : ("i64", 8, 32);
        var memory = Types.Memory(key);
        var count = index.AtLeastZero(order.Extent);
        // Two rows of elements, which passes write in turns, then the keys as they were yielded.
        var room = scratch(count * (2 * elementBytes + key.Bytes()) + 64);
        var extent = index.Scalar(count);
        var row = text.Value($"mul i64 {extent}, {elementBytes}");
        var other = text.Value($"getelementptr i8, ptr {room}, i64 {row}");
        var keys = text.Value($"getelementptr i8, ptr {other}, i64 {row}");
        string At(string start, string type, string i) => text.Value($"getelementptr {type}, ptr {start}, i64 {i}");

        text.For("0", extent, "1", i =>
        {
            index.Define(order.Variable, i);
            statements.Block(order.Body);
            var value = statements.Of(order.Yield);
            text.Do($"store {memory} {statements.ToMemory(value)}, ptr {At(keys, memory, i)}, align {key.Bytes()}");
            var bits = Comparable(value, order.IsDescending);
            var high = text.Value($"shl {element} {text.Value($"zext {bits.LlvmType} {bits.Text} to {element}")}, {shift}");
            var low = wide ? text.Value($"zext i64 {i} to i128") : i;
            text.Do($"store {element} {text.Value($"or {element} {high}, {low}")}, ptr {At(room, element, i)}, align {elementBytes}");
        });

        var (from, to, width) = (text.Slot("ptr", 8), text.Slot("ptr", 8), text.Slot("i64", 8));
        text.Do($"store ptr {room}, ptr {from}, align 8");
        text.Do($"store ptr {other}, ptr {to}, align 8");
        text.Do($"store i64 1, ptr {width}, align 8");
        string Load(string type, string slot) => text.Value($"load {type}, ptr {slot}, align 8");
        text.While(() => text.Value($"icmp slt i64 {Load("i64", width)}, {extent}"), () =>
        {
            var (source, target, run) = (Load("ptr", from), Load("ptr", to), Load("i64", width));
            var step = text.Value($"shl i64 {run}, 1");
            text.For("0", extent, step, start =>
            {
                var middle = Least(text.Value($"add i64 {start}, {run}"), extent);
                Merge(source, target, start, middle, Least(text.Value($"add i64 {start}, {step}"), extent));
            });
            text.Do($"store ptr {target}, ptr {from}, align 8");
            text.Do($"store ptr {source}, ptr {to}, align 8");
            text.Do($"store i64 {step}, ptr {width}, align 8");
        });

        var sorted = Load("ptr", from);
        text.For("0", extent, "1", i =>
        {
            var packed = text.Value($"load {element}, ptr {At(sorted, element, i)}, align {elementBytes}");
            var at = wide ? text.Value($"trunc i128 {packed} to i64") : text.Value($"and i64 {packed}, {uint.MaxValue}");
            var read = text.Value($"load {memory}, ptr {At(keys, memory, at)}, align {key.Bytes()}");
            index.Define(order.Variable, i);
            statements.Bind(order.Key, statements.FromMemory(read, key, 0));
            var place = new Operand(at, DType.I64, 0);
            statements.Bind(order.At, order.At.Type == DType.I64 ? place : scalars.Cast("trunc", place, order.At.Type));
            statements.Block(order.Epilogue);
        });

        void Merge(string source, string target, string start, string middle, string end)
        {
            var (left, right) = (text.Slot("i64", 8), text.Slot("i64", 8));
            text.Do($"store i64 {start}, ptr {left}, align 8");
            text.Do($"store i64 {middle}, ptr {right}, align 8");
            text.For(start, end, "1", k =>
            {
                var (i, j) = (Load("i64", left), Load("i64", right));
                // A run that is used up gives all ones, which no element is: its index would not fit.
                string Next(string at, string limit)
                {
                    var some = text.Value($"icmp slt i64 {at}, {limit}");
                    var safe = text.Value($"select i1 {some}, i64 {at}, i64 {start}");
                    var value = text.Value($"load {element}, ptr {At(source, element, safe)}, align {elementBytes}");
                    return text.Value($"select i1 {some}, {element} {value}, {element} -1");
                }
                var (a, b) = (Next(i, middle), Next(j, end));
                var takeLeft = text.Value($"icmp ult {element} {a}, {b}");
                text.Do($"store {element} {text.Value($"select i1 {takeLeft}, {element} {a}, {element} {b}")}, ptr {At(target, element, k)}, align {elementBytes}");
                var one = text.Value($"zext i1 {takeLeft} to i64");
                text.Do($"store i64 {text.Value($"add i64 {i}, {one}")}, ptr {left}, align 8");
                text.Do($"store i64 {text.Value($"add i64 {j}, {text.Value($"xor i64 {one}, 1")}")}, ptr {right}, align 8");
            });
        }

        string Least(string a, string b) => text.Value($"select i1 {text.Value($"icmp slt i64 {a}, {b}")}, i64 {a}, i64 {b}");
    }

    /// <summary>The key as unsigned bits: less where the key comes earlier; equal zeros are equal, a NaN is all ones.</summary>
    private Operand Comparable(Operand x, bool isDescending)
    {
        // f16 and bf16 are ordered as the f32 they are exactly.
        if (x.Type.IsFloat && x.Type.Bytes() == 2) x = scalars.Compute(ScalarOp.Convert, DType.F32, x);
        var type = x.Type;
        if (type == DType.Bool)
        {
            var one = scalars.Cast("zext", x, DType.U8);
            return isDescending ? scalars.Two("xor", one, scalars.Integer(1, DType.U8, 0)) : one;
        }
        var bits = 8 * type.Bytes();
        var unsigned = bits switch { 8 => DType.U8, 16 => DType.U16, 32 => DType.U32, _ => DType.U64 };
        Operand Number(System.Numerics.BigInteger value) => scalars.Integer(value, unsigned, 0);
        var sign = Number(System.Numerics.BigInteger.Pow(2, bits - 1));
        var ones = Number(-1);
        Operand result;
        if (type.IsFloat)
        {
            // Negative numbers fall with their bits: all of them are inverted, of the others the sign.
            var zero = scalars.Compare(ScalarOp.Eq, x, scalars.Constant(0, type));
            var raw = scalars.Choose(zero, Number(0), scalars.Cast("bitcast", x, unsigned));
            var negative = scalars.Two("ashr", raw, Number(bits - 1));
            result = scalars.Two("xor", raw, scalars.Two("or", negative, sign));
        }
        else
        {
            result = scalars.Cast("bitcast", x, unsigned);
            if (type.IsSigned) result = scalars.Two("xor", result, sign);
        }
        if (isDescending) result = scalars.Two("xor", result, ones);
        return type.IsFloat
            ? scalars.Choose(scalars.Two("fcmp uno", x, x) with { Type = DType.Bool }, ones, result)
            : result;
    }
}
