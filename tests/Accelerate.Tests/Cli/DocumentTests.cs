// In: the README and ERRORS.md. Out: whether what they show is what accc prints.
using Accelerate.Cli;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Cli;

public class DocumentTests
{
    [Fact]
    public void ErrorsPageIsWhatExplainPrints()
    {
        var output = new StringWriter();
        Assert.Equal(0, Accc.Run(["explain"], output, TextWriter.Null));
        Assert.Equal(File.ReadAllText(Path.Combine(Shared.Repository, "grammar", "ERRORS.md"))
            .ReplaceLineEndings("\n"), output.ToString());
    }

    /// <summary>Each console block: the command behind `$ ./accc`, then its output to the letter.</summary>
    public static TheoryData<string, string> ConsoleBlocks()
    {
        var data = new TheoryData<string, string>();
        var readme = File.ReadAllText(Path.Combine(Shared.Repository, "README.md")).ReplaceLineEndings("\n");
        foreach (var block in readme.Split("```console\n").Skip(1)
            .Select(b => b[..b.IndexOf("```", StringComparison.Ordinal)]))
            foreach (var run in block.Split("$ ./accc ").Skip(1))
                data.Add(run[..run.IndexOf('\n')], run[(run.IndexOf('\n') + 1)..]);
        return data;
    }

    [LlvmTheory]
    [MemberData(nameof(ConsoleBlocks))]
    public void ReadmeShowsRealOutput(string command, string expected)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        Accc.Run([.. Words(command)], output, error);
        Assert.Equal(expected, (output.ToString() + error)
            .Replace(Shared.Repository + Path.DirectorySeparatorChar, ""));
    }

    [Fact]
    public void ReadmeHasConsoleBlocks() => Assert.True(ConsoleBlocks().Count() >= 3);

    /// <summary>The words of a shell command; single quotes group. Files are relative to the repository.</summary>
    private static List<string> Words(string command)
    {
        var (words, word, quoted) = (new List<string>(), "", false);
        foreach (var c in command + " ")
        {
            if (c == '\'') quoted = !quoted;
            else if (c == ' ' && !quoted)
            {
                if (word.EndsWith(".acc", StringComparison.Ordinal)) word = Path.Combine(Shared.Repository, word);
                if (word.Length > 0) words.Add(word);
                word = "";
            }
            else word += c;
        }
        return words;
    }
}
