// In: ACC_TEST_CHILD, in a process started with this assembly as its DOTNET_STARTUP_HOOKS. Out: the named act, then
// exit.
using System.Diagnostics;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Tests.Cli;
using Accelerate.Tests.Runtime.PublicApi;

/// <summary>
/// What only a process of its own can show, such as an abort. The runtime finds this class by its name, without a
/// namespace, and calls <see cref="Initialize"/> before the program's entry.
/// </summary>
internal static class StartupHook
{
    private const string Variable = "ACC_TEST_CHILD";
    private const string Argument = "ACC_TEST_CHILD_ARGUMENT";

    /// <summary>Makes LLVM fail fatally: an intrinsic of another target, which X86 cannot select.</summary>
    public const string LlvmFatal = "llvm-fatal";

    public const string Unselectable = """
        declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
        define i32 @f() {
          %r = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
          ret i32 %r
        }
        """;

    /// <summary>Runs sequences of public calls; the argument has their seeds.</summary>
    public const string PublicApi = "public-api";

    /// <summary>Tries all commands on names of every kind, in the current folder.</summary>
    public const string FileNames = "file-names";

    /// <summary>Writes half of the file that the argument names, and waits.</summary>
    public const string HalfWritten = "half-written";
    /// <summary>What starts a process that does the named act.</summary>
    public static ProcessStartInfo Start(string act, string argument = "")
    {
        var assembly = typeof(StartupHook).Assembly.Location;
        return new(Environment.ProcessPath!, ["exec", assembly])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment =
            {
                ["DOTNET_STARTUP_HOOKS"] = assembly,
                ["DOTNET_DbgEnableMiniDump"] = "0",
                [Variable] = act,
                [Argument] = argument,
            },
        };
    }

    public static void Initialize()
    {
        var argument = Environment.GetEnvironmentVariable(Argument) ?? "";
        switch (Environment.GetEnvironmentVariable(Variable))
        {
            case PublicApi: Environment.Exit(ApiSequences.Child(argument)); break;
            case FileNames: Environment.Exit(FileNameTests.Child()); break;
            case HalfWritten: OutputTests.WriteHalf(argument); break;
            case LlvmFatal:
                LlvmCompiler.CompileToObject(Unselectable, LlvmTarget.X64, 2);
                Environment.Exit(0);
                break;
        }
    }
}
