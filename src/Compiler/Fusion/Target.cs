// Where a kernel stores its result.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Fusion;

/// <summary>The node whose buffer a value is stored in, and where in it an element of the value goes.</summary>
internal sealed record Target(Node Node, Func<ImmutableArray<Size>, ImmutableArray<Size>> At)
{
    public static Target Own(Node node) => new(node, at => at);

    /// <summary>The part of a concat's buffer that begins at `start`.</summary>
    public static Target Part(Concat concat, Size start) =>
        new(concat, at => at.SetItem(concat.Axis, at[concat.Axis] + start));

    public Size Offset(ImmutableArray<Size> index) => Indexing.Linear(At(index), Node.Type.Shape);
}
