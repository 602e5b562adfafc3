// In: a function with convolutions in Winograd's form. Out: the same function with branches that use the direct form
// where Winograd's would not be accurate.
using System.Collections.Immutable;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// y => if in range { y } else { the direct form, and what is fused into it }. Winograd's transforms mix the places of
/// a tile: a NaN, an infinity or a number so large that a sum overflows would spread to results whose neighbourhood
/// does not contain it. With such an image or such weights the whole layer uses its direct form: the choice depends on
/// values only, so every executor makes the same one.
/// </summary>
/// <remarks>
/// The cost: the greatest magnitude of four of a tile's 36 numbers, 9 of 890 us at 64 channels and 56 x 56 on one
/// thread (`accc bench --kernels`, 2 cores with AVX-512, other work beside it), and a branch hardly ever taken. The
/// branch stands where fusion gives the layer its buffer, and its operands all have buffers, so that nothing is
/// computed or stored for it.
/// </remarks>
internal static class DirectForm
{
    /// <summary>
    /// Far above the numbers a network computes with, and far enough below the greatest f32, 2^128, that sums of
    /// products of two smaller numbers do not overflow.
    /// </summary>
    private const float Limit = 1L << 60;

    private const int Taps = Winograd.Taps, Tile = Winograd.Tile;

    /// <summary>A convolution in Winograd's form.</summary>
    /// <param name="Last">The contraction that gives its results.</param>
    /// <param name="Whole">The contraction that gives its results.</param>
    /// <param name="Image">The image with its zeros, [n, h + 2, w + 2, c].</param>
    /// <param name="Weights">[3, 3, c, o].</param>
    /// <param name="Data">The image transformed, [36, tiles, c].</param>
    /// <param name="Transformed">The weights transformed, [36, c, o].</param>
    /// <param name="Tiles">The number of tiles along each axis.</param>
    internal sealed record Tiled(Dot Last, Node Whole, Node Image, Node Weights, Node Data, Node Transformed,
        ImmutableArray<long> Tiles)
    {
        /// <summary>The same convolution in another function.</summary>
        public Tiled With(Func<Node, Node> of) => new((Dot)of(Last), of(Whole), of(Image), of(Weights), of(Data),
            of(Transformed), Tiles);
    }

    public static Function Add(Function function, IReadOnlyList<Tiled> taken)
    {
        if (taken.Count == 0) return function;
        var fusion = new FusionPlan(function);
        var places = new Dictionary<Node, Region>(ReferenceEqualityComparer.Instance);
        foreach (var tiled in taken)
        {
            var region = new Region(function, fusion, tiled, fusion.ExitOf(tiled.Last) ?? tiled.Whole);
            // If the exit does not depend on the results, the branch stands at the results themselves.
            if (!region.HasResults) region = new Region(function, fusion, tiled, tiled.Whole);
            places[region.End] = region;
        }
        var count = 0;
        return Rebuild.Of(function, (node, rebuild) => places.TryGetValue(node, out var region)
            ? region.Branch(rebuild.Into, rebuild.Map, count++) : null);
    }

    /// <summary>The branch: the direct form in the place of the results, up to the exit of a kernel.</summary>
    private sealed class Region
    {
        private readonly Function function;
        private readonly FusionPlan fusion;
        private readonly Tiled tiled;

        /// <summary>
        /// The nodes between the results and the end, and the unbuffered nodes they are computed from.
        /// </summary>
        private readonly SortedDictionary<int, Node> inside = [];

        /// <param name="function">The function with the layer.</param>
        /// <param name="fusion">Which of its nodes have a buffer.</param>
        /// <param name="tiled">The layer.</param>
        /// <param name="end">The buffered node of the kernel with the layer's results.</param>
        public Region(Function function, FusionPlan fusion, Tiled tiled, Node end)
        {
            (this.function, this.fusion, this.tiled, End) = (function, fusion, tiled, end);
            var open = new Stack<Node>([end]);
            while (open.TryPop(out var node))
            {
                if (!inside.TryAdd(node.Id, node) || node == tiled.Whole) continue;
                foreach (var operand in node.Operands.Where(o => !IsCaptured(o))) open.Push(operand);
            }
        }

        public Node End { get; }

        /// <summary>True if the end is computed from the layer's results.</summary>
        public bool HasResults => inside.ContainsKey(tiled.Whole.Id);

        private bool IsCaptured(Node node) => node != tiled.Whole && fusion.HasBuffer(node);

        /// <summary>Adds the branch that replaces the end.</summary>
        public Node Branch(Function into, IReadOnlyDictionary<Node, Node> map, int number)
        {
            var origin = function.OriginOf(tiled.Whole);
            var captures = new Captures(new Function($"{function.Name}.direct{number}"));
            captures.Of(map[End]);
            var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
            foreach (var node in inside.Values)
            {
                foreach (var operand in node.Operands.Where(IsCaptured)) copies[operand] = captures.Of(map[operand]);
                copies[node] = node == tiled.Whole ? Direct(captures, map, origin)
                    : captures.Into.Add(node.On(copies), function.OriginOf(node));
            }
            captures.Into.Results = [copies[End]];
            var otherwise = new Function($"{function.Name}.tiled{number}");
            ImmutableArray<Node> inputs = [.. captures.Values.Select((v, i) => otherwise.Add(new Input($"c{i}", v.Type)))];
            otherwise.Results = [inputs[0]];
            var isOut = into.Add(new Unary(UnaryOp.Not, IsInRange(into, map, origin)), origin);
            var branch = into.Add(new If(captures.Into, otherwise, [isOut, .. captures.Values]), origin);
            return into.Add(new Result(branch, 0), origin);
        }

        /// <summary>
        /// The convolution in its direct form; the places of a tile beyond the results are cut off, whatever they hold.
        /// </summary>
        private Node Direct(Captures captures, IReadOnlyDictionary<Node, Node> map, Origin origin)
        {
            var (image, weights) = (captures.Of(map[tiled.Image]), captures.Of(map[tiled.Weights]));
            var (into, shape) = (captures.Into, tiled.Whole.Type.Shape);
            var rows = into.Add(new Window(image, 1, shape[1], Taps, 1, 1), origin);
            var windows = into.Add(new Window(rows, 3, shape[2], Taps, 1, 1), origin);
            return into.Add(new Dot(windows, weights, [], [], [2, 4, 5], [0, 1, 2]), origin);
        }

        private Node IsInRange(Function into, IReadOnlyDictionary<Node, Node> map, Origin origin)
        {
            var (data, weights) = (map[tiled.Data], map[tiled.Transformed]);
            var channels = data.Type.Shape[2];
            // Every place of a tile contributes to one of the four corners of its transform, which take the even places
            // (the point 0) or the odd ones (infinity) of each axis: a non-finite value in the tile is non-finite
            // there.
            var planes = Add(new Reshape(data, [Tile, Tile, tiled.Whole.Type.Shape[0] * tiled.Tiles[0], tiled.Tiles[1],
                channels]));
            var corners = Add(new Slice(planes, [0, 0, 0, 0, 0], [2, 2, .. planes.Type.Shape.Skip(2)],
                [Tile - 1, Tile - 1, 1, 1, 1]));
            // Rows first: threads share them, and the channels lie side by side.
            var rows = Add(new Reduce(ReduceOp.Max, Magnitudes(corners), [0, 1, 3]));
            // The check of the weights is computed once, in the setup.
            var known = Add(new Graph.Barrier(AreBelow(Magnitudes(weights)), BarrierKind.Setup));
            return Add(new Binary(BinaryOp.And, AreBelow(rows), known));

            // Without the sign, the bits are ordered like the magnitudes, with infinity and NaN above all numbers; the
            // maximum of integers takes one instruction, while that of floats has to check for NaN.
            Node Magnitudes(Node x)
            {
                var bits = Add(new Bitcast(x, DType.I32));
                return Add(new Binary(BinaryOp.And, bits, Add(Const.Of(bits.Type, [int.MaxValue]))));
            }

            Node AreBelow(Node x) => Add(new Compare(CompareOp.Lt,
                Add(new Reduce(ReduceOp.Max, x, [.. Enumerable.Range(0, x.Type.Rank)])),
                Add(Const.Of(TensorType.Scalar(DType.I32), [BitConverter.SingleToInt32Bits(Limit)]))));

            T Add<T>(T node)
                where T : Node => into.Add(node, origin);
        }
    }

    /// <summary>The inputs of a region, and the outer values they stand for.</summary>
    private sealed class Captures(Function into)
    {
        private readonly Dictionary<Node, Node> inputs = new(ReferenceEqualityComparer.Instance);

        public Function Into { get; } = into;

        public List<Node> Values { get; } = [];

        public Node Of(Node value)
        {
            if (inputs.TryGetValue(value, out var known)) return known;
            Values.Add(value);
            return inputs[value] = Into.Add(new Input($"c{inputs.Count}", value.Type));
        }
    }
}
