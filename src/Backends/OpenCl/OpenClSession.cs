// In: compiled programs, a queue, host memory. Out: buffers on the device, kernels launched, results copied back.
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// A session's resources on a device: an in-order queue, kernel objects (whose arguments are set by one thread at a
/// time), and slots that are kept for later calls.
/// </summary>
internal sealed unsafe class OpenClSession : IDisposable
{
    private const long MaxGroups = 65535;

    private readonly OpenClDevice device;
    private readonly Dictionary<OpenClSource, (nint Kernel, long GroupLimit)> kernels = [];
    private readonly Dictionary<(int Entry, int Slot), OpenClBuffer> slots = [];
    private readonly List<nint> launches = [];
    private readonly Arena fetched = new();
    private OpenClBuffer? flag;
    private nint queue;

    public OpenClSession(OpenClDevice device)
    {
        this.device = device;
        int status;
        queue = OpenClC.clCreateCommandQueue(device.Context, device.Handle, 0, &status);
        OpenClException.Check(status, "clCreateCommandQueue");
    }

    /// <summary>
    /// Memory on the device, of at least that many bytes; its contents are not preserved between calls.
    /// </summary>
    public OpenClBuffer Slot(int entry, int slot, long bytes)
    {
        if (slots.TryGetValue((entry, slot), out var known) && known.Capacity >= bytes) return known;
        known?.Dispose(); // first, so that peak memory is the new block, not both
        slots.Remove((entry, slot));
        return slots[(entry, slot)] = new OpenClBuffer(device, bytes);
    }

    /// <summary>Clears the flag for a call and returns it.</summary>
    public OpenClBuffer ClearedFlag()
    {
        flag ??= new OpenClBuffer(device, sizeof(int));
        var zero = 0;
        OpenClException.Check(OpenClC.clEnqueueWriteBuffer(
            queue, flag.Handle, 1, 0, sizeof(int), &zero, 0, null, null), "clEnqueueWriteBuffer");
        return flag;
    }

    /// <summary>Enqueues a kernel; false if its index space is empty.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="shape">Which of its texts to prefer.</param>
    /// <param name="buffers">The buffers in the kernel's order.</param>
    /// <param name="flag">Receives the step's number if an index is out of range and the flag is still 0.</param>
    /// <param name="step">The step's number.</param>
    /// <param name="sizes">The kernel's sizes.</param>
    public bool Launch(OpenClKernel kernel, WorkShape shape, ReadOnlySpan<OpenClBuffer> buffers, OpenClBuffer? flag,
        int step,
        Func<string, long> sizes)
    {
        var source = kernel.Choose(sizes, device.IsGpu, shape);
        var (handle, limit) = KernelOf(source);
        if (limit < source.Space.LeastGroup) // a small device, or a kernel with many registers
            (handle, limit) = KernelOf(source = kernel.Item);
        if (source.Space.For(sizes, limit, device.IsGpu) is not { } launch) return false;
        uint argument = 0;
        foreach (var buffer in buffers)
        {
            var memory = buffer.Handle;
            SetArgument(handle, argument++, (nuint)sizeof(nint), &memory);
        }
        foreach (var size in kernel.Kernel.Sizes)
        {
            var value = sizes(size);
            SetArgument(handle, argument++, sizeof(long), &value);
        }
        foreach (var extra in launch.Extra)
        {
            var value = extra;
            SetArgument(handle, argument++, sizeof(int), &value);
        }
        if (source.Flags)
        {
            SetArgument(handle, argument++, sizeof(int), &step);
            var memory = flag!.Handle;
            SetArgument(handle, argument, (nuint)sizeof(nint), &memory);
        }

        var dimensions = launch.Global.Length;
        var global = stackalloc nuint[dimensions];
        var local = stackalloc nuint[dimensions];
        for (var d = 0; d < dimensions; d++) (global[d], local[d]) = ((nuint)launch.Global[d], (nuint)launch.Local[d]);
        // Some devices allow at most 65535 groups in dimensions 1 and 2: the rest is launched separately.
        var offset = stackalloc nuint[] { 0, 0, 0 };
        var rest = stackalloc nuint[] { global[0], 1, 1 };
        var whole = (Y: dimensions > 1 ? launch.Global[1] : 1, Z: dimensions > 2 ? launch.Global[2] : 1);
        var most =
            (Y: MaxGroups * (dimensions > 1 ? launch.Local[1] : 1),
                Z: MaxGroups * (dimensions > 2 ? launch.Local[2] : 1));
        nint done = 0;
        for (var z = 0L; z < whole.Z; z += most.Z)
        {
            for (var y = 0L; y < whole.Y; y += most.Y)
            {
                if (done != 0) _ = OpenClC.clReleaseEvent(done);
                (offset[1], offset[2]) = ((nuint)y, (nuint)z);
                (rest[1], rest[2]) = ((nuint)Math.Min(most.Y, whole.Y - y), (nuint)Math.Min(most.Z, whole.Z - z));
                OpenClException.Check(OpenClC.clEnqueueNDRangeKernel(
                    queue, handle, (uint)dimensions, offset, rest, local, 0, null, &done), "clEnqueueNDRangeKernel");
            }
        }
        launches.Add(done);
        return true;
    }

    /// <summary>Waits for everything enqueued. Returns the number of kernels that the device has completed.</summary>
    /// <exception cref="OpenClException">One of them failed.</exception>
    public long Finish()
    {
        OpenClException.Check(OpenClC.clFinish(queue), "clFinish");
        foreach (var launch in launches)
        {
            int status;
            OpenClException.Check(OpenClC.clGetEventInfo(
                launch, OpenClC.EventCommandExecutionStatus, sizeof(int), &status, null), "clGetEventInfo");
            if (status != OpenClC.Complete)
                throw new OpenClException($"a kernel ended with {OpenClException.Name(status)}");
        }
        return Forget();
    }

    /// <summary>Copies the first bytes of a buffer to the host, after everything enqueued before.</summary>
    public void Read(OpenClBuffer buffer, void* target, long bytes)
    {
        if (bytes == 0) return;
        OpenClException.Check(OpenClC.clEnqueueReadBuffer(
            queue, buffer.Handle, 1, 0, (nuint)bytes, target, 0, null, null), "clEnqueueReadBuffer");
    }

    /// <summary>The first bytes of a buffer in the session's host memory, valid until the next such call.</summary>
    public nint Read(OpenClBuffer buffer, long bytes)
    {
        var memory = (nint)fetched.Ensure(bytes);
        Read(buffer, (void*)memory, bytes);
        return memory;
    }

    /// <summary>Copies the first bytes of a buffer to another, after everything enqueued before.</summary>
    public void Copy(OpenClBuffer from, OpenClBuffer to, long bytes)
    {
        if (bytes == 0) return;
        OpenClException.Check(OpenClC.clEnqueueCopyBuffer(
            queue, from.Handle, to.Handle, 0, 0, (nuint)bytes, 0, null, null), "clEnqueueCopyBuffer");
    }

    /// <summary>Drops what a failed call has left in the queue.</summary>
    public void Abandon()
    {
        _ = OpenClC.clFinish(queue);
        Forget();
    }

    public void Dispose()
    {
        if (queue == 0) return;
        Abandon();
        foreach (var buffer in slots.Values) buffer.Dispose();
        slots.Clear();
        flag?.Dispose();
        fetched.Dispose();
        foreach (var (kernel, _) in kernels.Values) _ = OpenClC.clReleaseKernel(kernel);
        kernels.Clear();
        _ = OpenClC.clReleaseCommandQueue(queue);
        queue = 0;
    }

    private long Forget()
    {
        var count = launches.Count;
        foreach (var launch in launches) _ = OpenClC.clReleaseEvent(launch);
        launches.Clear();
        return count;
    }

    private (nint Kernel, long GroupLimit) KernelOf(OpenClSource source)
    {
        if (kernels.TryGetValue(source, out var known)) return known;
        int status;
        var kernel = OpenClC.clCreateKernel(device.Program(source.Source), source.Name, &status);
        OpenClException.Check(status, "clCreateKernel");
        nuint limit;
        var asked = OpenClC.clGetKernelWorkGroupInfo(
            kernel, device.Handle, OpenClC.KernelWorkGroupSize, (nuint)sizeof(nuint), &limit, null);
        return kernels[source] = (kernel, asked == OpenClC.Success ? (long)limit : device.MaxWorkGroupSize);
    }

    private static void SetArgument(nint kernel, uint index, nuint size, void* value) =>
        OpenClException.Check(OpenClC.clSetKernelArg(kernel, index, size, value), "clSetKernelArg");
}

/// <summary>Memory of a device.</summary>
internal sealed unsafe class OpenClBuffer : IDisposable
{
    /// <summary>
    /// Allocates memory with undefined contents. Empty buffers get a few bytes, since OpenCL has no empty buffers.
    /// </summary>
    public OpenClBuffer(OpenClDevice device, long bytes)
    {
        Capacity = bytes;
        Handle = Create(device, OpenClC.MemReadWrite, Math.Max(bytes, Storage), null);
    }

    private OpenClBuffer(nint handle, long bytes) => (Handle, Capacity) = (handle, bytes);

    private const long Storage = 64;

    public nint Handle { get; private set; }

    /// <summary>The size in bytes.</summary>
    public long Capacity { get; }

    /// <summary>
    /// A copy of host memory. Not CL_MEM_USE_HOST_PTR: two inputs may be one tensor, several sessions share weights,
    /// and OpenCL does not define two buffers over the same bytes.
    /// </summary>
    public static OpenClBuffer CopyOf(OpenClDevice device, void* source, long bytes) => bytes == 0
        ? new OpenClBuffer(device, 0)
        : new OpenClBuffer(Create(device, OpenClC.MemReadWrite | OpenClC.MemCopyHostPtr, bytes, source), bytes);

    public void Dispose()
    {
        if (Handle != 0) _ = OpenClC.clReleaseMemObject(Handle);
        Handle = 0;
    }

    private static nint Create(OpenClDevice device, ulong flags, long bytes, void* source)
    {
        int status;
        var handle = OpenClC.clCreateBuffer(device.Context, flags, (nuint)bytes, source, &status);
        OpenClException.Check(status, $"clCreateBuffer of {bytes} bytes");
        return handle;
    }
}
