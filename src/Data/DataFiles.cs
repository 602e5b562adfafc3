// In: the name of a file or folder of examples. Out: the examples, whatever their format.
using System.IO.Compression;
using System.Text;
using Accelerate.Runtime;

namespace Accelerate.Data;

/// <summary>The properties of the parameter that affect how its examples are read.</summary>
/// <param name="Type">The dtype for numbers in text; other formats have a dtype of their own.</param>
/// <param name="Shape">The shape of an example as far as the parameter's type fixes it; null for an extent left
/// open.</param>
internal sealed record DataWanted(DType Type, IReadOnlyList<long?> Shape)
{
    /// <summary>The length of a text window in bytes; null for the extent of the parameter.</summary>
    public long? Window { get; init; }

    /// <summary>The distance in bytes from one text window to the next; null for windows that do not overlap.</summary>
    public long? Stride { get; init; }
}

/// <summary>Recognises formats by their first bytes, then by file name.</summary>
internal static class DataFiles
{
    /// <summary>
    /// Opens idx and npy files (read in place), the same gzipped, npz archives, tables of numbers, plain text and
    /// folders of images.
    /// </summary>
    /// <param name="path">A file, or a folder of images.</param>
    /// <param name="part">The text in brackets after the name: columns of a table, a range of a text, the name of an
    /// array, `labels` of a folder; null for none.</param>
    /// <param name="wanted">The properties of the parameter that takes the examples.</param>
    /// <exception cref="DataException">The file is missing, malformed, or of an unknown format.</exception>
    public static DataSource Open(string path, string? part, DataWanted wanted)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(wanted);
        return DataException.Guard(path, () =>
        {
            if (Directory.Exists(path)) return ImageFolder.Open(path, part, wanted);
            var isZipped = false;
            byte[] start;
            using (var file = InputFile.OpenRegular(path))
            {
                isZipped = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
                file.Position = 0;
                using Stream stream = isZipped ? new GZipStream(file, CompressionMode.Decompress) : file;
                start = new byte[1 << 12];
                start = start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
            }
            var ending = Path.GetExtension(isZipped ? Path.ChangeExtension(path, null) : path).ToLowerInvariant();
            if (start is [0x93, (byte)'N', ..] or [0, 0, >= 8 and <= 0xE, _, ..])
                return part is null ? ArrayFiles.Open(path, isZipped)
                    : throw new DataException(path, $"[{part}]: an npy or idx file is taken whole");
            if (start is [(byte)'P', (byte)'K', ..]) return ArrayFiles.OpenArchive(path, part);
            if (start.Contains((byte)0))
                throw new DataException(path,
                    "not supported: neither idx, npy, npz, a table nor text, by its first bytes");
            return ending is ".csv" or ".tsv" || (ending is not ".txt" && Table.IsTable(Encoding.UTF8.GetString(start)))
                ? Table.Open(path, isZipped, part, wanted) : TextWindows.Open(path, isZipped, part, wanted);
        });
    }

    /// <summary>The decompressed bytes of a file.</summary>
    internal static Stream Opened(string path, bool isZipped)
    {
        var file = InputFile.OpenRegular(path);
        return isZipped ? new GZipStream(file, CompressionMode.Decompress) : file;
    }
}
