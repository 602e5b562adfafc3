// In: a view or a table. Out: its rows as a file of Parquet, CSV or JSON.
using System.CommandLine;
using Accelerate.Bench.Store;
using Accelerate.Runtime;

namespace Accelerate.Cli.Db;

internal static class DbExport
{
    private static readonly string[] Formats = ["parquet", "csv", "json"];

    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var view = new Option<string>("--view")
        {
            Description = "the view or table",
            DefaultValueFactory = _ => Views.Results,
            HelpName = "NAME",
        };
        var format = new Option<string?>("--format")
        {
            Description = "parquet, csv or json (an array); by default as the file's name ends",
            HelpName = "parquet|csv|json",
        };
        var file = new Option<string>("--out") { Description = "the file", HelpName = "FILE", Required = true };
        var command = new Command("export", "Writes a view or table to a file; the file can be imported elsewhere.")
        {
            database, view, format, file,
        };
        command.SetAction(parsed =>
        {
            var path = DbCommand.Path(parsed, database);
            var name = parsed.GetValue(view)!;
            string[] known = [.. Views.Names, .. Schema.Tables];
            if (!known.Contains(name))
                throw CommonOptions.Usage($"there is no view or table '{name}'",
                    Nearest.Help(name, known, "views and tables"));
            var target = parsed.GetValue(file)!;
            var kind = parsed.GetValue(format) ?? Path.GetExtension(target).TrimStart('.');
            if (!Formats.Contains(kind))
                throw CommonOptions.Usage($"there is no format '{kind}'", Nearest.Help(kind, Formats, "formats"));
            ReadOnlyQuery.MergeSpool(path);
            using var temporary = new DatabaseCopy.TemporaryFile();
            using var connection = ReadOnlyQuery.Open(path);
            var options = kind switch
            {
                "csv" => "FORMAT csv, HEADER",
                "json" => "FORMAT json, ARRAY true",
                _ => "FORMAT parquet",
            };
            var rows = DuckDbStore.Guard(path, () =>
                connection.Execute($"COPY (SELECT * FROM {name}) TO {Sql.Quoted(temporary.Path)} ({options})"));
            OutputFile.Write(target, stream =>
            {
                using var written = File.OpenRead(temporary.Path);
                written.CopyTo(stream);
            });
            terminal.Error.Write($"{target}: {DbCommand.Count(rows, "row")} of {name}\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
