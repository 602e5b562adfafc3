// In: questions about LLVM, and LLVM text. Out: its availability, its targets, and generated code, for callers that
// know nothing else of LLVM.
using System.Diagnostics.CodeAnalysis;
using Accelerate.Backends.Llvm.Native;

namespace Accelerate.Backends.Llvm;

internal static class LlvmBackend
{
    /// <summary>
    /// True if libLLVM is loaded and usable; otherwise the reason, with the command that installs it.
    /// </summary>
    public static bool Available([NotNullWhen(false)] out string? reason) => LlvmLibrary.Available(out reason);

    /// <summary>LLVM's full version, for example 19.1.7.</summary>
    public static string Version => LlvmLibrary.Version;

    /// <summary>The file or name that libLLVM was loaded from.</summary>
    public static string LoadedFrom => LlvmLibrary.LoadedFrom;

    /// <summary>The names of the targets whose code runs on this machine.</summary>
    public static IReadOnlyList<string> Targets =>
        [.. LlvmTarget.Names.Where(n => n == "host" ? Host(out _) is not null : LlvmTarget.Parse(n).CanRunHere)];

    /// <summary>This machine's processor as LLVM sees it; null, with the reason, if code cannot run on it.</summary>
    public static HostProcessor? Host(out string reason)
    {
        reason = "";
        try
        {
            return HostProcessor.Of(LlvmTarget.Host);
        }
        catch (LlvmException e)
        {
            reason = e.Message;
            return null;
        }
    }

    /// <summary>The assembly text of a module.</summary>
    /// <exception cref="BackendException">LLVM is absent, or refuses the text, the target or the passes.</exception>
    public static string Assembly(ModuleText module, string target, int optLevel, string? passes) =>
        LlvmCompiler.CompileToAssembly(module.Text, LlvmTarget.Parse(target), optLevel,
            module.PassesFor(optLevel, passes));
}

/// <summary>A processor: LLVM's names for it and its features, and the width of its widest vectors.</summary>
internal sealed record HostProcessor(string Triple, string Cpu, IReadOnlyList<string> Features, int VectorBits,
    bool HasFma)
{
    public static HostProcessor Of(LlvmTarget target) => new(target.Triple, target.Cpu,
        [.. target.Features.Split(',').Where(f => f[0] == '+').Select(f => f[1..])], target.VectorBits, target.HasFma);
}

/// <summary>A module generated for this machine's processor, compiled and linked into the process.</summary>
internal sealed class HostCode : IDisposable
{
    private readonly Jit jit;

    /// <param name="text">The module's text for the processor.</param>
    /// <exception cref="BackendException">LLVM is absent, or refuses the text.</exception>
    public HostCode(Func<HostProcessor, string> text)
    {
        var target = LlvmTarget.Host;
        Processor = HostProcessor.Of(target);
        jit = new Jit([LlvmCompiler.CompileToObject(text(Processor), target, 3)]);
    }

    public HostProcessor Processor { get; }

    /// <summary>The address of a function of the module.</summary>
    public nint Lookup(string symbol) => jit.Lookup(symbol);

    public void Dispose() => jit.Dispose();
}
