// The target of an assignment: a local or a piece of state, and which part of it.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Binding;

/// <summary>
/// The part of a local's value that a path names. A step of the path is the number of a list's element, or a
/// <see cref="TensorPlace"/>; two of the latter never follow each other, as they compose.
/// </summary>
internal sealed record Place(Local Root, ImmutableArray<object> Path)
{
    public Place Then(object step) => new(Root, Path.Add(step));

    /// <summary>True unless the two are known to name different elements.</summary>
    public bool MayOverlap(Place other)
    {
        if (Root != other.Root) return false;
        foreach (var (a, b) in Path.Zip(other.Path))
        {
            switch (a, b)
            {
                case (int i, int j) when i != j:
                    return false;
                case (TensorPlace p, TensorPlace q):
                    for (var d = 0; d < Math.Min(p.Starts.Length, q.Starts.Length); d++)
                    {
                        if (p.Offsets[d] is not null || q.Offsets[d] is not null || Picks(p, d) || Picks(q, d))
                            continue;
                        var (before, after) =
                            (q.Starts[d] - p.Starts[d] - p.Sizes[d] * p.Steps[d],
                                p.Starts[d] - q.Starts[d] - q.Sizes[d] * q.Steps[d]);
                        if ((before.IsConstant && before.Value >= 0) || (after.IsConstant && after.Value >= 0))
                            return false;
                    }
                    break;
            }
        }
        return true;

        static bool Picks(TensorPlace p, int d) => p.Gather is { } g && d >= g.Axis && d < g.Axis + g.Count;
    }
}
