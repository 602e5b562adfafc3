// In: a path and a function that writes. Out: the file, complete or not there at all.
namespace Accelerate.Runtime;

/// <summary>Writing by temporary file and rename: a reader, or a crash, never sees half a file.</summary>
internal static class DataFile
{
    public static void Write(string path, Action<Stream> write)
    {
        // In the same folder, as a rename is atomic only inside one file system; unique, as writers may race.
        string temporary = $"{path}.{Environment.ProcessId}-{Guid.NewGuid():N}.tmp";
        DataException.Guard(path, () =>
        {
            try
            {
                using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
                {
                    write(stream);
                    stream.Flush(flushToDisk: true);
                }
                File.Move(temporary, path, overwrite: true);
                return true;
            }
            finally
            {
                File.Delete(temporary); // nothing is there after a rename
            }
        });
    }

    public static unsafe void WriteElements(Stream stream, Tensor tensor)
    {
        const int Chunk = 1 << 30;
        using Tensor.Hold hold = tensor.Held();
        for (long at = 0; at < tensor.ByteCount; at += Chunk)
        {
            stream.Write(new ReadOnlySpan<byte>(
                (byte*)tensor.Pointer + at, (int)Math.Min(Chunk, tensor.ByteCount - at)));
        }
    }
}
