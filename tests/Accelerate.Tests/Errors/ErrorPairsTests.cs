// Two programs of tests/errors in one file come in; the mistakes of both, and nothing else, go out: none hides another,
// and none cascades.
using System.Text.RegularExpressions;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Errors;

public sealed partial class ErrorPairsTests
{
    private static readonly string Folder = Path.Combine(Shared.Repository, "tests", "errors");

    /// <summary>What is wrong with the file as a whole ends the run before its functions are looked at.</summary>
    private static readonly HashSet<string> WholeFile =
        ["ACC2002", "ACC2020", "ACC2032", "ACC2033", "ACC2037", "ACC4001", "several", "captured", "duplicates"];

    private sealed record Program(string Name, string Text, bool HasModule, IReadOnlyList<string> Top);

    private static readonly List<Program> Programs =
        [.. Directory.GetFiles(Folder, "*.acc").Order(StringComparer.Ordinal)
        .Where(f => !WholeFile.Contains(Path.GetFileNameWithoutExtension(f)))
        .Select(f => (Name: Path.GetFileNameWithoutExtension(f), Text: File.ReadAllText(f).ReplaceLineEndings("\n")))
        .Where(f => !f.Text.Contains("\nuse ", StringComparison.Ordinal)
            || f.Text.Contains("\nuse nn\n", StringComparison.Ordinal))
        .Select(f => new Program(f.Name, f.Text, f.Text.Contains("\nmodule ", StringComparison.Ordinal),
            [.. TopLevel().Matches(f.Text).Select(m => m.Groups[1].Value + m.Groups[2].Value).Distinct()]))];

    public static TheoryData<string> Names => [.. Programs.Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void BothReportWhatEachReports(string name)
    {
        var first = Programs.Single(p => p.Name == name);
        // A fifth of the pairs, another fifth for each file: all of them take a minute.
        var place = Programs.IndexOf(first);
        foreach (var second in Programs.Where(
            (p, i) => (i + place) % 5 == 0 && p != first && !(p.HasModule && first.HasModule)))
        {
            // Every name at top level of the second file gets another of the same length, so that columns stay.
            var text = second.Text;
            var taken = Word().Matches(first.Text + text).Select(m => m.Value).ToHashSet();
            foreach (var old in second.Top)
            {
                var fresh = "abcdefghijklmnopqrstuvwxyz".Select(c => old[..^1] + c).First(n => taken.Add(n));
                text = Regex.Replace(text, $@"\b{old}\b", fresh);
            }
            var lines = first.Text.Count(c => c == '\n') + 1;
            var both = "use nn\n" + (first.Text + text).Replace("\nuse nn\n", "\n\n", StringComparison.Ordinal);
            var expected = Expected(first.Text, 1).Concat(Expected(text, lines)).Order();

            var bag = new DiagnosticBag();
            Binder.Bind(new SourceText("both.acc", both), new BindOptions(), bag);
            Assert.True(expected.SequenceEqual(
                bag.All.Select(d => $"{d.Code.Id} {d.Span.Line}:{d.Span.Column}").Order()),
                $"{name} with {second.Name}:\n{string.Join('\n', expected)}\n{PrettyRenderer.Render(bag.Sorted())}");
        }
    }

    private static IEnumerable<string> Expected(string text, int lines) => Expectation().Matches(text).Select(m =>
        $"{m.Groups[1].Value} {int.Parse(m.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture) + lines}:{m.Groups[3].Value}");

    [GeneratedRegex(@"(?m)^# expect: (ACC\d+) (\d+):(\d+)")]
    private static partial Regex Expectation();

    [GeneratedRegex(@"(?m)^(?:export )?(?:fn|module|let) (\w+)|^ +export fn (\w+)")]
    private static partial Regex TopLevel();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();
}
