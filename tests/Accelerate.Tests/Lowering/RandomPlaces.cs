// In: a seed. Out: a graph of integers, so that every executor must give the same values, with inputs and sizes.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Tests.Lowering;

/// <summary>A graph, its inputs in order, and the values of its sizes.</summary>
internal sealed record RandomPlacesGraph(Function Function, Grid[] Inputs, Dictionary<string, long> Sizes);

/// <summary>
/// Chains of movements, reductions, orders, reads and writes at places, over axes that are constants, sizes, or
/// expressions of sizes, of zero and one elements too.
/// </summary>
internal static class RandomPlaces
{
    public static RandomPlacesGraph Make(int seed) => new Maker(new System.Random(seed)).Make();

    private sealed class Maker(System.Random random)
    {
        private const int MostElements = 3000;

        private readonly Function function = new("random");
        private readonly List<Node> pool = [];
        private readonly Dictionary<string, long> sizes = [];

        public RandomPlacesGraph Make()
        {
            sizes["n"] = Pick<long>(0, 1, 2, 3, 5);
            sizes["m"] = Pick<long>(1, 2, 4, 17);
            var (n, m) = (Size.Variable("n"), Size.Variable("m"));
            Input("x", [n, m]);
            Input("y", [m, 3]);
            Input("z", [4, n, 2]);
            for (int made = 0, tries = 0; made < 10 && tries < 200; tries++)
            {
                var before = function.Nodes.Count;
                Node? node;
                try
                {
                    node = Next();
                }
                catch (GraphException)
                {
                    continue;
                }
                if (node is null || node.Type.Rank > 5 || Value(node.Type.Count) > MostElements
                    || function.Nodes.Count == before)
                    continue;
                pool.Add(node);
                made++;
            }
            function.Results = [.. pool.TakeLast(3).Append(Pick([.. pool])).Distinct()];
            var inputs = function.Inputs.Select((input, i) =>
                Grid.Random(DType.I32, [.. input.Type.Shape.Select(Value)], random.Next())).ToArray();
            return new(function, inputs, sizes);
        }

        private void Input(string name, ImmutableArray<Size> shape) =>
            pool.Add(function.Add(new Input(name, new TensorType(DType.I32, shape))));

        private Node Add(Node node) => function.Add(node);

        private Node Splat(long value, ImmutableArray<Size> shape) =>
            Add(Const.Of(new TensorType(DType.I32, shape), [value]));

        private Node? Next()
        {
            // The latest values more often than the first, so that chains become long.
            var x = pool[random.Next(3) == 0 ? random.Next(pool.Count) : Math.Max(0, pool.Count - 1 - random.Next(3))];
            var rank = x.Type.Rank;
            var axis = rank == 0 ? 0 : random.Next(rank);
            if (rank == 0) return Add(new Broadcast(x, [Pick<Size>(1, 3)], []));
            var (extent, size) = (x.Type.Shape[axis], Value(x.Type.Shape[axis]));
            switch (random.Next(24))
            {
                case 0: return Add(new Unary(Pick(UnaryOp.Neg, UnaryOp.Abs, UnaryOp.Not), x));
                case 1 or 2:
                    return Add(
                    new Binary(Pick(BinaryOp.Add, BinaryOp.Sub, BinaryOp.Mul, BinaryOp.Max), x, Same(x)));
                case 3: return Add(new Select(Add(new Compare(CompareOp.Lt, x, Same(x))), Same(x), Same(x)));
                case 4: return Add(new Transpose(x, [.. Enumerable.Range(0, rank).OrderBy(_ => random.Next())]));
                case 5 when rank > 1:
                    var joined = random.Next(rank - 1);
                    return Add(
                        new Reshape(x, x.Type.Shape.RemoveAt(joined + 1)
                            .SetItem(joined, x.Type.Shape[joined] * x.Type.Shape[joined + 1])));
                case 6 when extent.IsConstant && size % 2 == 0:
                    return Add(new Reshape(x, x.Type.Shape.SetItem(axis, size / 2).Insert(axis + 1, 2)));
                case 7:
                    var at = random.Next(rank + 1);
                    return Add(new Broadcast(x, x.Type.Shape.Insert(at, Pick<Size>(1, 2, Size.Variable("n"))),
                        [.. Enumerable.Range(0, rank).Select(d => d < at ? d : d + 1)]));
                case 8 when extent.IsConstant && size > 0:
                    var (start, step) = (random.Next((int)size), random.Next(1, 4));
                    return Add(
                        new Slice(x, Axes(rank, axis, start),
                            x.Type.Shape.SetItem(axis, (size - start + step - 1) / step), Steps(rank, axis, step, 1)));
                case 9 when size > 1: // symbolic
                    return Add(
                        new Slice(x, Axes(rank, axis, 1), x.Type.Shape.SetItem(axis, extent - 1),
                            Steps(rank, axis, 1, 1)));
                case 10 when size > 1 || extent.IsConstant:
                    var (before, after) = (random.Next(size > 2 ? -1 : 0, 3), random.Next(size > 3 ? -1 : 0, 3));
                    return Add(
                        new Pad(x, Splat(7, []), Axes(rank, axis, before), Axes(rank, axis, after),
                            Steps(rank, axis, size > 0 ? random.Next(3) : 0, 0)));
                case 11: return Add(new Reverse(x, [axis]));
                case 12:
                    var other = Same(x);
                    return Add(
                        new Concat(random.Next(2) == 0 ? [x, other]
                            : [other, x, Add(new Unary(UnaryOp.Neg, x))], axis));
                case 13 when extent.IsConstant && size > 2:
                    var (stride, dilation, r) = (random.Next(1, 3), random.Next(1, 3), random.Next(1, 3));
                    var count = (size - 1 - (r - 1) * dilation) / stride + 1;
                    return count <= 0 ? null : Add(new Window(x, axis, count, r, stride, dilation));
                case 14 when rank > 1:
                    var folded = random.Next(rank - 1);
                    return Add(
                        new Fold(x, folded, Pick<Size>(1, 4, 9, Size.Variable("m")), random.Next(1, 4),
                            random.Next(1, 3)));
                case 15 when size > 0: return Add(new Gather(x, Clamped(Pick([.. pool]), size), axis));
                case 16 when size > 0:
                    // Out of range where it is not taken.
                    var row = Add(new Reshape(x, [x.Type.Count]));
                    var (index, elements) = (Pick([.. pool]), Value(x.Type.Count));
                    var inside = Add(new Binary(BinaryOp.And,
                        Add(new Compare(CompareOp.Ge, index, Splat(0, index.Type.Shape))),
                        Add(new Compare(CompareOp.Lt, index, Splat(elements, index.Type.Shape)))));
                    return elements == 0 ? null
                        : Add(new Select(inside, Add(new Gather(row, index, 0)), Splat(-3, index.Type.Shape)));
                case 17 when size > 0:
                    var part = random.Next(1, (int)Math.Min(size, 4) + 1);
                    return Add(
                        new DynamicSlice(x, [Scalar(size - part + 1)], [axis], Axes(rank, axis, 0),
                            x.Type.Shape.SetItem(axis, part)));
                case 18 when size > 0:
                    var length = random.Next(1, (int)Math.Min(size, 4) + 1);
                    var apart = (size - 1) / length + 1 > 1 && length > 1 ? Math.Min(2, (size - 1) / (length - 1)) : 1;
                    var update = Add(
                        new DynamicSlice(Same(x), [Scalar(size - length + 1)], [axis], Axes(rank, axis, 0),
                            x.Type.Shape.SetItem(axis, length)));
                    return Add(new UpdateSlice(x, Add(new Unary(UnaryOp.Not, update)),
                        [Scalar(size - ((length - 1) * apart + 1) + 1)], [axis],
                        Axes(rank, axis, 0), Steps(rank, axis, apart, 1)));
                case 19 when size > 0:
                    var places = Clamped(Pick([.. pool]), size);
                    var updates = Add(new Gather(Same(x), Clamped(places, size), axis));
                    return Add(new Scatter(Pick(Enum.GetValues<ScatterOp>()), x, places, updates, axis));
                case 20:
                    return Add(
                    new Cumulate(Pick(ReduceOp.Add, ReduceOp.Max, ReduceOp.Mul), x, axis, random.Next(2) == 0));
                case 21: return Add(new Result(Add(new Sort(x, axis, random.Next(2) == 0, DType.I32)), random.Next(2)));
                case 22:
                    return Add(new Reduce(Pick(ReduceOp.Add, ReduceOp.Min, ReduceOp.Or), x,
                        [.. Enumerable.Range(0, rank).Where(d => d == axis || random.Next(3) == 0)]));
                case 23 when size > 0: return Add(new ArgReduce(random.Next(2) == 0, x, axis, DType.I32));
                default: return null;
            }
        }

        /// <summary>A value of x's shape.</summary>
        private Node Same(Node x) => random.Next(4) switch
        {
            0 => Splat(random.Next(-3, 4), x.Type.Shape),
            1 => Add(new Iota(x.Type, random.Next(x.Type.Rank))),
            _ => pool.Where(p => p.Type.Equals(x.Type)).OrderBy(_ => random.Next()).FirstOrDefault() ?? x,
        };

        /// <summary>Indices in [0, limit).</summary>
        private Node Clamped(Node x, long limit) => Add(new Binary(BinaryOp.Min, Splat(limit - 1, x.Type.Shape),
            Add(new Binary(BinaryOp.Max, Splat(0, x.Type.Shape), x))));

        private Node Scalar(long limit)
        {
            var x = Pick([.. pool]);
            return Clamped(Add(new Reduce(ReduceOp.Max, x, [.. Enumerable.Range(0, x.Type.Rank)])), limit);
        }

        private static ImmutableArray<Size> Axes(int rank, int axis, long value) =>
            [.. Enumerable.Range(0, rank).Select(d => d == axis ? Size.Constant(value) : Size.Zero)];

        private static ImmutableArray<long> Steps(int rank, int axis, long value, long otherwise) =>
            [.. Enumerable.Range(0, rank).Select(d => d == axis ? value : otherwise)];

        private long Value(Size size) => size.Evaluate(sizes);

        private T Pick<T>(params ReadOnlySpan<T> from) => from[random.Next(from.Length)];
    }
}
