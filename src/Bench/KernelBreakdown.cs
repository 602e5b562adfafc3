// In: a case, LLVM options. Out: the time of a call by kernel, the most expensive first.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Accelerate.Backends.Llvm;
using Accelerate.Bench.Records;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>A kernel of the program, over all its calls in one call of the function.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Writes">The output of its first call, as a type: distinguishes the layers of a network.</param>
/// <param name="Where">The places in the source, and the layers, that its calls come from.</param>
/// <param name="Calls">The number of calls in one call of the function.</param>
/// <param name="Ms">The median over the samples, or the sum of each call's least time.</param>
/// <param name="Flops">Floating-point operations of all its calls.</param>
/// <param name="Bound">The limit of most of the least time of its calls: FMA, a level of memory, the start of a
/// loop.</param>
/// <param name="LeastMs">The least time of all its calls by <see cref="Roofline"/>.</param>
internal sealed record KernelTime(
    Kernel Kernel, string Writes, string Where, int Calls, double Ms, double Flops, string Bound, double LeastMs);

/// <summary>The time of a call by kernel.</summary>
/// <param name="Kernels">The most expensive first.</param>
/// <param name="OutsideMs">The rest of a call: entry checks, allocation of results, the transition from managed to
/// native code.</param>
/// <param name="PeakGflops">The peak on as many threads, measured in the same rounds.</param>
/// <param name="Limits">The machine's limits on as many threads, measured before.</param>
internal sealed partial record KernelBreakdown(
    IReadOnlyList<KernelTime> Kernels, double OutsideMs, double PeakGflops, MachineLimits Limits)
{
    /// <summary>Runs the program's steps one at a time, for as long as a row of the benchmark would run.</summary>
    /// <param name="limits">The machine's limits on as many threads; measured here if null.</param>
    /// <param name="least">Whether to use the least of each call's samples instead of the median, for a machine with
    /// other load.</param>
    public static KernelBreakdown Measure(
        BenchCase given, LlvmOptions options, BenchOptions timing, MachineLimits? limits = null, bool least = false)
    {
        using var executable =
            new LlvmExecutable([given.Program], options with { TimeSteps = true, UseCache = false }, given.State);
        using var session = executable.CreateSession();
        limits ??= MachineLimits.Measure(options.Threads);
        using var peaks = new PeakReadings([options.Threads]);
        Tensor[] inputs = [.. given.Inputs];
        var calls = executable.StepTimes(0).Select(t => t.Step).ToArray();
        var samples = calls.Select(_ => new List<double>()).ToArray();
        var outside = new List<double>();
        Sample(); // the first call finds cold caches and unwritten pages
        foreach (var list in samples.Append(outside)) list.Clear();
        var spent = 0.0;
        while (outside.Count == 0 || (spent < timing.Seconds && outside.Count < timing.MaxSamples))
        {
            peaks.Read();
            spent += Sample();
        }
        var flops = FlopCount.ByKernel(given.Program, given.Sizes);
        var bounds = Roofline.Of(given.Program, given.Sizes, limits);
        var rows = calls.Select((step, i) => (step, Seconds: samples[i], Bound: bounds[i])).GroupBy(s => s.step.Kernel)
            .Select(group =>
        {
            var kernel = given.Program.Kernels[group.Key];
            var seconds = least ? group.Sum(g => g.Seconds.Min())
                : SampleSummary.Of(
                    Enumerable.Range(0, group.First().Seconds.Count).Select(n => group.Sum(g => g.Seconds[n]))).Median;
            var result = kernel.Buffers.ToList().FindIndex(b => b.IsOutput);
            var written = given.Program.Buffers[group.First().step.Buffers[result]];
            var bound = group.GroupBy(g => g.Bound.Name).MaxBy(g => g.Sum(b => b.Bound.Ms))!.Key;
            return new KernelTime(kernel, Concrete(written.Type, given.Sizes), Where(group.Select(g => g.step)),
                group.Count(), seconds * 1e3, flops[group.Key], bound, group.Sum(g => g.Bound.Ms));
        });
        return new([.. rows.OrderByDescending(r => r.Ms)], SampleSummary.Of(outside).Median * 1e3,
            peaks.Medians().Values.DefaultIfEmpty(double.NaN).First(), limits);

        double Sample()
        {
            // Short calls are repeated, like the benchmark's samples, and the sums divided by the repetitions.
            var before = executable.StepTimes(0);
            var (repeats, seconds) = (0, 0.0);
            for (var start = Stopwatch.GetTimestamp(); repeats == 0 || seconds < 0.002; repeats++)
            {
                foreach (var tensor in session.Run(given.Program.Name, inputs, given.Sizes)) tensor.Dispose();
                seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
            var after = executable.StepTimes(0);
            for (var i = 0; i < samples.Length; i++) samples[i].Add((after[i].Seconds - before[i].Seconds) / repeats);
            outside.Add(seconds / repeats - samples.Sum(s => s[^1]));
            return seconds;
        }
    }

    /// <summary>The records for the store.</summary>
    public IReadOnlyList<KernelRecord> Records(Program program, IReadOnlyDictionary<string, long> sizes)
    {
        var bytes = Roofline.BytesByKernel(program, sizes);
        return [.. Kernels.Select(k => new KernelRecord(k.Kernel.Name, k.Where, k.Calls, k.Ms * 1e3, k.Flops,
            bytes[program.Kernels.IndexOf(k.Kernel)]))];
    }

    public string Print()
    {
        var (total, flops) = (OutsideMs + Kernels.Sum(k => k.Ms), Kernels.Sum(k => k.Flops));
        var text = new StringBuilder($"kernels  llvm, {Limits.Threads} thread{(Limits.Threads == 1 ? "" : "s")}, "
            + $"steps driven one at a time; the limits they are read against:\n{Limits.Print()}\n");
        var rows = Kernels.Select(k => new[]
        {
            $"@{k.Kernel.Name}", k.Kernel.Kind.ToString().ToLowerInvariant(), k.Writes,
            k.Calls.ToString(CultureInfo.InvariantCulture),
            BenchTable.Time(k.Ms), BenchTable.Number(100 * k.Ms / total),
            BenchTable.Number(k.Flops / k.Ms * 1e-6), BenchTable.Number(100 * k.Flops / k.Ms * 1e-6 / PeakGflops),
            k.Bound, BenchTable.Number(100 * k.LeastMs / k.Ms), k.Where,
        }).Append(
            ["outside", "", "", "", BenchTable.Time(OutsideMs), BenchTable.Number(100 * OutsideMs / total), "", "", "",
                "", ""])
            .Append(["total", "", "", Kernels.Sum(k => k.Calls).ToString(CultureInfo.InvariantCulture),
                BenchTable.Time(total), "100",
                BenchTable.Number(flops / total * 1e-6), BenchTable.Number(100 * flops / total * 1e-6 / PeakGflops),
                "", BenchTable.Number(100 * Kernels.Sum(k => k.LeastMs) / total), ""]);
        return text.Append(BenchTable.Align(
            ["kernel", "kind", "writes", "calls", "time", "% of time", "GFLOP/s", "% of peak", "bound", "% of bound",
                "where"], rows)).ToString();
    }

    /// <summary>
    /// One text for the calls of equal layers, with `*` for numbers that differ between their places.
    /// </summary>
    private static string Where(IEnumerable<CallStep> calls)
    {
        var all = calls.Select(c => c.Layer.Length > 0 ? $"{c.Place} {c.Layer}" : c.Place).Distinct().ToList();
        var alike = all.GroupBy(p => LayerNumber().Replace(p, ".*")).ToList();
        return string.Join("; ", alike.Take(2).Select(g => g.Count() == 1 ? g.Single() : g.Key))
            + (alike.Count > 2 ? $"; {alike.Count - 2} more" : "");
    }

    [GeneratedRegex("(?<= .*)[.][0-9]+(?=[.]|$)")]
    private static partial Regex LayerNumber();

    private static string Concrete(TensorType type, IReadOnlyDictionary<string, long> sizes) =>
        $"{type.DType.Name()}[{string.Join(",", type.Shape.Select(s => s.Evaluate(sizes)))}]";
}
