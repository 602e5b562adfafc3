// In: the library names that this assembly imports, each with its own loader. Out: their handles, on first use.
using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Accelerate.Backends;

/// <summary>
/// The assembly's only import resolver. .NET accepts a single resolver per assembly, and several backends are in this
/// one, so each backend registers its name here instead of installing a resolver of its own.
/// </summary>
internal static class NativeLibraries
{
    private static readonly ConcurrentDictionary<string, Func<nint>> Loaders = new();

    static NativeLibraries() => NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);

    /// <summary>
    /// Resolves imports of <paramref name="name"/> to the handle that <paramref name="load"/> returns.
    /// </summary>
    public static void Register(string name, Func<nint> load) => Loaders[name] = load;

    /// <summary>A zero handle makes the runtime use its own search, so `libc` needs no registration.</summary>
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        Loaders.TryGetValue(name, out var load) ? load() : 0;
}
