// In: a text of rows of numbers. Out: its rows, or some of their columns, in the requested dtype.
using System.Globalization;
using System.Text;
using Accelerate.Runtime;

namespace Accelerate.Data;

/// <summary>
/// Rows of numbers separated by commas, semicolons, tabs or blanks. The first line may name the columns, and lines that
/// begin with `#` are comments. The text is parsed once into a temporary file, in the dtype of the parameter.
/// </summary>
internal static class Table
{
    private static readonly char[] Separators = [',', ';', '\t', ' '];

    /// <summary>Whether a text begins with a row of several numbers.</summary>
    public static bool IsTable(string start)
    {
        var line = start.Split('\n').FirstOrDefault(IsRow, "").Trim();
        var fields = Fields(line, Separator(line));
        return fields.Length > 1 && fields.All(f => Number(f) is not null);
    }

    public static DataSource Open(string path, bool isZipped, string? part, DataWanted wanted)
    {
        using var reader = new StreamReader(DataFiles.Opened(path, isZipped));
        using var file = new TemporaryFile();
        var (rows, number) = (0L, 1L);
        var first = reader.ReadLine();
        for (; first is not null && !IsRow(first); first = reader.ReadLine()) number++;
        if (first is null) throw new DataException(path, "the table is empty");
        var separator = Separator(first.Trim());
        var names = Fields(first, separator);
        var hasNames = names.All(n => Number(n) is null);
        var (from, to, isOne) = Columns(path, part, hasNames ? names : null, names.Length);
        var width = wanted.Type.Bytes();
        var bytes = new byte[(to - from) * width];
        for (var line = hasNames ? reader.ReadLine() : first; line is not null; line = reader.ReadLine())
        {
            if (!ReferenceEquals(line, first)) number++;
            if (!IsRow(line)) continue;
            var fields = Fields(line, separator);
            if (fields.Length != names.Length)
                throw new DataException(path, $"line {number} has {fields.Length} columns, the first line "
                    + $"{names.Length}");
            for (var column = from; column < to; column++)
                if (!Put(bytes.AsSpan((column - from) * width, width), fields[column], wanted.Type))
                    throw new DataException(path, $"line {number}, column {column}: '{fields[column]}' is no "
                        + wanted.Type.Name());
            file.Stream.Write(bytes);
            rows++;
        }
        return new DataSource(path, wanted.Type, isOne ? [] : [to - from], rows, file.Written());
    }

    /// <summary>Resolves `3`, `-1`, `:64`, `1:`, or a name from the first line.</summary>
    private static (int From, int To, bool IsOne) Columns(string path, string? part, string[]? names, int count)
    {
        if (part is null) return (0, count, count == 1);
        if (names is not null && Array.IndexOf(names, part) is >= 0 and var named) return (named, named + 1, true);
        var ends = part.Split(':');
        int? At(string text, int otherwise) => text.Length == 0 ? otherwise
            : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n)
                ? n < 0 ? n + count : n : null;
        if (ends is [{ Length: > 0 } one] && At(one, 0) is { } column && column >= 0 && column < count)
            return (column, column + 1, true);
        if (ends is [var low, var high] && At(low, 0) is { } from && At(high, count) is { } to
            && from >= 0 && from < to && to <= count) return (from, to, false);
        throw new DataException(path, $"[{part}] are no columns of the {count}: write [3], [-1], [:{count - 1}]"
            + (names is null ? "" : $", or one of {string.Join(", ", names)}"));
    }

    private static bool IsRow(string line) => line.AsSpan().Trim() is { IsEmpty: false } text && text[0] != '#';

    private static char Separator(string line) => Separators.FirstOrDefault(line.Contains, ',');

    private static string[] Fields(string line, char separator) =>
        [.. line.Split(separator, separator == ' ' ? StringSplitOptions.RemoveEmptyEntries : StringSplitOptions.None)
            .Select(f => f.Trim().Trim('"'))];

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>Writes a number: a float is rounded once, an integer has to fit the dtype.</summary>
    private static bool Put(Span<byte> target, string text, DType type)
    {
        if (type == DType.F32)
            return float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var single)
                && BitConverter.TryWriteBytes(target, single);
        if (type is DType.I64 or DType.U64 && Int128.TryParse(text, NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture, out var whole))
            return type == DType.I64
                ? whole >= long.MinValue && whole <= long.MaxValue && BitConverter.TryWriteBytes(target, (long)whole)
                : whole >= 0 && whole <= ulong.MaxValue && BitConverter.TryWriteBytes(target, (ulong)whole);
        if (Number(text) is not { } value) return false;
        using var tensor = Tensor.FromDoubles(type, [value]);
        tensor.ReadOnlyBytes.CopyTo(target);
        return type.IsFloat || tensor.ToDoubles()[0] == value;
    }
}
