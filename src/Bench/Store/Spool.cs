// In: batches that could not be written to the database. Out: files next to it, merged as soon as the database is free.
using System.Globalization;
using System.Text;
using System.Text.Json;
using Accelerate.Bench.Records;
using Accelerate.Runtime;

namespace Accelerate.Bench.Store;

/// <summary>The outcome of merging a spool.</summary>
/// <param name="Batches">The number of lines in its files.</param>
/// <param name="Results">The number of new results.</param>
/// <param name="Unreadable">Files that were left unchanged, each with the reason.</param>
internal sealed record SpoolMerge(int Batches, int Results, IReadOnlyList<string> Unreadable)
{
    public static readonly SpoolMerge Nothing = new(0, 0, []);
}

/// <summary>
/// A folder of JSON lines, one batch each. A file gets its name only when it is complete, and is written by one process
/// only: no reader sees half a line, and nobody appends to a file being merged. If a process merged a file but ended
/// before deleting it, merging it again has no effect, because results are identified by their id.
/// </summary>
internal static class Spool
{
    /// <summary>The folder `benchmarks.spool` of `benchmarks.duckdb`.</summary>
    public static string Folder(string database) => Path.ChangeExtension(database, ".spool");

    /// <summary>After it returns, the batch is on the disk.</summary>
    /// <returns>The batch's file.</returns>
    public static string Append(string database, ResultBatch batch)
    {
        var folder = Folder(database);
        Directory.CreateDirectory(folder);
        // Names sort by time: batches are merged in the order in which they were made.
        var name = string.Create(CultureInfo.InvariantCulture,
            $"{DateTime.UtcNow:yyyyMMdd'T'HHmmss'.'fffffff}-{Environment.ProcessId}-{Guid.NewGuid():N}.jsonl");
        var path = Path.Combine(folder, name);
        var line = Encoding.UTF8.GetBytes(batch.ToJson() + "\n");
        try
        {
            OutputFile.Write(path, stream => stream.Write(line));
        }
        catch (DataException) when (!Directory.Exists(folder))
        {
            // Another process may have removed the folder after merging its last file.
            Directory.CreateDirectory(folder);
            OutputFile.Write(path, stream => stream.Write(line));
        }
        return path;
    }

    public static IReadOnlyList<string> Files(string database) => Directory.Exists(Folder(database))
        ? [.. Directory.EnumerateFiles(Folder(database), "*.jsonl").Order(StringComparer.Ordinal)] : [];

    /// <summary>Merges all batches into the database, then deletes their files.</summary>
    public static SpoolMerge Merge(DuckDbStore store)
    {
        List<string> unreadable = [];
        List<(string File, List<ResultBatch> Batches)> files = [];
        foreach (var file in Files(store.Path))
            Try(file, unreadable, () => files.Add(
                (file, [.. File.ReadLines(file).Where(l => l.Length > 0).Select(ResultBatch.FromJson)])));
        if (files.Count == 0) return SpoolMerge.Nothing with { Unreadable = unreadable };
        var (batches, results) = (0, 0);
        void Keep(params IEnumerable<(string File, List<ResultBatch> Batches)> some)
        {
            var all = some.ToList();
            results += store.Append([.. all.SelectMany(f => f.Batches)]);
            batches += all.Sum(f => f.Batches.Count);
            foreach (var (file, _) in all) Try(file, unreadable, () => File.Delete(file));
        }
        try
        {
            // Together they take one transaction, instead of one of 20 to 50 ms each.
            Keep(files);
        }
        catch (StoreException)
        {
            foreach (var file in files) Try(file.File, unreadable, () => Keep(file));
        }
        RemoveEmpty(Folder(store.Path));
        return new(batches, results, unreadable);
    }

    private static void Try(string file, List<string> unreadable, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
            when (e is JsonException or IOException or UnauthorizedAccessException or StoreException)
        {
            unreadable.Add($"{file}: {DuckDbStore.FirstLine(e)}");
        }
    }

    private static void RemoveEmpty(string folder)
    {
        try
        {
            if (!Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Another process has just spooled into it.
        }
    }
}
