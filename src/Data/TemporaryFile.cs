// In: bytes without random access in their file. Out: a temporary file of them that disappears with the process.
namespace Accelerate.Data;

/// <summary>
/// A file for writing and reading. Its name is deleted as soon as it is open, where the system allows that (everywhere
/// but Windows), so that a killed process leaves nothing.
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

    /// <summary>The file with its content; whoever takes it disposes it.</summary>
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
