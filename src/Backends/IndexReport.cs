// In: the kernel call that met an index out of range, and its buffers. Out: a description of that index.
using Accelerate.Backends.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends;

/// <summary>
/// Kernels only report that an index was out of range, because recording it would cost each of them a register. The
/// kernel interpreter runs the failed kernel again, on copies of its outputs.
/// </summary>
internal static unsafe class IndexReport
{
    // The interpreter takes a second for some 50 million elements; for more, only the place is reported.
    private const long MostElements = 1 << 24;

    /// <summary>
    /// The first index that is out of range, with its valid range; null if the failure cannot be reproduced.
    /// </summary>
    public static string? Of(Kernel kernel, IReadOnlyList<int> buffers, ProgramCall call)
    {
        var copies = new List<byte[]>();
        try
        {
            long[] counts = [.. kernel.Buffers.Select(b => b.Count.Evaluate(call.SizeOf))];
            if (counts.Sum() > MostElements) return null;
            var data = new nint[counts.Length];
            for (var b = 0; b < counts.Length; b++)
            {
                data[b] = call.Pointers[buffers[b]];
                if (data[b] == 0 || counts[b] > call.Counts[buffers[b]]) return null;
                if (!kernel.Buffers[b].IsOutput) continue;
                var bytes = (int)Math.Max(1, counts[b] * kernel.Buffers[b].Type.Bytes());
                var copy = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);
                new ReadOnlySpan<byte>((void*)data[b], bytes).CopyTo(copy);
                copies.Add(copy);
                data[b] = (nint)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(copy, 0);
            }
            var found = new CompiledKernel(kernel).FirstOutOfRange(data, counts, call.SizeOf);
            GC.KeepAlive(copies);
            return found is not var (index, last) ? null
                : $"the index is {index}, and 0 to {last} is in range"
                    + (index < 0 ? "; of what is computed nothing counts from the end: write `x[(i + n) % n]`" : "");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A loop size that only the driver knows, or a dtype that the interpreter does not support.
            return null;
        }
    }
}
