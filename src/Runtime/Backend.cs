// In: the backends that there are. Out: a typed value for each, and its name as a command line and a table have it.
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>
/// The part of the library that turns kernels into something that runs. All give the same results to the bit, but for
/// OpenCL devices whose arithmetic is not exact.
/// </summary>
public enum Backend
{
    /// <summary>Machine code for the CPU by LLVM: the fast one. It needs libLLVM on the machine.</summary>
    Llvm,

    /// <summary>Runs kernels by their definition, slowly, on any machine.</summary>
    Interpreter,

    /// <summary>An OpenCL device. It needs a driver for one.</summary>
    OpenCl,
}

/// <summary>The names of backends: "llvm", "interpreter", "opencl".</summary>
internal static class BackendNames
{
    public static IReadOnlyList<string> All { get; } = [.. Enum.GetValues<Backend>().Select(b => b.Name())];

    extension(Backend backend)
    {
        /// <exception cref="ArgumentOutOfRangeException">The value is none of the type's.</exception>
        public string Name() => Enum.IsDefined(backend)
            ? backend.ToString().ToLowerInvariant()
            : throw new ArgumentOutOfRangeException(nameof(backend), backend, "there is no such backend");
    }
}
