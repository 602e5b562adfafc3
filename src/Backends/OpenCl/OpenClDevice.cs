// In: a device of the loader. Out: its capabilities, its context, and its compiled programs, built once in a process
// for each text.
using System.Collections.Concurrent;
using System.Text;

namespace Accelerate.Backends.OpenCl;

/// <summary>One device, with the context of all its buffers and programs. Shared by all threads; never freed.</summary>
internal sealed unsafe class OpenClDevice
{
    private readonly nint id;
    private readonly Lazy<nint> context;
    private readonly ConcurrentDictionary<string, Lazy<nint>> programs = new(StringComparer.Ordinal);

    internal OpenClDevice(nint id)
    {
        this.id = id;
        Name = Text(OpenClC.DeviceName);
        Version = Text(OpenClC.DeviceVersion);
        IsGpu = (Number<ulong>(OpenClC.DeviceType) & OpenClC.DeviceTypeGpu) != 0;
        HasF64 = Number<ulong>(OpenClC.DeviceDoubleFpConfig) != 0;
        var single = Number<ulong>(OpenClC.DeviceSingleFpConfig);
        RoundsDivideAndSqrt = (single & OpenClC.FpCorrectlyRoundedDivideSqrt) != 0;
        KeepsSubnormals = (single & OpenClC.FpDenorm) != 0;
        MaxWorkGroupSize = (long)Number<nuint>(OpenClC.DeviceMaxWorkGroupSize);
        context = new(CreateContext, LazyThreadSafetyMode.ExecutionAndPublication);
    }

    /// <summary>
    /// The device chosen by ACC_OPENCL_DEVICE, otherwise the first GPU, otherwise the first device. Throws if there is
    /// none.
    /// </summary>
    public static OpenClDevice Default => OpenClLibrary.Require()[0];

    public string Name { get; }

    /// <summary>The driver's version: "OpenCL 3.0 …".</summary>
    public string Version { get; }

    public bool IsGpu { get; }

    public bool HasF64 { get; }

    /// <summary>
    /// Whether f32 division and square root are correctly rounded (the build requests it); otherwise they are within 3
    /// ULP.
    /// </summary>
    public bool RoundsDivideAndSqrt { get; }

    /// <summary>Whether f32 subnormals are not flushed.</summary>
    public bool KeepsSubnormals { get; }

    /// <summary>
    /// Whether arithmetic follows NUMERICS.md, so that results are bit-identical to the kernel interpreter's; otherwise
    /// they are compared within its bound.
    /// </summary>
    public bool IsExact => RoundsDivideAndSqrt && KeepsSubnormals;

    public long MaxWorkGroupSize { get; }

    /// <summary>The options of every build: no loss of accuracy, and exact division if the device has it.</summary>
    public string BuildOptions =>
        "-cl-std=CL1.2" + (RoundsDivideAndSqrt ? " -cl-fp32-correctly-rounded-divide-sqrt" : "");

    internal bool IsUsable => Number<uint>(OpenClC.DeviceAvailable) != 0
        && Number<uint>(OpenClC.DeviceCompilerAvailable) != 0
        && !Version.StartsWith("OpenCL 1.0", StringComparison.Ordinal)
        && !Version.StartsWith("OpenCL 1.1", StringComparison.Ordinal);

    internal nint Handle => id;

    internal nint Context => context.Value;

    /// <summary>The program of a text, compiled on first request. Throws with the build log.</summary>
    internal nint Program(string source)
    {
        var build = programs.GetOrAdd(source,
            static (text, device) => new(() => device.Build(text), LazyThreadSafetyMode.ExecutionAndPublication), this);
        try
        {
            return build.Value;
        }
        catch
        {
            programs.TryRemove(source, out _); // an out-of-memory build may succeed later
            throw;
        }
    }

    private nint Build(string source)
    {
        var bytes = Encoding.UTF8.GetBytes(source);
        int status;
        nint program;
        fixed (byte* text = bytes)
        {
            var start = text;
            var length = (nuint)bytes.Length;
            program = OpenClC.clCreateProgramWithSource(Context, 1, &start, &length, &status);
        }
        OpenClException.Check(status, "clCreateProgramWithSource");
        var device = id;
        status = OpenClC.clBuildProgram(program, 1, &device, BuildOptions, 0, null);
        if (status == OpenClC.Success) return program;
        var log = status == OpenClC.BuildProgramFailure ? BuildLog(program) : "";
        _ = OpenClC.clReleaseProgram(program);
        throw OpenClException.Refused(Name, status, log, source);
    }

    private string BuildLog(nint program)
    {
        nuint size;
        var asked = OpenClC.clGetProgramBuildInfo(program, id, OpenClC.ProgramBuildLog, 0, null, &size);
        if (asked != OpenClC.Success) return "";
        var log = new byte[size];
        fixed (byte* p = log)
            asked = OpenClC.clGetProgramBuildInfo(program, id, OpenClC.ProgramBuildLog, size, p, null);
        OpenClException.Check(asked, "clGetProgramBuildInfo");
        return Encoding.UTF8.GetString(log).TrimEnd('\0', '\n');
    }

    private nint CreateContext()
    {
        var device = id;
        int status;
        var created = OpenClC.clCreateContext(null, 1, &device, 0, null, &status);
        OpenClException.Check(status, "clCreateContext");
        return created;
    }

    /// <summary>
    /// A property; 0 if the driver does not know it (a device without f64 may not know its configuration).
    /// </summary>
    private T Number<T>(uint name)
        where T : unmanaged
    {
        T value = default;
        return OpenClC.clGetDeviceInfo(id, name, (nuint)sizeof(T), &value, null) == OpenClC.Success ? value : default;
    }

    private string Text(uint name)
    {
        nuint size;
        OpenClException.Check(OpenClC.clGetDeviceInfo(id, name, 0, null, &size), "clGetDeviceInfo");
        var bytes = new byte[size];
        fixed (byte* p = bytes)
            OpenClException.Check(OpenClC.clGetDeviceInfo(id, name, size, p, null), "clGetDeviceInfo");
        return Encoding.UTF8.GetString(bytes).TrimEnd('\0').Trim();
    }
}
