// In: state and where training stands. Out: checkpoint files, each written whole; the newest of a folder.
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Accelerate.Runtime;

namespace Accelerate.Training;

/// <summary>Where training stands, with all that decides what comes next but the state.</summary>
public sealed record TrainingPosition
{
    /// <summary>Of this record.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The function that is trained.</summary>
    public required string Function { get; init; }

    /// <summary>The seed of the run.</summary>
    public required long Seed { get; init; }

    /// <summary>Examples of a step.</summary>
    public required int Batch { get; init; }

    /// <summary>Whether a smaller last batch is run.</summary>
    public required bool KeepsLast { get; init; }

    /// <summary>Whether the order differs from the file's.</summary>
    public required bool Shuffles { get; init; }

    /// <summary>Examples that train.</summary>
    public required long Examples { get; init; }

    /// <summary>Steps done.</summary>
    public long Step { get; init; }

    /// <summary>Epochs done.</summary>
    public int Epoch { get; init; }

    /// <summary>Batches done of the epoch under way.</summary>
    public long BatchOfEpoch { get; init; }

    /// <summary>Sums of the epoch's metrics, each times the examples of its batch.</summary>
    public IReadOnlyDictionary<string, double> Sums { get; init; } = new Dictionary<string, double>();

    /// <summary>The examples of those sums.</summary>
    public long Summed { get; init; }

    /// <summary>The best judgement so far.</summary>
    public double? Best { get; init; }

    /// <summary>Judgements since then.</summary>
    public int SinceBest { get; init; }

    /// <summary>Steps skipped, one behind the other, up to here.</summary>
    public int Skipped { get; init; }
}

/// <summary>
/// `step-00000938.safetensors` and `best.safetensors`: the whole state by path, which `--weights` reads too, and the
/// position as JSON in the metadata. A file takes its name when it is whole.
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

    /// <summary>The file of the most steps in the folder; null if there is none.</summary>
    public static string? Latest(string folder) => Numbered(folder).LastOrDefault();

    /// <summary>Where the run of a checkpoint stood.</summary>
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

    /// <summary>Writes the checkpoint of a step, then removes the oldest that are too many.</summary>
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

    /// <summary>Those of steps, fewest first.</summary>
    private static IEnumerable<string> Numbered(string folder) => !Directory.Exists(folder) ? []
        : Directory.EnumerateFiles(folder, Prefix + "*" + Ending)
            .Select(path => (Path: path, Name: Path.GetFileName(path)[Prefix.Length..^Ending.Length]))
            .Where(f => f.Name.All(char.IsAsciiDigit) && f.Name.Length is > 0 and < 19)
            .OrderBy(f => long.Parse(f.Name, CultureInfo.InvariantCulture)).Select(f => f.Path);
}
