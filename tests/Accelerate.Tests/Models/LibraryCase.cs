// In: an .acc file of exported functions, each under a comment with its NumPy expression. Out: their inputs, state and
// meanings.
using System.Globalization;
using System.Text.RegularExpressions;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Models;

/// <summary>
/// A file of tests/Accelerate.Tests/Models/Library. Above an exported function stands `# numpy: EXPRESSION`, over its
/// parameters by name and the state `s['path']`, and perhaps `# range: x 0 4; p 0.1 0.9` for what is no ordinary
/// number.
/// </summary>
internal sealed partial class LibraryCase
{
    public static readonly string Folder =
        Path.Combine(Shared.Repository, "tests", "Accelerate.Tests", "Models", "Library");

    private readonly Dictionary<string, Dictionary<string, (double Low, double High)>> ranges = [];

    public LibraryCase(string file, Func<string, string>? edit = null)
    {
        var text = File.ReadAllText(Path.Combine(Folder, file + ".acc"));
        foreach (Match m in Header().Matches(text))
        {
            var name = m.Groups["name"].Value;
            Meanings[name] = m.Groups["numpy"].Value.Trim();
            ranges[name] = m.Groups["range"].Value.Split(';', StringSplitOptions.RemoveEmptyEntries)
                .Select(r => r.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToDictionary(r => r[0], r =>
                    (double.Parse(r[1], CultureInfo.InvariantCulture),
                        double.Parse(r[2], CultureInfo.InvariantCulture)));
        }
        Compilation = Compilation.FromSource(new SourceText(file + ".acc", edit is null ? text : edit(text)));
        Assert.True(Compilation.Diagnostics.IsEmpty,
            string.Join('\n', Compilation.Diagnostics.Select(d => PrettyRenderer.Render([d]))));
        Assert.Equal(Compilation.Entries.Select(e => e.Name).Order(), Meanings.Keys.Order());
        var random = new System.Random(file.Sum(c => c));
        State = Compilation.Bound!.State.ToDictionary(s => s.Path, s => Filled(random, s.Type.DType,
            [.. s.Type.Shape.Select(x => x.Value)], s.Path.EndsWith("var", StringComparison.Ordinal) ? (0.5, 2)
                : null));
    }

    public Compilation Compilation { get; }

    public Dictionary<string, string> Meanings { get; } = [];

    public IReadOnlyDictionary<string, Tensor> State { get; }

    /// <summary>
    /// The sizes to run an entry with: ordinary, one, zero; once for an entry without size variables.
    /// </summary>
    public static IEnumerable<Dictionary<string, long>> Sizes(CompiledEntry entry)
    {
        var names = entry.Bound.Inputs.SelectMany(i => i.Type.Shape).SelectMany(s => s.Variables()).Distinct().ToList();
        Assert.All(names, n => Assert.True(n is "n" or "m", $"{entry.Name}: the size {n} has no values"));
        foreach (var (n, m) in names.Contains("m") ? new[] { (2L, 3L), (1, 1), (0, 2), (2, 1) }
            : [(3, 0), (1, 0), (0, 0)])
        {
            yield return names.ToDictionary(name => name, name => name == "n" ? n : m);
            if (names.Count == 0) yield break;
        }
    }

    public Tensor[] Inputs(CompiledEntry entry, Dictionary<string, long> sizes)
    {
        var random = new System.Random(entry.Name.Sum(c => c));
        return [.. entry.Bound.Inputs.Select(i =>
            Filled(random, i.Type.DType, [.. i.Type.Shape.Select(s => s.Evaluate(sizes))],
            ranges[entry.Name].TryGetValue(i.Name, out var range) ? range : null))];
    }

    /// <summary>Ordinary numbers, a few of them large, or those of a range.</summary>
    private static Tensor Filled(System.Random random, DType dtype, long[] shape, (double Low, double High)? range)
    {
        var values = new double[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = range is var (low, high)
                ? dtype.IsFloat ? low + random.NextDouble() * (high - low) : random.NextInt64((long)low, (long)high + 1)
                : (random.NextDouble() * 4 - 2) * (random.Next(12) == 0 ? 8 : 1);
            if (!dtype.IsFloat) values[i] = Math.Truncate(values[i]);
        }
        return Tensor.FromDoubles(dtype, values, shape);
    }

    [GeneratedRegex(@"# numpy: (?<numpy>.*)\n(\s*# range: (?<range>.*)\n)?\s*export fn (?<name>\w+)")]
    private static partial Regex Header();
}
