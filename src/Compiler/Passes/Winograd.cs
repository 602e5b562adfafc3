// In: a function with channels last, and which state is frozen. Out: the same function with 3x3 convolutions in
// Winograd's form.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// dot(window(pad x), w) => At (U * (Bt d B)) A, tile by tile: F(4x4, 3x3) makes 16 results of a tile d of 6x6 with 36
/// products for each pair of channels where the direct form takes 144. U = G w Gt is computed before the first call, as
/// the weights are frozen. It changes rounding: see <see cref="WinogradMatrices"/> for by how much. Decided by shapes,
/// dtypes and the storage of the weights only, never in training: f32, 3x3, stride 1, no dilation, at least <see
/// cref="LeastChannels"/> channels in and out, at least <see cref="LeastPlaces"/> results along either axis.
/// </summary>
/// <remarks>
/// Every step is a contraction whose vector side, channels, is contiguous where it is read and where it is written:
///   rows    [n, th, xi, w, c]    Bt over the rows of the padded image; a whole row of places by channels lies together
///   V       [xi nu, tiles, c]    Bt over its columns
///   M       [xi nu, tiles, o]    36 products of matrices
///   columns [i, nu, tiles, o]    At over xi; everything after xi lies together
///   y       [n, th, i, tw, j, o] At over nu, which is [n, h, w, o]
/// </remarks>
internal static class Winograd
{
    /// <summary>The results of a tile along each axis, and the inputs that it reads for them.</summary>
    internal const int Results = 4, Taps = 3, Tile = Results + Taps - 1;

    /// <summary>
    /// With fewer channels the transforms, 432 + 240 fma for each channel of a tile, cost as much as the products save.
    /// </summary>
    private const int LeastChannels = 32;

    /// <summary>
    /// With fewer results the tiles at the border compute too much that is cut off, and 36 matrices instead of 9 are
    /// read for too few of them: 7 x 7 x 512 would read 38 MB.
    /// </summary>
    private const int LeastPlaces = 12;

    public static Function Run(Function function, FrozenState frozen, Rewrites? rewrites = null)
    {
        rewrites ??= new Rewrites();
        if (!function.Nodes.Any(n => n is Dot)) return function;
        var known = new KnownValues(function, frozen);
        List<DirectForm.Tiled> taken = [];
        var tiled = Rebuild.Of(function, (node, rebuild) =>
        {
            if (!rewrites.MayGoOn || rebuild[node] is not Dot dot || !known.Contains(node.Operands[1])
                || Convolution.Of(dot) is not { } convolution)
                return null;
            var origin = function.OriginOf(node);
            // Dumps and profiles name every layer in this form.
            var built = new Builder(rebuild.Into, origin with { Composites = [.. origin.Composites, "winograd"] })
                .Build(convolution, taken.Add);
            rewrites.Add(() => new("winograd", "F(4x4, 3x3)", node.ToString(), built.ToString(), origin.Place));
            return built;
        });
        tiled = DeadCode.Run(tiled, out var kept);
        return DirectForm.Add(tiled, [.. taken.Select(t => t.With(kept))]);
    }

    /// <summary>
    /// A convolution of 3x3 that is worth it: y[n, h, w, o] = sum over r, s, c of x[n, h + r, w + s, c] * weights[r, s,
    /// c, o].
    /// </summary>
    /// <param name="Image">x, [n, h, w, c], without its zeros.</param>
    /// <param name="Before">Zeros before the rows and columns.</param>
    /// <param name="Places">Rows and columns of y.</param>
    /// <param name="Weights">[3, 3, c, o].</param>
    /// <param name="Type">The type of y, which may lack an n of 1.</param>
    private sealed record Convolution(Node Image, ImmutableArray<Size> Before, ImmutableArray<long> Places,
        Node Weights, TensorType Type)
    {
        public static Convolution? Of(Dot dot)
        {
            var (windows, weights) = (dot.Operands[0], dot.Operands[1]);
            if (dot.Type.DType != DType.F32 || windows.Type.DType != DType.F32 || !dot.BatchA.IsEmpty
                || !dot.ContractB.SequenceEqual([0, 1, 2])
                || weights.Type.Rank != 4 || !Channels(weights.Type.Shape[2])
                || !Channels(weights.Type.Shape[3])) return null;
            ImmutableArray<int> taps = [2, 4, 5];
            if (windows is Reshape { IsChecked: false, Operands: [Window w] } && w.Type.Shape[0].Is(1)
                && w.Type.Shape.Skip(1).SequenceEqual(windows.Type.Shape))
                (windows, taps) = (w, [1, 3, 4]);
            if (!dot.ContractA.SequenceEqual(taps) || Rows(windows) is not var (x, h, q) || !x.Type.Shape[1].IsConstant
                || !x.Type.Shape[2].IsConstant)
                return null;
            if (x is not Pad { Operands: [var image, Const { IsSplat: true } zero] } pad || zero.FloatAt(0) != 0
                || pad.Between.Any(b => b != 0)
                || !pad.Before[0].Is(0) || !pad.After[0].Is(0) || !pad.Before[3].Is(0) || !pad.After[3].Is(0))
                return new(x, [0, 0], [h, q], weights, dot.Type);
            return new(image, [pad.Before[1], pad.Before[2]], [h, q], weights, dot.Type);
        }

        private static bool Channels(Size size) => size.IsConstant && size.Value >= LeastChannels;

        /// <summary>
        /// The operand of windows of 3x3, [n, h, w, c], and their number along each axis; null for other nodes.
        /// </summary>
        private static (Node Image, long Rows, long Columns)? Rows(Node node) =>
            node is Window a && a.Operands[0] is Window b && a.Type.Rank == 6 && (a.Axis, b.Axis) is (1, 2) or (3, 1)
            && Count(a) is { } outer && Count(b) is { } inner
                ? a.Axis == 1 ? (b.Operands[0], outer, inner) : (b.Operands[0], inner, outer)
                : null;

        private static long? Count(Window w) =>
            w is { Stride: 1, Dilation: 1 } && w.Extent.Is(Taps) && w.Count.IsConstant && w.Count.Value >= LeastPlaces
                ? w.Count.Value : null;
    }

    private sealed class Builder(Function into, Origin origin)
    {
        public Node Build(Convolution conv, Action<DirectForm.Tiled> take)
        {
            var (n, c, o) = (conv.Image.Type.Shape[0], conv.Image.Type.Shape[3], conv.Weights.Type.Shape[3]);
            ImmutableArray<long> tiles = [.. conv.Places.Select(p => (p + Results - 1) / Results)];
            var (data, results) = (Matrix(WinogradMatrices.Data), Matrix(WinogradMatrices.Results));
            var count = n * tiles[0] * tiles[1];

            var padded = Padded(conv, tiles);
            var image = Add(new Window(padded, 1, tiles[0], Tile, Results, 1));
            var rows = Turned(new Dot(data, image, [], [], [1], [2]), 1, 2, 0, 3, 4);
            var columns = Add(new Window(rows, 3, tiles[1], Tile, Results, 1));
            var v = Shaped(Turned(new Dot(data, columns, [], [], [1], [4]), 3, 0, 1, 2, 4, 5), Tile * Tile, count, c);

            var weights = Weights(conv.Weights);
            var products = Shaped(Add(new Dot(v, weights, [0], [0], [2], [1])), Tile, Tile, count, o);

            var half =
                Shaped(Add(new Dot(results, products, [], [], [1], [0])), Results, Tile, n, tiles[0], tiles[1], o);
            var last = Add(new Dot(results, half, [], [], [1], [1]));
            var y = Shaped(Turned(last, 2, 3, 1, 4, 0, 5), n, Results * tiles[0], Results * tiles[1], o);
            take(new(last, y, padded, conv.Weights, v, weights, tiles));
            if (Results * tiles[0] != conv.Places[0] || Results * tiles[1] != conv.Places[1])
                y = Add(new Slice(y, [0, 0, 0, 0], [n, conv.Places[0], conv.Places[1], o], [1, 1, 1, 1]));
            return Shaped(y, [.. conv.Type.Shape]);
        }

        /// <summary>
        /// The image with zeros around it, up to the last tile's end. It is a buffer of its own: a row of places by
        /// channels is read as one run, which a guard would prevent.
        /// </summary>
        private Node Padded(Convolution conv, ImmutableArray<long> tiles)
        {
            var shape = conv.Image.Type.Shape;
            ImmutableArray<Size> after =
                [.. Enumerable.Range(0, 2).Select(d => tiles[d] * Results + Taps - 1 - conv.Before[d] - shape[d + 1])];
            // An image larger than its windows reach is cut by them.
            after = [.. after.Select(a => a.IsConstant && a.Value < 0 ? Size.Zero : a)];
            if (conv.Before.Concat(after).All(p => p.Is(0))) return conv.Image;
            var zero = Add(Const.Of(TensorType.Scalar(DType.F32), 0.0));
            return Add(
                new Graph.Barrier(Add(
                    new Pad(conv.Image, zero, [0, .. conv.Before, 0], [0, .. after, 0], [0, 0, 0, 0])), BarrierKind.Materialise));
        }

        /// <summary>U = G w Gt, [36, c, o].</summary>
        private Node Weights(Node w)
        {
            var g = Matrix(WinogradMatrices.Weights);
            var rows = Add(new Dot(g, w, [], [], [1], [0]));
            var (c, o) = (w.Type.Shape[2].Value, w.Type.Shape[3].Value);
            var u = Shaped(Turned(new Dot(g, rows, [], [], [1], [1]), 1, 0, 2, 3), Tile * Tile, c, o);
            if (o % PanelLayout.Columns != 0) return Add(new Graph.Barrier(u, BarrierKind.Setup));
            // In panels, like every weight that is known before the first call.
            var panels = Turned(Shaped(u, Tile * Tile, c, o / PanelLayout.Columns, PanelLayout.Columns), 0, 2, 1, 3);
            return Shaped(Turned(new Graph.Barrier(panels, BarrierKind.Setup), 0, 2, 1, 3), Tile * Tile, c, o);
        }

        private Const Matrix(double[][] rows) =>
            Add(Const.Of(new TensorType(DType.F32, [rows.Length, rows[0].Length]), [.. rows.SelectMany(r => r)]));

        private Node Turned(Node node, params ImmutableArray<int> permutation) =>
            Add(new Transpose(Add(node), permutation));

        private Node Shaped(Node node, params ImmutableArray<Size> shape) =>
            node.Type.Shape.SequenceEqual(shape) ? node : Add(new Reshape(node, shape));

        private T Add<T>(T node)
            where T : Node => node.Id >= 0 ? node : into.Add(node, origin);
    }
}
