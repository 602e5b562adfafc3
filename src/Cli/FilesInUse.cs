// In: the files that a command reads and writes. Out: an error if two of them are the same file.
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// Checked before anything runs. Names count as the same file if links or spellings lead to one; a device may be named
/// repeatedly.
/// </summary>
internal sealed class FilesInUse
{
    private readonly Dictionary<string, string> read = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> written = new(StringComparer.Ordinal);

    /// <summary>Registers the source, the files it uses, and those of `--weights`.</summary>
    public FilesInUse(ModelOptions options, CompiledModel model)
    {
        Reads("the source", options.File);
        foreach (var path in model.Sources) Reads("the source", path);
        foreach (var (_, path) in options.Weights) Reads("the weights", path);
    }

    public void Reads(string what, string path)
    {
        if (OutputFile.Identity(path) is { } file) read.TryAdd(file, $"{what} {path}");
    }

    /// <param name="option">The option as the user wrote it: `-o`, `--out loss`.</param>
    /// <param name="path">The path that it writes to.</param>
    /// <param name="mayReplace">The kind of input that it may replace although it is read.</param>
    /// <exception cref="CliException">The file is read or written by another option, or no file can have that
    /// name.</exception>
    public void Writes(string option, string path, string? mayReplace = null)
    {
        if (InputFile.NameError(path) is { } error) throw CommonOptions.Usage($"{option} {Shown(path)}: {error}");
        if (FileStatus.Of(path) is { Kind: FileKind.Folder })
            throw new CliException($"{option} {path}: {InputFile.What(FileKind.Folder)}");
        var folder = Path.GetDirectoryName(Path.GetFullPath(path));
        if (folder is not null && FileStatus.Of(folder) is null && FileStatus.Of(path, follow: false) is null)
            throw new CliException($"{option} {path}: there is no folder {folder}");
        if (OutputFile.Identity(path) is not { } file) return;
        if (read.TryGetValue(file, out var what)
            && (mayReplace is null || !what.StartsWith(mayReplace, StringComparison.Ordinal)))
            throw CommonOptions.Usage($"{option} {path} would write over {what}", "name another file");
        if (!written.TryAdd(file, $"{option} {path}"))
            throw CommonOptions.Usage($"{option} {path} and {written[file]} are one file", "name two files");
    }

    private static string Shown(string path) => path.Length == 0 ? "''" : VisibleText.Word(path);
}
