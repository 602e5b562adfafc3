// In: metrics of batches. Out: their means, each batch weighted by its number of examples.
namespace Accelerate.Training;

/// <summary>Sums in f64, in the order of the batches, so that a resumed run ends with the same bits.</summary>
internal sealed class Means
{
    private readonly List<(string Name, double Sum)> sums = [];

    public long Examples { get; private set; }

    public IReadOnlyDictionary<string, double> Sums => sums.ToDictionary(s => s.Name, s => s.Sum);

    public IReadOnlyList<Metric> Values => Examples == 0 ? []
        : [.. sums.Select(s => new Metric(s.Name, s.Sum / Examples))];

    /// <summary>Continues from the sums of an earlier run.</summary>
    public void Restore(IReadOnlyDictionary<string, double> earlier, long examples)
    {
        sums.Clear();
        sums.AddRange(earlier.Select(s => (s.Key, s.Value)));
        Examples = examples;
    }

    public void Add(IReadOnlyList<Metric> metrics, int examples)
    {
        foreach (var (name, value) in metrics)
        {
            var at = sums.FindIndex(s => s.Name == name);
            if (at < 0) sums.Add((name, value * examples));
            else sums[at] = (name, sums[at].Sum + value * examples);
        }
        Examples += examples;
    }
}
