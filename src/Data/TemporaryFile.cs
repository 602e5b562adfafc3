// In: bytes that cannot be read at any place where they lie. Out: a file of them that goes with the process.
namespace Accelerate.Data;

/// <summary>
/// A file for writing and reading. Its name is taken away as soon as it is open, where the system allows that (all but
/// Windows): a process that is killed leaves nothing.
/// </summary>
internal sealed class TemporaryFile : IDisposable
{
    private readonly FileStream stream;
    private bool isKept;

    public TemporaryFile()
    {
        var path = Path.Combine(Path.GetTempPath(), $"accc-data-{Guid.NewGuid():N}");
        stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 1 << 16,
            Options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None,
        });
        if (!OperatingSystem.IsWindows()) File.Delete(path);
    }

    public Stream Stream => stream;

    /// <summary>What is written, to be read and disposed by whoever takes it.</summary>
    public FileStream Written()
    {
        stream.Flush();
        isKept = true;
        return stream;
    }

    public void Dispose()
    {
        if (!isKept) stream.Dispose();
    }
}
