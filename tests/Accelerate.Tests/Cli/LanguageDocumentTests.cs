// In: grammar/LANGUAGE.md. Out: whether its blocks do what they say, and whether its lists are complete.
using System.Text;
using System.Text.RegularExpressions;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Cli.Cases;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Cli;

public sealed partial class LanguageDocumentTests
{
    private static readonly string Document = Path.Combine(Shared.Repository, "grammar", "LANGUAGE.md");

    private static string Text => File.ReadAllText(Document).ReplaceLineEndings("\n");

    /// <summary>The line of each `acc` block, what stands behind the word, and the program.</summary>
    private static IEnumerable<(int Line, string File, string Program)> Blocks() => Block().Matches(Text)
        .Select(m => (Text[..m.Index].Count(c => c == '\n') + 2, m.Groups[1].Value.Trim(), m.Groups[2].Value));

    public static TheoryData<int> Programs => [.. Blocks().Where(b => b.File.Length == 0).Select(b => b.Line)];

    [Theory]
    [MemberData(nameof(Programs))]
    public void ABlockIsWhatItSays(int line)
    {
        using var folder = new TemporaryFolder();
        foreach (var (_, file, text) in Blocks().Where(b => b.File.Length > 0))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[file])!);
            File.WriteAllText(folder[file], text);
        }
        var (_, _, program) = Blocks().Single(b => b.Line == line);

        // A line that is wrong says with which code; all others are right.
        var lines = program.Split('\n');
        var expected =
            lines.SelectMany((l, i) => Wrong().Match(l) is { Success: true } m ? [$"{m.Groups[1].Value} {i + 1}"]
            : Enumerable.Empty<string>());
        var bag = new DiagnosticBag();
        Binder.Bind(new SourceText("block.acc", program), new BindOptions { Folder = folder.Root }, bag);
        Assert.True(expected.SequenceEqual(bag.Sorted().Select(d => $"{d.Code.Id} {d.Span.Line}")),
            PrettyRenderer.Render(bag.Sorted()));

        // Without those lines it runs as its header says.
        if (!program.Contains("# run:", StringComparison.Ordinal)) return;
        var path = folder["block.acc"];
        File.WriteAllText(path, "# --- LANGUAGE.md\n" + Declarations()
            .Replace(program, m => Wrong().IsMatch(m.Value) ? "" : m.Value));
        var backends = LlvmLibrary.Available(out _) ? [new("llvm", new() { Threads = 1 })] : new List<CaseBackend>();
        var report = new CaseRun(CaseFile.Read(path)).Run(backends);
        Assert.True(report.Failures.Count == 0, string.Join('\n', report.Failures));
    }

    /// <summary>
    /// The rows of the tables of what is refused: what they say is refused, with a help line; what to write instead.
    /// </summary>
    public static TheoryData<string, string, bool> Refused
    {
        get
        {
            var section = Text[Text.IndexOf("<!-- refused:", StringComparison.Ordinal)..Text.IndexOf(
                "<!-- end of refused", StringComparison.Ordinal)];
            var rows = new TheoryData<string, string, bool>();
            var tables = section.Split("| refused | instead |");
            for (var t = 1; t < tables.Length; t++)
            {
                foreach (var row in tables[t].Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)))
                {
                    var cells = Cell().Split(row.Trim('|', ' '));
                    var (left, right) = (Code().Matches(cells[0]), Code().Matches(cells[1]));
                    Assert.Equal(left.Count, right.Count);
                    for (var i = 0; i < left.Count; i++)
                        rows.Add(left[i].Groups[1].Value, right[i].Groups[1].Value, t == 2);
                }
            }
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void WhatIsRefusedIsSoAndTheOtherIsNot(string refused, string instead, bool isStatement)
    {
        var (wrong, right) = (Found(refused), Found(instead));
        Assert.True(wrong is [{ Help: not null }], refused + "\n" + PrettyRenderer.Render(wrong));
        Assert.True(right.IsEmpty, instead + "\n" + PrettyRenderer.Render(right));

        System.Collections.Immutable.ImmutableArray<Diagnostic> Found(string code)
        {
            var bag = new DiagnosticBag();
            Binder.Bind(new SourceText("row.acc", $$"""
                use nn
                export fn f(x: f32[n, d], y: f32[n, d], v: f32[n], b: bool[n, d], k: int, c: bool) -> f32[_, _] {
                    {{(isStatement ? code : "let r = " + code)}}
                    print("done")
                    return x + v[0]
                }
                """), new BindOptions(), bag);
            return bag.Sorted();
        }
    }

    /// <summary>Every name of the language and its library, with where it is explained.</summary>
    [Fact]
    public void TheNamesAreListed()
    {
        const string Begin = "<!-- names: written by the tests (ACCELERATE_UPDATE=1) -->\n", End =
            "<!-- end of names -->";
        var (from, to) =
            (Text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, Text.IndexOf(End, StringComparison.Ordinal));
        var folder = Path.Combine(Shared.Repository, "src", "Compiler", "Library");
        var library = Directory.GetFiles(folder, "*.acc", SearchOption.AllDirectories).SelectMany(f => Declared()
            .Matches(File.ReadAllText(f)).Select(m => (Name: m.Value[m.Groups[1].Length..],
                Where: Path.GetRelativePath(folder, f)[..^4].Replace('\\', '.').Replace('/', '.'))));
        var all = Builtins.Names.Concat(["int", "float", "pi", "inf", "nan", "training", "key"]).Select(n => (n, "17"))
            .Concat(Reserved.Select(r => (r.Name, $"{r.Section}"))).Concat(library)
            .OrderBy(n => n.Item1, StringComparer.OrdinalIgnoreCase).ThenBy(n => n.Item1, StringComparer.Ordinal);
        var text = "\n" + string.Join('\n', Wrapped(string.Join(" · ", all.Select(n =>
            $"`{n.Item1}` {n.Item2}".Replace(' ', '\u00A0'))), 124)).Replace('\u00A0', ' ') + "\n\n";
        if (Environment.GetEnvironmentVariable("ACCELERATE_UPDATE") is "1")
            File.WriteAllText(Document, Text[..from] + text + Text[to..]);
        else Assert.Equal(text, Text[from..to]);
    }

    private static readonly (string Name, int Section)[] Reserved =
    [
        ("use", 14), ("module", 9), ("fn", 4), ("export", 4), ("param", 9), ("buffer", 9), ("let", 8), ("if", 8),
            ("else", 8),
        ("for", 8), ("while", 8), ("in", 8), ("return", 4), ("inout", 11), ("and", 3), ("or", 3), ("not", 3),
            ("true", 17),
        ("false", 17), ("where", 2), ("weights", 10), ("optional", 10), ("composite", 2), ("print", 13), ("assert", 13), ("params", 9),
        ("buffers", 9), ("apply", 9), ("string", 2), ("dtype", 2), ("bool", 2),
        .. new[] { "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "bf16", "f32", "f64" }.Select(d =>
            (d, 2)),
    ];

    [Fact]
    public void EveryBuiltinIsListed()
    {
        var section =
            Text[Text.IndexOf("## 17. Builtins", StringComparison.Ordinal)..Text.IndexOf("## 18.",
                StringComparison.Ordinal)];
        foreach (var builtin in Builtins.All.Append(Builtins.ToInt).Append(Builtins.ToFloat))
            Assert.Contains($"{builtin.Name}({builtin.Parameters.Replace(" ", ", ", StringComparison.Ordinal)})",
                section);
        foreach (Match m in Regex.Matches(section[section.IndexOf("```text", StringComparison.Ordinal)..],
            @"(?m)(?:^|  )(\w+)\("))
            Assert.True(Builtins.Find(m.Groups[1].Value) is not null || m.Groups[1].Value is "int" or "float", m.Value);
    }

    [Fact]
    public void TheLibraryIsListed()
    {
        const string Begin = "<!-- library: written by the tests (ACCELERATE_UPDATE=1) from src/Compiler/Library -->\n",
            End = "<!-- end -->";
        var (from, to) =
            (Text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, Text.IndexOf(End, StringComparison.Ordinal));
        var library = Library();
        if (Environment.GetEnvironmentVariable("ACCELERATE_UPDATE") is "1")
            File.WriteAllText(Document, Text[..from] + library + Text[to..]);
        else Assert.Equal(library, Text[from..to]);
    }

    /// <summary>
    /// A block a file: the signatures, each with the comment above it; a module's functions below it.
    /// </summary>
    private static string Library()
    {
        var folder = Path.Combine(Shared.Repository, "src", "Compiler", "Library");
        var page = new StringBuilder();
        foreach (var file in Directory.GetFiles(folder, "*.acc", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal))
        {
            var text = File.ReadAllText(file).ReplaceLineEndings("\n");
            var name = Path.GetRelativePath(folder, file)[..^4].Replace('\\', '/').Replace('/', '.');
            page.Append(
                $"\n**{name}**. {Comment(text[..text.IndexOf("\n\n", StringComparison.Ordinal)].Split('\n'))}\n\n```text\n");
            foreach (Match m in Declared().Matches(text))
            {
                Listed(text, m, "");
                if (m.Groups[1].Value != "module ") continue;
                var body = text[m.Index..(text.IndexOf("\n}\n", m.Index, StringComparison.Ordinal) + 1)];
                foreach (Match inner in Member().Matches(body)) Listed(body, inner, "  ");
            }
            page.Append("```\n");
        }
        return page.Append('\n').ToString();

        void Listed(string text, Match m, string indent)
        {
            page.Append(indent).Append(Signature(text[(m.Index + m.Groups[1].Length)..])).Append('\n');
            var above = text[..m.Index].Split('\n')[..^1].Reverse().Select(l => l.Trim()).TakeWhile(l =>
                l.StartsWith("# ", StringComparison.Ordinal) && !l.StartsWith("# ---", StringComparison.Ordinal))
                    .Reverse();
            foreach (var line in Wrapped(Comment(above), 114 - indent.Length)) page.Append($"{indent}      {line}\n");
        }
    }

    private static string Comment(IEnumerable<string> lines) =>
        string.Join(' ', lines.TakeWhile(l => l.StartsWith('#')).Select(l => l.TrimStart('#').Trim()));

    private static IEnumerable<string> Wrapped(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }
            line += line.Length == 0 ? word : " " + word;
        }
        if (line.Length > 0) yield return line;
    }

    /// <summary>The text of a declaration up to its body, on one line.</summary>
    private static string Signature(string text)
    {
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is '(' or '[') depth++;
            if (text[i] is ')' or ']') depth--;
            if (depth == 0 && (text[i] == '{' || (text[i] == '=' && text[i - 1] == ' ' && text[i + 1] != '=')))
                return Regex.Replace(text[..i].Trim(), @"\s+", " ");
        }
        return text;
    }

    [GeneratedRegex(@" \| ")]
    private static partial Regex Cell();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"(?m)^```acc *(.*)\n((?:.*\n)*?)```")]
    private static partial Regex Block();

    [GeneratedRegex(@"# (ACC\d{4})$", RegexOptions.Multiline)]
    private static partial Regex Wrong();

    /// <summary>
    /// A function with its body: to the next line that begins a declaration or a comment at its column, or the end.
    /// </summary>
    [GeneratedRegex(@"(?ms)^export fn .*?(?=^(?:export |composite |fn |module |let |#)|\z)")]
    private static partial Regex Declarations();

    [GeneratedRegex(@"(?m)^( +fn )\w+")]
    private static partial Regex Member();

    [GeneratedRegex(@"(?m)^((?:composite fn |fn |module ))\w+")]
    private static partial Regex Declared();
}
