// In: nothing. Out: the interface of the harness to any store of results.
namespace Accelerate.Bench.Records;

/// <summary>Selects results; null means any.</summary>
/// <param name="Run">The run.</param>
/// <param name="Commit">The prefix of the build's commit.</param>
/// <param name="Machine">The fingerprint of the machine.</param>
/// <param name="Benchmark">The benchmark.</param>
/// <param name="Contender">The contender.</param>
/// <param name="Model">The model.</param>
/// <param name="Suite">The suite of the run.</param>
/// <param name="Simulated">Whether to include simulated results.</param>
internal sealed record ResultFilter(Guid? Run = null, string? Commit = null, string? Machine = null,
    string? Benchmark = null, string? Contender = null, string? Model = null, string? Suite = null,
    bool Simulated = false);

/// <summary>Stores batches and returns them.</summary>
internal interface IResultStore : IDisposable
{
    /// <summary>
    /// After it returns, the batch is stored whatever happens to the process; before that, nothing of it is.
    /// </summary>
    void Append(ResultBatch batch);

    /// <summary>Runs, newest first.</summary>
    IReadOnlyList<RunRecord> Runs(ResultFilter filter);

    /// <summary>Results in the order in which they were measured, with samples and kernels if requested.</summary>
    IReadOnlyList<ResultRecord> Results(ResultFilter filter, bool details = false);
}
