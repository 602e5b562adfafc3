// In: a file of results. Out: its batches if all are valid, or its errors with their places.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Accelerate.Bench.Records;
using Accelerate.Runtime;
using DuckDB.NET.Data;

namespace Accelerate.Bench.Store;

/// <summary>
/// JSON (a batch, or an array), JSON lines, CSV with a header, and Parquet. A JSON object with a `run` is a batch in
/// the spool's format, otherwise a row like those of CSV and Parquet (<see cref="FlatRow"/>).
/// </summary>
internal sealed class ImportFile
{
    // With more errors, the file most likely has a single systematic one.
    private const int MostErrors = 20;

    private const int MostBytes = 1 << 30;

    private readonly List<string> errors = [];

    private ImportFile(string path, string format, byte[] contents) =>
        (Path, Format, Hash) = (path, format, Convert.ToHexStringLower(SHA256.HashData(contents)));

    public string Path { get; }

    /// <summary>"json", "jsonl", "csv" or "parquet".</summary>
    public string Format { get; }

    /// <summary>The hash of the contents: equal files are imported once.</summary>
    public string Hash { get; }

    public IReadOnlyList<ResultBatch> Batches { get; private set; } = [];

    /// <summary>`file:line: field: problem`; a file with errors is not imported.</summary>
    public IReadOnlyList<string> Errors => errors;

    /// <summary>The format by the file's ending; null for others.</summary>
    public static string? FormatOf(string path) => System.IO.Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".json" => "json",
        ".jsonl" or ".ndjson" => "jsonl",
        ".csv" => "csv",
        ".parquet" => "parquet",
        _ => null,
    };

    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ImportFile Read(string path)
    {
        var format = FormatOf(path)
            ?? throw new StoreException($"{path}: its name ends with none of .json, .jsonl, .csv, .parquet");
        var contents = InputFile.ReadAll(path, MostBytes);
        var file = new ImportFile(path, format, contents);
        try
        {
            file.Batches = format switch
            {
                "csv" => file.Flat(file.Csv(Text(contents))),
                "parquet" => file.Flat(Parquet(contents)),
                "jsonl" => file.Objects(Lines(Text(contents))),
                _ => file.Objects(Elements(contents)),
            };
        }
        catch (JsonException e)
        {
            file.Error((int)(e.LineNumber ?? 0) + 1, e.Path, Reason(e));
        }
        catch (DecoderFallbackException)
        {
            file.errors.Add($"{path}: is no UTF-8");
        }
        catch (FormatException e)
        {
            file.errors.Add($"{path}:{e.Message}");
        }
        catch (DuckDBException e)
        {
            file.errors.Add($"{path}: {DuckDbStore.FirstLine(e)}");
        }
        if (file.errors.Count > 0) file.Batches = [];
        else if (file.Batches.Count == 0) file.errors.Add($"{path}: has no results");
        return file;
    }

    private static string Text(byte[] contents) =>
        new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(contents);

    private static IEnumerable<(int Line, string Text)> Lines(string text) =>
        text.Split('\n').Index().Where(l => !string.IsNullOrWhiteSpace(l.Item)).Select(l => (l.Index + 1, l.Item));

    /// <summary>The document, or its elements if it is an array.</summary>
    private static List<(int Line, string Text)> Elements(byte[] contents)
    {
        var bytes = contents.AsSpan();
        if (bytes.StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[Encoding.UTF8.Preamble.Length..];
        var reader = new Utf8JsonReader(bytes);
        var elements = new List<(int, string)>();
        reader.Read();
        var isArray = reader.TokenType == JsonTokenType.StartArray;
        if (isArray) reader.Read();
        while (reader.TokenType != JsonTokenType.EndArray)
        {
            var begin = (int)reader.TokenStartIndex;
            reader.Skip();
            var text = Text(bytes[begin..(int)reader.BytesConsumed].ToArray());
            elements.Add((bytes[..begin].Count((byte)'\n') + 1, text));
            if (!reader.Read()) break;
        }
        // Reading on finds errors after the end.
        while (reader.Read()) continue;
        return elements;
    }

    private List<ResultBatch> Objects(IEnumerable<(int Line, string Text)> objects)
    {
        List<ResultBatch> batches = [];
        List<(int Line, Dictionary<string, string?> Fields)> rows = [];
        var seen = new HashSet<Guid>();
        foreach (var (line, text) in objects)
        {
            if (errors.Count >= MostErrors) break;
            try
            {
                using var document = JsonDocument.Parse(text);
                if (document.RootElement.ValueKind != JsonValueKind.Object)
                    Error(line, null, "is no object");
                else if (document.RootElement.TryGetProperty("run", out _))
                {
                    var batch = ResultBatch.FromJson(text);
                    var problems = BatchCheck.Of(batch).ToList();
                    foreach (var (field, problem) in problems.Take(MostErrors)) Error(line, field, problem);
                    if (problems.Count > 0) continue;
                    foreach (var twice in batch.Results.Where(r => !seen.Add(r.Id)))
                        Error(line, "id", $"{twice.Id} is that of a result above");
                    batches.Add(batch);
                }
                else
                    rows.Add((line,
                        document.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => Cell(p.Value))));
            }
            catch (JsonException e)
            {
                Error(line + (int)(e.LineNumber ?? 0), e.Path, Reason(e));
            }
            catch (ArgumentException)
            {
                Error(line, null, "has a name twice");
            }
        }
        return [.. batches, .. Flat(rows)];
    }

    private static string? Cell(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        _ => value.GetRawText(),
    };

    private IEnumerable<(int Line, Dictionary<string, string?> Fields)> Csv(string text)
    {
        List<string?>? header = null;
        foreach (var (line, fields) in CsvText.Records(text))
        {
            if (header is null)
            {
                header = fields;
                if (header.Distinct().Count() < header.Count) Error(line, null, "has a column twice");
                if (errors.Count > 0) yield break;
            }
            else if (fields.Count != header.Count)
                Error(line, null, $"has {fields.Count} fields, the header {header.Count}");
            else yield return (line, header.Zip(fields).ToDictionary(f => f.First ?? "", f => f.Second));
        }
    }

    private static List<(int Row, Dictionary<string, string?> Fields)> Parquet(byte[] contents)
    {
        // Under our own name, because DuckDB would interpret brackets and stars in the user's as a pattern.
        using var temporary = new DatabaseCopy.TemporaryFile();
        File.WriteAllBytes(temporary.Path, contents);
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.Command(
            $"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_parquet({Sql.Quoted(temporary.Path)})");
        using var reader = command.ExecuteReader();
        var names = Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ToList();
        List<(int, Dictionary<string, string?>)> rows = [];
        while (reader.Read())
            rows.Add((rows.Count + 1, names.Index().ToDictionary(n => n.Item,
                n => reader.IsDBNull(n.Index) ? null : reader.GetString(n.Index))));
        return rows;
    }

    private IReadOnlyList<ResultBatch> Flat(IEnumerable<(int Line, Dictionary<string, string?> Fields)> rows)
    {
        List<(RunRecord, ResultRecord)> parsed = [];
        var seen = new HashSet<Guid>();
        HashSet<string> known = [.. FlatRow.Columns];
        foreach (var (line, fields) in rows)
        {
            if (errors.Count >= MostErrors) break;
            if (fields.Keys.FirstOrDefault(k => !known.Contains(k)) is { } unknown)
            {
                Error(line, unknown.Length == 0 ? "''" : unknown, "is no column of benchmark_results");
                break; // all rows have it
            }
            if (new FlatRow(fields, Hash, line).Parse(out var problems) is not { } row)
                foreach (var (column, problem) in problems) Error(line, column, problem);
            else if (!seen.Add(row.Result.Id)) Error(line, "result_id", "is that of a row above");
            else parsed.Add(row);
        }
        return FlatRow.Batches(parsed);
    }

    /// <summary>The reader's message without the place, which is prefixed separately.</summary>
    private static string Reason(JsonException e) =>
        e.Message.Split(" Path: ")[0].Split(" LineNumber: ")[0].TrimEnd('.');

    private void Error(int line, string? field, string problem)
    {
        if (errors.Count < MostErrors)
            errors.Add(string.Create(CultureInfo.InvariantCulture,
                $"{Path}:{line}: {(string.IsNullOrEmpty(field) || field == "$" ? "" : $"{field}: ")}{problem}"));
    }
}
