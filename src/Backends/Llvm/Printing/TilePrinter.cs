// In: rows and columns of a contraction that fit the registers. Out: LLVM code that sums along k and stores through the
// epilogue.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>How many of a tile's columns exist.</summary>
internal enum Tail
{
    /// <summary>All.</summary>
    None,

    /// <summary>Not all of the last vector's.</summary>
    Last,

    /// <summary>Known only to the call.</summary>
    Unknown,
}

/// <summary>
/// Outer steps of k that a tile may skip: their bits, and the place that records that their terms are ±0.
/// </summary>
internal sealed record MissedSteps(string Bits, string? Proof);

/// <summary>The microkernel.</summary>
internal sealed class TilePrinter(StatementPrinter statements, LlvmText text, ScalarPrinter scalars, IndexPrinter index,
    Contract contract, LeftSide left, RightSide right)
{
    private const int Width = IndexPrinter.Width;

    /// <summary>
    /// The steps in an iteration. 2, 4 and 8 are equally fast (256³ in 287, 286 and 287 µs, ResNet-50's kernels with
    /// direct convolutions within 0.4 %; AMD Zen 4 with AVX-512, 1 thread), and compile in the same time.
    /// </summary>
    private const int Unroll = 4;

    /// <summary>
    /// A run of up to this many steps is printed without a loop. Not many more: 7x7 on 3 channels, whose runs have 21,
    /// takes 2.36 ms without loops, as LLVM spills what it loads early, and 2.10 ms with them.
    /// </summary>
    private const int Straight = 8;

    /// <summary>
    /// The number of sums of a tile above which 32 registers have no room for the next step's elements: LLVM's
    /// scheduler loads them anyway and spills sums, unless a fence, which is no instruction, keeps its loads in their
    /// steps. Of the 46 tile loops of ResNet-50 with direct convolutions three spill 30 to 36 times without it, none
    /// with it; 56 x 56 x 64 to 256 takes 2.12 and 2.04 ms (`accc time examples/models/resnet50.acc … --conv direct
    /// --kernels`, AMD Zen 4 with AVX-512, 1 thread).
    /// </summary>
    private const int Crowded = 24;

    /// <summary>
    /// The maximum statements of an epilogue that are printed for each vector; otherwise it is printed once, in a loop
    /// over rows.
    /// </summary>
    private const int MostStatements = 800;

    private readonly DType type = contract.Accumulator.Type;
    private readonly string element = Types.Of(contract.Accumulator.Type, 0);
    private readonly string vector = Types.Of(contract.Accumulator.Type, Width);
    private readonly int align = Math.Min(64, Width * contract.Accumulator.Type.Bytes());

    /// <param name="rows">The number of rows in the tile.</param>
    /// <param name="row">The first row.</param>
    /// <param name="vectors">The number of vectors of columns.</param>
    /// <param name="column">The first column.</param>
    /// <param name="n">The total number of columns.</param>
    /// <param name="tail">How many of the tile's columns exist.</param>
    /// <param name="block">The part of k; null for all of it.</param>
    /// <param name="partial">The place of the sums between two parts.</param>
    /// <param name="missed">The steps that it may skip.</param>
    public void Print(int rows, string row, int vectors, string column, string n, Tail tail, KBlock? block,
        string partial, MissedSteps? missed)
    {
        int? rest = tail == Tail.Last ? (int)(contract.N.Extent.Value % Width) : null;
        var sums = new TileSums(text, type, rows, vectors, rest);
        if (block is null) sums.Clear();
        else text.If(block.IsFirst, sums.Clear, () => sums.Load(partial));
        var masks = new string?[vectors];
        for (var v = 0; v < vectors; v++)
        {
            var isPart = tail == Tail.Last && v == vectors - 1 && rest != sums.Lanes(v);
            if (isPart || tail == Tail.Unknown && right.IsInPlace)
                masks[v] = statements.TailMask(Start(column, v), n);
        }

        var count = index.Scalar(left.InnerCount);
        foreach (var k in contract.K.Skip(contract.K.Length - left.Inner)) index.Define(k.Variable, "0");
        // All bits of the proof are set if the steps may be skipped.
        var skipped = missed?.Proof is { } known
            ? text.Value($"and i64 {missed.Bits}, {text.Value($"load i64, ptr {known}, align 8")}") : missed?.Bits;
        contract.OverK(text, index, contract.K.Length - left.Inner, outer =>
        {
            if (skipped is null)
            {
                Run(outer);
                return;
            }
            var bit = text.Value($"and i64 {text.Value($"lshr i64 {skipped}, {outer}")}, 1");
            text.If(text.Value($"icmp eq i64 {bit}, 0"), () => Run(outer));
        });
        if (missed?.Proof is { } proof) text.If(text.Value($"icmp eq i64 {skipped}, 0"), () => Prove(proof));

        void Run(string outer)
        {
            var flat = block is not null ? block.From : outer == "0" ? "0" : text.Value($"mul i64 {outer}, {count}");
            var (down, across) = (left.Along(outer, flat), right.Along(vectors, column, flat));
            // A half vector reads the rows through a separate pointer: from one load for both, LLVM makes halves and
            // broadcasts them again (3136 x 144 x 24 in 222 µs), from two the additions read and broadcast directly
            // (192 µs).
            var aside = sums.Lanes(vectors - 1) < Width && vectors > 1 ? left.Along(outer, flat) : null;
            Cursor[] cursors = aside is null ? [down, across] : [down, across, aside];
            void Step(int ahead)
            {
                var values = new Operand[vectors];
                for (var v = 0; v < vectors; v++)
                {
                    var (line, apart) = right.Place(v);
                    values[v] = right.Read(across.At(line, apart, ahead), sums.Lanes(v), masks[v]);
                }
                for (var r = 0; r < rows; r++)
                {
                    var (line, apart) = left.Place(r);
                    Operand One(Cursor from) =>
                        new(text.Value($"load {element}, ptr {from.At(line, apart, ahead)}, align {type.Bytes()}"),
                            type, 0);
                    var many = scalars.Widen(One(down), sums.Lanes(0));
                    for (var v = 0; v < vectors; v++)
                    {
                        var factor = sums.Lanes(v) == many.Lanes ? many : One(aside!);
                        sums[r, v] = scalars.Compute(ScalarOp.Fma, type, factor, values[v], sums[r, v]);
                    }
                }
            }
            if (left.InnerCount.IsConstant && left.InnerCount.Value <= Straight)
            {
                for (var s = 0; s < left.InnerCount.Value; s++) Step(s);
                return;
            }
            void Loop(string begin, string end, int steps) => text.For(begin, end, $"{steps}", _ =>
            {
                foreach (var cursor in cursors) cursor.Open();
                for (var s = 0; s < steps; s++)
                {
                    if (s > 0 && rows * vectors > Crowded) text.Do("fence syncscope(\"singlethread\") seq_cst");
                    Step(s);
                }
                foreach (var cursor in cursors) cursor.Advance(steps);
            });
            var steps = block is null ? count : text.Value($"sub i64 {block.To}, {block.From}");
            var unrolled = text.Value($"and i64 {steps}, {-Unroll}");
            foreach (var cursor in cursors) cursor.Begin();
            Loop("0", unrolled, Unroll);
            if (block is not null || !(left.InnerCount.IsConstant && left.InnerCount.Value % Unroll == 0))
                Loop(unrolled, steps, 1);
        }
        // The sums of a row show whether every weight of these columns is finite.
        void Prove(string proof)
        {
            string? all = null;
            for (var v = 0; v < vectors; v++)
            {
                var none = text.Value($"fmul {vector} {sums.Whole(0, v).Text}, zeroinitializer");
                var isOne = text.Value($"fcmp ord {vector} {none}, {none}");
                all = all is null ? isOne : text.Value($"and {Types.Vector("i1", Width)} {all}, {isOne}");
            }
            var finite = text.Value(
                $"icmp eq i{Width} {text.Value($"bitcast {Types.Vector("i1", Width)} {all} to i{Width}")}, -1");
            text.Do($"store i64 {text.Value($"sext i1 {finite} to i64")}, ptr {proof}, align 8");
        }
        if (block is null) Epilogue(rows, row, column, n, sums, tail);
        else text.If(block.IsLast, () => Epilogue(rows, row, column, n, sums, tail), () => sums.Store(partial));
    }

    private string Start(string column, int v) => v == 0 ? column : text.Value($"add i64 {column}, {v * Width}");

    private void Epilogue(int rows, string row, string column, string n, TileSums sums, Tail tail)
    {
        var vectors = sums.Vectors;
        if (TurnedEpilogue.For(statements, text, scalars, index, contract) is { } turned)
        {
            Turned(turned, rows, row, column, n, sums, tail);
            return;
        }
        void Finish(Operand sum, int v, string start, bool isWhole)
        {
            string? Mask() =>
                !isWhole && (tail == Tail.Unknown || v == vectors - 1) ? statements.TailMask(start, n) : null;
            void Store() => index.InLanes(new LaneLoop(contract.N.Variable, start, Mask()), () =>
            {
                statements.Bind(contract.Accumulator, sum);
                statements.Block(contract.Epilogue);
            });
            // At least one of the last columns is in the first vector.
            if (!isWhole && tail == Tail.Unknown && v > 0) text.If(text.Value($"icmp slt i64 {start}, {n}"), Store);
            else Store();
        }
        void Rows(Action<Func<int, Operand>> inside)
        {
            if (Kernel.Statements(contract.Epilogue)
                .Count() * rows * vectors * (tail == Tail.Unknown ? 2 : 1) <= MostStatements)
            {
                for (var r = 0; r < rows; r++)
                {
                    var here = r;
                    index.Define(contract.M.Variable, left.RowAt(r == 0 ? row : text.Value($"add i64 {row}, {r}")));
                    inside(v => sums.Whole(here, v));
                }
                return;
            }
            // The accumulators go through memory once, so that the epilogue's code is printed once, not for every row.
            var spill = text.Slot($"[{rows * vectors} x {vector}]");
            sums.Each(
                (r, v) =>
                text.Do($"store {vector} {sums.Whole(r, v).Text}, ptr {Spilled($"{r * vectors + v}")}, align {align}"));
            text.For("0", $"{rows}", "1", r =>
            {
                index.Define(contract.M.Variable, left.RowAt(text.Value($"add i64 {row}, {r}")));
                inside(v =>
                    new(text.Value(
                        $"load {vector}, ptr {Spilled(text.Value($"add i64 {text.Value($"mul i64 {r}, {vectors}")}, {v}"))}, align {align}"),
                            type, Width));
            });

            string Spilled(string at) => text.Value($"getelementptr {vector}, ptr {spill}, i64 {at}");
        }
        void All(bool isWhole) => Rows(sum =>
        {
            for (var v = 0; v < vectors; v++) Finish(sum(v), v, Start(column, v), isWhole);
        });
        if (tail != Tail.Unknown)
        {
            All(isWhole: tail == Tail.None);
            return;
        }
        var whole = text.Value($"icmp sle i64 {text.Value($"add i64 {column}, {vectors * Width}")}, {n}");
        text.If(whole, () => All(isWhole: true), () => All(isWhole: false));
    }

    private void Turned(TurnedEpilogue epilogue, int rows, string row, string column, string n, TileSums sums,
        Tail tail)
    {
        var vectors = sums.Vectors;
        for (var v = 0; v < vectors; v++)
        {
            var (here, start) = (v, Start(column, v));
            Operand Sum(int r) => sums.Whole(r, here);
            int? exist = Width;
            if (tail == Tail.Unknown) exist = null;
            else if (tail == Tail.Last && v == vectors - 1) exist = (int)(contract.N.Extent.Value % Width);
            void Store() =>
                epilogue.Print(Sum, rows, row, start, exist == Width ? null : statements.TailMask(start, n), exist, n);
            if (tail == Tail.Unknown && v > 0) text.If(text.Value($"icmp slt i64 {start}, {n}"), Store);
            else Store();
        }
    }
}

internal static class ContractLoops
{
    /// <summary>Loops over the first axes of k, in order; the inside receives the flat position along them.</summary>
    public static void OverK(this Contract contract, LlvmText text, IndexPrinter index, int axes, Action<string> inside)
    {
        void Level(int i, string flat)
        {
            if (i == axes)
            {
                inside(flat);
                return;
            }
            var extent = index.Scalar(contract.K[i].Extent);
            text.For("0", extent, "1", k =>
            {
                index.Define(contract.K[i].Variable, k);
                Level(i + 1, i == 0 ? k : text.Value($"add i64 {text.Value($"mul i64 {flat}, {extent}")}, {k}"));
            });
        }
        Level(0, "0");
    }
}
