// In: a path. Out: the store that is kept there.
using Accelerate.Runtime;

namespace Accelerate.Bench.Records;

internal static class ResultStores
{
    /// <summary>Where results go unless the user says otherwise, in the current folder.</summary>
    public const string Default = "benchmarks.duckdb";

    /// <summary>By the name's ending: `.jsonl` and `.json` are lines of batches.</summary>
    /// <exception cref="DataException">It is no store that is known here.</exception>
    public static IResultStore Open(string path) =>
        path.EndsWith(".duckdb", StringComparison.OrdinalIgnoreCase)
            ? throw new DataException(path, "a DuckDB database is not supported; name a file of JSON lines")
            : JsonLinesStore.Open(path);
}
