// In: numbers of threads. Out: the machine's limits for each: the corners of the roofline that figures are compared
// with.
using System.CommandLine;
using System.Globalization;
using Accelerate.Bench;

namespace Accelerate.Cli;

internal static class LimitsCommand
{
    public static Command Make(Terminal terminal)
    {
        var threads = new Option<string>("--threads")
        {
            Description = "a table for each of these numbers of workers",
            DefaultValueFactory = _ => "1",
            HelpName = "1,2",
        };
        var json = new Option<bool>("--json") { Description = "a line of JSON each instead" };
        var command =
            new Command("limits",
                "Measures the machine: fma peak, bandwidth of caches and memory, start of a parallel loop.");
        command.Options.Add(threads);
        command.Options.Add(json);
        command.SetAction(parsed =>
        {
            var text = parsed.GetValue(threads)!;
            foreach (var word in text.Split(','))
            {
                if (!int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                    || count is < 1 or > 1024)
                    throw CommonOptions.Usage($"--threads {text}: '{word}' is not a number of workers",
                        "it takes 1 to 1024 each: --threads 1,2");
                var limits = MachineLimits.Measure(count);
                terminal.Output.Write((parsed.GetValue(json) ? limits.ToJson() : limits.Print()) + "\n");
            }
            return ExitCodes.Ok;
        });
        return command;
    }
}
