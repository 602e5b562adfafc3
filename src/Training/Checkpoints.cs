// In: state and the training position. Out: checkpoint files, each written atomically; the newest of a folder.
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Accelerate.Runtime;

namespace Accelerate.Training;

/// <summary>Everything, apart from the state, that decides how training continues.</summary>
public sealed record TrainingPosition
{
    /// <summary>The version of this format.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The function that is trained.</summary>
    public required string Function { get; init; }

    /// <summary>The seed of the run.</summary>
    public required long Seed { get; init; }

    /// <summary>The number of examples of a step.</summary>
    public required int Batch { get; init; }

    /// <summary>Whether a smaller last batch of an epoch is used rather than dropped.</summary>
    public required bool KeepsLast { get; init; }

    /// <summary>Whether each epoch has an order of its own rather than that of the file.</summary>
    public required bool Shuffles { get; init; }

    /// <summary>The number of examples used for training.</summary>
    public required long Examples { get; init; }

    /// <summary>The number of completed steps.</summary>
    public long Step { get; init; }

    /// <summary>The number of completed epochs.</summary>
    public int Epoch { get; init; }

    /// <summary>The number of completed batches in the current epoch.</summary>
    public long BatchOfEpoch { get; init; }

    /// <summary>Sums of the current epoch's metrics, each weighted by the number of examples in its batch.</summary>
    public IReadOnlyDictionary<string, double> Sums { get; init; } = new Dictionary<string, double>();

    /// <summary>The number of examples in those sums.</summary>
    public long Summed { get; init; }

    /// <summary>The best value so far of the metric that decides; null before the first evaluation.</summary>
    public double? Best { get; init; }

    /// <summary>The number of evaluations since the best one.</summary>
    public int SinceBest { get; init; }

    /// <summary>The number of consecutive skipped steps up to here.</summary>
    public int Skipped { get; init; }
}

/// <summary>
/// Reads the checkpoints that training writes: `step-00000938.safetensors` and `best.safetensors`. Each has the whole
/// state by path, which `--weights` reads too, and the position as JSON in its metadata. A file gets its name only when
/// it is complete.
/// </summary>
public static class Checkpoints
{
    private const string Key = "accelerate.training";
    private const string Ending = ".safetensors";
    private const string Prefix = "step-";

    private static readonly JsonSerializerOptions Json = new()
    {
        // A mean may be infinite.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>Finds the checkpoint with the most steps.</summary>
    /// <param name="folder">The folder of checkpoints; it need not exist.</param>
    /// <returns>The file's path; null if there is none.</returns>
    public static string? Latest(string folder) => Numbered(folder).LastOrDefault();

    /// <summary>Reads the training position from a checkpoint.</summary>
    /// <param name="path">A file that training wrote.</param>
    /// <returns>The position, for <see cref="TrainingOptions.Resume"/>.</returns>
    /// <exception cref="DataException">The file is missing, malformed, or no checkpoint of training.</exception>
    public static TrainingPosition Position(string path)
    {
        using var file = Safetensors.Open(path);
        try
        {
            return file.Metadata.TryGetValue(Key, out var json)
                && JsonSerializer.Deserialize<TrainingPosition>(json, Json) is { Version: 1 } position ? position
                : throw new DataException(path, "has weights and no position in training: --weights takes it");
        }
        catch (JsonException e)
        {
            throw new DataException(path, $"the position in training is malformed: {e.Message}", e);
        }
    }

    /// <summary>Writes the checkpoint of a step, then deletes the oldest ones beyond the number to keep.</summary>
    internal static string Write(string folder, IReadOnlyDictionary<string, Tensor> state, TrainingPosition position,
        int keep)
    {
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture,
            $"{Prefix}{position.Step:00000000}{Ending}"));
        Write(path, state, position);
        foreach (var old in Numbered(folder).SkipLast(keep).Where(p => p != path)) File.Delete(old);
        return path;
    }

    internal static string WriteBest(string folder, IReadOnlyDictionary<string, Tensor> state,
        TrainingPosition position)
    {
        var path = Path.Combine(folder, $"best{Ending}");
        Write(path, state, position);
        return path;
    }

    private static void Write(string path, IReadOnlyDictionary<string, Tensor> state, TrainingPosition position) =>
        Safetensors.Write(path, state, new Dictionary<string, string>
        {
            [Key] = JsonSerializer.Serialize(position, Json),
        });

    /// <summary>The checkpoints of steps, fewest steps first.</summary>
    private static IEnumerable<string> Numbered(string folder) => !Directory.Exists(folder) ? []
        : Directory.EnumerateFiles(folder, Prefix + "*" + Ending)
            .Select(path => (Path: path, Name: Path.GetFileName(path)[Prefix.Length..^Ending.Length]))
            .Where(f => f.Name.All(char.IsAsciiDigit) && f.Name.Length is > 0 and < 19)
            .OrderBy(f => long.Parse(f.Name, CultureInfo.InvariantCulture)).Select(f => f.Path);
}
