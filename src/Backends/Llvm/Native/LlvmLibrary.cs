// In: the environment and the usual install places. Out: libLLVM loaded and initialised, or the reason why not.
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Accelerate.Backends.Llvm.Native;

/// <summary>
/// Finds libLLVM once in a process. Every type of this folder calls <see cref="Require"/> before its first import.
/// </summary>
internal static unsafe class LlvmLibrary
{
    /// <summary>The import name of every declaration in <see cref="LlvmC"/>.</summary>
    public const string Name = "LLVM";

    /// <summary>The environment variable with the path of the library file, or of its folder.</summary>
    public const string PathVariable = "ACC_LLVM_PATH";

    // The bindings were checked against 19, so it is tried first; older versions lack parts of the C API and newer ones
    // have kept the functions used here.
    private const int OldestMajor = 19;
    private static readonly int[] Majors = [19, 20, 21, 22];

    private static readonly Lazy<Loaded> State = new(Load, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>
    /// True if libLLVM is loaded and usable; otherwise the reason, with the command that installs it.
    /// </summary>
    public static bool Available([NotNullWhen(false)] out string? reason)
    {
        reason = State.Value.Reason;
        return reason is null;
    }

    /// <summary>LLVM's full version, for example 19.1.7.</summary>
    public static string Version => Require().Version;

    /// <summary>The file or name that libLLVM was loaded from.</summary>
    public static string LoadedFrom => Require().From;

    /// <summary>Loads and initialises LLVM, or throws with the install command.</summary>
    public static Loaded Require() =>
        State.Value is { Reason: null } loaded ? loaded : throw new LlvmException(State.Value.Reason!);

    /// <summary>The outcome of the search: a handle, or a reason.</summary>
    internal sealed record Loaded(nint Handle, string From, string Version, string? Reason);

    private static Loaded Load()
    {
        var tooOld = new List<string>();
        foreach (var candidate in Candidates(Environment.GetEnvironmentVariable(PathVariable)))
        {
            if (!NativeLibrary.TryLoad(candidate, out var handle))
                continue;
            if (VersionOf(handle) is not { } version || version.Major < OldestMajor)
            {
                // Two LLVMs side by side are harmless (their symbols are versioned), but this one cannot be used.
                tooOld.Add($"{candidate} ({VersionOf(handle)?.ToString() ?? "no LLVM library, or older than 16"})");
                NativeLibrary.Free(handle);
                continue;
            }

            NativeLibraries.Register(Name, () => handle);
            Initialise();
            return new Loaded(handle, candidate, version.ToString(3), null);
        }

        var found = tooOld.Count == 0
            ? ""
            : $" LLVM {OldestMajor} or newer is needed, and this was found: {string.Join(", ", tooOld)}.";
        return new Loaded(0, "", "", $"libLLVM was not found.{found} Install it with `apt-get install libllvm19`, " +
            $"or set {PathVariable} to the library file.");
    }

    /// <summary>
    /// Names in the order in which they are tried; a path in the environment is the only candidate if it is set.
    /// </summary>
    internal static IEnumerable<string> Candidates(string? fromEnvironment)
    {
        if (!string.IsNullOrEmpty(fromEnvironment))
        {
            if (!Directory.Exists(fromEnvironment))
                return [fromEnvironment];
            return [.. Majors.SelectMany(FileNames).Append("libLLVM.so").Select(n => Path.Combine(fromEnvironment, n))];
        }

        // The folders come second: a distribution's llvm-NN/lib is not always on the loader's path.
        var folders = Majors.Select(m => $"/usr/lib/llvm-{m}/lib")
            .SelectMany(f => new[] { $"{f}/libLLVM.so.1", $"{f}/libLLVM.so" });
        return [.. Majors.SelectMany(FileNames), .. folders, "libLLVM.so", "LLVM"];
    }

    private static IEnumerable<string> FileNames(int major) =>
        [$"libLLVM-{major}.so.1", $"libLLVM.so.{major}.1", $"libLLVM-{major}.so"];

    private static Version? VersionOf(nint handle)
    {
        if (!NativeLibrary.TryGetExport(handle, "LLVMGetVersion", out var export))
            return null;
        uint major, minor, patch;
        ((delegate* unmanaged[Cdecl]<uint*, uint*, uint*, void>)export)(&major, &minor, &patch);
        return new Version((int)major, (int)minor, (int)patch);
    }

    private static void Initialise()
    {
        LlvmC.LLVMInitializeX86TargetInfo();
        LlvmC.LLVMInitializeX86Target();
        LlvmC.LLVMInitializeX86TargetMC();
        LlvmC.LLVMInitializeX86AsmPrinter();
        LlvmC.LLVMInitializeX86AsmParser();
        // NVPTX only writes PTX text, so it has no assembly parser to initialise.
        LlvmC.LLVMInitializeNVPTXTargetInfo();
        LlvmC.LLVMInitializeNVPTXTarget();
        LlvmC.LLVMInitializeNVPTXTargetMC();
        LlvmC.LLVMInitializeNVPTXAsmPrinter();
        LlvmFatalErrors.Install();
        // A pipeline given as text, `default<O2>`, re-enables both vectorisers whatever PassBuilderOptions say, but it
        // obeys these library-wide switches.
        string[] arguments = ["accelerate", "-vectorize-loops=false", "-vectorize-slp=false"];
        LlvmC.LLVMParseCommandLineOptions(arguments.Length, arguments, "");
    }
}
