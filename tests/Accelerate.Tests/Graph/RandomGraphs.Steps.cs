// The steps of a random graph: one operation more, or an if, a loop, a while with regions of their own.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Convert = Accelerate.Compiler.Graph.Convert;

namespace Accelerate.Tests.Graph;

internal sealed partial class RandomGraphs
{
    private sealed partial class Scope
    {
        private void Step()
        {
            var x = graphs.Pick(pool);
            var (type, rank, bound, limit) = (x.Type, x.Type.Rank, Bound(x), Limit(x.Type.DType));
            var axis = rank > 0 ? Random.Next(rank) : -1;
            var isFloat = type.DType.IsFloat;
            switch (Random.Next(26))
            {
                case 0 when type.DType != DType.Bool:
                    Keep(new Unary(graphs.Pick((UnaryOp[])[UnaryOp.Neg, UnaryOp.Abs, UnaryOp.Sign]), x),
                        Math.Max(1, bound));
                    break;
                case 0 or 1 when !isFloat:
                    Keep(new Unary(UnaryOp.Not, x));
                    break;
                case 1 or 2 or 3:
                    Binary(x, Like(type));
                    break;
                case 4:
                    Keep(new Compare(graphs.Pick(Enum.GetValues<CompareOp>()), x, Like(type)));
                    break;
                case 5:
                    var y = Like(type);
                    Keep(new Select(Like(type.With(DType.Bool)), x, y), Math.Max(bound, Bound(y)));
                    break;
                case 6:
                    To(x, graphs.Pick(DTypes));
                    break;
                case 7 when rank == 2:
                    Keep(new Transpose(x, [1, 0]), bound);
                    break;
                case 8:
                    Spread(x);
                    break;
                case 9 when rank > 0:
                    Keep(new Reverse(x, [axis]), bound);
                    break;
                case 10 when rank > 0:
                    var z = Like(TensorType.Scalar(type.DType));
                    Size[] pads = [.. Enumerable.Range(0, rank).Select(d => (Size)(d == axis ? 1 : 0))];
                    var padded =
                        Keep(new Pad(x, z, [.. pads], [.. pads.Select(_ => Size.Zero)], [.. pads.Select(_ => 0L)]),
                            Math.Max(bound, Bound(z)));
                    Keep(new Slice(padded, [.. pads.Select(_ => Size.Zero)], type.Shape, [.. pads.Select(_ => 1L)]),
                        Math.Max(bound, Bound(z)));
                    break;
                case 11 when rank > 0:
                    var w = Like(type);
                    var joined = Keep(new Concat([x, w], axis), Math.Max(bound, Bound(w)));
                    Keep(new Slice(joined, [.. type.Shape.Select((s, d) => d == axis ? s : Size.Zero)], type.Shape,
                        [.. type.Shape.Select(_ => 1L)]),
                        Math.Max(bound, Bound(w)));
                    break;
                case 12 when rank > 0:
                    Combine(x, axis);
                    break;
                case 13 when rank > 0 && bound * 8 <= limit:
                    if (type.DType != DType.Bool)
                        Keep(new Cumulate(ReduceOp.Add, x, axis, Random.Next(2) == 0), bound * 8);
                    else Keep(new Cumulate(ReduceOp.Or, x, axis, Random.Next(2) == 0));
                    break;
                case 14 when rank > 0:
                    var sorted = function.Add(new Sort(x, axis, Random.Next(2) == 0, DType.I32));
                    Keep(new Result(sorted, 0), bound);
                    if (Random.Next(2) == 0) Keep(new Result(sorted, 1));
                    break;
                case 15 when rank > 0 && Positive(type.Shape[axis]):
                    Keep(new ArgReduce(Random.Next(2) == 0, x, axis, DType.I32));
                    break;
                case 16 when rank > 0 && Positive(type.Shape[axis]):
                    Keep(new Gather(x, InRange(Like(new TensorType(DType.I32, [3])), type.Shape[axis]), axis), bound);
                    break;
                case 17 when rank > 0 && Positive(type.Shape[axis]) && bound * 4 <= limit:
                    var updates = Like(x.Type.With(type.Shape.SetItem(axis, 3)));
                    var kind = type.DType == DType.Bool ? ScatterOp.Set : graphs.Pick(Enum.GetValues<ScatterOp>());
                    Keep(new Scatter(kind, x, InRange(Like(new TensorType(DType.I32, [3])), type.Shape[axis]), updates,
                        axis), bound + 3 * Bound(updates));
                    break;
                case 18 when rank > 0 && Positive(type.Shape[axis]):
                    Keep(new DynamicSlice(x, [Index(type.Shape[axis], DType.I32)], [axis],
                        [.. type.Shape.Select(_ => Size.Zero)],
                        type.Shape.SetItem(axis, 1)), bound);
                    break;
                case 19 when rank > 0 && Positive(type.Shape[axis]):
                    var part = Like(type.With(type.Shape.SetItem(axis, 1)));
                    Keep(new UpdateSlice(x, part, [Index(type.Shape[axis], DType.I64)], [axis],
                        [.. type.Shape.Select(_ => Size.Zero)],
                        [.. type.Shape.Select(_ => 1L)]), Math.Max(bound, Bound(part)));
                    break;
                case 20 when rank > 0 && type.DType != DType.Bool:
                    Dot(x, axis);
                    break;
                case 21 when rank > 0 && type.DType != DType.Bool && type.Shape[axis].Equals(Size.Constant(3))
                    && bound * 2 <= limit:
                    var windows = Keep(new Window(x, axis, 2, 2, 1, 1), bound);
                    Keep(new Fold(windows, axis, 3, 1, 1), bound * 2);
                    break;
                case 22 when variable.Length > 0:
                    Keep(new SizeValue(Size.Variable(variable) + Random.Next(2),
                        graphs.Pick((DType[])[DType.I32, DType.I64])));
                    break;
                case 23 when depth < 2:
                    Branch();
                    break;
                case 24 when depth < 2:
                    Loop();
                    break;
                case 25 when depth < 2:
                    Repeat();
                    break;
                default:
                    if (depth > 0 && rank == 0 && Random.Next(3) == 0) function.Add(new Print("{} in a region", [x]));
                    break;
            }
        }

        /// <summary>Runs have n = 0: what needs an element takes axes of a constant size.</summary>
        private static bool Positive(Size size) => size.IsConstant && size.Value > 0;

        private void Binary(Node x, Node y)
        {
            var (dtype, limit) = (x.Type.DType, Limit(x.Type.DType));
            BinaryOp[] ops = dtype == DType.Bool ? [BinaryOp.And, BinaryOp.Or, BinaryOp.Xor, BinaryOp.Max]
                : dtype.IsFloat ? [BinaryOp.Add, BinaryOp.Sub, BinaryOp.Mul, BinaryOp.Max, BinaryOp.Min]
                : [BinaryOp.Add, BinaryOp.Sub, BinaryOp.Mul, BinaryOp.Max, BinaryOp.Min, BinaryOp.Div, BinaryOp.Rem,
                    BinaryOp.And, BinaryOp.Shl, BinaryOp.Shr];
            var op = graphs.Pick(ops);
            var bound = op switch
            {
                BinaryOp.Add or BinaryOp.Sub => Bound(x) + Bound(y),
                BinaryOp.Mul => Bound(x) * Bound(y),
                _ => Math.Max(Bound(x), Bound(y)),
            };
            if (bound <= limit) Keep(new Binary(op, x, y), bound);
        }

        private void To(Node x, DType dtype)
        {
            if (x.Type.DType == dtype) return;
            if (!dtype.IsFloat)
            {
                Keep(new Convert(x, dtype));
                return;
            }
            if (x.Type.DType.IsFloat && Bound(x) > Limit(dtype)) x = Within(x, Carried);
            var bound = Bound(x);
            if (x.Type.DType.IsInteger)
            {
                x = Keep(new Binary(BinaryOp.And, x, Keep(Const.Of(x.Type, 7L))));
                bound = 7;
            }
            Keep(new Convert(x, dtype), Math.Max(1, bound));
        }

        private void Spread(Node x)
        {
            var shape = graphs.Pick(graphs.shapes);
            var rank = x.Type.Rank;
            // The operand's axes among the target's, where they fit in order.
            for (var at = 0; at + rank <= shape.Length; at++)
            {
                if (!shape.Skip(at).Take(rank).SequenceEqual(x.Type.Shape)) continue;
                Keep(new Broadcast(x, shape, [.. Enumerable.Range(at, rank)]), Bound(x));
                return;
            }
            if (x.Type.With(shape).Count.Equals(x.Type.Count)) Keep(new Reshape(x, shape), Bound(x));
        }

        private void Combine(Node x, int axis)
        {
            var (dtype, bound) = (x.Type.DType, Bound(x));
            var op = dtype == DType.Bool ? graphs.Pick((ReduceOp[])[ReduceOp.And, ReduceOp.Or, ReduceOp.Max])
                : dtype.IsFloat ? ReduceOp.Add
                    : graphs.Pick((ReduceOp[])[ReduceOp.Add, ReduceOp.Max, ReduceOp.Min, ReduceOp.Mul]);
            if (dtype.IsFloat && Positive(x.Type.Shape[axis]) && Random.Next(2) == 0) op = ReduceOp.Max;
            if (bound * 8 <= Limit(dtype)) Keep(new Reduce(op, x, [axis]), bound * 8);
        }

        private void Dot(Node x, int axis)
        {
            var size = x.Type.Shape[axis];
            var fitting = pool.Where(p => p.Type.DType == x.Type.DType && p.Type.Shape.Contains(size)).ToList();
            var y = graphs.Pick(fitting);
            var bound = Bound(x) * Bound(y) * 8;
            if (bound <= Limit(x.Type.DType)) Keep(new Dot(x, y, [], [], [axis], [y.Type.Shape.IndexOf(size)]), bound);
        }

        private List<Node> Some(int least, int most) =>
            [.. Enumerable.Range(0, Random.Next(least, most + 1)).Select(_ => graphs.Pick(pool))];

        /// <summary>A region with inputs of those types and bounds.</summary>
        private Scope Region(string name, IEnumerable<Node> operands, IEnumerable<double> limits, string loop = "")
        {
            var region = new Scope(graphs, new Function($"{name}{++graphs.regions}"), depth + 1, loop);
            foreach (var (operand, limit) in operands.Zip(limits))
                region.Keep(new Input($"a{region.pool.Count}.{region.Made.Nodes.Count}", operand.Type), limit);
            return region;
        }

        private void Branch()
        {
            var operands = Some(1, 4);
            var condition = Like(TensorType.Scalar(DType.Bool));
            var limits = operands.Select(Bound).ToList();
            var (then, otherwise) = (Region("then", operands, limits), Region("else", operands, limits));
            then.Grow(Random.Next(1, 5));
            otherwise.Grow(Random.Next(1, 5));
            var types = Some(1, 2).Select(_ => graphs.Pick(then.pool).Type).ToList();
            var sides = new[] { then, otherwise }.Select(s => types.Select(s.Like).ToImmutableArray()).ToList();
            (then.Made.Results, otherwise.Made.Results) = (sides[0], sides[1]);
            var made = function.Add(new If(then.Made, otherwise.Made, [condition, .. operands]));
            for (var k = 0; k < types.Count; k++)
                if (Random.Next(4) > 0)
                    Keep(new Result(made, k), Math.Max(then.Bound(sides[0][k]), otherwise.Bound(sides[1][k])));
        }

        private void Loop()
        {
            var carried = Some(0, 3).Select(Clamped).ToList();
            var captured = Some(0, 2);
            var count = graphs.Pick((Size[])[0, 1, 3, Size.Variable("n")]);
            var name = $"i.{++graphs.loops}";
            var body =
                Region("body", [.. carried, .. captured], [.. carried.Select(_ => Carried), .. captured.Select(Bound)],
                    name);
            body.Keep(new SizeValue(Size.Variable(name), DType.I32));
            body.Grow(Random.Next(1, 6));
            var next = carried.Select(c => body.Clamped(body.Like(c.Type))).ToList();
            var outputs = Enumerable.Range(0, Random.Next(carried.Count == 0 ? 1 : 0, 3))
                .Select(_ => graphs.Pick(body.pool)).Where(o => o.Type.Rank < 2).ToList();
            if (next.Count + outputs.Count == 0) return;
            body.Made.Results = [.. next, .. outputs];
            var made = function.Add(new Scan(body.Made, name, count, carried.Count, [.. carried, .. captured]));
            for (var k = 0; k < next.Count + outputs.Count; k++)
                if (Random.Next(4) > 0)
                    Keep(new Result(made, k), k < next.Count ? Carried : body.Bound(outputs[k - next.Count]));
        }

        private void Repeat()
        {
            var scalar = TensorType.Scalar(DType.I32);
            var carried = Some(0, 2).Select(Clamped).Prepend(Constant(scalar, 0)).ToList();
            var captured = Some(0, 2);
            List<double> limits = [.. carried.Select(_ => Carried), .. captured.Select(Bound)];
            var (test, body) =
                (Region("test", [.. carried, .. captured], limits), Region("round", [.. carried, .. captured], limits));
            test.Grow(Random.Next(0, 3));
            Node holds = test.Keep(
                new Compare(CompareOp.Lt, test.Made.Inputs[0], test.Constant(scalar, Random.Next(0, 4))));
            if (Random.Next(3) == 0)
                holds = test.Keep(new Binary(BinaryOp.And, holds, test.Like(TensorType.Scalar(DType.Bool))));
            test.Made.Results = [holds];
            body.Grow(Random.Next(1, 5));
            var counter = body.Keep(new Binary(BinaryOp.Add, body.Made.Inputs[0], body.Constant(scalar, 1)));
            body.Made.Results = [counter, .. carried.Skip(1).Select(c => body.Clamped(body.Like(c.Type)))];
            var made = function.Add(new While(test.Made, body.Made, carried.Count, [.. carried, .. captured]));
            for (var k = 0; k < carried.Count; k++)
                if (Random.Next(4) > 0) Keep(new Result(made, k), Carried);
        }
    }
}
