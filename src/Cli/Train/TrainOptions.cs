// In: the words of `accc train`. Out: its options, each checked.
using System.CommandLine;
using System.Globalization;
using Accelerate.Data;
using Accelerate.Training;

namespace Accelerate.Cli.Train;

/// <summary>The options of `accc train` beyond those shared by all commands on a model.</summary>
internal sealed class TrainOptions
{
    private readonly Option<string> step = new("--step")
    {
        Description = "the exported function that is called with each batch: it updates state, and returns the loss "
            + "first",
        HelpName = "FN",
        DefaultValueFactory = _ => "step",
    };

    private readonly Option<string[]> data = new("--data")
    {
        Description = "files for parameters, an example a row: idx, npy (these or text gzipped too), npz [array], a "
            + "table [columns], a text [range], a folder of images or its [labels]: x=t.csv[:64],y=t.csv[64]; "
            + "repeatable",
        HelpName = "x=FILE,y=FILE",
    };

    private readonly Option<int> batch = new("--batch")
    {
        HelpName = "n",
        Description = "examples of a step",
        DefaultValueFactory = _ => 64,
    };

    private readonly Option<int?> epochs = new("--epochs")
    {
        Description = "passes over the data: 1, unless --steps is given",
        HelpName = "n",
    };

    private readonly Option<int?> steps = new("--steps")
    {
        Description = "ends after so many steps, within an epoch too",
        HelpName = "n",
    };

    private readonly Option<string> last = new("--last")
    {
        Description = "the last examples of an epoch, where they are fewer than a batch",
        HelpName = "drop|keep",
        DefaultValueFactory = _ => "drop",
    };

    private readonly Option<bool> inOrder = new("--in-order")
    {
        Description = "the order of the files in every epoch, not one drawn by the seed",
    };

    private readonly Option<int> seed = new("--seed")
    {
        HelpName = "n",
        Description = "decides the order of examples, what --valid-split draws, and keys",
        DefaultValueFactory = _ => 0,
    };

    private readonly Option<string[]> arguments = new("--arg")
    {
        Description = "a parameter that is no data: --arg rate=1e-3, --arg m=@m.npy; repeatable. Without it an i64 "
            + "parameter `key` or `seed` gets fold(seed, step), an i32 `step` the number of the step, from 0",
        HelpName = "name=VALUE",
    };

    private readonly Option<int?> window = new("--window")
    {
        HelpName = "n",
        Description = "bytes of an example of text; otherwise the extent in the parameter's type",
    };

    private readonly Option<int?> stride = new("--stride")
    {
        HelpName = "n",
        Description = "bytes from one example of text to the next; otherwise the window",
    };

    private readonly Option<string?> valid = new("--valid")
    {
        Description = "an exported function whose scalar results judge the state: means over the validation data",
        HelpName = "FN",
    };

    private readonly Option<string[]> validData = new("--valid-data")
    {
        Description = "its files, as --data",
        HelpName = "x=FILE,y=FILE",
    };

    private readonly Option<double> validSplit = new("--valid-split")
    {
        Description = "or the part of the data that is held back for it: drawn by the seed, of a text the end",
        HelpName = "0.1",
    };

    private readonly Option<int?> validEvery = new("--valid-every")
    {
        HelpName = "n",
        Description = "steps between validations; otherwise one after each epoch",
    };

    private readonly Option<string?> best = new("--best")
    {
        Description = "the result that says which state is best: accuracy, max:score, min:loss. Otherwise loss, else "
            + "the first; more is better where `acc` is in the name",
        HelpName = "[max:|min:]NAME",
    };

    private readonly Option<int?> patience = new("--patience")
    {
        HelpName = "n",
        Description = "ends when so many validations (epochs, without --valid) were no better",
    };

    private readonly Option<string> onNan = new("--on-nan")
    {
        Description = "a loss that is not finite: stop, skip (the state from before the step, and the next batch) or "
            + "ignore",
        HelpName = "stop|skip|ignore",
        DefaultValueFactory = _ => "stop",
    };

    private readonly Option<bool> detectNan = new("--detect-nan")
    {
        Description = "says which operation gave the first value that is not finite, in a step whose loss or state is "
            + "not; the state is copied and looked through in every step",
    };

    private readonly Option<string?> checkpoint = new("--checkpoint")
    {
        Description = "a folder for checkpoints (safetensors), best.safetensors among them; Ctrl-C writes one too",
        HelpName = "DIR",
    };

    private readonly Option<int?> every = new("--every")
    {
        HelpName = "n",
        Description = "steps between checkpoints; otherwise one after each epoch",
    };

    private readonly Option<int> keep = new("--keep")
    {
        HelpName = "n",
        Description = "how many stay, besides the best",
        DefaultValueFactory = _ => 3,
    };

    private readonly Option<string?> resume = new("--resume")
    {
        Description = "goes on from the newest checkpoint of the folder, and to the same bits; it is --checkpoint too",
        HelpName = "DIR",
    };

    private readonly Option<string?> log = new("--log")
    {
        Description = "metrics, a line of JSON each",
        HelpName = "FILE",
    };

    private readonly Option<string[]> curve = new("--curve")
    {
        Description = "draws the loss: FILE.svg or FILE.png; repeatable",
        HelpName = "FILE",
    };

    private readonly Option<string?> saveState = new("--save-state")
    {
        Description = "writes parameters and buffers as they are at the end, as safetensors; --weights reads it",
        HelpName = "FILE",
    };

    public TrainOptions(Command command)
    {
        foreach (var option in (Option[])[step, data, batch, epochs, steps, last, inOrder, seed, arguments, window,
            stride, valid, validData, validSplit, validEvery, best, patience, onNan, detectNan, checkpoint, every, keep, resume,
            log, curve, saveState])
            command.Options.Add(option);
    }

    /// <summary>The values of one command line.</summary>
    public TrainWords Read(ParseResult parsed)
    {
        var lastWord = parsed.GetValue(last)!;
        if (lastWord is not ("drop" or "keep"))
            throw CommonOptions.Usage($"--last {lastWord}: it takes drop or keep");
        foreach (var option in (Option<int?>[])[epochs, steps, window, stride, validEvery, patience, every])
            if (parsed.GetValue(option) is < 1 and var value)
                throw CommonOptions.Usage($"{option.Name} {value}: it takes 1 or more");
        var splits = parsed.GetValue(validSplit);
        if (splits > 0 && parsed.GetValue(validData) is { Length: > 0 })
            throw CommonOptions.Usage("--valid-split and --valid-data are two sources of one set",
                "leave one of them out");
        var options = new TrainingOptions(parsed.GetValue(step)!)
        {
            Batch = parsed.GetValue(batch),
            KeepsLast = lastWord == "keep",
            Epochs = parsed.GetValue(epochs) ?? (parsed.GetValue(steps) is null ? 1 : int.MaxValue),
            Steps = parsed.GetValue(steps),
            Seed = parsed.GetValue(seed),
            Shuffles = !parsed.GetValue(inOrder),
            OnNan = Enum.TryParse<OnNan>(parsed.GetValue(onNan), ignoreCase: true, out var nan)
                && !int.TryParse(parsed.GetValue(onNan), out _) ? nan
                : throw CommonOptions.Usage($"--on-nan {parsed.GetValue(onNan)}: it takes stop, skip or ignore"),
            Validate = parsed.GetValue(valid),
            ValidationSplit = splits,
            ValidateEvery = parsed.GetValue(validEvery),
            Best = parsed.GetValue(best),
            Patience = parsed.GetValue(patience),
            Checkpoints = parsed.GetValue(checkpoint) ?? Folder(parsed.GetValue(resume)),
            CheckpointEvery = parsed.GetValue(every),
            Keep = parsed.GetValue(keep),
        };
        if (parsed.GetValue(detectNan) && options.OnNan != OnNan.Stop)
            throw CommonOptions.Usage($"--detect-nan ends training where something is not finite, and --on-nan "
                + $"{parsed.GetValue(onNan)} goes on", "leave one of them out");
        return new(options, Specs(parsed, data), Specs(parsed, validData), Pairs(parsed.GetValue(arguments) ?? []))
        {
            Cut = new(parsed.GetValue(window), parsed.GetValue(stride)),
            Resume = parsed.GetValue(resume),
            Log = parsed.GetValue(log),
            Curves = parsed.GetValue(curve) ?? [],
            SaveState = parsed.GetValue(saveState),
            DetectsNan = parsed.GetValue(detectNan),
        };
    }

    private static string? Folder(string? resume) => resume is null || Directory.Exists(resume) ? resume
        : Path.GetDirectoryName(Path.GetFullPath(resume));

    private static IReadOnlyList<DataSpec> Specs(ParseResult parsed, Option<string[]> option)
    {
        try
        {
            return [.. (parsed.GetValue(option) ?? []).SelectMany(DataSpec.Parse)];
        }
        catch (FormatException e)
        {
            throw CommonOptions.Usage($"{option.Name}: {e.Message}",
                $"for example {option.Name} x=images.npy,y=labels.npy");
        }
    }

    private static Dictionary<string, string> Pairs(string[] given)
    {
        var pairs = new Dictionary<string, string>();
        foreach (var text in given)
        {
            var at = text.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0 || at == text.Length - 1)
                throw CommonOptions.Usage($"--arg {text} has no name and value", "write --arg rate=1e-3");
            if (!pairs.TryAdd(text[..at], text[(at + 1)..]))
                throw CommonOptions.Usage($"--arg {text[..at]} is given twice");
        }
        return pairs;
    }
}

/// <summary>A parsed command line of `accc train`.</summary>
/// <param name="Options">The options that can be read without the program.</param>
/// <param name="Data">The training files.</param>
/// <param name="ValidationData">The validation files; empty if none are named.</param>
/// <param name="Arguments">The texts of `--arg`, by parameter.</param>
internal sealed record TrainWords(TrainingOptions Options, IReadOnlyList<DataSpec> Data,
    IReadOnlyList<DataSpec> ValidationData, IReadOnlyDictionary<string, string> Arguments)
{
    public TextCut Cut { get; init; } = new();

    public string? Resume { get; init; }

    public string? Log { get; init; }

    public string[] Curves { get; init; } = [];

    public string? SaveState { get; init; }

    public bool DetectsNan { get; init; }
}
