// In: an OpenCL status, or a build log. Out: an exception whose message can be shown to the user.
using System.Globalization;
using System.Text.RegularExpressions;

namespace Accelerate.Backends.OpenCl;

/// <summary>OpenCL is missing, or one of its calls failed.</summary>
internal sealed partial class OpenClException(string message) : Exception(message)
{
    /// <summary>
    /// Whether the device, or its driver on the host, has no memory for a buffer, or for one that large.
    /// </summary>
    public bool IsOutOfMemory { get; private init; }

    public static void Check(int status, string call)
    {
        if (status == OpenClC.Success) return;
        throw new OpenClException($"{call} failed with {Name(status)}") { IsOutOfMemory = status is -4 or -6 or -61 };
    }

    /// <summary>The device's compiler rejected a text: its messages, with the lines that they refer to.</summary>
    public static OpenClException Refused(string device, int status, string log, string source)
    {
        var lines = source.Split('\n');
        var places = Place().Matches(log).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))
            .Where(n => n > 0 && n <= lines.Length).Distinct().Order().Take(5).Select(n => $"{n,5} | {lines[n - 1]}");
        var text = string.Join('\n', places);
        return new($"{device} refused a kernel with {Name(status)}\n{log}\n{(text.Length > 0 ? text : source)}");
    }

    /// <summary>`:12:3`, as in "kernel.cl:12:3: error: …".</summary>
    [GeneratedRegex(@":(\d{1,7}):\d{1,7}")]
    private static partial Regex Place();

    /// <summary>The header's names for the statuses that a correct caller can get, and the number of others.</summary>
    internal static string Name(int status) => status switch
    {
        -1 => "CL_DEVICE_NOT_FOUND",
        -2 => "CL_DEVICE_NOT_AVAILABLE",
        -3 => "CL_COMPILER_NOT_AVAILABLE",
        -4 => "CL_MEM_OBJECT_ALLOCATION_FAILURE",
        -5 => "CL_OUT_OF_RESOURCES",
        -6 => "CL_OUT_OF_HOST_MEMORY",
        -11 => "CL_BUILD_PROGRAM_FAILURE",
        -30 => "CL_INVALID_VALUE",
        -46 => "CL_INVALID_KERNEL_NAME",
        -48 => "CL_INVALID_KERNEL",
        -52 => "CL_INVALID_KERNEL_ARGS",
        -54 => "CL_INVALID_WORK_GROUP_SIZE",
        -55 => "CL_INVALID_WORK_ITEM_SIZE",
        -61 => "CL_INVALID_BUFFER_SIZE",
        -63 => "CL_INVALID_GLOBAL_WORK_SIZE",
        _ => $"status {status}",
    };
}
