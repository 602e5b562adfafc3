// In: the existing backends. Out: a typed value for each, and its name in command lines and tables.
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>
/// The part of the library that makes kernels executable. All backends give bit-identical results, except for OpenCL
/// devices with inexact arithmetic.
/// </summary>
public enum Backend
{
    /// <summary>Machine code for the CPU, compiled by LLVM: the fast one. It needs libLLVM on the machine.</summary>
    Llvm,

    /// <summary>Interprets kernels by their definition: slow, but runs on any machine.</summary>
    Interpreter,

    /// <summary>An OpenCL device. It needs a driver.</summary>
    OpenCl,
}

/// <summary>The names of backends: "llvm", "interpreter", "opencl".</summary>
internal static class BackendNames
{
    public static IReadOnlyList<string> All { get; } = [.. Enum.GetValues<Backend>().Select(b => b.Name())];

    extension(Backend backend)
    {
        /// <exception cref="ArgumentOutOfRangeException">The value is not defined by the type.</exception>
        public string Name() => Enum.IsDefined(backend)
            ? backend.ToString().ToLowerInvariant()
            : throw new ArgumentOutOfRangeException(nameof(backend), backend, "there is no such backend");
    }
}
