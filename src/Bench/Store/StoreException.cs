// In: nothing. Out: what a store of results tells its user when it cannot do what was asked.
namespace Accelerate.Bench.Store;

/// <summary>A database that cannot be opened, read or written, and what can be done about it.</summary>
internal class StoreException(string message, string? help = null, Exception? inner = null)
    : Exception(message, inner)
{
    public string? Help { get; } = help;
}

/// <summary>Another process has the database open, and had it for as long as this one waited.</summary>
internal sealed class StoreBusyException(string message, Exception inner)
    : StoreException(message, "it is free when that process ends; a benchmark spools meanwhile", inner);
