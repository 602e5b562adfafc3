// In: a dot and where its result lies in memory. Out: which axes of the result are rows of the contraction, and which
// are columns.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Fusion;

/// <summary>
/// An axis of the result, or a part of one that the epilogue splits: the axis's index is the sum of Scale times the
/// part's index.
/// </summary>
internal sealed record AxisPart(int Axis, Size Extent, long Scale = 1);

/// <summary>
/// The axes of a dot's result after its batch axes. The operand with the axis that is contiguous in memory is the
/// vector side. Those of its axes that lie together there form one axis of columns; those before them are parallel
/// loops.
/// </summary>
/// <param name="IsSwapped">True when the left operand is the vector side.</param>
/// <param name="RowsAlone">Axes of the other operand with a loop each.</param>
/// <param name="Rows">The other operand's axes that are joined into one.</param>
/// <param name="Apart">Axes of the vector side with a loop each.</param>
/// <param name="Columns">The axes of the vector side that are joined into one, in the order in which they lie in
/// memory.</param>
internal sealed record ContractionAxes(
    bool IsSwapped, ImmutableArray<int> RowsAlone, ImmutableArray<int> Rows, ImmutableArray<AxisPart> Apart,
        ImmutableArray<AxisPart> Columns)
{
    /// <summary>An axis is split into runs of at least one vector: shorter ones make no vector side.</summary>
    private const long ShortestRun = 16;

    /// <summary>
    /// The fewest columns that are used as lanes though they are apart in the result: half of a vector of 16 lanes.
    /// </summary>
    private const long FewestTurned = 8;

    /// <param name="root">The exit of the dot's epilogue.</param>
    /// <param name="dot">The dot.</param>
    /// <param name="target">Where the root is stored.</param>
    /// <param name="fusion">Which nodes have a buffer; the ranges of the driver's loop variables.</param>
    public static ContractionAxes Of(Node root, Dot dot, Target target, FusionPlan fusion)
    {
        var loops = fusion.Loops;
        var (shape, rank) = (dot.Type.Shape, dot.Type.Rank);
        var (batch, freeA) = (dot.BatchA.Length, dot.FreeA.Length);

        // Where the result lies in memory, in terms of the dot's own index: the axis with stride 1 is the vector side.
        List<AxisPart> parts = [.. Enumerable.Range(0, rank).Select(d => new AxisPart(d, shape[d]))];
        var place = Place(parts);
        // The columns of all heads, [.., heads * size], stored as [.., heads, .., size]: runs of one head.
        while (parts.FirstOrDefault(
            p => p.Axis >= batch && place.AffineIn(Name(p)) is null && Run(place, p) is not null) is { } whole)
        {
            var run = Run(place, whole)!.Value;
            parts.Remove(whole);
            parts.AddRange(
                [new(whole.Axis, Size.FloorDiv(whole.Extent, run), whole.Scale * run),
                    new(whole.Axis, run, whole.Scale)]);
            place = Place(parts);
        }
        var last = parts.Where(p => p.Axis >= batch && !p.Extent.Is(1)).OrderBy(p => p.Axis)
            .ThenByDescending(p => p.Scale)
            .Where(p => Stride(p) is not null).OrderBy(Stride).Select(p => (int?)p.Axis).FirstOrDefault() ?? rank - 1;
        var isSwapped = last < batch + freeA;
        var alone = RowsAloneIfTurned(isSwapped);
        if (alone is not null) isSwapped = !isSwapped;
        else if (FusionPlan.IsLongSum(dot)) alone = RowsAloneOfWindows(isSwapped);
        ImmutableArray<int> axesA = [.. Enumerable.Range(batch, freeA)];
        ImmutableArray<int> axesB = [.. Enumerable.Range(batch + freeA, rank - batch - freeA)];
        var (rows, vector) = isSwapped ? (axesB, axesA) : (axesA, axesB);
        rows = alone is { } first ? rows.RemoveRange(0, first) : AsStored(rows);
        AxisPart[] columns =
            [.. parts.Where(p => vector.Contains(p.Axis)).OrderBy(p => p.Axis).ThenByDescending(p => p.Scale)
            .OrderByDescending(p => Stride(p) ?? long.MaxValue)];
        var apart = 0;
        while (apart < columns.Length - 1 && !LieTogether(columns[apart..])) apart++;
        ImmutableArray<int> rowsAlone = [.. (isSwapped ? axesB : axesA).Take(alone ?? 0)];
        return new(isSwapped, rowsAlone, rows, [.. columns[..apart]], [.. columns[apart..]]);

        // Neighbours of the result that are not neighbours in the operand (places of an image with its channels last)
        // would be gathered one by one: instead the other side's columns are the lanes, if they are enough, and its
        // epilogue transposes them. 7 x 7 of stride 2, 3 to 64 channels at 224 x 224 of images by channels, 1 thread:
        // 3.78 ms gathered, 2.34 ms transposed (`accc time bench/conv.acc nchw … --kernels`, AMD Zen 4 with AVX-512).
        // Returns how many of the rows' axes (images) have a loop each; null where this does not apply.
        int? RowsAloneIfTurned(bool isSwapped)
        {
            var (vector, free, places) = isSwapped ? (0, dot.FreeA, Enumerable.Range(batch, freeA).ToList())
                : (1, dot.FreeB, Enumerable.Range(batch + freeA, rank - batch - freeA).ToList());
            ImmutableArray<int> wide = [.. free.Where(a => !dot.OperandType(vector).Shape[a].Is(1))];
            var others = Size.Product([.. Enumerable.Range(batch, rank - batch).Except(places).Select(d => shape[d])]);
            if (wide.IsEmpty || (others.IsConstant && others.Value < FewestTurned) || parts.Any(p => p.Scale != 1))
                return null;
            if (!IsApart(dot.Operands[vector], wide[^1], fusion)) return null;
            // The places are one axis of the rows, along which the result is a run.
            for (var alone = 0; alone < places.Count; alone++)
            {
                var ranges = new IndexRanges(loops);
                foreach (var part in parts) ranges.Add(Name(part), part.Extent);
                ImmutableArray<Size> extents = [.. places.Skip(alone).Select(d => shape[d])];
                ranges.Add("m'", Size.Product(extents));
                var flat = places.Skip(alone).Zip(Parts("m'", extents, ranges))
                    .ToDictionary(p => p.First, p => p.Second);
                var offset =
                    Offset(Index(parts, p => flat.TryGetValue(p.Axis, out var value) ? value : Size.Variable(Name(p))),
                        ranges);
                if (offset.AffineIn("m'") is var (one, _) && one.Is(1)) return alone;
            }
            return null;
        }

        // The rows of a long sum that are places of a window (the gradient of a convolution by its weight) do not lie
        // one after the other: the leading ones get a loop each, so that the rest are read as they lie.
        int? RowsAloneOfWindows(bool isSwapped)
        {
            var (operand, free) = isSwapped ? (dot.Operands[1], dot.FreeB) : (dot.Operands[0], dot.FreeA);
            for (var alone = 0; alone < free.Length; alone++)
            {
                ImmutableArray<Size> extents = [.. free.Skip(alone).Select(a => operand.Type.Shape[a])];
                if (Size.Product(extents) is not { IsConstant: true, Value: >= FewestTurned }) return null;
                var ranges = new IndexRanges(loops);
                ranges.Add("m'", Size.Product(extents));
                var flat = free.Skip(alone).Zip(Parts("m'", extents, ranges)).ToDictionary(p => p.First, p => p.Second);
                if (Lies(operand, d => flat.GetValueOrDefault(d), ranges, fusion) is not (var place, true)) return null;
                if (place.AffineIn("m'") is not null) return alone == 0 ? null : alone;
            }
            return null;
        }

        // Rows in the order in which they are stored, which is mostly the order in which they are read: with images by
        // batch last whose gradient is asked for batch first, the rows of a tile were 16 KiB apart, in one set of the
        // cache (3 x 3, 64 to 32 channels, 64 images of 14 x 14, 1 thread, AMD Zen 4: 74 % of the FMA peak).
        ImmutableArray<int> AsStored(ImmutableArray<int> rows)
        {
            List<AxisPart> own = [.. parts.Where(p => rows.Contains(p.Axis))];
            return own.Count == rows.Length && own.TrueForAll(p => place.AffineIn(Name(p)) is var (c, _) && c.IsConstant)
                ? [.. own.OrderByDescending(p => Stride(p)).Select(p => p.Axis)] : rows;
        }

        static string Name(AxisPart part) => $"d{part.Axis}.{part.Scale}'";

        long? Stride(AxisPart part) => place.AffineIn(Name(part)) is var (c, _)
            ? c.IsConstant ? c.Value : long.MaxValue - 1 - rank + part.Axis
            : null;

        Size Place(IReadOnlyList<AxisPart> all)
        {
            var ranges = new IndexRanges();
            foreach (var part in all) ranges.Add(Name(part), part.Extent);
            return Offset(Index(all, p => Size.Variable(Name(p))), ranges);
        }

        Size Offset(Size[] index, IndexRanges ranges) => target.Offset(Forward(root, dot, [.. index], ranges));

        Size[] Index(IEnumerable<AxisPart> all, Func<AxisPart, Size> value)
        {
            var index = Enumerable.Repeat(Size.Zero, rank).ToArray();
            foreach (var part in all) index[part.Axis] += value(part) * part.Scale;
            return index;
        }

        bool LieTogether(AxisPart[] flat)
        {
            var ranges = new IndexRanges(loops);
            foreach (var part in parts) ranges.Add(Name(part), part.Extent);
            var values = new Dictionary<AxisPart, Size>();
            Flat("m'", [.. rows.Select(d => new AxisPart(d, shape[d]))]);
            Flat("n'", flat);
            var others = parts.Where(p => !rows.Contains(p.Axis) && !flat.Contains(p));
            var index = Index(values.Keys.Concat(others), p => values.GetValueOrDefault(p, Size.Variable(Name(p))));
            return Offset(index, ranges).AffineIn("n'") is not null;

            void Flat(string name, AxisPart[] joined)
            {
                ImmutableArray<Size> extents = [.. joined.Select(p => p.Extent)];
                ranges.Add(name, Size.Product(extents));
                foreach (var (part, value) in joined.Zip(Parts(name, extents, ranges))) values[part] = value;
            }
        }

        // The shortest stretch of a part that stays together where the result's layout divides its index.
        long? Run(Size offset, AxisPart part) => !part.Extent.IsConstant ? null
            : offset.Terms.SelectMany(t => t.Atoms).OfType<FloorDivAtom>()
                .Where(a => a.Divisor.IsConstant && a.Dividend.Mentions(Name(part))).Select(a => a.Divisor.Value)
                .Where(q => q >= ShortestRun && q < part.Extent.Value && part.Extent.Value % q == 0)
                .Order().Select(q => (long?)q).FirstOrDefault();
    }

    /// <summary>True for a windowed operand in which neighbours along an axis are not neighbours in memory.</summary>
    private static bool IsApart(Node operand, int axis, FusionPlan fusion)
    {
        return Lies(operand, _ => null, new IndexRanges(fusion.Loops), fusion) is (var place, true)
            && !(place.AffineIn(VariableName.Loop("a", axis)) is var (stride, _) && stride.Is(1));
    }

    /// <summary>
    /// Where an element of an operand lies in memory, and whether it is read through a window; null for a gathered one.
    /// </summary>
    private static (Size Place, bool IsWindowed)? Lies(Node operand, Func<int, Size?> along, IndexRanges ranges,
        FusionPlan fusion)
    {
        ImmutableArray<Size> index = [.. operand.Type.Shape.Select((_, d) =>
            along(d) ?? Size.Variable(VariableName.Loop("a", d)))];
        for (var d = 0; d < index.Length; d++)
            if (along(d) is null) ranges.Add(VariableName.Loop("a", d), operand.Type.Shape[d]);
        var isWindowed = false;
        while (!fusion.HasBuffer(operand))
        {
            ImmutableArray<Size>? below = operand switch
            {
                Pad p when p.Between.All(b => b == 0) => [.. index.Select((i, d) => i - p.Before[d])],
                // A repeated or reversed image is gathered, whichever side it is.
                Broadcast or Reverse => null,
                _ => operand.Below(index, ranges),
            };
            if (below is null) return null;
            isWindowed |= operand is Window;
            (operand, index) = (operand.Operands[0], below.Value);
        }
        return (Indexing.Linear(index, operand.Type.Shape), isWindowed);
    }

    /// <summary>The indices of several axes that are joined into one.</summary>
    public static ImmutableArray<Size> Parts(string variable, ImmutableArray<Size> extents, IndexRanges ranges) =>
        extents.Length == 1 ? [Size.Variable(variable)] : Indexing.Split(Size.Variable(variable), extents, ranges);

    /// <summary>The index at the epilogue's exit of the element that the dot computes at `index`.</summary>
    public static ImmutableArray<Size> Forward(Node root, Dot dot, ImmutableArray<Size> index, IndexRanges ranges)
    {
        if (ReferenceEquals(root, dot)) return index;
        // Follows one path from the dot to the exit; if there are several, all map the index alike.
        var from = root.Operands.First(o => Reaches(o, dot));
        var before = Forward(from, dot, index, ranges);
        return root switch
        {
            Transpose t => [.. t.Permutation.Select(p => before[p])],
            Reshape r => Indexing.Split(Indexing.Linear(before, r.OperandType(0).Shape), r.Type.Shape, ranges),
            _ => before,
        };
    }

    private static bool Reaches(Node node, Dot dot)
    {
        if (node.Id < dot.Id) return false;
        return ReferenceEquals(node, dot) || node.Operands.Any(o => Reaches(o, dot));
    }
}
