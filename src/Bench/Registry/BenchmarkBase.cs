// In: nothing. Out: what a user's own benchmark in C# is: a class with an attribute, set up, executed, processed.
namespace Accelerate.Bench.Registry;

/// <summary>Names a benchmark that is a class: <c>accc bench run --assembly own.dll --benchmark NAME</c>.</summary>
/// <param name="name">Unique among all benchmarks.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class BenchmarkAttribute(string name) : Attribute
{
    /// <summary>What suites and <c>--benchmark</c> call it.</summary>
    public string Name { get; } = name;

    /// <summary>The group of reports that it stands in.</summary>
    public string Category { get; init; } = "own";

    /// <summary>One line for <c>accc bench list</c>.</summary>
    public string Description { get; init; } = "";
}

/// <summary>
/// A benchmark of the user's. Each process makes one instance, calls <see cref="SetUp"/> once, <see cref="Execute"/> many
/// times, of which it samples the later ones, then <see cref="Process"/>, then <see cref="Dispose()"/>.
/// </summary>
public abstract class BenchmarkBase : IDisposable
{
    /// <summary>Names and defaults of what a suite may vary; none unless it is overridden.</summary>
    public virtual IReadOnlyDictionary<string, string> Parameters { get; } = new Dictionary<string, string>();

    /// <summary>Makes what a call needs. Not timed.</summary>
    /// <param name="parameters">A value for each of <see cref="Parameters"/>.</param>
    /// <param name="threads">How many the run is asked to use.</param>
    public abstract void SetUp(IReadOnlyDictionary<string, string> parameters, int threads);

    /// <summary>What is timed.</summary>
    public abstract void Execute();

    /// <summary>
    /// Looks at what the calls have left behind, after the last of them. Throwing says that the result is wrong: then
    /// nothing that was timed is kept.
    /// </summary>
    /// <param name="metrics">Takes figures of the benchmark's own, by name.</param>
    public virtual void Process(IDictionary<string, double> metrics)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back what <see cref="SetUp"/> has made.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}
