// In: a kernel, a map of sizes. Out: the kernel with every size mapped; or with its stores moved into a slice of a
// larger tensor.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

internal static class KernelSizes
{
    /// <summary>The most sizes that a kernel takes under their own names; a network's layer has fewer.</summary>
    private const int MostSizes = 8;

    /// <summary>Renames loop variables of the driver, so that kernels of equal layers get equal texts.</summary>
    public static Kernel Rename(Kernel kernel, IReadOnlyDictionary<string, string> names)
    {
        if (!kernel.Sizes.Any(names.ContainsKey)) return kernel;
        Size Map(Size size) => size.Substitute(v => names.TryGetValue(v, out var name) ? Size.Variable(name) : null);
        return kernel with
        {
            Sizes = [.. kernel.Sizes.Select(s => names.GetValueOrDefault(s, s)).Order(StringComparer.Ordinal)],
            Buffers = [.. kernel.Buffers.Select(b => b with { Count = Map(b.Count) })],
            Body = Mapped(kernel.Body, Map, s => s),
        };
    }

    /// <summary>
    /// The kernel with its stores into a buffer moved to slice `index` of a buffer `count` times as large; null for a
    /// kernel that also reads the buffer.
    /// </summary>
    public static Kernel? Sliced(Kernel kernel, int buffer, Size index, Size count)
    {
        var (elements, all) = (kernel.Buffers[buffer].Count, Kernel.Statements(kernel.Body));
        if (all.Any(s => s is Load l && l.Buffer == buffer)) return null;
        var sizes = kernel.Sizes.Concat(index.Variables()).Concat(count.Variables()).Distinct()
            .Order(StringComparer.Ordinal);
        return kernel with
        {
            Sizes = [.. sizes],
            Buffers = kernel.Buffers.SetItem(buffer, kernel.Buffers[buffer] with { Count = count * elements }),
            Body = Mapped(kernel.Body, s => s, s => s.Buffer == buffer ? s with { Offset = s.Offset + index * elements }
                : s),
        };
    }

    /// <summary>
    /// A kernel of many sizes in terms of few: each sum of sizes alone gets a name, by its place in the kernel. The
    /// parts of a concat of a hundred tensors are then one kernel, and read three sizes each instead of a hundred.
    /// </summary>
    public static (Kernel Kernel, IReadOnlyList<(string Name, Size Sum)> Sums) Named(Kernel kernel)
    {
        if (kernel.Sizes.Length <= MostSizes) return (kernel, []);
        var sums = new List<(string Name, Size Sum)>();
        var names = new Dictionary<Size, Size>();
        var known = kernel.Sizes.ToHashSet();
        return (kernel with
        {
            Buffers = [.. kernel.Buffers.Select(b => b with { Count = Of(b.Count) })],
            Body = Mapped(kernel.Body, Of, s => s),
            Sizes = [.. sums.Select(s => s.Name).Order(StringComparer.Ordinal)],
        }, sums);

        // Groups terms by their varying factors; the sum of sizes of each group, without its negative part, gets a
        // name.
        Size Of(Size size)
        {
            var result = Size.Zero;
            foreach (var group in size.Terms.GroupBy(t => string.Join('*', t.Atoms.Where(Varies).Select(a => a.Text))))
            {
                var first = group.First();
                var factor = first.Atoms.Where(Varies).Aggregate(Size.One, (p, a) => p * Varying(a));
                var sizes = group.Select(t => t with { Atoms = [.. t.Atoms.Where(a => !Varies(a))] }).ToList();
                var sum = Size.Sum(sizes.Where(t => t.Atoms.IsEmpty))
                    + Name(Size.Sum(sizes.Where(t => !t.Atoms.IsEmpty && t.Coefficient > 0)))
                    - Name(-Size.Sum(sizes.Where(t => !t.Atoms.IsEmpty && t.Coefficient < 0)));
                result += factor * sum;
            }
            return result;
        }

        bool Varies(Atom atom) => !atom.Variables().All(known.Contains);

        Size Varying(Atom atom) => atom switch
        {
            FloorDivAtom d => Size.FloorDiv(Of(d.Dividend), Of(d.Divisor)),
            MinAtom m => Size.Min(Of(m.Left), Of(m.Right)),
            MaxAtom m => Size.Max(Of(m.Left), Of(m.Right)),
            _ => Size.Of(atom),
        };

        Size Name(Size sum)
        {
            if (sum.IsConstant) return sum;
            if (names.TryGetValue(sum, out var name)) return name;
            sums.Add(($"p.{sums.Count + 1}", sum));
            return names[sum] = Size.Variable(sums[^1].Name);
        }
    }

    private static Block Mapped(Block block, Func<Size, Size> map, Func<Store, Store> store) =>
        new([.. block.Statements.Select(s => s.Map(map, inner => Mapped(inner, map, store)))
            .Select(s => s is Store x ? store(x) : s)]);
}
