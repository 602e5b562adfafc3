// In: a path and flags. Out: a handle, for options that the framework's files do not have. Linux only.
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Accelerate.Runtime;

/// <summary>The system calls used by <see cref="InputFile"/> and <see cref="OutputFile"/>.</summary>
internal static unsafe partial class NativeFile
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int Append = 0x400;

    /// <summary>
    /// Non-blocking: opening a pipe does not wait for its other end, and reading does not wait for data.
    /// </summary>
    public const int DoNotWait = 0x800;

    private const int CloseOnExec = 0x80000;
    private const int CurrentFolder = -100;
    private const int FollowLink = 0x400;
    private const int SetFlags = 4;

    /// <summary>The error numbers that callers handle.</summary>
    public const int NobodyReads = 6;
    public const int TryAgain = 11;

    /// <summary>An unnamed file that disappears with its handle (O_TMPFILE); the bits differ by architecture.</summary>
    public static int Nameless => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 0x410000,
        Architecture.Arm64 => 0x404000,
        _ => 0,
    };

    /// <summary>Returns null and the error number if the file cannot be opened.</summary>
    public static SafeFileHandle? Open(string path, int flags, out int error)
    {
        // Mode 0666 less the process's umask, as for any new file.
        int handle = OpenCall(path, flags | CloseOnExec, 0x1b6);
        error = handle < 0 ? Marshal.GetLastPInvokeError() : 0;
        return handle < 0 ? null : new SafeFileHandle(handle, ownsHandle: true);
    }

    /// <exception cref="IOException">The name is taken, or the file system does not support it.</exception>
    public static void GiveName(SafeFileHandle file, string path)
    {
        if (LinkCall(CurrentFolder, $"/proc/self/fd/{file.DangerousGetHandle()}", CurrentFolder, path, FollowLink) != 0)
        {
            throw Failure();
        }
    }

    /// <summary>Changes a file's owner where that is allowed: as root, a replaced file keeps its owner.</summary>
    public static void GiveTo(SafeFileHandle file, (uint User, uint Group) owner) =>
        _ = OwnerCall(file, owner.User, owner.Group);

    /// <summary>The number of bytes read, 0 at the end, -1 with the error number.</summary>
    public static nint Read(SafeFileHandle file, Span<byte> target, out int error)
    {
        fixed (byte* to = target)
        {
            nint read = ReadCall(file, to, (nuint)target.Length);
            error = read < 0 ? Marshal.GetLastPInvokeError() : 0;
            return read;
        }
    }

    /// <summary>Makes the handle blocking.</summary>
    public static void Wait(SafeFileHandle file)
    {
        if (Control(file, SetFlags, 0) != 0)
        {
            throw Failure();
        }
    }

    public static string Message(int error) => new Win32Exception(error).Message;

    private static IOException Failure() => new(Message(Marshal.GetLastPInvokeError()));

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenCall(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkCall(int fromFolder, string from, int toFolder, string to, int flags);

    [LibraryImport("libc", EntryPoint = "fchown")]
    private static partial int OwnerCall(SafeFileHandle file, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadCall(SafeFileHandle file, byte* to, nuint bytes);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, int value);
}
