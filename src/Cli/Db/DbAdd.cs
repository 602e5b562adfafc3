// In: one result, given as options. Out: the database with that result.
using System.CommandLine;
using System.Globalization;
using Accelerate.Bench;
using Accelerate.Bench.Records;
using Accelerate.Bench.Store;

namespace Accelerate.Cli.Db;

internal static class DbAdd
{
    /// <summary>An option, its column, and its description.</summary>
    private static readonly (string Name, string Column, string Description)[] Columns =
    [
        ("--benchmark", "benchmark", "what was measured: gemm"),
        ("--contender", "contender", "who did the work: llvm, onnxruntime"),
        ("--backend", "backend", "llvm, interpreter, graph, opencl, or peer (the default)"),
        ("--latency-ms", "latency_ms", "milliseconds of a call: the median"),
        ("--case", "case_key", "the case among the benchmark's; by default from batch, sequence and precision"),
        ("--category", "category", "kernels, models, training, precision, or own (the default)"),
        ("--model", "model_name", "the model's name; with --parameters"),
        ("--architecture", "architecture_type", "its family: cnn, transformer, rnn, mlp, diffusion"),
        ("--parameters", "parameter_count", "elements of all its parameters"),
        ("--batch", "batch_size", "items of a call"),
        ("--sequence", "sequence_length", "tokens of an item"),
        ("--precision", "precision", "f32 by default"),
        ("--threads", "threads", "threads that worked"),
        ("--device", "device", "cpu, or the GPU's name"),
        ("--items-per-second", "throughput_items_per_second", "images or tokens a second"),
        ("--first-token-ms", "first_token_latency_ms", "milliseconds to the first token"),
        ("--next-token-ms", "next_token_latency_ms", "milliseconds of each further token"),
        ("--memory-mb", "memory_usage_mb", "memory of the process, the mean"),
        ("--peak-memory-mb", "peak_memory_mb", "memory of the process, at most"),
        ("--scenario", "scenario", "single-stream (the default), multi-stream, server or offline"),
        ("--suite", "suite", "the suite that it belongs to"),
        ("--status", "status", "measured, skipped, failed or wrong; with --reason"),
        ("--reason", "reason", "why there are no figures"),
        ("--machine", "machine", "the machine's fingerprint; by default this machine's"),
        ("--measured-at", "measured_at", "the time, UTC; by default now"),
        ("--device-metrics", "device_metrics", "anything else, a JSON object"),
    ];

    public static Command Make(Terminal terminal)
    {
        var database = DbCommand.Database();
        var simulated = new Option<bool>("--simulated") { Description = "made up: left out of the views" };
        var command = new Command("add", "Adds one result; into the spool while another process has the database open.")
        {
            database, simulated,
        };
        var options = Columns.Select(c => (c.Column, Option: new Option<string?>(c.Name)
        {
            Description = c.Description,
            HelpName = "VALUE",
            Required = c.Column is "benchmark" or "contender",
        })).ToList();
        foreach (var (_, option) in options) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var row = options.ToDictionary(o => o.Column, o => parsed.GetValue(o.Option));
            row["command"] = "accc db add";
            row["backend"] ??= "peer";
            row["measured_at"] ??= DateTime.UtcNow.ToString("O", CultureInfo.InvariantCulture);
            row["simulated"] = parsed.GetValue(simulated) ? "true" : null;
            var isHere = row["machine"] is null;
            row["machine"] ??= Machine.This.Fingerprint;
            if (new FlatRow(row, Guid.NewGuid().ToString(), 1).Parse(out var problems) is not { } result)
            {
                var (column, problem) = problems[0];
                var option = Columns.FirstOrDefault(c => c.Column == column).Name ?? column;
                throw CommonOptions.Usage($"{option} {problem}", "accc db add --help lists the options");
            }
            var path = DbCommand.Path(parsed, database);
            var run = !isHere ? result.Run
                : result.Run with { Hardware = Machine.This.Hardware(), Environment = Machine.This.Environment() };
            var batch = new ResultBatch(run, [result.Result]);
            try
            {
                using var store = DbCommand.Open(terminal, path, create: true);
                store.Append(batch);
                terminal.Output.Write($"{path}: added result {result.Result.Id}\n");
            }
            catch (StoreBusyException e)
            {
                terminal.Output.Write($"{e.Message}: result {result.Result.Id} is in {Spool.Append(path, batch)}\n");
            }
            return ExitCodes.Ok;
        });
        return command;
    }
}
