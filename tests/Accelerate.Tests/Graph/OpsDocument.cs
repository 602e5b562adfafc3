// In: grammar/OPS.md. Out: its sections, one an operation, with the constraints and the example of each.
using System.Text.RegularExpressions;

namespace Accelerate.Tests.Graph;

internal static partial class OpsDocument
{
    public sealed record Section(string Op, string Text, string Example);

    public static string Root
    {
        get
        {
            DirectoryInfo? folder = new(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Accelerate.sln")))
                folder = folder.Parent;
            return folder?.FullName ?? throw new DirectoryNotFoundException("the repository is not above the tests");
        }
    }

    public static string Text { get; } = File.ReadAllText(Path.Combine(Root, "grammar", "OPS.md"));

    public static IReadOnlyList<Section> Sections { get; } = [.. Heading().Split(Text).Skip(1).Select(part =>
        new Section(part[..part.IndexOf('\n')].Trim(), part, Example().Match(part).Groups[1].Value))];

    /// <summary>The constraint ids that the sources of the graph throw.</summary>
    public static IReadOnlyList<string> ThrownConstraints { get; } =
        [.. Directory.GetFiles(Path.Combine(Root, "src", "Compiler", "Graph"), "*.cs")
            .SelectMany(f => Id().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value))
            .Distinct().Order(StringComparer.Ordinal)];

    [GeneratedRegex("^## ", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("```\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex("\"([a-z0-9_]+ C[0-9]+)\"")]
    private static partial Regex Id();
}
