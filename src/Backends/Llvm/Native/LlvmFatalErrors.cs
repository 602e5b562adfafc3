// In: a fatal error inside LLVM, which would abort the process. Out: a reproducer on disk, a message, exit code 70.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Accelerate.Backends.Llvm.Native;

/// <summary>
/// LLVM cannot return from a fatal error ("Cannot select"): all that can be done is to leave the module behind, so that
/// the report holds what is needed to repeat it.
/// </summary>
internal static unsafe partial class LlvmFatalErrors
{
    /// <summary>
    /// EX_SOFTWARE of sysexits.h: an internal error of the compiler, not of the program it was given.
    /// </summary>
    public const int ExitCode = 70;

    // LLVM calls the handler on the thread that compiles, so the text of that thread's module is the culprit's.
    [ThreadStatic]
    private static string? current;

    public static void Install() => LlvmC.LLVMInstallFatalErrorHandler(&OnFatalError);

    /// <summary>Names the module this thread is about to give LLVM; disposing it names the one before again.</summary>
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

    /// <summary>Writes the current module below a new folder only the user can read, and returns its path.</summary>
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

        // Not Environment.Exit: it runs LLVM's destructors while other threads may be inside LLVM.
        ExitNow(ExitCode);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int code);
}
