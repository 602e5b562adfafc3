// In: a seed and a bound. Out: random programs run on every backend, the differences as small programs, the coverage.
using System.CommandLine;
using System.Globalization;
using Accelerate.Cli.Fuzz;

namespace Accelerate.Cli;

internal static class FuzzCommand
{
    public static Command Make(Terminal terminal)
    {
        var files = new Argument<string[]>("FILES")
        {
            Description = "programs that an earlier run wrote, to be run again in every way; none: new programs",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var seed = new Option<int?>("--seed") { Description = "the first program's; each next one adds 1" };
        var programs = new Option<int>("--programs")
        {
            Description = "stops after so many programs",
            DefaultValueFactory = _ => 1000,
            HelpName = "N",
        };
        var seconds = new Option<int>("--seconds")
        {
            Description = "stops after so many seconds; alone, there is no limit to the programs",
            HelpName = "N",
        };
        var backends = new Option<string?>("--backends")
        {
            Description =
                "what is compared with the kernel interpreter: interpreter (with threads), llvm, opencl; none",
            HelpName = "llvm,opencl",
        };
        var targets = new Option<string?>("--targets")
        {
            Description = "llvm's: x86-64-v4, x86-64-v3, x86-64",
            HelpName = "x86-64-v3,x86-64",
        };
        var avoid = new Option<string?>("--avoid")
        {
            Description = "steps of the generator that are left out, by name; zero for sizes of 0",
            HelpName = "zero,sort",
        };
        var folder = new Option<string?>("-o")
        {
            Description = "writes each find as a small .acc file into that folder",
            HelpName = "DIR",
        };
        var keepGoing = new Option<bool>("--keep-going") { Description = "goes on after the first difference" };
        var print = new Option<bool>("--print") { Description = "prints the programs, and runs none" };
        var timeout = new Option<int>("--timeout")
        {
            Description = "seconds of processors that one way of running a program may take",
            DefaultValueFactory = _ => 60,
            HelpName = "N",
        };
        var memory = new Option<int>("--memory-mb")
        {
            Description = "megabytes that the process of the programs may take",
            DefaultValueFactory = _ => 3000,
            HelpName = "N",
        };
        var jobs = new Option<int>("--jobs")
        {
            Description = "processes that run programs at the same time",
            DefaultValueFactory = _ => Math.Max(1, Environment.ProcessorCount / 2),
            HelpName = "N",
        };
        var numPy = new Option<bool>("--numpy")
        {
            Description = "also computes each program's graph with NumPy, in python3, and compares",
        };
        var worker = new Option<bool>("--worker") { Hidden = true };
        var command = new Command("fuzz",
            "Runs random programs on every backend, target and level, and compares; a find becomes a small file.");
        command.Arguments.Add(files);
        foreach (var option in (Option[])[seed, programs, seconds, backends, targets, avoid, folder, keepGoing, print,
            timeout, memory, jobs, numPy, worker])
            command.Options.Add(option);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(worker)) return Worker.Serve(Console.In, Console.Out);
            var first = parsed.GetValue(seed) ?? Environment.TickCount & 0xFFFFFF;
            var names = parsed.GetValue(avoid)?.Split(',') ?? [];
            foreach (var name in names)
                if (name != "zero" && !Generator.StepNames.Contains(name))
                    throw CommonOptions.Usage($"the generator has no step '{name}'",
                        Nearest.Help(name, Generator.StepNames.Append("zero"), "steps"));
            foreach (var option in (Option<int>[])[programs, seconds, timeout, memory, jobs])
                if (parsed.GetResult(option) is { Implicit: false } && parsed.GetValue(option) < 1)
                    throw CommonOptions.Usage($"{option.Name} {parsed.GetValue(option)}: it takes 1 or more");
            var limit = parsed.GetValue(seconds);
            var count = limit > 0 && parsed.GetResult(programs) is not { Implicit: false } ? int.MaxValue
                : parsed.GetValue(programs);
            if (parsed.GetValue(print))
            {
                for (var i = 0; i < parsed.GetValue(programs); i++)
                    terminal.Output.Write(Generator.Make(first + i, names).Source() + "\n");
                return ExitCodes.Ok;
            }
            var campaign = new Campaign(terminal, FuzzMatrix.Of(parsed.GetValue(backends), parsed.GetValue(targets),
                parsed.GetValue(numPy)),
                new FuzzLimits(TimeSpan.FromSeconds(parsed.GetValue(timeout)), (long)parsed.GetValue(memory) << 20),
                parsed.GetValue(folder));
            var replayed = parsed.GetValue(files)!;
            var finds = replayed.Length > 0 ? campaign.Replay(replayed)
                : campaign.Run(first, count, limit > 0 ? TimeSpan.FromSeconds(limit) : null, names,
                    parsed.GetValue(keepGoing), Math.Max(1, parsed.GetValue(jobs)));
            return finds == 0 ? ExitCodes.Ok : ExitCodes.UserError;
        });
        return command;
    }
}
