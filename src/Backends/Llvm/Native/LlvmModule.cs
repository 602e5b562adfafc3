// In: the text of one LLVM module and a target. Out: the parsed module, which can be verified, optimised, printed or
// emitted.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Accelerate.Backends.Llvm.Native;

/// <summary>
/// One module in a context of its own, so that any number can be compiled concurrently; an instance belongs to one
/// thread. <see cref="Dispose"/> frees it.
/// </summary>
internal sealed unsafe class LlvmModule : IDisposable
{
    private readonly List<string> errors = [];
    private GCHandle errorsHandle;
    private nint context;
    private nint module;
    private nint machine;

    /// <summary>Parses and verifies <paramref name="irText"/>.</summary>
    /// <exception cref="LlvmException">The text is not valid IR, or names another triple than the target's.</exception>
    public LlvmModule(string irText, LlvmTarget target, int optLevel)
    {
        LlvmLibrary.Require();
        try
        {
            errorsHandle = GCHandle.Alloc(errors);
            context = LlvmC.LLVMContextCreate();
            // Without a handler LLVM prints an error of code generation and calls exit(1).
            LlvmC.LLVMContextSetDiagnosticHandler(context, &OnDiagnostic, GCHandle.ToIntPtr(errorsHandle));
            machine = CreateTargetMachine(target, optLevel);
            module = Parse(context, irText);
            SetTarget(target);
            if (LlvmC.LLVMVerifyModule(module, LLVMVerifierFailureAction.LLVMReturnStatusAction, out var message) != 0)
                LlvmText.Throw("invalid LLVM IR", LlvmText.Take(message));
            LlvmText.Take(message);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>
    /// A target machine for <paramref name="target"/>; the caller disposes it. Options that affect bits: no fast-math
    /// flag is ever set, and AllowFPOpFusion stays at its default, Standard, which fuses llvm.fmuladd and operations
    /// flagged `contract` only. The printer emits neither, so a multiply followed by an add keeps two roundings on
    /// every target.
    /// </summary>
    public static nint CreateTargetMachine(LlvmTarget target, int optLevel)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(optLevel);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(optLevel, 3);
        LlvmLibrary.Require();
        if (LlvmC.LLVMGetTargetFromTriple(target.Triple, out var found, out var message) != 0)
            LlvmText.Throw($"no code generator for {target.Triple}", LlvmText.Take(message));
        // PIC and the small code model: one object serves the JIT, a static program and a shared library.
        var machine = LlvmC.LLVMCreateTargetMachine(
            found,
            target.Triple,
            target.Cpu,
            target.Features,
            (LLVMCodeGenOptLevel)optLevel,
            LLVMRelocMode.LLVMRelocPIC,
            LLVMCodeModel.LLVMCodeModelSmall);
        return machine != 0 ? machine : throw new LlvmException($"LLVM made no target machine for {target.Triple}");
    }

    /// <summary>Runs a pipeline in opt's syntax, for example `default&lt;O2&gt;`.</summary>
    /// <exception cref="LlvmException">A pass is unknown or the pipeline does not parse.</exception>
    public void RunPasses(string pipeline)
    {
        var options = LlvmC.LLVMCreatePassBuilderOptions();
        try
        {
            // The kernel printer writes vectors and unrolled bodies, because it knows the shapes and fixes the order of
            // additions; LLVM's own transformations would only cost compile time and registers. Its vectorisers are off
            // for the whole library (LlvmLibrary), because a named default pipeline would re-enable them here.
            LlvmC.LLVMPassBuilderOptionsSetLoopInterleaving(options, 0);
            LlvmC.LLVMPassBuilderOptionsSetLoopUnrolling(options, 0);
            LlvmText.Check(LlvmC.LLVMRunPasses(module, pipeline, machine, options), $"LLVM passes `{pipeline}`");
        }
        finally
        {
            LlvmC.LLVMDisposePassBuilderOptions(options);
        }

        ThrowIfErrors("LLVM passes");
    }

    /// <summary>The module as text.</summary>
    public string Print() => LlvmText.Take(LlvmC.LLVMPrintModuleToString(module));

    /// <summary>Generates machine code. This changes the module, so it must be the last use.</summary>
    public byte[] Emit(LLVMCodeGenFileType type)
    {
        var failed = LlvmC.LLVMTargetMachineEmitToMemoryBuffer(machine, module, type, out var message, out var buffer);
        if (failed != 0)
            LlvmText.Throw("LLVM code generation", LlvmText.Take(message));
        var bytes = new ReadOnlySpan<byte>(
            LlvmC.LLVMGetBufferStart(buffer), checked((int)LlvmC.LLVMGetBufferSize(buffer))).ToArray();
        LlvmC.LLVMDisposeMemoryBuffer(buffer);
        ThrowIfErrors("LLVM code generation");
        return bytes;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (module != 0)
            LlvmC.LLVMDisposeModule(module);
        if (machine != 0)
            LlvmC.LLVMDisposeTargetMachine(machine);
        if (context != 0)
            LlvmC.LLVMContextDispose(context);
        if (errorsHandle.IsAllocated)
            errorsHandle.Free();
        module = machine = context = 0;
    }

    private static nint Parse(nint context, string irText)
    {
        var bytes = Encoding.UTF8.GetBytes(irText);
        nint buffer;
        fixed (byte* start = bytes)
            buffer = LlvmC.LLVMCreateMemoryBufferWithMemoryRangeCopy(start, (nuint)bytes.Length, "module");
        if (LlvmC.LLVMParseIRInContext(context, buffer, out var module, out var message) != 0)
            LlvmText.Throw("LLVM IR does not parse", LlvmText.Take(message));
        return module;
    }

    /// <summary>
    /// A module without a triple gets the target's; one with another triple is an error, not reinterpreted.
    /// </summary>
    private void SetTarget(LlvmTarget target)
    {
        var written = Marshal.PtrToStringUTF8((nint)LlvmC.LLVMGetTarget(module)) ?? "";
        var wanted = LlvmText.Take(LlvmC.LLVMNormalizeTargetTriple(target.Triple));
        if (written.Length > 0 && LlvmText.Take(LlvmC.LLVMNormalizeTargetTriple(written)) != wanted)
            throw new LlvmException($"the module is for {written}, but the target is {target.Triple}");
        LlvmC.LLVMSetTarget(module, target.Triple);
        var layout = LlvmC.LLVMCreateTargetDataLayout(machine);
        LlvmC.LLVMSetModuleDataLayout(module, layout);
        LlvmC.LLVMDisposeTargetData(layout);
    }

    private void ThrowIfErrors(string doing)
    {
        if (errors.Count > 0)
            LlvmText.Throw(doing, string.Join("; ", errors));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnDiagnostic(nint info, nint state)
    {
        // Warnings and remarks are about generated code, so they are ignored.
        if (LlvmC.LLVMGetDiagInfoSeverity(info) != LLVMDiagnosticSeverity.LLVMDSError)
            return;
        var text = LlvmText.Take(LlvmC.LLVMGetDiagInfoDescription(info));
        ((List<string>)GCHandle.FromIntPtr(state).Target!).Add(text);
    }
}
