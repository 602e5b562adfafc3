// In: the numbers of threads that rows use. Out: the fma peak on as many threads at once, measured in each round.
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>
/// One reading for each round and number of threads: the reference is disturbed by the same load as the measurements.
/// </summary>
internal sealed class PeakReadings : IDisposable
{
    private readonly FmaPeak peak = new();
    private readonly List<(WorkerPool Pool, List<double> Readings)> readings;

    public PeakReadings(IEnumerable<int> threads) =>
        readings = [.. threads.Distinct().Order().Select(t => (new WorkerPool(t), new List<double>()))];

    public void Read()
    {
        foreach (var (pool, values) in readings) values.Add(peak.Read(pool));
    }

    /// <summary>The median of the readings, by the number of threads.</summary>
    public IReadOnlyDictionary<int, double> Medians() =>
        readings.ToDictionary(r => r.Pool.Workers, r => SampleSummary.Of(r.Readings).Median);

    public void Dispose()
    {
        foreach (var (pool, _) in readings) pool.Dispose();
        peak.Dispose();
    }
}
