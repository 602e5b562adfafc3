// In: a path given by the user. Out: a stream of the file; folders, devices and silent pipes are refused.
using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace Accelerate.Runtime;

/// <summary>
/// Opening a pipe waits for its other end, and a device may give bytes forever, so the kind of file is checked first.
/// Messages do not contain the path, which callers prepend.
/// </summary>
internal static class InputFile
{
    /// <summary>How long to wait for the other end of a pipe to be opened; the data itself may take longer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>The error for an impossible file name; null for a possible one.</summary>
    public static string? NameError(string path) => path.Length == 0 ? "an empty name is no file's"
        : path.Contains('\0') ? "a file's name has no NUL in it" : null;

    /// <summary>Opens a regular file, whose length is known and which allows random access.</summary>
    /// <exception cref="IOException">The file does not exist or is of another kind.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static FileStream OpenRegular(string path)
    {
        if (KindOf(path) is not FileKind.Regular and var kind)
        {
            throw new IOException(What(kind));
        }
        return File.OpenRead(path);
    }

    /// <summary>Reads a whole regular file, pipe or terminal, up to a number of bytes.</summary>
    /// <exception cref="IOException">There is nothing to read, or more than <paramref name="most"/> bytes.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static byte[] ReadAll(string path, int most)
    {
        FileKind kind = KindOf(path);
        if (kind is FileKind.Folder or FileKind.Socket)
        {
            throw new IOException(What(kind));
        }
        using var bytes = new MemoryStream();
        using Stream stream = kind == FileKind.Pipe && OperatingSystem.IsLinux() ? OpenPipe(path, bytes)
            : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        var chunk = new byte[1 << 16];
        for (int read; (read = stream.Read(chunk)) > 0;)
        {
            bytes.Write(chunk, 0, read);
            if (bytes.Length > most)
            {
                throw new IOException($"is longer than {most >> 20} MiB");
            }
        }
        return bytes.ToArray();
    }

    /// <summary>The error for a kind of file other than a regular one.</summary>
    public static string What(FileKind kind) => kind switch
    {
        FileKind.Folder => "is a folder, not a file",
        FileKind.Pipe => "is a pipe, not a file",
        FileKind.Device => "is a device, not a file",
        FileKind.Socket => "is a socket, not a file",
        _ => "is a link that leads nowhere",
    };

    private static FileKind KindOf(string path)
    {
        if (NameError(path) is { } error)
        {
            throw new IOException(error);
        }
        if (FileStatus.Of(path) is { } status)
        {
            return status.Kind;
        }
        // Opening it gives the reason: no such file, a parent folder that may not be entered, a name too long.
        File.OpenRead(path).Dispose();
        throw new FileNotFoundException("no such file");
    }

    /// <summary>
    /// Opens a pipe without blocking, then waits a while for a writer: end of file means that there is none, and "try
    /// again" that there is one.
    /// </summary>
    private static FileStream OpenPipe(string path, MemoryStream first)
    {
        SafeFileHandle? handle = NativeFile.Open(path, NativeFile.ReadOnly | NativeFile.DoNotWait, out int error);
        if (handle is null)
        {
            throw new IOException(NativeFile.Message(error));
        }
        Span<byte> chunk = stackalloc byte[256];
        for (var watch = Stopwatch.StartNew(); ; Thread.Sleep(5))
        {
            nint read = NativeFile.Read(handle, chunk, out error);
            if (read > 0)
            {
                first.Write(chunk[..(int)read]);
                break;
            }
            if (read < 0 && error == NativeFile.TryAgain)
            {
                break;
            }
            if (read < 0 || watch.Elapsed > Patience)
            {
                handle.Dispose();
                throw new IOException(read < 0 ? NativeFile.Message(error) : "is a pipe that nobody writes to");
            }
        }
        NativeFile.Wait(handle);
        return new FileStream(handle, FileAccess.Read, bufferSize: 0);
    }
}
