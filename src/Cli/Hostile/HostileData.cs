// In: a random generator. Out: hostile npy, IDX and gzip files, and a call that reads one.
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Accelerate.Runtime;

namespace Accelerate.Cli.Hostile;

/// <summary>Data files of one tensor: false headers, wrong dtypes, streams that end early or never.</summary>
internal static class HostileData
{
    private const int BombBytes = 16 << 20;

    // The command reads all data of a file up to its memory limit, so the limit is part of the command.
    private const string Memory = "128M";

    private static readonly string[] DTypes = [.. Enum.GetValues<DType>().Select(t => t.Name())];

    private static readonly Lazy<byte[]> Bomb = new(() => Packed(new byte[BombBytes]));

    /// <summary>One function for each dtype and rank, which returns its input.</summary>
    private static readonly string Model = string.Concat(DTypes.SelectMany(t => Enumerable.Range(0, 4).Select(rank =>
    {
        var shape = rank == 0 ? "" : $"[{string.Join(", ", "abcd"[..rank].Select(c => c.ToString()))}]";
        return $"export fn {t}_{rank}(x: {t}{shape}) -> {t}{shape} = x\n";
    })));

    public static HostileInput Npy(Random random, Corpus corpus) => Call(random, "npy", "x.npy", NpyBytes(random));

    public static HostileInput Idx(Random random, Corpus corpus) => Call(random, "idx", "x.idx", IdxBytes(random));

    public static HostileInput Gzip(Random random, Corpus corpus)
    {
        var inner = random.Next(2) == 0 ? NpyBytes(random) : IdxBytes(random);
        var bytes = random.Next(8) switch
        {
            // A small file that unpacks to 16 MB to 3 GB, with a header that promises as much, or less.
            0 => [.. Packed(IdxHeader(0x08, (uint)random.Next(1 << 30))), .. Repeat(Bomb.Value, 1 + random.Next(200))],
            1 => [.. Packed(NpyHeader("|u1", $"({random.Pick(Mutation.Numbers)},)")),
                .. Repeat(Bomb.Value, 1 + random.Next(20))],
            2 => Packed(Packed(inner)),
            3 or 4 => Mutation.Bytes(random, Packed(inner)),
            _ => Packed(inner),
        };
        return Call(random, "gz", "x.gz", bytes);
    }

    private static HostileInput Call(Random random, string kind, string name, byte[] bytes)
    {
        var function = $"{random.Pick(DTypes)}_{random.Next(4)}";
        // Half of the files get the function that fits their header, if it can be read.
        if (random.Next(2) == 0 && Fitting(bytes) is { } fitting) function = fitting;
        return new(kind, [new RegularFile("data.acc", Model), new RegularFile(name, bytes)],
            ["run", "./data.acc", function, $"x=@{name}", "--backend", "interpreter", "--memory", Memory]);
    }

    private static string? Fitting(byte[] bytes)
    {
        var text = Encoding.Latin1.GetString(bytes, 0, Math.Min(bytes.Length, 200));
        (string, string)[] types = [("f4", "f32"), ("f8", "f64"), ("u1", "u8"), ("i4", "i32"), ("b1", "bool")];
        foreach (var (descr, type) in types)
            if (text.Contains(descr, StringComparison.Ordinal))
                return $"{type}_{Math.Clamp(text.Count(c => c == ',') - 3, 0, 3)}";
        return bytes is [0, 0, 0x08, >= 1 and <= 3, ..] ? $"u8_{bytes[3]}" : null;
    }

    private static byte[] NpyBytes(Random random)
    {
        var descr = random.Pick(["<f4", "<f8", "|u1", "<i4", "|b1", "<f2", "<i8", "<u2", ">f4", "<c8", "|O", "<U4",
            "f4", "", "<f4'"]);
        var extents = Enumerable.Range(0, random.Next(70)).Select(_ => random.Pick(Mutation.Numbers));
        var shape = random.Next(3) == 0 ? $"({string.Join(", ", extents)}{random.Pick(["", ","])})"
            : random.Pick(["(3,)", "(2, 3)", "()", "(0,)", "(2, 0, 3)", "(1, 2, 3)"]);
        byte[] data = new byte[random.Next(2) == 0 ? 24 : 12 * random.Next(9)];
        random.NextBytes(data);
        byte[] bytes = [.. NpyHeader(descr, shape, random.Next(10) == 0 ? "True" : "False"), .. data];
        if (random.Next(10) == 0)
        {
            // A wrong length of the header: formats 2 and 3 have a four-byte length.
            bytes[6] = (byte)(1 + random.Next(4));
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)random.Next(65536));
        }
        return random.Next(2) == 0 ? Mutation.Bytes(random, bytes) : bytes;
    }

    internal static byte[] NpyHeader(string descr, string shape, string fortran = "False")
    {
        var header = $"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}";
        header = header.PadRight(((header.Length + 10 + 64) / 64 * 64) - 11) + "\n";
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8),
            .. Encoding.Latin1.GetBytes(header)];
    }

    private static byte[] IdxBytes(Random random)
    {
        uint[] shape = [.. Enumerable.Range(0, random.Next(5)).Select(_ => (uint)random.Next(4))];
        for (var i = 0; i < shape.Length; i++)
            if (random.Next(6) == 0) shape[i] = (uint)(random.NextInt64(1L << 32));
        byte[] data = new byte[random.Next(200)];
        random.NextBytes(data);
        byte[] types = [0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E, 0x00, 0xFF];
        byte[] bytes = [.. IdxHeader(types[random.Next(types.Length)], shape), .. data];
        if (random.Next(8) == 0) bytes[3] = 255;
        return random.Next(2) == 0 ? Mutation.Bytes(random, bytes) : bytes;
    }

    private static byte[] IdxHeader(byte type, params uint[] shape)
    {
        var bytes = new byte[4 + (4 * shape.Length)];
        (bytes[2], bytes[3]) = (type, (byte)shape.Length);
        for (var i = 0; i < shape.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 + (4 * i)), shape[i]);
        return bytes;
    }

    private static byte[] Packed(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(bytes);
        return packed.ToArray();
    }

    private static byte[] Repeat(byte[] bytes, int times)
    {
        var all = new byte[bytes.Length * times];
        for (var i = 0; i < times; i++) bytes.CopyTo(all, i * bytes.Length);
        return all;
    }
}
