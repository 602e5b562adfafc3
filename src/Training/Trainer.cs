// In: a session, data, options. Out: a trained session, with checkpoints and reports along the way.
using System.Diagnostics;
using Accelerate.Data;
using Accelerate.Runtime;

namespace Accelerate.Training;

/// <summary>
/// The training loop. The state and <see cref="TrainingPosition"/> decide every later step: a run that is killed and
/// resumed from a checkpoint ends with the same bits as an uninterrupted one.
/// </summary>
public sealed class Trainer
{
    /// <summary>
    /// This many consecutive steps without a finite loss are no accident: the state itself is not finite.
    /// </summary>
    private const int MostSkipped = 10;

    private readonly Feed data;
    private readonly Feed? validationData;
    private readonly TrainingOptions options;
    private readonly ExampleOrder order;
    private readonly Callee step;
    private readonly Callee? validate;
    private readonly (string Name, bool IsMore) best;
    private readonly Stopwatch watch = new();
    private readonly Means means = new();
    private TrainingPosition at;
    private Session session = null!;
    private ITrainingObserver? observer;
    private IReadOnlyDictionary<string, Tensor> otherState = new Dictionary<string, Tensor>();
    private long saved = -1;

    /// <param name="entries">The program's exported functions.</param>
    /// <param name="data">The data of the training step.</param>
    /// <param name="options">The options.</param>
    /// <param name="validationData">The data of the validation function: either separate data, or the training data
    /// opened a second time, from which <see cref="TrainingOptions.ValidationSplit"/> selects the examples. Null
    /// without validation.</param>
    /// <exception cref="TrainingException">Functions, data, options and checkpoint do not fit together.</exception>
    public Trainer(IReadOnlyList<EntrySpec> entries, Feed data, TrainingOptions options, Feed? validationData = null)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        (this.data, this.options, this.validationData) = (data, options, validationData);
        EntrySpec Entry(string name) => entries.FirstOrDefault(e => e.Name == name)
            ?? throw new TrainingException($"the program exports no '{name}'");
        step = new Callee(Entry(options.Step), options, data.Parameters, "loss");
        if ((options.Validate is null) != (validationData is null))
            throw new TrainingException("validation takes a function and data",
                "--valid FN with --valid-data x=FILE or --valid-split 0.1");
        if (options.Validate is { } name)
            validate = new Callee(Entry(name), options, validationData!.Parameters, name);
        Check();
        order = ExampleOrder.Of(data, options.Seed, options.ValidationSplit);
        EpochSteps = (order.Count + (options.KeepsLast ? options.Batch - 1 : 0)) / options.Batch;
        if (EpochSteps == 0)
            throw new TrainingException(
                $"a batch of {options.Batch} is more than the {order.Count} examples that train",
                "a smaller --batch, or --last keep for one smaller batch");
        TotalSteps = Math.Min(options.Steps ?? long.MaxValue, checked(options.Epochs * EpochSteps));
        best = Best();
        at = options.Resume is { } resume ? Resumed(resume) : Begin();
    }

    /// <summary>The number of steps in one epoch.</summary>
    public long EpochSteps { get; }

    /// <summary>The number of steps when training is complete, including those of an earlier run.</summary>
    public long TotalSteps { get; }

    /// <summary>The current position.</summary>
    public TrainingPosition Position => at;

    /// <summary>
    /// Trains to the end or until it is cancelled, which takes effect after the current step. Call it once.
    /// </summary>
    /// <param name="session">A session that has the functions and the state that training starts from.</param>
    /// <param name="observer">Receives the reports; null for none.</param>
    /// <param name="otherState">State that none of the session's functions uses and that checkpoints have as
    /// well.</param>
    /// <param name="stop">Requests the end of training; the result is then
    /// <see cref="TrainingEnd.Interrupted"/>.</param>
    /// <returns>Why training ended.</returns>
    /// <exception cref="TrainingException">The loss, or where it is watched the state, is not finite.</exception>
    /// <exception cref="ExecutionException">A call failed: an index out of range, an assert.</exception>
    /// <exception cref="DataException">Data that cannot be read, or a checkpoint that cannot be written.</exception>
    public TrainingEnd Run(Session session, ITrainingObserver? observer = null,
        IReadOnlyDictionary<string, Tensor>? otherState = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        (this.session, this.observer) = (session, observer);
        if (otherState is not null) this.otherState = otherState;
        using var copy = options.OnNan == OnNan.Skip || options.FindNotFinite is not null ? new StateCopy(session)
            : null;
        if (options.Checkpoints is { } folder) Directory.CreateDirectory(folder);
        observer?.Starts(at.Step, TotalSteps, EpochSteps);
        watch.Restart();
        var end = TrainingEnd.Done;
        // A checkpoint may have been written after an epoch's last step and before its evaluation.
        while (end == TrainingEnd.Done && (at.Step < TotalSteps || at.BatchOfEpoch == EpochSteps))
            end = Epoch(copy, stop);
        if (at.Step != saved) Save();
        return end;
    }

    /// <summary>Runs from the current position to the end of the epoch, or of training.</summary>
    private TrainingEnd Epoch(StateCopy? copy, CancellationToken stop)
    {
        if (at.BatchOfEpoch < EpochSteps)
        {
            var examples = order.Epoch(at.Epoch, options.Shuffles);
            using var batches = new Batches(data, examples, options.Batch, at.BatchOfEpoch);
            foreach (var batch in batches)
            {
                using (batch)
                {
                    if (stop.IsCancellationRequested) return TrainingEnd.Interrupted;
                    Step(batch, copy);
                }
                if (at.Step % options.ValidateEvery == 0 && Judge(endsEpoch: false)) return TrainingEnd.Patience;
                if (at.Step % options.CheckpointEvery == 0) Save();
                if (at.BatchOfEpoch == EpochSteps || at.Step == TotalSteps) break;
            }
        }
        if (at.BatchOfEpoch < EpochSteps)
        {
            if (at.Step % options.ValidateEvery != 0) Judge(endsEpoch: false);
            return TrainingEnd.Done;
        }
        var isOver = Judge(endsEpoch: true);
        at = at with { Epoch = at.Epoch + 1, BatchOfEpoch = 0 };
        means.Restore(new Dictionary<string, double>(), 0);
        if (options.CheckpointEvery is null) Save();
        return isOver ? TrainingEnd.Patience : TrainingEnd.Done;
    }

    private void Step(Batch batch, StateCopy? copy)
    {
        copy?.Take();
        watch.Start();
        var metrics = step.Call(session, batch, at.Step);
        watch.Stop();
        var isSkipped = false;
        if (options.FindNotFinite is { } find) Find(find, batch, metrics[0], copy!);
        else if (!double.IsFinite(metrics[0].Value) && options.OnNan != OnNan.Ignore)
        {
            var where = $"the {metrics[0].Name} is {metrics[0].Value} {Here}";
            if (copy is null)
                throw new TrainingException(where, $"--on-nan skip goes on from the state before such a step; {Advice}");
            if (at.Skipped + 1 == MostSkipped)
                throw new TrainingException($"{where}, and was not finite in the {MostSkipped - 1} steps before",
                    "the state itself is no longer finite: begin from a checkpoint, with a lower rate");
            copy.PutBack();
            isSkipped = true;
        }
        if (!isSkipped) means.Add(metrics, batch.Count);
        at = at with
        {
            Step = at.Step + 1,
            BatchOfEpoch = at.BatchOfEpoch + 1,
            Skipped = isSkipped ? at.Skipped + 1 : 0,
        };
        observer?.Steps(new(at.Step, at.Epoch + 1, metrics, batch.Count, isSkipped, watch.Elapsed.TotalSeconds));
    }

    /// <summary>What to do about a step that is not finite.</summary>
    private string Advice => options.Checkpoints is null ? "a lower rate or clipped gradients often avoid it"
        : $"the checkpoints in {options.Checkpoints} are from before it";

    private string Here => $"at step {at.Step + 1} (epoch {at.Epoch + 1})";

    /// <summary>
    /// Ends training with an error that names the origin, if the loss or the state is not finite after a step.
    /// </summary>
    private void Find(Func<FailedStep, string?> find, Batch batch, Metric loss, StateCopy before)
    {
        var path = double.IsFinite(loss.Value) ? before.NoLongerFinite() : null;
        if (path is null && double.IsFinite(loss.Value)) return;
        before.PutBack();
        var where = path is null ? $"the {loss.Name} is {loss.Value} {Here}" : $"{path} is no longer finite {Here}";
        var found = step.With(batch, at.Step, inputs => find(new(inputs, step.Sizes, session.State, path)));
        throw new TrainingException($"{where}: {found ?? "run again, operation by operation, the step is finite"}", Advice);
    }

    /// <summary>Validates if it is due, and returns whether patience has run out.</summary>
    private bool Judge(bool endsEpoch)
    {
        IReadOnlyList<Metric> validation = validate is not null && (!endsEpoch || options.ValidateEvery is null)
            ? Validated() : [];
        var judged = validate is null ? endsEpoch ? means.Values : [] : validation;
        var isBest = false;
        if (judged.Count > 0)
        {
            var value = judged.First(m => m.Name == best.Name).Value;
            // NaN is never an improvement, and any number improves on NaN.
            isBest = !double.IsNaN(value) && (at.Best is not { } before || double.IsNaN(before)
                || (best.IsMore ? value > before : value < before));
            at = at with { Best = isBest ? value : at.Best, SinceBest = isBest ? 0 : at.SinceBest + 1 };
        }
        observer?.Judges(new(at.Step, at.Epoch + 1, endsEpoch, means.Values, validation, isBest, means.Examples,
            watch.Elapsed.TotalSeconds));
        if (isBest && options.Checkpoints is { } folder)
            observer?.Saves(Checkpoints.WriteBest(folder, State(), Now()), at.Step);
        return judged.Count > 0 && at.SinceBest >= options.Patience;
    }

    private IReadOnlyList<Metric> Validated()
    {
        IReadOnlyList<int> examples = options.ValidationSplit > 0 ? order.Validation
            : [.. Enumerable.Range(0, (int)validationData!.Count)];
        var validated = new Means();
        using var batches = new Batches(validationData!, examples, (int)(validationData!.FixedBatch ?? options.Batch));
        var number = 0L;
        foreach (var batch in batches)
        {
            using (batch)
            {
                // Types that fix the batch size allow no smaller batch.
                if (validationData.FixedBatch is { } fixedBatch && batch.Count < fixedBatch) break;
                validated.Add(validate!.Call(session, batch, number++), batch.Count);
            }
        }
        return validated.Values.Count > 0 ? validated.Values
            : throw new TrainingException($"the {examples.Count} examples for validation make no batch",
                "a larger --valid-split, or more data");
    }

    private void Save()
    {
        if (options.Checkpoints is not { } folder) return;
        observer?.Saves(Checkpoints.Write(folder, State(), Now(), options.Keep), at.Step);
        saved = at.Step;
    }

    private Dictionary<string, Tensor> State()
    {
        var state = new Dictionary<string, Tensor>(otherState, StringComparer.Ordinal);
        foreach (var (path, tensor) in session.State) state[path] = tensor;
        return state;
    }

    private TrainingPosition Now() => at with { Sums = means.Sums, Summed = means.Examples };

    private TrainingPosition Begin() => new()
    {
        Function = options.Step,
        Seed = options.Seed,
        Batch = options.Batch,
        KeepsLast = options.KeepsLast,
        Shuffles = options.Shuffles,
        Examples = order.Count,
    };

    /// <summary>Accepts a checkpoint only if it continues with the same order of the same examples.</summary>
    private TrainingPosition Resumed(TrainingPosition resume)
    {
        var begin = Begin();
        (string What, object Then, object Now)[] facts =
        [
            ("the function", resume.Function, begin.Function), ("--seed", resume.Seed, begin.Seed),
            ("--batch", resume.Batch, begin.Batch), ("--last keep", resume.KeepsLast, begin.KeepsLast),
            ("shuffling", resume.Shuffles, begin.Shuffles),
            ("the number of examples that train", resume.Examples, begin.Examples),
        ];
        foreach (var (what, then, now) in facts)
            if (!then.Equals(now))
                throw new TrainingException($"the checkpoint was made with {what} {then}, and now it is {now}",
                    "to go on is to do the same; from its weights alone another run begins: --weights");
        means.Restore(resume.Sums, resume.Summed);
        saved = resume.Step;
        return resume;
    }

    private void Check()
    {
        if (options.Batch < 1) throw new TrainingException($"a batch of {options.Batch} examples is none");
        if (options.Epochs < 1) throw new TrainingException($"{options.Epochs} epochs are none");
        if (data.FixedBatch is { } batch && batch != options.Batch)
            throw new TrainingException($"'{options.Step}' takes {batch} examples, by its types, and --batch is "
                + $"{options.Batch}", $"--batch {batch}, or a name for the size: f32[n, …]");
        if (data.FixedBatch is not null && options.KeepsLast)
            throw new TrainingException($"'{options.Step}' takes {data.FixedBatch} examples, by its types, and a last "
                + "batch may have fewer", "--last drop, or a name for the size: f32[n, …]");
        if (options.ValidationSplit is < 0 or >= 1 or double.NaN)
            throw new TrainingException($"a part of {options.ValidationSplit} cannot be held back",
                "--valid-split 0.1 holds back a tenth");
        if (options.ValidationSplit > 0 && validate is null)
            throw new TrainingException("examples are held back, and no function validates", "--valid FN names one");
        if (options.ValidationSplit > 0 && validationData!.Count != data.Count)
            throw new TrainingException($"'{options.Validate}' is given {validationData.Count} examples, "
                + $"'{options.Step}' {data.Count}: a part of the same data has to be of the same");
        if (options.Patience < 1) throw new TrainingException($"a patience of {options.Patience} is none");
        if (options.Keep < 1) throw new TrainingException($"--keep {options.Keep} would keep no checkpoint");
    }

    private (string Name, bool IsMore) Best()
    {
        var names = (validate ?? step).Metrics;
        var text = options.Best;
        bool? isMore = text is null ? null : text.StartsWith("max:", StringComparison.Ordinal) ? true
            : text.StartsWith("min:", StringComparison.Ordinal) ? false : null;
        var name = text is null ? names.Contains("loss") ? "loss" : names[0] : isMore is null ? text : text[4..];
        return names.Contains(name) ? (name, isMore ?? name.Contains("acc", StringComparison.OrdinalIgnoreCase))
            : throw new TrainingException($"'{options.Validate ?? options.Step}' has no result '{name}'",
                $"its scalars are {string.Join(", ", names)}");
    }
}
