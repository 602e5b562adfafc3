// In: a module that LLVM cannot survive, given to a child process. Out: exit code 70 and a reproducer that holds the
// module.
using System.Diagnostics;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm.Native;

public sealed class FatalErrorTests
{
    [LlvmFact]
    public void A_fatal_error_writes_the_module_and_exits_70()
    {
        var temporary = Directory.CreateTempSubdirectory("acc-fatal-").FullName;
        try
        {
            var start = StartupHook.Start(StartupHook.LlvmFatal);
            start.Environment["TMPDIR"] = temporary;
            using var child = Process.Start(start)!;
            var output = child.StandardOutput.ReadToEndAsync();
            var message = child.StandardError.ReadToEnd();
            child.WaitForExit();
            Assert.True(child.ExitCode == LlvmFatalErrors.ExitCode, $"{child.ExitCode}: {message}{output.Result}");
            Assert.Contains("Cannot select", message);
            var reproducer = Assert.Single(Directory.GetFiles(temporary, "module.ll", SearchOption.AllDirectories));
            Assert.Contains(reproducer, message);
            var text = File.ReadAllText(reproducer);
            Assert.Contains(StartupHook.Unselectable, text);
            Assert.Contains("-mcpu=x86-64", text);
            Assert.All(text.Split('\n')[..2], line => Assert.StartsWith(";", line));
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }
}
