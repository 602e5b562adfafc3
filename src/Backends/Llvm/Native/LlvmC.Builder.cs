// In: the parts of LLVM-C's Core.h that build IR through calls. Out: declarations of those needed for elementwise
// functions.
using System.Runtime.InteropServices;

namespace Accelerate.Backends.Llvm.Native;

/// <summary>
/// Kernels are printed as text; the builder is for checks that need a module made by LLVM itself, without a parser.
/// </summary>
internal static unsafe partial class LlvmC
{
    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMModuleCreateWithNameInContext(string name, nint context);

    [LibraryImport(Lib)]
    internal static partial nint LLVMVoidTypeInContext(nint context);

    [LibraryImport(Lib)]
    internal static partial nint LLVMFloatTypeInContext(nint context);

    [LibraryImport(Lib)]
    internal static partial nint LLVMInt64TypeInContext(nint context);

    [LibraryImport(Lib)]
    internal static partial nint LLVMPointerTypeInContext(nint context, uint addressSpace);

    [LibraryImport(Lib)]
    internal static partial nint LLVMFunctionType(nint result, nint* parameters, uint count, int variadic);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMAddFunction(nint module, string name, nint type);

    [LibraryImport(Lib)]
    internal static partial nint LLVMGetParam(nint function, uint index);

    [LibraryImport(Lib)]
    internal static partial nint LLVMConstInt(nint type, ulong value, int signExtend);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMAppendBasicBlockInContext(nint context, nint function, string name);

    [LibraryImport(Lib)]
    internal static partial nint LLVMCreateBuilderInContext(nint context);

    [LibraryImport(Lib)]
    internal static partial void LLVMPositionBuilderAtEnd(nint builder, nint block);

    [LibraryImport(Lib)]
    internal static partial void LLVMDisposeBuilder(nint builder);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMBuildAdd(nint builder, nint left, nint right, string name);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMBuildFAdd(nint builder, nint left, nint right, string name);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMBuildFMul(nint builder, nint left, nint right, string name);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMBuildGEP2(
        nint builder, nint type, nint pointer, nint* indices, uint count, string name);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMBuildLoad2(nint builder, nint type, nint pointer, string name);

    [LibraryImport(Lib)]
    internal static partial nint LLVMBuildStore(nint builder, nint value, nint pointer);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMBuildICmp(
        nint builder, LLVMIntPredicate predicate, nint left, nint right, string name);

    [LibraryImport(Lib)]
    internal static partial nint LLVMBuildBr(nint builder, nint target);

    [LibraryImport(Lib)]
    internal static partial nint LLVMBuildCondBr(nint builder, nint condition, nint then, nint otherwise);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMBuildPhi(nint builder, nint type, string name);

    [LibraryImport(Lib)]
    internal static partial void LLVMAddIncoming(nint phi, nint* values, nint* blocks, uint count);

    [LibraryImport(Lib)]
    internal static partial nint LLVMBuildRetVoid(nint builder);
}

internal enum LLVMIntPredicate
{
    LLVMIntEQ = 32,
    LLVMIntSGT = 38,
    LLVMIntSLT = 40,
}
