// In: a node. Out: the conditions on its sizes under which it reads only existing elements.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Graph;

/// <summary>0 &lt;= Room, by a rule of OPS.md; Fact describes a negative room.</summary>
internal sealed record Bound(string Rule, Size Room, string Fact);

/// <summary>
/// Types alone do not guarantee that a slice lies in its operand: starts and counts are attributes. The code that makes
/// such a node proves it, or adds a check of the call. For graphs read from a text, <see cref="Guard"/> does so.
/// </summary>
internal static class Bounds
{
    public static IEnumerable<Bound> Of(Node node)
    {
        foreach (var type in node.ResultTypes)
            for (var d = 0; d < type.Rank; d++)
                yield return new("graph C10", type.Shape[d], $"axis {d} of {type} is negative");
        switch (node)
        {
            case Slice s:
                for (var d = 0; d < s.Starts.Length; d++)
                    foreach (var bound in Part("slice C3", s, d, s.Starts[d], s.Type.Shape[d], s.Steps[d]))
                        yield return bound;
                break;
            case DynamicSlice s:
                // The offset of a listed axis is known in the call, which moves the part into x as a whole.
                for (var d = 0; d < s.Starts.Length; d++)
                    foreach (var bound in Part("dynamic_slice C3", s, d, s.Axes.Contains(d) ? 0 : s.Starts[d],
                        s.Type.Shape[d], 1))
                        yield return bound;
                break;
            case UpdateSlice s:
                for (var d = 0; d < s.Starts.Length; d++)
                    foreach (var bound in Part("update_slice C4", s, d, s.Axes.Contains(d) ? 0 : s.Starts[d],
                        s.OperandType(1).Shape[d], s.Steps[d]))
                        yield return bound;
                break;
            case Window w when !w.Count.Is(0) && !w.Extent.Is(0):
                yield return new("window C3",
                    w.OperandType(0).Shape[w.Axis] - 1 - (w.Count - 1) * w.Stride - (w.Extent - 1) * w.Dilation,
                    $"{w.Count} windows of {w.Extent} (stride {w.Stride}, dilation {w.Dilation}) do not fit in "
                    + $"{w.OperandType(0).Shape[w.Axis]}");
                break;
            case Reshape { IsChecked: true } r:
                var more = r.Type.Count - r.OperandType(0).Count;
                yield return new("reshape C1", more, $"{r.OperandType(0)} has more elements than {r.Type}");
                yield return new("reshape C1", -more, $"{r.OperandType(0)} has fewer elements than {r.Type}");
                break;
        }
    }

    private static IEnumerable<Bound> Part(string rule, Node node, int axis, Size start, Size count, long step)
    {
        var x = node.OperandType(0);
        if (count.Is(0)) yield break;
        yield return new(rule, start, $"it starts at {start} of axis {axis} of {x}");
        yield return new(rule, x.Shape[axis] - 1 - start - (count - 1) * step,
            $"{count} from {start} by {step} leave axis {axis} of {x}");
    }

    /// <summary>Rejects a node that is out of bounds for all sizes.</summary>
    public static void Verify(Node node)
    {
        foreach (var (rule, room, fact) in Of(node))
            Rule.Require(!room.IsConstant || room.Value >= 0, rule, () => $"%{node.Id} = {node.Op}: {fact}");
    }

    /// <summary>
    /// Adds the checks of the call that keep a function and its regions in bounds. Throws a GraphException for a node
    /// that is out of bounds, or whose bounds can be neither proved nor checked.
    /// </summary>
    public static void Guard(Function function)
    {
        Guard(function, function, new IndexRanges(), []);
        if (function.Setup is { } setup) Guard(setup);
    }

    private static void Guard(Function outer, Function function, IndexRanges ranges, ImmutableArray<string> loops)
    {
        ranges = new IndexRanges(ranges);
        foreach (var extent in function.Nodes.OfType<Extent>())
        {
            ranges.Add(extent.Variable, extent.Most + 1);
            loops = loops.Add(extent.Variable);
        }
        // A loop variable in a size outside of its loop would be read as that of another loop.
        foreach (var name in function.Nodes.SelectMany(n => n.ResultTypes.SelectMany(t => t.Shape)
            .Concat(n.AttributeSizes)).Concat(function.Checks.SelectMany(c => (Size[])[c.Left, c.Right]))
            .SelectMany(s => s.Variables()).Distinct())
            Rule.Require(loops.Contains(name) || VariableName.KindOf(name) == VariableKind.Size, "graph C10",
                () => $"@{function.Name} mentions {name}, which is the variable of no loop around it and of no extent");
        foreach (var node in function.Nodes)
        {
            Verify(node);
            foreach (var (rule, room, fact) in Of(node))
            {
                if (ranges.NonNegative(room)) continue;
                var least = room;
                // The loops from the inside out: the extent of one may mention those around it.
                foreach (var name in loops.Reverse())
                {
                    if (!least.Mentions(name)) continue;
                    Rule.Require(least.AffineIn(name) is var (step, _) && step.IsConstant, rule,
                        () => $"%{node.Id} = {node.Op}: {fact}, perhaps");
                    var (rise, rest) = least.AffineIn(name)!.Value;
                    least = rise.Value > 0 ? rest : rest + rise * (ranges.ExtentOf(name) - 1);
                }
                Rule.Require(!least.IsConstant || least.Value >= 0, rule, () => $"%{node.Id} = {node.Op}: {fact}");
                outer.Require(new EntryCheck(CheckKind.AtMost, 0, least, $"{node.Op} stays in bounds"));
            }
            switch (node)
            {
                case Scan s:
                    var inside = new IndexRanges(ranges);
                    inside.Add(s.Variable, s.Count);
                    Guard(outer, s.Body, inside, loops.Add(s.Variable));
                    break;
                case RegionNode r:
                    foreach (var region in r.Regions) Guard(outer, region, ranges, loops);
                    break;
                case Call c:
                    Guard(outer, c.Callee, ranges, loops);
                    break;
            }
        }
    }
}
