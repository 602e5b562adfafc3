// In: a buffer's address, its number of elements and an offset. Out: the element, read or written, or an internal
// error.
using System.Runtime.CompilerServices;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Backends.Interpreter;

/// <summary>
/// The only place where the interpreter accesses memory. The caller has checked the offset against the count.
/// </summary>
internal static unsafe class Memory
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Read<T>(nint data, long offset) where T : unmanaged => ((T*)data)[offset];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<T>(nint data, long offset, T value) where T : unmanaged => ((T*)data)[offset] = value;

    /// <summary>Any byte but 0 is true: a .NET bool with another value than 0 and 1 would equal neither.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadBool(nint data, long offset) => ((byte*)data)[offset] != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteBool(nint data, long offset, bool value) =>
        ((byte*)data)[offset] = value ? (byte)1 : (byte)0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void OutOfBounds(string kernel, string buffer, long offset, long count) =>
        throw new InternalErrorException(
            $"kernel @{kernel} touches {buffer}[{offset}], but {buffer} has {count} elements");
}
