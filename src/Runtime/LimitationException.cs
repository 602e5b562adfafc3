// What the compiler does not build yet, as an exception: it ends in exit code 3, never in another backend's answer.
namespace Accelerate;

/// <summary>
/// A program that is right, and that the compiler or a backend cannot run yet. The message starts with
/// `not supported: `.
/// </summary>
/// <param name="message">What is not supported, and where.</param>
public sealed class LimitationException(string message) : AccelerateException(message)
{
    /// <summary>A kernel that a backend cannot run, where another may.</summary>
    /// <param name="backend">The backend as people write it: "OpenCL".</param>
    /// <param name="construct">What it lacks, in the plural: "row kernels", "f64 values".</param>
    /// <param name="kernel">The kernel's name.</param>
    internal LimitationException(string backend, string construct, string kernel)
        : this($"not supported: {construct} on {backend} (kernel @{kernel})") =>
        (Backend, Construct) = (backend, construct);

    /// <summary>The backend that lacks it; null where it is the compiler.</summary>
    internal string? Backend { get; }

    /// <summary>The same words for the same limitation of a backend, the kind of kernel in most cases.</summary>
    internal string? Construct { get; }
}
