// In: batches that could not go into the database. Out: files beside it, and their batches in it as soon as it is free.
using System.Globalization;
using System.Text;
using System.Text.Json;
using Accelerate.Bench.Records;
using Accelerate.Runtime;

namespace Accelerate.Bench.Store;

/// <summary>What a spool held when it was merged.</summary>
/// <param name="Batches">Lines of its files.</param>
/// <param name="Results">Those of their results that the database did not have.</param>
/// <param name="Unreadable">Files that were left as they are, each with the reason.</param>
internal sealed record SpoolMerge(int Batches, int Results, IReadOnlyList<string> Unreadable)
{
    public static readonly SpoolMerge Nothing = new(0, 0, []);
}

/// <summary>
/// A folder of JSON lines, a batch each. A file is written whole under its name or not at all, and by one process only:
/// no reader meets half a line, and nobody appends to a file that is being merged. One that was merged by a process
/// which ended before it could delete the file is merged again, to no effect: a result is known by its id.
/// </summary>
internal static class Spool
{
    /// <summary>`benchmarks.spool` of `benchmarks.duckdb`.</summary>
    public static string Folder(string database) => Path.ChangeExtension(database, ".spool");

    /// <summary>When it returns the batch is on the disk.</summary>
    /// <returns>The file it is in.</returns>
    public static string Append(string database, ResultBatch batch)
    {
        var folder = Folder(database);
        Directory.CreateDirectory(folder);
        // Names sort by time: batches are merged in the order they were made.
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
            // Whoever merged the last file of it has removed it since.
            Directory.CreateDirectory(folder);
            OutputFile.Write(path, stream => stream.Write(line));
        }
        return path;
    }

    public static IReadOnlyList<string> Files(string database) => Directory.Exists(Folder(database))
        ? [.. Directory.EnumerateFiles(Folder(database), "*.jsonl").Order(StringComparer.Ordinal)] : [];

    /// <summary>Brings all batches into the database, then deletes their files.</summary>
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
            // Together they take a transaction, one by one as many, of 20 to 50 ms each.
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
            // Somebody has just spooled into it.
        }
    }
}
