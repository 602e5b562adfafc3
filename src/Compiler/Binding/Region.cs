// A function inside the function being elaborated: the body of a loop or a branch, with its captures and assignments.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Binding;

/// <summary>The surroundings of the statements of a run-time branch or loop while they are elaborated.</summary>
/// <param name="graph">The closed function that takes the nodes.</param>
/// <param name="outerGraph">The graph around it.</param>
/// <param name="outer">The region around it, if any.</param>
/// <param name="isBranch">True if the region may not run at all.</param>
/// <param name="rounds">The number of rounds of a loop that may have none.</param>
internal sealed class Region(Function graph, Function outerGraph, Region? outer, bool isBranch, Size? rounds = null)
{
    private readonly List<(Local Local, Value Before)> written = [];

    /// <summary>The nodes of <see cref="OuterGraph"/> that it uses, and the inputs that get them.</summary>
    private List<(Node Operand, Node Input)> captured = [];

    /// <summary>The closed function that takes the nodes.</summary>
    public Function Graph { get; } = graph;

    /// <summary>The graph around it, which the operands of the captures belong to.</summary>
    public Function OuterGraph { get; } = outerGraph;

    public Region? Outer { get; } = outer;

    /// <summary>
    /// True in a branch, which may not be taken, and in other regions that may not run: their conditions on sizes are
    /// asserted there, not checked on entry.
    /// </summary>
    public bool IsBranch { get; } = isBranch || outer is { IsBranch: true };

    /// <summary>
    /// The number of rounds of a loop that may have none, if sizes alone determine it: without a round, no condition
    /// applies.
    /// </summary>
    public Size? Rounds { get; } = rounds;

    /// <summary>For a loop: the locals that it may change.</summary>
    public LoopStart? Loop { get; init; }

    /// <summary>Locals declared from here on are the region's own.</summary>
    public long Start { get; } = Local.Next;

    /// <summary>Nodes of outer graphs, and their counterparts here.</summary>
    public Dictionary<Node, Node> Captures { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>True in an index form, where both branches are computed in the graph around them.</summary>
    public bool IsInline => ReferenceEquals(Graph, OuterGraph);

    /// <summary>
    /// After the region has been left: the outer locals that it assigned, in the order of their first assignment, with
    /// their values at its end.
    /// </summary>
    public List<(Local Local, Value After)> Assigned { get; private set; } = [];

    /// <summary>Remembers that a local is about to change.</summary>
    public void Note(Local local)
    {
        if (local.Serial < Start && !written.Any(w => w.Local == local)) written.Add((local, local.Value));
    }

    /// <summary>Restores the locals to their values before the region.</summary>
    public void Leave()
    {
        Assigned = [.. written.Select(w => (w.Local, w.Local.Value))];
        foreach (var (local, before) in written) local.Value = before;
        Loop?.Leave();
    }

    /// <summary>
    /// An input for an operand, which is a node of the outer graph, or represents a local that a loop may change.
    /// </summary>
    public Node Capture(Node operand)
    {
        var input = Graph.Add(new Input($"v{captured.Count}", operand.Type));
        captured.Add((operand, input));
        return Captures[operand] = input;
    }

    /// <summary>Replaces operands; null for an input that has none.</summary>
    public void Replace(Func<Node, Node?> operand) =>
        captured = [.. captured.Select(c => (Operand: operand(c.Operand), c.Input)).Where(c => c.Operand is not null)
            .Select(c => (c.Operand!, c.Input))];

    /// <summary>The operands whose inputs the results and effects need.</summary>
    public IEnumerable<Node> Used(IReadOnlyList<Node> results)
    {
        var needed = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var stack = new Stack<Node>(results.Concat(Graph.Effects));
        while (stack.TryPop(out var node))
        {
            if (!needed.Add(node)) continue;
            foreach (var operand in node.Operands) stack.Push(operand);
        }
        return captured.Where(c => needed.Contains(c.Input)).Select(c => c.Operand);
    }

    /// <summary>
    /// The region as a function of the carried values and of these operands, some of which another region of the node
    /// uses.
    /// </summary>
    public Function Sealed(IReadOnlyList<Node> carried, IReadOnlyList<Node> operands, IReadOnlyList<Node> results)
    {
        var rebuild = new Rebuild(Graph, new Function(Graph.Name));
        var function = rebuild.Into;
        for (var i = 0; i < carried.Count; i++)
        {
            var input = function.Add(new Input($"c{i}", carried[i].Type));
            if (Captures.TryGetValue(carried[i], out var mine)) rebuild[mine] = input;
        }
        var inputs = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < operands.Count; i++)
            inputs[operands[i]] = function.Add(new Input($"v{i}", operands[i].Type));
        foreach (var (operand, mine) in captured)
            if (inputs.TryGetValue(operand, out var input)) rebuild[mine] = input;
        foreach (var node in Graph.Nodes)
            if (!rebuild.Has(node) && node is not Input && node.Operands.All(rebuild.Has)) rebuild.Copy(node);
        function.Results = [.. results.Select(r => rebuild[r])];
        function.ResultNames = [.. results.Select(_ => "")];
        return DeadCode.Run(function);
    }
}
