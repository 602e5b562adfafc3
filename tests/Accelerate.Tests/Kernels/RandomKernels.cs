// In: a seed. Out: a well-typed kernel with awkward inputs: what two backends are compared on.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

/// <summary>A kernel, its input buffers in order, its sizes.</summary>
internal sealed record RandomKernel(Kernel Kernel, Tensor[] Inputs, Dictionary<string, long> Sizes)
{
    /// <summary>
    /// Inputs and new outputs in the kernel's order; those that are updated are copies of an input. Outputs start as
    /// 0xEE bytes: all of them must be stored.
    /// </summary>
    public Tensor[] Buffers()
    {
        var inputs = new Queue<Tensor>(Inputs);
        return [.. Kernel.Buffers.Select(b =>
        {
            if (b.IsUpdated) return inputs.Dequeue().Clone();
            if (!b.IsOutput) return inputs.Dequeue();
            var tensor = Tensor.Uninitialized(b.Type, b.Count.Evaluate(Sizes));
            tensor.Bytes.Fill(0xEE);
            return tensor;
        })];
    }
}

/// <summary>
/// Map, row, serial, running, sorting, scattering, contraction and attention kernels over n*m (and k) elements. No
/// float is cast to its bits: the payload of a NaN is not defined.
/// </summary>
internal static class RandomKernels
{
    private static readonly DType[] Types =
    [
        DType.F32, DType.F32, DType.F32, DType.F64, DType.F16, DType.BF16, DType.I8, DType.I16, DType.I32, DType.I64,
        DType.U8, DType.U16, DType.U32, DType.U64, DType.Bool,
    ];

    public static RandomKernel Make(int seed) => new Maker(new Random(seed)).Make();

    private sealed class Maker(Random random)
    {
        private static readonly Size I = Size.Variable("i");
        private static readonly Size J = Size.Variable("j");
        private static readonly Size N = Size.Variable("n");
        private static readonly Size M = Size.Variable("m");
        private static readonly Size K = Size.Variable("k");

        private readonly List<KernelBuffer> buffers = [];
        private Size visible = I;

        public RandomKernel Make()
        {
            var sizes = new Dictionary<string, long>
            {
                ["n"] = Pick<long>(0, 1, 2, 3, 5),
                ["m"] = Pick<long>(0, 1, 7, 15, 16, 17, 33, 64, 130, 4100),
                ["k"] = Pick<long>(0, 1, 3, 16, 37),
            };
            var body = random.Next(8) switch
            {
                0 => Map(),
                1 => Row(),
                2 => Serial(),
                3 => Running(),
                4 => Sorted(),
                5 => Scattered(),
                6 => Attention(),
                _ => Contraction(),
            };
            var kernel = new Kernel("random", [.. buffers], ["n", "m", "k"], body);
            return new(kernel, [.. buffers.Where(b => !b.IsOutput || b.IsUpdated).Select(b =>
                Awkward(b.Type, b.Count.Evaluate(sizes)))], sizes);
        }

        /// <summary>parallel(i) vector(j): elementwise, some loads shifted and guarded.</summary>
        private Block Map()
        {
            var outer = new BlockBuilder();
            var inner = outer.Inner();
            var values = Loads(inner, I * M + J, N * M);
            Straight(inner, values, random.Next(2, 14));
            StoreSome(inner, values, I * M + J, N * M);
            outer.Emit(new Loop(LoopKind.Vector, "j", M, inner.ToBlock()));
            return new Block([new Loop(LoopKind.Parallel, "i", N, outer.ToBlock())]);
        }

        /// <summary>parallel(i): lane reductions over the row, then the row again with their results.</summary>
        private Block Row()
        {
            var outer = new BlockBuilder();
            var totals = Enumerable.Range(0, random.Next(1, 4)).Select(r =>
                Reduce(outer, lanes: true, $"r{r}", M)).ToList();
            var inner = outer.Inner();
            var values = Loads(inner, I * M + J, N * M);
            values.AddRange(totals);
            Straight(inner, values, random.Next(2, 8));
            StoreSome(inner, values, I * M + J, N * M);
            outer.Emit(new Loop(LoopKind.Vector, "j", M, inner.ToBlock()));
            StoreSome(outer, totals, I, N);
            return new Block([new Loop(LoopKind.Parallel, "i", N, outer.ToBlock())]);
        }

        /// <summary>
        /// serial(i) vector(j) with a reduction in order inside; one buffer is written and read again.
        /// </summary>
        private Block Serial()
        {
            var outer = new BlockBuilder();
            var inner = outer.Inner();
            var values = Loads(inner, I * M + J, N * M);
            values.Add(Reduce(inner, lanes: false, "r", K));
            Straight(inner, values, random.Next(2, 8));
            StoreSome(inner, values, I * M + J, N * M);
            outer.Emit(new Loop(LoopKind.Vector, "j", M, inner.ToBlock()));
            return new Block([new Loop(random.Next(2) == 0 ? LoopKind.Serial : LoopKind.Parallel, "i", N,
                outer.ToBlock())]);
        }

        /// <summary>parallel(i): running values along the row, or, in a vector loop, along k for each lane.</summary>
        private Block Running()
        {
            var outer = new BlockBuilder();
            var r = Size.Variable("r");
            if (random.Next(2) == 0) Cumulate(outer, M, I * M + r, N * M);
            else
            {
                var inner = outer.Inner();
                Cumulate(inner, K, (I * K + r) * M + J, N * K * M);
                outer.Emit(new Loop(LoopKind.Vector, "j", M, inner.ToBlock()));
            }
            return new Block([new Loop(LoopKind.Parallel, "i", N, outer.ToBlock())]);
        }

        private void Cumulate(BlockBuilder outer, Size extent, Size offset, Size count)
        {
            var (body, epilogue) = (outer.Inner(), outer.Inner());
            var values = Loads(body, offset, count);
            Straight(body, values, random.Next(0, 4));
            var yield = values[^1];
            var running = epilogue.NewValue(yield.Type);
            values = [running];
            if (random.Next(2) == 0) values.AddRange(Loads(epilogue, offset, count));
            Straight(epilogue, values, random.Next(0, 5));
            StoreSome(epilogue, values, offset, count);
            outer.Emit(
                new Cumulation(Kind(yield.Type, arg: false), "r", extent, body.ToBlock(), yield, running,
                    epilogue.ToBlock()));
        }

        /// <summary>parallel(i): the row in order, then something with the keys and their places.</summary>
        private Block Sorted()
        {
            var outer = new BlockBuilder();
            var (body, epilogue) = (outer.Inner(), outer.Inner());
            var offset = I * M + Size.Variable("r");
            var values = Loads(body, offset, N * M);
            Straight(body, values, random.Next(0, 4));
            var yield = values[^1];
            var (key, at) = (epilogue.NewValue(yield.Type), epilogue.NewValue(Pick(DType.I32, DType.I64)));
            values = [key, at];
            Straight(epilogue, values, random.Next(0, 4));
            StoreSome(epilogue, [key, at, values[^1]], offset, N * M);
            outer.Emit(new Ordering(random.Next(2) == 0, "r", M, body.ToBlock(), yield, key, at, epilogue.ToBlock()));
            return new Block([new Loop(LoopKind.Parallel, "i", N, outer.ToBlock())]);
        }

        /// <summary>
        /// parallel(i) serial(s): one element, or k of them side by side, updated at an index that is a value.
        /// </summary>
        private Block Scattered()
        {
            var outer = new BlockBuilder();
            var serial = outer.Inner();
            var s = Size.Variable("s");
            buffers.Add(new KernelBuffer("t", DType.I64, N * K, false));
            var at =
                serial.Binary(ScalarOp.Rem, serial.Load(DType.I64, 0, I * K + s, [], null),
                    serial.Integer(24, DType.I64));
            serial.Flag(serial.Compare(ScalarOp.Lt, at, serial.Integer(-20, DType.I64)));
            var wide = random.Next(2) == 0;
            var block = wide ? serial.Inner() : serial;
            var place = Size.Variable(at.IndexName);
            visible = s;
            var values = Loads(block, wide ? s * M + J : s, wide ? K * M : K);
            var type = values[0].Type;
            buffers.Add(new KernelBuffer("y", type, wide ? N * 9 * M : N * 9, true, true));
            var (target, offset) = (buffers.Count - 1, wide ? (I * 9 + place) * M + J : I * 9 + place);
            ImmutableArray<Guard> guards = [new Guard(place, 9)];
            if (random.Next(3) != 0) values.Insert(0, block.Load(type, target, offset, guards, Literal(block, type)));
            Straight(block, values, random.Next(1, 5));
            block.Emit(new Store(target, offset, values.Last(v => v.Type == type)) { Guards = guards });
            if (wide) serial.Emit(new Loop(LoopKind.Vector, "j", M, block.ToBlock()));
            outer.Emit(new Loop(LoopKind.Serial, "s", K, serial.ToBlock()));
            return new Block([new Loop(LoopKind.Parallel, "i", N, outer.ToBlock())]);
        }

        private Block Contraction()
        {
            var type = Pick(DType.F32, DType.F32, DType.F64, DType.I32, DType.U8, DType.I64);
            var body = new BlockBuilder();
            var (k, l) = (Size.Variable("a"), Size.Variable("b"));
            var (left, leftYield) = Side(I * K * 2 + k * 2 + l, N * K * 2);
            var (right, rightYield) = random.Next(2) == 0
                ? Side(J * K * 2 + k * 2 + l, M * K * 2)
                : Side((k * 2 + l) * M + J, M * K * 2);
            var epilogue = body.Inner();
            visible = I;
            var accumulator = epilogue.NewValue(type);
            List<Value> values = [accumulator];
            if (random.Next(2) == 0) values.AddRange(Loads(epilogue, I * M + J, N * M));
            Straight(epilogue, values, random.Next(0, 5));
            StoreSome(epilogue, values, I * M + J, N * M);
            body.Emit(new Contract(new Axis("i", N), new Axis("j", M), [new Axis("a", K), new Axis("b", 2)],
                left, leftYield, right, rightYield, accumulator, epilogue.ToBlock()));
            return body.ToBlock();

            (Block Block, Value Yield) Side(Size offset, Size count)
            {
                var b = body.Inner();
                visible = k;
                List<Value> values = [Load(b, type, offset, count)];
                Straight(b, values, random.Next(0, 3));
                // A contraction of bf16 or f16: what is read is narrower than what accumulates.
                if (type == DType.F32 && random.Next(3) == 0)
                    values.Add(b.Convert(Load(b, Pick(DType.F16, DType.BF16), offset, count), type));
                var yield = values.Last(v => v.Type == type);
                return (b.ToBlock(), yield);
            }
        }

        /// <summary>Up to 5 rows of queries over up to 4100 keys, with weights that are no exp.</summary>
        private Block Attention()
        {
            var type = Pick(DType.F32, DType.F32, DType.F64);
            var body = new BlockBuilder();
            var (m, s, e, k) =
                (new Axis("i", N), new Axis("s", M), new Axis("e", K), new Axis("a", Pick<Size>(3, 16, 20)));
            Size S = Size.Variable("s"), E = Size.Variable("e"), A = Size.Variable("a");
            visible = A;
            var query = Side(I * k.Extent + A, N * k.Extent);
            var key = random.Next(2) == 0 ? Side(S * k.Extent + A, M * k.Extent) : Side(A * M + S, M * k.Extent);
            visible = E;
            var value = Side(S * K + E, M * K);
            Part? until = null;
            if (random.Next(2) == 0)
            {
                var b = body.Inner();
                buffers.Add(new KernelBuffer($"x{buffers.Count}", DType.I8, N, false));
                var seen = b.Convert(b.Load(DType.I8, buffers.Count - 1, I, [], null), DType.I64);
                until = new(b.ToBlock(), seen);
            }
            visible = S;
            var (score, weight, epilogue) = (body.Inner(), body.Inner(), body.Inner());
            var product = score.NewValue(type);
            List<Value> values = [product];
            if (random.Next(2) == 0) values.AddRange(Loads(score, I * M + S, N * M));
            Straight(score, values, random.Next(0, 5));
            var scored = new Part(score.ToBlock(), values.Last(v => v.Type == type));
            var difference = weight.NewValue(type);
            var square = weight.Fma(difference, difference, weight.Float(1, type));
            var weighted = random.Next(3) == 0 ? difference
                : weight.Binary(ScalarOp.Div, weight.Float(1, type), square);
            var (sum, total) = (epilogue.NewValue(type), epilogue.NewValue(type));
            var greatest = random.Next(2) == 0 ? epilogue.NewValue(type) : null;
            visible = E;
            values = [sum, total, greatest ?? sum];
            if (random.Next(2) == 0) values.AddRange(Loads(epilogue, I * K + E, N * K));
            Straight(epilogue, values, random.Next(0, 5));
            StoreSome(epilogue, [sum, values[^1]], I * K + E, N * K);
            body.Emit(new Attend(m, s, e, k, Pick(64, 256), query, key, value, until, product, scored, difference,
                new(weight.ToBlock(), weighted), sum, total, greatest, epilogue.ToBlock()));
            return body.ToBlock();

            Part Side(Size offset, Size count)
            {
                var b = body.Inner();
                List<Value> values = [Load(b, type, offset, count)];
                Straight(b, values, Math.Max(0, random.Next(-2, 3)));
                return new(b.ToBlock(), values.Last(v => v.Type == type));
            }
        }

        private Value Reduce(BlockBuilder outer, bool lanes, string variable, Size extent)
        {
            var inner = outer.Inner();
            var index = Size.Variable(variable);
            var values = Loads(inner, lanes ? I * M + index : J * K + index, (lanes ? N : M) * extent);
            Straight(inner, values, random.Next(0, 4));
            var yield = values[^1];
            var kind = Kind(yield.Type, arg: true);
            var result = outer.NewValue(kind is ReduceKind.ArgMax or ReduceKind.ArgMin ? Pick(DType.I32, DType.I64)
                : yield.Type);
            outer.Emit(new Reduction(result, kind, lanes, variable, extent, inner.ToBlock(), yield));
            return result;
        }

        private ReduceKind Kind(DType type, bool arg) => Pick([.. Enum.GetValues<ReduceKind>().Where(k => k switch
        {
            ReduceKind.Add or ReduceKind.Mul => type != DType.Bool,
            ReduceKind.And or ReduceKind.Or => !type.IsFloat,
            ReduceKind.ArgMax or ReduceKind.ArgMin => arg,
            _ => true,
        })]);

        private List<Value> Loads(BlockBuilder b, Size offset, Size count) =>
            [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Load(b, Pick(Types), offset, count))];

        private Value Load(BlockBuilder b, DType type, Size offset, Size count)
        {
            buffers.Add(new KernelBuffer($"x{buffers.Count}", type, count, false));
            if (random.Next(4) != 0) return b.Load(type, buffers.Count - 1, offset, [], null);
            var shifted = offset + random.Next(-3, 4);
            return b.Load(type, buffers.Count - 1, shifted, [new Guard(shifted, count)], Literal(b, type));
        }

        private void StoreSome(BlockBuilder b, List<Value> values, Size offset, Size count)
        {
            foreach (var value in values.TakeLast(random.Next(1, 3)))
            {
                buffers.Add(new KernelBuffer($"y{buffers.Count}", value.Type, count, true));
                b.Emit(new Store(buffers.Count - 1, offset, value));
            }
        }

        private Value Literal(BlockBuilder b, DType type) => type.IsFloat
            ? b.Float(Pick(0, -0.0, 1, -1.5, 1e-45, 3e38, double.PositiveInfinity, double.NaN, 0.1), type)
            : b.Integer(type == DType.Bool ? random.Next(2) : random.Next(0, 100), type);

        /// <summary>Appends values, each an operation on earlier ones.</summary>
        private void Straight(BlockBuilder b, List<Value> values, int count)
        {
            for (var i = 0; i < count; i++)
            {
                var a = Pick([.. values]);
                Value Same() => Pick([.. values.Where(v => v.Type == a.Type).Append(Literal(b, a.Type))]);
                var op = Pick(Enum.GetValues<ScalarOp>());
                values.Add(op switch
                {
                    ScalarOp.Convert => b.Convert(a, Pick(Types)),
                    ScalarOp.Bitcast => a.Type is DType.I32 or DType.U32 ? b.Bitcast(a, DType.F32)
                        : a.Type is DType.I16 or DType.U16 ? b.Bitcast(a, Pick(DType.F16, DType.BF16))
                        : b.Index(visible * 2 - M),
                    ScalarOp.Select when values.Find(v => v.Type == DType.Bool) is { } condition =>
                        b.Select(condition, a, Same()),
                    ScalarOp.Select => b.Compare(ScalarOp.Lt, a, Same()),
                    _ when !KernelTypes.Exists(op, a.Type) => b.Convert(a, Pick(Types)),
                    _ when KernelTypes.IsComparison(op) => b.Compare(op, a, Same()),
                    _ => KernelTypes.Arity(op) switch
                    {
                        1 => b.Unary(op, a),
                        2 => b.Binary(op, a, Same()),
                        _ => b.Fma(a, Same(), Same()),
                    },
                });
            }
        }

        /// <summary>Edge cases and random bits, mixed.</summary>
        private Tensor Awkward(DType type, long count)
        {
            var tensor = Tensor.Uninitialized(type, count);
            random.NextBytes(tensor.Bytes);
            if (type == DType.Bool) foreach (ref var b in tensor.Bytes) b &= 1;
            var edges = Tensor.FromDoubles(type, [
                0, -0.0, 1, -1, 0.5, 2, -2.5, 3, 7, 1e-45, -1e-40, 4e-310, 3e38, -1e300, 6e-8, 65504, 1.00390625,
                double.PositiveInfinity, double.NegativeInfinity, double.NaN, 1 / 3.0, 31, 64,
            ], 23);
            var width = type.Bytes();
            for (var i = 0; i < count; i++)
                if (random.Next(3) != 0) edges.Bytes.Slice(random.Next(23) * width,
                    width).CopyTo(tensor.Bytes[(i * width)..]);
            return tensor;
        }

        private T Pick<T>(params ReadOnlySpan<T> from) => from[random.Next(from.Length)];
    }
}
