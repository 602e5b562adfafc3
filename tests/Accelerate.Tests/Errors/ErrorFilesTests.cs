// Each program of tests/errors comes in; the diagnostics it makes are exactly those its header lists.
using System.Text.RegularExpressions;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Errors;

public sealed partial class ErrorFilesTests
{
    private static readonly string Folder = Path.Combine(Shared.Repository, "tests", "errors");

    /// <summary>Codes that no file can raise, with the place that does.</summary>
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["ACC2035"] = "run-time branches answer ACC4001",
        ["ACC2038"] = "transformations answer ACC4001",
        ["ACC2040"] = "inout arguments answer ACC4001",
        ["ACC2041"] = "run-time loops answer ACC4001",
        ["ACC3001"] = "Binding/WeightMapTests.cs",
        ["ACC3002"] = "Binding/WeightMapTests.cs",
        ["ACC3003"] = "Binding/WeightMapTests.cs",
        ["ACC3004"] = "Binding/WeightMapTests.cs",
        ["ACC4002"] = "the backends",
        ["ACC4003"] = "Syntax/DiagnosticTests.cs",
        ["ACC9001"] = "a mistake of the compiler",
    };

    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(Folder, "*.acc").Select(f => Path.GetFileName(f)).Order()];

    [Theory]
    [MemberData(nameof(Files))]
    public void DiagnosticsAreExactlyThoseExpected(string name)
    {
        var source = SourceText.Read(Path.Combine(Folder, name));
        var expected = Expectation().Matches(source.Text).Select(m => m.Groups[1].Value.TrimEnd()).Order().ToList();
        Assert.NotEmpty(expected);

        var bag = new DiagnosticBag();
        var program = Binder.Bind(source, new BindOptions(), bag);

        Assert.Empty(program?.Entries ?? []);
        Assert.Equal(expected, bag.All.Select(d => $"{d.Code.Id} {d.Span.Line}:{d.Span.Column}").Order());
        Assert.All(bag.All, d => Assert.Equal(source.Path, d.Span.Source.Path));
        Assert.DoesNotContain("'", Regex.Replace(PrettyRenderer.Render(bag.Sorted()), @"[a-z]'[a-z]", ""));
    }

    [Fact]
    public void EveryCodeHasAFile()
    {
        foreach (var code in Codes.All.Where(c => c.Id[3] != '1'))
        {
            var file = Path.Combine(Folder, code.Id + ".acc");
            Assert.True(File.Exists(file) != Elsewhere.ContainsKey(code.Id),
                $"{code.Id} has a file, or a line in Elsewhere, not both");
            if (File.Exists(file)) Assert.Contains($"# expect: {code.Id} ", File.ReadAllText(file));
        }
    }

    [Theory]
    [InlineData("ACC4001.acc", 3)]
    [InlineData("several.acc", 1)]
    public void TheClassDecidesTheExitCode(string name, int exitCode)
    {
        var bag = new DiagnosticBag();
        Binder.Bind(SourceText.Read(Path.Combine(Folder, name)), new BindOptions(), bag);
        Assert.Equal(exitCode, bag.ExitCode);
    }

    [GeneratedRegex("(?m)^# expect: (.+)$")]
    private static partial Regex Expectation();
}
