// In: nothing, or a suite. Out: the existing benchmarks and suites, or a suite's cases.
using System.CommandLine;
using System.Text.Json;
using Accelerate.Bench;
using Accelerate.Bench.Registry;
using Accelerate.Bench.Running;

namespace Accelerate.Cli;

/// <summary>`accc bench list`.</summary>
internal static class BenchListCommand
{
    public static Command Make(Terminal terminal)
    {
        var suite = new Argument<string?>("SUITE")
        {
            Description = "the cases of that suite; all benchmarks without it",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var format = new Option<string>("--format")
        {
            Description = "json: the cases with their values, for bench/peers/build",
            DefaultValueFactory = _ => "table",
            HelpName = "table|json",
        };
        var schema = new Option<bool>("--schema") { Description = "prints the JSON schema of suites" };
        var assemblies = new Option<string[]>("--assembly")
        { Description = "an assembly with benchmarks that are classes, listed too; repeatable", HelpName = "FILE" };
        var command = new Command("list", "Names the benchmarks and the suites.") { suite, format, schema, assemblies };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(schema))
            {
                terminal.Output.Write(Suite.JsonSchema());
                return ExitCodes.Ok;
            }
            var places = HarnessPlaces.Find();
            var isJson = parsed.GetValue(format) switch
            {
                "json" => true,
                "table" => false,
                var other => throw CommonOptions.Usage($"--format {other} is no format", "it takes table or json"),
            };
            try
            {
                var registry = new BenchmarkRegistry(
                    (parsed.GetValue(assemblies) ?? []).SelectMany(AssemblyBenchmarks.Of));
                terminal.Output.Write(parsed.GetValue(suite) is { } name
                    ? Cases(BenchRunCommand.Read(name, places), registry, isJson) : All(registry, places));
            }
            catch (FormatException e)
            {
                throw CommonOptions.Usage(e.Message);
            }
            return ExitCodes.Ok;
        });
        return command;
    }

    private static string All(BenchmarkRegistry registry, HarnessPlaces places)
    {
        var benchmarks = registry.All.Select(b => new[]
        {
            b.Name, b.Category, string.Join(' ', b.Parameters.Select(p => $"{p.Name}={p.Default}")), b.Description,
        });
        var suites = places.Suites().Select(f => (File: f, Suite: BenchRunCommand.Read(f, places))).Select(s => new[]
        {
            Path.GetFileNameWithoutExtension(s.File), $"{Arms.Cases(s.Suite, registry).Count}",
            s.Suite.Description,
        });
        return BenchTable.Align(["benchmark", "category", "parameters and defaults", ""], benchmarks) + "\n"
            + BenchTable.Align(["suite", "cases", ""], suites);
    }

    private static string Cases(Suite suite, BenchmarkRegistry registry, bool isJson)
    {
        var cases = Arms.Cases(suite, registry);
        if (!isJson)
        {
            return BenchTable.Align(["case", "title", "ours", "peers"], cases.Select(c => new[]
            {
                c.Name, c.Definition.Title,
                c.Definition.Unsupported ?? string.Join(", ", c.Definition.Ours.Select(o => o.Name).Where(n => n != "")),
                string.Join(", ", c.Definition.Peers.Select(p => p.Name)),
            }));
        }
        return JsonSerializer.Serialize(cases.Where(c => c.Definition.HasData).Select(c => new
        {
            name = c.Name,
            benchmark = c.Benchmark.Name,
            @params = JsonSerializer.Deserialize<JsonElement>(c.Values.ToJson()),
        })) + "\n";
    }
}
