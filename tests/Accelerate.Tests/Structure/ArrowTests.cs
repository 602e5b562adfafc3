// The arrows between the folders of src, computed from the namespaces that each file names, against the order in which
// ARCHITECTURE.md lays the folders.
using System.Text.RegularExpressions;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Structure;

public sealed class ArrowTests
{
    /// <summary>The one file that knows every backend, of a namespace that all of them see.</summary>
    private const string Registry = "Accelerate.Backends (Executables.cs)";

    /// <summary>
    /// What runs kernels by definition explains a failed call on every backend; the backend made of it stands above.
    /// </summary>
    private const string Interpreter = "Accelerate.Backends.Interpreter (InterpreterExecutable.cs)";

    private static readonly Dictionary<string, string> Apart = new()
    {
        ["Backends/Executables.cs"] = Registry,
        ["Backends/Interpreter/InterpreterExecutable.cs"] = Interpreter,
    };

    /// <summary>
    /// From the lowest up. A file names namespaces of its own line and of lines above it here, which are below it in
    /// the architecture, so that no two of them can need each other. Folders that are not here belong to the one around
    /// them; a file in the namespace of the public types, Accelerate, belongs to the line of its folder.
    /// </summary>
    private static readonly string[] Order =
    [
        "Accelerate.Runtime",
        "Accelerate.Compiler.Diagnostics",
        "Accelerate.Compiler.Types",
        "Accelerate.Compiler.Syntax",
        "Accelerate.Compiler.Graph",
        "Accelerate.Compiler.Graph.Interpreter",
        "Accelerate.Compiler.Autodiff",
        "Accelerate.Compiler.Binding",
        "Accelerate.Compiler.Fusion",
        "Accelerate.Compiler.Passes",
        "Accelerate.Compiler.Kernels",
        "Accelerate.Compiler.Kernels.Lowering",
        "Accelerate.Compiler",
        "Accelerate.Backends.Interpreter",
        "Accelerate.Backends",
        Interpreter,
        "Accelerate.Backends.OpenCl",
        "Accelerate.Backends.Llvm.Native",
        "Accelerate.Backends.Llvm.Printing",
        "Accelerate.Backends.Llvm",
        Registry,
        "Accelerate.Data",
        "Accelerate.Training",
        "Accelerate.Bench",
        "Accelerate.Cli",
    ];

    /// <summary>The namespace of the types that an application sees.</summary>
    private const string Public = "Accelerate";

    private static readonly Lazy<List<(string From, string To, string File)>> Arrows = new(Compute);

    [Fact]
    public void NoFolderNeedsWhatStandsAboveIt()
    {
        var unknown = Arrows.Value.SelectMany(a => new[] { a.From, a.To }).Where(n => !Order.Contains(n)).Distinct();
        Assert.Empty(unknown);
        var upward = Arrows.Value.Where(a => Array.IndexOf(Order, a.To) > Array.IndexOf(Order, a.From))
            .Select(a => $"{a.File}: {a.From} needs {a.To}").Distinct();
        Assert.True(!upward.Any(), string.Join("; ", upward));
    }

    /// <summary>What stands above `Llvm/` sees its façade alone.</summary>
    [Theory]
    [InlineData("Accelerate.Backends.Llvm.Native", "Accelerate.Backends.Llvm")]
    [InlineData("Accelerate.Backends.Llvm.Printing", "Accelerate.Backends.Llvm")]
    public void InnerFoldersAreSeenByTheirOwnAlone(string inner, string own) =>
        Assert.Empty(Arrows.Value.Where(a => a.To == inner && a.From != own
            && !a.From.StartsWith(own + ".", StringComparison.Ordinal)).Select(a => $"{a.File}: {a.From}"));

    /// <summary>The test would pass on nothing.</summary>
    [Fact]
    public void TheArrowsAreSeen()
    {
        Assert.Contains(Arrows.Value, a => (a.From, a.To) == ("Accelerate.Compiler.Passes", "Accelerate.Compiler.Fusion"));
        Assert.Contains(Arrows.Value, a => (a.From, a.To) == ("Accelerate.Cli", "Accelerate.Backends.Llvm"));
        Assert.True(Arrows.Value.Select(a => (a.From, a.To)).Distinct().Count() > 60);
    }

    private static List<(string From, string To, string File)> Compute()
    {
        var source = Path.Combine(Shared.Repository, "src");
        var files = new List<(string Space, string Path, string Code)>();
        string Layer(string space, string path) =>
            space == Public ? Longest(FolderSpace(path))! : Longest(space) ?? space;
        foreach (var file in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(source, file);
            if (relative.Split('/').Any(p => p is "bin" or "obj")) continue;
            var code = Code(File.ReadAllText(file));
            if (Regex.Match(code, @"^namespace ([\w.]+)", RegexOptions.Multiline) is { Success: true } space)
                files.Add((space.Groups[1].Value, relative, code));
        }
        var types = files.SelectMany(f => Regex.Matches(f.Code,
                @"^(?:public|internal) [\w ]*?\b(?:class|struct|enum|interface|record(?: struct)?|delegate [\w<>]+) (\w+)",
                RegexOptions.Multiline).Select(m => (f.Space, Layer: Layer(f.Space, f.Path), Name: m.Groups[1].Value)))
            .GroupBy(t => (t.Space, t.Layer)).ToDictionary(g => g.Key, g => g.Select(t => t.Name).ToHashSet());
        var typed = types.GroupBy(t => t.Key.Space)
            .ToDictionary(g => g.Key, g => g.SelectMany(t => t.Value).ToHashSet());
        return [.. files.SelectMany(f =>
        {
            var from = Apart.GetValueOrDefault(f.Path) ?? Layer(f.Space, f.Path);
            // A namespace sees the types of those around it without a word.
            var words = Regex.Matches(f.Code, @"(?<![\w.])[A-Z]\w*").Select(m => m.Value).ToHashSet();
            var around = types.Where(t => (f.Space + ".").StartsWith(t.Key.Space + ".", StringComparison.Ordinal)
                && t.Value.Overlaps(words)).Select(t => t.Key.Layer);
            return Named(f.Code, f.Space, typed).Concat(around).Where(n => n != from).Distinct()
                .Select(to => (from, to, f.Path));
        })];
    }

    /// <summary>
    /// The namespaces that a file imports, and those that it names in front of a type: `Data.Length` is a property's.
    /// </summary>
    private static IEnumerable<string> Named(string text, string own, Dictionary<string, HashSet<string>> types)
    {
        foreach (Match m in Regex.Matches(text, @"^using (?:static |\w+ = )?([\w.]+);", RegexOptions.Multiline))
            if (Longest(m.Groups[1].Value) is { } name) yield return name;
        // Relative names begin at any part of the own namespace.
        var parts = own.Split('.');
        foreach (Match m in Regex.Matches(text, @"(?<![\w.])[A-Z]\w*(?:\.[A-Z]\w*)+"))
        {
            for (var depth = parts.Length; depth >= 0; depth--)
            {
                var full = string.Join('.', parts.Take(depth).Append(m.Value));
                var first = string.Join('.', parts.Take(depth).Append(m.Value.Split('.')[0]));
                if (!Order.Any(n => n == first || n.StartsWith(first + ".", StringComparison.Ordinal))) continue;
                var words = m.Value.Split('.').ToHashSet();
                if (Longest(full) is { } name && types.Any(t => t.Value.Overlaps(words)
                    && (t.Key == name || t.Key.StartsWith(name + ".", StringComparison.Ordinal)))) yield return name;
                break;
            }
        }
    }

    /// <summary>Compiler/Diagnostics/Diagnostic.cs: Accelerate.Compiler.Diagnostics.</summary>
    private static string FolderSpace(string path) =>
        $"{Public}.{Path.GetDirectoryName(path)!.Replace(Path.DirectorySeparatorChar, '.')}";

    /// <summary>The namespace of those in order that a qualified name begins with.</summary>
    private static string? Longest(string name) => Order
        .Where(n => name == n || name.StartsWith(n + ".", StringComparison.Ordinal)).MaxBy(n => n.Length);

    /// <summary>Without comments and texts.</summary>
    private static string Code(string text) => Regex.Replace(text, "//[^\n]*|\"(?:[^\"\\\\\n]|\\\\.)*\"", " ");
}
