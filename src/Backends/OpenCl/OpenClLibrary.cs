// In: the environment and the usual library names. Out: the OpenCL loader and its devices, or the reason why there are
// none.
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// Finds the OpenCL loader once in a process. Every type of this folder calls <see cref="Require"/> before its first
/// import.
/// </summary>
internal static class OpenClLibrary
{
    /// <summary>The import name of every declaration in <see cref="OpenClC"/>.</summary>
    public const string Name = "OpenCL";

    /// <summary>The environment variable with the path of the library file, or of its folder.</summary>
    public const string PathVariable = "ACC_OPENCL_PATH";

    /// <summary>
    /// The environment variable that selects the device: its number, counted from 0 in the order of `accc env`, or a
    /// part of its name.
    /// </summary>
    public const string DeviceVariable = "ACC_OPENCL_DEVICE";

    private const string Install = "install one with `apt-get install pocl-opencl-icd ocl-icd-libopencl1`";

    private static readonly string[] FileNames =
        ["libOpenCL.so.1", "libOpenCL.so", "OpenCL.dll", "/System/Library/Frameworks/OpenCL.framework/OpenCL"];

    private static readonly Lazy<Loaded> State = new(Load, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>
    /// True if there is a device to run on; otherwise the reason, with the command that installs one.
    /// </summary>
    public static bool Available([NotNullWhen(false)] out string? reason)
    {
        reason = State.Value.Reason;
        return reason is null;
    }

    /// <summary>
    /// Every usable device: the selected one first, otherwise GPUs first, then in the loader's order. Throws with the
    /// install command if there is none.
    /// </summary>
    public static ImmutableArray<OpenClDevice> Require() =>
        State.Value is { Reason: null } loaded ? loaded.Devices : throw new OpenClException(State.Value.Reason!);

    private sealed record Loaded(ImmutableArray<OpenClDevice> Devices, string? Reason);

    private static Loaded Load()
    {
        foreach (var candidate in Candidates(Environment.GetEnvironmentVariable(PathVariable)))
        {
            if (!NativeLibrary.TryLoad(candidate, out var handle)) continue;
            if (!NativeLibrary.TryGetExport(handle, nameof(OpenClC.clGetPlatformIDs), out _))
            {
                NativeLibrary.Free(handle);
                continue;
            }
            NativeLibraries.Register(Name, () => handle);
            if (Devices() is not { IsEmpty: false } devices)
                return new Loaded([],
                    $"the OpenCL loader {candidate} has no device of version 1.2 or newer; {Install}.");
            var wanted = Environment.GetEnvironmentVariable(DeviceVariable);
            if (Choose([.. devices.Select(d => d.Name)], wanted) is { } at)
                return new Loaded([devices[at], .. devices.RemoveAt(at)], null);
            var names = devices.Select((d, i) => $"\n  {i}  {d.Name}");
            return new Loaded([], $"{DeviceVariable}={wanted} is no device; there are{string.Concat(names)}");
        }
        return new Loaded([],
            $"the OpenCL loader was not found; {Install}, or set {PathVariable} to the library file.");
    }

    /// <summary>
    /// The selected device: by its number, otherwise the first whose name contains the text; null if there is none.
    /// </summary>
    internal static int? Choose(IReadOnlyList<string> names, string? wanted)
    {
        if (string.IsNullOrEmpty(wanted)) return 0;
        if (int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number < names.Count ? number : null;
        for (var i = 0; i < names.Count; i++)
            if (names[i].Contains(wanted, StringComparison.OrdinalIgnoreCase)) return i;
        return null;
    }

    /// <summary>
    /// Names in the order in which they are tried; a path in the environment is the only candidate if it is set.
    /// </summary>
    internal static IEnumerable<string> Candidates(string? fromEnvironment) =>
        string.IsNullOrEmpty(fromEnvironment) ? FileNames
        : Directory.Exists(fromEnvironment) ? FileNames[..3].Select(n => Path.Combine(fromEnvironment, n))
        : [fromEnvironment];

    private static unsafe ImmutableArray<OpenClDevice> Devices()
    {
        // A loader without any driver returns -1001; that means "no device", not an error.
        uint count;
        if (OpenClC.clGetPlatformIDs(0, null, &count) != OpenClC.Success || count == 0) return [];
        var platforms = new nint[count];
        fixed (nint* p = platforms) OpenClException.Check(OpenClC.clGetPlatformIDs(count, p, null), "clGetPlatformIDs");
        var devices = new List<OpenClDevice>();
        foreach (var platform in platforms)
        {
            if (OpenClC.clGetDeviceIDs(platform, OpenClC.DeviceTypeAll, 0, null, &count) != OpenClC.Success) continue;
            var ids = new nint[count];
            int status;
            fixed (nint* p = ids) status = OpenClC.clGetDeviceIDs(platform, OpenClC.DeviceTypeAll, count, p, null);
            OpenClException.Check(status, "clGetDeviceIDs");
            devices.AddRange(ids.Select(id => new OpenClDevice(id)).Where(d => d.IsUsable));
        }
        return [.. devices.OrderBy(d => d.IsGpu ? 0 : 1)];
    }
}
