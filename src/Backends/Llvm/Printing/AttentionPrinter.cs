// In: attention and a register tile. Out: LLVM code for one job: a chunk of query rows against all keys, in blocks.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// The rows of a chunk are packed once, then each block of keys as panels [k][Columns] and of values as panels
/// [s][Columns]. A tile of rows processes a block in three steps: scores into the worker's scratch, weights in their
/// place, weights times values into the sums. In the last tile, rows past the end repeat the last row and are not
/// stored. A single row reads the values in place. No step changes the order in which an accumulator takes its terms.
/// </summary>
internal sealed class AttentionPrinter
{
    private const int Width = IndexPrinter.Width;
    private const int Unroll = 4;

    private readonly StatementPrinter statements;
    private readonly LlvmText text;
    private readonly ScalarPrinter scalars;
    private readonly IndexPrinter index;
    private readonly Attend attend;
    private readonly AttentionTile tile;
    private readonly DType type;
    private readonly string element;
    private readonly string scratch;
    private readonly Size rows;
    private readonly Size chunkRows;
    private readonly Size[] starts;

    // For the current chunk: whether it is one row, and whether all keys are one block.
    private bool inPlace;
    private bool isOnly;

    public AttentionPrinter(StatementPrinter statements, LlvmText text, ScalarPrinter scalars, IndexPrinter index,
        Attend attend, AttentionTile tile, string scratch)
    {
        (this.statements, this.text, this.scalars, this.index) = (statements, text, scalars, index);
        (this.attend, this.tile, this.scratch) = (attend, tile, scratch);
        type = attend.Sum.Type;
        element = Types.Of(type, 0);
        rows = index.AtLeastZero(attend.M.Extent);
        var (depth, columns) = (index.AtLeastZero(attend.K.Extent), index.AtLeastZero(attend.E.Extent));
        chunkRows = rows.IsConstant ? Math.Min(tile.Chunk, Padded((int)Math.Min(rows.Value, tile.Chunk))) : tile.Chunk;
        var padded = Size.FloorDiv(columns + (tile.Columns - 1), tile.Columns) * tile.Columns;
        // Queries, keys, values, scores of a tile, sums, greatest scores, totals, the number of keys of each row.
        Size[] counts =
            [chunkRows * depth, depth * attend.KeyBlock, padded * attend.KeyBlock, (long)tile.Rows * attend.KeyBlock,
            chunkRows * padded, chunkRows, chunkRows, chunkRows * (8 / type.Bytes())];
        starts = new Size[counts.Length + 1];
        starts[0] = Size.Zero;
        for (var i = 0; i < counts.Length; i++) starts[i + 1] = starts[i] + Size.FloorDiv(counts[i] + 15, 16) * 16;
    }

    private enum Room
    {
        Query, Key, Value, Score, Sum, Greatest, Total, Count, End,
    }

    /// <summary>The number of jobs of one attention: chunks of rows.</summary>
    public Size Jobs => Size.FloorDiv(rows + (tile.Chunk - 1), tile.Chunk);

    /// <summary>The scratch bytes of a worker.</summary>
    public Size ScratchBytes => starts[(int)Room.End] * type.Bytes() + 64;

    private int Bytes => type.Bytes();

    private string VectorType => Types.Of(type, Width);

    private int Align => Math.Min(64, Width * Bytes);

    private int Padded(int count) => (count + tile.Rows - 1) / tile.Rows * tile.Rows;

    /// <summary>Prints one job, given the number of its chunk.</summary>
    public void Print(string job)
    {
        var m = index.Scalar(rows);
        string begin = "0", end = m;
        if (!(rows.IsConstant && rows.Value <= tile.Chunk))
        {
            // Chunks of equal size, so that no worker has a longer one.
            var chunks = index.Scalar(Jobs);
            var share = text.Value(
                $"udiv i64 {text.Value($"add i64 {m}, {text.Value($"sub i64 {chunks}, 1")}")}, {chunks}");
            share = Up(share, tile.Rows);
            begin = text.Value($"mul i64 {job}, {share}");
            end = Least(text.Value($"add i64 {begin}, {share}"), m);
        }
        // Chunks consist of whole tiles: if there are many, the last may be empty.
        text.If(text.Value($"icmp slt i64 {begin}, {end}"), () =>
        {
            if (rows.IsConstant)
            {
                Chunk(begin, end, tile.Rows, isSingle: rows.Is(1));
                return;
            }
            var one = text.Value($"icmp eq i64 {text.Value($"sub i64 {end}, {begin}")}, 1");
            text.If(one, () => Chunk(begin, end, 1, isSingle: true),
                () => Chunk(begin, end, tile.Rows, isSingle: false));
        });
    }

    private void Chunk(string begin, string end, int height, bool isSingle)
    {
        inPlace = isSingle;
        var count = text.Value($"sub i64 {end}, {begin}");
        var padded = isSingle ? "1" : Up(count, height);
        isOnly = attend.S.Extent.IsConstant && attend.S.Extent.Value <= attend.KeyBlock;
        var keys = Prepare(begin, end, padded);
        var panels = new AttentionPanels(statements, text, scalars, index, attend, tile);
        void Block(string from, string length)
        {
            panels.PackKeys(At(Room.Key), from, length, keys);
            if (!inPlace) panels.PackValues(At(Room.Value), from, length);
            text.For("0", padded, $"{height}", row => Tile(begin, end, row, height, from, length));
        }
        if (!isOnly)
            text.For("0", keys, $"{attend.KeyBlock}", from =>
                Block(from, Least(text.Value($"sub i64 {keys}, {from}"), $"{attend.KeyBlock}")));
        else if (attend.Until is null && attend.S.Extent.Value > 0) Block("0", keys);
        else if (attend.Until is not null) text.If(text.Value($"icmp sgt i64 {keys}, 0"), () => Block("0", keys));
        Finish(begin, count);
    }

    /// <summary>Sets the rows' queries, sums and numbers of keys; returns the greatest of these.</summary>
    private string Prepare(string begin, string end, string padded)
    {
        var (s, depth) = (index.Scalar(index.AtLeastZero(attend.S.Extent)), index.Scalar(attend.K.Extent));
        var last = text.Value($"sub i64 {end}, 1");
        var most = text.Slot("i64", 8);
        text.Do($"store i64 {(attend.Until is null ? s : "0")}, ptr {most}, align 8");
        text.For("0", padded, "1", row =>
        {
            index.Define(attend.M.Variable, Least(text.Value($"add i64 {begin}, {row}"), last));
            if (attend.Until is { } until)
            {
                statements.Block(until.Block);
                var count = Least(statements.Of(until.Yield).Text, s);
                count = Most(count, "0");
                text.Do($"store i64 {count}, ptr {Of(At(Room.Count), "i64", row)}, align 8");
                text.Do($"store i64 {Most(count, text.Value($"load i64, ptr {most}, align 8"))}, ptr {most}, align 8");
            }
            var query = At(Room.Query, text.Value($"mul i64 {row}, {depth}"));
            statements.ForLanes(attend.K.Variable, "0", depth, attend.K.Extent, () =>
            {
                statements.Block(attend.Query.Block);
                Store(statements.Of(attend.Query.Yield), Of(query, element, index.Lanes!.Start), Bytes);
            });
            text.Do($"store {element} {LlvmText.Float(double.NegativeInfinity)}, ptr {At(Room.Greatest, row)}, align {Bytes}");
            text.Do($"store {element} {LlvmText.Float(0)}, ptr {At(Room.Total, row)}, align {Bytes}");
        });
        text.For("0", text.Value($"mul i64 {padded}, {index.Scalar(Columns)}"), $"{Width}", at =>
            text.Do($"store {VectorType} zeroinitializer, ptr {At(Room.Sum, at)}, align {Align}"));
        return text.Value($"load i64, ptr {most}, align 8");
    }

    /// <summary>The number of elements in a row of sums.</summary>
    private Size Columns =>
        Size.FloorDiv(index.AtLeastZero(attend.E.Extent) + (tile.Columns - 1), tile.Columns) * tile.Columns;

    private void Tile(string begin, string end, string row, int height, string from, string length)
    {
        var (scale, count) = (text.Slot($"[{height} x {element}]"), text.Slot($"[{height} x i64]"));
        // Several rows side by side, because the dependency chains of one row would leave units idle.
        var together = new[] { 4, 3, 2, 1 }.First(g => height % g == 0);
        if (attend.Until is null)
        {
            Steps(length, null);
            return;
        }
        // The number of keys of the block that each row sees, and the maximum.
        var counts = Enumerable.Range(0, height).Select(r =>
        {
            var left = text.Value(
                $"sub i64 {text.Value($"load i64, ptr {Of(At(Room.Count), "i64", Plus(row, r))}, align 8")}, {from}");
            left = Most(Least(left, length), "0");
            text.Do($"store i64 {left}, ptr {Of(count, "i64", $"{r}")}, align 8");
            return left;
        }).ToArray();
        var most = counts.Aggregate(Most);
        text.If(text.Value($"icmp sgt i64 {most}, 0"), () => Steps(most, counts));

        void Steps(string keys, string[]? counts)
        {
            Scores(row, height, keys);
            text.For("0", $"{height}", $"{together}", r =>
                Weights(begin, end, row, r, together, from, keys, scale, count));
            text.For("0", index.Scalar(Size.FloorDiv(Columns, tile.Columns)), "1", panel =>
                Sums(row, height, panel, from, keys, scale, counts));
        }
    }

    /// <summary>
    /// Scores [row][s] of a tile, as products only; for only half of the last panel if that is enough.
    /// </summary>
    private void Scores(string row, int height, string length)
    {
        var depth = index.Scalar(attend.K.Extent);
        var queries = Enumerable.Range(0, height).Select(r =>
            At(Room.Query, text.Value($"mul i64 {Plus(row, r)}, {depth}"))).ToArray();
        void Panel(string column, int vectors)
        {
            var sums = Slots(height, vectors, (_, _) => "zeroinitializer");
            var panel = At(Room.Key, text.Value($"mul i64 {column}, {depth}"));
            Steps("0", depth, attend.K.Extent, at => Step(sums, r => LoadOne(Of(queries[r], element, at)),
                v => LoadVector(Of(panel, element, Plus(text.Value($"mul i64 {at}, {tile.Columns}"), v * Width)))));
            for (var r = 0; r < height; r++)
                for (var v = 0; v < vectors; v++)
                    StoreVector(Read(sums[r, v]), At(Room.Score, Plus(column, r * attend.KeyBlock + v * Width)));
        }
        var whole = tile.Columns / Width;
        if (whole == 1)
        {
            text.For("0", length, $"{Width}", column => Panel(column, 1));
            return;
        }
        var (isKnown, known) = (attend.Until is null && isOnly, attend.S.Extent);
        var full = isKnown ? $"{(known.Value + Width - 1) / tile.Columns * tile.Columns}"
            : text.Value($"and i64 {text.Value($"add i64 {length}, {Width - 1}")}, {-tile.Columns}");
        text.For("0", full, $"{tile.Columns}", column => Panel(column, whole));
        if (isKnown && (known.Value + Width - 1) / tile.Columns * tile.Columns >= known.Value) return;
        text.If(text.Value($"icmp slt i64 {full}, {length}"), () => Panel(full, 1));
    }

    /// <summary>
    /// Replaces the products of some rows of the tile by their weights, and computes the factors for the rows' earlier
    /// sums.
    /// </summary>
    private void Weights(string begin, string end, string row, string first, int together, string from, string length,
        string scale, string count)
    {
        var all = Enumerable.Range(0, together).ToArray();
        var last = text.Value($"sub i64 {end}, 1");
        var r = all.Select(g => Plus(first, g)).ToArray();
        var here = r.Select(at => text.Value($"add i64 {row}, {at}")).ToArray();
        var own = here.Select(at => Least(text.Value($"add i64 {begin}, {at}"), last)).ToArray();
        var keys = r.Select(
            at => attend.Until is null ? length : text.Value($"load i64, ptr {Of(count, "i64", at)}, align 8"))
            .ToArray();
        var scores = r.Select(at => At(Room.Score, text.Value($"mul i64 {at}, {attend.KeyBlock}"))).ToArray();
        string Behind(string n) => from == "0" ? n : text.Value($"add i64 {from}, {n}");
        string Place(int g) =>
            Of(scores[g], element, from == "0" ? index.Lanes!.Start
                : text.Value($"sub i64 {index.Lanes!.Start}, {from}"));
        Operand Number(double value, int lanes = 0) => scalars.Constant(value, type, lanes);
        Operand Higher(Operand a, Operand b) => scalars.Choose(scalars.Compare(ScalarOp.Gt, a, b), a, b);

        var lowest = double.NegativeInfinity;
        var highs = Over(lowest, Higher, g =>
        {
            statements.Bind(attend.Product, LoadVector(Place(g)));
            statements.Block(attend.Score.Block);
            return statements.Of(attend.Score.Yield);
        });
        var shifts = new Operand[together];
        foreach (var g in all)
        {
            var highest = highs[g];
            if (!isOnly) highest = Higher(highest, LoadOne(At(Room.Greatest, here[g])));
            highest = scalars.Compute(ScalarOp.Add, type, highest, Number(0));
            shifts[g] = scalars.Choose(scalars.Compare(ScalarOp.Eq, highest, Number(lowest)), Number(0), highest);
            highs[g] = highest;
        }
        var added = Over(0, (a, b) => scalars.Compute(ScalarOp.Add, type, b, a),
            g => Weight(scalars.Compute(ScalarOp.Sub, type, LoadVector(Place(g)), scalars.Widen(shifts[g], Width))));
        foreach (var g in all)
        {
            var total = added[g];
            if (!isOnly)
            {
                var before = LoadOne(At(Room.Total, here[g]));
                var factor = Weight(
                    scalars.Compute(ScalarOp.Sub, type, LoadOne(At(Room.Greatest, here[g])), shifts[g]));
                factor = scalars.Choose(new(text.Value($"icmp eq i64 {from}, 0"), DType.Bool, 0), Number(0), factor);
                total = scalars.Compute(ScalarOp.Fma, type, factor, before, total);
                if (attend.Until is not null)
                {
                    // A block without a key for the row leaves the row unchanged.
                    var any = new Operand(text.Value($"icmp sgt i64 {keys[g]}, 0"), DType.Bool, 0);
                    (total, factor) = (scalars.Choose(any, total, before), scalars.Choose(any, factor, Number(1)));
                }
                text.Do($"store {element} {factor.Text}, ptr {Of(scale, element, r[g])}, align {Bytes}");
            }
            if (!isOnly || attend.Greatest is not null)
                text.Do($"store {element} {highs[g].Text}, ptr {At(Room.Greatest, here[g])}, align {Bytes}");
            text.Do($"store {element} {total.Text}, ptr {At(Room.Total, here[g])}, align {Bytes}");
        }

        // Reduces each row over its keys, with a lane of the result for each key modulo 16; the terms replace the
        // scores.
        Operand[] Over(double identity, Func<Operand, Operand, Operand> combine, Func<int, Operand> term)
        {
            var slots = all.Select(_ => text.Slot(VectorType)).ToArray();
            foreach (var slot in slots)
                text.Do($"store {VectorType} {Number(identity, Width).Text}, ptr {slot}, align 64");
            void Step(string j, Func<int, string?> mask)
            {
                foreach (var g in all)
                {
                    index.Define(attend.M.Variable, own[g]);
                    index.InLanes(new LaneLoop(attend.S.Variable, j, mask(g)), () =>
                    {
                        var value = scalars.Widen(term(g), Width);
                        StoreVector(value, Place(g));
                        var before = Read(slots[g]);
                        var after = combine(value, before);
                        if (index.Lanes!.Mask is { } some)
                            after = scalars.Choose(new(some, DType.Bool, Width), after, before);
                        text.Do($"store {VectorType} {after.Text}, ptr {slots[g]}, align 64");
                    });
                }
            }
            var (least, most) = (keys[0], keys[0]);
            if (attend.Until is not null) (least, most) = (keys.Aggregate(Least), keys.Aggregate(Most));
            var whole = Behind(text.Value($"and i64 {least}, {-Width}"));
            text.For(from, whole, $"{Width}", j => Step(j, _ => null));
            if (!(isOnly && attend.Until is null && attend.S.Extent.Value % Width == 0))
                text.For(whole, Behind(most), $"{Width}", j => Step(j, g => statements.TailMask(j, Behind(keys[g]))));
            return [.. slots.Select(slot => LaneReduction.Tree(text, Read(slot), (a, b) => combine(b, a)))];
        }
    }

    private Operand Weight(Operand difference)
    {
        statements.Bind(attend.Difference, difference);
        statements.Block(attend.Weight.Block);
        return statements.Of(attend.Weight.Yield);
    }

    /// <summary>One panel of columns of the tile's sums adds the values of a block.</summary>
    private void Sums(string row, int height, string panel, string from, string length, string scale, string[]? counts)
    {
        var column = text.Value($"mul i64 {panel}, {tile.Columns}");
        var stride = index.Scalar(Columns);
        var places = Enumerable.Range(0, height).Select(r =>
            At(Room.Sum, text.Value($"add i64 {text.Value($"mul i64 {Plus(row, r)}, {stride}")}, {column}"))).ToArray();
        var sums =
            Slots(height, tile.Columns / Width, (r, v) => isOnly ? "zeroinitializer"
                : scalars.Compute(ScalarOp.Mul, type, LoadOne(Of(scale, element, $"{r}")),
            LoadVector(Of(places[r], element, $"{v * Width}"))).Text);
        var values = At(Room.Value, text.Value($"mul i64 {column}, {attend.KeyBlock}"));
        Operand Term(int r, string at) => LoadOne(At(Room.Score, Plus(at, r * attend.KeyBlock)));
        Operand Value(int v, string at) => !inPlace
            ? LoadVector(Of(values, element, Plus(text.Value($"mul i64 {at}, {tile.Columns}"), v * Width)))
            : InPlace(Plus(column, v * Width), at);
        void All(string at) => Step(sums, r => Term(r, at), v => Value(v, at));

        if (counts is null || height == 1)
        {
            Steps("0", counts?[0] ?? length, Size.Variable("?"), All);
        }
        else
        {
            // First the keys that all rows see, then the rest of each row.
            var (least, most) = (counts.Aggregate(Least), counts.Aggregate(Most));
            Steps("0", least, Size.Variable("?"), All);
            text.For(least, most, "1", at => Step(sums, r => Term(r, at), v => Value(v, at),
                r => new(text.Value($"icmp slt i64 {at}, {counts[r]}"), DType.Bool, 0)));
        }
        for (var r = 0; r < height; r++)
            for (var v = 0; v < tile.Columns / Width; v++)
                StoreVector(Read(sums[r, v]), Of(places[r], element, $"{v * Width}"));

        Operand InPlace(string start, string at)
        {
            index.Define(attend.S.Variable, from == "0" ? at : text.Value($"add i64 {from}, {at}"));
            Operand read = default;
            var whole = attend.E.Extent.IsConstant && attend.E.Extent.Value % tile.Columns == 0;
            index.InLanes(new LaneLoop(attend.E.Variable, start, whole ? null
                : statements.TailMask(start, index.Scalar(attend.E.Extent))), () =>
            {
                statements.Block(attend.Value.Block);
                read = scalars.Widen(statements.Of(attend.Value.Yield), Width);
            });
            return read;
        }
    }

    private void Finish(string begin, string count)
    {
        var (extent, stride) = (index.Scalar(attend.E.Extent), index.Scalar(Columns));
        text.For("0", count, "1", row =>
        {
            index.Define(attend.M.Variable, text.Value($"add i64 {begin}, {row}"));
            var (total, greatest) = (LoadOne(At(Room.Total, row)), LoadOne(At(Room.Greatest, row)));
            var sums = At(Room.Sum, text.Value($"mul i64 {row}, {stride}"));
            statements.ForLanes(attend.E.Variable, "0", extent, attend.E.Extent, () =>
            {
                statements.Bind(attend.Sum, LoadVector(Of(sums, element, index.Lanes!.Start)));
                statements.Bind(attend.Total, total);
                if (attend.Greatest is not null) statements.Bind(attend.Greatest, greatest);
                statements.Block(attend.Epilogue);
            });
        });
    }

    /// <summary>sum = fma(left, right, sum) for the whole tile, or only for the rows that meet a condition.</summary>
    private void Step(string[,] sums, Func<int, Operand> left, Func<int, Operand> right,
        Func<int, Operand>? where = null)
    {
        var vectors = Enumerable.Range(0, sums.GetLength(1)).Select(right).ToArray();
        for (var r = 0; r < sums.GetLength(0); r++)
        {
            var one = scalars.Widen(left(r), Width);
            var holds = where?.Invoke(r);
            for (var v = 0; v < vectors.Length; v++)
            {
                var before = Read(sums[r, v]);
                var after = scalars.Compute(ScalarOp.Fma, type, one, vectors[v], before);
                if (holds is { } h)
                    after = after with
                    {
                        Text = text.Value(
                        $"select i1 {h.Text}, {VectorType} {after.Text}, {VectorType} {before.Text}")
                    };
                text.Do($"store {VectorType} {after.Text}, ptr {sums[r, v]}, align 64");
            }
        }
    }

    private void Steps(string from, string to, Size extent, Action<string> step)
    {
        var whole = text.Value($"and i64 {to}, {-Unroll}");
        text.For(from, whole, $"{Unroll}", at =>
        {
            for (var u = 0; u < Unroll; u++) step(u == 0 ? at : text.Value($"add i64 {at}, {u}"));
        });
        if (!(extent.IsConstant && extent.Value % Unroll == 0)) text.For(whole, to, "1", step);
    }

    private string[,] Slots(int height, int vectors, Func<int, int, string> first)
    {
        var slots = new string[height, vectors];
        for (var r = 0; r < height; r++)
        {
            for (var v = 0; v < vectors; v++)
            {
                slots[r, v] = text.Slot(VectorType);
                text.Do($"store {VectorType} {first(r, v)}, ptr {slots[r, v]}, align 64");
            }
        }
        return slots;
    }

    private Operand Read(string slot) => new(text.Value($"load {VectorType}, ptr {slot}, align 64"), type, Width);

    private Operand LoadOne(string place) => new(text.Value($"load {element}, ptr {place}, align {Bytes}"), type, 0);

    private Operand LoadVector(string place) =>
        new(text.Value($"load {VectorType}, ptr {place}, align {Align}"), type, Width);

    private void StoreVector(Operand value, string place) =>
        text.Do($"store {VectorType} {value.Text}, ptr {place}, align {Align}");

    /// <summary>Stores only the existing lanes.</summary>
    private void Store(Operand value, string place, int align)
    {
        value = scalars.Widen(value, Width);
        if (index.Lanes!.Mask is not { } mask)
        {
            text.Do($"store {VectorType} {value.Text}, ptr {place}, align {align}");
            return;
        }
        var name = $"@llvm.masked.store.{Types.Suffix(type, Width)}.p0";
        text.Declare($"declare void {name}({VectorType}, ptr, i32 immarg, <{Width} x i1>)");
        text.Do($"call void {name}({VectorType} {value.Text}, ptr {place}, i32 {align}, <{Width} x i1> {mask})");
    }

    private string At(Room room, string? offset = null)
    {
        var start = Of(scratch, element, index.Scalar(starts[(int)room]));
        return offset is null ? start : Of(start, element, offset);
    }

    private string Of(string pointer, string type, string offset) =>
        text.Value($"getelementptr {type}, ptr {pointer}, i64 {offset}");

    private string Plus(string at, int more) => more == 0 ? at : text.Value($"add i64 {at}, {more}");

    private string Up(string count, int multiple) =>
        text.Value(
            $"mul i64 {text.Value($"udiv i64 {text.Value($"add i64 {count}, {multiple - 1}")}, {multiple}")}, {multiple}");

    private string Least(string a, string b) =>
        text.Value($"select i1 {text.Value($"icmp slt i64 {a}, {b}")}, i64 {a}, i64 {b}");

    private string Most(string a, string b) =>
        text.Value($"select i1 {text.Value($"icmp sgt i64 {a}, {b}")}, i64 {a}, i64 {b}");
}
