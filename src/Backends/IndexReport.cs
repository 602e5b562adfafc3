// In: the kernel call that met an index out of range, and its buffers. Out: which index it was, in words.
using Accelerate.Backends.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends;

/// <summary>
/// Kernels only say that an index was out of range: what it was would cost each of them a register. The kernel
/// interpreter looks at the failed one again, on copies of what it writes.
/// </summary>
internal static unsafe class IndexReport
{
    // The interpreter takes a second for some 50 million elements; for more the place has to do.
    private const long MostElements = 1 << 24;

    /// <summary>The first index that is out of range, with what it may be; null where that cannot be seen
    /// again.</summary>
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
            // A size of a loop that the driver alone knows, a dtype that the interpreter does not compute in.
            return null;
        }
    }
}
