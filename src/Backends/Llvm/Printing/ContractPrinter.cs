// In: a contraction. Out: LLVM code for one job: a group of panels of the right side, times some rows of the left.
using System.Numerics;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>A part of k, and whether it is the first or the last.</summary>
internal sealed record KBlock(string From, string To, string IsFirst, string IsLast);

/// <summary>
/// Columns form panels of 32, panels form groups, rows form tiles, tiles form chunks; a job is a group and a chunk, and
/// the chunks of a group are consecutive. A right side stored in panels is read in place, and so is one contiguous
/// along n if one tile takes all rows; otherwise the first job of a group packs it. The tiles of a chunk go through the
/// panels of the group one after another. Every accumulator takes k in order: tiles, panels and jobs do not change a
/// bit.
/// </summary>
internal sealed class ContractPrinter
{
    private const int Width = IndexPrinter.Width;

    /// <summary>
    /// The maximum steps of k in a block of a deep contraction; up to half as many more still form one block. 128 x 768
    /// x 3072 at 95.5 % of the FMA peak in two blocks, at 97.0 % in one; 1024³ (with the panels below) 94.0 % in three,
    /// 96.0 % in one; 197 x 3072 x 768 94.4 % with 384 steps, 94.8 % with 768, 92.4 % in one (AMD Zen 4 with AVX-512, 1
    /// thread, `accc time bench/gemm.acc constant … --kernels`, least of 4 runs side by side).
    /// </summary>
    private const int BlockSteps = 768;

    /// <summary>
    /// The number of panels in a group, for BlockSteps. Rows that must be copied are copied for each group, and that
    /// cost decides: 1024³ at 93.3 % of the FMA peak with 8 panels of 384, at 96.3 % with the copy left out, at 96.0 %
    /// with all 32 panels (2048³ 92.2 %, 95.7 %, and 94.5 % with 16 panels). The panels then come from the third-level
    /// cache, at no measurable cost; prefetching them has no effect either. Groups of 16 MiB are slower: 2048³ at 84 %
    /// with 64 panels.
    /// </summary>
    private const int GroupPanels = 24;

    /// <summary>
    /// The maximum elements of a packed group over the whole depth, if there is more than one panel: 4 MiB of f32.
    /// </summary>
    private const int PackedElements = 1 << 20;

    /// <summary>
    /// The minimum multiplications of a job with few rows, where the sizes allow it: some four microseconds, many times
    /// the cost of handing a job to another thread (see WorkerPool).
    /// </summary>
    private const int JobWork = 1 << 18;

    /// <summary>
    /// The number of jobs of a contraction with fewer tiles of rows, where their work and the panels allow it: groups
    /// of panels, a power of two, divide evenly among a few threads. Not for one of many contractions, which have
    /// enough jobs: Winograd's 36 of 16 x 256 x 256 take 0.71 ms, 0.80 ms in groups of one panel. 128³ on 2 threads:
    /// 20.0 us, 22.9 us with 5 jobs of two tiles by four panels; 64³ 3.4 us and 3.7 us; 197 x 768 x 768 1.04 ms and
    /// 1.09 ms with 15 tiles in 2 chunks (AMD Zen 4 with AVX-512).
    /// </summary>
    private const int FewJobs = 16;

    /// <summary>
    /// The maximum number of tiles of rows that read contiguous columns in place, because packing panels first only
    /// pays for more: 128 x 768 x 768 at 94 % of the FMA peak packed, 99 % in place; 128 x 3072 x 768 81 % and 92 %;
    /// 197 x 768 x 3072 90 % and 94 %; 64³ 91.5 % and 97 %; 1024³ 92.6 % and 93.1 % (AMD Zen 4 with AVX-512, 1 thread,
    /// `accc time bench/gemm.acc dynamic … --kernels`, least of 3 side by side). Prefetching 8 or 16 steps ahead
    /// changes nothing.
    /// </summary>
    private const int InPlaceTiles = 74;

    /// <summary>
    /// The same limit for tiles narrower than a panel, which use half of a panel's lines at a time: elements of the
    /// right side, 256 KiB of f32. On AVX2 256³ at 96.6 % packed, 99.0 % in place; 128 x 3072 x 768 78 % and 64 %.
    /// </summary>
    private const int InPlaceElements = 1 << 16;

    /// <summary>
    /// The maximum tiles of rows in a job: as few as are worthwhile, so that jobs divide evenly (256³ on 2 threads: 5
    /// jobs of 4 tiles ran at 70 % of the FMA peak). More if k is split into blocks, because each chunk brings a block
    /// of panels into the second-level cache again: ViT-B/16's 197 x 3072 x 768 at 87.6 % of the FMA peak with 4, at
    /// 92.4 % with 8 (`accc time examples/models/vit.acc classify … --kernels`, AMD Zen 4 with AVX-512, 1 thread).
    /// </summary>
    private const int ChunkTiles = 4, BlockedChunkTiles = 8;

    private readonly LlvmText text;
    private readonly IndexPrinter index;
    private readonly Contract contract;
    private readonly Tile tile;
    private readonly Size depth;
    private readonly Size rowTiles;
    private readonly Size panels;
    private readonly Size group;
    private readonly Size groups;
    private readonly Size chunks;
    private readonly int unit;
    private readonly LeftSide left;
    private readonly RightSide right;
    private readonly TilePrinter tiles;
    private readonly string scratch;
    private readonly string? packed;

    // For an order of rows that skips steps: the start of each tile, the steps it skips, and, for each tile of a
    // group's columns, whether its right side is known to be finite; the group for which that holds.
    private readonly string starts = "", missed = "";
    private readonly Size proofs;
    private readonly string? proven;

    public ContractPrinter(StatementPrinter statements, LlvmText text, ScalarPrinter scalars, IndexPrinter index,
        Contract contract, LlvmTarget target, string scratch, bool isAlone)
    {
        (this.text, this.index, this.contract, this.scratch) = (text, index, contract, scratch);
        var (m, n) = (index.AtLeastZero(contract.M.Extent), index.AtLeastZero(contract.N.Extent));
        depth = Size.Product(contract.K.Select(k => index.AtLeastZero(k.Extent)));
        tile = Tile.For(target, contract.Accumulator.Type, contract.M.Extent, contract.N.Extent.IsConstant);
        panels = Size.FloorDiv(n + (Tile.Panel - 1), Tile.Panel);
        rowTiles = Size.FloorDiv(m + (tile.Rows - 1), tile.Rows);
        unit = Math.Max(1, tile.Columns / Tile.Panel);

        // As many panels as fit the cache, or as make a job worthwhile; a whole number of tiles. Without blocks of k a
        // panel is as deep as k: 3x3 512 to 512 at 7 x 7 on 2 threads takes 0.84 ms with one panel a group, which
        // leaves many jobs to share, 1.06 ms with seven (`accc time bench/conv.acc nhwc … --conv direct --kernels`, AMD
        // Zen 4 with AVX-512).
        var isOneTile = contract.M.Extent.IsConstant && rowTiles.Value <= 1;
        var units = Size.FloorDiv(panels + (unit - 1), unit);
        var perUnit = Size.Max(1, depth * (Tile.Panel * unit));
        var mayStay = isOneTile || contract.N.Extent.IsConstant && rowTiles.IsConstant && depth.IsConstant
            && (tile.Columns >= Tile.Panel ? rowTiles.Value <= InPlaceTiles
                : depth.Value * contract.N.Extent.Value <= InPlaceElements);
        right = new RightSide(statements, text, scalars, index, contract, tile, depth, mayStay, scratch);
        var access = ContractSides.Rows(contract);
        var way = LeftSide.WayOf(contract, access, right.Inner, tile);
        var together = way == LeftWay.Table ? depth : Size.Min(depth, BlockSteps);
        var most = isOneTile
            ? Size.FloorDiv(JobWork, Size.Max(1, perUnit * Size.Max(1, m)))
            : Size.FloorDiv(GroupPanels * Tile.Panel * BlockSteps, Size.Max(1, together * (Tile.Panel * unit)));
        if (!isOneTile && right.Packs) most = Size.Min(most, Size.FloorDiv(PackedElements, perUnit));
        group = Size.Max(1, Size.Min(units, most));
        if (isAlone && !isOneTile && contract.M.Extent.IsConstant && rowTiles.Value < FewJobs && units.IsConstant
            && perUnit.IsConstant)
        {
            var work = contract.M.Extent.Value * perUnit.Value * units.Value / (JobWork / 2);
            var parts = Math.Min(FewJobs, (long)BitOperations.RoundUpToPowerOf2((ulong)work + 1) / 2);
            if (way is not (LeftWay.InPlace or LeftWay.Table)) parts = Math.Min(parts, 2);
            while (parts > 1 && units.Value % parts != 0) parts /= 2;
            if (parts > 1) group = Size.Min(group, units.Value / parts);
        }
        groups = Size.FloorDiv(units + (group - 1), group);

        left = new LeftSide(statements, text, scalars, index, contract, access, way, tile, depth, right.Inner, scratch,
            from: right.Packs ? Packed(group) : Size.Zero, mayBlock: !isOneTile && !right.IsInPlace, BlockSteps);
        if (left.Order is { } order)
        {
            rowTiles = order.Tiles;
            (starts, missed) = (text.Table("i32", order.Starts.Select(s => (long)s)), text.Table("i64", order.Missed));
        }
        var perTile = Size.Max(1, group * perUnit * tile.Rows);
        var chunk = left.IsBlocked ? BlockedChunkTiles
            : Size.Max(1, Size.Min(ChunkTiles, Size.FloorDiv(JobWork + perTile - 1, perTile)));
        chunks = Size.FloorDiv(rowTiles + (chunk - 1), chunk);
        Jobs = groups * chunks;
        var end = left.End;
        if (left.IsBlocked)
            end += group * (unit * Tile.Panel * BlockedChunkTiles * tile.Rows * contract.Accumulator.Type.Bytes());
        proofs = end;
        if (left.Order is not null && contract.Accumulator.Type.IsFloat)
        {
            proven = text.Slot("i64", 8);
            end += TilesOfGroup * 8;
        }
        tiles = new TilePrinter(statements, text, scalars, index, contract, left, right);
        if (right.Packs) packed = text.Slot("i64", 8);
        ScratchBytes = end + 64;

        // Two separate bounds, because a depth that changes with a loop must not count as its least and its greatest at
        // once.
        Size Packed(Size count) =>
            Size.Min(count * perUnit, perUnit + PackedElements) * contract.Accumulator.Type.Bytes();
    }

    private Size TilesOfGroup => group * (unit * Tile.Panel / tile.Columns);

    /// <summary>The number of jobs of one contraction: groups of panels times chunks of rows.</summary>
    public Size Jobs { get; }

    /// <summary>
    /// The scratch bytes of a worker: a group of panels if the right side is packed, and the left side's scratch.
    /// </summary>
    public Size ScratchBytes { get; }

    /// <summary>Prints the code before the first of some jobs.</summary>
    public void Begin()
    {
        if (packed is not null) text.Do($"store i64 -1, ptr {packed}, align 8");
        if (proven is not null) text.Do($"store i64 -1, ptr {proven}, align 8");
        left.Begin();
    }

    /// <summary>Prints one job.</summary>
    /// <param name="job">Its number within the contraction.</param>
    /// <param name="over">Its number over all contractions of the kernel: jobs of one group are consecutive.</param>
    public void Print(string job, string over)
    {
        var (n, chunkCount) = (index.Scalar(contract.N.Extent), index.Scalar(chunks));
        var chunk = text.Value($"urem i64 {job}, {chunkCount}");
        var group = text.Value($"udiv i64 {job}, {chunkCount}");
        var (u0, u1) = Share(group, index.Scalar(groups), index.Scalar(Size.FloorDiv(panels + (unit - 1), unit)));
        var (begin, end) =
            (text.Value($"mul i64 {u0}, {unit}"), Least(text.Value($"mul i64 {u1}, {unit}"), index.Scalar(panels)));
        Once(packed, () => right.Pack(begin, end, n));
        Once(proven, () =>
            text.For("0", index.Scalar(TilesOfGroup), "1", c => text.Do($"store i64 0, ptr {Proof(c)}, align 8")));
        right.Enter(begin);
        var (t0, t1) = Share(chunk, chunkCount, index.Scalar(rowTiles));
        if (!left.IsBlocked)
        {
            text.For(t0, t1, "1", t => RowTile(t, t0, begin, end, n, null));
            return;
        }
        // A deep contraction is computed block by block of k; between two blocks the sums are in the scratch.
        var (all, blocks) =
            (index.Scalar(depth), index.Scalar(Size.Max(1, Size.FloorDiv(depth + (BlockSteps - 1), BlockSteps))));
        text.For("0", blocks, "1", b =>
        {
            var (from, to) = Share(b, blocks, all);
            var block = new KBlock(from, to, text.Value($"icmp eq i64 {b}, 0"), text.Value($"icmp eq i64 {to}, {all}"));
            text.For(t0, t1, "1", t => RowTile(t, t0, begin, end, n, block));
        });

        // Runs for the first job of a group.
        void Once(string? slot, Action inside)
        {
            if (slot is null) return;
            var key = text.Value($"udiv i64 {over}, {chunkCount}");
            text.If(text.Value($"icmp ne i64 {key}, {text.Value($"load i64, ptr {slot}, align 8")}"), () =>
            {
                inside();
                text.Do($"store i64 {key}, ptr {slot}, align 8");
            });
        }
    }

    /// <summary>The place that records whether the right side of a tile of the group's columns is finite.</summary>
    private string Proof(string tileOfGroup)
    {
        var from = text.Value($"getelementptr i8, ptr {scratch}, i64 {index.Scalar(proofs)}");
        return text.Value($"getelementptr i64, ptr {from}, i64 {tileOfGroup}");
    }

    /// <summary>Prints tile of rows number t: rows are divided evenly if their number is known.</summary>
    private void RowTile(string t, string t0, string begin, string end, string n, KBlock? block)
    {
        void Rows(int rows, string row, string inTile = "0", string? steps = null)
        {
            left.Prepare(rows, row, block);
            var before = text.Value(
                $"add i64 {text.Value($"mul i64 {text.Value($"sub i64 {t}, {t0}")}, {tile.Rows}")}, {inTile}");
            Columns(rows, row, before, begin, end, n, block, steps);
        }
        if (left.Order is { } order)
        {
            var (place, steps) = (text.Entry(starts, "i32", t), text.Entry(missed, "i64", t));
            var count = text.Value($"sub i64 {text.Entry(starts, "i32", text.Value($"add i64 {t}, 1"))}, {place}");
            void Of(int c)
            {
                var rows = order.Counts[c];
                if (c == order.Counts.Length - 1) Rows(rows, place, steps: steps);
                else text.If(text.Value($"icmp eq i64 {count}, {rows}"), () => Rows(rows, place, steps: steps),
                    () => Of(c + 1));
            }
            Of(0);
            return;
        }
        if (contract.M.Extent.IsConstant)
        {
            var (m, count) = (contract.M.Extent.Value, rowTiles.Value);
            if (count <= 0) return;
            var (rows, more) = ((int)(m / count), m % count);
            var start = text.Value($"mul i64 {t}, {rows}");
            if (more == 0) Rows(rows, start);
            else
            {
                var first = text.Value($"icmp slt i64 {t}, {more}");
                start = text.Value($"add i64 {start}, {Least(t, $"{more}")}");
                if (rows == 0) text.If(first, () => Rows(1, start));
                else text.If(first, () => Rows(rows + 1, start), () => Rows(rows, start));
            }
            return;
        }
        var (row, all) = (text.Value($"mul i64 {t}, {tile.Rows}"), index.Scalar(contract.M.Extent));
        text.If(text.Value($"icmp sle i64 {text.Value($"add i64 {row}, {tile.Rows}")}, {all}"),
            () => Rows(tile.Rows, row), () =>
        {
            // The remaining rows: a smaller tile for each bit of their number.
            var at = text.Slot("i64", 8);
            text.Do($"store i64 {row}, ptr {at}, align 8");
            var rest = text.Value($"sub i64 {all}, {row}");
            for (var rows = 8; rows >= 1; rows /= 2)
            {
                if (rows >= tile.Rows) continue;
                var here = rows;
                text.If(text.Value($"icmp ne i64 {text.Value($"and i64 {rest}, {here}")}, 0"), () =>
                {
                    var from = text.Value($"load i64, ptr {at}, align 8");
                    Rows(here, from, text.Value($"sub i64 {from}, {row}"));
                    text.Do($"store i64 {text.Value($"add i64 {from}, {here}")}, ptr {at}, align 8");
                });
            }
        });
    }

    private void Columns(int rows, string row, string rowsBefore, string begin, string end, string n, KBlock? block,
        string? steps)
    {
        var width = tile.Columns;
        var from = Tile.Panel >= width ? text.Value($"mul i64 {begin}, {Tile.Panel / width}")
            : text.Value($"udiv i64 {begin}, {width / Tile.Panel}");
        var last = Least(text.Value($"mul i64 {end}, {Tile.Panel}"), n);
        var whole = text.Value($"udiv i64 {last}, {width}");
        var isKnown = contract.N.Extent.IsConstant;
        var rest = isKnown ? (int)(contract.N.Extent.Value % width) : width;
        void At(string c, int vectors, Tail tail)
        {
            var partial = "";
            if (block is not null)
            {
                // The sums between two blocks, as [rows of the chunk, tile by tile][columns of the group].
                var perRow = index.Scalar(group * (unit * Tile.Panel));
                var before = text.Value($"mul i64 {rowsBefore}, {perRow}");
                var across = text.Value($"mul i64 {text.Value($"sub i64 {c}, {from}")}, {rows * width}");
                var offset = text.Value(
                    $"mul i64 {text.Value($"add i64 {before}, {across}")}, {contract.Accumulator.Type.Bytes()}");
                offset = text.Value($"add i64 {index.Scalar(left.End)}, {offset}");
                partial = text.Value($"getelementptr i8, ptr {scratch}, i64 {offset}");
            }
            var mayMiss = steps is null ? null
                : new MissedSteps(steps, proven is null ? null : Proof(text.Value($"sub i64 {c}, {from}")));
            tiles.Print(rows, row, vectors, text.Value($"mul i64 {c}, {width}"), n, tail, block, partial, mayMiss);
        }

        if (!isKnown && !right.IsInPlace)
        {
            // Panels are complete even if columns are not: one tile serves both cases.
            text.For(from, text.Value($"udiv i64 {text.Value($"add i64 {last}, {width - 1}")}, {width}"), "1", c =>
                At(c, tile.Vectors, Tail.Unknown));
            return;
        }
        if (!isKnown || contract.N.Extent.Value >= width)
            text.For(from, whole, "1", c => At(c, tile.Vectors, Tail.None));
        if (isKnown && rest == 0) return;
        // The rest of the last group is less than a tile.
        var more = text.Value($"icmp slt i64 {text.Value($"mul i64 {whole}, {width}")}, {last}");
        var tail = !isKnown ? Tail.Unknown : rest % Width == 0 ? Tail.None : Tail.Last;
        text.If(more, () => At(whole, (rest + Width - 1) / Width, tail));
    }

    /// <summary>From part·all/parts to (part + 1)·all/parts.</summary>
    private (string From, string To) Share(string part, string parts, string all)
    {
        string Bound(string p) => text.Value($"udiv i64 {text.Value($"mul i64 {p}, {all}")}, {parts}");
        return (Bound(part), Bound(text.Value($"add i64 {part}, 1")));
    }

    private string Least(string a, string b) =>
        text.Value($"select i1 {text.Value($"icmp slt i64 {a}, {b}")}, i64 {a}, i64 {b}");
}
