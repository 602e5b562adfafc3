// In: a NumPy .npy file, or a tensor. Out: the tensor, or the file.
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>
/// NumPy's .npy: formats 1.0, 2.0 and 3.0 are read, 1.0 is written. Little-endian, C order; bool, integers, f2, f4, f8.
/// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
/// </summary>
public static partial class Npy
{
    private const int MaximumHeader = 1 << 20; // real headers take about a hundred bytes

    private static readonly (string Descr, DType Type)[] Types =
    [
        ("|b1", DType.Bool), ("|i1", DType.I8), ("<i2", DType.I16), ("<i4", DType.I32), ("<i8", DType.I64),
        ("|u1", DType.U8), ("<u2", DType.U16), ("<u4", DType.U32), ("<u8", DType.U64),
        ("<f2", DType.F16), ("<f4", DType.F32), ("<f8", DType.F64),
    ];

    /// <summary>Reads a file, gzipped or not.</summary>
    /// <exception cref="DataException">The file is missing, malformed, in Fortran order, or of another
    /// type.</exception>
    public static Tensor Read(string path) => DataException.Guard(path, () =>
    {
        using DataStream stream = DataStream.Open(path);
        return Read(stream);
    });

    /// <summary>Whether the format supports the dtype: all but bf16.</summary>
    public static bool Has(DType type) => Types.Any(t => t.Type == type);

    /// <summary>Writes a file in format 1.0, replacing an existing one.</summary>
    /// <exception cref="DataException">The file cannot be written, or the tensor is bf16.</exception>
    public static void Write(string path, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(tensor);
        string descr = Types.FirstOrDefault(t => t.Type == tensor.Type).Descr
            ?? throw new DataException(path, $"the npy format has no {tensor.Type.Name()}; convert to f32 first");
        string shape = string.Concat(
            tensor.Shape.ToArray().Select(n => string.Create(CultureInfo.InvariantCulture, $"{n}, ")));
        string tuple = tensor.Rank == 1 ? $"({shape.TrimEnd()})" : $"({shape.TrimEnd(',', ' ')})";
        string header = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple}, }}";
        int used = 10 + header.Length + 1;
        header += new string(' ', (64 - (used % 64)) % 64) + "\n"; // aligns the data in a mapped file
        if (header.Length > ushort.MaxValue)
        {
            throw new DataException(path, $"a tensor of rank {tensor.Rank} does not fit the header of format 1.0");
        }
        OutputFile.Write(path, stream =>
        {
            stream.Write([0x93, .. "NUMPY"u8, 1, 0]);
            stream.Write([(byte)header.Length, (byte)(header.Length >> 8)]);
            stream.Write(Encoding.ASCII.GetBytes(header));
            OutputFile.WriteElements(stream, tensor);
        });
    }

    internal static Tensor Read(DataStream stream)
    {
        (DType type, long[] shape) = ReadHeader(stream);
        return stream.ReadTensor(type, shape);
    }

    /// <summary>Reads the dtype and shape; the data follow.</summary>
    internal static (DType Type, long[] Shape) ReadHeader(DataStream stream)
    {
        Span<byte> start = stackalloc byte[8];
        stream.Read(start, "the npy magic");
        if (start[0] != 0x93 || !start[1..6].SequenceEqual("NUMPY"u8))
        {
            throw stream.Fail("not an npy file: it does not begin with \\x93NUMPY");
        }
        (int major, int minor) = (start[6], start[7]);
        if (major is < 1 or > 3 || minor != 0)
        {
            throw stream.Fail($"npy format {major}.{minor} is not known; 1.0, 2.0 and 3.0 are");
        }
        Span<byte> length = stackalloc byte[4];
        length.Clear();
        stream.Read(major == 1 ? length[..2] : length, "the npy header's length");
        uint headerLength = BinaryPrimitives.ReadUInt32LittleEndian(length);
        if (headerLength > MaximumHeader)
        {
            throw stream.Fail($"an npy header of {headerLength} bytes is not credible");
        }
        var bytes = new byte[headerLength];
        stream.Read(bytes, "the npy header");
        string header = (major == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(bytes);
        return ParseHeader(stream, header);
    }

    private static (DType Type, long[] Shape) ParseHeader(DataStream stream, string header)
    {
        Match match = Header().Match(header);
        if (!match.Success)
        {
            throw stream.Fail($"malformed npy header: {header.Trim()}");
        }
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < match.Groups["key"].Captures.Count; i++)
        {
            values[match.Groups["key"].Captures[i].Value] = match.Groups["value"].Captures[i].Value;
        }
        if (values.Count != 3 || match.Groups["key"].Captures.Count != 3
            || !values.TryGetValue("descr", out string? descr)
            || !values.TryGetValue("fortran_order", out string? fortran) || fortran is not ("True" or "False")
            || !values.TryGetValue("shape", out string? tuple) || !tuple.StartsWith('('))
        {
            throw stream.Fail($"an npy header has exactly descr, fortran_order and shape: {header.Trim()}");
        }
        DType type = ParseType(stream, descr.Trim('\'', '"'));
        long[] shape = ParseShape(stream, tuple);
        if (fortran == "True" && shape.Length > 1)
        {
            throw stream.Fail("the array is in Fortran order; save it with numpy.ascontiguousarray");
        }
        return (type, shape);
    }

    private static DType ParseType(DataStream stream, string descr)
    {
        foreach ((string known, DType type) in Types)
        {
            // One-byte types have no byte order, but some writers give them one.
            if (descr == known || (known[0] == '|' && descr.Length == 3 && descr[1..] == known[1..]))
            {
                return type;
            }
        }
        string why = descr.StartsWith('>') ? "big-endian data is not read" : "no dtype corresponds";
        throw stream.Fail($"npy type '{descr}': {why}");
    }

    private static long[] ParseShape(DataStream stream, string tuple)
    {
        string[] parts = tuple.Trim('(', ')').Split(
            ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var shape = new long[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!long.TryParse(parts[i].TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out shape[i]))
            {
                throw stream.Fail($"impossible shape {tuple} in the npy header");
            }
        }
        return shape;
    }

    // A Python dict literal of strings, True, False and tuples of integers; atomic groups keep matching linear on
    // hostile text.
    [GeneratedRegex("""
        \A\s*\{\s*(?>['"](?<key>\w+)['"]\s*:\s*(?<value>'[^']*'|"[^"]*"|True|False|\([\d\sL,]*\))\s*(?:,\s*|(?=\})))*\}\s*\z
        """, RegexOptions.ExplicitCapture | RegexOptions.IgnorePatternWhitespace, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Header();
}
