// In: records, a file. Out: the file with one line more for each: whole lines only, whoever else appends.
using System.Text;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>A log of JSON lines that several processes may append to at once.</summary>
internal static class BenchLog
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Each line is one write under an exclusive lock; one that fails is taken back.</summary>
    /// <exception cref="IOException">The file cannot be written, or another process holds it for too long.</exception>
    public static void Append(string path, IEnumerable<BenchRecord> records)
    {
        if (FileStatus.Of(path) is { Kind: FileKind.Pipe or FileKind.Device })
        {
            // What has no end to append to takes the lines as they come.
            OutputFile.Write(path, stream =>
            {
                foreach (var record in records) stream.Write(Encoding.UTF8.GetBytes(record.ToJson() + "\n"));
            });
            return;
        }
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        using var file = Open(path);
        foreach (var record in records) Append(file, record.ToJson());
    }

    private static void Append(FileStream file, string line)
    {
        var end = file.Seek(0, SeekOrigin.End);
        var text = new StringBuilder();
        if (end > 0)
        {
            // What another program left without a line end must not swallow this line.
            file.Seek(-1, SeekOrigin.End);
            if (file.ReadByte() != '\n') text.Append('\n');
        }
        try
        {
            file.Write(Encoding.UTF8.GetBytes(text.Append(line).Append('\n').ToString()));
            file.Flush(flushToDisk: false);
        }
        catch (IOException)
        {
            file.SetLength(end);
            throw;
        }
    }

    private static FileStream Open(string path)
    {
        for (var deadline = DateTime.UtcNow + Patience; ;)
        {
            try
            {
                // No buffer of its own: a line goes to the system in one piece. Sharing nothing is a lock on every
                // system.
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException) when (DateTime.UtcNow < deadline && File.Exists(path))
            {
                Thread.Sleep(20);
            }
        }
    }
}
