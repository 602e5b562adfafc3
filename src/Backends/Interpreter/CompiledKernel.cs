// In: a kernel, then buffers and sizes. Out: the kernel run over all its jobs, on the calling thread or a worker pool.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Interpreter;

/// <summary>
/// A kernel compiled to delegates. Immutable except for its counter; any number of threads may run it.
/// </summary>
internal sealed unsafe class CompiledKernel
{
    private readonly KernelBody body;
    private readonly Size[] extents;
    private long storedBytes;

    /// <param name="kernel">A kernel that has passed the verifier.</param>
    /// <param name="countStores">Whether to count <see cref="StoredBytes"/>, at some cost in speed.</param>
    /// <exception cref="LimitationException">It computes in f16 or bf16.</exception>
    public CompiledKernel(Kernel kernel, bool countStores = false)
    {
        Kernel = kernel;
        body = KernelCompiler.Compile(kernel, countStores);
        extents = [.. kernel.ParallelNest().Loops.Select(l => l.Extent)];
    }

    public Kernel Kernel { get; }

    /// <summary>The bytes stored by all runs so far, counting every store.</summary>
    public long StoredBytes => Volatile.Read(ref storedBytes);

    /// <summary>Runs the kernel over raw buffers, in the kernel's order.</summary>
    /// <param name="data">The first element of each buffer.</param>
    /// <param name="counts">The number of elements of each buffer; an access beyond it throws.</param>
    /// <param name="sizes">A value for each of the kernel's sizes.</param>
    /// <param name="pool">Runs the parallel loops; null for the calling thread alone.</param>
    /// <returns>True if an index was out of range: a <see cref="Flag"/> fired.</returns>
    /// <exception cref="InternalErrorException">An access was out of bounds; the buffers are half written.</exception>
    public bool Run(nint[] data, long[] counts, Func<string, long> sizes, WorkerPool? pool = null)
    {
        var jobs = extents.Aggregate(1L, (product, e) => checked(product * Math.Max(0, e.Evaluate(sizes))));
        long[] values = [.. Kernel.Sizes.Select(sizes)];
        var flagged = 0;
        int Part(long begin, long end, long worker)
        {
            var report = new JobReport();
            body(data, counts, values, begin, end, report);
            Interlocked.Add(ref storedBytes, report.StoredBytes);
            if (report.Flagged) Volatile.Write(ref flagged, 1);
            return HostStatus.Ok;
        }
        if (pool is null) Part(0, jobs, 0);
        else pool.Run(Part, jobs);
        return flagged != 0;
    }

    /// <summary>
    /// Runs on the calling thread; returns the first index that was out of range, with the last valid one.
    /// </summary>
    internal (long Index, long Last)? FirstOutOfRange(nint[] data, long[] counts, Func<string, long> sizes)
    {
        var jobs = extents.Aggregate(1L, (product, e) => checked(product * Math.Max(0, e.Evaluate(sizes))));
        var report = new JobReport();
        body(data, counts, [.. Kernel.Sizes.Select(sizes)], 0, jobs, report);
        return report.OutOfRange;
    }

    /// <summary>Runs the kernel over tensors, in the kernel's order; otherwise like the other overload.</summary>
    /// <exception cref="InternalErrorException">Also if a buffer has another dtype or too few elements.</exception>
    public bool Run(IReadOnlyList<Tensor> buffers, Func<string, long> sizes, WorkerPool? pool = null)
    {
        if (buffers.Count != Kernel.Buffers.Length)
            throw new InternalErrorException(
                $"kernel @{Kernel.Name} takes {Kernel.Buffers.Length} buffers, not {buffers.Count}");
        for (var b = 0; b < buffers.Count; b++)
        {
            var declared = Kernel.Buffers[b];
            if (declared.Type != buffers[b].Type || declared.Count.Evaluate(sizes) > buffers[b].Count)
                throw new InternalErrorException($"kernel @{Kernel.Name} wants {declared.Name}: "
                    + $"{declared.Type.Name()} x {declared.Count}, not {buffers[b].Type.Name()} x {buffers[b].Count}");
        }
        var flagged = Run(
            [.. buffers.Select(b => (nint)b.Pointer)],
            [.. Kernel.Buffers.Select(b => b.Count.Evaluate(sizes))], sizes, pool);
        GC.KeepAlive(buffers);
        return flagged;
    }
}
