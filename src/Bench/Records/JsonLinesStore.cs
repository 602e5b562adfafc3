// In: a file of batches, one a line. Out: a store of them; also the reader of spools.
using System.Text;
using System.Text.Json;
using Accelerate.Runtime;

namespace Accelerate.Bench.Records;

/// <summary>Held in memory as a whole: for spools and exchanged files, not for years of results.</summary>
internal sealed class JsonLinesStore : IResultStore
{
    private readonly string? path;
    private readonly List<ResultBatch> batches;

    private JsonLinesStore(string? path, List<ResultBatch> batches) => (this.path, this.batches) = (path, batches);

    /// <summary>Opens a file; one that does not exist yet is empty.</summary>
    /// <exception cref="DataException">A line is not a batch.</exception>
    public static JsonLinesStore Open(string path) => new(path, File.Exists(path) ? Read(path) : []);

    /// <summary>A store without a file.</summary>
    public static JsonLinesStore Of(IEnumerable<ResultBatch> batches) => new(null, [.. batches]);

    /// <summary>
    /// The batches of a file. An incomplete last line was left by a killed writer: it was never acknowledged, and is
    /// ignored.
    /// </summary>
    /// <exception cref="DataException">A line is not a batch.</exception>
    public static List<ResultBatch> Read(string path)
    {
        var text = DataException.Guard(path, () => File.ReadAllText(path));
        var lines = text.Split('\n');
        List<ResultBatch> batches = [];
        for (var i = 0; i < lines.Length - 1; i++)
        {
            if (string.IsNullOrWhiteSpace(lines[i])) continue;
            try
            {
                var batch = ResultBatch.FromJson(lines[i]);
                batches.Add(batch is { Run: { Hardware: not null, Environment: not null }, Results: not null } ? batch
                    : throw new JsonException("it has no run with hardware and environment, or no results"));
            }
            catch (JsonException e)
            {
                throw new DataException(path, $"line {i + 1} is no batch of results: {e.Message}", e);
            }
        }
        return batches;
    }

    public void Append(ResultBatch batch)
    {
        if (path is not null)
        {
            using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
            file.Write(Encoding.UTF8.GetBytes(batch.ToJson() + "\n"));
            file.Flush(flushToDisk: true);
        }
        batches.Add(batch);
    }

    public IReadOnlyList<RunRecord> Runs(ResultFilter filter) =>
        [.. batches.Where(b => IsOf(b.Run, filter) && (IsOfAll(filter) || b.Results.Any(r => IsOf(r, filter))))
            .Select(b => b.Run).DistinctBy(r => r.Id).OrderByDescending(r => r.StartedAt)];

    public IReadOnlyList<ResultRecord> Results(ResultFilter filter, bool details = false)
    {
        var results = batches.Where(b => IsOf(b.Run, filter)).SelectMany(b => b.Results).Where(r => IsOf(r, filter))
            .DistinctBy(r => r.Id).OrderBy(r => r.MeasuredAt);
        return [.. details ? results : results.Select(r => r with { Samples = [], Kernels = [] })];
    }

    public void Dispose() { }

    private static bool IsOfAll(ResultFilter f) => (f.Benchmark, f.Contender, f.Model) == (null, null, null);

    private static bool IsOf(RunRecord run, ResultFilter f) => (f.Simulated || !run.Simulated)
        && (f.Run is null || run.Id == f.Run)
        && (f.Commit is null || run.Environment.Commit?.StartsWith(f.Commit, StringComparison.Ordinal) == true)
        && (f.Machine is null || run.Hardware.Fingerprint == f.Machine)
        && (f.Suite is null || run.Suite == f.Suite);

    private static bool IsOf(ResultRecord result, ResultFilter f) =>
        (f.Benchmark is null || result.Benchmark == f.Benchmark)
        && (f.Contender is null || result.Contender == f.Contender)
        && (f.Model is null || result.Model?.Name == f.Model);
}
