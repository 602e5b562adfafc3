// In: the shapes before and after a reshape. Out: which axes before correspond to which axes after.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Passes;

/// <summary>Neighbouring axes before a reshape and the axes that they become; axes of size 1 are in no group.</summary>
internal sealed record AxisGroup(ImmutableArray<int> From, ImmutableArray<int> To)
{
    /// <summary>
    /// The groups, as small as possible: [n, c, h, w] to [n, c, h*w] has the groups n, c and (h, w). Null when the
    /// sizes do not determine them.
    /// </summary>
    public static ImmutableArray<AxisGroup>? Of(Reshape reshape)
    {
        var (from, to) = (reshape.OperandType(0).Shape, reshape.Type.Shape);
        if (reshape.IsChecked) return OneToOne(from, to);
        var (a, b) = (Wide(from), Wide(to));
        var groups = ImmutableArray.CreateBuilder<AxisGroup>();
        for (int i = 0, j = 0; i < a.Length || j < b.Length; i += groups[^1].From.Length, j += groups[^1].To.Length)
        {
            if (Smallest(a[i..], b[j..], from, to) is not { } group) return null;
            groups.Add(group);
        }
        return groups.ToImmutable();
    }

    /// <summary>The axes whose size is not known to be 1.</summary>
    public static ImmutableArray<int> Wide(ImmutableArray<Size> shape) =>
        [.. Enumerable.Range(0, shape.Length).Where(d => !shape[d].Is(1))];

    private static AxisGroup? Smallest(ImmutableArray<int> a, ImmutableArray<int> b, ImmutableArray<Size> from,
        ImmutableArray<Size> to)
    {
        for (var sum = 2; sum <= a.Length + b.Length; sum++)
        {
            for (var k = Math.Max(1, sum - b.Length); k <= Math.Min(a.Length, sum - 1); k++)
            {
                if (Size.Product(a.Take(k).Select(d => from[d]))
                    .Equals(Size.Product(b.Take(sum - k).Select(d => to[d]))))
                    return new(a[..k], b[..(sum - k)]);
            }
        }
        return null;
    }

    /// <summary>An entry check makes two sizes equal: if only they differ, the axes correspond one to one.</summary>
    private static ImmutableArray<AxisGroup>? OneToOne(ImmutableArray<Size> from, ImmutableArray<Size> to) =>
        from.Length == to.Length && from.Zip(to).Count(p => !p.First.Equals(p.Second)) == 1
            ? [.. Enumerable.Range(0, from.Length).Where(d => !from[d].Is(1) || !to[d].Is(1))
                .Select(d => new AxisGroup([d], [d]))]
            : null;
}
