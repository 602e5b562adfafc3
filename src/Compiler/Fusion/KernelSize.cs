// In: nodes, and which of them have a buffer. Out: further nodes that get one, so that no kernel exceeds a size.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Fusion;

/// <summary>
/// Elementwise work has no natural end: a chain of a thousand operations would be one kernel, and compilers take more
/// than twice the time for twice the text. Where a kernel would have more statements than <see cref="Most"/>, the
/// largest of its parts gets a buffer and a kernel of its own. Values are rounded to their dtype in registers as in
/// buffers, so no bit depends on it.
/// </summary>
internal sealed class KernelSize
{
    /// <summary>
    /// Statements, roughly. LLVM takes 7 ms for each sine of a chain of 30, which are 1,300 statements, and 37 ms in a
    /// chain of 200 (AMD Zen 4). No kernel of a published network comes near.
    /// </summary>
    public const int Most = 1024;

    /// <summary>Each movement makes the index larger, and a padding every access under it.</summary>
    private const int OfMovement = 4;

    private readonly Func<Node, bool> hasBuffer;
    private readonly Func<Node, bool> mayBuffer;
    private readonly Action<Node> buffer;
    private readonly Dictionary<Node, int> sizes = new(ReferenceEqualityComparer.Instance);

    private KernelSize(Func<Node, bool> hasBuffer, Func<Node, bool> mayBuffer, Action<Node> buffer) =>
        (this.hasBuffer, this.mayBuffer, this.buffer) = (hasBuffer, mayBuffer, buffer);

    /// <param name="nodes">Nodes of a function, operands first.</param>
    /// <param name="hasBuffer">True for nodes that kernels load.</param>
    /// <param name="mayBuffer">True for nodes that may get a buffer.</param>
    /// <param name="kernels">The number of kernels that compute an unbuffered node.</param>
    /// <param name="buffer">Gives a node a buffer.</param>
    public static void Bound(IEnumerable<Node> nodes, Func<Node, bool> hasBuffer, Func<Node, bool> mayBuffer,
        Func<Node, int> kernels, Action<Node> buffer)
    {
        var bound = new KernelSize(hasBuffer, mayBuffer, buffer);
        foreach (var node in nodes)
        {
            bound.Add(node);
            // A cheap node that many kernels recompute is as much text as a large one.
            if (bound.sizes[node] * (kernels(node) - 1) > Most && mayBuffer(node) && !IsMoved(node)) buffer(node);
        }
    }

    private void Add(Node node)
    {
        // The sum of the operands' sizes: an upper bound that is exact where nothing is shared.
        var size = Own(node);
        foreach (var operand in node.Operands) size = Math.Min(2 * Most, size + Loaded(operand));
        while (size > Most && (size = Exact(node, out var parts)) > Most)
        {
            var largest = parts.Where(mayBuffer).DefaultIfEmpty(null).MaxBy(p => p is null ? 0 : sizes[p]);
            if (largest is null || sizes[largest] <= OfMovement) break;
            var below = Below(largest);
            buffer(mayBuffer(below) && 2 * sizes[below] >= sizes[largest] ? below : largest);
        }
        sizes[node] = Math.Min(size, Most);
    }

    /// <summary>The node that movements take their elements from: a buffer for it serves all of them.</summary>
    private Node Below(Node node)
    {
        while (!hasBuffer(node) && (node.Is(OpTraits.View) || node is Pad))
            node = node.Operands[0];
        return node;
    }

    private int Loaded(Node node) => hasBuffer(node) ? 1 : sizes[node];

    /// <summary>
    /// The statements of the kernel that computes the node, counted up to twice the bound: a value is computed once for
    /// each path of movements to it. The parts: the nodes at the ends of the paths that a buffer could take out of it.
    /// </summary>
    private int Exact(Node root, out List<Node> parts)
    {
        parts = [];
        var ways = new Dictionary<(int Way, Node Movement), int>();
        var seen = new HashSet<(Node, int)>();
        var listed = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var open = new Queue<(Node Node, int Way)>();
        var size = Own(root);
        void Operands(Node node, int way)
        {
            if (IsMoved(node) && !ways.TryAdd((way, node), ways.Count + 1)) way = ways[(way, node)];
            else if (IsMoved(node)) way = ways.Count;
            foreach (var operand in node.Operands)
                if (seen.Add((operand, way))) open.Enqueue((operand, way));
        }
        Operands(root, 0);
        while (open.TryDequeue(out var next) && size <= 2 * Most)
        {
            size += hasBuffer(next.Node) ? 1 : Own(next.Node);
            if (hasBuffer(next.Node)) continue;
            // The nearest ones are the largest.
            if (listed.Count < 64 && listed.Add(next.Node)) parts.Add(next.Node);
            Operands(next.Node, next.Way);
        }
        return size;
    }

    /// <summary>True for a node that reads its operand at another index than its own, or that loops.</summary>
    private static bool IsMoved(Node node) =>
        node.Is(OpTraits.Movement | OpTraits.ReadsAtValue | OpTraits.Combines);

    private static int Own(Node node)
    {
        var type = node.Operands.IsEmpty ? node.Type.DType : node.OperandType(0).DType;
        var wide = type == DType.F64 ? 2 : 1;
        return node switch
        {
            Const or Iota or SizeValue or Input or State => 1,
            Graph.Random => 80,
            Unary u => u.Kind switch
            {
                UnaryOp.Exp or UnaryOp.Expm1 or UnaryOp.Log or UnaryOp.Log1p => 25 * wide,
                UnaryOp.Sin or UnaryOp.Cos or UnaryOp.Tanh or UnaryOp.Erf => 40 * wide,
                _ => 1,
            },
            Binary b => b.Kind switch
            {
                BinaryOp.Pow or BinaryOp.Atan2 => 80 * wide,
                BinaryOp.Div or BinaryOp.Rem => 3,
                _ => 1,
            },
            _ => IsMoved(node) ? OfMovement : 1,
        };
    }
}
