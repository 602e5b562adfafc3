// In: programs on a stream. Out: their reports on another, and before each step what begins: the process may die of it.
using System.Text;
using System.Text.Json;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Cli.Fuzz;

/// <summary>
/// The process that runs what may kill a process. One line a message, the text in base64: `job ON SOURCE` comes in, `at
/// WHAT` and `end REPORT` go out. A backend may write on the stream too, so each message begins a line of its own with
/// a word that nothing else writes.
/// </summary>
internal static class Worker
{
    private const string Mark = "accc-fuzz ";

    public static int Serve(TextReader input, TextWriter output)
    {
        void Say(string what, string text)
        {
            output.Write($"\n{Mark}{what} {Pack(text)}\n");
            output.Flush();
        }
        while (input.ReadLine() is { } line)
        {
            var words = line.Split(' ');
            if (words is not ["job", var on, var source]) return ExitCodes.Usage;
            var configs = Unpack(on).Split(';', StringSplitOptions.RemoveEmptyEntries).Select(FuzzConfig.Parse);
            var report = new FuzzRun(what => Say("at", what)).Run(Unpack(source), [.. configs]);
            Say("end", JsonSerializer.Serialize(report));
        }
        return ExitCodes.Ok;
    }

    public static string Job(string source, IEnumerable<FuzzConfig> configs) =>
        $"job {Pack(string.Join(';', configs))} {Pack(source)}";

    /// <summary>The word and the text of a message; null for what others have written.</summary>
    public static (string What, string Text)? Read(string line) =>
        line.StartsWith(Mark, StringComparison.Ordinal) && line[Mark.Length..].Split(' ') is [var what, var text]
            ? (what, Unpack(text)) : null;

    // A blank separates the words, so an empty text needs a letter.
    private static string Pack(string text) => text == "" ? "-" : Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string Unpack(string text) =>
        text == "-" ? "" : Encoding.UTF8.GetString(Convert.FromBase64String(text));
}
