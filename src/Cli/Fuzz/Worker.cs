// In: programs on a stream. Out: their reports on another stream, with the name of each step before it begins, because
// the process may die of it.
using System.Text;
using System.Text.Json;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Cli.Fuzz;

/// <summary>
/// The process that runs programs which may kill it. One line a message, the text in base64: `job ON SOURCE` is read,
/// `at WHAT` and `end REPORT` are written. A backend may write to the stream too, so each message begins a new line
/// with a word that nothing else writes.
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

    /// <summary>The word and the text of a message; null for other output.</summary>
    public static (string What, string Text)? Read(string line) =>
        line.StartsWith(Mark, StringComparison.Ordinal) && line[Mark.Length..].Split(' ') is [var what, var text]
            ? (what, Unpack(text)) : null;

    // Blanks separate the words, so an empty text needs a placeholder.
    private static string Pack(string text) => text == "" ? "-" : Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string Unpack(string text) =>
        text == "-" ? "" : Encoding.UTF8.GetString(Convert.FromBase64String(text));
}
