// In: a file name. Out: a database of the newest schema there.
using System.CommandLine;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbInit
{
    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var command = new Command("init", "Makes a database, or brings one up to date.") { database };
        command.SetAction(parsed =>
        {
            var path = DbCommand.Path(parsed, database);
            using var store = DbCommand.Open(terminal, path, create: true);
            terminal.Output.Write($"{path}: schema {Schema.Newest}\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
