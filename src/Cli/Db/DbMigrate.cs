// In: a database of any earlier schema. Out: the same data in the newest one.
using System.CommandLine;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbMigrate
{
    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var command = new Command("migrate", "Takes the steps of the schema that a database lacks.") { database };
        command.SetAction(parsed =>
        {
            var path = DbCommand.Path(parsed, database);
            using var store = DbCommand.Open(terminal, path);
            terminal.Output.Write(store.Migrated.Count == 0 ? $"{path}: schema {Schema.Newest} already\n"
                : $"{path}: schema {store.Migrated[0] - 1} -> {Schema.Newest}\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
