// In: what a caller may choose about training. Out: the choices, and what is told of a run while it goes on.
using Accelerate.Runtime;

namespace Accelerate.Training;

/// <summary>What becomes of a step whose loss is not finite.</summary>
public enum OnNan
{
    /// <summary>Training ends with an error; the checkpoints are from before.</summary>
    Stop,

    /// <summary>The state is as it was before the step, and the next batch follows. Costs a copy of the state a
    /// step.</summary>
    Skip,

    /// <summary>It is a step like any other.</summary>
    Ignore,
}

/// <summary>How a function is trained.</summary>
/// <param name="Step">The exported function that is called with each batch: it updates state; its first scalar float
/// result is the loss.</param>
public sealed record TrainingOptions(string Step)
{
    /// <summary>Examples of a step.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Whether the last examples of an epoch make a smaller batch, or are left out.</summary>
    public bool KeepsLast { get; init; }

    /// <summary>Passes over the data.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Steps after which training ends, within an epoch too; null for all of the epochs'.</summary>
    public long? Steps { get; init; }

    /// <summary>Decides the order of examples, the part for validation, and the keys that steps are given.</summary>
    public long Seed { get; init; }

    /// <summary>False for the order of the file in every epoch.</summary>
    public bool Shuffles { get; init; } = true;

    /// <summary>What becomes of a step whose loss is not finite.</summary>
    public OnNan OnNan { get; init; }

    /// <summary>
    /// Asked where it began, if a step gives a loss or leaves state that is not finite; its answer stands in the error
    /// that ends training, with the state as it was before. Null for not asking; otherwise the state is copied before
    /// each step, and looked through behind it.
    /// </summary>
    public Func<FailedStep, string?>? FindNotFinite { get; init; }

    /// <summary>
    /// Arguments that are no data, by parameter of either function. Parameters that have none: an i64 `key` or `seed`
    /// gets `fold(seed, step)`, an i32 `step` the number of the step, from 0.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> Arguments { get; init; } = new Dictionary<string, Tensor>();

    /// <summary>Values of `int` parameters.</summary>
    public IReadOnlyDictionary<string, long> Sizes { get; init; } = new Dictionary<string, long>();

    /// <summary>An exported function whose scalar float results judge the state; null for none.</summary>
    public string? Validate { get; init; }

    /// <summary>The part of the training data that is held back for it, if it has no data of its own.</summary>
    public double ValidationSplit { get; init; }

    /// <summary>Steps between validations; null for one after every epoch.</summary>
    public long? ValidateEvery { get; init; }

    /// <summary>
    /// The result that says which state is best, of validation if there is one: its name, with `max:` or `min:` before
    /// it. Null for `loss`, else the first. Without a direction more is better where `acc` is in the name.
    /// </summary>
    public string? Best { get; init; }

    /// <summary>Judgements without a better one after which training ends; null for never.</summary>
    public int? Patience { get; init; }

    /// <summary>A folder for checkpoints, made if it is not there; null for none.</summary>
    public string? Checkpoints { get; init; }

    /// <summary>Steps between checkpoints; null for one after every epoch.</summary>
    public long? CheckpointEvery { get; init; }

    /// <summary>How many checkpoints stay, besides the best.</summary>
    public int Keep { get; init; } = 3;

    /// <summary>Where an earlier run stopped; the session begins with the state of that checkpoint.</summary>
    public TrainingPosition? Resume { get; init; }
}

/// <summary>A step that gave a loss, or left state, that is not finite.</summary>
/// <param name="Inputs">What it was called with.</param>
/// <param name="Sizes">Values of sizes that no input has.</param>
/// <param name="State">As it was before, by path.</param>
/// <param name="Path">The piece of state; null for the loss.</param>
public sealed record FailedStep(IReadOnlyList<Tensor> Inputs, IReadOnlyDictionary<string, long> Sizes,
    IReadOnlyDictionary<string, Tensor> State, string? Path);

/// <summary>Training cannot begin or go on; the message says why.</summary>
public sealed class TrainingException(string message, string? help = null) : AccelerateException(message)
{
    /// <summary>What to do about it.</summary>
    public string? Help { get; } = help;
}

/// <summary>A scalar result with its name.</summary>
public readonly record struct Metric(string Name, double Value);

/// <summary>One step.</summary>
/// <param name="Step">How many are done with it.</param>
/// <param name="Epoch">From 1.</param>
/// <param name="Metrics">Its scalar float results; the first is the loss.</param>
/// <param name="Examples">In its batch.</param>
/// <param name="IsSkipped">True where the state is as it was before.</param>
/// <param name="Seconds">Since the run began, validation and checkpoints left out.</param>
public sealed record StepReport(
    long Step, int Epoch, IReadOnlyList<Metric> Metrics, int Examples, bool IsSkipped, double Seconds);

/// <summary>A judgement, after an epoch or between.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Epoch">From 1.</param>
/// <param name="EndsEpoch">True for the one after the epoch's last step.</param>
/// <param name="Training">Means over the epoch so far, weighted by examples.</param>
/// <param name="Validation">Means over the validation examples; empty if there are none.</param>
/// <param name="IsBest">Whether none before was better.</param>
/// <param name="Examples">That the means of training are of.</param>
/// <param name="Seconds">As of steps.</param>
public sealed record EpochReport(long Step, int Epoch, bool EndsEpoch, IReadOnlyList<Metric> Training,
    IReadOnlyList<Metric> Validation, bool IsBest, long Examples, double Seconds);

/// <summary>Why training ended.</summary>
public enum TrainingEnd
{
    /// <summary>All epochs, or all steps, are done.</summary>
    Done,

    /// <summary>Nothing was better for <see cref="TrainingOptions.Patience"/> judgements.</summary>
    Patience,

    /// <summary>The caller asked for it.</summary>
    Interrupted,
}

/// <summary>What is told while training goes on, on the thread that trains.</summary>
public interface ITrainingObserver
{
    /// <summary>Before the first step.</summary>
    /// <param name="done">Steps that an earlier run has done.</param>
    /// <param name="total">Steps when all is done.</param>
    /// <param name="epochSteps">Steps of an epoch.</param>
    void Starts(long done, long total, long epochSteps)
    {
    }

    /// <summary>After every step.</summary>
    void Steps(StepReport report)
    {
    }

    /// <summary>After every epoch and every validation.</summary>
    void Judges(EpochReport report)
    {
    }

    /// <summary>After a checkpoint is written.</summary>
    void Saves(string path, long step)
    {
    }
}
