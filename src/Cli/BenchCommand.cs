// In: a file, an exported function, lists of sizes. Out: tables that compare all backends, and results in a store.
using System.CommandLine;
using System.Globalization;
using Accelerate.Backends;
using Accelerate.Backends.Llvm;
using Accelerate.Bench;
using Accelerate.Bench.Store;
using Accelerate.Compiler;

namespace Accelerate.Cli;

internal static class BenchCommand
{
    /// <param name="terminal">The terminal to write to.</param>
    /// <param name="args">The words of the command line. `accc bench run` is a command, `accc bench net.acc run` a
    /// function of that name: the word after `bench` decides. Null, or no such word: both.</param>
    public static Command Make(Terminal terminal, IReadOnlyList<string>? args = null)
    {
        Command[] subcommands =
        [
            BenchCompareCommand.Make(terminal), BenchReportCommand.Make(terminal), BenchRunCommand.Make(terminal),
            BenchListCommand.Make(terminal), BenchExecuteCommand.Make(terminal),
        ];
        var next = args is ["bench", var word, ..] && !word.StartsWith('-') ? word : null;
        var isGroup = subcommands.Any(c => c.Name == next);
        var function = new Argument<string>("FN") { Description = "an exported function" };
        var sizes = new Argument<string[]>("SIZES")
        {
            Description = "its sizes: n=32, or n=1,32 for a table each",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var threads = new Option<string>("--threads")
        {
            Description = "llvm: a row for each of these numbers of workers",
            DefaultValueFactory = _ => "1",
            HelpName = "1,2",
        };
        var backends = new Option<string>("--backends")
        {
            Description = "which backends have a row; the interpreter checks the others in any case",
            DefaultValueFactory = _ => string.Join(',', BenchPlan.KnownBackends),
            HelpName = "a,b",
        };
        var seconds = new Option<double>("--seconds")
        {
            Description = "how long one row may be sampled",
            DefaultValueFactory = _ => BenchPlan.Default.Timing.Seconds,
        };
        var seed = new Option<int>(
            "--seed")
        { Description = "of the random inputs", DefaultValueFactory = _ => BenchPlan.Default.Seed };
        var integers = new Option<int>("--integers")
        {
            Description = "integer inputs are random from 0 to below this",
            DefaultValueFactory = _ => BenchPlan.Default.Integers,
        };
        var database = new Option<string>("--database")
        {
            Description = "the store that keeps the results; `none` for no store",
            DefaultValueFactory = _ => ResultStores.DefaultPath,
            HelpName = "FILE|none",
        };
        var kernels = new Option<bool>("--kernels") { Description = "llvm: also the time of each kernel" };
        var command = new Command("bench", "Times a function on every backend, after checking that they agree.");
        if (next is null || isGroup)
            foreach (var subcommand in subcommands) command.Subcommands.Add(subcommand);
        if (isGroup) return command;
        var common = new CommonOptions().AddTo(command).AddCodeTo(command);
        command.Arguments.Add(function);
        command.Arguments.Add(sizes);
        foreach (var option in (Option[])[common.Weights, threads, backends, seconds, seed, integers, database, kernels])
            command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var options = common.Read(parsed);
            var grid = Grid(parsed.GetValue(sizes) ?? []);
            var file = parsed.GetValue(database)!;
            var code = options.Executable;
            var plan = BenchPlan.Default with
            {
                Backends = Backends(parsed.GetValue(backends)!),
                Threads = Threads(parsed.GetValue(threads)!),
                Llvm = new LlvmOptions(code.Target, code.OptLevel, code.Passes),
                Timing = new BenchOptions(Positive(parsed.GetValue(seconds), "--seconds")),
                Seed = parsed.GetValue(seed),
                Integers = (int)Positive(parsed.GetValue(integers), "--integers"),
                Database = file == "none" ? null : file,
                Kernels = parsed.GetValue(kernels),
            };
            var compilation = new ModelLoader(options, terminal)
                .Compile(CompilationStage.Lowered, [parsed.GetValue(function)!]);
            if (plan.Database is not null)
                new FilesInUse(options, compilation.Model).Writes("--database", plan.Database);
            try
            {
                Run(compilation, grid, options, plan, $"accc {string.Join(' ', parsed.Tokens.Select(t => t.Value))}",
                    terminal);
            }
            catch (StoreException e)
            {
                throw new CliException(e.Message, e.Help);
            }
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Run(Compilation compilation, IReadOnlyList<IReadOnlyDictionary<string, long>> grid,
        ModelOptions options, BenchPlan plan, string command, Terminal terminal)
    {
        var program = compilation.Entries.Single().Program!;
        foreach (var sizes in grid)
            if (BenchCase.SizeError(program, sizes) is { } error) throw CommonOptions.Usage(error);
        // Every backend computes the same bits for the initialisers, and LLVM is the fastest.
        var backend = LlvmBackend.Available(out _) ? "llvm" : "interpreter";
        var weights = WeightFiles.Read(options.Weights, compilation.Model, terminal, options.Diagnostics);
        var state = Executables.InitialState(backend, compilation.Model, options.Executable, weights);
        BenchRun.Execute(options.File, program, grid, state, plan, command, terminal.Output);
    }

    private static IReadOnlyList<IReadOnlyDictionary<string, long>> Grid(string[] words)
    {
        try
        {
            return SizeGrid.Parse(words);
        }
        catch (FormatException e)
        {
            throw CommonOptions.Usage(e.Message);
        }
    }

    private static IReadOnlyList<string> Backends(string text)
    {
        var names = text.Split(',');
        foreach (var name in names.Where(n => !BenchPlan.KnownBackends.Contains(n)))
            throw CommonOptions.Usage($"there is no backend '{name}'",
                Nearest.Help(name, BenchPlan.KnownBackends, "backends"));
        return names;
    }

    private static IReadOnlyList<int> Threads(string text) => [.. text.Split(',').Select(word =>
        int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= 1024
            ? count
            : throw CommonOptions.Usage($"--threads {text}: '{word}' is not a number of workers",
                "it takes 1 to 1024 each: --threads 1,2")).Distinct()];

    private static double Positive(double value, string option) => value > 0 ? value
        : throw CommonOptions.Usage($"{option} takes a number above 0");
}
