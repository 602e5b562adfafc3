// In: a database. Out: a compressed copy, and only as many older ones as requested.
using System.CommandLine;
using System.Globalization;
using Accelerate.Bench;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbBackup
{
    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var folder = new Option<string?>("--to")
        {
            Description = "the folder of backups; by default beside the database: benchmarks.backups",
            HelpName = "FOLDER",
        };
        var drill = new Option<bool>("--restore-drill")
        {
            Description = "makes a database of the backup again, in a temporary file, and compares every table",
        };
        var keep = new Option<int?>("--keep")
        {
            Description = "deletes all backups of this database in the folder but the N newest",
            HelpName = "N",
        };
        var command = new Command("backup",
            "Writes a compressed copy; `gunzip -c FILE > benchmarks.duckdb` restores it.")
        {
            database, folder, drill, keep,
        };
        command.SetAction(parsed =>
        {
            var path = DbCommand.Path(parsed, database);
            var to = parsed.GetValue(folder) ?? Path.ChangeExtension(path, ".backups");
            var kept = parsed.GetValue(keep);
            if (kept < 1) throw CommonOptions.Usage("--keep takes a number of backups, 1 or more");
            DbCommand.Open(terminal, path).Dispose();
            var (backup, contents) = DatabaseCopy.Backup(path, to);
            terminal.Output.Write($"{backup}: {DbCommand.Count(contents.Sum(t => t.Rows), "row")}, "
                + $"{DbCommand.Bytes(new FileInfo(backup).Length)} of {DbCommand.Bytes(new FileInfo(path).Length)}\n");
            if (parsed.GetValue(drill)) Drill(terminal, backup, contents);
            // Only now: a backup that cannot be restored must not cause the deletion of one that can.
            foreach (var old in DatabaseCopy.Backups(path, to).Skip(kept ?? int.MaxValue))
            {
                File.Delete(old);
                terminal.Output.Write($"deleted {old}\n");
            }
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Drill(Terminal terminal, string backup, IReadOnlyList<TableContents> contents)
    {
        var restored = DatabaseCopy.Restored(backup);
        terminal.Output.Write(BenchTable.Align(["table", "rows", "restored", "contents"],
            contents.Zip(restored).Select(p => (IReadOnlyList<string>)[p.First.Table, Text(p.First.Rows),
                Text(p.Second.Rows), p.First == p.Second ? "equal" : "different"])));
        if (!contents.SequenceEqual(restored))
            throw new CliException(
                $"{backup}: what was restored differs in {DatabaseCopy.Different(contents, restored)}");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
