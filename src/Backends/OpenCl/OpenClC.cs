// In: the header CL/cl.h, version 1.2. Out: declarations of the functions used here.
using System.Runtime.InteropServices;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// The OpenCL host API, with the names of its header. Platforms, devices, contexts and the like are nint; an int result
/// is the status, and functions that return an object store the status in their last argument.
/// </summary>
internal static unsafe partial class OpenClC
{
    private const string Lib = OpenClLibrary.Name;

    public const int Success = 0;
    public const int BuildProgramFailure = -11;
    public const int Complete = 0;

    public const ulong DeviceTypeAll = 0xFFFFFFFF;
    public const ulong DeviceTypeGpu = 1 << 2;

    public const ulong MemReadWrite = 1 << 0;
    public const ulong MemReadOnly = 1 << 2;
    public const ulong MemCopyHostPtr = 1 << 5;

    public const ulong FpDenorm = 1 << 0;
    public const ulong FpCorrectlyRoundedDivideSqrt = 1 << 7;

    public const uint DeviceType = 0x1000;
    public const uint DeviceMaxWorkGroupSize = 0x1004;
    public const uint DeviceSingleFpConfig = 0x101B;
    public const uint DeviceAvailable = 0x1027;
    public const uint DeviceCompilerAvailable = 0x1028;
    public const uint DeviceName = 0x102B;
    public const uint DeviceVersion = 0x102F;
    public const uint DeviceDoubleFpConfig = 0x1032;

    public const uint ProgramBuildLog = 0x1183;
    public const uint KernelWorkGroupSize = 0x11B0;
    public const uint EventCommandExecutionStatus = 0x11D3;

    [LibraryImport(Lib)]
    internal static partial int clGetPlatformIDs(uint entries, nint* platforms, uint* count);

    [LibraryImport(Lib)]
    internal static partial int clGetDeviceIDs(nint platform, ulong type, uint entries, nint* devices, uint* count);

    [LibraryImport(Lib)]
    internal static partial int clGetDeviceInfo(nint device, uint name, nuint size, void* value, nuint* needed);

    [LibraryImport(Lib)]
    internal static partial nint clCreateContext(
        nint* properties, uint count, nint* devices, nint notify, void* data, int* status);

    [LibraryImport(Lib)]
    internal static partial int clReleaseContext(nint context);

    // Deprecated by 2.0 but kept by every driver since; the new name is missing from 1.2 drivers.
    [LibraryImport(Lib)]
    internal static partial nint clCreateCommandQueue(nint context, nint device, ulong properties, int* status);

    [LibraryImport(Lib)]
    internal static partial int clReleaseCommandQueue(nint queue);

    [LibraryImport(Lib)]
    internal static partial int clFinish(nint queue);

    [LibraryImport(Lib)]
    internal static partial nint clCreateBuffer(nint context, ulong flags, nuint size, void* host, int* status);

    [LibraryImport(Lib)]
    internal static partial int clReleaseMemObject(nint memory);

    [LibraryImport(Lib)]
    internal static partial int clEnqueueReadBuffer(nint queue, nint buffer, uint blocking, nuint offset, nuint size,
        void* target, uint waits, nint* waitFor, nint* done);

    [LibraryImport(Lib)]
    internal static partial int clEnqueueCopyBuffer(nint queue, nint from, nint to, nuint fromOffset, nuint toOffset,
        nuint size,
        uint waits, nint* waitFor, nint* done);

    [LibraryImport(Lib)]
    internal static partial int clEnqueueWriteBuffer(nint queue, nint buffer, uint blocking, nuint offset, nuint size,
        void* source, uint waits, nint* waitFor, nint* done);

    [LibraryImport(Lib)]
    internal static partial nint clCreateProgramWithSource(
        nint context, uint count, byte** sources, nuint* lengths, int* status);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int clBuildProgram(
        nint program, uint devices, nint* list, string options, nint notify, void* data);

    [LibraryImport(Lib)]
    internal static partial int clGetProgramBuildInfo(
        nint program, nint device, uint name, nuint size, void* value, nuint* needed);

    [LibraryImport(Lib)]
    internal static partial int clReleaseProgram(nint program);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint clCreateKernel(nint program, string name, int* status);

    [LibraryImport(Lib)]
    internal static partial int clReleaseKernel(nint kernel);

    [LibraryImport(Lib)]
    internal static partial int clSetKernelArg(nint kernel, uint index, nuint size, void* value);

    [LibraryImport(Lib)]
    internal static partial int clGetKernelWorkGroupInfo(
        nint kernel, nint device, uint name, nuint size, void* value, nuint* needed);

    [LibraryImport(Lib)]
    internal static partial int clEnqueueNDRangeKernel(nint queue, nint kernel, uint dimensions, nuint* offset,
        nuint* global, nuint* local, uint waits, nint* waitFor, nint* done);

    [LibraryImport(Lib)]
    internal static partial int clGetEventInfo(nint signal, uint name, nuint size, void* value, nuint* needed);

    [LibraryImport(Lib)]
    internal static partial int clReleaseEvent(nint signal);
}
