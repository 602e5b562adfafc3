// In: the keys and values of attention. Out: LLVM code that packs a block of them as panels [k][Columns] and
// [s][Columns].
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Keys with contiguous elements along k are transposed 16 by 16 in registers (64 shuffles instead of 16 gathers); all
/// others are read through their accessor.
/// </summary>
internal sealed class AttentionPanels(StatementPrinter statements, LlvmText text, ScalarPrinter scalars,
    IndexPrinter index, Attend attend, AttentionTile tile)
{
    private const int Width = IndexPrinter.Width;
    private readonly DType type = attend.Sum.Type;
    private readonly string element = Types.Of(attend.Sum.Type, 0);

    private string VectorType => Types.Of(type, Width);

    private int Align => Math.Min(64, Width * type.Bytes());

    /// <summary>Packs keys. Columns after the last key have arbitrary contents: their scores are ignored.</summary>
    /// <param name="to">The place of the panels.</param>
    /// <param name="from">The first key.</param>
    /// <param name="length">The number of keys, at least one.</param>
    /// <param name="end">The end of the keys that are read.</param>
    public void PackKeys(string to, string from, string length, string end)
    {
        var (depth, key) = (index.Scalar(attend.K.Extent), Rows());
        text.For("0", length, $"{Width}", group =>
        {
            var start = from == "0" ? group : text.Value($"add i64 {from}, {group}");
            // Panels follow each other; a group is the left or the right half of one, or the whole.
            var panel = text.Value($"and i64 {group}, {-tile.Columns}");
            var place = text.Value(
                $"add i64 {text.Value($"mul i64 {panel}, {depth}")}, {text.Value($"sub i64 {group}, {panel}")}");
            string At(string k) => Of(Of(to, place), text.Value($"mul i64 {k}, {tile.Columns}"));
            var turned = "0";
            if (key is { } rows)
            {
                turned = text.Value($"and i64 {depth}, {-Width}");
                text.For("0", turned, $"{Width}", k => Turn(rows, start, end, k, At));
                if (attend.K.Extent.IsConstant && attend.K.Extent.Value % Width == 0) return;
            }
            var whole = text.Value($"icmp sle i64 {text.Value($"add i64 {start}, {Width}")}, {end}");
            text.If(whole, () => Lanes(null), () => Lanes(statements.TailMask(start, end)));

            void Lanes(string? mask) => text.For(turned, depth, "1", k =>
            {
                index.Define(attend.K.Variable, k);
                index.InLanes(new LaneLoop(attend.S.Variable, start, mask), () =>
                {
                    statements.Block(attend.Key.Block);
                    StoreVector(scalars.Widen(statements.Of(attend.Key.Yield), Width), At(k));
                });
            });
        });
    }

    /// <summary>
    /// Packs values as panels [s][Columns], each as long as a whole block; columns after the last are arbitrary.
    /// </summary>
    public void PackValues(string to, string from, string length)
    {
        var columns = index.Scalar(attend.E.Extent);
        text.For("0", length, "1", at =>
        {
            index.Define(attend.S.Variable, from == "0" ? at : text.Value($"add i64 {from}, {at}"));
            statements.ForLanes(attend.E.Variable, "0", columns, attend.E.Extent, () =>
            {
                statements.Block(attend.Value.Block);
                var value = scalars.Widen(statements.Of(attend.Value.Yield), Width);
                var column = index.Lanes!.Start;
                var panel = text.Value($"and i64 {column}, {-tile.Columns}");
                var row = text.Value(
                    $"add i64 {text.Value($"mul i64 {panel}, {attend.KeyBlock}")}, {text.Value($"mul i64 {at}, {tile.Columns}")}");
                StoreVector(value, Of(to, text.Value($"add i64 {row}, {text.Value($"sub i64 {column}, {panel}")}")));
            });
        });
    }

    /// <summary>The keys as rows: one f32 load without guards, with contiguous elements along k.</summary>
    private Load? Rows() => type == DType.F32 && attend.Key.Block.Statements is [Load { Guards.IsEmpty: true } load]
        && load.Result == attend.Key.Yield && load.Offset.AffineIn(attend.K.Variable) is var (step, _) && step.Is(1)
            ? load : null;

    /// <summary>
    /// 16 elements of 16 keys, as 16 vectors of one k. At distance d, two rows d apart exchange the off-diagonal
    /// quarters of every 2d by 2d square.
    /// </summary>
    private void Turn(Load key, string start, string end, string k, Func<string, string> at)
    {
        var last = text.Value($"sub i64 {end}, 1");
        var rows = new string[Width];
        for (var i = 0; i < Width; i++)
        {
            var s = i == 0 ? start : text.Value($"add i64 {start}, {i}");
            if (i > 0) s = text.Value($"select i1 {text.Value($"icmp slt i64 {s}, {last}")}, i64 {s}, i64 {last}");
            index.Define(attend.S.Variable, s);
            index.Define(attend.K.Variable, k);
            rows[i] = text.Value(
                $"load {VectorType}, ptr {Of(statements.Buffer(key.Buffer), index.Scalar(key.Offset))}, align {type.Bytes()}");
        }
        for (var d = Width / 2; d >= 1; d /= 2)
        {
            for (var i = 0; i < Width; i++)
            {
                if ((i & d) != 0) continue;
                var (a, b) = (rows[i], rows[i + d]);
                rows[i] = Shuffle(a, b, l => (l & d) == 0 ? l : Width + l - d);
                rows[i + d] = Shuffle(a, b, l => (l & d) == 0 ? l + d : Width + l);
            }
        }
        for (var i = 0; i < Width; i++)
            StoreVector(new(rows[i], type, Width), at(i == 0 ? k : text.Value($"add i64 {k}, {i}")));
    }

    private string Shuffle(string a, string b, Func<int, int> lane) => text.Value(
        $"shufflevector {VectorType} {a}, {VectorType} {b}, <{Width} x i32> <{string.Join(", ", Enumerable.Range(0, Width).Select(l => $"i32 {lane(l)}"))}>");

    private void StoreVector(Operand value, string place) =>
        text.Do($"store {VectorType} {value.Text}, ptr {place}, align {Align}");

    private string Of(string pointer, string offset) =>
        text.Value($"getelementptr {element}, ptr {pointer}, i64 {offset}");
}
