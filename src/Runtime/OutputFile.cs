// In: a path and a function that writes. Out: the file, either complete or unchanged.
using System.Diagnostics;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Accelerate.Runtime;

/// <summary>
/// The only way in which files are written. A regular file is written completely under another name and then renamed in
/// one step, so that neither a reader nor a crash leaves half of it. Permissions are kept, and a link stays a link.
/// Anything else (a pipe, a device) is written directly.
/// </summary>
internal static class OutputFile
{
    private const string Suffix = ".accc-tmp";

    /// <exception cref="DataException">The file cannot be written; an existing file is unchanged.</exception>
    public static void Write(string path, Action<Stream> write) => DataException.Guard(path, () =>
    {
        if (InputFile.NameError(path) is { } error)
        {
            throw new IOException(error);
        }
        if (path.EndsWith('/') && FileStatus.Of(path) is null)
        {
            throw new IOException("names a folder, not a file");
        }
        // A link under /proc refers to an open file rather than a path: /dev/stdout is one.
        bool isOpened = Target(path).StartsWith("/proc/", StringComparison.Ordinal);
        switch (FileStatus.Of(path))
        {
            case { Kind: FileKind.Folder }: throw new IOException(InputFile.What(FileKind.Folder));
            case { Kind: FileKind.Pipe or FileKind.Device or FileKind.Socket } other:
                Through(path, other.Kind, write);
                break;
            case not null when isOpened:
                Through(path, FileKind.Regular, write);
                break;
            case var old:
                Replace(Target(path), old, write);
                break;
        }
        return true;
    });

    /// <summary>
    /// Equal for two names of one file, whether or not the file exists, through links or otherwise; null for a device,
    /// which any number of writers may share.
    /// </summary>
    public static string? Identity(string path)
    {
        if (InputFile.NameError(path) is not null)
        {
            return path;
        }
        if (FileStatus.Of(path) is { } there)
        {
            return there.Kind == FileKind.Device ? null : there.Identity;
        }
        // The file does not exist yet: its future folder and its name identify it.
        string target = Target(path);
        string folder = Path.GetDirectoryName(target) is { Length: > 0 } f ? f : ".";
        return $"{FileStatus.Of(folder)?.Identity ?? folder}/{Path.GetFileName(target)}";
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

    /// <summary>The path at the end of all links, whether or not it exists.</summary>
    private static string Target(string path)
    {
        // The number of links that Linux follows before it reports a loop.
        const int MostLinks = 40;
        string full = Path.GetFullPath(path);
        for (int links = 0; FileStatus.Of(full, follow: false) is { Kind: FileKind.Link }; links++)
        {
            if (links == MostLinks)
            {
                throw new IOException("is a link that leads to itself");
            }
            string next = new FileInfo(full).LinkTarget!;
            full = Path.GetFullPath(next, Path.GetDirectoryName(full)!);
            if (full.StartsWith("/proc/", StringComparison.Ordinal))
            {
                break;
            }
        }
        return full;
    }

    private static void Through(string path, FileKind kind, Action<Stream> write)
    {
        // The process's own streams are not opened again: two positions in one file would overwrite each other.
        using Stream stream = Target(path) switch
        {
            "/proc/self/fd/1" => Console.OpenStandardOutput(),
            "/proc/self/fd/2" => Console.OpenStandardError(),
            _ when OperatingSystem.IsLinux() => new FileStream(OpenToWrite(path, kind), FileAccess.Write),
            _ => new FileStream(path, FileMode.Open, FileAccess.Write),
        };
        write(stream);
    }

    /// <summary>Waits for a pipe's reader, but not forever.</summary>
    private static SafeFileHandle OpenToWrite(string path, FileKind kind)
    {
        int flags = NativeFile.WriteOnly | (kind == FileKind.Regular ? NativeFile.Append : 0);
        if (kind == FileKind.Pipe)
        {
            flags |= NativeFile.DoNotWait;
        }
        for (var watch = Stopwatch.StartNew(); ; Thread.Sleep(5))
        {
            if (NativeFile.Open(path, flags, out int error) is { } handle)
            {
                if (kind == FileKind.Pipe)
                {
                    NativeFile.Wait(handle);
                }
                return handle;
            }
            if (error != NativeFile.NobodyReads || kind != FileKind.Pipe)
            {
                throw new IOException(NativeFile.Message(error));
            }
            if (watch.Elapsed > InputFile.Patience)
            {
                throw new IOException("is a pipe that nobody reads from");
            }
        }
    }

    private static void Replace(string target, FileStatus? old, Action<Stream> write)
    {
        string folder = Path.GetDirectoryName(target) ?? "/";
        if (FileStatus.Of(folder) is null)
        {
            throw new IOException($"there is no folder {folder}");
        }
        RemoveAbandoned(folder);
        if (old is not null)
        {
            // A file without write permission is not replaced either, even if its folder would allow it.
            new FileStream(target, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete).Dispose();
        }
        // In the same folder, because a rename is atomic only within a file system; unique, because writers may race.
        string temporary = Temporary(folder, Environment.ProcessId);
        try
        {
            using (FileStream stream = Create(folder, temporary, out bool isNamed))
            {
                write(stream);
                if (old is { } status && !OperatingSystem.IsWindows())
                {
                    // The owner first: changing it clears bits of the mode.
                    if (OperatingSystem.IsLinux())
                    {
                        NativeFile.GiveTo(stream.SafeFileHandle, status.Owner);
                    }
                    File.SetUnixFileMode(stream.SafeFileHandle, status.Mode);
                }
                stream.Flush(flushToDisk: true);
                if (!isNamed)
                {
                    NativeFile.GiveName(stream.SafeFileHandle, temporary);
                }
            }
            File.Move(temporary, target, overwrite: true);
        }
        finally
        {
            File.Delete(temporary); // nothing is left after a rename
        }
    }

    /// <summary>Unnamed where the file system supports it, so that a killed process leaves nothing.</summary>
    private static FileStream Create(string folder, string temporary, out bool isNamed)
    {
        isNamed = false;
        if (OperatingSystem.IsLinux() && NativeFile.Nameless is not 0 and var flag
            && NativeFile.Open(folder, NativeFile.WriteOnly | flag, out _) is { } handle)
        {
            return new FileStream(handle, FileAccess.Write);
        }
        isNamed = true;
        return new FileStream(temporary, FileMode.CreateNew, FileAccess.Write);
    }

    /// <summary>
    /// A name that identifies the process and its machine, since folders may be shared by several machines.
    /// </summary>
    internal static string Temporary(string folder, int process) => Path.Combine(folder,
        string.Create(CultureInfo.InvariantCulture, $".{Machine.Value}-{process}-{Guid.NewGuid():N}{Suffix}"));

    private static readonly Lazy<string> Machine = new(() =>
    {
        const string Processes = "/proc/self/ns/pid";
        string space = OperatingSystem.IsLinux() ? new FileInfo(Processes).LinkTarget ?? "" : "";
        return DiskCache.Key(Environment.MachineName, space)[..12];
    });

    /// <summary>Removes files that dead processes left in the folder.</summary>
    private static void RemoveAbandoned(string folder)
    {
        try
        {
            foreach (string path in Directory.EnumerateFiles(folder, $".{Machine.Value}-*{Suffix}",
                new EnumerationOptions { AttributesToSkip = 0 }))
            {
                string[] parts = Path.GetFileName(path).Split('-');
                if (int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int process)
                    && process != Environment.ProcessId && !IsAlive(process))
                {
                    File.Delete(path);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Someone else's leftovers are no reason not to write.
        }
    }

    private static bool IsAlive(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
