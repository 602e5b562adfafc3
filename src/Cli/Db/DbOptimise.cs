// In: a database. Out: the same data, with the change log merged into the file and fresh statistics.
using System.CommandLine;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbOptimise
{
    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var command = new Command("optimise", "Writes the log of changes into the file, and counts anew what queries "
            + "are planned by.") { database };
        command.SetAction(parsed =>
        {
            var path = DbCommand.Path(parsed, database);
            using var store = DbCommand.Open(terminal, path);
            DuckDbStore.Guard(path, () =>
            {
                store.Connection.Execute("FORCE CHECKPOINT");
                return store.Connection.Execute("ANALYZE");
            });
            terminal.Output.Write($"{path}: optimised\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
