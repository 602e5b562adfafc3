// In: nothing. Out: the errors of a store of results, for its user.
namespace Accelerate.Bench.Store;

/// <summary>A database cannot be opened, read or written, with a suggestion.</summary>
internal class StoreException(string message, string? help = null, Exception? inner = null)
    : Exception(message, inner)
{
    public string? Help { get; } = help;
}

/// <summary>Another process has the database open, and kept it open while this one waited.</summary>
internal sealed class StoreBusyException(string message, Exception inner)
    : StoreException(message, "it is free when that process ends; a benchmark spools meanwhile", inner);
