// Opens and closes regions; nodes of outer graphs become their inputs; checks are placed where they can be made.
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private Region? region;
    private int regionCount;

    /// <summary>Above 0 during a silent trial: no reports, no demands.</summary>
    private int muted;

    /// <summary>
    /// Locals older than this may not be assigned: a comprehension or an initialiser is being evaluated.
    /// </summary>
    private long pureFrom;

    /// <summary>The variables of scans, which users write as names.</summary>
    private readonly HashSet<string> loopVariables = [];

    /// <summary>The graph of the entry, around all regions.</summary>
    private Function Root
    {
        get
        {
            var graph = Graph;
            for (var r = region; r is not null; r = r.Outer) graph = r.OuterGraph;
            return graph;
        }
    }

    private Region Made(string kind, bool isBranch = false, Size? rounds = null, LoopStart? loop = null) =>
        new(new Function($"{kind}.{++regionCount}"), Graph, region, isBranch, rounds) { Loop = loop };

    /// <summary>A branch of an index form, which is computed in the surrounding graph.</summary>
    private Region Inline() => new(Graph, Graph, region, isBranch: false);

    /// <summary>Elaborations and assignments until the scope ends belong to the region.</summary>
    private RegionScope Inside(Region inner) => new(this, inner);

    private readonly ref struct RegionScope
    {
        private readonly Region inner;
        private readonly Scope<Function> graph;
        private readonly Scope<Region?> region;

        public RegionScope(Elaborator elaborator, Region inner)
        {
            this.inner = inner;
            graph = new(ref elaborator.graph, inner.Graph);
            region = new(ref elaborator.region, inner);
            inner.Loop?.Enter();
        }

        public void Dispose()
        {
            inner.Leave();
            region.Dispose();
            graph.Dispose();
        }
    }

    /// <summary>Computes a value in the graph of a region that has been left.</summary>
    private T In<T>(Region r, Func<T> compute)
    {
        using var into = new Scope<Function>(ref graph, r.Graph);
        using var within = new Scope<Region?>(ref region, r);
        return compute();
    }

    private void Write(Local local, Value value)
    {
        if (local.Serial < pureFrom)
        {
            Fail(Codes.EffectInPureForm, userPlace
                ?? local.Span, $"{NameOf(local)} is assigned inside a comprehension or an initialiser",
                null, "use a `for` loop");
            return;
        }
        oldestWritten = Math.Min(oldestWritten, local.Serial);
        region?.Note(local);
        local.Value = value;
    }

    private static bool Owns(Function graph, Node node) =>
        node.Id >= 0 && node.Id < graph.Nodes.Count && ReferenceEquals(graph.Nodes[node.Id], node);

    /// <summary>The node on operands of this graph.</summary>
    private Node Imported(Node node)
    {
        if (region is null || node.Operands.IsEmpty || node.Operands.All(o => Owns(Graph, o))) return node;
        return node.With([.. node.Operands.Select(Import)]);
    }

    /// <summary>A node of this graph or of one around it, as a node of this graph.</summary>
    private Node Import(Node node) => region is null ? node : Import(region, node);

    private static Node Import(Region into, Node node)
    {
        if (Owns(into.Graph, node)) return node;
        if (into.IsInline) return into.Outer is null ? node : Import(into.Outer, node);
        if (into.Captures.TryGetValue(node, out var known)) return known;
        if (into.Loop is { } loop && loop.Initial.TryGetValue(node, out var initial))
        {
            // The surrounding graph needs the value before the loop, whether the loop changes it or not.
            if (into.Outer is { } around && !IsRepeated(initial)) Import(around, initial);
            return into.Capture(node);
        }
        if (IsRepeated(node))
            return into.Captures[node] = into.Graph.Add(node.With([.. node.Operands.Select(o => Import(into, o))]));
        var outside = into.Outer is null ? node : Import(into.Outer, node);
        if (!into.Captures.TryGetValue(outside, out var input)) input = into.Capture(outside);
        return into.Captures[node] = input;
    }

    /// <summary>
    /// Literals and iotas are copied into a region: an input would hide what they are. So are sums of scalars, so that
    /// `pos + t` minus `pos` is t inside as well.
    /// </summary>
    private static bool IsRepeated(Node node) => Outliner.IsGenerated(node) || node is
        Binary { Kind: BinaryOp.Add or BinaryOp.Sub, Type: { Rank: 0, DType.IsInteger: true } }
        or Graph.Convert { Type: { Rank: 0, DType: DType.I64 }, Operands: [{ Type.DType: DType.I32 }] };

    private TensorValue Import(TensorValue value) => Owns(Graph, value.Node) ? value
        : new TensorValue(Import(value.Node), Graph, value.Indices);

    /// <summary>Set if a silent trial would have demanded a condition on sizes.</summary>
    private bool demanded;

    /// <summary>
    /// Demands a condition on sizes: a check on entry, or an assertion if the code that needs it may not run, in a
    /// branch or a round.
    /// </summary>
    private void Demand(EntryCheck check)
    {
        if (muted > 0)
        {
            demanded = true;
            return;
        }
        if (!IsConditional
            && !check.Left.Variables().Concat(check.Right.Variables()).Any(loopVariables.Contains))
        {
            Root.Require(Needed(check));
            return;
        }
        var (left, right) = (RealizeSize(check.Left, DType.I64), RealizeSize(check.Right, DType.I64));
        var kind = check.Kind == CheckKind.Equal ? CompareOp.Eq : CompareOp.Le;
        var holds = Emit(new Graph.Compare(kind, left.Node, right.Node));
        Emit(new Graph.Assert(Literal(check.Message), holds, []));
    }

    /// <summary>True if the code being elaborated may not run in a call.</summary>
    private bool IsConditional => region is { IsBranch: true };

    /// <summary>
    /// The check limited to calls in which the surrounding loops have rounds: the difference is multiplied by min(1,
    /// rounds) of each.
    /// </summary>
    private EntryCheck Needed(EntryCheck check)
    {
        var runs = Size.One;
        for (var r = region; r is not null; r = r.Outer)
            if (r.Rounds is { } rounds) runs *= Size.Min(1, rounds);
        return runs.Is(1) ? check
            : new EntryCheck(check.Kind, runs * (check.Left - check.Right), Size.Zero, check.Message);
    }

    /// <summary>Removes the numbers that distinguish index and loop variables, as users did not write them.</summary>
    private string Readable(string text)
    {
        text = IndexNumber().Replace(text, "");
        foreach (var variable in loopVariables)
        {
            if (text.Contains(variable, StringComparison.Ordinal))
                text = Regex.Replace(text, $@"(?<![\w.]){Regex.Escape(variable)}(?![\w.])",
                    variable[..variable.IndexOf('.')]);
        }
        return text;
    }

    // ---- values that cross the edge of a region -----------------------------------------------------------------

    /// <summary>The tensors in a value, in order; known values are skipped.</summary>
    public static IEnumerable<TensorValue> Leaves(Value value) => value switch
    {
        TensorValue t => [t],
        ListValue l => l.Items.SelectMany(Leaves),
        _ => [],
    };

    /// <summary>The value with its tensors replaced by others, in order.</summary>
    public static Value Rebuilt(Value value, Queue<TensorValue> leaves) => value switch
    {
        TensorValue => leaves.Dequeue(),
        ListValue l => l with { Items = [.. l.Items.Select(i => Rebuilt(i, leaves))] },
        _ => value,
    };

    /// <summary>True if two known values are the same.</summary>
    private static bool SameKnown(Value a, Value b) => (a, b) switch
    {
        (ListValue x, ListValue y) =>
            x.Items.Length == y.Items.Length && x.Items.Zip(y.Items).All(p => SameKnown(p.First, p.Second)),
        (TensorValue x, TensorValue y) => ReferenceEquals(x.Node, y.Node),
        _ => a.Equals(b),
    };

    /// <summary>The results of a control-flow node as tensors.</summary>
    private List<TensorValue> ResultsOf(RegionNode made)
    {
        var node = Emit(made);
        return [.. Enumerable.Range(0, made.ResultTypes.Length).Select(i => Tensor(new Result(node, i)))];
    }
}
