// In: the bundled benchmarks, and assemblies and .acc files of the user. Out: all benchmarks by name.
namespace Accelerate.Bench.Registry;

/// <summary>Finds a benchmark by name; a name FILE.acc:FUNCTION defines a benchmark.</summary>
internal sealed class BenchmarkRegistry
{
    private readonly Dictionary<string, BenchmarkDefinition> all = new(StringComparer.Ordinal);

    public BenchmarkRegistry(IEnumerable<BenchmarkDefinition>? more = null)
    {
        foreach (var definition in Builtin.All.Concat(more ?? []))
        {
            if (!all.TryAdd(definition.Name, definition))
                throw new FormatException($"two benchmarks are called '{definition.Name}'");
        }
    }

    public IEnumerable<BenchmarkDefinition> All => all.Values;

    /// <exception cref="FormatException">There is no benchmark with that name.</exception>
    public BenchmarkDefinition Find(string name)
    {
        if (all.TryGetValue(name, out var found)) return found;
        if (FileBenchmark.TryParse(name) is { } own) return own;
        throw new FormatException($"there is no benchmark '{name}'; `accc bench list` names them, and FILE.acc:FUNCTION "
            + "is one");
    }
}
