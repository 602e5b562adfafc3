// In: a fatal error inside LLVM, which would abort the process. Out: a reproducer on disk, a message, exit code 70.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Accelerate.Backends.Llvm.Native;

/// <summary>
/// LLVM cannot return from a fatal error ("Cannot select"), so the module is saved before the process ends, for a
/// report that can be reproduced.
/// </summary>
internal static unsafe partial class LlvmFatalErrors
{
    /// <summary>EX_SOFTWARE of sysexits.h: an internal error of the compiler, not of its input.</summary>
    public const int ExitCode = 70;

    // LLVM calls the handler on the compiling thread, so that thread's module is the cause.
    [ThreadStatic]
    private static string? current;

    public static void Install() => LlvmC.LLVMInstallFatalErrorHandler(&OnFatalError);

    /// <summary>
    /// Sets the module that this thread is about to give to LLVM; disposing the scope restores the previous one.
    /// </summary>
    public static Scope Compiling(string header, string irText)
    {
        var scope = new Scope(current);
        current = header + irText;
        return scope;
    }

    internal readonly struct Scope(string? previous) : IDisposable
    {
        public void Dispose() => current = previous;
    }

    /// <summary>Writes the current module to a new folder that only the user can read, and returns its path.</summary>
    internal static string WriteReproducer(string reason)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("accelerate-crash-").FullName, "module.ll");
        var firstLine = reason.ReplaceLineEndings(" ");
        File.WriteAllText(path, $"; LLVM fatal error: {firstLine}\n{current ?? "; no module was being compiled\n"}");
        return path;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnFatalError(byte* reason)
    {
        try
        {
            var text = Marshal.PtrToStringUTF8((nint)reason) ?? "no reason given";
            Console.Error.WriteLine($"accelerate: LLVM failed: {text}");
            Console.Error.WriteLine($"accelerate: the module is in {WriteReproducer(text)}");
            Console.Error.Flush();
        }
        catch (Exception)
        {
            // An exception must not leave a callback, and the exit code below still tells what happened.
        }

        // Not Environment.Exit, which runs LLVM's destructors while other threads may be inside LLVM.
        ExitNow(ExitCode);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int code);
}
