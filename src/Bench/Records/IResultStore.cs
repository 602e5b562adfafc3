// In: nothing. Out: what the harness asks of a store of results, whichever it is.
namespace Accelerate.Bench.Records;

/// <summary>Which results are wanted; what is null does not matter.</summary>
/// <param name="Run">Of one run.</param>
/// <param name="Commit">Of builds whose commit begins so.</param>
/// <param name="Machine">Of the machine with that fingerprint.</param>
/// <param name="Benchmark">Of one benchmark.</param>
/// <param name="Contender">Of one contender.</param>
/// <param name="Model">Of one model.</param>
/// <param name="Suite">Of runs of one suite.</param>
/// <param name="Simulated">Whether results that were made up count too.</param>
internal sealed record ResultFilter(Guid? Run = null, string? Commit = null, string? Machine = null,
    string? Benchmark = null, string? Contender = null, string? Model = null, string? Suite = null,
    bool Simulated = false);

/// <summary>Keeps batches and gives them back.</summary>
internal interface IResultStore : IDisposable
{
    /// <summary>When it returns the batch is kept, whatever happens to the process; before, nothing of it is.</summary>
    void Append(ResultBatch batch);

    /// <summary>Runs, the newest first.</summary>
    IReadOnlyList<RunRecord> Runs(ResultFilter filter);

    /// <summary>Results in the order they were measured, with samples and kernels if those are asked for.</summary>
    IReadOnlyList<ResultRecord> Results(ResultFilter filter, bool details = false);
}
