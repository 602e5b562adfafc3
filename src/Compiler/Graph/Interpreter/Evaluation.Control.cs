// In: a node with regions and its operands. Out: its results, computed by running the regions.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Graph.Interpreter;

internal sealed partial class Evaluation
{
    private ImmutableArray<View> Control(RegionNode node, ImmutableArray<View> x) => node switch
    {
        If i => Run(IsTrue(x[0]) ? i.Then : i.Otherwise, x.RemoveAt(0)),
        Scan s => Repeat(s, x),
        While w => Repeat(w, x),
        _ => throw new ReferenceException($"the reference interpreter does not know {node.Op}"),
    };

    private ImmutableArray<View> Repeat(Scan scan, ImmutableArray<View> x)
    {
        var count = scan.Count.Evaluate(sizes);
        if (count < 0) throw new ReferenceException($"a loop of {scan.Count} = {count} iterations");
        // The body sees the sizes around it and its own variable, and nothing of it is visible outside.
        var inner = new Dictionary<string, long>(sizes);
        var body = new Evaluation(inner, state, options, folded);
        var carried = x[..scan.Carried];
        var captured = x[scan.Carried..];
        var outputs = scan.Body.Results.Skip(scan.Carried).Select(_ => new List<View>()).ToArray();
        for (long i = 0; i < count; i++)
        {
            inner[scan.Variable] = i;
            var results = body.Run(scan.Body, carried.AddRange(captured));
            carried = results[..scan.Carried];
            for (var k = 0; k < outputs.Length; k++) outputs[k].Add(results[scan.Carried + k]);
        }
        return carried.AddRange(outputs.Select((parts, k) => Copies.Stack(parts,
            scan.ResultTypes[scan.Carried + k].DType, Shape(scan.ResultTypes[scan.Carried + k]))));
    }

    private ImmutableArray<View> Repeat(While loop, ImmutableArray<View> x)
    {
        var carried = x[..loop.Carried];
        var captured = x[loop.Carried..];
        while (IsTrue(Run(loop.Condition, carried.AddRange(captured))[0]))
            carried = Run(loop.Body, carried.AddRange(captured));
        return carried;
    }

    private static bool IsTrue(View condition) => condition.Data.Integers[condition.Offset] != 0;
}
