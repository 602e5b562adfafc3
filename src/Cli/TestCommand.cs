// In: case files or folders of them. Out: a line for each that fails, what was skipped, and the counts.
using System.CommandLine;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.OpenCl;
using Accelerate.Cli.Cases;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Cli;

internal static class TestCommand
{
    public static Command Make(Terminal terminal)
    {
        var paths = new Argument<string[]>("PATHS")
        {
            Description = "case files, or folders with .acc files that have a header block",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("test", "Runs the cases in .acc headers on every backend and compares.");
        command.Arguments.Add(paths);
        command.SetAction(parsed =>
        {
            var backends = Backends();
            var (passed, failed) = (0, 0);
            var skips = new SortedDictionary<string, int>(StringComparer.Ordinal);
            foreach (var path in parsed.GetValue(paths)!.SelectMany(Files))
            {
                var report = new CaseRun(CaseFile.Read(path)).Run(backends);
                foreach (var (backend, construct) in report.Skipped)
                    skips[$"{construct} on {backend}"] = skips.GetValueOrDefault($"{construct} on {backend}") + 1;
                foreach (var failure in report.Failures) terminal.Output.Write($"{VisibleText.Word(path)}: {failure}\n");
                if (report.Failures.Count > 0) failed++;
                else passed++;
            }
            foreach (var (what, count) in skips) terminal.Output.Write($"skipped: {count} x {what}\n");
            terminal.Output.Write($"{passed} passed, {failed} failed\n");
            return failed == 0 && passed > 0 ? ExitCodes.Ok : ExitCodes.UserError;
        });
        return command;
    }

    /// <summary>The backends present on this machine, beside the kernel interpreter.</summary>
    private static List<CaseBackend> Backends()
    {
        var backends = new List<CaseBackend>();
        if (LlvmLibrary.Available(out _)) backends.Add(new("llvm", new()));
        if (OpenClExecutable.Available(out _)) backends.Add(new("opencl", new()));
        return backends;
    }

    private static IEnumerable<string> Files(string path)
    {
        if (!Directory.Exists(path)) return [path];
        return Directory.GetFiles(path, "*.acc", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
    }
}
