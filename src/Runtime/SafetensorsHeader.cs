// In: the start of a .safetensors file. Out: its entries, checked to lie inside the file without overlap.
using System.Buffers.Binary;
using System.Text.Json;

namespace Accelerate.Runtime;

/// <summary>
/// The checked header: u64 length, JSON, then data in which every byte belongs to exactly one tensor.
/// </summary>
internal sealed record SafetensorsHeader(
    long DataStart, IReadOnlyList<SafetensorsHeader.Entry> Entries, IReadOnlyDictionary<string, string> Metadata)
{
    private const string MetadataKey = "__metadata__";
    private const long MaximumLength = 100_000_000; // the limit of the reference implementation

    private static readonly (string Name, DType Type)[] Types =
    [
        ("F64", DType.F64), ("F32", DType.F32), ("F16", DType.F16), ("BF16", DType.BF16), ("I64", DType.I64),
        ("I32", DType.I32), ("I16", DType.I16), ("I8", DType.I8), ("U8", DType.U8), ("U16", DType.U16),
        ("U32", DType.U32), ("U64", DType.U64), ("BOOL", DType.Bool),
    ];

    /// <summary>A tensor whose data are the bytes Begin … End − 1, counted from the end of the header.</summary>
    public sealed record Entry(string Name, DType Type, long[] Shape, long Begin, long End);

    public static SafetensorsHeader Read(string path)
    {
        using FileStream file = InputFile.OpenRegular(path);
        if (file.Length < 8)
        {
            throw new DataException(path, $"a safetensors file has 8 bytes at least, this one {file.Length}");
        }
        Span<byte> start = stackalloc byte[8];
        file.ReadExactly(start);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (start[0] == 0x93 && start[1..6].SequenceEqual("NUMPY"u8))
        {
            throw new DataException(path, "is a .npy file, no safetensors file");
        }
        if (length > MaximumLength)
        {
            throw new DataException(path, $"is no safetensors file: it would have a header of {length} bytes");
        }
        if ((long)length > file.Length - 8)
        {
            throw new DataException(path, $"a header of {length} bytes does not fit a file of {file.Length}");
        }
        var json = new byte[length];
        file.ReadExactly(json);
        try
        {
            using JsonDocument document = JsonDocument.Parse(
                json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Parse(path, document.RootElement, 8 + (long)length, file.Length);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not valid UTF-16 after unescaping.
            throw new DataException(path, $"malformed header: {e.Message}", e);
        }
    }

    public static byte[] Format(
        string path, IReadOnlyList<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { MetadataKey };
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(MetadataKey);
                foreach ((string key, string value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }
                json.WriteEndObject();
            }
            long at = 0;
            foreach ((string name, Tensor tensor) in tensors)
            {
                if (!names.Add(name))
                {
                    throw new DataException(path, $"the name '{name}' is given twice or reserved");
                }
                json.WriteStartObject(name);
                json.WriteString("dtype", Types.First(t => t.Type == tensor.Type).Name);
                WriteLongs("shape", [.. tensor.Shape]);
                WriteLongs("data_offsets", [at, at + tensor.ByteCount]);
                json.WriteEndObject();
                at += tensor.ByteCount;
            }
            json.WriteEndObject();

            void WriteLongs(string key, long[] values)
            {
                json.WriteStartArray(key);
                foreach (long value in values)
                {
                    json.WriteNumberValue(value);
                }
                json.WriteEndArray();
            }
        }
        while (buffer.Length % 8 != 0)
        {
            buffer.WriteByte((byte)' ');
        }
        return buffer.ToArray();
    }

    private static SafetensorsHeader Parse(string path, JsonElement root, long dataStart, long fileLength)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new DataException(path, "malformed header: it is not a JSON object");
        }
        var entries = new List<Entry>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.Name == MetadataKey)
            {
                ReadMetadata(path, property.Value, metadata);
            }
            else
            {
                entries.Add(ParseEntry(path, property.Name, property.Value));
            }
        }
        Entry[] ordered = [.. entries.OrderBy(e => e.Begin).ThenBy(e => e.End)];
        long covered = 0;
        foreach (Entry entry in ordered)
        {
            if (entry.End > fileLength - dataStart)
            {
                throw new DataException(
                    path, $"'{entry.Name}' ends at {entry.End}, and the file has {fileLength - dataStart} bytes of data");
            }
            if (entry.Begin != covered)
            {
                string what = entry.Begin < covered ? "overlaps the tensor before it" : "leaves a hole before it";
                throw new DataException(path, $"'{entry.Name}' {what}: it begins at {entry.Begin}, not {covered}");
            }
            covered = entry.End;
        }
        return covered == fileLength - dataStart
            ? new SafetensorsHeader(dataStart, ordered, metadata)
            : throw new DataException(path, $"{fileLength - dataStart - covered} bytes follow the last tensor");
    }

    private static void ReadMetadata(string path, JsonElement value, Dictionary<string, string> metadata)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw new DataException(path, $"{MetadataKey} must be an object of texts");
        }
        foreach (JsonProperty property in value.EnumerateObject())
        {
            metadata[property.Name] = property.Value.ValueKind == JsonValueKind.String
                ? property.Value.GetString()!
                : throw new DataException(path, $"{MetadataKey} must be an object of texts");
        }
    }

    private static Entry ParseEntry(string path, string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out JsonElement dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out JsonElement shape)
            || !value.TryGetProperty("data_offsets", out JsonElement offsets))
        {
            throw new DataException(path, $"'{name}' must have dtype, shape and data_offsets");
        }
        int type = Array.FindIndex(Types, t => t.Name == dtype.GetString());
        if (type < 0)
        {
            throw new DataException(path, $"'{name}': dtype {dtype.GetString()} is not supported");
        }
        long[] extents = ReadLongs(path, name, "shape", shape);
        long[] range = ReadLongs(path, name, "data_offsets", offsets);
        if (range.Length != 2 || range[0] > range[1])
        {
            throw new DataException(path, $"'{name}': data_offsets must be [begin, end], begin ≤ end");
        }
        long bytes;
        try
        {
            bytes = Tensor.CountOf(Types[type].Type, extents) * Types[type].Type.Bytes();
        }
        catch (ArgumentException e)
        {
            throw new DataException(path, $"'{name}': {e.Message}", e);
        }
        return range[1] - range[0] == bytes
            ? new Entry(name, Types[type].Type, extents, range[0], range[1])
            : throw new DataException(
                path,
                $"'{name}': {Tensor.DescribeShape(Types[type].Type, extents)} takes {bytes} bytes, "
                + $"its data_offsets span {range[1] - range[0]}");
    }

    private static long[] ReadLongs(string path, string name, string key, JsonElement value)
    {
        var values = new List<long>();
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in value.EnumerateArray())
            {
                if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out long number) || number < 0)
                {
                    throw new DataException(path, $"'{name}': {key} must hold integers from 0 to 2^63-1");
                }
                values.Add(number);
            }
            return [.. values];
        }
        throw new DataException(path, $"'{name}': {key} must be an array");
    }
}
