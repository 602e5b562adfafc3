// In: a dot and where its result lies in memory. Out: which axes of the result are rows of the contraction, which its columns.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// The axes of a dot's result behind its batch axes. The operand with the axis that is contiguous in memory is the vector
/// side. As many of its axes as lie together there are one axis of columns; those before them are parallel loops.
/// </summary>
/// <param name="IsSwapped">True when the left operand is the vector side.</param>
/// <param name="Rows">The other operand's axes.</param>
/// <param name="Apart">Axes of the vector side with a loop each.</param>
/// <param name="Columns">The axes of the vector side that are one, in the order in which they lie in memory.</param>
internal sealed record ContractionAxes(bool IsSwapped, ImmutableArray<int> Rows, ImmutableArray<int> Apart, ImmutableArray<int> Columns)
{
    /// <param name="root">The exit of the dot's epilogue.</param>
    /// <param name="dot">The dot.</param>
    /// <param name="target">Where the root is stored.</param>
    /// <param name="loops">The ranges of the driver's loop variables.</param>
    public static ContractionAxes Of(Node root, Dot dot, Target target, IndexRanges loops)
    {
        var (shape, rank) = (dot.Type.Shape, dot.Type.Rank);
        var (batch, freeA) = (dot.BatchA.Length, dot.FreeA.Length);

        // Where the result lies in memory, in terms of the dot's own index: the axis of stride 1 is the vector side.
        var probe = new IndexRanges();
        for (var d = 0; d < rank; d++) probe.Add(Name(d), shape[d]);
        var place = Offset(Enumerable.Range(0, rank).Select(d => Size.Variable(Name(d))), probe);
        var last = Enumerable.Range(batch, rank - batch)
            .Where(d => !shape[d].Is(1)).Select(d => (Axis: d, Stride: Stride(place, d)))
            .Where(s => s.Stride is not null).OrderBy(s => s.Stride).Select(s => (int?)s.Axis).FirstOrDefault() ?? rank - 1;
        var isSwapped = last < batch + freeA;
        ImmutableArray<int> axesA = [.. Enumerable.Range(batch, freeA)];
        ImmutableArray<int> axesB = [.. Enumerable.Range(batch + freeA, rank - batch - freeA)];
        var (rows, columns) = isSwapped ? (axesB, axesA) : (axesA, axesB);
        columns = [.. columns.OrderByDescending(d => Stride(place, d) ?? long.MaxValue)];
        var apart = 0;
        while (apart < columns.Length - 1 && !LieTogether(columns.Skip(apart))) apart++;
        return new(isSwapped, rows, [.. columns.Take(apart)], [.. columns.Skip(apart)]);

        static string Name(int d) => $"d{d}'";

        long? Stride(Size offset, int d) => offset.AffineIn(Name(d)) is var (c, _)
            ? c.IsConstant ? c.Value : long.MaxValue - 1 - rank + d
            : null;

        Size Offset(IEnumerable<Size> index, IndexRanges ranges) => target.Offset(Forward(root, dot, [.. index], ranges));

        bool LieTogether(IEnumerable<int> axes)
        {
            var ranges = new IndexRanges(loops);
            var index = new Size[rank];
            for (var d = 0; d < rank; d++)
            {
                index[d] = Size.Variable(Name(d));
                ranges.Add(Name(d), shape[d]);
            }
            Flat("m'", rows);
            Flat("n'", axes);
            return Offset(index, ranges).AffineIn("n'") is not null;

            void Flat(string name, IEnumerable<int> flat)
            {
                ImmutableArray<Size> extents = [.. flat.Select(d => shape[d])];
                ranges.Add(name, Size.Product(extents));
                foreach (var (d, part) in flat.Zip(Parts(name, extents, ranges))) index[d] = part;
            }
        }
    }

    /// <summary>The indices of several axes that are one.</summary>
    public static ImmutableArray<Size> Parts(string variable, ImmutableArray<Size> extents, IndexRanges ranges) =>
        extents.Length == 1 ? [Size.Variable(variable)] : Indexing.Split(Size.Variable(variable), extents, ranges);

    /// <summary>The index at the epilogue's exit of the element that the dot computes at `index`.</summary>
    public static ImmutableArray<Size> Forward(Node root, Dot dot, ImmutableArray<Size> index, IndexRanges ranges)
    {
        if (ReferenceEquals(root, dot)) return index;
        // The path from the dot to the exit; where several lead there, all map the index alike.
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
