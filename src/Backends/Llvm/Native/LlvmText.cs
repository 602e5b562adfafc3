// In: C strings and errors owned by LLVM. Out: managed strings; LLVM's memory is freed.
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Accelerate.Backends.Llvm.Native;

internal static unsafe class LlvmText
{
    /// <summary>Copies a string and disposes it with LLVMDisposeMessage. A null pointer is the empty string.</summary>
    public static string Take(byte* message)
    {
        if (message is null)
            return "";
        var text = Marshal.PtrToStringUTF8((nint)message) ?? "";
        LlvmC.LLVMDisposeMessage(message);
        return text;
    }

    /// <summary>The text of an LLVMErrorRef, which this consumes.</summary>
    public static string TakeError(nint error)
    {
        var message = LlvmC.LLVMGetErrorMessage(error);
        var text = Marshal.PtrToStringUTF8((nint)message) ?? "";
        LlvmC.LLVMDisposeErrorMessage(message);
        return text;
    }

    /// <summary>Throws if an LLVMErrorRef is an error; zero means success.</summary>
    public static void Check(nint error, string doing)
    {
        if (error != 0)
            Throw(doing, TakeError(error));
    }

    [DoesNotReturn]
    public static void Throw(string doing, string message) => throw new LlvmException($"{doing}: {message.TrimEnd()}");
}
