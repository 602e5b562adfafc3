// In: a file, its step function, data. Out: trained state in files; metrics as lines, a log, a curve.
using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Data;
using Accelerate.Runtime;
using Accelerate.Training;

namespace Accelerate.Cli.Train;

internal static class TrainCommand
{
    public static Command Make(Terminal terminal)
    {
        var command = new Command("train", "Trains a model: calls its step function with batches of files.");
        var common = new CommonOptions().AddTo(command).AddCodeTo(command).AddRunTo(command);
        var own = new TrainOptions(command);
        command.SetAction(parsed => Run(common.Read(parsed), own.Read(parsed), terminal));
        return command;
    }

    private static int Run(ModelOptions options, TrainWords words, Terminal terminal)
    {
        var training = words.Options;
        var checkpoint = Checkpoint(options, words);
        if (checkpoint is not null) training = training with { Resume = Checkpoints.Position(checkpoint) };
        var loader = new ModelLoader(options, terminal);
        var model = loader.Model([.. ((string?[])[training.Step, training.Validate]).OfType<string>().Distinct()]);
        var stepProgram = model.Programs.Single(p => p.Name == training.Step);
        var validProgram = model.Programs.FirstOrDefault(p => p.Name == training.Validate);
        var validSpecs = ValidationData(words, validProgram);
        training = Arguments(training, words, model, options);
        CheckFiles(options, words, model, training);
        if (words.DetectsNan)
            training = training with
            {
                FindNotFinite = failed => NotFinite.Find(loader.Compile(CompilationStage.Optimised, [training.Step])
                    .Entries.Single(e => e.Name == training.Step), failed),
            };
        // Before code generation, so that misfits are reported at once.
        using var data = Opened(stepProgram, words.Data, words.Cut, "--data");
        using var validData = validProgram is null ? null
            : Opened(validProgram, validSpecs, words.Cut, training.ValidationSplit > 0 ? "--data" : "--valid-data");
        var trainer = new Trainer([.. model.Programs.Select(ProgramEntry.SpecOf)], data, training, validData);
        using var executable = loader.Load(model, wholeState: true,
            state: checkpoint is null ? null : State(checkpoint, model));
        using var session = executable.CreateSession();
        session.Output = terminal.Output;
        using var log = words.Log is null ? null : new TrainingLog(words.Log, training.Resume);
        var curve = words.Curves.Length == 0 ? null : new LossCurve();
        using var display = new TrainDisplay(terminal);
        var told = new Observers([display, .. ((ITrainingObserver?[])[log, curve]).OfType<ITrainingObserver>()]);
        if (training.Resume is { } resume && resume.Step >= trainer.TotalSteps)
            terminal.Output.Write($"nothing is left: {resume.Step} of {trainer.TotalSteps} steps are done\n");
        var end = Trained(stop => trainer.Run(session, told, loader.State, stop), trainer, display);
        foreach (var path in words.Curves) curve!.Write(path, Path.GetFileNameWithoutExtension(options.File));
        if (words.SaveState is { } state)
        {
            var after = WholeState.Of(session, loader.State);
            Safetensors.Write(state, after);
            terminal.Output.Write($"state: {Quantity.Of(after.Count, "tensor")} in {VisibleText.Word(state)}\n");
        }
        if (end == TrainingEnd.Interrupted)
        {
            terminal.Error.Write(string.Create(CultureInfo.InvariantCulture,
                $"interrupted after step {trainer.Position.Step} of {trainer.TotalSteps}; ")
                + (training.Checkpoints is { } folder ? $"--resume {VisibleText.Word(folder)} goes on\n"
                    : "--checkpoint DIR would have kept it\n"));
            return ExitCodes.Interrupted;
        }
        if (options.Time)
            terminal.Error.Write(string.Create(CultureInfo.InvariantCulture,
                $"compile {loader.CompileTime.TotalMilliseconds:0.0} ms ({executable.Backend})\n{loader.Times}\n"));
        return ExitCodes.Ok;
    }

    /// <summary>Runs training, and ends it after the current step when a signal arrives.</summary>
    private static TrainingEnd Trained(Func<CancellationToken, TrainingEnd> run, Trainer trainer, TrainDisplay display)
    {
        using var stop = new CancellationTokenSource();
        void Ask(PosixSignalContext context)
        {
            // The first signal ends training after the current step; the second ends the process as usual.
            context.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Ask);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ask);
        try
        {
            return run(stop.Token);
        }
        catch (ExecutionException e)
        {
            display.Dispose();
            throw new CliException(string.Create(CultureInfo.InvariantCulture,
                $"step {trainer.Position.Step + 1} (epoch {trainer.Position.Epoch + 1}): {e.Message}"), e.Details);
        }
        finally
        {
            display.Dispose();
        }
    }

    /// <summary>The checkpoint that the run resumes from; null for a new run.</summary>
    private static string? Checkpoint(ModelOptions options, TrainWords words)
    {
        if (words.Resume is not { } from)
        {
            if (words.Options.Checkpoints is { } used && Checkpoints.Latest(used) is { } there)
                throw new CliException($"--checkpoint {used}: an earlier run has left {Path.GetFileName(there)} there",
                    $"--resume {used} goes on from it; another run takes another folder");
            return null;
        }
        if (options.Weights.Count > 0)
            throw CommonOptions.Usage("--resume takes the checkpoint's weights, and --weights names others",
                "leave one of them out");
        return File.Exists(from) ? from : Checkpoints.Latest(from)
            ?? throw new CliException($"--resume {from}: "
                + (Directory.Exists(from) ? "the folder has no checkpoint" : "there is no such folder"),
                "a run begins without --resume; --checkpoint DIR says where its checkpoints go");
    }

    /// <summary>By path, exactly as written: the rules for foreign weights do not apply.</summary>
    private static Dictionary<string, Tensor> State(string checkpoint, CompiledModel model)
    {
        // The tensors stay valid without the file object, because they hold the mapping.
        using var file = Safetensors.Open(checkpoint);
        var state = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var spec in model.State)
        {
            var found = file.Contains(spec.Path) ? file.Read(spec.Path) : null;
            // A scalar type has no brackets in the language.
            var type = found is null ? null : found.Rank == 0 ? found.Type.Name()
                : Tensor.DescribeShape(found.Type, found.Shape);
            if (type != $"{spec.Type}")
                throw new CliException($"{checkpoint} has "
                    + $"{(type is null ? $"no {spec.Path}" : $"{spec.Path}: {type}")}, "
                    + $"and the program has {spec.Path}: {spec.Type}",
                    "a changed program begins another run: --weights");
            state[spec.Path] = found!;
        }
        return state;
    }

    private static IReadOnlyList<DataSpec> ValidationData(TrainWords words, Program? valid)
    {
        var isSplit = words.Options.ValidationSplit > 0;
        if (valid is null)
        {
            if (words.ValidationData.Count > 0 || isSplit)
                throw CommonOptions.Usage($"{(isSplit ? "--valid-split" : "--valid-data")} says with what, and nothing "
                    + "says which function validates", "--valid FN names it");
            return [];
        }
        if (words.ValidationData.Count == 0 && !isSplit)
            throw CommonOptions.Usage($"--valid {valid.Name} has no data", "--valid-data x=FILE, or --valid-split 0.1");
        var names = valid.Of(BufferKind.Input).Select(b => b.Label).ToHashSet();
        return isSplit ? [.. words.Data.Where(d => names.Contains(d.Parameter))] : words.ValidationData;
    }

    private static Feed Opened(Program program, IReadOnlyList<DataSpec> specs, TextCut cut, string option)
    {
        var parameters = program.Of(BufferKind.Input).ToList();
        if (specs.Count == 0)
            throw CommonOptions.Usage($"'{program.Name}' is given no data", parameters.Count == 0
                ? $"'{program.Name}' has no parameters" : $"{option} {parameters[0].Label}=FILE");
        foreach (var spec in specs)
            if (parameters.All(p => p.Label != spec.Parameter))
                throw new CliException($"{option}: '{program.Name}' has no parameter '{spec.Parameter}'",
                    Nearest.Help(spec.Parameter, parameters.Select(p => p.Label), "parameters"));
        try
        {
            return Feed.Open(ProgramEntry.SpecOf(program), specs, cut);
        }
        catch (ArgumentException e)
        {
            throw new CliException($"{option}: {e.Message}");
        }
        catch (DataException e) when (specs.FirstOrDefault(s => s.Path == e.Path) is { } wrong
            && e.Path.StartsWith('@') && File.Exists(e.Path[1..]))
        {
            throw new CliException(e.Message, $"the file stands without `@`: {option} {wrong.Parameter}={e.Path[1..]}");
        }
        catch (DataException e) when (e.Message.EndsWith("one by one", StringComparison.Ordinal))
        {
            throw new CliException(e.Message, "are both of one set? the images that train go with the labels that "
                + "train; a file that is longer is cut before");
        }
    }

    /// <summary>Converts `--arg` to the dtypes of the parameters and the values of sizes.</summary>
    private static TrainingOptions Arguments(TrainingOptions training, TrainWords words, CompiledModel model,
        ModelOptions options)
    {
        var parameters = model.Programs.SelectMany(p => p.Of(BufferKind.Input)).ToList();
        var (tensors, sizes) = (new Dictionary<string, Tensor>(), new Dictionary<string, long>());
        foreach (var (name, text) in words.Arguments)
        {
            if (parameters.Find(p => p.Label == name) is { } parameter)
            {
                if (words.Data.Any(d => d.Parameter == name))
                    throw CommonOptions.Usage($"--arg {name} and --data {name} are for one parameter");
                tensors[name] = Argument(name, text, parameter, options);
            }
            else if (model.Programs.Any(p => p.Sizes.Contains(name)))
            {
                sizes[name] = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size
                    : throw new CliException($"--arg {name}={text}: a size is a whole number, 0 or more");
            }
            else
            {
                throw new CliException($"--arg {name}: '{training.Step}' has no such parameter",
                    Nearest.Help(name, parameters.Select(p => p.Label).Distinct(), "parameters"));
            }
        }
        return training with { Arguments = tensors, Sizes = sizes };
    }

    private static Tensor Argument(string name, string text, ProgramBuffer parameter, ModelOptions options)
    {
        try
        {
            var tensor = text.StartsWith('@') ? TensorFile.Load(text[1..], options.Executable.MemoryLimit)
                : Literals.Parse(text, parameter.Type.DType);
            return tensor.Type == parameter.Type.DType && tensor.Rank == parameter.Type.Rank ? tensor
                : throw new CliException($"--arg {name}: {Tensor.DescribeShape(tensor.Type, tensor.Shape)} is given "
                    + $"for {name}: {parameter.Type}");
        }
        catch (FormatException e)
        {
            throw new CliException($"--arg {name}={text}: {e.Message}",
                $"{name}: {parameter.Type} takes a literal or @FILE");
        }
    }

    private static void CheckFiles(ModelOptions options, TrainWords words, CompiledModel model,
        TrainingOptions training)
    {
        var files = new FilesInUse(options, model);
        foreach (var spec in words.Data.Concat(words.ValidationData))
            files.Reads($"the data of {spec.Parameter}", spec.Path);
        if (words.SaveState is { } state) files.Writes("--save-state", state, mayReplace: "the weights");
        if (words.Log is { } log) files.Writes("--log", log);
        foreach (var curve in words.Curves)
        {
            files.Writes("--curve", curve);
            if (!LossCurve.Endings.Contains(Path.GetExtension(curve).ToLowerInvariant()))
                throw CommonOptions.Usage(
                    $"--curve {curve}: a curve is written as {string.Join(" or ", LossCurve.Endings)}");
        }
        if (training.Checkpoints is { } folder && File.Exists(folder))
            throw new CliException($"--checkpoint {folder}: is a file, and checkpoints go to a folder");
    }
}
