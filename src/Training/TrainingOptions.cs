// In: the caller's choices about training. Out: the options, and the reports of a run.
using Accelerate.Runtime;

namespace Accelerate.Training;

/// <summary>The handling of a step whose loss is not finite.</summary>
public enum OnNan
{
    /// <summary>Training ends with an error; checkpoints are from earlier steps.</summary>
    Stop,

    /// <summary>
    /// The state of before the step is restored and the next batch follows. This copies the state in every step.
    /// </summary>
    Skip,

    /// <summary>The step counts like any other.</summary>
    Ignore,
}

/// <summary>How a function is trained.</summary>
/// <param name="Step">The exported function that is called with each batch: it updates the state, and its first scalar
/// float result is the loss.</param>
public sealed record TrainingOptions(string Step)
{
    /// <summary>The number of examples in a batch.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>True to use the remaining examples of an epoch as a smaller batch, false to drop them.</summary>
    public bool KeepsLast { get; init; }

    /// <summary>The number of passes over the data.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>
    /// The number of steps after which training ends, even within an epoch; null for all steps of all epochs.
    /// </summary>
    public long? Steps { get; init; }

    /// <summary>Determines the order of examples, the validation split, and the keys that steps receive.</summary>
    public long Seed { get; init; }

    /// <summary>False to use the order of the file in every epoch.</summary>
    public bool Shuffles { get; init; } = true;

    /// <summary>The handling of a step whose loss is not finite.</summary>
    public OnNan OnNan { get; init; }

    /// <summary>
    /// Called when a step gives a loss or leaves state that is not finite, to find the origin. The answer becomes part
    /// of the error that ends training, and the state is restored to before the step. Null to skip this check;
    /// otherwise every step copies the state beforehand and scans it afterwards.
    /// </summary>
    internal Func<FailedStep, string?>? FindNotFinite { get; init; }

    /// <summary>
    /// Arguments other than data, by parameter name, for both functions. Of the parameters without one, an i64 `key` or
    /// `seed` gets `fold(seed, step)`, and an i32 `step` gets the number of the step, from 0.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> Arguments { get; init; } = new Dictionary<string, Tensor>();

    /// <summary>Values of `int` parameters by name.</summary>
    public IReadOnlyDictionary<string, long> Sizes { get; init; } = new Dictionary<string, long>();

    /// <summary>An exported function whose scalar float results evaluate the state; null for none.</summary>
    public string? Validate { get; init; }

    /// <summary>
    /// The fraction of the training data held out for validation, from 0 to below 1; 0 where validation has data of its
    /// own.
    /// </summary>
    public double ValidationSplit { get; init; }

    /// <summary>The number of steps between validations; null for one after every epoch.</summary>
    public long? ValidateEvery { get; init; }

    /// <summary>
    /// The metric that decides which state is best, from validation if there is one: its name, optionally prefixed by
    /// `max:` or `min:`. Null for `loss`, or the first metric where there is no `loss`. Without a prefix, higher is
    /// better if the name contains `acc`.
    /// </summary>
    public string? Best { get; init; }

    /// <summary>
    /// The number of evaluations without improvement after which training ends; null to never end early.
    /// </summary>
    public int? Patience { get; init; }

    /// <summary>The folder for checkpoints, created if it does not exist; null for no checkpoints.</summary>
    public string? Checkpoints { get; init; }

    /// <summary>The number of steps between checkpoints; null for one after every epoch.</summary>
    public long? CheckpointEvery { get; init; }

    /// <summary>The number of checkpoints to keep, besides the best.</summary>
    public int Keep { get; init; } = 3;

    /// <summary>
    /// The position from which to resume; the session must start with the state of that checkpoint. Null for a new run.
    /// </summary>
    public TrainingPosition? Resume { get; init; }
}

/// <summary>A step that gave a loss, or left state, that is not finite.</summary>
/// <param name="Inputs">The inputs of the call.</param>
/// <param name="Sizes">Values of the sizes that no input's shape determines.</param>
/// <param name="State">The state before the step, by path.</param>
/// <param name="Path">The path of the state that is not finite; null for the loss.</param>
internal sealed record FailedStep(IReadOnlyList<Tensor> Inputs, IReadOnlyDictionary<string, long> Sizes,
    IReadOnlyDictionary<string, Tensor> State, string? Path);

/// <summary>Training cannot start or continue; the message says why.</summary>
public sealed class TrainingException(string message, string? help = null) : AccelerateException(message)
{
    /// <summary>A suggestion what to do; null if there is none.</summary>
    public string? Help { get; } = help;
}

/// <summary>A scalar float result of a function.</summary>
/// <param name="Name">The name in the signature, or one derived from the function.</param>
/// <param name="Value">The value, which may be NaN or infinite.</param>
public readonly record struct Metric(string Name, double Value);

/// <summary>The report on one step.</summary>
/// <param name="Step">The number of steps done, including this one.</param>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Metrics">The function's scalar float results; the first is the loss.</param>
/// <param name="Examples">The number of examples in the batch.</param>
/// <param name="IsSkipped">True if the step was undone because its loss was not finite.</param>
/// <param name="Seconds">Seconds of training since the run began, without validation and checkpoints.</param>
public sealed record StepReport(
    long Step, int Epoch, IReadOnlyList<Metric> Metrics, int Examples, bool IsSkipped, double Seconds);

/// <summary>The report on an evaluation, after or within an epoch.</summary>
/// <param name="Step">The number of steps done.</param>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="EndsEpoch">True for the report after the epoch's last step.</param>
/// <param name="Training">Means over the epoch so far, weighted by the number of examples.</param>
/// <param name="Validation">Means over the validation examples; empty if there was no validation.</param>
/// <param name="IsBest">Whether this is the best evaluation so far.</param>
/// <param name="Examples">The number of examples in the training means.</param>
/// <param name="Seconds">Seconds of training since the run began, without validation and checkpoints.</param>
public sealed record EpochReport(long Step, int Epoch, bool EndsEpoch, IReadOnlyList<Metric> Training,
    IReadOnlyList<Metric> Validation, bool IsBest, long Examples, double Seconds);

/// <summary>Why training ended.</summary>
public enum TrainingEnd
{
    /// <summary>All epochs or steps are complete.</summary>
    Done,

    /// <summary>There was no improvement for <see cref="TrainingOptions.Patience"/> evaluations.</summary>
    Patience,

    /// <summary>The caller cancelled it.</summary>
    Interrupted,
}

/// <summary>
/// Receives reports during training, on the thread that trains. The default implementations do nothing.
/// </summary>
public interface ITrainingObserver
{
    /// <summary>Called before the first step.</summary>
    /// <param name="done">The number of steps that an earlier run has done.</param>
    /// <param name="total">The number of steps when training is complete.</param>
    /// <param name="epochSteps">The number of steps in an epoch.</param>
    void Starts(long done, long total, long epochSteps)
    {
    }

    /// <summary>Called after every step.</summary>
    /// <param name="report">The step that has just ended.</param>
    void Steps(StepReport report)
    {
    }

    /// <summary>Called after every epoch and every validation.</summary>
    /// <param name="report">The metrics, and whether they are the best so far.</param>
    void Judges(EpochReport report)
    {
    }

    /// <summary>Called after a checkpoint has been written.</summary>
    /// <param name="path">The file.</param>
    /// <param name="step">The number of steps done.</param>
    void Saves(string path, long step)
    {
    }
}
