// In: bytes for each thread. Out: the bandwidth of repeated reading and copying, on all workers of a pool at once.
using System.Diagnostics;
using System.Text;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>
/// Three loops over the host's widest vectors, four to eight an iteration: read, copy, copy with non-temporal stores.
/// </summary>
internal sealed unsafe class MemoryStreams : IDisposable
{
    // One reading moves about the same amount on every level, so that on a small one it is longer than an interrupt.
    private const long BytesAReading = 64 << 20;

    private readonly HostCode code;
    private readonly delegate* unmanaged<float*, float*, long, void> read;
    private readonly delegate* unmanaged<float*, float*, long, void> copy;
    private readonly delegate* unmanaged<float*, float*, long, void> stream;

    public MemoryStreams()
    {
        code = new HostCode(Module);
        read = (delegate* unmanaged<float*, float*, long, void>)code.Lookup("read");
        copy = (delegate* unmanaged<float*, float*, long, void>)code.Lookup("copy");
        stream = (delegate* unmanaged<float*, float*, long, void>)code.Lookup("stream");
    }

    /// <summary>
    /// GB/s of reading `bytes` on each worker, and of copying one half of them to the other; the best of the readings.
    /// </summary>
    public (double Read, double Move) Measure(WorkerPool pool, long bytes, int readings)
    {
        bytes &= ~8191L;
        // Allocated as tensors: from DRAM, one thread read 31 GB/s in the huge pages that large tensors get, 17 in
        // pages of 4 KiB (Zen 4).
        var tensors = Enumerable.Range(0, pool.Workers).Select(_ => Tensor.Zeros(DType.U8, bytes)).ToArray();
        try
        {
            var data = tensors.Select(t =>
            {
                t.Bytes.Clear(); // every page is written before any is read
                return (nint)t.Pointer;
            }).ToArray();
            return (Best(data, read, 1), Math.Max(Best(data, copy, 2), Best(data, stream, 2)));
        }
        finally
        {
            foreach (var tensor in tensors) tensor.Dispose();
        }

        double Best(nint[] data, delegate* unmanaged<float*, float*, long, void> loop, int parts)
        {
            var count = bytes / 4 / parts;
            var repeats = Math.Max(1, BytesAReading / bytes);
            var best = 0.0;
            for (var reading = 0; reading <= readings; reading++)
            {
                var start = Stopwatch.GetTimestamp();
                pool.Run((begin, end, _) =>
                {
                    for (var job = begin; job < end; job++)
                    {
                        var at = (float*)data[job];
                        for (var r = 0L; r < repeats; r++) loop(at, at + (parts - 1) * count, count);
                    }
                    return 0;
                }, pool.Workers);
                var rate = (double)bytes * repeats * pool.Workers / Stopwatch.GetElapsedTime(start).TotalSeconds * 1e-9;
                if (reading > 0) best = Math.Max(best, rate); // the first one warms up
            }
            return best;
        }
    }

    public void Dispose() => code.Dispose();

    private static string Module(HostProcessor target)
    {
        var lanes = target.VectorBits / 32;
        var text = new StringBuilder($"target triple = \"{target.Triple}\"\ndeclare void @llvm.x86.sse.sfence()\n");
        Read(text, $"<{lanes} x float>", lanes, 8);
        Copy(text, "copy", $"<{lanes} x float>", lanes, 4, "", "");
        Copy(text, "stream", $"<{lanes} x float>", lanes, 4, ", !nontemporal !0",
            "  call void @llvm.x86.sse.sfence()\n");
        return text.Append("!0 = !{i32 1}\n").ToString();
    }

    /// <summary>
    /// As many chains of additions as loads in an iteration; the sum is written to the other pointer once a call.
    /// </summary>
    private static void Read(StringBuilder text, string v, int lanes, int vectors)
    {
        text.Append("define void @read(ptr %p, ptr %out, i64 %n) {\nentry:\n  br label %loop\nloop:\n");
        text.Append("  %i = phi i64 [ 0, %entry ], [ %next, %loop ]\n");
        for (var c = 0; c < vectors; c++)
            text.Append($"  %s{c} = phi {v} [ zeroinitializer, %entry ], [ %t{c}, %loop ]\n");
        for (var c = 0; c < vectors; c++)
        {
            text.Append($"  %o{c} = add i64 %i, {c * lanes}\n  %a{c} = getelementptr float, ptr %p, i64 %o{c}\n");
            text.Append($"  %x{c} = load {v}, ptr %a{c}, align 64\n  %t{c} = fadd {v} %s{c}, %x{c}\n");
        }
        text.Append($"  %next = add i64 %i, {vectors * lanes}\n  %more = icmp slt i64 %next, %n\n");
        text.Append("  br i1 %more, label %loop, label %done\ndone:\n");
        var sum = "%t0";
        for (var c = 1; c < vectors; c++)
        {
            text.Append($"  %u{c} = fadd {v} {sum}, %t{c}\n");
            sum = $"%u{c}";
        }
        text.Append($"  store {v} {sum}, ptr %out, align 64\n  ret void\n}}\n");
    }

    private static void Copy(StringBuilder text, string name, string v, int lanes, int vectors, string hint,
        string after)
    {
        text.Append(
            $"define void @{name}(ptr noalias %p, ptr noalias %q, i64 %n) {{\nentry:\n  br label %loop\nloop:\n");
        text.Append("  %i = phi i64 [ 0, %entry ], [ %next, %loop ]\n");
        for (var c = 0; c < vectors; c++)
        {
            text.Append($"  %o{c} = add i64 %i, {c * lanes}\n  %a{c} = getelementptr float, ptr %p, i64 %o{c}\n");
            text.Append($"  %b{c} = getelementptr float, ptr %q, i64 %o{c}\n  %x{c} = load {v}, ptr %a{c}, align 64\n");
            text.Append($"  store {v} %x{c}, ptr %b{c}, align 64{hint}\n");
        }
        text.Append($"  %next = add i64 %i, {vectors * lanes}\n  %more = icmp slt i64 %next, %n\n");
        text.Append($"  br i1 %more, label %loop, label %done\ndone:\n{after}  ret void\n}}\n");
    }
}
