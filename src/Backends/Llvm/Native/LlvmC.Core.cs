// In: LLVM-C's Core.h, IRReader.h, Analysis.h, Error.h, ErrorHandling.h, Support.h. Out: declarations of the functions
// used here.
using System.Runtime.InteropServices;

namespace Accelerate.Backends.Llvm.Native;

/// <summary>
/// LLVM-C, with the names of its headers. References (LLVMModuleRef and the like) are nint; LLVMBool is int, where
/// non-zero means failure unless noted otherwise; a `byte*` result must go to the dispose function named in its header.
/// </summary>
internal static unsafe partial class LlvmC
{
    private const string Lib = LlvmLibrary.Name;

    [LibraryImport(Lib)]
    internal static partial void LLVMDisposeMessage(byte* message);

    [LibraryImport(Lib)]
    internal static partial void LLVMInstallFatalErrorHandler(delegate* unmanaged[Cdecl]<byte*, void> handler);

    /// <summary>
    /// Sets options of the whole library; an unknown option, or one that is set twice, ends the process.
    /// </summary>
    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void LLVMParseCommandLineOptions(int count, string[] arguments, string overview);

    // Errors: LLVMGetErrorMessage consumes the error.
    [LibraryImport(Lib)]
    internal static partial byte* LLVMGetErrorMessage(nint error);

    [LibraryImport(Lib)]
    internal static partial void LLVMDisposeErrorMessage(byte* message);

    // Contexts and their diagnostics.
    [LibraryImport(Lib)]
    internal static partial nint LLVMContextCreate();

    [LibraryImport(Lib)]
    internal static partial void LLVMContextDispose(nint context);

    [LibraryImport(Lib)]
    internal static partial void LLVMContextSetDiagnosticHandler(
        nint context, delegate* unmanaged[Cdecl]<nint, nint, void> handler, nint state);

    [LibraryImport(Lib)]
    internal static partial LLVMDiagnosticSeverity LLVMGetDiagInfoSeverity(nint info);

    [LibraryImport(Lib)]
    internal static partial byte* LLVMGetDiagInfoDescription(nint info);

    // Memory buffers.
    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMCreateMemoryBufferWithMemoryRangeCopy(byte* data, nuint length, string name);

    [LibraryImport(Lib)]
    internal static partial byte* LLVMGetBufferStart(nint buffer);

    [LibraryImport(Lib)]
    internal static partial nuint LLVMGetBufferSize(nint buffer);

    [LibraryImport(Lib)]
    internal static partial void LLVMDisposeMemoryBuffer(nint buffer);

    // Modules. LLVMParseIRInContext consumes the buffer, whether or not it succeeds.
    [LibraryImport(Lib)]
    internal static partial int LLVMParseIRInContext(nint context, nint buffer, out nint module, out byte* message);

    [LibraryImport(Lib)]
    internal static partial int LLVMVerifyModule(nint module, LLVMVerifierFailureAction action, out byte* message);

    [LibraryImport(Lib)]
    internal static partial byte* LLVMPrintModuleToString(nint module);

    [LibraryImport(Lib)]
    internal static partial byte* LLVMGetTarget(nint module);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void LLVMSetTarget(nint module, string triple);

    [LibraryImport(Lib)]
    internal static partial void LLVMDisposeModule(nint module);
}

internal enum LLVMDiagnosticSeverity
{
    LLVMDSError,
    LLVMDSWarning,
    LLVMDSRemark,
    LLVMDSNote,
}

internal enum LLVMVerifierFailureAction
{
    LLVMAbortProcessAction,
    LLVMPrintMessageAction,
    LLVMReturnStatusAction,
}
