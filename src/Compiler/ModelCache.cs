// In: a source and its options. Out: the model from an earlier compilation, in this process or another.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler;

/// <summary>
/// Models on disk, programs in their text form. ResNet-50 takes 0.5 s to compile to kernels and 0.03 s to read (Zen 4,
/// `accc run … --time`).
/// </summary>
internal sealed class ModelCache(DiskCache cache)
{
    private readonly DiskCache cache = cache ?? throw new ArgumentNullException(nameof(cache));

    /// <summary>The stored model of the same compiler, text, used files and options; else null.</summary>
    public CompiledModel? TryGet(SourceText source, CompilationOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        var key = Key(source, options);
        return cache.TryGet(key) is { } entry && Read(entry, source) is { } model
            ? model with
            {
                Initializer =
                Initializer(key, () =>
                    Compilation.FromSource(source, options with { Last = CompilationStage.Bound }).Initializer)
            }
            : null;
    }

    /// <summary>
    /// Stores the model of a compilation if all its requested entries exist. The programs of its initialisers are
    /// stored when they are first needed.
    /// </summary>
    public CompiledModel Put(Compilation compilation, CompilationOptions options)
    {
        ArgumentNullException.ThrowIfNull(compilation);
        ArgumentNullException.ThrowIfNull(options);
        var key = Key(compilation.Source, options);
        var model = compilation.Model;
        cache.Put(key, Write(model, compilation.Bound!.Uses));
        return model with { Initializer = Initializer(key, () => compilation.Initializer) };
    }

    private Func<IReadOnlyCollection<string>, Program?> Initializer(
        string model, Func<Func<IReadOnlyCollection<string>, Program?>> compile) => paths =>
    {
        var key = DiskCache.Key([model, "initializer", .. paths.Order(StringComparer.Ordinal)]);
        if (cache.TryGet(key) is { } text) return ProgramReader.Trusted(Encoding.UTF8.GetString(text));
        var program = compile()(paths);
        if (program is not null) cache.Put(key, Encoding.UTF8.GetBytes(ProgramPrinter.Print(program)));
        return program;
    };

    /// <summary>Everything that determines the model except the used files, which the entry names.</summary>
    private static string Key(SourceText source, CompilationOptions options)
    {
        var set = options.Binding.Set.OrderBy(p => p.Key, StringComparer.Ordinal)
            .SelectMany(p => (string[])[p.Key, p.Value]);
        var dims = options.Binding.Dims.OrderBy(p => p.Key, StringComparer.Ordinal)
            .SelectMany(p => (string[])[p.Key, p.Value.ToString(CultureInfo.InvariantCulture)]);
        return DiskCache.Key(
        [
            "model", $"{typeof(ModelCache).Module.ModuleVersionId}", $"{typeof(DiskCache).Module.ModuleVersionId}",
            source.Path, source.Text,
                FullFolder(options.Binding.Folder ?? Path.GetDirectoryName(source.Path)),
            "entries", .. options.Entries?.Order(StringComparer.Ordinal) ?? Enumerable.Repeat("*", 1),
            "set", .. set, "dims", .. dims, "how", $"{options.Compute}", $"{options.DirectConvolutions}",
                $"{options.StopAfterRewrite}",
        ]);
    }

    /// <summary>The folder of a bare name is the current one.</summary>
    private static string FullFolder(string? folder) =>
        Path.GetFullPath(string.IsNullOrEmpty(folder) ? "." : folder);

    private static byte[] Write(CompiledModel model, ImmutableArray<UsedFile> uses)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes))
        {
            void All<T>(IReadOnlyCollection<T> items, Action<T> write)
            {
                writer.Write(items.Count);
                foreach (var item in items) write(item);
            }
            void Rules(ImmutableArray<WeightRule> rules) => All(rules, rule =>
            {
                writer.Write(rule.Source);
                All(rule.Targets, writer.Write);
                writer.Write(rule.IsOptional);
            });
            void Parts(IReadOnlyDictionary<string, ImmutableArray<WeightRule>> parts) => All(parts, part =>
            {
                writer.Write(part.Key);
                Rules(part.Value);
            });
            All(uses, use =>
            {
                writer.Write(use.Path);
                writer.Write(Content(use.Text));
            });
            All(model.State, state =>
            {
                writer.Write(state.Path);
                writer.Write((int)state.Storage);
                writer.Write($"{state.Type}");
            });
            Rules(model.Rules.Whole);
            Parts(model.Rules.Parts);
            Parts(model.Rules.Modules);
            All(model.Programs, program => writer.Write(ProgramPrinter.Print(program)));
        }
        return bytes.ToArray();
    }

    /// <summary>Null if a file that the model used has changed.</summary>
    private static CompiledModel? Read(byte[] entry, SourceText source)
    {
        using var reader = new BinaryReader(new MemoryStream(entry));
        T[] All<T>(Func<T> read)
        {
            var items = new T[reader.ReadInt32()];
            for (var i = 0; i < items.Length; i++) items[i] = read();
            return items;
        }
        var nowhere = new Span(source, 0, 0);
        ImmutableArray<WeightRule> Rules() => [.. All(() =>
            new WeightRule(reader.ReadString(), [.. All(reader.ReadString)], reader.ReadBoolean(), nowhere))];
        IReadOnlyDictionary<string, ImmutableArray<WeightRule>> Parts() =>
            All(() => (Path: reader.ReadString(), Rules: Rules()))
            .ToDictionary(p => p.Path, p => p.Rules);
        var uses = All(() => (Path: reader.ReadString(), Content: reader.ReadString()));
        if (!uses.All(use => Content(Text(use.Path)) == use.Content)) return null;
        var state = All(() => new StateSpec(reader.ReadString(), (StorageClass)reader.ReadInt32(),
            GraphReader.ReadType(new TextCursor(reader.ReadString())), nowhere));
        var rules = new WeightRules(Rules(), Parts(), Parts());
        var programs = All(() => ProgramReader.Trusted(reader.ReadString()));
        return new([.. programs], [.. state], rules)
        {
            Initializer = _ => null,
            IsCached = true,
            Sources = [.. uses.Where(use => use.Content.Length > 0).Select(use => use.Path)],
        };
    }

    /// <summary>The text of a file as `use` would read it now, or null.</summary>
    private static string? Text(string path)
    {
        try
        {
            return FileStatus.Of(path) is { Kind: FileKind.Regular } ? SourceText.Read(path).Text : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Compiling reports what is wrong with it.
            return null;
        }
    }

    private static string Content(string? text) => text is null ? "" : DiskCache.Key(text);
}
