// In: files and folders. Out: their results in a database: each file whole or not at all, and once.
using System.IO.Enumeration;
using Accelerate.Runtime;

namespace Accelerate.Bench.Store;

/// <summary>The outcome of one file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Results">The number of results in it.</param>
/// <param name="Added">The number of new results.</param>
/// <param name="IsKnown">True if its contents were imported before.</param>
/// <param name="Errors">Why it was not imported.</param>
internal sealed record ImportOutcome(string Path, int Results, int Added, bool IsKnown, IReadOnlyList<string> Errors);

internal static class Import
{
    /// <summary>The named files, and those in named folders with an ending of results.</summary>
    public static IEnumerable<string> Files(IEnumerable<string> paths) => paths.SelectMany(path =>
    {
        if (!Directory.Exists(path)) return (IEnumerable<string>)[path];
        // Links to folders are not followed, because they may form cycles.
        return new FileSystemEnumerable<string>(path, (ref FileSystemEntry e) => e.ToSpecifiedFullPath(),
            new EnumerationOptions { RecurseSubdirectories = true })
        {
            ShouldIncludePredicate = (ref FileSystemEntry e) =>
                !e.IsDirectory && ImportFile.FormatOf(e.FileName.ToString()) is not null,
            ShouldRecursePredicate = (ref FileSystemEntry e) => (e.Attributes & FileAttributes.ReparsePoint) == 0,
        }.Order(StringComparer.Ordinal);
    });

    /// <param name="store">The database.</param>
    /// <param name="path">A file.</param>
    /// <param name="archive">A folder for copies of imported files; null for none.</param>
    public static ImportOutcome Run(DuckDbStore store, string path, string? archive)
    {
        ImportFile file;
        try
        {
            file = ImportFile.Read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(path, 0, 0, false, [$"{path}: {e.Message}"]);
        }
        catch (StoreException e)
        {
            return new(path, 0, 0, false, [e.Message]);
        }
        if (file.Errors.Count > 0) return new(path, 0, 0, false, file.Errors);
        var results = file.Batches.Sum(b => b.Results.Count);
        var isKnown = store.Connection.Scalar<long>("SELECT count(*) FROM imports WHERE content_hash = $hash",
            ("hash", file.Hash)) > 0;
        // A known file is read again anyway, because its results may have been purged since.
        var added = store.Append(file.Batches, connection => connection.Execute(
            "INSERT OR IGNORE INTO imports VALUES ($hash, $file, $format, $now, $results)", ("hash", file.Hash),
            ("file", Path.GetFullPath(path)), ("format", file.Format), ("now", DateTime.UtcNow),
            ("results", (long)results)));
        if (archive is not null) Archive(file, archive);
        return new(path, results, added, isKnown, []);
    }

    /// <summary>Names begin with the hash of the contents, so that two files of one name are both kept.</summary>
    private static void Archive(ImportFile file, string archive)
    {
        Directory.CreateDirectory(archive);
        var copy = Path.Combine(archive, $"{file.Hash[..16]}-{Path.GetFileName(file.Path)}");
        if (File.Exists(copy)) return;
        OutputFile.Write(copy, stream =>
        {
            using var source = File.OpenRead(file.Path);
            source.CopyTo(stream);
        });
    }
}
