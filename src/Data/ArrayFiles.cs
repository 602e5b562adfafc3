// In: an idx, npy or npz file. Out: its examples along the first axis.
using System.IO.Compression;
using Accelerate.Runtime;

namespace Accelerate.Data;

internal static class ArrayFiles
{
    public static DataSource Open(string path, bool isZipped)
    {
        using var stream = DataStream.Open(path);
        if (isZipped) return Unpacked(path, stream);
        var length = stream.Remaining;
        var (type, shape, isBigEndian) = Header(stream);
        var bytes = Tensor.CountOf(type, shape) * type.Bytes();
        if (bytes != stream.Remaining)
            throw stream.Fail($"{Tensor.DescribeShape(type, shape)} takes {bytes} bytes, and {stream.Remaining} follow "
                + "the header");
        return new DataSource(path, type, shape[1..], shape[0], InputFile.OpenRegular(path), length - stream.Remaining,
            isBigEndian: isBigEndian);
    }

    /// <summary>An array of an archive: the one named by the part, or the only one.</summary>
    public static DataSource OpenArchive(string path, string? part)
    {
        using var archive = new ZipArchive(InputFile.OpenRegular(path));
        var arrays = archive.Entries.Where(e => e.FullName.EndsWith(".npy", StringComparison.Ordinal)).ToList();
        var names = string.Join(", ", arrays.Select(e => e.FullName[..^4]));
        var entry = part is null ? arrays is [var only] ? only : null : arrays.Find(e => e.FullName == part + ".npy");
        if (entry is null)
            throw new DataException(path, arrays.Count == 0 ? "the archive holds no array"
                : part is null ? $"the archive holds {names}: name one as {path}[{arrays[0].FullName[..^4]}]"
                : $"the archive holds {names}, and no '{part}'");
        using var stream = DataStream.Over(path, entry.Open(), entry.Length);
        return Unpacked(path, stream);
    }

    private static DataSource Unpacked(string path, DataStream stream)
    {
        var (type, shape, isBigEndian) = Header(stream);
        var left = Tensor.CountOf(type, shape) * type.Bytes();
        using var file = new TemporaryFile();
        for (var chunk = new byte[1 << 16]; left > 0;)
        {
            var piece = chunk.AsSpan(0, (int)Math.Min(left, chunk.Length));
            stream.Read(piece, "the data");
            file.Stream.Write(piece);
            left -= piece.Length;
        }
        return new DataSource(path, type, shape[1..], shape[0], file.Written(), isBigEndian: isBigEndian);
    }

    private static (DType Type, long[] Shape, bool IsBigEndian) Header(DataStream stream)
    {
        var isIdx = stream.Magic == (0, 0);
        var (type, shape) = isIdx ? Idx.ReadHeader(stream) : Npy.ReadHeader(stream);
        return shape.Length > 0 ? (type, shape, isIdx)
            : throw stream.Fail("a scalar has no axis of examples");
    }
}
