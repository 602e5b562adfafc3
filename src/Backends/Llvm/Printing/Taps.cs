// In: in-order reductions inside vector loops. Out: how much of them is printed side by side. No choice here changes a
// bit.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.Llvm.Printing;

internal static class Taps
{
    /// <summary>
    /// The maximum statements of an unrolled loop body: 7 outputs of a 7 x 7 window, at three statements a tap.
    /// </summary>
    private const int Room = 1200;

    /// <summary>
    /// The terms of a reduction that are printed one after the other, with `copies` side-by-side iterations: all if
    /// there are few, otherwise a row of the window, otherwise one.
    /// </summary>
    public static long Unrolled(Reduction r, int copies, bool inLanes = true)
    {
        if (!r.Extent.IsConstant || r.Extent.Value <= 1 || !inLanes) return 1;
        var (extent, each) = (r.Extent.Value, (long)copies * Kernel.Statements(r.Body).Count());
        if (extent * each <= Room) return extent;
        return Rows(r).Where(row => extent % row == 0 && row * each <= Room).DefaultIfEmpty(1).Max();
    }

    /// <summary>
    /// The constants by which the body divides the reduction's index: the lengths of a window's rows.
    /// </summary>
    private static IEnumerable<long> Rows(Reduction r) => Kernel.Statements(r.Body).SelectMany(s => s switch
    {
        Load l => l.Guards.SelectMany(g => new[] { g.Index, g.Extent }).Append(l.Offset),
        IndexValue i => [i.Index],
        _ => [],
    }).SelectMany(Divisions).Where(d => d.Divisor.IsConstant && d.Dividend.Equals(Size.Variable(r.Variable)))
        .Select(d => d.Divisor.Value);

    private static IEnumerable<FloorDivAtom> Divisions(Size size) =>
        size.Terms.SelectMany(t => t.Atoms).SelectMany(a => a switch
    {
        FloorDivAtom d => Divisions(d.Dividend).Concat(Divisions(d.Divisor)).Append(d),
        MinAtom m => Divisions(m.Left).Concat(Divisions(m.Right)),
        MaxAtom m => Divisions(m.Left).Concat(Divisions(m.Right)),
        _ => [],
    });

    /// <summary>
    /// The vectors of a vector loop that are reduced side by side, if the enclosing loop is not: a sum then has one
    /// addition in progress for each of them, and a line of them is read from each row.
    /// </summary>
    public static int Vectors(Loop vector) =>
        Sums(vector).Any() && Kernel.Statements(vector.Body).All(IsPlain) ? 4 : 1;

    /// <summary>
    /// The iterations of the innermost parallel loop that are printed side by side: outputs of a window share their
    /// weights, and neighbours the columns that both cover.
    /// </summary>
    public static int Outputs(IReadOnlyList<Loop> loops, Block inner, LlvmTarget target)
    {
        var vectors = inner.Statements.OfType<Loop>().ToList();
        if (loops.Count == 0 || vectors.Count == 0 || vectors.Any(v => v.Kind != LoopKind.Vector)) return 1;
        var (outer, extent) = (loops.SkipLast(1).Select(l => l.Variable).ToList(), loops[^1].Extent);
        if (vectors.SelectMany(v => v.Extent.Variables()).Any(v => VariableName.IsOfKernel(v) && !outer.Contains(v)))
            return 1;
        var sums = vectors.SelectMany(Sums).ToList();
        if (!Kernel.Statements(inner).All(IsPlain) || !sums.Any(r => Shares(r, loops[^1].Variable))) return 1;
        // The largest number whose terms fit: 8 sums, 8 or more inputs and a weight are in 32 registers.
        for (var most = target.VectorBits switch { 512 => 8, 256 => 4, _ => 2 }; most > 1; most--)
        {
            if (sums.Any(r => !r.Extent.IsConstant || Unrolled(r, most) == 1)) continue;
            if (!extent.IsConstant) return most;
            if (extent.Value <= most) return (int)Math.Max(1, extent.Value);
            // A smaller remainder is better than a few more at once.
            return Enumerable.Range(most / 2 + 1, most - most / 2).OrderBy(n => extent.Value % n)
                .ThenByDescending(n => n).First();
        }
        return 1;
    }

    /// <summary>True if consecutive iterations of the loop share loads in the reduction.</summary>
    private static bool Shares(Reduction r, string variable)
    {
        if (!r.Extent.IsConstant || r.Extent.Value > Room) return false;
        return Kernel.Statements(r.Body).OfType<Load>().Any(l =>
        {
            HashSet<Size> Offsets(Size at) => [.. Enumerable.Range(0, (int)r.Extent.Value)
                .Select(tap => l.Offset.Substitute(v => v == variable ? at : v == r.Variable ? tap : null))];
            return Offsets(Size.Variable(variable)).Overlaps(Offsets(Size.Variable(variable) + 1));
        });
    }

    private static IEnumerable<Reduction> Sums(Loop loop) => Kernel.Statements(loop.Body).OfType<Reduction>();

    private static bool IsPlain(Statement s) =>
        s is Compute or Literal or IndexValue or Load or Store or Flag or Loop { Kind: LoopKind.Vector }
        || (s is Reduction { Lanes: false } r && ReductionPrinter.SideBySide(r));
}
