// In: the right side of a contraction. Out: LLVM code that packs its panels, or reads its vectors in place.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Three ways: panels [k][32] that are already in the buffer; reading in place along n, if it is contiguous there, for
/// few tiles of rows; otherwise panels in the worker's scratch, packed through the accessor.
/// </summary>
internal sealed class RightSide
{
    private const int Width = IndexPrinter.Width;

    private readonly StatementPrinter statements;
    private readonly LlvmText text;
    private readonly ScalarPrinter scalars;
    private readonly IndexPrinter index;
    private readonly Contract contract;
    private readonly Tile tile;
    private readonly Size depth;
    private readonly string scratch;
    private readonly DType type;
    private readonly string element;
    private readonly PanelAccess? panels;
    private readonly ColumnAccess? columns;
    private readonly KRows? transposed;
    private string first = "0";

    public RightSide(StatementPrinter statements, LlvmText text, ScalarPrinter scalars, IndexPrinter index,
        Contract contract,
        Tile tile, Size depth, bool mayStay, string scratch)
    {
        (this.statements, this.text, this.scalars, this.index) = (statements, text, scalars, index);
        (this.contract, this.tile, this.depth, this.scratch) = (contract, tile, depth, scratch);
        type = contract.Accumulator.Type;
        element = Types.Of(type, 0);
        panels = ContractSides.Panels(contract);
        if (panels is null && mayStay) columns = ContractSides.Columns(contract);
        if (panels is null && columns is null) transposed = ContractSides.Transposed(contract);
        Inner = columns?.Run.Inner ?? contract.K.Length;
    }

    /// <summary>The last axes of k along which a vector moves by one stride.</summary>
    public int Inner { get; }

    public bool Packs => panels is null && columns is null;

    /// <summary>True if read in place along n: nothing may be read after the last column.</summary>
    public bool IsInPlace => columns is not null;

    /// <summary>The elements from one step of the run to the next.</summary>
    private string Stride => columns is { } c ? index.Scalar(c.Run.Stride) : $"{Tile.Panel}";

    private int Align => Math.Min(64, Width * type.Bytes());

    /// <summary>Begins a job whose group starts with this panel.</summary>
    public void Enter(string panel) => first = panel;

    /// <summary>The lines of a tile's vectors, for the current outer axes of k.</summary>
    /// <param name="vectors">The number of vectors in the tile.</param>
    /// <param name="column">The tile's first column.</param>
    /// <param name="flat">The flat position along k of the run's first step.</param>
    public Cursor Along(int vectors, string column, string flat)
    {
        var count = Place(vectors - 1).Line + 1;
        return new Cursor(text, element, type.Bytes(),
            [.. Enumerable.Range(0, count).Select(line => Line(line, column, flat))], Stride);
    }

    /// <summary>The line of vector v of a tile, and its distance in elements from the line's first.</summary>
    public (int Line, long Apart) Place(int v) =>
        IsInPlace ? (0, v * Width) : (v * Width / Tile.Panel, v * Width % Tile.Panel);

    private string Line(int line, string column, string flat)
    {
        if (columns is { } c)
        {
            index.Define(contract.N.Variable, column);
            return At(statements.Buffer(c.Load.Buffer), index.Scalar(c.Load.Offset));
        }
        var panel = text.Value($"udiv i64 {column}, {Tile.Panel}");
        if (line > 0) panel = text.Value($"add i64 {panel}, {line}");
        string buffer;
        string start;
        if (panels is { } p)
        {
            buffer = statements.Buffer(p.Load.Buffer);
            start = text.Value(
                $"add i64 {index.Scalar(p.Start)}, {text.Value($"mul i64 {panel}, {index.Scalar(p.Stride)}")}");
        }
        else
        {
            buffer = scratch;
            start = text.Value(
                $"mul i64 {text.Value($"sub i64 {panel}, {first}")}, {index.Scalar(depth * Tile.Panel)}");
        }
        var along = text.Value($"mul i64 {flat}, {Tile.Panel}");
        if (tile.Columns < Tile.Panel)
            along = text.Value($"add i64 {along}, {text.Value($"and i64 {column}, {Tile.Panel - 1}")}");
        return At(buffer, text.Value($"add i64 {start}, {along}"));
    }

    /// <summary>Reads a vector, with a mask if not all of it exists.</summary>
    public Operand Read(string pointer, int lanes, string? mask)
    {
        var vector = Types.Of(type, lanes);
        var align = Packs ? Math.Min(64, lanes * type.Bytes()) : type.Bytes();
        if (!IsInPlace || mask is null)
            return new(text.Value($"load {vector}, ptr {pointer}, align {align}"), type, lanes);
        var bits = Types.Vector("i1", lanes);
        if (lanes < Width)
        {
            mask = text.Value(
                $"shufflevector {Types.Vector("i1", Width)} {mask}, {Types.Vector("i1", Width)} poison, <{lanes} x i32> <{Types.Lanes(0, lanes)}>");
        }
        var suffix = Types.SuffixMemory(type, lanes);
        text.Declare($"declare {vector} @llvm.masked.load.{suffix}.p0(ptr, i32 immarg, {bits}, {vector})");
        return new(text.Value(
            $"call {vector} @llvm.masked.load.{suffix}.p0(ptr {pointer}, i32 {align}, {bits} {mask}, {vector} zeroinitializer)"),
                type, lanes);
    }

    /// <summary>
    /// Packs the panels from begin to end into the scratch. Columns are packed one step of k at a time over all panels,
    /// so that contiguous elements are read consecutively (512³, 1 thread: 2.43 ms, panel by panel 2.52 ms).
    /// </summary>
    public void Pack(string begin, string end, string n)
    {
        var size = index.Scalar(depth * Tile.Panel);
        string To(string panel) =>
            At(scratch, text.Value($"mul i64 {text.Value($"sub i64 {panel}, {begin}")}, {size}"));
        string Column(string panel) => text.Value($"mul i64 {panel}, {Tile.Panel}");
        if (transposed is { } rows)
        {
            text.For(begin, end, "1", panel => PackRows(rows, Column(panel), n, To(panel)));
            return;
        }
        var isWhole = contract.N.Extent.IsConstant && contract.N.Extent.Value % Tile.Panel == 0;
        var whole = end;
        if (!isWhole)
        {
            whole = text.Value($"udiv i64 {n}, {Tile.Panel}");
            whole = text.Value($"select i1 {text.Value($"icmp slt i64 {whole}, {end}")}, i64 {whole}, i64 {end}");
        }
        OverK(k => text.For(begin, whole, "1", panel => PackColumns(k, Column(panel), n, To(panel), masked: false)));
        // The last panel, if it is incomplete.
        if (!isWhole) text.If(text.Value($"icmp slt i64 {whole}, {end}"), () =>
            OverK(k => PackColumns(k, Column(whole), n, To(whole), masked: true)));
    }

    /// <summary>
    /// Loops over all of k in the memory order of the right side: in k's own order the taps of a convolution's weights
    /// would need as many passes. The inside receives the flat position.
    /// </summary>
    private void OverK(Action<string> inside)
    {
        if (ContractSides.ByStride(contract) is not { } order)
        {
            contract.OverK(text, index, contract.K.Length, inside);
            return;
        }
        void Level(int i)
        {
            if (i == order.Length) inside(index.Scalar(Flat));
            else text.For("0", index.Scalar(order[i].Extent), "1", k =>
            {
                index.Define(order[i].Variable, k);
                Level(i + 1);
            });
        }
        Level(0);
    }

    /// <summary>The flat position along k of where its axes' variables are.</summary>
    private Size Flat =>
        contract.K.Aggregate(Size.Zero, (flat, k) => flat * k.Extent + Size.Variable(k.Variable));

    private void PackColumns(string k, string column, string n, string panel, bool masked)
    {
        for (var v = 0; v < Tile.Panel; v += Width)
        {
            var start = v == 0 ? column : text.Value($"add i64 {column}, {v}");
            string? Mask() => masked ? statements.TailMask(start, n) : null;
            void Columns() => index.InLanes(new LaneLoop(contract.N.Variable, start, Mask()), () =>
            {
                statements.Block(contract.Right);
                var value = scalars.Widen(statements.Of(contract.RightYield), Width);
                var to = At(panel, text.Value($"add i64 {text.Value($"mul i64 {k}, {Tile.Panel}")}, {v}"));
                text.Do($"store {value.LlvmType} {value.Text}, ptr {to}, align {Align}");
            });
            // At least one column of a block exists, so what is equal for all columns is read without a mask. Missing
            // elements are zero: they do not affect a result, but must not be signalling values.
            if (masked && v > 0) text.If(text.Value($"icmp slt i64 {start}, {n}"), Columns);
            else Columns();
        }
    }

    /// <summary>Packs sixteen rows of sixteen contiguous elements along k at a time, transposed in registers.</summary>
    private void PackRows(KRows rows, string column, string n, string panel)
    {
        var memory = statements.Buffer(rows.Load.Buffer);
        var (k, last) = (index.Scalar(depth), text.Value($"sub i64 {n}, 1"));
        var whole = text.Value($"and i64 {k}, {-Width}");
        for (var v = 0; v < Tile.Panel; v += Width)
        {
            // After the last column, repeats the last one: its sums are not stored.
            var starts = new string[Width];
            for (var j = 0; j < Width; j++)
            {
                var at = text.Value($"add i64 {column}, {v + j}");
                at = text.Value($"select i1 {text.Value($"icmp slt i64 {at}, {last}")}, i64 {at}, i64 {last}");
                var offset = text.Value(
                    $"add i64 {index.Scalar(rows.Start)}, {text.Value($"mul i64 {at}, {index.Scalar(rows.Stride)}")}");
                starts[j] = At(memory, offset);
            }
            string To(string at, int lane) =>
                At(panel, text.Value($"add i64 {text.Value($"mul i64 {Placed(rows, at)}, {Tile.Panel}")}, {v + lane}"));
            var lanes = Types.Of(type, Width);
            text.For("0", whole, $"{Width}", s =>
            {
                var block = starts.Select(p => text.Value($"load {lanes}, ptr {At(p, s)}, align {type.Bytes()}"))
                    .ToArray();
                var turned = TurnedBlock.Turn(text, block, element);
                for (var j = 0; j < Width; j++)
                    text.Do($"store {lanes} {turned[j]}, ptr {To(text.Value($"add i64 {s}, {j}"), 0)}, align {Align}");
            });
            text.For(whole, k, "1", s =>
            {
                for (var j = 0; j < Width; j++)
                {
                    var one = text.Value($"load {element}, ptr {At(starts[j], s)}, align {type.Bytes()}");
                    text.Do($"store {element} {one}, ptr {To(s, j)}, align {type.Bytes()}");
                }
            });
        }
    }

    /// <summary>The position along k of a position in the memory order of rows.</summary>
    private string Placed(KRows rows, string at)
    {
        if (rows.Order.SequenceEqual(contract.K)) return at;
        for (var i = rows.Order.Length - 1; i >= 0; i--)
        {
            var extent = index.Scalar(rows.Order[i].Extent);
            index.Define(rows.Order[i].Variable, i == 0 ? at : text.Value($"urem i64 {at}, {extent}"));
            if (i > 0) at = text.Value($"udiv i64 {at}, {extent}");
        }
        return index.Scalar(Flat);
    }

    private string At(string pointer, string offset) =>
        text.Value($"getelementptr {element}, ptr {pointer}, i64 {offset}");
}
