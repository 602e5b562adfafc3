// In: a contraction and a register tile. Out: LLVM code for one job: a packed panel of the right side, times rows of the left.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// The microkernel. A job is one panel of Columns columns and a chunk of rows. The panel [k][Columns] is packed through the
/// right side's accessor into the worker's scratch; a row of the left side is read in place when its elements along k have
/// one stride; where they are neighbours of a narrower dtype, rows are converted into the scratch, 16 elements at a time;
/// else a tile [k][Rows] is packed through its accessor. Every accumulator takes k in order: tiles, panels and
/// jobs do not change a bit.
/// </summary>
internal sealed class ContractPrinter
{
    private const int Width = IndexPrinter.Width;
    private const int Unroll = 4;

    private readonly StatementPrinter statements;
    private readonly LlvmText text;
    private readonly ScalarPrinter scalars;
    private readonly IndexPrinter index;
    private readonly Contract contract;
    private readonly Tile tile;
    private readonly string scratch;
    private readonly DType type;
    private readonly string element;
    private readonly Size depth;
    private readonly (Load Load, Size Start, Size Stride)? direct;
    private readonly (Load Load, Size Start, Size Stride)? converted;

    public ContractPrinter(StatementPrinter statements, LlvmText text, ScalarPrinter scalars, IndexPrinter index, Contract contract, Tile tile, string scratch)
    {
        (this.statements, this.text, this.scalars, this.index) = (statements, text, scalars, index);
        (this.contract, this.tile, this.scratch) = (contract, tile, scratch);
        type = contract.Accumulator.Type;
        element = Types.Of(type, 0);
        depth = Size.Product(contract.K.Select(k => index.AtLeastZero(k.Extent)));
        var rows = Rows(contract);
        if (contract.Left.Statements.Length == 1) direct = rows;
        else if (rows is { Stride: var stride } && stride.Is(1)) converted = rows;
        Jobs = Size.FloorDiv(index.AtLeastZero(contract.N.Extent) + (tile.Columns - 1), tile.Columns) * Chunks;
    }

    /// <summary>Jobs of one contraction: panels times chunks of rows.</summary>
    public Size Jobs { get; }

    /// <summary>Bytes a worker needs: the panel, and the left tile where that is packed.</summary>
    public Size ScratchBytes => (PanelElements + (direct is null ? depth * tile.Rows : Size.Zero)) * type.Bytes() + 64;

    private Size PanelElements => depth * tile.Columns;

    private Size Chunks => Size.FloorDiv(index.AtLeastZero(contract.M.Extent) + (tile.Chunk - 1), tile.Chunk);

    private int Bytes => type.Bytes();

    /// <summary>The left side as rows: one load, no guards, one stride along the flattened k; converted or not.</summary>
    private static (Load Load, Size Start, Size Stride)? Rows(Contract contract)
    {
        if (contract.Left.Statements is not [Load { Guards.IsEmpty: true } load, .. var others]) return null;
        var isYield = others switch
        {
            [] => load.Result == contract.LeftYield,
            [Compute { Op: ScalarOp.Convert } c] => c.Arguments[0] == load.Result && c.Result == contract.LeftYield,
            _ => false,
        };
        if (!isYield) return null;
        var start = load.Offset;
        Size? stride = null;
        for (var i = contract.K.Length - 1; i >= 0; i--)
        {
            if (start.AffineIn(contract.K[i].Variable) is not var (coefficient, rest)) return null;
            start = rest;
            if (contract.K[i].Extent.Is(1)) continue;
            var inner = Size.Product(contract.K.Skip(i + 1).Select(k => k.Extent));
            if (stride is null) stride = inner.Is(1) ? coefficient : null;
            else if (!coefficient.Equals(stride * inner)) return null;
            if (stride is null) return null;
        }
        // The stride is the same for all rows of a tile.
        return stride?.Mentions(contract.M.Variable) == true ? null : (load, start, stride ?? Size.One);
    }

    /// <summary>Prints one job; the number is that of panel and chunk inside the contraction.</summary>
    public void Print(string job)
    {
        var (m, n, k) = (index.Scalar(contract.M.Extent), index.Scalar(contract.N.Extent), index.Scalar(depth));
        var chunks = index.Scalar(Chunks);
        var panel = text.Value($"udiv i64 {job}, {chunks}");
        var chunk = text.Value($"urem i64 {job}, {chunks}");
        var column = text.Value($"mul i64 {panel}, {tile.Columns}");
        var begin = text.Value($"mul i64 {chunk}, {tile.Chunk}");
        var end = Least(text.Value($"add i64 {begin}, {tile.Chunk}"), m);

        PackPanel(column, n);
        var whole = contract.M.Extent.IsConstant && contract.M.Extent.Value < tile.Rows
            ? begin
            : text.Value($"add i64 {begin}, {text.Value($"mul i64 {text.Value($"udiv i64 {text.Value($"sub i64 {end}, {begin}")}, {tile.Rows}")}, {tile.Rows}")}");
        if (whole != begin) text.For(begin, whole, $"{tile.Rows}", row => PrintTile(tile.Rows, row, column, n, k));
        // The rows that are left: as one smaller tile when their number is known, else one by one.
        if (contract.M.Extent.IsConstant && contract.M.Extent.Value <= tile.Chunk)
        {
            var rest = (int)(contract.M.Extent.Value % tile.Rows);
            if (rest > 0) PrintTile(rest, whole, column, n, k);
        }
        else
        {
            text.For(whole, end, "1", row => PrintTile(1, row, column, n, k));
        }
    }

    private string Least(string a, string b) =>
        text.Value($"select i1 {text.Value($"icmp slt i64 {a}, {b}")}, i64 {a}, i64 {b}");

    private string At(string pointer, string type, string offset) => text.Value($"getelementptr {type}, ptr {pointer}, i64 {offset}");

    /// <summary>Loops over k in order; the inside gets the flat position.</summary>
    private void OverK(Action<string> inside)
    {
        void Level(int i, string flat)
        {
            if (i == contract.K.Length)
            {
                inside(flat);
                return;
            }
            var extent = index.Scalar(contract.K[i].Extent);
            text.For("0", extent, "1", k =>
            {
                index.Define(contract.K[i].Variable, k);
                var here = i == 0 ? k : text.Value($"add i64 {text.Value($"mul i64 {flat}, {extent}")}, {k}");
                Level(i + 1, here);
            });
        }
        Level(0, "0");
    }

    private void PackPanel(string column, string n)
    {
        var divides = contract.N.Extent.IsConstant && contract.N.Extent.Value % tile.Columns == 0;
        void Pack(bool masked) => OverK(k =>
        {
            for (var v = 0; v < tile.Columns; v += Width)
            {
                var start = v == 0 ? column : text.Value($"add i64 {column}, {v}");
                string? Mask() => masked ? statements.TailMask(start, n) : null;
                void Columns() => index.InLanes(new LaneLoop(contract.N.Variable, start, Mask()), () =>
                {
                    statements.Block(contract.Right);
                    var value = scalars.Widen(statements.Of(contract.RightYield), Width);
                    var to = At(scratch, element, text.Value($"add i64 {text.Value($"mul i64 {k}, {tile.Columns}")}, {v}"));
                    text.Do($"store {value.LlvmType} {value.Text}, ptr {to}, align {Math.Min(64, Width * Bytes)}");
                });
                // Of a block of columns at least one exists: what does not differ between them is read without a mask.
                if (masked && v > 0) text.If(text.Value($"icmp slt i64 {start}, {n}"), Columns);
                else Columns();
            }
        });
        if (divides)
        {
            Pack(masked: false);
            return;
        }
        var whole = text.Value($"icmp sle i64 {text.Value($"add i64 {column}, {tile.Columns}")}, {n}");
        text.If(whole, () => Pack(masked: false), () => Pack(masked: true));
    }

    private void PrintTile(int rows, string row, string column, string n, string k)
    {
        var vectors = tile.Columns / Width;
        var vector = Types.Of(type, Width);
        var (starts, stride) = direct is not null ? RowPointers(rows, row)
            : converted is not null ? ConvertRows(rows, row, k)
            : PackLeft(rows, row);

        var sums = new string[rows, vectors];
        for (var r = 0; r < rows; r++)
        {
            for (var v = 0; v < vectors; v++)
            {
                sums[r, v] = text.Slot(vector);
                text.Do($"store {vector} zeroinitializer, ptr {sums[r, v]}, align 64");
            }
        }

        void Step(string at)
        {
            var panel = At(scratch, element, text.Value($"mul i64 {at}, {tile.Columns}"));
            var right = new Operand[vectors];
            for (var v = 0; v < vectors; v++)
                right[v] = new(text.Value($"load {vector}, ptr {At(panel, element, $"{v * Width}")}, align {Math.Min(64, Width * Bytes)}"), type, Width);
            var offset = text.Value($"mul i64 {at}, {stride}");
            for (var r = 0; r < rows; r++)
            {
                var left = scalars.Widen(new(text.Value($"load {element}, ptr {At(starts[r], element, offset)}, align {Bytes}"), type, 0), Width);
                for (var v = 0; v < vectors; v++)
                {
                    var sum = new Operand(text.Value($"load {vector}, ptr {sums[r, v]}, align 64"), type, Width);
                    text.Do($"store {vector} {scalars.Compute(ScalarOp.Fma, type, left, right[v], sum).Text}, ptr {sums[r, v]}, align 64");
                }
            }
        }
        var unrolled = text.Value($"and i64 {k}, {-Unroll}");
        text.For("0", unrolled, $"{Unroll}", at =>
        {
            for (var u = 0; u < Unroll; u++) Step(u == 0 ? at : text.Value($"add i64 {at}, {u}"));
        });
        if (!(depth.IsConstant && depth.Value % Unroll == 0)) text.For(unrolled, k, "1", Step);
        Epilogue(rows, row, column, n, sums);
    }

    private (string[] Starts, string Stride) RowPointers(int rows, string row)
    {
        var (load, start, stride) = direct!.Value;
        var pointers = new string[rows];
        for (var r = 0; r < rows; r++)
        {
            index.Define(contract.M.Variable, r == 0 ? row : text.Value($"add i64 {row}, {r}"));
            pointers[r] = At(statements.Buffer(load.Buffer), element, index.Scalar(start));
        }
        return (pointers, index.Scalar(stride));
    }

    private (string[] Starts, string Stride) ConvertRows(int rows, string row, string k)
    {
        var (load, start, _) = converted!.Value;
        var memory = Types.Memory(load.Result.Type);
        var packed = At(scratch, element, index.Scalar(PanelElements));
        var (from, to) = (new string[rows], new string[rows]);
        for (var r = 0; r < rows; r++)
        {
            index.Define(contract.M.Variable, r == 0 ? row : text.Value($"add i64 {row}, {r}"));
            from[r] = At(statements.Buffer(load.Buffer), memory, index.Scalar(start));
            to[r] = At(packed, element, text.Value($"mul i64 {k}, {r}"));
        }
        void Convert(string at, int lanes)
        {
            for (var r = 0; r < rows; r++)
            {
                var read = text.Value($"load {Types.Vector(memory, lanes)}, ptr {At(from[r], memory, at)}, align {load.Result.Type.Bytes()}");
                var value = scalars.Compute(ScalarOp.Convert, type, statements.FromMemory(read, load.Result.Type, lanes));
                text.Do($"store {value.LlvmType} {value.Text}, ptr {At(to[r], element, at)}, align {Bytes}");
            }
        }
        var whole = text.Value($"and i64 {k}, {-Width}");
        text.For("0", whole, $"{Width}", at => Convert(at, Width));
        text.For(whole, k, "1", at => Convert(at, 0));
        return (to, "1");
    }

    private (string[] Starts, string Stride) PackLeft(int rows, string row)
    {
        var packed = At(scratch, element, index.Scalar(PanelElements));
        OverK(k =>
        {
            for (var r = 0; r < rows; r++)
            {
                index.Define(contract.M.Variable, r == 0 ? row : text.Value($"add i64 {row}, {r}"));
                statements.Block(contract.Left);
                var to = At(packed, element, text.Value($"add i64 {text.Value($"mul i64 {k}, {rows}")}, {r}"));
                text.Do($"store {element} {statements.Of(contract.LeftYield).Text}, ptr {to}, align {Bytes}");
            }
        });
        return ([.. Enumerable.Range(0, rows).Select(r => At(packed, element, $"{r}"))], $"{rows}");
    }

    /// <summary>The accumulators go through memory once, so that the epilogue's code stands here once, not for every row.</summary>
    private void Epilogue(int rows, string row, string column, string n, string[,] sums)
    {
        var vectors = tile.Columns / Width;
        var vector = Types.Of(type, Width);
        var spill = text.Slot($"[{rows * vectors} x {vector}]");
        for (var r = 0; r < rows; r++)
            for (var v = 0; v < vectors; v++)
                text.Do($"store {vector} {text.Value($"load {vector}, ptr {sums[r, v]}, align 64")}, ptr {At(spill, vector, $"{r * vectors + v}")}, align {Math.Min(64, Width * Bytes)}");
        text.For("0", $"{rows}", "1", r =>
        {
            index.Define(contract.M.Variable, text.Value($"add i64 {row}, {r}"));
            for (var v = 0; v < vectors; v++)
            {
                var start = v == 0 ? column : text.Value($"add i64 {column}, {v * Width}");
                var from = At(spill, vector, text.Value($"add i64 {text.Value($"mul i64 {r}, {vectors}")}, {v}"));
                var sum = new Operand(text.Value($"load {vector}, ptr {from}, align {Math.Min(64, Width * Bytes)}"), type, Width);
                void Finish(string? mask) => index.InLanes(new LaneLoop(contract.N.Variable, start, mask), () =>
                {
                    statements.Bind(contract.Accumulator, sum);
                    statements.Block(contract.Epilogue);
                });
                if (contract.N.Extent.IsConstant && contract.N.Extent.Value % tile.Columns == 0)
                {
                    Finish(null);
                    continue;
                }
                var whole = text.Value($"icmp sle i64 {text.Value($"add i64 {start}, {Width}")}, {n}");
                void Tail() => Finish(statements.TailMask(start, n));
                void TailIfAny() => text.If(text.Value($"icmp slt i64 {start}, {n}"), Tail);
                text.If(whole, () => Finish(null), v == 0 ? Tail : TailIfAny);
            }
        });
    }
}
