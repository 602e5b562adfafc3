// In: nodes, and replacements of the variables in their sizes. Out: the same nodes with other sizes.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

/// <summary>
/// Replaces sizes in nodes and their regions: for example, the index of a round when a loop is counted from the other
/// end.
/// </summary>
internal static class Resized
{
    /// <summary>The node on other operands, with each variable replaced as the map says; null keeps it.</summary>
    /// <param name="node">The node.</param>
    /// <param name="operands">Its operands, resized.</param>
    /// <param name="map">The replacement of a variable.</param>
    /// <param name="name">The name for a region's copy.</param>
    public static Node Of(Node node, ImmutableArray<Node> operands, Func<string, Size?> map, Func<string, string> name)
    {
        Size At(Size size) => size.Substitute(map);
        ImmutableArray<Size> All(ImmutableArray<Size> sizes) => [.. sizes.Select(At)];
        var shape = All(node.Type.Shape);
        ImmutableArray<Function> Regions(RegionNode region) => [.. region.Regions.Select(r => Of(r, map, name))];
        return node switch
        {
            Input i => new Input(i.Name, i.Type.With(shape), i.IsInout),
            Const { FoldedIndex: < 0 } c when !shape.SequenceEqual(c.Type.Shape) => c.Type.DType.IsFloat
                ? Const.Of(c.Type.With(shape), c.Floats) : Const.Of(c.Type.With(shape), c.Integers),
            Iota i => new Iota(i.Type.With(shape), i.Axis),
            Random => new Random(operands[0], shape),
            SizeValue s => new SizeValue(At(s.Size), s.Type.DType),
            Reshape r => new Reshape(operands[0], shape, r.IsChecked),
            Broadcast b => new Broadcast(operands[0], shape, b.Axes),
            Slice s => new Slice(operands[0], All(s.Starts), shape, s.Steps),
            Pad p => new Pad(operands[0], operands[1], All(p.Before), All(p.After), p.Between),
            Window w => new Window(operands[0], w.Axis, At(w.Count), At(w.Extent), w.Stride, w.Dilation),
            Fold f => new Fold(operands[0], f.Axis, At(f.Size), f.Stride, f.Dilation),
            DynamicSlice s => new DynamicSlice(operands[0], operands.RemoveAt(0), s.Axes, All(s.Starts), shape),
            UpdateSlice u => new UpdateSlice(operands[0], operands[1], operands.RemoveRange(0, 2), u.Axes,
                All(u.Starts), u.Steps),
            Extent e => new Extent(operands[0], e.Variable, e.Plus, At(e.Most)),
            Scan s => new Scan(Of(s.Body, map, name), s.Variable, At(s.Count), s.Carried, operands),
            RegionNode region => region.WithRegions(Regions(region), operands),
            // A callee is closed: its sizes are those of its operands, which mention variables of surrounding loops
            // only if it does so itself.
            Call c => new Call(Of(c.Callee, map, name), operands),
            _ => node.With(operands),
        };
    }

    /// <summary>A copy of a function under another name.</summary>
    public static Function Of(Function function, Func<string, Size?> map, Func<string, string> name)
    {
        var rebuild = new Rebuild(function, new Function(name(function.Name)) { Composite = function.Composite });
        foreach (var check in function.Checks)
            rebuild.Into.Require(check with { Left = check.Left.Substitute(map), Right = check.Right.Substitute(map) });
        foreach (var node in function.Nodes)
            rebuild.Add(node, Of(node, [.. node.Operands.Select(o => rebuild[o])], map, name));
        return rebuild.Finish();
    }
}
