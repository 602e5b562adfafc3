// In: ACC_TEST_CHILD, in a process started with this assembly as its DOTNET_STARTUP_HOOKS. Out: the named act, then
// exit.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Tests.Cli;
using Accelerate.Tests.Runtime.PublicApi;

/// <summary>
/// What only a process of its own can show, such as an abort. The runtime finds this class by its name, without a
/// namespace, and calls <see cref="Initialize"/> before the program's entry.
/// </summary>
internal static class StartupHook
{
    public const string Variable = "ACC_TEST_CHILD";

    /// <summary>Makes LLVM fail fatally: an intrinsic of another target, which X86 cannot select.</summary>
    public const string LlvmFatal = "llvm-fatal";

    public const string Unselectable = """
        declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
        define i32 @f() {
          %r = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
          ret i32 %r
        }
        """;

    /// <summary>Runs sequences of public calls; <see cref="Argument"/> has their seeds.</summary>
    public const string PublicApi = "public-api";

    /// <summary>Tries all commands on names of every kind, in the current folder.</summary>
    public const string FileNames = "file-names";

    /// <summary>Writes half of the file <see cref="Argument"/> and waits.</summary>
    public const string HalfWritten = "half-written";

    public const string Argument = "ACC_TEST_CHILD_ARGUMENT";

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(Variable) == PublicApi)
            Environment.Exit(ApiSequences.Child(Environment.GetEnvironmentVariable(Argument)!));
        if (Environment.GetEnvironmentVariable(Variable) == FileNames)
            Environment.Exit(FileNameTests.Child());
        if (Environment.GetEnvironmentVariable(Variable) == HalfWritten)
            OutputTests.WriteHalf(Environment.GetEnvironmentVariable(Argument)!);
        if (Environment.GetEnvironmentVariable(Variable) != LlvmFatal)
            return;
        LlvmCompiler.CompileToObject(Unselectable, LlvmTarget.X64, 2);
        Environment.Exit(0);
    }
}
