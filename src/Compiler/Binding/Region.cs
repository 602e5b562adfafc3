// A function inside the function being elaborated: the body of a loop or a branch, with what it captures and assigns.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Binding;

/// <summary>What surrounds the statements of a run-time branch or loop while they are elaborated.</summary>
/// <param name="graph">The closed function that takes the nodes.</param>
/// <param name="outerGraph">The graph around it.</param>
/// <param name="outer">The region around it, if one is.</param>
/// <param name="isBranch">True for what may not run at all.</param>
/// <param name="rounds">The number of rounds of a loop that may have none.</param>
internal sealed class Region(Function graph, Function outerGraph, Region? outer, bool isBranch, Size? rounds = null)
{
    private readonly List<(Local Local, Value Before)> written = [];

    /// <summary>The closed function that takes the nodes.</summary>
    public Function Graph { get; } = graph;

    /// <summary>The graph around it, which the operands of the captures belong to.</summary>
    public Function OuterGraph { get; } = outerGraph;

    public Region? Outer { get; } = outer;

    /// <summary>
    /// True in a branch, which may not be taken, and in what else may not run: what it needs of sizes is asserted
    /// there, not checked at entry.
    /// </summary>
    public bool IsBranch { get; } = isBranch || outer is { IsBranch: true };

    /// <summary>
    /// The number of rounds of a loop that may have none, where sizes alone say how many: without a round nothing is
    /// needed.
    /// </summary>
    public Size? Rounds { get; } = rounds;

    /// <summary>Locals declared from here on are the region's own.</summary>
    public long Start { get; } = Local.Next;

    /// <summary>Nodes of outer graphs, and the inputs that stand for them here.</summary>
    public Dictionary<Node, Node> Captures { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>What goes round a loop: inputs of the region that get its results.</summary>
    public List<Node> Carried { get; } = [];

    /// <summary>The nodes of <see cref="OuterGraph"/> that the region uses.</summary>
    public List<Node> Operands { get; } = [];

    /// <summary>True in an index form, where both branches are computed in the graph around them.</summary>
    public bool IsInline => ReferenceEquals(Graph, OuterGraph);

    /// <summary>
    /// Locals from outside that the region assigns, in the order of their first assignment, with the value before.
    /// </summary>
    public IReadOnlyList<(Local Local, Value Before)> Written => written;

    /// <summary>Remembers that a local is about to change.</summary>
    public void Note(Local local)
    {
        if (local.Serial < Start && !written.Any(w => w.Local == local)) written.Add((local, local.Value));
    }

    /// <summary>An input whose operand is a node of the outer graph.</summary>
    public Node Capture(Node operand)
    {
        var input = Graph.Add(new Input($"v{Operands.Count}", operand.Type));
        Operands.Add(operand);
        return Captures[operand] = input;
    }

    /// <summary>An input that goes round the loop.</summary>
    public Node Carry(TensorType type)
    {
        var input = Graph.Add(new Input($"c{Carried.Count}", type));
        Carried.Add(input);
        return input;
    }

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
        return Operands.Where(o => needed.Contains(Captures[o]));
    }

    /// <summary>
    /// The region as a function of its carried inputs and of these operands, some of which another region of the node
    /// uses.
    /// </summary>
    public Function Sealed(IReadOnlyList<Node> operands, IReadOnlyList<Node> results)
    {
        var rebuild = new Rebuild(Graph, new Function(Graph.Name));
        var function = rebuild.Into;
        foreach (var input in Carried) rebuild.Copy(input);
        for (var i = 0; i < operands.Count; i++)
        {
            var input = function.Add(new Input($"v{i}", operands[i].Type));
            if (Captures.TryGetValue(operands[i], out var mine)) rebuild[mine] = input;
        }
        foreach (var node in Graph.Nodes)
            if (!rebuild.Has(node) && node is not Input && node.Operands.All(rebuild.Has)) rebuild.Copy(node);
        function.Results = [.. results.Select(r => rebuild[r])];
        function.ResultNames = [.. results.Select(_ => "")];
        return DeadCode.Run(function);
    }
}
