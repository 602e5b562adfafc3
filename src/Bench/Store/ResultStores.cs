// In: a path. Out: the store that is kept there.
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Store;

internal static class ResultStores
{
    /// <summary>Where results go unless the user says otherwise, in the current folder.</summary>
    public const string Default = "benchmarks.duckdb";

    /// <summary>
    /// By the name's ending: `.jsonl` and `.json` are lines of batches, everything else is a DuckDB database, which
    /// another process may have open meanwhile.
    /// </summary>
    public static IResultStore Open(string path) =>
        path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            ? JsonLinesStore.Open(path) : new SpoolingStore(path);
}
