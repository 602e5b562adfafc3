// In: a function. Out: its nodes in another one, each on what stands there for its operands.
namespace Accelerate.Compiler.Graph;

/// <summary>
/// The copy of a function, or of a part of it, under way: nodes are taken in order, and any other value may stand for
/// one. Checks, origins and the names of results come along; regions are taken as they are.
/// </summary>
/// <param name="from">The old function.</param>
/// <param name="into">The function that the nodes are added to.</param>
internal sealed class Rebuild(Function from, Function into)
{
    private readonly Dictionary<Node, Node> map = new(ReferenceEqualityComparer.Instance);

    /// <summary>Into a new function of the same name, or another.</summary>
    public Rebuild(Function from, string? name = null)
        : this(from, new Function(name ?? from.Name))
    {
        foreach (var check in from.Checks) Into.Require(check);
    }

    public Function Into { get; } = into;

    /// <summary>What stands for the old nodes so far.</summary>
    public IReadOnlyDictionary<Node, Node> Map => map;

    /// <summary>What stands for an old node.</summary>
    public Node this[Node old]
    {
        get => map[old];
        set => map[old] = value;
    }

    /// <summary>True if something stands for the old node.</summary>
    public bool Has(Node old) => map.ContainsKey(old);

    /// <summary>Adds a node with the origin of an old one, and lets it stand for that.</summary>
    public Node Add(Node old, Node node)
    {
        var (count, made) = (Into.Nodes.Count, Into.Add(node, from.OriginOf(old)));
        if (Into.Nodes.Count > count && from.ForwardOf(old) is { } of && map.TryGetValue(of, out var forward))
            Into.Belongs(made, forward);
        return map[old] = made;
    }

    /// <summary>Lets a copy of the old node stand for it, on what stands for its operands.</summary>
    public Node Copy(Node old) => Add(old, old.On(map));

    /// <summary>Copies, in order, the nodes for which nothing stands yet.</summary>
    public void CopyAll()
    {
        foreach (var node in from.Nodes)
            if (!Has(node)) Copy(node);
    }

    /// <summary>Copies a node and what it is made of, as far as nothing stands for that yet.</summary>
    /// <param name="old">The node.</param>
    /// <param name="given">What stands for the inputs that it needs; null where they are copied too.</param>
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

    /// <summary>The new function, whose results are what stands for the old ones.</summary>
    public Function Finish()
    {
        Into.Results = [.. from.Results.Select(r => map[r])];
        Into.ResultNames = from.ResultNames;
        return Into;
    }

    /// <summary>
    /// The whole function, where another value may stand in a node's place: for passes that look at the whole of the
    /// old function first.
    /// </summary>
    /// <param name="function">The old function.</param>
    /// <param name="better">
    /// What stands in the place of an old node, null for its copy, which stands for it when this is asked.
    /// </param>
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
