// In: case files or folders of them. Out: a line for each failure, the skipped ones, and the counts.
using System.CommandLine;
using System.IO.Enumeration;
using Accelerate.Backends;
using Accelerate.Cli.Cases;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class TestCommand
{
    public static Command Make(Terminal terminal)
    {
        var paths = new Argument<string[]>("PATHS")
        {
            Description = "case files, or folders of them; a .acc file without a header block is a failure",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("test", "Runs the cases in .acc headers on every backend and compares.");
        var only = new Option<string?>("--backends")
        {
            Description = "which backends are held to the kernel interpreter, which runs in any case; by default all "
                + "that are there",
            HelpName = "a,b",
        };
        command.Arguments.Add(paths);
        var memory = new CommonOptions().Memory;
        command.Options.Add(only);
        command.Options.Add(memory);
        command.SetAction(parsed =>
        {
            var limit = CommonOptions.Bytes(parsed.GetValue(memory));
            var backends = Backends(parsed.GetValue(only), limit);
            var (passed, failed) = (0, 0);
            var skips = new SortedDictionary<string, int>(StringComparer.Ordinal);
            foreach (var path in parsed.GetValue(paths)!.SelectMany(Files))
            {
                var report = Report(path, backends, limit);
                foreach (var (backend, construct) in report.Skipped)
                    skips[$"{construct} on {backend}"] = skips.GetValueOrDefault($"{construct} on {backend}") + 1;
                foreach (var failure in report.Failures)
                    terminal.Output.Write(failure.StartsWith(path, StringComparison.Ordinal) ? $"{failure}\n"
                        : $"{VisibleText.Word(path)}: {failure}\n");
                if (report.Failures.Count > 0) failed++;
                else passed++;
            }
            foreach (var (what, count) in skips) terminal.Output.Write($"skipped: {count} x {what}\n");
            if (passed + failed == 0)
                terminal.Error.Write(
                    $"error: no .acc file in {string.Join(", ", parsed.GetValue(paths)!.Select(VisibleText.Word))}\n");
            terminal.Output.Write($"{passed} passed, {failed} failed\n");
            return failed == 0 && passed > 0 ? ExitCodes.Ok : ExitCodes.UserError;
        });
        return command;
    }

    /// <summary>
    /// The named backends, or those available on this machine, in addition to the kernel interpreter.
    /// </summary>
    private static List<CaseBackend> Backends(string? only, long? memory)
    {
        var names = only is null ? PresentBackends.All : PresentBackends.Named(only.Split(','));
        return [.. names.Where(n => n != "interpreter")
            .Select(n => new CaseBackend(n, new ExecutableOptions { MemoryLimit = memory }))];
    }

    /// <summary>An error in one file does not prevent running the others.</summary>
    private static CaseReport Report(string path, IReadOnlyList<CaseBackend> backends, long? memory)
    {
        try
        {
            return new CaseRun(CaseFile.Read(path), memory).Run(backends);
        }
        catch (Exception e) when (Accc.Expected(e) is { } known)
        {
            return new([known.Message], [], 0, []);
        }
    }

    private static IEnumerable<string> Files(string path)
    {
        if (!Directory.Exists(path)) return [path];
        // Links to folders are not followed, because they may form cycles.
        var below = new FileSystemEnumerable<string>(path, (ref FileSystemEntry e) => e.ToSpecifiedFullPath(),
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
        {
            ShouldIncludePredicate = (ref FileSystemEntry e) => e.FileName.EndsWith(".acc", StringComparison.Ordinal),
            ShouldRecursePredicate = (ref FileSystemEntry e) => (e.Attributes & FileAttributes.ReparsePoint) == 0,
        };
        return below.Order(StringComparer.Ordinal).Where(file => FileStatus.Of(file) is { Kind: FileKind.Regular });
    }
}
