// In: a suite's JSON. Out: its benchmarks, contenders and settings, checked; or an error with its place.
using System.ComponentModel;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Accelerate.Bench.Scenarios;

namespace Accelerate.Bench.Registry;

/// <summary>A list of benchmarks that run together, given as a JSON file.</summary>
internal sealed record Suite
{
    [JsonPropertyName("$schema")]
    [Description("The schema's place, for editors.")]
    public string? Schema { get; init; }

    [Description("What reports call it.")]
    public required string Name { get; init; }

    [Description("One or two sentences for `accc bench list`.")]
    public required string Description { get; init; }

    [Description("What is measured.")]
    public required IReadOnlyList<SuiteEntry> Benchmarks { get; init; }

    [Description("Our backends: llvm, interpreter, graph, opencl. The first is the one that peers are compared with.")]
    public IReadOnlyList<string> Backends { get; init; } = ["llvm"];

    [Description("Numbers of threads; each is a case of its own.")]
    public IReadOnlyList<int> Threads { get; init; } = [1];

    [Description("LLVM's optimisation levels, 0 to 3; each is a contender of its own.")]
    public IReadOnlyList<int> Levels { get; init; } = [3];

    [Description("Whether peers run too.")]
    public bool Peers { get; init; }

    [Description("Processes of each contender at each case: the blocks of the interleaving.")]
    public int Processes { get; init; } = 5;

    [Description("How long a process is sampled, in seconds.")]
    public double Seconds { get; init; } = 0.15;

    [Description("How calls arrive, as MLPerf's LoadGen sends them; one after the other without it. Peers and C# have none.")]
    public SuiteScenario? Scenario { get; init; }

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        RespectNullableAnnotations = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    /// <exception cref="FormatException">The error, with its place in the file.</exception>
    public static Suite Parse(string text)
    {
        Suite suite;
        try
        {
            suite = JsonSerializer.Deserialize<Suite>(text, Json) ?? throw new FormatException("a suite is an object");
        }
        catch (JsonException e)
        {
            throw new FormatException($"{e.Path ?? "$"}, line {e.LineNumber + 1}: {FirstSentence(e.Message)}");
        }
        suite.Validate();
        return suite;
    }

    /// <summary>Checks every field, also after changes by the command line.</summary>
    /// <exception cref="FormatException">The field, and its acceptable values.</exception>
    public void Validate()
    {
        Check(Name.Length > 0, "$.name", "is empty");
        Check(Benchmarks.Count > 0, "$.benchmarks", "is empty: a suite measures something");
        Check(Backends.Count > 0, "$.backends", "is empty: something of ours is measured");
        foreach (var backend in Backends)
        {
            Check(KnownBackends.Contains(backend), "$.backends",
                $"has '{backend}', which is no backend: there are {string.Join(", ", KnownBackends)}");
        }
        Check(Threads.Count > 0 && Threads.All(t => t is >= 1 and <= 1024), "$.threads",
            "takes numbers from 1 to 1024");
        Check(Levels.Count > 0 && Levels.All(l => l is >= 0 and <= 3), "$.levels",
            "takes levels from 0 to 3");
        Check(Processes is >= 1 and <= 200, "$.processes", "takes a number from 1 to 200");
        Check(Seconds is > 0 and <= 600, "$.seconds", "takes seconds above 0, 600 at most");
        if (Scenario is { } scenario)
        {
            string[] names = [.. ScenarioOptions.Names.Select(n => n.Name)];
            Check(names.Contains(scenario.Name), "$.scenario.name",
                $"is '{scenario.Name}', which is no scenario: there are {string.Join(", ", names)}");
            var isServer = scenario.Name == "server";
            Check(isServer == scenario.Qps is not null && isServer == scenario.LatencyBound is not null, "$.scenario",
                isServer ? "needs qps and latency_bound" : "has qps or latency_bound, which belong to server");
            Check(scenario.SamplesPerQuery is null || scenario.Name == "multi-stream", "$.scenario.samples_per_query",
                "belongs to multi-stream");
        }
        Check(Benchmarks.All(b => b is not null), "$.benchmarks", "has a null where a benchmark stands");
        Check(Backends.Distinct().Count() == Backends.Count, "$.backends", "has one twice");
        Check(Threads.Distinct().Count() == Threads.Count, "$.threads", "has one twice");
        Check(Levels.Distinct().Count() == Levels.Count, "$.levels", "has one twice");
    }

    /// <summary>The acceptable values in `$.backends`.</summary>
    public static IReadOnlyList<string> KnownBackends { get; } = ["llvm", "interpreter", "graph", "opencl"];

    /// <summary>The JSON schema for editors, derived from the types above.</summary>
    public static string JsonSchema()
    {
        var node = Json.GetJsonSchemaAsNode(typeof(Suite), new JsonSchemaExporterOptions
        {
            TreatNullObliviousAsNonNullable = true,
            TransformSchemaNode = static (context, schema) =>
            {
                var provider = context.PropertyInfo?.AttributeProvider;
                var described = provider?.GetCustomAttributes(typeof(DescriptionAttribute), false).FirstOrDefault();
                if (described is DescriptionAttribute d && schema is JsonObject o) o.Insert(0, "description", d.Description);
                return schema;
            },
        }).AsObject();
        node.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        node.Insert(1, "title", "A suite of Accelerate's benchmarks");
        return node.ToJsonString(new JsonSerializerOptions
        {
            WriteIndented = true,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }) + "\n";
    }

    private static void Check(bool holds, string place, string otherwise)
    {
        if (!holds) throw new FormatException($"{place} {otherwise}");
    }

    private static string FirstSentence(string message) =>
        // Authors of suites should not see the names of .NET types.
        Regex.Replace(message.Split(" Path:")[0].Split(" The type").Last(),
            "could not be converted to .*|Consider updating.*|mapped to any .NET member contained in type .*",
            m => m.Value.StartsWith("mapped", StringComparison.Ordinal) ? "a field of suites" : "is of another type there")
            .TrimEnd('.', ' ');
}

/// <summary>The arrival of the calls of a suite's cases.</summary>
internal sealed record SuiteScenario
{
    [Description("single-stream, multi-stream, server or offline.")]
    public required string Name { get; init; }

    [Description("server: calls that arrive a second.")]
    public double? Qps { get; init; }

    [Description("server: milliseconds that the 99th percentile must be below.")]
    public double? LatencyBound { get; init; }

    [Description("multi-stream: calls of a query, 8 by default.")]
    public int? SamplesPerQuery { get; init; }

    /// <summary>The words for `accc time`.</summary>
    public IEnumerable<string> Words =>
    [
        "--scenario", Name,
        .. Word("--qps", Qps), .. Word("--latency-bound", LatencyBound), .. Word("--samples-per-query", SamplesPerQuery),
    ];

    private static string[] Word(string option, double? value) =>
        value is { } given ? [option, given.ToString(CultureInfo.InvariantCulture)] : [];
}

/// <summary>A benchmark of a suite, with one or more sets of values.</summary>
internal sealed record SuiteEntry
{
    private const int MostCases = 10_000;

    [Description("A benchmark that `accc bench list` names, or FILE.acc:FUNCTION.")]
    public required string Name { get; init; }

    [Description("Values by parameter; a list of values makes a case of each, and of each combination.")]
    public IReadOnlyDictionary<string, JsonElement> Params { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>All combinations, the last parameter varying fastest.</summary>
    /// <exception cref="FormatException">A value is neither a scalar nor a list of them.</exception>
    public IEnumerable<IReadOnlyDictionary<string, string>> Combinations()
    {
        IEnumerable<Dictionary<string, string>> all = [new(StringComparer.Ordinal)];
        var count = Params.Values.Aggregate(1.0,
            (product, v) => product * (v.ValueKind == JsonValueKind.Array ? v.GetArrayLength() : 1));
        if (count > MostCases)
            throw new FormatException($"'{Name}' has {count:0} combinations of parameters, {MostCases} are allowed");
        foreach (var (name, value) in Params)
        {
            string[] choices = value.ValueKind == JsonValueKind.Array
                ? [.. value.EnumerateArray().Select(v => ParameterValues.Scalar(name, v))]
                : [ParameterValues.Scalar(name, value)];
            if (choices.Length == 0) throw new FormatException($"parameter '{name}' of '{Name}' is an empty list");
            all = [.. all.SelectMany(before => choices.Select(c => new Dictionary<string, string>(before) { [name] = c }))];
        }
        return all;
    }
}
