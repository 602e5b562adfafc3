// In: a path or an open file. Out: its kind, its identity, which all its names share, and its permissions.
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Accelerate.Runtime;

internal enum FileKind
{
    Regular, Folder, Link, Pipe, Device, Socket,
}

/// <summary>
/// The status of a name without opening it, because opening a pipe waits and opening a device may have effects; or of
/// an open file, whatever its name refers to by now.
/// </summary>
/// <param name="Kind">The kind of file.</param>
/// <param name="Identity">Equal exactly for names of the same file; empty where the system has no identity.</param>
/// <param name="Mode">The permission bits.</param>
/// <param name="Owner">The numbers of the owning user and group.</param>
/// <param name="Node">The major and minor numbers of a device node.</param>
/// <param name="Links">The number of hard links.</param>
internal readonly partial record struct FileStatus(
    FileKind Kind, string Identity, UnixFileMode Mode, (uint User, uint Group) Owner, (uint Major, uint Minor) Node,
    uint Links)
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH: the descriptor itself
    private const uint Wanted = 0x7ff; // STATX_BASIC_STATS

    /// <summary>The status of a name; null if nothing has that name or it cannot be queried.</summary>
    /// <param name="path">A name.</param>
    /// <param name="follow">Whether to follow a link.</param>
    public static unsafe FileStatus? Of(string path, bool follow = true)
    {
        if (path.Length == 0 || path.Contains('\0')) return null;
        if (!OperatingSystem.IsLinux()) return Portable(path, follow);
        Statx status;
        return StatxOf(CurrentFolder, path, follow ? 0 : NoFollow, Wanted, &status) == 0 ? From(status) : null;
    }

    /// <summary>The status of an open file or folder; Linux only.</summary>
    /// <exception cref="IOException">The system gives no status.</exception>
    public static unsafe FileStatus Of(SafeFileHandle file)
    {
        Statx status;
        return StatxOfOpen(file, "", EmptyPath, Wanted, &status) == 0 ? From(status)
            : throw new IOException(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
    }

    private static FileStatus From(in Statx status)
    {
        FileKind kind = (status.Mode >> 12) switch
        {
            8 => FileKind.Regular,
            4 => FileKind.Folder,
            10 => FileKind.Link,
            1 => FileKind.Pipe,
            12 => FileKind.Socket,
            _ => FileKind.Device,
        };
        return new FileStatus(kind, $"{status.DeviceMajor}:{status.DeviceMinor}:{status.Inode}",
            (UnixFileMode)(status.Mode & 0xfff), (status.User, status.Group), (status.NodeMajor, status.NodeMinor),
            status.Links);
    }

    private static FileStatus? Portable(string path, bool follow)
    {
        FileSystemInfo info = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
        FileSystemInfo asked = follow && info.LinkTarget is not null ? info.ResolveLinkTarget(true) ?? info : info;
        if (!asked.Exists) return null;
        FileKind kind = asked is DirectoryInfo ? FileKind.Folder
            : asked.LinkTarget is not null ? FileKind.Link : FileKind.Regular;
        return new FileStatus(
            kind, asked.FullName, OperatingSystem.IsWindows() ? default : asked.UnixFileMode, default, default, 1);
    }

    /// <summary>The kernel's struct statx, the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(16)] public uint Links;
        [FieldOffset(20)] public uint User;
        [FieldOffset(24)] public uint Group;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(128)] public uint NodeMajor;
        [FieldOffset(132)] public uint NodeMinor;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatxOf(int folder, string path, int flags, uint mask, Statx* status);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static unsafe partial int StatxOfOpen(SafeFileHandle file, string path, int flags, uint mask,
        Statx* status);
}
