// The programs and command lines of tests/errors/newcomers come in: wrong as somebody writes them who knows NumPy,
// PyTorch
// or JAX. Each gives one error, with the code, the place and the help line that its header names.
using System.Text.RegularExpressions;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;
using Accelerate.Tests.Cli;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Errors;

public sealed partial class NewcomerTests : CommandLine
{
    private static readonly string Folder = Path.Combine(Shared.Repository, "tests", "errors", "newcomers");

    /// <summary>The programs by name: a file each, and those of habits.txt, each behind a line `=== name`.</summary>
    private static readonly Dictionary<string, string> Texts = Directory.GetFiles(Folder, "*.acc")
        .ToDictionary(f => Path.GetFileName(f), f => File.ReadAllText(f).ReplaceLineEndings("\n"))
        .Concat(File.ReadAllText(Path.Combine(Folder, "habits.txt")).ReplaceLineEndings("\n").Split("\n=== ").Skip(1)
            .Select(part => KeyValuePair.Create(part[..part.IndexOf('\n', StringComparison.Ordinal)],
                part[(part.IndexOf('\n', StringComparison.Ordinal) + 1)..])))
        .ToDictionary(p => p.Key, p => p.Value);

    public static TheoryData<string> Programs => [.. Texts.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Programs))]
    public void OneErrorWithItsPlaceAndTheWayOn(string name)
    {
        var text = Texts[name];
        var bag = new DiagnosticBag();
        Binder.Bind(new SourceText("newcomer.acc", text), new BindOptions(), bag);

        var all = bag.Sorted();
        Assert.Equal(Expectation().Matches(text).Select(m => m.Groups[1].Value),
            all.Select(d => $"{d.Code.Id} {d.Span.Line}:{d.Span.Column}"));
        Assert.Single(all);
        Assert.Equal(Help().Match(text).Groups[1].Value, all[0].Help);
        Assert.Equal("newcomer.acc", all[0].Span.Source.Path);
    }

    /// <summary>The command lines, each with what its error has to say.</summary>
    private static readonly List<(string Line, List<string> Says)> Lines = Commands();

    private static List<(string Line, List<string> Says)> Commands()
    {
        var all = new List<(string, List<string>)>();
        foreach (var line in File.ReadLines(Path.Combine(Folder, "commands.txt")))
        {
            if (line.StartsWith("$ ", StringComparison.Ordinal)) all.Add((line[2..], []));
            else if (line.StartsWith("  ", StringComparison.Ordinal)) all[^1].Item2.Add(line.Trim());
        }
        return all;
    }

    public static TheoryData<string> CommandLines => [.. Lines.Select(l => l.Line)];

    [Theory]
    [MemberData(nameof(CommandLines))]
    public void ACommandLineSaysWhatIsWrongAndTheWayOn(string line)
    {
        Write("net.acc", """
            use nn
            module Net(hidden = 4) {
                let fc = Linear(4, 2)
                export fn predict(x: f32[n, 4]) -> f32[n, 2] = fc(x)
                export fn pick(x: f32[n], i: i32) -> f32 = x[i]
            }
            """);
        // By their first bytes: what a file of such a name begins with.
        Write("model.pth", "PK\u0003\u0004 …");
        Write("photo.jpg", "JFIF");
        Write("table.csv", "1,2,3,4\n");
        Write("net.onnx", "pytorch");
        Safetensors.Write(this["turned.safetensors"], new Dictionary<string, Tensor>
        {
            ["fc.weight"] = Tensor.Zeros(DType.F32, 4, 2),
            ["fc.bias"] = Tensor.Zeros(DType.F32, 2),
        });
        var words = Regex.Matches(line, @"('[^']*'|\S)+").Select(m =>
            m.Value.Replace("'", "", StringComparison.Ordinal));
        var (code, _, error) = Run([.. words]);
        var says = Lines.Single(l => l.Line == line).Says;
        Assert.True(code == 0 == error.StartsWith("note: ", StringComparison.Ordinal), error);
        foreach (var text in says) Assert.Contains(text, error);
        Assert.NotEmpty(says);
        Assert.True(Regex.Count(error, "(?m)^(error|note)") == 1, error);
    }

    /// <summary>What another library's name is called here is there, in the library or among the builtins.</summary>
    [Fact]
    public void RenamedNamesExist()
    {
        var library = SourceLoader.LibraryNames("nn").Concat(SourceLoader.LibraryNames("optim")).ToHashSet();
        Assert.All(ForeignNames.Renames, name => Assert.True(library.Contains(name) || Builtins.Find(name) is not null
           , name));
    }

    [GeneratedRegex("(?m)^# expect: (.+)$")]
    private static partial Regex Expectation();

    [GeneratedRegex("(?m)^# help: (.+)$")]
    private static partial Regex Help();
}
