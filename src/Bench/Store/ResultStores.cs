// In: a path. Out: the store at that path.
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Store;

internal static class ResultStores
{
    /// <summary>The default file for results, in the current folder.</summary>
    public const string Default = "benchmarks.duckdb";

    /// <summary>The environment variable that sets another file than <see cref="Default"/>.</summary>
    public const string Variable = "ACC_BENCH_DB";

    /// <summary>The file set by <see cref="Variable"/>, or <see cref="Default"/>.</summary>
    public static string DefaultPath =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : Default;

    /// <summary>
    /// By the name's ending: `.jsonl` and `.json` are lines of batches, everything else is a DuckDB database, which
    /// other processes may open in between.
    /// </summary>
    public static IResultStore Open(string path) =>
        Path.GetExtension(path).ToLowerInvariant() is ".jsonl" or ".json" ? JsonLinesStore.Open(path)
            : new SpoolingStore(path);
}
