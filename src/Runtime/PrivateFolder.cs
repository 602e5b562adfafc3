// In: the path of a folder. Out: its files, opened in a folder that nobody but the user can have written to.
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Accelerate.Runtime;

/// <summary>
/// A folder whose files may be executed as code: whoever can write there runs code as this user. So nothing is believed
/// of a path. The folder is opened without following a link, and what is checked is what was opened: its owner is the
/// user, nobody else may write to it, and nobody else can put another in its place, as its parents are the user's or
/// root's and others may at most add to them (sticky, as /tmp). Files are opened below the open folder and checked in
/// the same way. A folder that is there already is never changed.
/// </summary>
/// <remarks>Only on Linux: elsewhere nothing is private enough, and the constructor says so.</remarks>
internal sealed partial class PrivateFolder
{
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private readonly SafeFileHandle _folder;
    private readonly uint _user = GetEffectiveUser();

    /// <summary>Opens the folder, which is made if it is not there, with its parents, for the user alone.</summary>
    /// <exception cref="UnauthorizedAccessException">The folder is not the user's alone; the message says
    /// why.</exception>
    /// <exception cref="IOException">It cannot be made or opened.</exception>
    public PrivateFolder(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new UnauthorizedAccessException("only on Linux can it be seen who may write to a folder");
        }
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        Make(full);
        _folder = Open(null, full, Flags.Directory | Flags.NoFollow);
        try
        {
            CheckFolder(full);
        }
        catch
        {
            _folder.Dispose();
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
            using SafeFileHandle file = Open(_folder, name, Flags.NoFollow | Flags.NonBlocking);
            FileStatus status = FileStatus.Of(file);
            // One name at most: by another the file could be changed from outside of the folder. It has none when
            // another process has just put a new file in its place.
            if (status.Kind != FileKind.Regular || status.Owner.User != _user || (status.Mode & OthersWrite) != 0
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
            // No entry, or one just evicted by another process.
            return null;
        }
    }

    /// <summary>Writes a file whole, by a temporary one and a rename, over one that is there.</summary>
    /// <returns>False if it cannot be written; then nothing is left.</returns>
    public bool Write(string name, ReadOnlySpan<byte> head, ReadOnlySpan<byte> bytes)
    {
        string temporary = $".{name}.{Guid.NewGuid():n}.tmp";
        try
        {
            using (SafeFileHandle file = Open(_folder, temporary, Flags.Create | Flags.NoFollow))
            {
                RandomAccess.Write(file, head, 0);
                RandomAccess.Write(file, bytes, head.Length);
            }
            if (RenameAt(_folder, temporary, _folder, name) == 0)
            {
                return true;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full or read-only disk: an entry is only ever an optimisation.
        }
        Delete(temporary);
        return false;
    }

    /// <summary>Removes a file, or the link of that name; best effort.</summary>
    public void Delete(string name) => _ = UnlinkAt(_folder, name, 0);

    /// <summary>The files whose names match, links left out; empty when the folder is gone.</summary>
    public IReadOnlyList<Entry> List(string pattern)
    {
        try
        {
            bool added = false;
            try
            {
                _folder.DangerousAddRef(ref added);
                // By its descriptor: the path may lead elsewhere by now.
                var folder = new DirectoryInfo($"/proc/self/fd/{_folder.DangerousGetHandle()}/");
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
                    _folder.DangerousRelease();
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>
    /// Says when a file was last read, for eviction: most file systems are mounted so that a read does not.
    /// </summary>
    private static void Touch(SafeFileHandle file)
    {
        try
        {
            File.SetLastAccessTimeUtc(file, DateTime.UtcNow);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder mounted for reading only: nothing is evicted from it either.
        }
    }

    /// <summary>
    /// Makes a folder and those above it, unless they are there; what is there is left as it is, a link too. Whether it
    /// will do is seen on what opens.
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
            Make(above); // not by CreateDirectory: it makes those above for whomever the process's mask lets in
        }
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private void CheckFolder(string path)
    {
        FileStatus own = FileStatus.Of(_folder);
        if (own.Owner.User != _user)
        {
            throw new UnauthorizedAccessException($"{path} belongs to user {own.Owner.User}, not to {_user}");
        }
        if ((own.Mode & OthersWrite) != 0)
        {
            throw new UnauthorizedAccessException(
                $"others may write to {path}: its mode is {Convert.ToString((int)own.Mode, 8)}");
        }
        // Upwards by what is really above: the way down may have led over links.
        SafeFileHandle below = _folder;
        FileStatus last = own;
        while (true)
        {
            SafeFileHandle parent = Open(below, "..", Flags.Directory);
            if (below != _folder)
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
            bool isOthers = status.Owner.User != _user && status.Owner.User != 0;
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
        // The two that are not the same on all processors.
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
        const int IsNoFolder = 20; // ENOTDIR, also of a link where a folder is asked for
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
