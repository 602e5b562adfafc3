// Records of runs that nobody ran, for tests of what is made of records.
using Accelerate.Bench.Records;

namespace Accelerate.Tests.Bench.Reports;

internal static class MadeUpResults
{
    private static readonly DateTime Day = new(2026, 11, 30, 12, 0, 0, DateTimeKind.Utc);

    /// <summary>A run whose id is that number.</summary>
    public static RunRecord Run(int number, string commit = "abc1234", string machine = "m1", string? suite = "quick",
        bool simulated = false) =>
        new(Id(number), Day.AddHours(number), "accc bench run", suite, 7,
            new(machine, "cpu", "A processor", 2, 8L << 30, ["avx2"], new Dictionary<string, long> { ["L1"] = 32768 }),
            new("Debian 12", "10.0.0", "18.1", commit, "build"), simulated);

    public static Guid Id(int number) => new($"{number:x8}-0000-0000-0000-000000000000");

    /// <summary>A process of a case for each median, in microseconds, in blocks 0, 1, 2, …</summary>
    public static IEnumerable<ResultRecord> Processes(RunRecord run, string key, string contender,
        IEnumerable<double> medians, Func<ResultRecord, ResultRecord>? change = null) =>
        medians.Select((median, block) => (change ?? (r => r))(new ResultRecord
        {
            Id = Guid.NewGuid(),
            RunId = run.Id,
            MeasuredAt = run.StartedAt.AddSeconds(block),
            Benchmark = "gemm",
            Category = "kernels",
            CaseKey = key,
            Contender = contender,
            Backend = contender is "llvm" or "interpreter" ? contender : "peer",
            Threads = contender == "interpreter" ? null : 2,
            Block = block,
            Median = median,
            Checked = "interpreter",
            Status = ResultStatus.Measured,
            KernelCount = 3,
            ArenaBytes = 4096,
            Flops = 2e6,
            Bytes = 6e6,
            PeakGflops = 100,
        }));

    /// <summary>Twelve processes around a median, one per cent from the least to the most.</summary>
    public static IEnumerable<double> Around(double median) =>
        Enumerable.Range(0, 12).Select(i => median * (1 + 0.01 * ((i * 5 % 12 - 5.5) / 11)));
}
