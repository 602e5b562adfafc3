// In: a diagnostic's code, or none. Out: its title and meaning; without a code all of them, as grammar/ERRORS.md.
using System.CommandLine;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Cli;

internal static class ExplainCommand
{
    public static Command Make(Terminal terminal)
    {
        var code = new Argument<string?>("CODE")
        {
            Description = "as in error[ACC2004]; without it, all of them",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("explain", "Explains a diagnostic's code.") { code };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(code) is not { } id)
            {
                terminal.Output.Write(Page());
                return ExitCodes.Ok;
            }
            // The digits alone are accepted too.
            var found = Codes.Find(id) ?? Codes.Find("ACC" + id)
                ?? throw new CliException($"there is no code '{id}'",
                    Nearest.Help(id, Codes.All.Select(c => c.Id), "codes"));
            terminal.Output.Write($"{found.Id}: {found.Title}\n\n{Wrap(found.Explanation)}\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>All codes in order, as Markdown.</summary>
    internal static string Page() =>
        "# Diagnostics\n\nWritten by `accc explain`; a test keeps it so. Classes: ACC1 syntax, ACC2 names, types and sizes, ACC3 weights and\n"
        + "state, ACC4 known limitations (exit code 3), ACC9 compiler bugs (exit code 70). `tests/errors` has programs.\n"
        + string.Concat(Codes.All.Select(c => $"\n## {c.Id}: {c.Title}\n\n{Wrap(c.Explanation)}\n"));

    /// <summary>Wraps text at 80 columns.</summary>
    private static string Wrap(string text)
    {
        var lines = new List<string> { "" };
        foreach (var word in text.Split(' '))
        {
            if (lines[^1].Length > 0 && lines[^1].Length + 1 + word.Length > 80) lines.Add("");
            lines[^1] += lines[^1].Length == 0 ? word : " " + word;
        }
        return string.Join('\n', lines);
    }
}
