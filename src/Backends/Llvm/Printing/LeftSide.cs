// In: the left side of a contraction. Out: LLVM code that gives each row of a tile a pointer to its elements along k.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>The ways to read the rows of a left side.</summary>
internal enum LeftWay
{
    InPlace, Table, Copied, Converted, Packed,
}

/// <summary>
/// Rows are read in place if they have one stride along k. If that holds only along the last axes of k (a window of an
/// image: one pixel of it), a table has a pointer for each row and each step of the other axes; outside the image it
/// points to a row of padding. Rows of a narrower dtype are converted first, rows that would map to few sets of the
/// cache are copied; anything else is packed as [k][rows] through the accessor. If rows are reordered, a row's number
/// is its position in that order.
/// </summary>
internal sealed class LeftSide
{
    private const int Width = IndexPrinter.Width;

    private readonly StatementPrinter statements;
    private readonly LlvmText text;
    private readonly ScalarPrinter scalars;
    private readonly IndexPrinter index;
    private readonly Contract contract;
    private readonly Size depth;
    private readonly string scratch;
    private readonly DType type;
    private readonly string element;
    private readonly LeftWay way;
    private readonly RowAccess? access;
    private readonly Size span;
    private readonly Size tableStart;
    private readonly Size paddingStart;
    private readonly Size rowsStart;
    private readonly string order = "";

    // The elements from one row of a tile to the next, if that is constant; the maximum rows of a tile.
    private readonly long? pitch;
    private readonly int tileRows;

    // The prepared rows: how many, their starts (only the first if they are a constant distance apart), and at which k.
    private int rows;
    private string[] starts = [];
    private long? apart;
    private string first = "0";

    public LeftSide(StatementPrinter statements, LlvmText text, ScalarPrinter scalars, IndexPrinter index,
        Contract contract,
        RowAccess? access, LeftWay way, Tile tile, Size depth, int inner, string scratch, Size from, bool mayBlock,
            int blockSteps)
    {
        (this.statements, this.text, this.scalars, this.index) = (statements, text, scalars, index);
        (this.contract, this.depth, this.scratch) = (contract, depth, scratch);
        type = contract.Accumulator.Type;
        element = Types.Of(type, 0);
        (this.access, this.way, tileRows) = (access, way, tile.Rows);
        pitch = way is LeftWay.InPlace or LeftWay.Table ? PitchOf(contract, access!, tile) : null;
        Inner = way == LeftWay.Table ? Math.Min(inner, access!.Run.Inner) : inner;
        InnerCount = Count(contract.K.Skip(contract.K.Length - Inner));
        // Up to half as many more still form one block.
        IsBlocked = mayBlock && !(depth.IsConstant && depth.Value <= blockSteps * 3 / 2)
            && (way is LeftWay.InPlace or LeftWay.Copied or LeftWay.Converted
            || (way == LeftWay.Packed && contract.K.Length == 1));
        span = IsBlocked ? Size.Min(depth, blockSteps) : depth;
        (tableStart, paddingStart, rowsStart, End) = (from, from, from, from);
        if (way == LeftWay.Table)
        {
            paddingStart = tableStart + Count(contract.K.SkipLast(Inner)) * (8 * tile.Rows);
            End = paddingStart;
            if (!access!.Load.Guards.IsEmpty)
            {
                End += Padding * type.Bytes();
                if (TurnedEpilogue.Results(contract) is null)
                    Order = TileOrder.Find(contract, access, contract.K.Length - Inner, tile.Rows);
            }
            if (Order is not null) order = text.Table("i32", Order.Rows.Select(r => (long)r));
        }
        else if (way is LeftWay.Copied or LeftWay.Converted) End += (span + Width) * (tile.Rows * type.Bytes());
        else if (way == LeftWay.Packed) End += span * (tile.Rows * type.Bytes());

        Size Count(IEnumerable<Axis> axes) => Size.Product(axes.Select(k => index.AtLeastZero(k.Extent)));
    }

    /// <param name="contract">The contraction.</param>
    /// <param name="access">Its left side as rows, or null.</param>
    /// <param name="inner">The last axes of k that form one run on the right side.</param>
    /// <param name="tile">The tile.</param>
    public static LeftWay WayOf(Contract contract, RowAccess? access, int inner, Tile tile) => access switch
    {
        null => LeftWay.Packed,
        { IsConverted: true } => LeftWay.Converted,
        _ when access.Run.Inner < contract.K.Length || !access.Load.Guards.IsEmpty || inner < contract.K.Length =>
            LeftWay.Table,
        _ when FallsIntoFewSets(contract, access, tile) => LeftWay.Copied,
        _ => LeftWay.InPlace,
    };

    /// <summary>True if k is split into blocks, and rows are prepared for each.</summary>
    public bool IsBlocked { get; }

    /// <summary>The order of rows, if it is not the natural one.</summary>
    public TileOrder? Order { get; }

    /// <summary>The last axes of k that form one run on both sides.</summary>
    public int Inner { get; }

    /// <summary>The steps of the run.</summary>
    public Size InnerCount { get; }

    /// <summary>The end of this side's scratch, in bytes.</summary>
    public Size End { get; }

    /// <summary>
    /// The elements of the row of padding: a run, plus the distance between the first and the last row of a tile.
    /// </summary>
    private Size Padding => InnerCount * access!.Run.Stride + (pitch ?? 0) * (tileRows - 1);

    /// <summary>The elements from one step of the run to the next.</summary>
    private string Stride => way switch
    {
        LeftWay.InPlace or LeftWay.Table => index.Scalar(access!.Run.Stride),
        LeftWay.Packed => $"{rows}",
        _ => "1",
    };

    /// <summary>The row at a position of the order.</summary>
    public string RowAt(string place) => Order is null ? place : text.Entry(order, "i32", place);

    /// <summary>Fills the row of padding.</summary>
    public void Begin()
    {
        if (way != LeftWay.Table || access!.Load.Guards.IsEmpty) return;
        var fill = type.IsFloat ? scalars.Constant(access.Fill!.Float, type)
            : scalars.Integer(access.Fill!.Integer, type, 0);
        text.For("0", index.Scalar(Padding), "1",
            at => text.Do($"store {element} {fill.Text}, ptr {At(Bytes(paddingStart), at)}, align {type.Bytes()}"));
    }

    /// <summary>Prepares the rows of a tile, for a block of k or all of it.</summary>
    public void Prepare(int count, string row, KBlock? block)
    {
        (rows, first, apart) = (count, block?.From ?? "0", pitch);
        var (from, to) = block is null ? ("0", index.Scalar(depth)) : (block.From, block.To);
        string Row(int r) => RowAt(r == 0 ? row : text.Value($"add i64 {row}, {r}"));
        switch (way)
        {
            case LeftWay.InPlace:
                FirstOfRuns();
                starts = new string[apart is null ? count : 1];
                for (var r = 0; r < starts.Length; r++)
                {
                    index.Define(contract.M.Variable, Row(r));
                    starts[r] = At(statements.Buffer(access!.Load.Buffer), index.Scalar(access.Load.Offset));
                }
                break;
            case LeftWay.Table:
                FillTable(apart is null ? count : 1, row);
                break;
            case LeftWay.Copied or LeftWay.Converted:
                Copy(count, Row, from, to);
                break;
            default:
                Pack(count, Row, block);
                break;
        }
    }

    /// <summary>The lines of the prepared rows, from the start of a run.</summary>
    /// <param name="outer">The flat position along the outer axes of k.</param>
    /// <param name="flat">The flat position along k.</param>
    public Cursor Along(string outer, string flat)
    {
        string[] lines;
        if (way == LeftWay.Table)
        {
            var count = apart is null ? rows : 1;
            var entry = text.Value($"mul i64 {outer}, {count}");
            lines = [.. Enumerable.Range(0, count)
                .Select(r => text.Value($"load ptr, ptr {Entry(entry, r)}, align 8"))];
        }
        else
        {
            if (first != "0" && way != LeftWay.InPlace) flat = text.Value($"sub i64 {flat}, {first}");
            var start = flat == "0" ? flat : text.Value($"mul i64 {flat}, {Stride}");
            lines = [.. starts.Select(p => At(p, start))];
        }
        return new Cursor(text, element, type.Bytes(), lines, Stride);
    }

    /// <summary>The line of a row of the tile, and its distance in elements from the line's own.</summary>
    public (int Line, long Apart) Place(int row) => apart is { } pitch ? (0, row * pitch) : (row, 0);

    /// <summary>
    /// The elements from one row of a tile to the next, if that is the same in every tile. This includes the pixels of
    /// an image if no tile begins in one of its rows and ends in another: their addresses then share a register, while
    /// 14 pointers leave too few. 7x7 on 3 channels at 224 x 224: 2.15 ms with pointers, 2.05 ms without (`accc time
    /// bench/conv.acc nhwc … --kernels`, AMD Zen 4 with AVX-512, 1 thread). Guards that hold for all rows or none (the
    /// gradient of a convolution's weight: rows are channels) do not matter.
    /// </summary>
    private static long? PitchOf(Contract contract, RowAccess access, Tile tile)
    {
        if (access.Load.Guards.Any(g => g.Index.Mentions(contract.M.Variable) || g.Extent.Mentions(contract.M.Variable)))
            return null;
        var offset = access.Load.Offset;
        if (offset.AffineIn(contract.M.Variable) is var (pitch, _)) return Known(pitch);
        if (!contract.M.Extent.IsConstant || contract.M.Extent.Value is var m && m <= 0) return null;
        // In the same way as ContractPrinter divides the rows into tiles.
        var tiles = (m + tile.Rows - 1) / tile.Rows;
        if (m % tiles != 0) return null;
        var ranges = new IndexRanges();
        ranges.Add("row'", m / tiles);
        ranges.Add("tile'", tiles);
        foreach (var k in contract.K) ranges.Add(k.Variable, k.Extent);
        offset =
            offset.Substitute(v => v == contract.M.Variable
                ? Size.Variable("tile'") * (m / tiles) + Size.Variable("row'") : null, ranges);
        return offset.AffineIn("row'") is var (apart, _) ? Known(apart) : null;

        // The row of padding begins where its first row's elements would.
        long? Known(Size apart) =>
            apart.IsConstant && (apart.Value >= 0 || access.Load.Guards.IsEmpty) ? apart.Value : null;
    }

    /// <summary>
    /// True if more than four of a tile's rows share, or may share, a set of a first-level cache (64 sets of 8 lines).
    /// 512³ f32, rows 2 KiB apart: see ContractPrinter for the figures. Every other pixel of 14 x 14 with 1024
    /// channels, 8 KiB apart, to 2048: 2.61 ms read in place, 2.01 ms copied first (ResNet-50's, AMD Zen 4 with
    /// AVX-512, 1 thread).
    /// </summary>
    private static bool FallsIntoFewSets(Contract contract, RowAccess access, Tile tile)
    {
        var isOneTileWide = contract.N.Extent.IsConstant && contract.N.Extent.Value <= tile.Columns;
        if (tile.Rows < 5 || !access.Run.Stride.Is(1) || isOneTileWide) return false;
        Func<int, long> at;
        var offset = access.Load.Offset;
        if (offset.AffineIn(contract.M.Variable) is var (pitch, _))
        {
            if (!pitch.IsConstant) return true;
            at = r => r * pitch.Value;
        }
        else
        {
            // Every other pixel of an image: the first tile represents all.
            if (!offset.Variables().All(v => v == contract.M.Variable || contract.K.Any(k => k.Variable == v)))
                return false;
            at = r => offset.Evaluate(v => v == contract.M.Variable ? r : 0);
        }
        var bytes = contract.Accumulator.Type.Bytes();
        return Enumerable.Range(0, tile.Rows).CountBy(r => at(r) * bytes / 64 % 64).Max(s => s.Value) > 4;
    }

    /// <summary>Sets the inner axes of k to 0: the start of a run.</summary>
    private void FirstOfRuns()
    {
        foreach (var k in contract.K.Skip(contract.K.Length - Inner)) index.Define(k.Variable, "0");
    }

    /// <summary>
    /// As a loop over rows: 3x3 256 to 256 at 14 x 14 compiles in 44 ms this way, in 62 ms row by row, and runs as
    /// fast.
    /// </summary>
    private void FillTable(int count, string place)
    {
        var load = access!.Load;
        FirstOfRuns();
        text.For("0", $"{count}", "1", r =>
        {
            index.Define(contract.M.Variable, RowAt(text.Value($"add i64 {place}, {r}")));
            contract.OverK(text, index, contract.K.Length - Inner, outer =>
            {
                var pointer = At(statements.Buffer(load.Buffer), index.Scalar(load.Offset));
                if (statements.Holds(load.Guards) is { } holds)
                    pointer = text.Value($"select i1 {holds.Text}, ptr {pointer}, ptr {Bytes(paddingStart)}");
                var entry = text.Value($"add i64 {text.Value($"mul i64 {outer}, {count}")}, {r}");
                text.Do($"store ptr {pointer}, ptr {Entry(entry, 0)}, align 8");
            });
        });
    }

    private string Entry(string entry, int r) =>
        text.Value(
            $"getelementptr ptr, ptr {Bytes(tableStart)}, i64 {(r == 0 ? entry : text.Value($"add i64 {entry}, {r}"))}");

    private void Copy(int count, Func<int, string> row, string begin, string end)
    {
        var load = access!.Load;
        var memory = Types.Memory(load.Result.Type);
        var pitch = index.Scalar(span + Width);
        var (from, to) = (new string[count], new string[count]);
        foreach (var axis in contract.K) index.Define(axis.Variable, "0");
        for (var r = 0; r < count; r++)
        {
            index.Define(contract.M.Variable, row(r));
            from[r] = text.Value(
                $"getelementptr {memory}, ptr {statements.Buffer(load.Buffer)}, i64 {text.Value($"add i64 {index.Scalar(load.Offset)}, {begin}")}");
            to[r] = At(Bytes(rowsStart), text.Value($"mul i64 {pitch}, {r}"));
        }
        if (span.IsConstant) apart = span.Value + Width;
        starts = apart is null ? to : [to[0]];
        void Move(string at, int lanes)
        {
            for (var r = 0; r < count; r++)
            {
                var source = text.Value($"getelementptr {memory}, ptr {from[r]}, i64 {at}");
                var read = text.Value(
                    $"load {Types.Vector(memory, lanes)}, ptr {source}, align {load.Result.Type.Bytes()}");
                var value = statements.FromMemory(read, load.Result.Type, lanes);
                if (way == LeftWay.Converted) value = scalars.Compute(ScalarOp.Convert, type, value);
                text.Do($"store {value.LlvmType} {value.Text}, ptr {At(to[r], at)}, align {type.Bytes()}");
            }
        }
        var k = text.Value($"sub i64 {end}, {begin}");
        var whole = text.Value($"and i64 {k}, {-Width}");
        text.For("0", whole, $"{Width}", at => Move(at, Width));
        text.For(whole, k, "1", at => Move(at, 0));
    }

    private void Pack(int count, Func<int, string> row, KBlock? block)
    {
        var packed = Bytes(rowsStart);
        var numbers = Enumerable.Range(0, count).Select(row).ToArray();
        // Rows that are contiguous in memory are copied together.
        var together = contract.Left.Statements is [Load { Guards.IsEmpty: true } load]
            && load.Result == contract.LeftYield
            && load.Offset.AffineIn(contract.M.Variable) is var (one, _) && one.Is(1) ? load : null;
        void Step(string k)
        {
            if (together is not null && count > 1)
            {
                index.Define(contract.M.Variable, numbers[0]);
                var many = Types.Vector(element, count);
                var read = text.Value(
                    $"load {many}, ptr {At(statements.Buffer(together.Buffer), index.Scalar(together.Offset))}, align {type.Bytes()}");
                text.Do($"store {many} {read}, ptr {At(packed, text.Value($"mul i64 {k}, {count}"))}, align {type.Bytes()}");
                return;
            }
            for (var r = 0; r < count; r++)
            {
                index.Define(contract.M.Variable, numbers[r]);
                statements.Block(contract.Left);
                var to = At(packed, text.Value($"add i64 {text.Value($"mul i64 {k}, {count}")}, {r}"));
                text.Do($"store {element} {statements.Of(contract.LeftYield).Text}, ptr {to}, align {type.Bytes()}");
            }
        }
        if (block is null) contract.OverK(text, index, contract.K.Length, Step);
        else
        {
            text.For(block.From, block.To, "1", k =>
            {
                index.Define(contract.K[0].Variable, k);
                Step(text.Value($"sub i64 {k}, {block.From}"));
            });
        }
        (starts, apart) = ([packed], 1);
    }

    private string Bytes(Size offset) => text.Value($"getelementptr i8, ptr {scratch}, i64 {index.Scalar(offset)}");

    private string At(string pointer, string offset) =>
        text.Value($"getelementptr {element}, ptr {pointer}, i64 {offset}");
}
