// In: a diagnostic's code. Out: its title and what it means.
using System.CommandLine;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Cli;

internal static class ExplainCommand
{
    public static Command Make(Terminal terminal)
    {
        var code = new Argument<string>("CODE") { Description = "as in error[ACC2004]" };
        var command = new Command("explain", "Explains a diagnostic's code.") { code };
        command.SetAction(parsed =>
        {
            var id = parsed.GetValue(code)!;
            // The digits alone are enough.
            var found = Codes.Find(id) ?? Codes.Find("ACC" + id)
                ?? throw new CliException($"there is no code '{id}'",
                    Nearest.Help(id, Codes.All.Select(c => c.Id), "codes"));
            terminal.Output.Write($"{found.Id}: {found.Title}\n\n{Wrap(found.Explanation)}\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Lines of at most 80 columns.</summary>
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
