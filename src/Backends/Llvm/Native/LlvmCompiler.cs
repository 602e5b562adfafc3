// In: LLVM IR text, a target, an optimisation level and optionally passes. Out: an object, assembly, or optimised text.
using System.Text;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Backends.Llvm.Native;

/// <summary>
/// Parses, verifies, optimises and generates code. Every call has its own LLVM context, so calls may run concurrently
/// on any threads. A fatal error inside LLVM ends the process with code 70 after writing the module to a temporary
/// folder.
/// </summary>
internal static class LlvmCompiler
{
    /// <summary>
    /// The choices of this layer, besides target and pipeline, that affect the code; part of the cache key. Change it
    /// together with <see cref="LlvmModule"/>.
    /// </summary>
    public const string CodegenOptions =
        "pic small-code-model no-vectorize no-slp no-interleave no-unroll fp-fusion-standard";

    /// <summary>A relocatable object (ELF) for <paramref name="target"/>.</summary>
    /// <param name="irText">One module; if it names a triple, it must be the target's.</param>
    /// <param name="target">The target of code generation.</param>
    /// <param name="optLevel">0 to 3: the default pipeline, and the effort of code generation.</param>
    /// <param name="passes">A pipeline in opt's syntax instead of `default&lt;O#&gt;`.</param>
    /// <exception cref="LlvmException">The text, the passes or the target were refused; the message says
    /// why.</exception>
    /// <exception cref="InternalErrorException">The object calls a function that the text does not declare: LLVM
    /// introduced a call that was not in the text.</exception>
    public static byte[] CompileToObject(string irText, LlvmTarget target, int optLevel, string? passes = null) =>
        Optimised(irText, target, optLevel, passes, m =>
        {
            var bytes = m.Emit(LLVMCodeGenFileType.LLVMObjectFile);
            if (Unknown(bytes, irText) is { Count: > 0 } unknown)
            {
                var reason = $"LLVM made a call of {string.Join(", ", unknown)}, which the text has not";
                throw new InternalErrorException(
                    $"{reason}; the module is in {LlvmFatalErrors.WriteReproducer(reason)}");
            }
            return bytes;
        });

    /// <summary>The object's undefined symbols that the text does not declare.</summary>
    public static IReadOnlyList<string> Unknown(ReadOnlySpan<byte> elf, string irText) =>
        ObjectSymbols.Of(elf).Unknown(ObjectSymbols.Declared(irText).Contains);

    /// <summary>Assembly text, or PTX for an NVPTX target.</summary>
    public static string CompileToAssembly(string irText, LlvmTarget target, int optLevel, string? passes = null) =>
        Encoding.UTF8.GetString(
            Optimised(irText, target, optLevel, passes, m => m.Emit(LLVMCodeGenFileType.LLVMAssemblyFile)));

    /// <summary>The module's text after the passes.</summary>
    public static string OptimisedText(string irText, LlvmTarget target, int optLevel, string? passes = null) =>
        Optimised(irText, target, optLevel, passes, m => m.Print());

    /// <summary>Throws the verifier's message if the text is not a valid module for the target.</summary>
    public static void Verify(string irText, LlvmTarget target) => new LlvmModule(irText, target, 0).Dispose();

    /// <summary>The pipeline for a level and the user's passes.</summary>
    public static string Pipeline(int optLevel, string? passes) => passes ?? $"default<O{optLevel}>";

    private static T Optimised<T>(
        string irText, LlvmTarget target, int optLevel, string? passes, Func<LlvmModule, T> result)
    {
        var pipeline = Pipeline(optLevel, passes);
        var header = $"; LLVM {LlvmLibrary.Version} {target.Triple} -mcpu={target.Cpu} -mattr={target.Features} " +
            $"-O{optLevel} -passes='{pipeline}'\n";
        using var scope = LlvmFatalErrors.Compiling(header, irText);
        using var module = new LlvmModule(irText, target, optLevel);
        module.RunPasses(pipeline);
        return result(module);
    }
}
