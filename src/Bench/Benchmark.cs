// In: a case, the reference, the contenders. Out: a measured row for each: checked first, then timed in interleaved
// rounds.
using System.Diagnostics;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <param name="Seconds">The sampling time of one row; a longer call is one sample.</param>
/// <param name="TimeReference">Whether the kernel interpreter is timed too; it always runs for the check.</param>
/// <param name="MaxSamples">A row with this many samples ends early.</param>
internal sealed record BenchOptions(double Seconds = 3, bool TimeReference = true, int MaxSamples = 60);

/// <summary>A row of the table, measured or skipped.</summary>
/// <param name="Contender">What ran.</param>
/// <param name="Skipped">Why it was not measured; then the other values are empty.</param>
/// <param name="CompileMs">From program to executable, in this process, with libLLVM already loaded.</param>
/// <param name="Checked">"reference", "bits" or "bound".</param>
/// <param name="MaxError">As defined by <see cref="Agreement"/>.</param>
/// <param name="Times">Milliseconds per call.</param>
internal sealed record BenchRow(Contender Contender, string? Skipped, double CompileMs = 0, string Checked = "none",
    double? MaxError = null, SampleSummary? Times = null);

/// <summary>All rows of one case, and the peaks measured in the same rounds.</summary>
/// <param name="Peaks">GFLOP/s by the number of threads: f32 fma in registers, on that many threads at once.</param>
internal sealed record BenchResult(BenchCase Case, IReadOnlyList<BenchRow> Rows, IReadOnlyDictionary<int, double> Peaks)
{
    /// <summary>Floating-point operations of a call.</summary>
    public double Flops { get; } = FlopCount.Of(Case.Program, Case.Sizes);

    /// <summary>Bytes of inputs, state and results, each counted once.</summary>
    public long Bytes { get; } = FlopCount.CompulsoryBytes(Case.Program, Case.Sizes);

    /// <summary>The memory layout of the temporaries.</summary>
    public ArenaLayout Arena { get; } = new(Case.Program, s => Case.Sizes[s]);

    public double? Gflops(BenchRow row) => row.Times is { } t ? Flops / t.Median * 1e-6 : null;

    public double? Gbps(BenchRow row) => row.Times is { } t ? Bytes / t.Median * 1e-6 : null;

    public double? Peak(BenchRow row) =>
        row is { Times: not null, Contender.Threads: { } threads } && Peaks.TryGetValue(threads, out var peak) ? peak
            : null;

    public double? PeakPercent(BenchRow row) => 100 * Gflops(row) / Peak(row);

    /// <summary>The reference's median over this row's; null unless both were timed.</summary>
    public double? Speedup(BenchRow row) =>
        Rows.FirstOrDefault(r => r.Checked == "reference")?.Times?.Median / row.Times?.Median;
}

/// <summary>
/// A sample repeats the call until it has lasted 2 ms, so that neither the clock nor a single interrupt dominates it. A
/// round is one sample of every row and one reading of every peak, so that other load on the machine slows all of them
/// alike.
/// </summary>
internal static class Benchmark
{
    private const double SampleSeconds = 0.002;

    // The runtime recompiles the managed side of a call after 30 calls and 100 ms; sampling starts afterwards.
    private const double WarmSeconds = 0.15;

    /// <exception cref="InternalErrorException">A contender's result is wrong; nothing was timed.</exception>
    public static BenchResult Run(BenchCase given, Contender reference, IReadOnlyList<Contender> others,
        BenchOptions? options = null)
    {
        options ??= new BenchOptions();
        using var peaks = LlvmBackend.Available(out _)
            ? new PeakReadings(others.Append(reference).Where(c => c.Unavailable is null).Select(c => c.Threads ?? 1))
                : null;
        var runners = new List<Runner>();
        var rows = new List<BenchRow>();
        try
        {
            var first = Runner.Start(reference, given);
            runners.Add(first);
            first.Checked = "reference";
            var expected = first.Call();
            foreach (var contender in others)
            {
                if (Prepare(contender, given, expected, out var skipped) is { } runner) runners.Add(runner);
                else rows.Add(new BenchRow(contender, skipped));
            }
            foreach (var (_, tensor) in expected) tensor.Dispose();
            if (!options.TimeReference) runners.Remove(first);
            foreach (var runner in runners) runner.WarmUp();
            while (runners.Any(r => r.Wants(options)))
            {
                peaks?.Read();
                foreach (var runner in runners.Where(r => r.Wants(options))) runner.Sample();
            }
            // In the given order, with skipped rows in place.
            var measured = runners.ToDictionary(r => r.Contender, r => r.Row());
            var all = others.Select(c => measured.GetValueOrDefault(c) ?? rows.First(r => r.Contender == c));
            return new BenchResult(given, [.. measured.TryGetValue(reference, out var row) ? all.Prepend(row) : all],
                peaks?.Medians() ?? new Dictionary<int, double>());
        }
        finally
        {
            foreach (var runner in runners) runner.Dispose();
        }
    }

    private static Runner? Prepare(
        Contender contender, BenchCase given, IReadOnlyList<(string, Tensor)> expected, out string? skipped)
    {
        skipped = contender.Unavailable;
        if (skipped is not null) return null;
        Runner runner;
        try
        {
            runner = Runner.Start(contender, given);
        }
        catch (LimitationException e)
        {
            skipped = e.Message;
            return null;
        }
        var actual = runner.Call();
        try
        {
            runner.MaxError = Agreement.Check(contender.Backend, contender.Owes, expected, actual);
            runner.Checked = contender.Owes == Owes.Bits ? "bits" : "bound";
            return runner;
        }
        catch
        {
            runner.Dispose();
            throw;
        }
        finally
        {
            foreach (var (_, tensor) in actual) tensor.Dispose();
        }
    }

    /// <summary>An executable with its session and its samples.</summary>
    private sealed class Runner(Contender contender, BenchCase given, Executable executable,
        double compileMs) : IDisposable
    {
        private readonly Session session = executable.CreateSession();
        private readonly Tensor[] inputs = [.. given.Inputs];
        private readonly List<double> samples = [];
        private int calls = 1;
        private double spent;

        public Contender Contender => contender;

        public string Checked { get; set; } = "none";

        public double MaxError { get; set; }

        public static Runner Start(Contender contender, BenchCase given)
        {
            var watch = Stopwatch.StartNew();
            var executable = contender.Create();
            return new Runner(contender, given, executable, watch.Elapsed.TotalMilliseconds);
        }

        /// <summary>The results, then copies of the state that the function assigns.</summary>
        public IReadOnlyList<(string Name, Tensor Value)> Call()
        {
            var program = given.Program;
            var outputs = session.Run(program.Name, inputs);
            var assigned = program.Written.Select(b => program.Buffers[b])
                .Where(b => b.Kind is BufferKind.Param or BufferKind.Buffer);
            var names = program.Of(BufferKind.Output).Select(b => b.Label.Length > 0 ? b.Label : b.Name);
            return [.. names.Zip(outputs), .. assigned.Select(b => (b.Label, session.State[b.Label].Clone()))];
        }

        public void WarmUp()
        {
            var watch = Stopwatch.StartNew();
            var seconds = Time(1);
            // A call of tens of milliseconds needs no warm-up: the check has called it once already.
            while (seconds < 0.02 && watch.Elapsed.TotalSeconds < WarmSeconds) seconds = Math.Min(seconds, Time(1));
            calls = (int)Math.Max(1, Math.Ceiling(SampleSeconds / Math.Max(seconds, 1e-7)));
        }

        public bool Wants(BenchOptions options) =>
            samples.Count == 0 || (spent < options.Seconds && samples.Count < options.MaxSamples);

        public void Sample()
        {
            var seconds = Time(calls);
            spent += seconds;
            samples.Add(seconds / calls * 1e3);
        }

        public BenchRow Row() => new(contender, null, compileMs, Checked, MaxError, SampleSummary.Of(samples));

        public void Dispose()
        {
            session.Dispose();
            executable.Dispose();
        }

        private double Time(int count)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < count; i++)
                foreach (var tensor in session.Run(given.Program.Name, inputs)) tensor.Dispose();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }
}
