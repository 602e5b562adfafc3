// A parsed file and its `use`d files come in; its declarations by name go out.
using System.Collections.Immutable;
using System.Reflection;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax;

namespace Accelerate.Compiler.Binding;

/// <summary>One file with its names.</summary>
internal sealed class SourceFile(string name, FileSyntax syntax, bool isLibrary)
{
    public string Name { get; } = name;

    public FileSyntax Syntax { get; } = syntax;

    public bool IsLibrary { get; } = isLibrary;

    public List<SourceFile> Opened { get; } = [];

    public Dictionary<string, ItemSyntax> Items { get; } = [];

    /// <summary>The values of the `let`s at top level, once asked for.</summary>
    public Dictionary<string, Value> Constants { get; } = [];
}

/// <summary>Finds, parses and caches files: beside the file compiled first, then in the library.</summary>
internal sealed class SourceLoader(string? folder, DiagnosticBag bag)
{
    private readonly Dictionary<string, SourceFile> loaded = [];
    private readonly HashSet<string> loading = [];

    public SourceFile Root(FileSyntax syntax) => Fill(new("", syntax, isLibrary: false));

    private SourceFile Fill(SourceFile file)
    {
        foreach (var use in file.Syntax.Uses)
        {
            if (Load(use) is { } opened) file.Opened.Add(opened);
        }
        Declare(file, file.Syntax.Items);
        return file;
    }

    private void Declare(SourceFile file, ImmutableArray<ItemSyntax> items)
    {
        foreach (var item in items)
        {
            foreach (var name in NamesOf(item))
            {
                if (file.Items.TryGetValue(name.Text, out var earlier))
                {
                    bag.Report(Codes.DuplicateName, name.Span, $"`{name.Text}` is declared twice",
                        "declared again here",
                        "rename one of them", new Label(NamesOf(earlier).First(n => n.Text == name.Text).Span,
                            "first here"));
                    continue;
                }
                file.Items[name.Text] = item;
            }
        }
    }

    public static IEnumerable<NameToken> NamesOf(ItemSyntax item) => item switch
    {
        ModuleSyntax m => [m.Name],
        FunctionSyntax f => [f.Name],
        StateSyntax s => [s.Name],
        ConstantSyntax c => c.Names,
        _ => [],
    };

    private SourceFile? Load(UseSyntax use)
    {
        var name = string.Join('.', use.Path.Select(p => p.Text));
        if (loaded.TryGetValue(name, out var known)) return known;
        if (!loading.Add(name))
        {
            bag.Report(Codes.UseCycle, use.Span, $"`{name}` uses this file, directly or through others",
                help: "move what both need into a third file");
            return null;
        }
        try
        {
            if (Read(use, name) is not var (source, isLibrary))
            {
                bag.Report(Codes.FileNotFound, use.Span, $"there is no file for `use {name}`", "not found",
                    $"it is looked for as {name.Replace('.', '/')}.acc beside the file, "
                        + $"then in the library ({Library()})");
                return null;
            }
            return loaded[name] = Fill(new(use.Path[^1].Text, Parser.Parse(source, bag), isLibrary));
        }
        finally
        {
            loading.Remove(name);
        }
    }

    private (SourceText Source, bool IsLibrary)? Read(UseSyntax use, string name)
    {
        var relative = name.Replace('.', '/') + ".acc";
        if (folder is not null && Path.Combine(folder, relative) is var path && File.Exists(path))
            return (SourceText.Read(path), false);
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("library/" + relative);
        if (stream is null) return null;
        using var reader = new StreamReader(stream);
        return (new SourceText("library/" + relative, reader.ReadToEnd()), true);
    }

    /// <summary>The names that a library file declares.</summary>
    public static IReadOnlySet<string> Library(string file) => LibraryNames.GetOrAdd(file, f =>
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"library/{f}.acc");
        if (stream is null) return new HashSet<string>();
        using var reader = new StreamReader(stream);
        var syntax = Parser.Parse(new SourceText(f, reader.ReadToEnd()), new DiagnosticBag());
        return syntax.Items.SelectMany(NamesOf).Select(n => n.Text).ToHashSet();
    });

    /// <summary>Whether a text is one of the library's.</summary>
    public static bool IsLibrary(SourceText source) => source.Path.StartsWith("library/", StringComparison.Ordinal);

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string,
        IReadOnlySet<string>> LibraryNames = new();

    private static string Library() => string.Join(", ", Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(n => n.StartsWith("library/", StringComparison.Ordinal)).Select(n => n[8..^4]).Order());
}
