// In: rows of a block in registers. Out: its columns, by shuffles alone.
namespace Accelerate.Backends.Llvm.Printing;

internal static class TurnedBlock
{
    private const int Width = IndexPrinter.Width;

    /// <summary>
    /// Transposes rows to columns in four rounds, each exchanging the off-diagonal halves of blocks of 8, 4, 2, 1.
    /// Element r of column c is element c of row r. With fewer than 16 rows the last elements of the columns are
    /// undefined; unused columns cost nothing.
    /// </summary>
    /// <param name="text">The function.</param>
    /// <param name="rows">Up to 16 vectors.</param>
    /// <param name="element">The LLVM type of an element.</param>
    public static string[] Turn(LlvmText text, IReadOnlyList<string> rows, string element) =>
        Turn(text, [.. rows, .. Enumerable.Repeat("poison", Width - rows.Count)], element, Width / 2);

    /// <summary>
    /// The first `count` columns of up to 16 rows in memory. The loads do the first round: halves of two rows make a
    /// vector.
    /// </summary>
    /// <param name="text">The function.</param>
    /// <param name="element">The LLVM type of an element.</param>
    /// <param name="align">The alignment of an element.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="count">The number of columns: 1, 2, 4, 8 or 16.</param>
    /// <param name="address">The address of a row.</param>
    public static string[] TurnRead(LlvmText text, string element, int align, int rows, int count,
        Func<int, string> address)
    {
        const int half = Width / 2;
        var size = Math.Min(count, half);
        var part = Types.Vector(element, size);
        var starts = Enumerable.Range(0, rows).Select(address).ToArray();
        string Read(int row, int from) =>
            text.Value(
                $"load {part}, ptr {(from == 0 ? starts[row] : text.Value($"getelementptr {element}, ptr {starts[row]}, i64 {from}"))}, align {align}");
        var now = Enumerable.Repeat("poison", Width).ToArray();
        for (var row = 0; row < Math.Min(rows, half); row++)
        {
            for (var from = 0; from < count; from += half)
            {
                var (a, b) = (Read(row, from), row + half < rows ? Read(row + half, from) : "poison");
                now[row + from] =
                    text.Value($"shufflevector {part} {a}, {part} {b}, <{Width} x i32> <"
                        + string.Join(", ", Enumerable.Range(0, Width)
                    .Select(l => l < size ? $"i32 {l}" : l >= half && l < half + size && b != "poison"
                        ? $"i32 {size + l - half}" : "i32 poison"))
                        + ">");
            }
        }
        return Turn(text, now, element, half / 2);
    }

    private static string[] Turn(LlvmText text, string[] now, string element, int first)
    {
        var vector = Types.Vector(element, Width);
        for (var half = first; half >= 1; half /= 2)
        {
            var next = new string[Width];
            for (var i = 0; i < Width; i++)
            {
                if ((i & half) != 0) continue;
                var (a, b) = (now[i], now[i + half]);
                string Shuffle(bool upper) => a == "poison" && b == "poison" ? a
                    : text.Value($"shufflevector {vector} {a}, {vector} {b}, <{Width} x i32> <"
                    + string.Join(", ", Enumerable.Range(0, Width).Select(l => (l & half) == 0
                        ? $"i32 {l + (upper ? half : 0)}"
                        : $"i32 {Width + l - (upper ? 0 : half)}")) + ">");
                (next[i], next[i + half]) = (Shuffle(false), Shuffle(true));
            }
            now = next;
        }
        return now;
    }

    /// <summary>Stores the first `count` elements of a vector in pieces of 16, 8, 4, 2 and 1.</summary>
    public static void StoreFirst(LlvmText text, string vector, string element, int count, string address, int align)
    {
        var from = 0;
        for (var some = Width; some >= 1; some /= 2)
        {
            if (count - from < some) continue;
            var (part, type) = (vector, Types.Vector(element, some));
            if (some < Width)
            {
                var lanes = Types.Lanes(from, some);
                part = text.Value(
                    $"shufflevector {Types.Vector(element, Width)} {vector}, {Types.Vector(element, Width)} poison, <{some} x i32> <{lanes}>");
            }
            var to = from == 0 ? address : text.Value($"getelementptr {element}, ptr {address}, i64 {from}");
            text.Do($"store {type} {part}, ptr {to}, align {align}");
            from += some;
            if (from == count) return;
        }
    }

    /// <summary>A vector whose first `count` elements are read in pieces; the rest is undefined.</summary>
    public static string LoadFirst(LlvmText text, string element, int count, string address, int align)
    {
        var whole = Types.Vector(element, Width);
        var (vector, from) = ("poison", 0);
        for (var some = Width; some >= 1; some /= 2)
        {
            if (count - from < some) continue;
            var at = from == 0 ? address : text.Value($"getelementptr {element}, ptr {address}, i64 {from}");
            var part = text.Value($"load {Types.Vector(element, some)}, ptr {at}, align {align}");
            if (some == Width) return part;
            // Puts the piece at its position in a whole vector, with the earlier pieces before it.
            var (here, to) = (from, from + some);
            var widened =
                text.Value($"shufflevector {Types.Vector(element, some)} {part}, {Types.Vector(element, some)} poison, <{Width} x i32> <"
                + string.Join(", ", Enumerable.Range(0, Width)
                    .Select(l => l >= here && l < to ? $"i32 {l - here}" : "i32 poison")) + ">");
            vector = from == 0 ? widened
                : text.Value($"shufflevector {whole} {vector}, {whole} {widened}, <{Width} x i32> <"
                + string.Join(", ", Enumerable.Range(0, Width)
                    .Select(l => l < here ? $"i32 {l}" : l < to ? $"i32 {Width + l}" : "i32 poison")) + ">");
            from = to;
            if (from == count) break;
        }
        return vector;
    }
}
