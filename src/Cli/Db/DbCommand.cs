// In: `accc db …`. Out: the subcommand, and the path of its database.
using System.CommandLine;
using Accelerate.Bench;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

/// <summary>Commands on the benchmark database. DuckDB, 70 MB, is loaded only when one of them runs.</summary>
internal static class DbCommand
{
    public static Command Make(Terminal terminal)
    {
        var command = new Command("db", "The database of benchmarks: import, query, back up.");
        foreach (var sub in (Command[])[
            DbInit.Make(terminal), DbMigrate.Make(terminal), DbImport.Make(terminal), DbAdd.Make(terminal),
            DbExport.Make(terminal), DbQuery.Make(terminal), DbOptimise.Make(terminal), DbVacuum.Make(terminal),
            DbBackup.Make(terminal), DbCheck.Make(terminal), DbPurge.Make(terminal), DbStats.Make(terminal),
            DbBench.Make(terminal)])
            command.Subcommands.Add(sub);
        return command;
    }

    public static Option<string?> Database() => new("--database")
    {
        Description = $"the file; by default what {ResultStores.Variable} names, else {ResultStores.Default} in this folder",
        HelpName = "FILE",
    };

    public static string Path(ParseResult parsed, Option<string?> database) =>
        parsed.GetValue(database) ?? ResultStores.DefaultPath;

    /// <summary>Opens it for writing, and reports any spool that was merged.</summary>
    public static DuckDbStore Open(Terminal terminal, string path, bool create = false)
    {
        var store = DuckDbStore.Open(path, create: create);
        if (store.Merged.Batches > 0)
            terminal.Error.Write($"note: merged what was spooled: {Count(store.Merged.Results, "new result")}\n");
        foreach (var file in store.Merged.Unreadable) terminal.Error.Write($"warning: not merged: {file}\n");
        return store;
    }

    /// <summary>"1.5 MiB".</summary>
    public static string Bytes(long bytes) => bytes < 1 << 20 ? $"{BenchTable.Number(bytes / 1024.0)} KiB"
        : $"{BenchTable.Number(bytes / 1024.0 / 1024)} MiB";

    /// <summary>"1 row", "2 rows".</summary>
    public static string Count(long number, string what) => $"{number} {what}{(number == 1 ? "" : "s")}";
}
