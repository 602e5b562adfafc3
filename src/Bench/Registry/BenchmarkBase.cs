// In: nothing. Out: the form of a user's benchmark in C#: a class with an attribute, set up, executed, processed.
namespace Accelerate.Bench.Registry;

/// <summary>Names a benchmark class: <c>accc bench run --assembly own.dll --benchmark NAME</c>.</summary>
/// <param name="name">The name, unique among all benchmarks.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class BenchmarkAttribute(string name) : Attribute
{
    /// <summary>The name in suites and in <c>--benchmark</c>.</summary>
    public string Name { get; } = name;

    /// <summary>The group in reports.</summary>
    public string Category { get; init; } = "own";

    /// <summary>One line for <c>accc bench list</c>.</summary>
    public string Description { get; init; } = "";
}

/// <summary>
/// A user's benchmark. Each process creates one instance, calls <see cref="SetUp"/> once, <see cref="Execute"/> many
/// times, sampling the later calls, then <see cref="Process"/>, then <see cref="Dispose()"/>.
/// </summary>
public abstract class BenchmarkBase : IDisposable
{
    /// <summary>Names and defaults of the parameters that a suite may vary; none by default.</summary>
    public virtual IReadOnlyDictionary<string, string> Parameters { get; } = new Dictionary<string, string>();

    /// <summary>Prepares the data for calls. Not timed.</summary>
    /// <param name="parameters">A value for each of <see cref="Parameters"/>.</param>
    /// <param name="threads">The number of threads to use.</param>
    public abstract void SetUp(IReadOnlyDictionary<string, string> parameters, int threads);

    /// <summary>The work that is timed.</summary>
    public abstract void Execute();

    /// <summary>
    /// Checks the outcome after the last call. Throwing an exception marks the result as wrong: then no times are kept.
    /// </summary>
    /// <param name="metrics">Receives the benchmark's own figures, by name.</param>
    public virtual void Process(IDictionary<string, double> metrics)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the data of <see cref="SetUp"/>.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}
