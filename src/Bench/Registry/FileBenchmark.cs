// In: "net.acc:predict". Out: a benchmark of that function, whose parameters are its sizes and arguments.
namespace Accelerate.Bench.Registry;

/// <summary>
/// A function of the user's own file. Every parameter `name: value` of a suite becomes a word of `accc time`: a number
/// fixes the size of that name, a word is the argument's value (`random`, `@file.npy`); `set.NAME` is a
/// hyper-parameter, and `generate.prompt` with `generate.tokens` makes each call generate a text with a step function.
/// </summary>
internal static class FileBenchmark
{
    private const string Set = "set.";

    public static BenchmarkDefinition? TryParse(string name)
    {
        var at = name.LastIndexOf(':');
        if (at <= 0 || !name.AsSpan(0, at).EndsWith(".acc", StringComparison.Ordinal)) return null;
        // A file in the current folder, or one relative to the repository's root, as in the bundled suites.
        var (file, function) = (File.Exists(name[..at]) ? Path.GetFullPath(name[..at]) : name[..at], name[(at + 1)..]);
        return new(name, "own", $"{function} of {name[..at]}", [], _ => new(name, [])) { OfFile = (file, function) };
    }

    /// <summary>
    /// Makes paths to files of the current folder absolute, because processes run in the repository's root.
    /// </summary>
    private static string Located(string name, string value) =>
        value.StartsWith('@') && File.Exists(value[1..]) ? "@" + Path.GetFullPath(value[1..])
        : name == "weights" && File.Exists(value) ? Path.GetFullPath(value) : value;

    /// <summary>The case of a file's function, whose parameters are whatever the suite gives.</summary>
    public static BenchmarkCase Case(BenchmarkDefinition definition, IEnumerable<KeyValuePair<string, string>> given)
    {
        var (file, function) = definition.OfFile!.Value;
        var pairs = given.Select(p => KeyValuePair.Create(p.Key, Located(p.Key, p.Value))).ToList();
        var declared = definition with { Parameters = [.. pairs.Select(p => new BenchmarkParameter(p.Key, p.Value, p.Key))] };
        var values = ParameterValues.Of(definition.Name, declared.Parameters, pairs);
        IEnumerable<string> words = pairs.SelectMany(p =>
            p.Key.StartsWith(Set, StringComparison.Ordinal) ? ["--set", $"{p.Key[Set.Length..]}={p.Value}"]
            : p.Key == "weights" ? ["--weights", p.Value]
            : p.Key is "generate.prompt" or "generate.tokens" ? ["--" + p.Key["generate.".Length..], p.Value]
            : long.TryParse(p.Value, out _) ? ["--dim", $"{p.Key}={p.Value}"]
            : (string[])[$"{p.Key}={p.Value}"]);
        return new(declared, values, new(definition.Name, [new("", [file, function, .. words])]));
    }
}
