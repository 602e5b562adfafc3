// A question that several passes ask about a node: the sizes it mentions.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Passes;

internal static class NodeFacts
{
    /// <summary>Every size in the node's types and attributes.</summary>
    public static IEnumerable<Size> Sizes(Node node) =>
        node.ResultTypes.SelectMany(t => t.Shape).Concat(node.AttributeSizes);
}
