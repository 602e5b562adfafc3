// In: nothing. Out: the current rate of this machine's fused multiply-adds in GFLOP/s, as a reference for the same run.
using System.Diagnostics;
using System.Text;
using Accelerate.Backends.Llvm;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>
/// Twelve independent chains of fma over the host's widest vectors, in registers: latency 4 and two units require
/// eight, the rest is slack. The machine is shared and its clock varies, so the peak is measured in the run that quotes
/// it.
/// </summary>
internal sealed unsafe class FmaPeak : IDisposable
{
    private const int Chains = 12;
    private const long Iterations = 200_000;

    private readonly HostCode code;
    private readonly delegate* unmanaged<float*, long, void> run;
    private readonly int lanes;

    public FmaPeak()
    {
        code = new HostCode(Module);
        lanes = Lanes(code.Processor);
        run = (delegate* unmanaged<float*, long, void>)code.Lookup("peak");
    }

    /// <summary>One reading of about a millisecond, on a single thread.</summary>
    public double Read() => Rate(1, () => Chain());

    /// <summary>
    /// One reading on all workers of a pool at once: the operations of all over the time until the last one is done.
    /// </summary>
    public double Read(WorkerPool pool) =>
        pool.Workers == 1 ? Read() : Rate(pool.Workers, () => pool.Run((begin, end, _) =>
    {
        for (var job = begin; job < end; job++) Chain();
        return 0;
    }, pool.Workers));

    private double Rate(int chains, Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return 2.0 * Chains * lanes * Iterations * chains / Stopwatch.GetElapsedTime(start).TotalSeconds * 1e-9;
    }

    private void Chain()
    {
        var data = stackalloc float[3 * 16];
        for (var i = 0; i < 48; i++) data[i] = 0.5f;
        run(data, Iterations);
    }

    public void Dispose() => code.Dispose();

    private static int Lanes(HostProcessor processor) => processor.VectorBits / 32;

    private static string Module(HostProcessor target)
    {
        var lanes = Lanes(target);
        var v = $"<{lanes} x float>";
        var text = new StringBuilder($"target triple = \"{target.Triple}\"\n");
        var fma = target.HasFma ? $"@llvm.fma.v{lanes}f32" : $"@llvm.fmuladd.v{lanes}f32";
        text.Append($"declare {v} {fma}({v}, {v}, {v})\n");
        text.Append(
            $"define void @peak(ptr %p, i64 %n) {{\nentry:\n  %a = load {v}, ptr %p, align 4\n  br label %loop\nloop:\n");
        text.Append("  %i = phi i64 [ 0, %entry ], [ %next, %loop ]\n");
        for (var c = 0; c < Chains; c++)
            text.Append($"  %s{c} = phi {v} [ zeroinitializer, %entry ], [ %t{c}, %loop ]\n");
        for (var c = 0; c < Chains; c++) text.Append($"  %t{c} = call {v} {fma}({v} %a, {v} %a, {v} %s{c})\n");
        text.Append(
            "  %next = add i64 %i, 1\n  %more = icmp slt i64 %next, %n\n  br i1 %more, label %loop, label %done\ndone:\n");
        var sum = "%t0";
        for (var c = 1; c < Chains; c++)
        {
            text.Append($"  %u{c} = fadd {v} {sum}, %t{c}\n");
            sum = $"%u{c}";
        }
        return text.Append($"  store {v} {sum}, ptr %p, align 4\n  ret void\n}}\n").ToString();
    }
}
