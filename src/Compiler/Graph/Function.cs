// A graph under construction: nodes in order, interned; inputs, results, effects, size variables, entry checks.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Graph;

/// <summary>Where a node comes from; not part of its equality.</summary>
/// <param name="Place">In the user's source: file:line:column.</param>
/// <param name="Composites">The library functions it was part of, outermost first.</param>
/// <param name="Path">The layer it belongs to, named like its weights: `blocks.3.attn`.</param>
internal sealed record Origin(string Place, ImmutableArray<string> Composites, string Path = "")
{
    public static readonly Origin None = new("", []);

    /// <summary>The origin of a function's node inlined into a caller, given the call's origin.</summary>
    public Origin Within(Origin call) => new(Place.Length > 0 ? Place : call.Place,
        [.. call.Composites.Union(Composites)], Path.Length > 0 ? Path : call.Path);

    /// <summary>The place, and the layer, which tells equal places apart.</summary>
    public string Where => Path.Length == 0 || Place.Length == 0 ? Place + Path : $"{Place} in {Path}";
}

internal enum CheckKind
{
    Equal, AtMost,
}

/// <summary>An equality or bound between sizes that only the call can decide; tested before any write.</summary>
internal sealed record EntryCheck(CheckKind Kind, Size Left, Size Right, string Message)
{
    /// <summary>
    /// The check that a name is a size, for one that nothing else mentions: this keeps it among the sizes of the call.
    /// </summary>
    public static EntryCheck Given(string size) =>
        new(CheckKind.AtMost, Size.Zero, Size.Variable(size), $"{size} is a size");

    public bool Holds(Func<string, long> sizes) => Kind == CheckKind.Equal
        ? Left.Evaluate(sizes) == Right.Evaluate(sizes)
        : Left.Evaluate(sizes) <= Right.Evaluate(sizes);
}

/// <summary>
/// One function of tensors. Closed: its nodes are its own, and everything it uses from outside is an input or state.
/// </summary>
internal sealed class Function(string name)
{
    private readonly Dictionary<NodeKey, Node> interned = [];
    private readonly Dictionary<Node, Origin> origins = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, Node> forward = new(ReferenceEqualityComparer.Instance);
    private readonly List<Node> nodes = [];
    private readonly List<Node> effects = [];
    private readonly List<Input> inputs = [];
    private readonly List<EntryCheck> checks = [];

    public string Name { get; } = name;

    /// <summary>
    /// The composite that a call of it represents, such as `softmax`: a function that passes may recognise by this
    /// name. Empty for all others.
    /// </summary>
    public string Composite { get; init; } = "";

    /// <summary>
    /// True for a composite whose values the backward pass recomputes instead of keeping. This applies to calls that
    /// the user marked, and to two products of which one feeds the other, such as attention's scores: the values
    /// between them are larger than its operands and results.
    /// </summary>
    public bool IsRecomputed => Composite == Recomputed || (Composite.Length > 0 && nodes.OfType<Dot>().Skip(1).Any());

    /// <summary>The composite of a call through `checkpoint`.</summary>
    public const string Recomputed = "checkpoint";

    public IReadOnlyList<Node> Nodes => nodes;

    public IReadOnlyList<Input> Inputs => inputs;

    /// <summary>print, assert and assign, in program order.</summary>
    public IReadOnlyList<Node> Effects => effects;

    public IReadOnlyList<EntryCheck> Checks => checks;

    public ImmutableArray<Node> Results { get; set; } = [];

    /// <summary>
    /// Computes the folded constants before the first call, from constants and frozen state: its result k is the value
    /// of those with FoldedIndex k. Null if nothing is folded.
    /// </summary>
    public Function? Setup { get; set; }

    /// <summary>A name for each result; empty texts where the source gives none.</summary>
    public ImmutableArray<string> ResultNames { get; set; } = [];

    /// <summary>The declared names of the parameters, including those that are sizes.</summary>
    public ImmutableArray<string> Parameters { get; set; } = [];

    /// <summary>
    /// The size variables, in the order in which the inputs bind them; then those that only the call's `int` arguments
    /// bind.
    /// </summary>
    public IReadOnlyList<string> Sizes
    {
        get
        {
            var sizes = inputs.SelectMany(i => i.Type.Shape)
                .Where(s => s.Terms is [{ Coefficient: 1, Atoms: [VariableAtom] }]).Select(s => s.Text).Distinct()
                .ToList();
            var (found, seen, loops) = (new List<string>(), new HashSet<string>(), new HashSet<string>());
            Mentioned(found, seen, loops);
            sizes.AddRange(found.Where(v => !loops.Contains(v)).Except(sizes).ToList());
            return sizes;
        }
    }

    /// <summary>
    /// Collects the size variables that nodes and checks mention, in that order, regions included; and separately the
    /// variables of their loops and extents, whose names no other size has.
    /// </summary>
    private void Mentioned(List<string> found, HashSet<string> seen, HashSet<string> loops)
    {
        void Add(Size size)
        {
            foreach (var name in size.Variables())
                if (seen.Add(name)) found.Add(name);
        }
        foreach (var node in nodes)
        {
            foreach (var type in node.ResultTypes)
                foreach (var size in type.Shape) Add(size);
            foreach (var size in node.AttributeSizes) Add(size);
            if (node is Scan scan) loops.Add(scan.Variable);
            if (node is Extent extent) loops.Add(extent.Variable);
            foreach (var callee in GraphPrinter.Callees(node)) callee.Mentioned(found, seen, loops);
        }
        foreach (var check in checks)
        {
            Add(check.Left);
            Add(check.Right);
        }
    }

    /// <summary>Adds a node, or returns an equal one that exists already. Effects are never merged.</summary>
    public T Add<T>(T node, Origin? origin = null)
        where T : Node
    {
        foreach (var operand in node.Operands)
            Rule.Require(operand.Id >= 0 && operand.Id < nodes.Count && ReferenceEquals(nodes[operand.Id], operand),
                "graph C1", () => $"an operand of {node.Op} belongs to another function");
        Rule.Require(node is Result || !node.Operands.Any(o => o is RegionNode), "graph C9",
            () => $"{node.Op} uses control flow without `result`");
        var key = new NodeKey(node);
        if (node.IsEffect) effects.Add(node);
        else if (interned.TryGetValue(key, out var known))
        {
            Rule.Require(GraphPrinter.Callees(node).SequenceEqual(GraphPrinter.Callees(known)), "graph C8",
                () => $"two functions are called @{GraphPrinter.Callees(known).First().Name}");
            if (origin is not null) origins[known] = Union(OriginOf(known), origin);
            return (T)known;
        }
        else
        {
            interned[key] = node;
        }
        node.Id = nodes.Count;
        nodes.Add(node);
        if (node is Input input) inputs.Add(input);
        if (origin is not null) origins[node] = origin;
        return node;
    }

    public void Require(EntryCheck check)
    {
        if (!checks.Any(c => c.Kind == check.Kind && c.Left.Equals(check.Left) && c.Right.Equals(check.Right)))
            checks.Add(check);
    }

    /// <summary>Removes all checks after the first `after` ones.</summary>
    internal void Forget(int after) => checks.RemoveRange(after, checks.Count - after);

    public Origin OriginOf(Node node) => origins.GetValueOrDefault(node, Origin.None);

    /// <summary>Marks a node as part of the gradient of another one.</summary>
    public void Belongs(Node node, Node to) => forward[node] = to;

    /// <summary>
    /// The node of the forward pass whose cotangents a node belongs to; null for nodes outside of gradients.
    /// </summary>
    public Node? ForwardOf(Node node) => forward.GetValueOrDefault(node);

    private static Origin Union(Origin a, Origin b) => a == Origin.None ? b
        : a with { Composites = [.. a.Composites.Union(b.Composites)] };
}
