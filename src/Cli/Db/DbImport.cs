// In: files and folders of results, or batches on standard input. Out: a database with each of them once.
using System.CommandLine;
using System.Text.Json;
using Accelerate.Bench.Records;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbImport
{
    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var paths = new Argument<string[]>("PATHS")
        {
            Description = "files that end with .json, .jsonl, .csv or .parquet, or folders of them; `-` reads batches, "
                + "a line of JSON each, from standard input, and says of each when it is kept",
            Arity = ArgumentArity.OneOrMore,
        };
        var archive = new Option<string?>("--archive")
        {
            Description = "a folder that gets a copy of every file that was imported",
            HelpName = "FOLDER",
        };
        var command = new Command("import", "Imports results; a file with an error in it is not imported at all.")
        {
            paths, database, archive,
        };
        command.SetAction(parsed =>
        {
            var path = DbCommand.Path(parsed, database);
            var named = parsed.GetValue(paths)!;
            if (named is ["-"]) return Stream(terminal, path, Console.In);
            var files = Import.Files(named).ToList();
            if (files.Count == 0)
                throw new CliException($"there is no file to import in {string.Join(", ", named)}",
                    "names end with .json, .jsonl, .csv or .parquet");
            using var store = DbCommand.Open(terminal, path, create: true);
            var (imported, known, wrong, added) = (0, 0, 0, 0);
            foreach (var file in files)
            {
                var outcome = Import.Run(store, file, parsed.GetValue(archive));
                foreach (var error in outcome.Errors) terminal.Error.Write($"error: {error}\n");
                if (outcome.Errors.Count > 0) wrong++;
                else if (outcome.IsKnown) known++;
                else imported++;
                added += outcome.Added;
            }
            if (wrong > 0)
            {
                terminal.Error.Write("  = help: docs/BENCH_DATABASE.md has the columns; a file with an error is not "
                    + "imported at all\n");
            }
            terminal.Output.Write($"{path}: {DbCommand.Count(added, "new result")}; "
                + $"{DbCommand.Count(imported, "file")} imported, {known} imported before, {wrong} refused\n");
            return wrong == 0 ? ExitCodes.Ok : ExitCodes.UserError;
        });
        return command;
    }

    /// <summary>An output line means that the batch of that input line is stored, whatever happens next.</summary>
    internal static int Stream(Terminal terminal, string path, TextReader input)
    {
        using var store = DbCommand.Open(terminal, path, create: true);
        for (var number = 1; input.ReadLine() is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            ResultBatch batch;
            try
            {
                batch = ResultBatch.FromJson(line);
            }
            catch (JsonException e)
            {
                throw new CliException($"line {number}: {e.Message}");
            }
            if (BatchCheck.Of(batch).FirstOrDefault() is { Field: not null } problem)
                throw new CliException($"line {number}: {problem.Field}: {problem.Problem}");
            var added = store.Append([batch]);
            terminal.Output.Write($"kept {batch.Run.Id}: {DbCommand.Count(added, "new result")}\n");
            terminal.Output.Flush();
        }
        return ExitCodes.Ok;
    }
}
