// In: the text form of a kernel. Out: the kernel. Throws a FormatException with the position of an error.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static class KernelReader
{
    public static Kernel Read(string text)
    {
        var cursor = new TextCursor(text);
        var kernel = cursor.Whole(() => Read(cursor));
        return cursor.AtEnd ? kernel : throw cursor.Error("the end was expected");
    }

    internal static Kernel Read(TextCursor cursor)
    {
        cursor.Expect("kernel");
        cursor.Expect("@");
        var name = cursor.Name();
        cursor.Expect("(");
        var buffers = ImmutableArray.CreateBuilder<KernelBuffer>();
        while (!cursor.Take(";"))
        {
            cursor.Take(",");
            var buffer = cursor.Name();
            cursor.Expect(":");
            var isUpdated = cursor.Take("inout");
            var isOutput = isUpdated || cursor.Take("out");
            if (!isOutput) cursor.Expect("in");
            cursor.Expect("(");
            var type = DType.Parse(cursor.Name());
            cursor.Expect(",");
            buffers.Add(new KernelBuffer(buffer, type, cursor.Size(), isOutput, isUpdated));
            cursor.Expect(")");
        }
        cursor.Expect("sizes");
        var sizes = cursor.List("(", ")", cursor.Name);
        cursor.Expect(")");
        var body = new Reader(cursor, buffers.ToImmutable()).Block();
        return new Kernel(name, buffers.ToImmutable(), [.. sizes], body);
    }

    private sealed class Reader(TextCursor cursor, ImmutableArray<KernelBuffer> buffers)
    {
        /// <summary>The greatest depth of nested blocks in a text.</summary>
        private const int Deepest = 200;

        private readonly Dictionary<long, Value> values = [];
        private int depth;

        public Block Block() => Block(out _);

        private Block Block(out Value? yield)
        {
            var block = Block(out yield, out var factor);
            return factor is null ? block : throw cursor.Error("only a sum in order takes products");
        }

        private Block Block(out Value? yield, out Value? factor)
        {
            (yield, factor) = (null, null);
            var statements = ImmutableArray.CreateBuilder<Statement>();
            cursor.Expect("{");
            if (++depth > Deepest) throw cursor.Error($"more than {Deepest} blocks in each other");
            while (!cursor.Take("}"))
            {
                if (cursor.Take("yield("))
                {
                    yield = Use();
                    factor = cursor.Take(",") ? Use() : null;
                    cursor.Expect(")");
                }
                else statements.Add(Statement());
            }
            depth--;
            return new Block(statements.ToImmutable());
        }

        private Statement Statement()
        {
            if (cursor.Take("%")) return Definition();
            if (cursor.Take("store("))
            {
                var (buffer, offset) = Place();
                cursor.Expect(",");
                var value = Use();
                var guards = cursor.Take("if") ? ReadGuards() : [];
                cursor.Expect(")");
                return new Store(buffer, offset, value) { Guards = guards };
            }
            if (cursor.Take("flag(")) return new Flag(Closed(Use));
            if (cursor.Take("contract(")) return ReadContract();
            if (cursor.Take("attend(")) return ReadAttend();
            var word = cursor.Name();
            cursor.Expect("(");
            var axis = ReadAxis();
            cursor.Expect(")");
            switch (word.Split('.'))
            {
                case ["cumulate", var op]:
                    var body = Block(out var term);
                    Into();
                    var running = Closed(Define);
                    return new Cumulation(Word<ReduceKind>(op), axis.Variable, axis.Extent, body, Yielded(term),
                        running, Block());
                case ["sort", ("ascending" or "descending") and var order]:
                    var keys = Block(out var key);
                    Into();
                    var sorted = Define();
                    cursor.Expect(",");
                    cursor.Expect("%");
                    var at = Closed(Define);
                    return new Ordering(order == "descending", axis.Variable, axis.Extent, keys, Yielded(key), sorted,
                        at, Block());
            }
            var kind = Word<LoopKind>(word);
            return new Loop(kind, axis.Variable, axis.Extent, Block());
        }

        private void Into()
        {
            cursor.Expect("into");
            cursor.Expect("(");
            cursor.Expect("%");
        }

        private Value Define()
        {
            var id = cursor.Integer();
            cursor.Expect(":");
            var value = new Value((int)id, DType.Parse(cursor.Name()));
            values[id] = value;
            return value;
        }

        private Statement Definition()
        {
            var result = Define();
            cursor.Expect("=");
            var op = cursor.Name();
            cursor.Expect("(");
            switch (op)
            {
                case "const":
                    var number = Closed(cursor.Number);
                    return result.Type.IsFloat
                        ? new Literal(result, ConstText.Parse(number), 0)
                        : new Literal(result, 0, long.Parse(number));
                case "index": return new IndexValue(result, Closed(cursor.Size));
                case "load": return ReadLoad(result);
            }
            if (op.Split('.') is [("reduce" or "serial") and var form, var kind])
            {
                var axis = ReadAxis();
                cursor.Expect(")");
                var body = Block(out var yield, out var factor);
                return new Reduction(result, Word<ReduceKind>(kind), form == "reduce", axis.Variable, axis.Extent, body,
                    Yielded(yield))
                { Factor = factor };
            }
            var arguments = ImmutableArray.CreateBuilder<Value>();
            do arguments.Add(Use());
            while (cursor.Take(","));
            cursor.Expect(")");
            return new Compute(result, Word<ScalarOp>(op), arguments.ToImmutable());
        }

        private Load ReadLoad(Value result)
        {
            var (buffer, offset) = Place();
            if (!cursor.Take("if"))
            {
                cursor.Expect(")");
                return new Load(result, buffer, offset, [], null);
            }
            var guards = ReadGuards();
            cursor.Expect("else");
            return new Load(result, buffer, offset, guards, Closed(Use));
        }

        private ImmutableArray<Guard> ReadGuards() => [.. cursor.List("(", ")", () =>
        {
            var index = cursor.Size();
            cursor.Expect("<");
            return new Guard(index, cursor.Size());
        })];

        private Value Yielded(Value? yield) =>
            yield ?? throw cursor.Error("what is combined, put in order or a part of attention yields a value");

        private Contract ReadContract()
        {
            var m = ReadAxis();
            cursor.Expect(",");
            var n = ReadAxis();
            var k = cursor.List(";", ")", ReadAxis);
            cursor.Expect("{");
            cursor.Expect("left");
            var left = Block(out var leftYield);
            var leftFactor = Yielded(leftYield);
            cursor.Expect("right");
            var right = Block(out var rightYield);
            var rightFactor = Yielded(rightYield);
            Into();
            var accumulator = Closed(Define);
            var epilogue = Block();
            cursor.Expect("}");
            return new Contract(m, n, [.. k], left, leftFactor, right, rightFactor, accumulator, epilogue);
        }

        private Attend ReadAttend()
        {
            var m = ReadAxis();
            cursor.Expect(",");
            var s = ReadAxis();
            cursor.Expect(",");
            var e = ReadAxis();
            cursor.Expect(";");
            var k = ReadAxis();
            cursor.Expect(";");
            cursor.Expect("block");
            var keys = (int)Closed(cursor.Integer);
            cursor.Expect("{");
            var (query, key, value) = (ReadPart("query"), ReadPart("key"), ReadPart("value"));
            var until = cursor.Take("until") ? ReadPart(null) : null;
            var product = Argument("score");
            var score = ReadPart(null);
            var difference = Argument("weight");
            var weight = ReadPart(null);
            Into();
            var sum = Define();
            cursor.Expect(",");
            cursor.Expect("%");
            var total = Define();
            Value? greatest = null;
            if (cursor.Take(","))
            {
                cursor.Expect("%");
                greatest = Define();
            }
            cursor.Expect(")");
            var epilogue = Block();
            cursor.Expect("}");
            return new Attend(m, s, e, k, keys, query, key, value, until, product, score, difference, weight, sum,
                total, greatest, epilogue);

            Value Argument(string name)
            {
                cursor.Expect(name);
                cursor.Expect("(");
                cursor.Expect("%");
                return Closed(Define);
            }
        }

        private Part ReadPart(string? name)
        {
            if (name is not null) cursor.Expect(name);
            var block = Block(out var yield);
            return new Part(block, Yielded(yield));
        }

        private Axis ReadAxis()
        {
            if (cursor.Size().Terms is not [{ Coefficient: 1, Atoms: [VariableAtom variable] }])
                throw cursor.Error("a loop variable was expected");
            cursor.Expect("<");
            return new Axis(variable.Name, cursor.Size());
        }

        private (int Buffer, Size Offset) Place()
        {
            var name = cursor.Name();
            var buffer = buffers.ToList().FindIndex(b => b.Name == name);
            if (buffer < 0) throw cursor.Error($"no buffer is called '{name}'");
            cursor.Expect("[");
            var offset = cursor.Size();
            cursor.Expect("]");
            return (buffer, offset);
        }

        private Value Use()
        {
            cursor.Expect("%");
            var id = cursor.Integer();
            return values.TryGetValue(id, out var value) ? value : throw cursor.Error($"%{id} is not defined");
        }

        private T Closed<T>(Func<T> read)
        {
            var value = read();
            cursor.Expect(")");
            return value;
        }

        private T Word<T>(string name)
            where T : struct, Enum
        {
            foreach (var value in Enum.GetValues<T>())
                if (value.ToString().Equals(name, StringComparison.OrdinalIgnoreCase)) return value;
            throw cursor.Error($"'{name}' is no {typeof(T).Name}");
        }
    }
}
