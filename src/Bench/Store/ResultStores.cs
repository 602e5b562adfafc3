// In: a path. Out: the store that is kept there.
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Store;

internal static class ResultStores
{
    /// <summary>Where results go unless the user says otherwise, in the current folder.</summary>
    public const string Default = "benchmarks.duckdb";

    /// <summary>Names another file than <see cref="Default"/>.</summary>
    public const string Variable = "ACC_BENCH_DB";

    /// <summary>The file of <see cref="Variable"/>, else <see cref="Default"/>.</summary>
    public static string DefaultPath =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : Default;

    /// <summary>
    /// By the name's ending: `.jsonl` and `.json` are lines of batches, everything else is a DuckDB database, which
    /// another process may have open meanwhile.
    /// </summary>
    public static IResultStore Open(string path) =>
        Path.GetExtension(path).ToLowerInvariant() is ".jsonl" or ".json" ? JsonLinesStore.Open(path)
            : new SpoolingStore(path);
}
