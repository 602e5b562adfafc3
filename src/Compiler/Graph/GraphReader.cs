// In: the text form of a graph. Out: the function (the last one of the text).
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

/// <summary>
/// Throws a FormatException for a text that is not a graph, a GraphException for one that breaks a rule of OPS.md.
/// </summary>
internal static class GraphReader
{
    public static Function Read(string text)
    {
        var cursor = new TextCursor(text);
        var functions = new Dictionary<string, Function>();
        Function? last = null;
        try
        {
            while (!cursor.AtEnd)
            {
                last = new One(cursor, functions).Read();
                if (!functions.TryAdd(last.Name, last)) throw cursor.Error($"a second graph @{last.Name}");
            }
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            throw cursor.Error($"a size has no value: {e.Message}");
        }
        return last ?? throw cursor.Error("a graph was expected");
    }

    public static TensorType ReadType(TextCursor cursor)
    {
        // `f32[n]`: the dtype's name ends at the bracket
        var dtype = DType.Parse(cursor.Name());
        return new TensorType(dtype, cursor.Peek("[") ? [.. cursor.List("[", "]", cursor.Size)] : []);
    }

    private sealed class One(TextCursor cursor, Dictionary<string, Function> functions)
    {
        private readonly Dictionary<long, Node> nodes = [];

        public Function Read()
        {
            var isComposite = cursor.Take("composite");
            if (!isComposite) cursor.Expect("graph");
            var composite = isComposite ? cursor.Name() : "";
            cursor.Expect("@");
            var function = new Function(cursor.Name()) { Composite = composite };
            if (cursor.Take(";") && cursor.Take("setup")) function.Setup = Callee();
            cursor.Expect("{");
            while (!cursor.Take("return"))
            {
                if (cursor.Take("check(")) function.Require(ReadCheck());
                else ReadNode(function);
            }
            var names = new List<string>();
            function.Results = [.. cursor.List("(", ")", () =>
            {
                var node = Operand();
                names.Add(cursor.Peek("\"") ? cursor.String() : "");
                return node;
            })];
            function.ResultNames = [.. names];
            cursor.Expect("}");
            return function;
        }

        private EntryCheck ReadCheck()
        {
            var kind = cursor.Take("equal") ? CheckKind.Equal : CheckKind.AtMost;
            if (kind == CheckKind.AtMost) cursor.Expect("atmost");
            cursor.Expect(",");
            var left = cursor.Size();
            cursor.Expect(",");
            var right = cursor.Size();
            cursor.Expect(",");
            var message = cursor.String();
            cursor.Expect(")");
            return new EntryCheck(kind, left, right, message);
        }

        private void ReadNode(Function function)
        {
            cursor.Expect("%");
            var id = cursor.Integer();
            cursor.Expect(":");
            var type = ReadType(cursor);
            cursor.Expect("=");
            var op = cursor.Name();
            cursor.Expect("(");
            var operands = new List<Node>();
            if (cursor.Peek("%"))
            {
                do operands.Add(Operand());
                while (cursor.Take(","));
            }
            cursor.Take(";");
            var node = function.Add(Checked(op, [.. operands], type));
            cursor.Expect(")");
            if (!node.Operands.SequenceEqual(operands))
                throw cursor.Error($"{op} does not take {operands.Count} operands");
            if (!node.Type.Equals(type)) throw cursor.Error($"%{id} = {op} has type {node.Type}, the text says {type}");
            nodes[id] = node;
        }

        private Node Operand()
        {
            cursor.Expect("%");
            var id = cursor.Integer();
            return nodes.TryGetValue(id, out var node) ? node : throw cursor.Error($"%{id} is not defined");
        }

        private ImmutableArray<int> Axes() => [.. cursor.List("[", "]", () => Whole())];

        private int Whole() => checked((int)cursor.Integer());

        private ImmutableArray<long> Longs() => [.. cursor.List("[", "]", cursor.Integer)];

        private ImmutableArray<Size> Sizes() => [.. cursor.List("[", "]", cursor.Size)];

        private T Then<T>(string separator, Func<T> read)
        {
            cursor.Expect(separator);
            return read();
        }

        /// <summary>
        /// Too few operands or attributes, and numbers that no dtype holds, are reported as errors of the text.
        /// </summary>
        private Node Checked(string op, ImmutableArray<Node> x, TensorType type)
        {
            try
            {
                return Make(op, x, type);
            }
            catch (Exception e) when (
                e is IndexOutOfRangeException or ArgumentException or KeyNotFoundException or OverflowException)
            {
                throw cursor.Error($"{op} with {x.Length} operands: {e.Message}");
            }
        }

        private Node Make(string op, ImmutableArray<Node> x, TensorType type)
        {
            if (Named<UnaryOp>(op) is { } unary) return new Unary(unary, x[0]);
            if (Named<BinaryOp>(op) is { } binary) return new Binary(binary, x[0], x[1]);
            switch (op)
            {
                case "input": return new Input(cursor.String(), type, cursor.Take(",inout"));
                case "param": return new State(StorageClass.Param, cursor.String(), type);
                case "buffer": return new State(StorageClass.Buffer, cursor.String(), type);
                case "const" when cursor.Take("folded"): return Const.Folded(type, Whole());
                case "const":
                    var numbers = cursor.List("[", "]", cursor.Number);
                    return type.DType.IsFloat
                        ? Const.Of(type, [.. numbers.Select(ConstText.Parse)])
                        : Const.Of(type, [.. numbers.Select(long.Parse)]);
                case "iota": return new Iota(type, Whole());
                case "random": return new Random(x[0], type.Shape);
                case "size": return new SizeValue(cursor.Size(), type.DType);
                case "convert": return new Convert(x[0], type.DType);
                case "bitcast": return new Bitcast(x[0], type.DType);
                case "stop_gradient": return new StopGradient(x[0]);
                case "compare": return new Compare(Word<CompareOp>(), x[0], x[1]);
                case "select": return new Select(x[0], x[1], x[2]);
                case "reshape": return new Reshape(x[0], type.Shape, cursor.Take("checked"));
                case "transpose": return new Transpose(x[0], Axes());
                case "broadcast": return new Broadcast(x[0], type.Shape, Axes());
                case "slice": return new Slice(x[0], Sizes(), type.Shape, Then(",", Longs));
                case "pad": return new Pad(x[0], x[1], Sizes(), Then(",", Sizes), Then(",", Longs));
                case "reverse": return new Reverse(x[0], Axes());
                case "concat": return new Concat(x, Whole());
                case "window":
                    var axis = Whole();
                    var extents = Then(",", Sizes);
                    var steps = Then(",", Longs);
                    return new Window(x[0], axis, extents[0], extents[1], steps[0], steps[1]);
                case "gather": return new Gather(x[0], x[1], Whole());
                case "reduce": return new Reduce(Word<ReduceOp>(), x[0], Then(",", Axes));
                case "arg_reduce":
                    return new ArgReduce(cursor.Take("max")
                    || !cursor.Take("min"), x[0], Then(",", Whole), type.DType);
                case "dot":
                    cursor.Expect("contract");
                    var contractA = Axes();
                    var contractB = Then("x", Axes);
                    var batchA = Then(",batch", Axes);
                    var batchB = Then("x", Axes);
                    return new Dot(x[0], x[1], batchA, batchB, contractA, contractB,
                        cursor.Take(",") ? DType.Parse(cursor.Name()) : null);
                case "fold":
                    var folded = Whole();
                    var whole = Then(",", cursor.Size);
                    var strides = Then(",", Longs);
                    return new Fold(x[0], folded, whole, strides[0], strides[1]);
                case "dynamic_slice":
                    return new DynamicSlice(x[0], x.RemoveAt(0), Axes(), Then(",", Sizes),
                    type.Shape);
                case "update_slice":
                    return new UpdateSlice(x[0], x[1], x.RemoveRange(0, 2), Axes(), Then(",", Sizes), Then(",", Longs));
                case "scatter": return new Scatter(Word<ScatterOp>(), x[0], x[1], x[2], Then(",", Whole));
                case "cumulate":
                    return new Cumulate(Word<ReduceOp>(), x[0], Then(",", Whole),
                        cursor.Take(",reversed"));
                case "sort":
                    var isDescending = cursor.Name() == "descending";
                    return new Sort(x[0], Then(",", Whole), isDescending,
                        DType.Parse(Then(",", cursor.Name)));
                case "if": return new If(Callee(), Then(",", Callee), x);
                case "scan":
                    var body = Callee();
                    var variable = Then(",", cursor.Name);
                    var count = Then("<", cursor.Size);
                    return new Scan(body, variable, count, Then(",", Whole), x);
                case "while": return new While(Callee(), Then(",", Callee), Then(",", Whole), x);
                case "call": return new Call(Callee(), x);
                case "tuple": return new Tuple(x);
                case "result": return new Result(x[0], Whole());
                case "barrier":
                    var kind = Word<BarrierKind>();
                    return new Barrier(x[0], kind, Barrier.IsNumbered(kind) ? Then(",", Whole) : 0);
                case "extent":
                    return new Extent(x[0], cursor.Name(), Then(",", cursor.Integer), Then(",", cursor.Size));
                case "print": return new Print(cursor.String(), x);
                case "assert": return new Assert(cursor.String(), x[0], x.RemoveAt(0));
                case "assign":
                    return new Assign(Word<StorageClass>(), cursor.String(), x[0]);
                default: throw cursor.Error($"'{op}' is no operation");
            }
        }

        private Function Callee()
        {
            var name = Then("@", cursor.Name);
            return functions.TryGetValue(name, out var callee) ? callee
                : throw cursor.Error($"there is no graph @{name} before this one");
        }

        private T Word<T>()
            where T : struct, Enum =>
                Named<T>(cursor.Name()) ?? throw cursor.Error($"no {typeof(T).Name} of that name");

        private static T? Named<T>(string name)
            where T : struct, Enum
        {
            foreach (var value in Enum.GetValues<T>())
                if (value.ToString().Equals(name, StringComparison.OrdinalIgnoreCase)) return value;
            return null;
        }
    }
}
