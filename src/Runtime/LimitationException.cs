// An exception for constructs that are not supported yet: it leads to exit code 3, never to another backend's answer.
namespace Accelerate;

/// <summary>
/// A correct program that the compiler or a backend cannot run yet. The message starts with `not supported: `.
/// </summary>
/// <param name="message">The unsupported construct and its place.</param>
public sealed class LimitationException(string message) : AccelerateException(message)
{
    /// <summary>A kernel that one backend cannot run; another may.</summary>
    /// <param name="backend">The backend's display name: "OpenCL".</param>
    /// <param name="construct">The missing construct, in the plural: "row kernels", "f64 values".</param>
    /// <param name="kernel">The kernel's name.</param>
    internal LimitationException(string backend, string construct, string kernel)
        : this($"not supported: {construct} on {backend} (kernel @{kernel})") =>
        (Backend, Construct) = (backend, construct);

    /// <summary>The backend that does not support it; null if it is the compiler.</summary>
    internal string? Backend { get; }

    /// <summary>Identical for the same limitation of a backend; in most cases the kind of kernel.</summary>
    internal string? Construct { get; }
}
