// In: LLVM-C's Target.h, TargetMachine.h and Transforms/PassBuilder.h. Out: declarations of the functions used here.
using System.Runtime.InteropServices;

namespace Accelerate.Backends.Llvm.Native;

internal static unsafe partial class LlvmC
{
    [LibraryImport(Lib)]
    internal static partial void LLVMInitializeX86TargetInfo();

    [LibraryImport(Lib)]
    internal static partial void LLVMInitializeX86Target();

    [LibraryImport(Lib)]
    internal static partial void LLVMInitializeX86TargetMC();

    [LibraryImport(Lib)]
    internal static partial void LLVMInitializeX86AsmPrinter();

    [LibraryImport(Lib)]
    internal static partial void LLVMInitializeX86AsmParser();

    [LibraryImport(Lib)]
    internal static partial void LLVMInitializeNVPTXTargetInfo();

    [LibraryImport(Lib)]
    internal static partial void LLVMInitializeNVPTXTarget();

    [LibraryImport(Lib)]
    internal static partial void LLVMInitializeNVPTXTargetMC();

    [LibraryImport(Lib)]
    internal static partial void LLVMInitializeNVPTXAsmPrinter();

    // The host, as LLVM names it; results go to LLVMDisposeMessage.
    [LibraryImport(Lib)]
    internal static partial byte* LLVMGetHostCPUName();

    [LibraryImport(Lib)]
    internal static partial byte* LLVMGetHostCPUFeatures();

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial byte* LLVMNormalizeTargetTriple(string triple);

    // Target machines.
    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int LLVMGetTargetFromTriple(string triple, out nint target, out byte* message);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMCreateTargetMachine(
        nint target,
        string triple,
        string cpu,
        string features,
        LLVMCodeGenOptLevel level,
        LLVMRelocMode reloc,
        LLVMCodeModel model);

    [LibraryImport(Lib)]
    internal static partial void LLVMDisposeTargetMachine(nint machine);

    [LibraryImport(Lib)]
    internal static partial nint LLVMCreateTargetDataLayout(nint machine);

    [LibraryImport(Lib)]
    internal static partial void LLVMSetModuleDataLayout(nint module, nint layout);

    [LibraryImport(Lib)]
    internal static partial void LLVMDisposeTargetData(nint layout);

    [LibraryImport(Lib)]
    internal static partial int LLVMTargetMachineEmitToMemoryBuffer(
        nint machine, nint module, LLVMCodeGenFileType type, out byte* message, out nint buffer);

    // Passes.
    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMRunPasses(nint module, string passes, nint machine, nint options);

    [LibraryImport(Lib)]
    internal static partial nint LLVMCreatePassBuilderOptions();

    [LibraryImport(Lib)]
    internal static partial void LLVMPassBuilderOptionsSetLoopInterleaving(nint options, int on);

    [LibraryImport(Lib)]
    internal static partial void LLVMPassBuilderOptionsSetLoopUnrolling(nint options, int on);

    [LibraryImport(Lib)]
    internal static partial void LLVMDisposePassBuilderOptions(nint options);
}

internal enum LLVMCodeGenOptLevel
{
    LLVMCodeGenLevelNone,
    LLVMCodeGenLevelLess,
    LLVMCodeGenLevelDefault,
    LLVMCodeGenLevelAggressive,
}

internal enum LLVMRelocMode
{
    LLVMRelocDefault,
    LLVMRelocStatic,
    LLVMRelocPIC,
}

internal enum LLVMCodeModel
{
    LLVMCodeModelDefault,
    LLVMCodeModelJITDefault,
    LLVMCodeModelTiny,
    LLVMCodeModelSmall,
}

internal enum LLVMCodeGenFileType
{
    LLVMAssemblyFile,
    LLVMObjectFile,
}
