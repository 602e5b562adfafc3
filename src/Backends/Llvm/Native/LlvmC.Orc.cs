// In: LLVM-C's Orc.h and LLJIT.h. Out: declarations of the functions used here.
using System.Runtime.InteropServices;

namespace Accelerate.Backends.Llvm.Native;

internal static unsafe partial class LlvmC
{
    // The JIT. A builder consumes its JITTargetMachineBuilder, which consumes its target machine; LLVMOrcCreateLLJIT
    // consumes the builder.
    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcCreateLLJITBuilder();

    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(nint machine);

    [LibraryImport(Lib)]
    internal static partial void LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(nint builder, nint machineBuilder);

    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcCreateLLJIT(out nint jit, nint builder);

    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcDisposeLLJIT(nint jit);

    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcLLJITGetExecutionSession(nint jit);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMOrcLLJITMangleAndIntern(nint jit, string name);

    /// <summary>Consumes the buffer, whether or not it succeeds.</summary>
    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcLLJITAddObjectFile(nint jit, nint dylib, nint buffer);

    // IR compiled by the JIT itself: a module is wrapped with its thread-safe context.
    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcCreateNewThreadSafeContext();

    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcThreadSafeContextGetContext(nint context);

    [LibraryImport(Lib)]
    internal static partial void LLVMOrcDisposeThreadSafeContext(nint context);

    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcCreateNewThreadSafeModule(nint module, nint context);

    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcLLJITAddLLVMIRModule(nint jit, nint dylib, nint module);

    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcLLJITGetMainJITDylib(nint jit);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMOrcLLJITLookup(nint jit, out ulong address, string name);

    // Sessions, dylibs and symbols.
    [LibraryImport(Lib)]
    internal static partial void LLVMOrcExecutionSessionSetErrorReporter(
        nint session, delegate* unmanaged[Cdecl]<nint, nint, void> reporter, nint state);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint LLVMOrcExecutionSessionCreateBareJITDylib(nint session, string name);

    /// <summary>Consumes the references to the symbols' names; the result is passed to the callback.</summary>
    [LibraryImport(Lib)]
    internal static partial void LLVMOrcExecutionSessionLookup(
        nint session,
        LLVMOrcLookupKind kind,
        LLVMOrcCJITDylibSearchOrderElement* order,
        nuint orderLength,
        LLVMOrcCLookupSetElement* symbols,
        nuint symbolsLength,
        delegate* unmanaged[Cdecl]<nint, LLVMOrcCSymbolMapPair*, nuint, nint, void> result,
        nint state);

    /// <summary>Consumes the references to the symbols' names.</summary>
    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcAbsoluteSymbols(LLVMOrcCSymbolMapPair* symbols, nuint length);

    /// <summary>Consumes the unit only if it succeeds.</summary>
    [LibraryImport(Lib)]
    internal static partial nint LLVMOrcJITDylibDefine(nint dylib, nint unit);

    [LibraryImport(Lib)]
    internal static partial void LLVMOrcDisposeMaterializationUnit(nint unit);
}

internal enum LLVMOrcLookupKind
{
    LLVMOrcLookupKindStatic,
    LLVMOrcLookupKindDLSym,
}

internal enum LLVMOrcJITDylibLookupFlags
{
    LLVMOrcJITDylibLookupFlagsMatchExportedSymbolsOnly,
    LLVMOrcJITDylibLookupFlagsMatchAllSymbols,
}

internal enum LLVMOrcSymbolLookupFlags
{
    LLVMOrcSymbolLookupFlagsRequiredSymbol,
    LLVMOrcSymbolLookupFlagsWeaklyReferencedSymbol,
}

[Flags]
internal enum LLVMJITSymbolGenericFlags : byte
{
    LLVMJITSymbolGenericFlagsExported = 1,
    LLVMJITSymbolGenericFlagsCallable = 4,
}

[StructLayout(LayoutKind.Sequential)]
internal struct LLVMOrcCJITDylibSearchOrderElement
{
    public nint JD;
    public LLVMOrcJITDylibLookupFlags JDLookupFlags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct LLVMOrcCLookupSetElement
{
    public nint Name;
    public LLVMOrcSymbolLookupFlags LookupFlags;
}

/// <summary>LLVMOrcCSymbolMapPair with its nested LLVMJITEvaluatedSymbol and LLVMJITSymbolFlags flattened.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LLVMOrcCSymbolMapPair
{
    public nint Name;
    public ulong Address;
    public LLVMJITSymbolGenericFlags GenericFlags;
    public byte TargetFlags;
}
