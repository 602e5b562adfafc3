// In: a row kernel whose loops run over the same axis. Out: LLVM text in which one loop does different passes of
// several rows.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Softmax passes over a row three times: its maximum, its sum, its results. Passes of one row depend on each other,
/// and each leaves units idle that another would use: the maximum is bound by loads, the sum by arithmetic, the results
/// by stores. So the passes become stages of a pipeline: one loop over the lanes finds the maximum of row r, sums row r
/// - 1 and stores row r - 2, and memory is busy all the time. Each row keeps its own order of operations, so the bits
/// are those of one row after the other. Softmax of 1024 x 1024 takes 231 µs this way and 270 with two rows in step, of
/// 512 columns and fewer about as much less; layer norm of 512 x 768 44 to 47 µs, 52 with four rows in step (`accc time
/// bench/rows.acc … --kernels --threads 1`, Zen 4 with AVX-512). A copy of layer norm's rows takes 32.5 µs, and C that
/// only does one pass of sums and one of results at once, with fma throughout, 41: the work besides moving rows between
/// the levels of cache costs a quarter.
/// </summary>
internal sealed class RowPipeline
{
    /// <summary>The statements before a pass, which need the earlier passes; and the pass.</summary>
    private sealed record Stage(ImmutableArray<Statement> Before, Statement Pass);

    private const int Width = IndexPrinter.Width;

    private readonly ImmutableArray<Stage> stages;
    private readonly ImmutableArray<Statement> after;

    private RowPipeline(ImmutableArray<Stage> stages, ImmutableArray<Statement> after, Size extent) =>
        (this.stages, this.after, Extent) = (stages, after, extent);

    /// <summary>The number of rows in progress.</summary>
    public int Depth => stages.Length;

    /// <summary>The extent of every pass.</summary>
    public Size Extent { get; }

    /// <summary>The condition for rows to go through the pipeline; null for all rows.</summary>
    public string? Applies(IndexPrinter index, LlvmText text)
    {
        if (Extent.IsConstant) return null;
        var extent = index.Scalar(Extent);
        return text.Value($"icmp sle i64 {extent}, {RowPrinter.LongestInStep}");
    }

    /// <summary>
    /// Null if the rows are not two to four passes over one extent, or are too long for a block of a lane reduction.
    /// </summary>
    public static RowPipeline? Find(Block block)
    {
        var stages = ImmutableArray.CreateBuilder<Stage>();
        var before = ImmutableArray.CreateBuilder<Statement>();
        Size? extent = null;
        foreach (var statement in block.Statements)
        {
            var over = statement switch
            {
                Loop { Kind: LoopKind.Vector } l when RowPrinter.Takes(l) => l.Extent,
                Reduction { Lanes: true } r when !RowPrinter.IsArg(r.Kind) && RowPrinter.IsStraight(r.Body) => r.Extent,
                Compute or Literal or IndexValue or Load or Store or Flag => null,
                _ => Size.Zero,
            };
            if (over is null)
            {
                before.Add(statement);
                continue;
            }
            if (over.Is(0) || (extent is not null && !extent.Equals(over))) return null;
            extent = over;
            stages.Add(new Stage(before.DrainToImmutable(), statement));
        }
        if (extent is null || stages.Count is < 2 or > 4) return null;
        if (extent is { IsConstant: true, Value: > RowPrinter.LongestInStep }) return null;
        return new RowPipeline(stages.DrainToImmutable(), before.ToImmutable(), extent);
    }

    /// <summary>Prints the rows from begin on. The place returns a printer for a row.</summary>
    public void Print(string begin, string end, Func<string, StatementPrinter> place, LlvmText text,
        ScalarPrinter scalars, RowCache? kept,
        string? cache, IndexPrinter index)
    {
        // The values that a pass leaves for the later ones: a slot for each value and stage.
        var carried = new Dictionary<Value, string>[Depth];
        carried[0] = [];
        for (var s = 1; s < Depth; s++)
        {
            var values = carried[s - 1].Keys.Concat(
                stages[s - 1].Before.Append(stages[s - 1].Pass).Select(Scalar).OfType<Value>());
            carried[s] = values.ToDictionary(v => v, v => text.Slot(Types.Of(v.Type, 0)));
        }
        text.For(begin, text.Value($"add i64 {end}, {Depth - 1}"), "1", newest =>
        {
            var rows = Enumerable.Range(0, Depth).Select(s => s == 0 ? newest : text.Value($"sub i64 {newest}, {s}"))
                .ToArray();
            string Exists(int s) =>
                text.Value(
                    $"and i1 {text.Value($"icmp sge i64 {rows[s]}, {begin}")}, {text.Value($"icmp slt i64 {rows[s]}, {end}")}");
            var isFull = text.Value(
                $"and i1 {text.Value($"icmp sge i64 {rows[^1]}, {begin}")}, {text.Value($"icmp slt i64 {newest}, {end}")}");
            // A stage reads its values before the previous stage overwrites them for the next row. Within a loop the
            // passes are in their order: then the loads of a row come before the stores of another, whose addresses may
            // look the same to the processor (269 µs for 231 in the reverse order).
            text.If(isFull, () => Run([.. Enumerable.Range(0, Depth)]), () =>
            {
                for (var s = Depth - 1; s >= 0; s--) text.If(Exists(s), () => Run([s]));
            });

            void Run(int[] together)
            {
                var printers = together.Select(s => Begin(s, rows[s])).ToArray();
                var sums = together.Select(
                    s => stages[s].Pass is Reduction r ? LaneReduction.Lanes.Start(r, text, scalars) : null).ToArray();
                var inSteps = printers.Select(p => new RowPrinter([p], text, scalars, kept)).ToArray();
                RowPrinter.Lanes(text, printers[0], "0", index.Scalar(Extent), Extent, Vectors, (j, count, mask) =>
                {
                    for (var p = 0; p < together.Length; p++)
                    {
                        var (variable, body) = Pass(together[p]);
                        var starts = Enumerable.Range(0, count)
                            .Select(v => v == 0 ? j : text.Value($"add i64 {j}, {v * Width}"));
                        StatementPrinter[] inside =
                            [.. starts.Select(start => printers[p].Fork(new LaneLoop(variable, start, mask)))];
                        inSteps[p].Straight(inside, body);
                        if (stages[together[p]].Pass is Reduction r)
                            sums[p]!.Add([.. inside.Select(i => scalars.Widen(i.Of(r.Yield), Width))], mask);
                    }
                });
                for (var p = 0; p < together.Length; p++)
                {
                    if (stages[together[p]].Pass is Reduction r)
                        printers[p].Bind(r.Result, LaneReduction.Tree(r.Kind, sums[p]!.Value(), text, scalars));
                    End(together[p], printers[p]);
                }
            }
        });

        StatementPrinter Begin(int s, string row)
        {
            var printer = place(row);
            if (kept is not null)
                printer.Kept = text.Value(
                    $"getelementptr i8, ptr {cache}, i64 {text.Value($"mul i64 {text.Value($"urem i64 {row}, {Kept(kept)}")}, {printer.Index.Scalar(kept.Bytes(1))}")}");
            foreach (var (value, slot) in carried[s])
                printer.Bind(value,
                    new Operand(text.Value($"load {Types.Of(value.Type, 0)}, ptr {slot}, align 64"), value.Type, 0));
            // Constants are repeated in each stage.
            foreach (var literal in stages.Take(s).SelectMany(b => b.Before).OfType<Literal>())
                printer.Statement(literal);
            foreach (var statement in stages[s].Before) printer.Statement(statement);
            if (stages[s].Pass is Loop loop) printer.ChooseStreams(loop);
            return printer;
        }

        void End(int s, StatementPrinter printer)
        {
            if (s == Depth - 1)
            {
                foreach (var statement in after) printer.Statement(statement);
                return;
            }
            foreach (var (value, slot) in carried[s + 1])
                text.Do($"store {Types.Of(value.Type, 0)} {printer.Of(value).Text}, ptr {slot}, align 64");
        }
    }

    /// <summary>
    /// The number of rows whose kept values are still needed: from the pass that computes them to the last that reads
    /// them. With one more, softmax of 1024 columns, where each row takes one of the first-level cache's eight ways,
    /// would lose lines of its input.
    /// </summary>
    public int Kept(RowCache kept)
    {
        var (first, last) = (Depth, 0);
        for (var s = 0; s < Depth; s++)
        {
            foreach (var statement in Pass(s).Body.Statements)
                if (kept.SlotOf(statement) is { } slot)
                    (first, last) = slot.IsRead ? (first, s) : (Math.Min(first, s), last);
        }
        return last - first + 1;
    }

    /// <summary>Vectors of each row at once: softmax of 1024 x 1024 takes 231 µs with 2, 250 with 1.</summary>
    private const int Vectors = 2;

    private (string Variable, Block Body) Pass(int s) => stages[s].Pass switch
    {
        Reduction r => (r.Variable, r.Body),
        Loop l => (l.Variable, l.Body),
        _ => throw new InvalidOperationException(),
    };

    /// <summary>The value of a statement that differs between rows.</summary>
    private static Value? Scalar(Statement statement) => statement switch
    {
        Compute c => c.Result,
        IndexValue i => i.Result,
        Load l => l.Result,
        Reduction r => r.Result,
        _ => null,
    };
}
