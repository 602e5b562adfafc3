// In: the library's text and the compiler's sources. Out: every function of it is tried, and none is written in C#.
using System.Text.RegularExpressions;
using Accelerate.Compiler.Binding;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Models;

public class LibraryRuleTests
{
    private static readonly string Library = Path.Combine(Shared.Repository, "src", "Compiler", "Library");

    private static IEnumerable<(string File, string Name, string Comment)> Declared =>
        Directory.GetFiles(Library, "*.acc", SearchOption.AllDirectories).SelectMany(f =>
            Regex.Matches(File.ReadAllText(f), @"(?<comment>(?:^#[^\n]*\n)*)^(?:(?:composite )?fn|module) (?<name>\w+)",
                RegexOptions.Multiline)
                .Select(m => (Path.GetFileName(f), m.Groups["name"].Value, m.Groups["comment"].Value)));

    /// <summary>By an .acc file of the tests, by an example, or by another part of the library that is.</summary>
    [Fact]
    public void EveryFunctionAndLayerIsTried()
    {
        var tests = Path.Combine(Shared.Repository, "tests");
        var text = string.Concat(new[] { Path.Combine(Shared.Repository, "examples"), tests }
            .SelectMany(d => Directory.GetFiles(d, "*.acc", SearchOption.AllDirectories)).Select(File.ReadAllText))
            + string.Concat(Directory.GetFiles(tests, "*.cs", SearchOption.AllDirectories)
                .Where(f => Path.GetFileName(f) is "RandomTests.cs" or "BuiltinTests.cs").Select(File.ReadAllText));
        var library = string.Concat(
            Directory.GetFiles(Library, "*.acc", SearchOption.AllDirectories).Select(File.ReadAllText));
        Assert.All(Declared, d => Assert.True(
            Regex.IsMatch(text, $@"\b{d.Name}\b")
                || Regex.Matches(library, $@"\b{d.Name}\b").Count > 1, $"{d.Name} of {d.File} is untried"));
    }

    /// <summary>
    /// What a user opens with `use nn` are names of .acc files: nothing in C# computes or names a layer.
    /// </summary>
    [Fact]
    public void NoLayerIsWrittenInCSharp()
    {
        var names = SourceLoader.LibraryNames("nn");
        Assert.Contains("softmax", names);
        Assert.Contains("MultiheadAttention", names);
        var found = new[] { "Compiler", "Backends", "Runtime" }
            .SelectMany(
                d => Directory.GetFiles(Path.Combine(Shared.Repository, "src", d), "*.cs", SearchOption.AllDirectories))
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}")
                && !IsAllowed(Path.GetFileName(f)))
            .SelectMany(f => Regex.Matches(Code(f), "\"(\\w+)\"").Select(m => m.Groups[1].Value).Where(names.Contains)
                .Select(n => $"{n} in {Path.GetFileName(f)}")).ToList();
        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    /// <summary>A file without its comments.</summary>
    private static string Code(string file) =>
        string.Join('\n', File.ReadLines(file).Where(l => !l.TrimStart().StartsWith("//", StringComparison.Ordinal)));

    /// <summary>
    /// The claim table names composites that a kernel takes whole; ForeignNames says what others call them, and
    /// SyntaxErrors and ForeignSyntax what introduces a variable elsewhere.
    /// </summary>
    private static bool IsAllowed(string file) => file is "Claims.cs" or "ForeignNames.cs" or "SyntaxErrors.cs"
        or "ForeignSyntax.cs";
}
