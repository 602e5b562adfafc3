// In: .acc files. Out: the same files in canonical layout, or with --check the names of those that differ.
using System.CommandLine;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class FmtCommand
{
    public static Command Make(Terminal terminal)
    {
        var files = new Argument<string[]>("FILES") { Description = ".acc files", Arity = ArgumentArity.OneOrMore };
        var check =
            new Option<bool>("--check") { Description = "changes nothing; exit code 1 when a file would change" };
        var common = new CommonOptions();
        var command = new Command("fmt", "Sets files in the canonical layout.") { files, check, common.Diagnostics };
        command.SetAction(parsed =>
        {
            var exit = ExitCodes.Ok;
            foreach (var path in parsed.GetValue(files)!)
            {
                var bag = new DiagnosticBag();
                var source = ModelLoader.ReadSource(path);
                if (Formatter.Format(source, bag) is not { } text)
                {
                    terminal.Report(bag.Sorted(), parsed.GetValue(common.Diagnostics));
                    exit = ExitCodes.UserError;
                }
                else if (text != source.Text)
                {
                    if (parsed.GetValue(check)) exit = ExitCodes.UserError;
                    else Replace(path, text);
                    terminal.Output.Write($"{VisibleText.Word(path)}\n");
                }
            }
            return exit;
        });
        return command;
    }

    /// <summary>Refuses anything but a regular file: a pipe would send the text back to its writer.</summary>
    private static void Replace(string path, string text)
    {
        if (FileStatus.Of(path) is { Kind: not FileKind.Regular and var kind })
            throw new CliException($"{path}: {InputFile.What(kind)}", "fmt --check reads it");
        OutputFile.Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
    }
}
