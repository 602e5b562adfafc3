// In: a backend and what it was asked for. Out: an exception that says the program is right but this backend cannot run it.
namespace Accelerate.Compiler.Diagnostics;

/// <summary>
/// A limitation is not a bug: the program means something, and another backend may run it. A backend throws this instead
/// of falling back, so that what runs is always what was asked for.
/// </summary>
/// <param name="backend">The backend's name as people write it: "OpenCL".</param>
/// <param name="construct">What it lacks, in the plural: "row kernels", "f64 values".</param>
/// <param name="where">The kernel or function concerned, or null.</param>
public sealed class LimitationException(string backend, string construct, string? where = null)
    : Exception($"not supported: {construct} on {backend}{(where is null ? "" : $" ({where})")}")
{
    public string Backend { get; } = backend;

    /// <summary>What is not supported, without the backend and the place: the same words for the same limitation.</summary>
    public string Construct { get; } = construct;

    public string? Where { get; } = where;
}
