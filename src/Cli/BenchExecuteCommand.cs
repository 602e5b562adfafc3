// In: an assembly, a benchmark's name, its parameters. Out: one JSON line with the duration of its execution here.
using System.CommandLine;
using System.Diagnostics;
using Accelerate.Bench;
using Accelerate.Bench.Registry;
using Accelerate.Bench.Running;

namespace Accelerate.Cli;

/// <summary>The process that the harness starts for a benchmark class; for .acc files it is `accc time`.</summary>
internal static class BenchExecuteCommand
{
    public static Command Make(Terminal terminal)
    {
        var assembly = new Argument<string>("ASSEMBLY");
        var name = new Argument<string>("NAME");
        var parameters = new Option<string>("--params") { DefaultValueFactory = _ => "{}" };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 1 };
        var seconds = new Option<double>("--seconds") { DefaultValueFactory = _ => 0.5 };
        var signed = new Option<bool>("--signed")
        { Description = "the line begins with the first line of standard input" };
        var command = new Command("execute", "Times a benchmark of an assembly in this process.")
        {
            assembly, name, parameters, threads, seconds, signed,
        };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            // Read before the class is loaded, so that the class cannot read it.
            var word = parsed.GetValue(signed) ? Console.In.ReadLine() + " " : "";
            try
            {
                var measured = Measured(parsed.GetValue(assembly)!, parsed.GetValue(name)!,
                    ParameterValues.FromJson(parsed.GetValue(parameters)!), parsed.GetValue(threads),
                    parsed.GetValue(seconds));
                // Starts a new line, because the class may have printed an unfinished one.
                terminal.Output.Write($"\n{word}{measured.ToJson()}\n");
                return ExitCodes.Ok;
            }
            catch (FormatException e)
            {
                throw CommonOptions.Usage(e.Message);
            }
        });
        return command;
    }

    private static Measurement Measured(string assembly, string name, IReadOnlyDictionary<string, string> values,
        int threads, double seconds)
    {
        using var benchmark = AssemblyBenchmarks.Make(assembly, name);
        Try("SetUp", () => benchmark.SetUp(values, threads));
        Try("Execute", benchmark.Execute);
        var sinceStart = DateTime.Now - Process.GetCurrentProcess().StartTime;
        CallSamples samples = null!;
        Try("Execute", () => samples = CallSamples.Take(seconds, benchmark.Execute));
        var metrics = new Dictionary<string, double>();
        try
        {
            benchmark.Process(metrics);
        }
        catch (Exception e)
        {
            throw new CliException(ProcessRunner.Refusal + e.Message);
        }
        return Measurement.Of(samples, threads) with
        {
            FirstResultMs = sinceStart.TotalMilliseconds,
            Metrics = metrics,
        };

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
