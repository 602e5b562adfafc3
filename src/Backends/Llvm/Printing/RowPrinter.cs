// In: a block of statements and one or several iterations of the loops around it. Out: LLVM text that runs them in
// step.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Prints a block for several iterations at once, statement by statement: one loop with a body for each iteration. A
/// row's reduction is a chain in which each operation waits for the previous one (a sum of f32 takes 3 cycles an
/// element however wide the machine is); rows in step are independent chains. Each iteration keeps its own order of
/// operations, so the bits are those of one row after the other.
/// </summary>
/// <param name="copies">A printer for each iteration, with its own values and loop variables.</param>
/// <param name="text">The function.</param>
/// <param name="scalars">Prints scalar operations.</param>
/// <param name="kept">The values that one pass over a row leaves for the next; null outside of row kernels.</param>
/// <param name="ahead">Printers for the following iterations, as many as there are copies; null outside of row
/// kernels.</param>
internal sealed class RowPrinter(IReadOnlyList<StatementPrinter> copies, LlvmText text, ScalarPrinter scalars,
    RowCache? kept = null,
    IReadOnlyList<StatementPrinter>? ahead = null)
{
    private const int Width = IndexPrinter.Width;

    /// <summary>The load of the first loop over a row, once it has been printed.</summary>
    private (string Variable, Size Extent, Load Load)? first;

    private bool isFetched;

    /// <summary>Set while printing the loop that prefetches the next rows.</summary>
    private (string Variable, Load Load)? fetched;

    /// <summary>
    /// The number of rows in step. Layer norm of 4 x 768 in the first-level cache takes 6.5 cycles a vector with 4
    /// rows, 8.7 with 2, 11.2 one by one (Zen 4): four chains of 3 cycles are as fast as the loads. Softmax, whose
    /// polynomial has enough chains and uses enough registers by itself, takes 15.9 with 2 rows, 16.3 with 4, 17.2 with
    /// 1.
    /// </summary>
    public static int RowsOf(Block block) =>
        block.Statements.Any(s => s is Reduction r && IsHeavy(r.Body)) ? 2 : MostRows;

    public const int MostRows = 4;

    /// <summary>Whether a body is a polynomial rather than a few operations.</summary>
    public static bool IsHeavy(Block body) => body.Statements.Length >= 12;

    /// <summary>
    /// The longest row that is run in step with others: four of them in f32 are 64 KiB, which a second-level cache
    /// holds; a longer one hides its latencies with its own elements.
    /// </summary>
    public const int LongestInStep = 4096;

    /// <summary>
    /// Vectors of one iteration in step. The scheduler's window (64 operations on Zen 4) holds little more than one
    /// evaluation of erf, a chain of 80 cycles: gelu(1.5 x + 0.25) c + r takes 30.4 cycles a vector one by one, 28.3
    /// with two in step, 28.7 with three, which need more registers than there are.
    /// </summary>
    private const int Vectors = 2;

    /// <summary>
    /// True for rows that may run in step: each statement is straight-line, a vector loop, or a reduction or running
    /// value over an extent that is the same for all rows.
    /// </summary>
    public static bool RunsInStep(Kernel kernel, Block block) =>
        block.Statements.Any(s => s is Reduction or Cumulation) && block.Statements.All(s => s switch
        {
            Loop l => l.Kind == LoopKind.Vector && SizesOnly(kernel, l.Extent),
            Reduction r => (r.Lanes || IsArg(r.Kind)) && SizesOnly(kernel, r.Extent) && IsStraight(r.Body),
            Cumulation c => SizesOnly(kernel, c.Extent) && IsStraight(c.Body) && IsStraight(c.Epilogue),
            Contract or Ordering => false,
            _ => true,
        });

    /// <summary>The extent of the longest loop of a block for which <see cref="RunsInStep"/> is true.</summary>
    public static Size Longest(Block block) =>
        block.Statements.SelectMany(s => s.Axes).Aggregate(Size.Zero, (longest, a) => Size.Max(longest, a.Extent));

    public void Block(Block block)
    {
        foreach (var statement in block.Statements)
        {
            switch (statement)
            {
                case Loop { Kind: LoopKind.Vector } l:
                    Fetch(l.Variable, l.Extent, l.Body);
                    VectorLoop(l);
                    break;
                case Reduction r when r.Lanes || IsArg(r.Kind):
                    Fetch(r.Variable, r.Extent, r.Body);
                    new LaneReduction(this, copies, text, scalars).Print(r);
                    break;
                case Cumulation c:
                    ReductionPrinter.Running(copies, text, scalars, c);
                    break;
                default:
                    foreach (var copy in copies) copy.Block(new Block([statement]));
                    break;
            }
        }
    }

    /// <summary>
    /// The second loop over the rows prefetches the next rows: these are separate streams, which the hardware
    /// prefetcher finds only after a miss in each (layer norm of 512 x 768: 57.8 µs with, 61.1 without; softmax of 1024
    /// x 1024: 318 and 330).
    /// </summary>
    private void Fetch(string variable, Size extent, Block body)
    {
        fetched = null;
        if (ahead is null || isFetched) return;
        if (first is null)
        {
            // The position of a gathered index is not known in advance.
            bool IsKnown(Load l) => l.Guards.IsEmpty && !l.Offset.Mentions(VariableKind.Loaded);
            if (body.Statements.OfType<Load>().FirstOrDefault(IsKnown) is { } load) first = (variable, extent, load);
        }
        else if (first.Value.Extent.Equals(extent))
        {
            fetched = (first.Value.Variable, first.Value.Load);
            isFetched = true;
        }
    }

    /// <summary>
    /// Large results bypass the caches: their lines are not read first, and they evict nothing. The decision is one
    /// branch a store, on a condition that is constant for the whole loop.
    /// </summary>
    public void VectorLoop(Loop loop)
    {
        if (!Takes(loop))
        {
            foreach (var copy in copies) copy.Block(new Block([loop]));
            return;
        }
        foreach (var copy in copies) copy.ChooseStreams(loop);
        var extent = copies[0].Index.Scalar(loop.Extent);
        ForLanes(loop.Variable, "0", extent, loop.Extent, copies.Count == 1 ? Vectors
            : 1, (inside, _) => Straight(inside, loop.Body));
    }

    /// <summary>Prints straight-line statements for all copies, operation by operation.</summary>
    public void Straight(IReadOnlyList<StatementPrinter> inside, Block body)
    {
        if (fetched is { } next && ahead is not null && inside.Count == copies.Count)
        {
            for (var c = 0; c < inside.Count; c++)
                ahead[c].Fork(inside[c].Index.Lanes! with { Variable = next.Variable }).Prefetch(next.Load);
        }
        foreach (var statement in body.Statements)
        {
            var slot = kept?.SlotOf(statement);
            foreach (var copy in inside)
            {
                if (slot is { IsRead: true } read) copy.Bind(read.Value, kept!.Load(copy, read));
                else copy.Statement(statement);
                if (slot is { IsRead: false } written) kept!.Store(copy, written);
            }
        }
    }

    /// <summary>
    /// Loops over the iterations from `from` on, 16 lanes of each copy at a time, or several times 16; then 16 by 16,
    /// then the rest with a mask. The inside receives the copies in the order of their iterations, those of one row
    /// side by side, and how many of them belong to one row.
    /// </summary>
    public void ForLanes(string variable, string from, string to, Size extent, int vectors,
        Action<StatementPrinter[], int> inside)
    {
        void Inside(string j, int count, string? mask)
        {
            var starts = Enumerable.Range(0, count).Select(v => v == 0 ? j : text.Value($"add i64 {j}, {v * Width}"))
                .ToArray();
            StatementPrinter[] inLanes =
                [.. copies.SelectMany(c => starts.Select(s => c.Fork(new LaneLoop(variable, s, mask))))];
            inside(inLanes, count);
        }
        Lanes(text, copies[0], from, to, extent, vectors, Inside);
    }

    /// <summary>
    /// The same loop: the inside receives the first lane's iteration, the number of groups of 16, and the mask of the
    /// last.
    /// </summary>
    public static void Lanes(LlvmText text, StatementPrinter printer, string from, string to, Size extent, int vectors,
        Action<string, int, string?> inside)
    {
        // A loop with a negative extent does not run; rounded down to a multiple of 16 the extent would look like a
        // tail.
        if (from == "0" && !printer.Index.NonNegative(extent))
            to = text.Value($"select i1 {text.Value($"icmp sgt i64 {to}, 0")}, i64 {to}, i64 0");
        var isKnown = extent.IsConstant && from == "0";
        long Whole(int count) => extent.Value / (count * Width) * (count * Width);
        var start = from;
        if (vectors > 1 && !(isKnown && Whole(vectors) == 0)) start = Steps(vectors);
        if (!isKnown || Whole(1) > (vectors > 1 ? Whole(vectors) : 0)) start = Steps(1);
        if (isKnown && extent.Value % Width == 0) return;
        text.If(text.Value($"icmp slt i64 {start}, {to}"), () => inside(start, 1, printer.TailMask(start, to)));

        // Prints whole steps from start on; returns where they end.
        string Steps(int count)
        {
            var size = count * Width;
            var here = start;
            var whole = isKnown ? $"{Whole(count)}"
                : text.Value(
                    $"add i64 {from}, {text.Value($"and i64 {text.Value($"sub i64 {to}, {from}")}, {-size}")}");
            text.For(here, whole, $"{size}", j => inside(j, count, null));
            return whole;
        }
    }

    /// <summary>True for a vector loop that is printed here: straight-line code without padding.</summary>
    public static bool Takes(Loop loop) =>
        IsStraight(loop.Body) && loop.Body.Statements.All(s => s is not Load { Guards.IsEmpty: false });

    private static bool SizesOnly(Kernel kernel, Size extent) => extent.Variables().All(kernel.Sizes.Contains);

    internal static bool IsStraight(Block block) =>
        block.Statements.All(s => s is Compute or Literal or IndexValue or Load or Store or Flag);

    internal static bool IsArg(ReduceKind kind) => kind is ReduceKind.ArgMax or ReduceKind.ArgMin;
}
