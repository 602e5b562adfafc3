// In: a parsed file and the files that it `use`s. Out: its declarations by name.
using System.Collections.Immutable;
using System.Reflection;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

/// <summary>One file with its names.</summary>
internal sealed class SourceFile(string name, FileSyntax syntax, bool isLibrary)
{
    public string Name { get; } = name;

    public FileSyntax Syntax { get; } = syntax;

    public bool IsLibrary { get; } = isLibrary;

    public List<SourceFile> Opened { get; } = [];

    public Dictionary<string, ItemSyntax> Items { get; } = [];

    /// <summary>The values of the top-level `let`s that have been used.</summary>
    public Dictionary<string, Value> Constants { get; } = [];
}

/// <summary>Finds, parses and caches files: first next to the compiled file, then in the library.</summary>
internal sealed class SourceLoader(string? folder, DiagnosticBag bag)
{
    private readonly Dictionary<string, SourceFile> loaded = [];
    private readonly HashSet<string> loading = [];
    private readonly Dictionary<string, UsedFile> uses = [];

    /// <summary>The places where it looked for the user's files, and what it found there.</summary>
    public IEnumerable<UsedFile> Uses => uses.Values;

    public SourceFile Root(FileSyntax syntax) => Fill(new("", syntax, isLibrary: false));

    private SourceFile Fill(SourceFile file)
    {
        foreach (var use in file.Syntax.Uses)
        {
            if (Load(use, file.IsLibrary) is not { } opened) continue;
            // A file of the library opens what it uses: `use nn` is all of nn/.
            IEnumerable<SourceFile> all = opened.IsLibrary ? [opened, .. opened.Opened] : [opened];
            file.Opened.AddRange(all.Where(f => !file.Opened.Contains(f)));
        }
        Declare(file, file.Syntax.Items);
        if (!file.IsLibrary)
        {
            DuplicateNames.Report(file.Syntax, bag);
            Misplaced(file.Syntax.Items);
        }
        return file;
    }

    /// <summary>Reports items that only a module can have.</summary>
    private void Misplaced(ImmutableArray<ItemSyntax> items)
    {
        foreach (var item in items)
        {
            if (item is ConditionalItemSyntax c)
            {
                bag.Report(Codes.NotSupported, c.Condition.Span, "an `if` around declarations of a file",
                    help: "put it in a module; a constant is chosen by `let a = if c { 1 } else { 2 }`");
            }
            else if (item is StateSyntax s)
            {
                bag.Report(Codes.NotSupported, s.Name.Span, "state outside a module", help: "put it in a module");
            }
        }
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

    private SourceFile? Load(UseSyntax use, bool fromLibrary)
    {
        var name = string.Join('.', use.Path.Select(p => p.Text));
        var relative = name.Replace('.', '/') + ".acc";
        // A user's file never replaces one that the library uses.
        var beside = fromLibrary || folder is null ? null : Path.Combine(folder, relative);
        var kind = beside is null ? null : FileStatus.Of(beside)?.Kind;
        // A folder of that name contains other files.
        var isLibrary = kind is null or FileKind.Folder;
        if (beside is not null && isLibrary) uses[beside] = new(beside, null);
        var key = isLibrary ? LibraryFolder + relative : beside!;
        if (loaded.TryGetValue(key, out var known)) return known;
        if (!loading.Add(key))
        {
            bag.Report(Codes.UseCycle, use.Span, $"`{name}` uses this file, directly or through others",
                help: "move what both need into a third file");
            return null;
        }
        try
        {
            if (!isLibrary && Unreadable(beside!, kind!.Value) is { } why)
            {
                bag.Report(Codes.FileNotFound, use.Span, $"the file for `use {name}` cannot be read", why,
                    $"{relative} beside the file has to be a regular file that may be read");
                return null;
            }
            if ((isLibrary ? Library(relative) : Parser.Parse(Found(beside!), bag)) is not { } syntax)
            {
                bag.Report(Codes.FileNotFound, use.Span, $"there is no file for `use {name}`", "not found",
                    $"it is looked for as {relative} beside the file, then in the library ({Library()})");
                return null;
            }
            return loaded[key] = Fill(new(use.Path[^1].Text, syntax, isLibrary));
        }
        finally
        {
            loading.Remove(key);
        }
    }

    /// <summary>
    /// Why a text cannot be read from there; else the text is in <see cref="uses"/>. The program may come from anyone
    /// and names what is opened here: a pipe would block, and a device may act.
    /// </summary>
    private string? Unreadable(string path, FileKind kind)
    {
        if (kind != FileKind.Regular) return InputFile.What(kind);
        try
        {
            uses[path] = new(path, SourceText.Read(path).Text);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "it cannot be read";
        }
    }

    private SourceText Found(string path) => new(path, uses[path].Text!);

    private const string LibraryFolder = "library/";

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, FileSyntax?> Parsed = new();

    /// <summary>
    /// A file of the library, parsed once; the library's tests show that it has no errors. Null if there is none.
    /// </summary>
    private static FileSyntax? Library(string relative) => Parsed.GetOrAdd(relative, r =>
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(LibraryFolder + r);
        if (stream is null) return null;
        using var reader = new StreamReader(stream);
        return Parser.Parse(new SourceText(LibraryFolder + r, reader.ReadToEnd()), new DiagnosticBag());
    });

    /// <summary>The names that a library file declares, including those of the files it opens.</summary>
    public static IReadOnlySet<string> LibraryNames(string name) =>
        Library(name.Replace('.', '/') + ".acc") is not { } syntax ? new HashSet<string>()
            : syntax.Items.SelectMany(NamesOf).Select(n => n.Text)
                .Concat(syntax.Uses.SelectMany(u => LibraryNames(string.Join('.', u.Path.Select(p => p.Text)))))
                .ToHashSet();

    /// <summary>True for a text of the library.</summary>
    public static bool IsLibrary(SourceText source) => source.Path.StartsWith(LibraryFolder, StringComparison.Ordinal);

    private static string Library() => string.Join(", ", Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(n => n.StartsWith(LibraryFolder, StringComparison.Ordinal) && !n[LibraryFolder.Length..].Contains('/'))
        .Select(n => n[LibraryFolder.Length..^4]).Order());
}
