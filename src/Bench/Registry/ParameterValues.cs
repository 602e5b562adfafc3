// In: names and values of a case's parameters. Out: typed access to them, their key and their JSON.
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Accelerate.Bench.Registry;

/// <summary>A parameter that a benchmark declares.</summary>
/// <param name="Name">The name in suites: "batch".</param>
/// <param name="Default">The value if a suite gives none.</param>
/// <param name="Letter">The prefix of the value in a case's key: "b" gives b8. Empty for the value alone.</param>
internal sealed record BenchmarkParameter(string Name, string Default, string Letter)
{
    /// <summary>Whether the values are integers rather than words.</summary>
    public bool IsNumber => long.TryParse(Default, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
}

/// <summary>The values of all parameters of one case, in the order of their declaration.</summary>
internal sealed class ParameterValues
{
    private readonly ImmutableArray<(BenchmarkParameter Parameter, string Value)> values;

    private ParameterValues(ImmutableArray<(BenchmarkParameter, string)> values) => this.values = values;

    /// <exception cref="FormatException">A name is not declared, or a word is given instead of a number.</exception>
    public static ParameterValues Of(string benchmark, IReadOnlyList<BenchmarkParameter> declared,
        IEnumerable<KeyValuePair<string, string>> given)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in given)
        {
            if (declared.FirstOrDefault(p => p.Name == name) is not { } parameter)
            {
                var known = declared.Count == 0 ? "it has none" : "it has " + string.Join(", ", declared.Select(p => p.Name));
                throw new FormatException($"benchmark '{benchmark}' has no parameter '{name}': {known}");
            }
            if (parameter.IsNumber && !(long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var n)
                && n >= 0))
            {
                throw new FormatException(
                    $"benchmark '{benchmark}': {name} is '{value}' where a whole number is needed");
            }
            // They become words of command lines, keys of cases and names of files.
            if (name.Concat(value).Any(char.IsControl))
                throw new FormatException(
                    $"benchmark '{benchmark}': {name} has a control character in it, as a line's end is one");
            found[name] = value;
        }
        return new([.. declared.Select(p => (p, found.GetValueOrDefault(p.Name, p.Default)))]);
    }

    public string this[string name] => values.First(v => v.Parameter.Name == name).Value;

    public long Number(string name) => long.Parse(this[name], CultureInfo.InvariantCulture);

    public long? NumberOrNull(string name) =>
        long.TryParse(values.FirstOrDefault(v => v.Parameter?.Name == name).Value, out var number) ? number : null;

    /// <summary>"b8_s128_f32", which distinguishes the case from the benchmark's others.</summary>
    public string Key => string.Join('_', values.Select(v => v.Parameter.Letter + v.Value));

    public string ToJson()
    {
        var json = new JsonObject();
        foreach (var (parameter, value) in values)
            json[parameter.Name] = parameter.IsNumber ? Number(parameter.Name) : value;
        return json.ToJsonString();
    }

    /// <summary>The scalars of a JSON object, as text.</summary>
    /// <exception cref="FormatException">It is not an object of numbers, strings and booleans.</exception>
    public static IReadOnlyDictionary<string, string> FromJson(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(text)!
                .ToDictionary(p => p.Key, p => Scalar(p.Key, p.Value), StringComparer.Ordinal);
        }
        catch (JsonException e)
        {
            throw new FormatException($"parameters are a JSON object as {{\"batch\": 8}}: {e.Message}");
        }
    }

    /// <exception cref="FormatException">It is a list, an object or null.</exception>
    public static string Scalar(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => throw new FormatException($"parameter '{name}' is {value.GetRawText()} where one value stands"),
    };
}
