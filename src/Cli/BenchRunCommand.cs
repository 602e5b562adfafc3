// In: suites or benchmarks. Out: every contender measured in fresh processes, a table, records in the store.
using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Accelerate.Bench;
using Accelerate.Bench.Records;
using Accelerate.Bench.Registry;
using Accelerate.Bench.Running;
using Accelerate.Bench.Store;

namespace Accelerate.Cli;

/// <summary>`accc bench run`, the harness.</summary>
internal static class BenchRunCommand
{
    public static Command Make(Terminal terminal)
    {
        var suites = new Argument<string[]>("SUITE")
        {
            Description = "a suite's file, or the name of a bundled one: quick, suites/models.json",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var benchmark = new Option<string?>("--benchmark")
        {
            Description = "one benchmark instead of a suite: a name of `accc bench list`, or FILE.acc:FUNCTION",
            HelpName = "NAME",
        };
        var parameters = new Option<string?>("--params")
        {
            Description = "the benchmark's parameters; a list of values makes a case of each: '{\"m\": [64, 128]}'",
            HelpName = "JSON",
        };
        var assemblies = new Option<string[]>("--assembly")
        { Description = "an assembly with benchmarks that are classes; repeatable", HelpName = "FILE" };
        var hardware = new Option<string?>("--hardware")
        { Description = "where it runs: cpu, or opencl for the device behind OpenCL", HelpName = "cpu|opencl" };
        var backends = new Option<string?>("--backends")
        { Description = "ours, instead of the suite's: llvm, interpreter, opencl", HelpName = "a,b" };
        var threads = new Option<string?>("--threads")
        { Description = "numbers of threads, instead of the suite's", HelpName = "1,2" };
        var levels = new Option<string?>("--levels")
        { Description = "LLVM's optimisation levels, instead of the suite's", HelpName = "0,3" };
        var only = new Option<string?>("--only")
        { Description = "only cases whose name contains this", HelpName = "TEXT" };
        var processes = new Option<string?>("--processes")
        {
            Description = "processes of each contender at each case, instead of the suite's; auto: until every verdict is "
                + "one, at most 200",
            HelpName = "N|auto",
        };
        var aa = new Option<bool>("--aa")
        { Description = "each first contender twice: what the machine's noise alone makes of a comparison" };
        var seconds = new Option<double?>("--seconds")
        { Description = "how long a process is sampled, instead of the suite's", HelpName = "S" };
        var builds = new Option<string[]>("--build")
        {
            Description = "another build of accc in the same blocks, to be compared with this one: "
                + "--build before=/tmp/before/src/Cli/bin/accc/accc.dll; repeatable",
            HelpName = "NAME=accc.dll",
        };
        var peers = new Option<bool?>("--peers")
        { Description = "the peers too, where bench/peers/build has made them; --peers false: without, whatever the suite says" };
        var allPeers = new Option<bool>("--all-peers")
        { Description = "every peer to the end, those too that have never been the best" };
        var fresh = new Option<bool>("--fresh") { Description = "measures again what this build has measured" };
        var seed = new Option<long>("--seed")
        { Description = "of the order of processes", DefaultValueFactory = _ => 1 };
        var database = new Option<string>("--database")
        {
            Description = "the store of results",
            DefaultValueFactory = _ => ResultStores.DefaultPath,
            HelpName = "FILE",
        };
        var format = new Option<string>("--format")
        { Description = "of the table", DefaultValueFactory = _ => "table", HelpName = "table|markdown" };
        var command = new Command("run", "Measures suites in fresh processes, ours and the peers', and keeps the results.");
        command.Arguments.Add(suites);
        foreach (var option in (Option[])[benchmark, parameters, assemblies, hardware, backends, threads, levels, only, processes,
            seconds, aa, builds, peers, allPeers, fresh, seed, database, format])
        {
            command.Options.Add(option);
        }
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            // A signal ends the measuring process and reports what is kept.
            using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            void Stop(PosixSignalContext signal)
            {
                signal.Cancel = true;
                stopping.Cancel();
            }
            using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            try
            {
                var isMarkdown = parsed.GetValue(format) switch
                {
                    "markdown" => true,
                    "table" => false,
                    var other => throw CommonOptions.Usage($"--format {other} is no format", "it takes table or markdown"),
                };
                var places = HarnessPlaces.Find();
                var wanted = Wanted(parsed.GetValue(suites) ?? [], parsed.GetValue(benchmark),
                    parsed.GetValue(parameters), places);
                var registry = new BenchmarkRegistry(
                    (parsed.GetValue(assemblies) ?? []).SelectMany(AssemblyBenchmarks.Of));
                var exit = ExitCodes.Ok;
                foreach (var given in wanted)
                {
                    var suite = given with
                    {
                        Backends = parsed.GetValue(hardware) switch
                        {
                            null => Words(parsed.GetValue(backends)) ?? given.Backends,
                            "cpu" => [.. (Words(parsed.GetValue(backends)) ?? given.Backends).Where(b => b != "opencl")],
                            "opencl" => ["opencl"],
                            var other => throw CommonOptions.Usage($"--hardware {other} is no hardware that is known",
                                "it takes cpu or opencl"),
                        },
                        Threads = Numbers(parsed.GetValue(threads), "--threads") ?? given.Threads,
                        Levels = Numbers(parsed.GetValue(levels), "--levels") ?? given.Levels,
                        Peers = parsed.GetValue(allPeers) || (parsed.GetValue(peers) ?? given.Peers),
                        Processes = parsed.GetValue(processes) is { } count and not "auto"
                            ? Numbers(count, "--processes") is [var one] ? one
                                : throw CommonOptions.Usage($"--processes {count} is not a number of processes", "it takes 1 to 200, or auto") : given.Processes,
                        Seconds = parsed.GetValue(seconds) ?? given.Seconds,
                    };
                    suite.Validate();
                    var job = new BenchJob(suite, registry, parsed.GetValue(only), places, parsed.GetValue(database)!,
                        new(suite.Seconds, parsed.GetValue(seed), parsed.GetValue(fresh),
                            parsed.GetValue(allPeers)),
                        $"accc {string.Join(' ', parsed.Tokens.Select(t => t.Value))}")
                    {
                        IsSized = parsed.GetValue(processes) == "auto",
                        HasTwins = parsed.GetValue(aa),
                        Builds = [.. (parsed.GetValue(builds) ?? []).Select(Build)],
                    };
                    exit = Math.Max(exit, job.Execute(terminal, isMarkdown, stopping.Token));
                }
                return exit;
            }
            catch (FormatException e)
            {
                throw CommonOptions.Usage(e.Message);
            }
            catch (StoreException e)
            {
                throw CommonOptions.Usage(e.Message, e.Help);
            }
            catch (OperationCanceledException)
            {
                throw new CliException("interrupted: what was measured is kept", "the same command goes on", 130);
            }
        }, CancellationToken.None));
        return command;
    }

    private static IReadOnlyList<Suite> Wanted(string[] suites, string? benchmark, string? parameters,
        HarnessPlaces places)
    {
        if (benchmark is null && parameters is not null)
            throw CommonOptions.Usage("--params belongs to a --benchmark", "a suite has its parameters in its file");
        if (benchmark is not null)
        {
            if (suites.Length > 0)
                throw CommonOptions.Usage($"both a suite ('{suites[0]}') and --benchmark {benchmark}", "give one of them");
            if (benchmark.Length == 0) throw CommonOptions.Usage("--benchmark is empty", "accc bench list names them");
            Dictionary<string, JsonElement> values;
            try
            {
                values = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(parameters ?? "{}") ?? [];
            }
            catch (JsonException)
            {
                throw CommonOptions.Usage($"--params {parameters} is no JSON object", "it takes '{\"batch\": 8, \"size\": [1, 2]}'");
            }
            // Named after the benchmark, so that its next run continues this one.
            return [new Suite { Name = benchmark, Description = "", Benchmarks = [new() { Name = benchmark, Params = values }] }];
        }
        if (suites.Length == 0)
        {
            throw CommonOptions.Usage("a suite or a --benchmark is missing",
                "bundled suites: " + string.Join(", ", places.Suites().Select(Path.GetFileNameWithoutExtension)));
        }
        return [.. suites.Select(name => Read(name, places))];
    }

    internal static Suite Read(string name, HarnessPlaces places)
    {
        var path = places.Suite(name) ?? throw CommonOptions.Usage($"there is no suite '{name}'",
            "bundled suites: " + string.Join(", ", places.Suites().Select(Path.GetFileNameWithoutExtension)));
        try
        {
            return Suite.Parse(File.ReadAllText(path));
        }
        catch (FormatException e)
        {
            throw new CliException($"{path}: {e.Message}", "bench/suites/suite.schema.json says what a suite may have");
        }
    }

    private static OtherBuild Build(string text)
    {
        var at = text.IndexOf('=');
        if (at <= 0) throw CommonOptions.Usage($"--build {text} has no name and file", "write --build before=FOLDER/accc.dll");
        var path = Path.GetFullPath(text[(at + 1)..]);
        return File.Exists(path) && Path.GetFileName(path) == "accc.dll" ? new(text[..at], path)
            : throw CommonOptions.Usage($"--build {text}: {path} is no accc.dll", "`./accc env` builds src/Cli/bin/accc/accc.dll");
    }

    private static IReadOnlyList<string>? Words(string? text)
    {
        if (text is null) return null;
        foreach (var name in text.Split(',').Where(n => !Suite.KnownBackends.Contains(n)))
            throw CommonOptions.Usage($"there is no backend '{name}'", Nearest.Help(name, Suite.KnownBackends, "backends"));
        return text.Split(',');
    }

    private static IReadOnlyList<int>? Numbers(string? text, string option) => text is null ? null
        : [.. text.Split(',').Select(word => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var n)
            && n <= 1024 ? n : throw CommonOptions.Usage($"{option} {text}: '{word}' is not a number",
                $"it takes numbers with commas: {option} 1,2"))];
}
