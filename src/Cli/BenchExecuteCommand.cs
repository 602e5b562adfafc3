// In: an assembly, a benchmark's name, its parameters. Out: one JSON line: how long its execution takes here.
using System.CommandLine;
using System.Diagnostics;
using Accelerate.Bench;
using Accelerate.Bench.Registry;
using Accelerate.Bench.Running;

namespace Accelerate.Cli;

/// <summary>The process that the harness starts for a benchmark that is a class; `accc time` is the one of .acc.</summary>
internal static class BenchExecuteCommand
{
    public static Command Make(Terminal terminal)
    {
        var assembly = new Argument<string>("ASSEMBLY");
        var name = new Argument<string>("NAME");
        var parameters = new Option<string>("--params") { DefaultValueFactory = _ => "{}" };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 1 };
        var seconds = new Option<double>("--seconds") { DefaultValueFactory = _ => 0.5 };
        var command = new Command("execute", "Times a benchmark of an assembly in this process.")
        {
            assembly, name, parameters, threads, seconds,
        };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            try
            {
                using var benchmark = AssemblyBenchmarks.Make(parsed.GetValue(assembly)!, parsed.GetValue(name)!);
                var workers = parsed.GetValue(threads);
                var values = ParameterValues.FromJson(parsed.GetValue(parameters)!);
                Try("SetUp", () => benchmark.SetUp(values, workers));
                Try("Execute", benchmark.Execute);
                var sinceStart = DateTime.Now - Process.GetCurrentProcess().StartTime;
                CallSamples samples = null!;
                Try("Execute", () => samples = CallSamples.Take(parsed.GetValue(seconds), benchmark.Execute));
                var metrics = new Dictionary<string, double>();
                try
                {
                    benchmark.Process(metrics);
                }
                catch (Exception e)
                {
                    throw new CliException(ProcessRunner.Refusal + e.Message);
                }
                terminal.Output.Write((Measurement.Of(samples, workers) with
                {
                    FirstResultMs = sinceStart.TotalMilliseconds,
                    Metrics = metrics,
                }).ToJson() + "\n");
                return ExitCodes.Ok;
            }
            catch (FormatException e)
            {
                throw CommonOptions.Usage(e.Message);
            }
        });
        return command;

        static void Try(string step, Action action)
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                throw new CliException($"its {step} throws {e.GetType().Name}: {e.Message}");
            }
        }
    }
}
