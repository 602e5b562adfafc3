// In: the path of a folder. Out: its files, opened in a folder that only the user can have written to.
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Accelerate.Runtime;

/// <summary>
/// A folder whose files may be executed as code: whoever can write there can run code as this user, so paths are not
/// trusted. The folder is opened without following a link, and the checks apply to the open folder: the user owns it,
/// nobody else may write to it, and nobody else can replace it, because its parents belong to the user or root and
/// others may at most add to them (sticky, like /tmp). Files are opened relative to the open folder and checked in the
/// same way. An existing folder is never changed.
/// </summary>
/// <remarks>Linux only: elsewhere these checks are not possible, and the constructor throws.</remarks>
internal sealed partial class PrivateFolder
{
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private readonly SafeFileHandle folder;
    private readonly uint user = GetEffectiveUser();

    /// <summary>Opens the folder, creating it and its parents for the user alone if it does not exist.</summary>
    /// <exception cref="UnauthorizedAccessException">The folder is not private to the user; the message says
    /// why.</exception>
    /// <exception cref="IOException">The folder cannot be created or opened.</exception>
    public PrivateFolder(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new UnauthorizedAccessException("only on Linux can it be seen who may write to a folder");
        }
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        Make(full);
        folder = Open(null, full, Flags.Directory | Flags.NoFollow);
        try
        {
            CheckFolder(full);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>A file of the folder, with its size and times.</summary>
    public readonly record struct Entry(string Name, long Bytes, DateTime Read, DateTime Written);

    /// <summary>The bytes of a file; null if there is none that only the user can have written.</summary>
    public byte[]? Read(string name)
    {
        try
        {
            using SafeFileHandle file = Open(folder, name, Flags.NoFollow | Flags.NonBlocking);
            FileStatus status = FileStatus.Of(file);
            // At most one name, because the file could be changed through another name outside the folder. It has none
            // if another process has just replaced the file.
            if (status.Kind != FileKind.Regular || status.Owner.User != user || (status.Mode & OthersWrite) != 0
                || status.Links > 1)
            {
                return null;
            }
            var bytes = new byte[RandomAccess.GetLength(file)];
            int read = 0;
            while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is > 0 and int more)
            {
                read += more;
            }
            Touch(file);
            return read == bytes.Length ? bytes : bytes[..read];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No entry, or another process has just evicted it.
            return null;
        }
    }

    /// <summary>Writes a file atomically, by a temporary file and a rename, replacing an existing one.</summary>
    /// <returns>False if it cannot be written; nothing is left then.</returns>
    public bool Write(string name, ReadOnlySpan<byte> head, ReadOnlySpan<byte> bytes)
    {
        string temporary = $".{name}.{Guid.NewGuid():n}.tmp";
        try
        {
            using (SafeFileHandle file = Open(folder, temporary, Flags.Create | Flags.NoFollow))
            {
                RandomAccess.Write(file, head, 0);
                RandomAccess.Write(file, bytes, head.Length);
            }
            if (RenameAt(folder, temporary, folder, name) == 0)
            {
                return true;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The disk is full or read-only: that is no error, as the cache is only an optimisation.
        }
        Delete(temporary);
        return false;
    }

    /// <summary>Deletes a file, or the link of that name; best effort.</summary>
    public void Delete(string name) => _ = UnlinkAt(folder, name, 0);

    /// <summary>The files whose names match, without links; empty if the folder no longer exists.</summary>
    public IReadOnlyList<Entry> List(string pattern)
    {
        try
        {
            bool added = false;
            try
            {
                this.folder.DangerousAddRef(ref added);
                // By descriptor: the path may lead elsewhere by now.
                var folder = new DirectoryInfo($"/proc/self/fd/{this.folder.DangerousGetHandle()}/");
                return
                [
                    .. folder.EnumerateFiles(pattern).Where(f => f.LinkTarget is null)
                        .Select(f => new Entry(f.Name, f.Length, f.LastAccessTimeUtc, f.LastWriteTimeUtc)),
                ];
            }
            finally
            {
                if (added)
                {
                    this.folder.DangerousRelease();
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>
    /// Records the time of the last read, for eviction: most file systems are mounted without access times.
    /// </summary>
    private static void Touch(SafeFileHandle file)
    {
        try
        {
            File.SetLastAccessTimeUtc(file, DateTime.UtcNow);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A read-only file system: nothing is evicted from it either.
        }
    }

    /// <summary>
    /// Creates a folder and its parents unless they exist; what exists is left as it is, even a link. The checks happen
    /// on the opened folder.
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    private static void Make(string path)
    {
        if (Path.Exists(path))
        {
            return;
        }
        if (Path.GetDirectoryName(path) is { } above)
        {
            Make(above); // not by CreateDirectory, which would create the parents with the process's umask
        }
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private void CheckFolder(string path)
    {
        FileStatus own = FileStatus.Of(folder);
        if (own.Owner.User != user)
        {
            throw new UnauthorizedAccessException($"{path} belongs to user {own.Owner.User}, not to {user}");
        }
        if ((own.Mode & OthersWrite) != 0)
        {
            throw new UnauthorizedAccessException(
                $"others may write to {path}: its mode is {Convert.ToString((int)own.Mode, 8)}");
        }
        // Upwards through the real parents: the path itself may contain links.
        SafeFileHandle below = folder;
        FileStatus last = own;
        while (true)
        {
            SafeFileHandle parent = Open(below, "..", Flags.Directory);
            if (below != folder)
            {
                below.Dispose();
            }
            below = parent;
            FileStatus status = FileStatus.Of(parent);
            if (status.Identity == last.Identity)
            {
                parent.Dispose();
                return; // the root is its own parent
            }
            last = status;
            bool isOthers = status.Owner.User != user && status.Owner.User != 0;
            if (isOthers || ((status.Mode & OthersWrite) != 0 && (status.Mode & UnixFileMode.StickyBit) == 0))
            {
                parent.Dispose();
                throw new UnauthorizedAccessException($"others may put another folder in the place of {path}: a folder "
                    + (isOthers ? $"above it belongs to user {status.Owner.User}" : "above it can be written by others"));
            }
        }
    }

    [Flags]
    private enum Flags
    {
        Directory = 1,
        NoFollow = 2,
        NonBlocking = 4,
        Create = 8,
    }

    private static SafeFileHandle Open(SafeFileHandle? folder, string name, Flags flags)
    {
        // These two flags differ between processors.
        bool isArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64;
        int native = 0x80000; // O_CLOEXEC
        native |= flags.HasFlag(Flags.Directory) ? isArm ? 0x4000 : 0x10000 : 0;
        native |= flags.HasFlag(Flags.NoFollow) ? isArm ? 0x8000 : 0x20000 : 0;
        native |= flags.HasFlag(Flags.NonBlocking) ? 0x800 : 0;
        native |= flags.HasFlag(Flags.Create) ? 0x40 | 0x80 | 1 : 0; // O_CREAT, O_EXCL, O_WRONLY
        const int OwnerReadsAndWrites = 0b110_000_000;
        int descriptor = folder is null ? OpenPath(name, native, OwnerReadsAndWrites)
            : OpenAt(folder, name, native, OwnerReadsAndWrites);
        if (descriptor >= 0)
        {
            return new SafeFileHandle(descriptor, ownsHandle: true);
        }
        int error = Marshal.GetLastPInvokeError();
        const int IsLink = 40; // ELOOP
        const int IsNoFolder = 20; // ENOTDIR, also for a link where a folder is requested
        throw new IOException(error is IsLink ? $"{name} is a link"
            : error is IsNoFolder ? $"{name} is no folder, or a link to one"
            : $"{name}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int OpenPath(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "openat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int OpenAt(SafeFileHandle folder, string name, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "renameat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int RenameAt(SafeFileHandle from, string name, SafeFileHandle to, string other);

    [LibraryImport("libc", EntryPoint = "unlinkat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int UnlinkAt(SafeFileHandle folder, string name, int flags);
}
