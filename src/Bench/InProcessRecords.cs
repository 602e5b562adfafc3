// In: a case measured in this process. Out: its rows as records for the store.
using Accelerate.Bench.Records;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>
/// The rows of `accc bench FILE FN`: all from one process, so they form one block. The samples are batches of calls.
/// </summary>
internal static class InProcessRecords
{
    /// <summary>The records of a case, one for each row of its table.</summary>
    public static ResultBatch From(BenchResult result, RunRecord run) => new(run, [.. result.Rows.Select(row =>
        new ResultRecord
        {
            Id = Guid.NewGuid(),
            RunId = run.Id,
            MeasuredAt = DateTime.UtcNow,
            Benchmark = $"{result.Case.File}:{result.Case.Program.Name}",
            Category = "own",
            CaseKey = result.Case.Text.Replace(' ', '_').Replace("=", "", StringComparison.Ordinal),
            Contender = row.Contender.Backend,
            Backend = row.Contender.Backend,
            Device = row.Contender.Backend == "opencl" ? "opencl" : "cpu",
            Precision = result.Case.DType.Name(),
            Threads = row.Contender.Threads,
            OptLevel = row.Contender.OptLevel,
            Target = row.Contender.Target,
            Status = row.Skipped is null ? ResultStatus.Measured : ResultStatus.Skipped,
            Reason = row.Skipped,
            Checked = row.Checked == "reference" ? "none" : "interpreter",
            MaxError = row.MaxError,
            Min = row.Times?.Min * 1e3,
            Median = row.Times?.Median * 1e3,
            P90 = row.Times?.P90 * 1e3,
            CallsPerSecond = 1e3 / row.Times?.Median,
            ItemsPerSecond = 1e3 / row.Times?.Median,
            CompileMs = row.Skipped is null ? row.CompileMs : null,
            ArenaBytes = result.Arena.Bytes,
            Flops = result.Flops,
            Bytes = result.Bytes,
            PeakGflops = result.Peak(row),
            KernelCount = result.Case.Program.Kernels.Length,
        })]);
}
