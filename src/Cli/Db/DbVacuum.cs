// In: a database. Out: the same data in a smaller file.
using System.CommandLine;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbVacuum
{
    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var command = new Command("vacuum", "Writes the file anew, without the room of what was deleted, and puts it "
            + "in the place of the old one in one step.") { database };
        command.SetAction(parsed =>
        {
            var path = DbCommand.Path(parsed, database);
            DbCommand.Open(terminal, path).Dispose();
            var (before, after) = DatabaseCopy.Compact(path);
            terminal.Output.Write($"{path}: {DbCommand.Bytes(before)} -> {DbCommand.Bytes(after)}\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
