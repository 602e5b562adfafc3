// In: rows of a query. Out: their text as a table, JSON or CSV.
using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Accelerate.Bench;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal enum RowFormat
{
    Table, Json, Csv,
}

internal static class RowText
{
    private static readonly JsonWriterOptions Relaxed =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // The characters that require quotes in CSV.
    private static readonly SearchValues<char> Separating = SearchValues.Create(",\"\r\n");

    public static string Print(QueryRows rows, RowFormat format) => format switch
    {
        RowFormat.Json => Json(rows),
        RowFormat.Csv => Csv(rows),
        _ => Table(rows),
    };

    private static string Table(QueryRows rows)
    {
        if (rows.Columns.Count == 0) return "";
        var cells = rows.Rows.Select(r => r.Select(v => v is double d ? Short(d) : v is null ? "-" : Text(v)).ToList())
            .ToList();
        // The plan of EXPLAIN is a drawing of several lines, which does not fit a table cell.
        return cells.Any(r => r.Any(c => c.Contains('\n')))
            ? string.Concat(cells.Select(r => string.Join('\n', r) + "\n"))
            : BenchTable.Align(rows.Columns, cells);
    }

    private static string Csv(QueryRows rows) => string.Concat(rows.Rows
        .Select(r => r.Select(v => v is null ? "" : Text(v))).Prepend(rows.Columns)
        .Select(r => string.Join(',', r.Select(Field)) + "\n"));

    private static string Field(string text) => text.AsSpan().ContainsAny(Separating)
        ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

    /// <summary>An array with one row a line.</summary>
    private static string Json(QueryRows rows) =>
        $"[{string.Join(",\n ", rows.Rows.Select(r => JsonRow(rows.Columns, r)))}]\n";

    private static string JsonRow(IReadOnlyList<string> columns, IReadOnlyList<object?> row)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, Relaxed))
        {
            json.WriteStartObject();
            foreach (var (name, value) in columns.Zip(row))
            {
                json.WritePropertyName(name);
                switch (value)
                {
                    case null: json.WriteNullValue(); break;
                    case bool b: json.WriteBooleanValue(b); break;
                    case double d when double.IsFinite(d): json.WriteNumberValue(d); break;
                    case float f when float.IsFinite(f): json.WriteNumberValue(f); break;
                    case decimal or sbyte or byte or short or ushort or int or uint or long or ulong or BigInteger:
                        json.WriteRawValue(Text(value));
                        break;
                    default: json.WriteStringValue(Text(value)); break;
                }
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>As many digits as distinguish a value from its neighbours.</summary>
    private static string Text(object value) => value switch
    {
        string text => text,
        bool b => b ? "true" : "false",
        DateTime time => time.ToString("yyyy-MM-dd HH:mm:ss.FFFFFF", CultureInfo.InvariantCulture),
        DateOnly date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        Stream bytes => Hex(bytes),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => JsonSerializer.Serialize(value),
    };

    private static string Hex(Stream bytes)
    {
        using var copy = new MemoryStream();
        bytes.CopyTo(copy);
        return Convert.ToHexStringLower(copy.ToArray());
    }

    private static string Short(double value) => value.ToString("G6", CultureInfo.InvariantCulture);
}
