// The programs and command lines of tests/wrong come in, written by somebody who had read no more than the manual. Each
// gives one error, with the code, the line and the help that stand in its first line, or behind it in commands.txt.
using System.Globalization;
using System.Text.RegularExpressions;
using Accelerate.Cli;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Errors;

public sealed partial class WrongProgramsTests
{
    private static readonly string Folder = Path.Combine(Shared.Repository, "tests", "wrong");

    public static TheoryData<string> Programs =>
        [.. Directory.GetFiles(Folder, "*.acc").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Programs))]
    public void OneErrorThatLeadsToTheMend(string name)
    {
        var source = SourceText.Read(Path.Combine(Folder, name));
        var header = Header().Match(source.Text);
        Assert.True(header.Success, source.Text.Split('\n')[0]);
        var bag = new DiagnosticBag();
        var program = Binder.Bind(source, new BindOptions(), bag);

        Assert.Empty(program?.Entries ?? []);
        var text = PrettyRenderer.Render(bag.Sorted());
        Assert.True(bag.Count == 1, text);
        var found = bag.All[0];
        Assert.Equal($"{header.Groups[1].Value} line {header.Groups[2].Value}",
            $"{found.Code.Id} line {found.Span.Line}");
        // No code of the library is blamed: the place is the user's.
        Assert.Equal(source.Path, found.Span.Source.Path);
        Assert.Contains(header.Groups[3].Value, found.Help ?? "", StringComparison.Ordinal);
        Assert.Equal(found.Class == DiagnosticClass.Limitation ? 3 : 1, bag.ExitCode);
    }

    /// <summary>The command lines, each with its exit code and what its answer says.</summary>
    private static readonly Dictionary<string, (int Code, List<string> Says)> Lines = Commands();

    private static Dictionary<string, (int Code, List<string> Says)> Commands()
    {
        var all = new Dictionary<string, (int, List<string>)>();
        var line = "";
        foreach (var text in File.ReadLines(Path.Combine(Folder, "commands.txt")))
        {
            if (text.StartsWith('#')) continue;
            if (!text.StartsWith("  ", StringComparison.Ordinal))
                line = text[(text.IndexOf("accc ", StringComparison.Ordinal) + 5)..];
            else if (all.TryGetValue(line, out var known)) known.Item2.Add(text.Trim());
            else all[line] = (int.Parse(text.AsSpan(2, 1), CultureInfo.InvariantCulture), [text[3..].Trim()]);
        }
        return all;
    }

    public static TheoryData<string> CommandLines => [.. Lines.Keys];

    [Theory]
    [MemberData(nameof(CommandLines))]
    public void OneAnswerThatLeadsToTheMend(string line)
    {
        // As a shell cuts it, from the root of the repository.
        var words = Words().Matches(line).Select(m => m.Value.Replace("'", "", StringComparison.Ordinal))
            .Select(w => Files().Replace(w,
                m => m.Groups[1].Value + Path.Combine(Shared.Repository, m.Groups[2].Value)));
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = Accc.Run([.. words], output, error);

        var (expected, says) = Lines[line];
        Assert.Equal(2, says.Count);
        foreach (var text in says) Assert.Contains(text, $"{error}", StringComparison.Ordinal);
        Assert.True(code == expected && Regex.Count($"{error}", "(?m)^error") == 1
            && Regex.Count($"{error}", "(?m)^ += help: ") == 1, $"exit code {code}\n{error}");
    }

    [GeneratedRegex(@"\A# error: (ACC\d{4}) line (\d+): (.+)")]
    private static partial Regex Header();

    [GeneratedRegex(@"('[^']*'|\S)+")]
    private static partial Regex Words();

    /// <summary>Files as they are written from the root: at the start of a word, or behind `=` and `@`.</summary>
    [GeneratedRegex(@"(^|[=@])((?:tests/wrong|examples)/)")]
    private static partial Regex Files();
}
