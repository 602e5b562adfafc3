// What several passes ask about a node: the sizes it mentions, and whether computing it costs more than loading it.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Passes;

internal static class NodeFacts
{
    /// <summary>Every size in the node's types and attributes.</summary>
    public static IEnumerable<Size> Sizes(Node node) =>
        node.ResultTypes.SelectMany(t => t.Shape).Concat(node.AttributeSizes);

    /// <summary>True for work that is worth a buffer: what loops, and functions of many instructions.</summary>
    public static bool IsCostly(Node node) => node switch
    {
        Reduce or ArgReduce or Dot or Graph.Random or Gather or Scatter or Sort or Cumulate or Fold or UpdateSlice =>
            true,
        Unary u =>
            u.Kind is not (
                UnaryOp.Neg or UnaryOp.Abs or UnaryOp.Not or UnaryOp.Sign or UnaryOp.Floor or UnaryOp.Ceil
                or UnaryOp.Trunc),
        Binary b => b.Kind is BinaryOp.Pow or BinaryOp.Atan2,
        _ => false,
    };

    /// <summary>
    /// True for what marks the call as failed when an index is out of range: not to be run where it was not.
    /// </summary>
    public static bool MayFail(Node node) =>
        node is Gather or Scatter or DynamicSlice or UpdateSlice or RegionNode || node.IsEffect;
}
