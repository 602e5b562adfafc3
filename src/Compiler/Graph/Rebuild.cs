// In: a function. Out: its nodes in another one, each on the replacements of its operands.
namespace Accelerate.Compiler.Graph;

/// <summary>
/// A copy of a function, or of a part of it, in progress: nodes are taken in order, and any other value may replace
/// one. Checks, origins and the names of results are copied; regions are taken as they are.
/// </summary>
/// <param name="from">The old function.</param>
/// <param name="into">The function that the nodes are added to.</param>
internal sealed class Rebuild(Function from, Function into)
{
    private readonly Dictionary<Node, Node> map = new(ReferenceEqualityComparer.Instance);

    /// <summary>Copies into a new function, of the same name if none is given.</summary>
    public Rebuild(Function from, string? name = null)
        : this(from, new Function(name ?? from.Name))
    {
        foreach (var check in from.Checks) Into.Require(check);
    }

    public Function Into { get; } = into;

    /// <summary>The replacements of old nodes so far.</summary>
    public IReadOnlyDictionary<Node, Node> Map => map;

    /// <summary>The replacement of an old node.</summary>
    public Node this[Node old]
    {
        get => map[old];
        set => map[old] = value;
    }

    /// <summary>True if the old node has a replacement.</summary>
    public bool Has(Node old) => map.ContainsKey(old);

    /// <summary>Adds a node as the replacement of an old one, whose origin it gets.</summary>
    public Node Add(Node old, Node node)
    {
        var (count, made) = (Into.Nodes.Count, Into.Add(node, from.OriginOf(old)));
        if (Into.Nodes.Count > count && from.ForwardOf(old) is { } of && map.TryGetValue(of, out var forward))
            Into.Belongs(made, forward);
        return map[old] = made;
    }

    /// <summary>Adds a copy of the old node, on the replacements of its operands, as its replacement.</summary>
    public Node Copy(Node old) => Add(old, old.On(map));

    /// <summary>Copies, in order, the nodes that have no replacement yet.</summary>
    public void CopyAll()
    {
        foreach (var node in from.Nodes)
            if (!Has(node)) Copy(node);
    }

    /// <summary>Copies a node and the nodes it depends on, unless they have a replacement already.</summary>
    /// <param name="old">The node.</param>
    /// <param name="given">The replacements of the inputs that it needs; null to copy them too.</param>
    public Node CopyWithOperands(Node old, Func<Node, Node>? given = null)
    {
        var needed = new SortedSet<int>();
        var open = new Stack<Node>([old]);
        while (open.TryPop(out var node))
            if (!Has(node) && needed.Add(node.Id))
                foreach (var operand in node.Operands) open.Push(operand);
        foreach (var node in needed.Select(id => from.Nodes[id]))
        {
            if (node is Input && given is not null) map[node] = given(node);
            else Copy(node);
        }
        return map[old];
    }

    /// <summary>The new function; its results are the replacements of the old ones.</summary>
    public Function Finish()
    {
        Into.Results = [.. from.Results.Select(r => map[r])];
        Into.ResultNames = from.ResultNames;
        return Into;
    }

    /// <summary>
    /// Rebuilds the whole function with some nodes replaced: for passes that first look at the whole of the old
    /// function.
    /// </summary>
    /// <param name="function">The old function.</param>
    /// <param name="better">The replacement of an old node; null for its copy, which is already in place when this is
    /// called.</param>
    public static Function Of(Function function, Func<Node, Rebuild, Node?> better)
    {
        var rebuild = new Rebuild(function);
        foreach (var node in function.Nodes)
        {
            rebuild.Copy(node);
            if (better(node, rebuild) is { } other) rebuild[node] = other;
        }
        return rebuild.Finish();
    }
}
