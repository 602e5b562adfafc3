// In: a database. Out: the same data in another file, rewritten without gaps; compressed for a backup.
using System.Globalization;
using System.IO.Compression;
using Accelerate.Runtime;
using DuckDB.NET.Data;

namespace Accelerate.Bench.Store;

/// <summary>The contents of a table: equal for equal tables, whatever the order of their rows.</summary>
internal readonly record struct TableContents(string Table, long Rows, string Hash);

/// <summary>
/// A copy has the schema of this program, and rows in the order of time, which makes queries by time and run fast.
/// While it is made the database is open for reading: other processes that write wait or spool.
/// </summary>
internal static class DatabaseCopy
{
    private const string Extension = ".duckdb.gz";

    /// <summary>The contents of every table.</summary>
    /// <param name="connection">An open database.</param>
    /// <param name="database">The name under which it is attached; null for the open one.</param>
    public static IReadOnlyList<TableContents> Contents(DuckDBConnection connection, string? database = null) =>
        [.. Schema.Tables.Select(t => connection.Rows(
            $"SELECT count(*) AS n, coalesce(bit_xor(hash(t)), 0)::VARCHAR AS h FROM {database ?? "main"}.{t} t",
            row => new TableContents(t, row.Get<long>("n"), row.Get<string>("h"))).Single())];

    /// <summary>Copies all rows; returns the contents of the source.</summary>
    /// <param name="source">A database that nobody has open for writing.</param>
    /// <param name="target">A file that does not exist yet.</param>
    /// <param name="whileClosed">Called while the source is still closed to writers and the target is complete.</param>
    public static IReadOnlyList<TableContents> Write(string source, string target, Action? whileClosed = null)
    {
        DuckDbStore.Open(target).Dispose();
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        return DuckDbStore.Guard(source, () =>
        {
            DuckDbStore.Retry(source, DuckDbStore.Patience, () => connection.Execute(
                $"ATTACH {Sql.Quoted(Path.GetFullPath(source))} AS source (READ_ONLY)"));
            connection.Execute($"ATTACH {Sql.Quoted(Path.GetFullPath(target))} AS target");
            // A crash may leave changes in a log file: it belongs to the database, but would not belong to the copy's
            // name.
            if (whileClosed is not null && File.Exists(source + ".wal"))
                throw new StoreException($"{source}: another process has just written to it", "try again");
            var contents = Contents(connection, "source");
            foreach (var table in Schema.Tables)
            {
                var order = table == "results" ? "ORDER BY measured_at, position"
                    : table == "runs" ? "ORDER BY started_at" : "";
                connection.Execute($"INSERT INTO target.{table} SELECT * FROM source.{table} {order}");
            }
            var copied = Contents(connection, "target");
            if (!copied.SequenceEqual(contents))
                throw new StoreException($"{source}: the copy differs in {Different(contents, copied)}",
                    $"accc db check --database {source}");
            connection.Execute("DETACH target");
            whileClosed?.Invoke();
            return contents;
        });
    }

    /// <summary>Rewrites the file without the space of deleted rows; returns its size before and after.</summary>
    public static (long Before, long After) Compact(string database)
    {
        // A link stays a link: its target is replaced.
        var real = File.ResolveLinkTarget(database, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(database);
        var size = new FileInfo(real).Length;
        var copy = $"{real}.{Guid.NewGuid():N}.new";
        try
        {
            Write(real, copy, () =>
            {
                if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(copy, File.GetUnixFileMode(real));
                using (var file = new FileStream(copy, FileMode.Open, FileAccess.ReadWrite))
                    file.Flush(flushToDisk: true);
                File.Move(copy, real, overwrite: true);
            });
            return (size, new FileInfo(real).Length);
        }
        finally
        {
            File.Delete(copy); // nothing is left after a rename
        }
    }

    /// <summary>Writes a compressed copy to a folder; returns its path and contents.</summary>
    public static (string Path, IReadOnlyList<TableContents> Contents) Backup(string database, string folder)
    {
        Directory.CreateDirectory(folder);
        var name = string.Create(CultureInfo.InvariantCulture,
            $"{Stem(database)}{DateTime.UtcNow:yyyyMMdd'T'HHmmss'.'fff'Z'}");
        var path = Path.Combine(folder, name + Extension);
        using var temporary = new TemporaryFile();
        var contents = Write(database, temporary.Path);
        OutputFile.Write(path, stream =>
        {
            using var file = File.OpenRead(temporary.Path);
            using var gzip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true);
            file.CopyTo(gzip);
        });
        return (path, contents);
    }

    /// <summary>The contents of a backup, read from a database restored from it.</summary>
    public static IReadOnlyList<TableContents> Restored(string backup)
    {
        using var temporary = new TemporaryFile();
        try
        {
            using var file = File.OpenRead(backup);
            using var gzip = new GZipStream(file, CompressionMode.Decompress);
            using var target = File.Create(temporary.Path);
            gzip.CopyTo(target);
        }
        catch (InvalidDataException e)
        {
            throw new StoreException($"{backup} is no backup: {e.Message}", inner: e);
        }
        using var connection = ReadOnlyQuery.Open(temporary.Path);
        return DuckDbStore.Guard(backup, () => Contents(connection));
    }

    /// <summary>Backups of a database in a folder, newest first.</summary>
    public static IReadOnlyList<string> Backups(string database, string folder) => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, $"{Stem(database)}*{Extension}").OrderDescending(StringComparer.Ordinal)]
        : [];

    public static string Different(IReadOnlyList<TableContents> a, IReadOnlyList<TableContents> b) =>
        string.Join(", ", a.Zip(b).Where(p => p.First != p.Second)
            .Select(p => $"{p.First.Table} ({p.First.Rows} rows, {p.Second.Rows} rows)"));

    private static string Stem(string database) => Path.GetFileNameWithoutExtension(database) + "-";

    /// <summary>A path for a database, in a temporary folder that is deleted with it.</summary>
    internal sealed class TemporaryFile : IDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("accc-db-").FullName;

        public string Path => System.IO.Path.Combine(folder, "copy.duckdb");

        public void Dispose() => Directory.Delete(folder, recursive: true);
    }
}
