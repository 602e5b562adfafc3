// In: reports of a run. Out: one line of JSON for each, in a file that a resumed run continues.
using System.Text.Json;
using System.Text.Json.Nodes;
using Accelerate.Runtime;

namespace Accelerate.Training;

/// <summary>
/// Writes `{"kind":"step",…}` for each step, `{"kind":"epoch",…}` for each epoch and `{"kind":"valid",…}` for a
/// validation within an epoch. A resumed run first removes the lines of the steps that it repeats.
/// </summary>
internal sealed class TrainingLog : ITrainingObserver, IDisposable
{
    private readonly StreamWriter writer;

    /// <param name="path">The file.</param>
    /// <param name="resumed">The position from which the run resumes; null to start a new log.</param>
    /// <exception cref="DataException">The file cannot be written.</exception>
    public TrainingLog(string path, TrainingPosition? resumed = null) => writer = DataException.Guard(path, () =>
    {
        List<string> kept = [];
        if (resumed is not null && File.Exists(path))
            kept = [.. File.ReadLines(path).Where(line => IsDone(line, resumed))];
        OutputFile.Write(path, stream =>
        {
            foreach (var line in kept) stream.Write([.. System.Text.Encoding.UTF8.GetBytes(line), (byte)'\n']);
        });
        return new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
        {
            AutoFlush = true,
            NewLine = "\n",
        };
    });

    /// <inheritdoc/>
    public void Steps(StepReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var line = new JsonObject { ["kind"] = "step", ["step"] = report.Step, ["epoch"] = report.Epoch };
        var train = new JsonObject();
        Put(train, report.Metrics);
        line["train"] = train;
        line["examples"] = report.Examples;
        if (report.IsSkipped) line["skipped"] = true;
        line["seconds"] = Math.Round(report.Seconds, 6);
        writer.WriteLine(line.ToJsonString());
    }

    /// <inheritdoc/>
    public void Judges(EpochReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var (train, valid) = (new JsonObject(), new JsonObject());
        Put(train, report.Training);
        Put(valid, report.Validation);
        writer.WriteLine(new JsonObject
        {
            ["kind"] = report.EndsEpoch ? "epoch" : "valid",
            ["step"] = report.Step,
            ["epoch"] = report.Epoch,
            ["train"] = train,
            ["valid"] = valid,
            ["best"] = report.IsBest,
            ["seconds"] = Math.Round(report.Seconds, 6),
        }.ToJsonString());
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => writer.Dispose();

    /// <summary>JSON has no NaN and no infinities, so these become strings.</summary>
    private static void Put(JsonObject line, IReadOnlyList<Metric> metrics)
    {
        foreach (var (name, value) in metrics)
            line[name] = double.IsFinite(value) ? JsonValue.Create(value)
                : JsonValue.Create(value.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>
    /// Whether a line belongs to the steps already done. False also for a line that a killed process left incomplete.
    /// </summary>
    private static bool IsDone(string line, TrainingPosition resumed)
    {
        try
        {
            var node = JsonNode.Parse(line);
            // The checkpoint of an epoch's last step may have been written before the epoch was evaluated.
            return (long?)node?["step"] is { } step && (step < resumed.Step
                || (step == resumed.Step && (resumed.BatchOfEpoch == 0 || (string?)node["kind"] != "epoch")));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }
}
