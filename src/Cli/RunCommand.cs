// In: a file, an exported function, its arguments. Out: the results, as text or in files.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class RunCommand
{
    public static Command Make(Terminal terminal)
    {
        var output =
            new Option<string?>("-o") { Description = "writes the only result to that .npy file", HelpName = "FILE" };
        var outputs = new Option<string[]>("--out")
        {
            Description = "writes a result, by its name or number: --out loss=loss.npy; repeatable",
            HelpName = "name=FILE",
        };
        var state = new Option<string?>("--save-state")
        {
            Description =
                "writes parameters and buffers as they are after the call, as safetensors; --weights reads it",
            HelpName = "FILE",
        };
        var command = new Command("run", "Compiles a file and calls one of its functions.");
        var common = new CommonOptions().AddTo(command).AddCodeTo(command).AddRunTo(command);
        var call = new CallArguments(command);
        command.Options.Add(output);
        command.Options.Add(outputs);
        command.Options.Add(state);
        command.SetAction(parsed =>
        {
            var options = common.Read(parsed);
            var loader = new ModelLoader(options, terminal);
            var model = loader.Model(call.Function(parsed));
            var program = model.Programs.Single();
            // Before code generation, so that a wrong argument is reported at once.
            var (inputs, sizes) = call.Inputs(parsed, program, options);
            var targets = Targets(program, parsed.GetValue(output), parsed.GetValue(outputs) ?? []);
            var checkpoint = parsed.GetValue(state);
            var files = new FilesInUse(options, model);
            foreach (var (parameter, path) in call.Files(parsed)) files.Reads($"the input {parameter}", path);
            var dtypes = Shown(program).Select(b => b.Type.DType).ToList();
            foreach (var (result, (option, path)) in targets)
            {
                files.Writes(option, path);
                // Before the call, because afterwards some of the files would exist.
                if (!Npy.Has(dtypes[result]))
                    throw new CliException($"{option} {path}: the npy format has no {dtypes[result].Name()}",
                        "return it as f32: `f32(y)`");
                if (Path.GetExtension(path) is { Length: > 0 } and not ".npy" and var extension)
                    throw CommonOptions.Usage($"{option} {path}: results are written as .npy, not {extension}",
                        $"name it {Path.ChangeExtension(path, ".npy")}; numpy.load reads it in Python");
            }
            // A training loop in a shell continues from the state of the last step.
            if (checkpoint is not null) files.Writes("--save-state", checkpoint, mayReplace: "the weights");
            if (checkpoint is not null && ForeignFiles.Named(checkpoint) is { Name: not "a safetensors file" } other)
                throw CommonOptions.Usage($"--save-state {checkpoint}: the state is written as safetensors, not as "
                    + other.Name, $"name it {Path.ChangeExtension(checkpoint, ".safetensors")}");
            using var executable = loader.Load(model, wholeState: checkpoint is not null);
            using var session = executable.CreateSession();
            session.Output = terminal.Output;
            var watch = Stopwatch.StartNew();
            var results = session.Run(program.Name, inputs, sizes);
            watch.Stop();
            loader.Times?.End("run");
            // The arguments that the call wrote to follow its results.
            Tensor[] written = [.. results, .. inputs.Where((_, i) => executable.Entries[0].Inputs[i].IsInout)];
            Write(written, Labels(program), targets, terminal.Output);
            if (checkpoint is not null)
            {
                // The state of the whole model, with the parts that this function does not use unchanged.
                var after =
                    model.State.ToDictionary(s => s.Path, s => session.State.GetValueOrDefault(s.Path)
                        ?? loader.State[s.Path]);
                Safetensors.Write(checkpoint, after);
                terminal.Output.Write(
                    $"state: {Quantity.Of(after.Count, "tensor")} in {VisibleText.Word(checkpoint)}\n");
            }
            if (options.Weights.Count == 0) Seeded(model, loader, terminal);
            if (options.Time)
            {
                var (compile, run) = (loader.CompileTime.TotalMilliseconds, watch.Elapsed.TotalMilliseconds);
                terminal.Error.Write(string.Create(CultureInfo.InvariantCulture,
                    $"compile {compile:0.0} ms, run {run:0.000} ms ({executable.Backend.Name()})\n"));
                terminal.Error.Write($"{loader.Times}\n");
            }
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>
    /// Notes that parameters have random initial values, because a forgotten --weights gives plausible numbers.
    /// Constant initial values (zeros, ones) are not mentioned.
    /// </summary>
    private static void Seeded(CompiledModel model, ModelLoader loader, Terminal terminal)
    {
        var drawn = model.State.Where(s => s.Storage == StorageClass.Param && s.Type.DType.IsFloat
            && loader.State.TryGetValue(s.Path, out var tensor) && tensor.Count > 1 && Differ(tensor)).ToList();
        if (drawn.Count > 0) terminal.Error.Write($"note: without --weights {VisibleText.Word(drawn[0].Path)}"
            + (drawn.Count == 1 ? " has its random initial value\n"
                : $" and {Quantity.Of(drawn.Count - 1, "other parameter")} have random initial values\n"));

        static bool Differ(Tensor tensor)
        {
            var values = tensor.ToDoubles();
            return values[0] != values[1] && values[0] != 0;
        }
    }

    /// <summary>The names of the results, then of the inout parameters.</summary>
    private static List<string> Labels(Program program) => [.. Shown(program).Select(b => b.Label)];

    private static IEnumerable<ProgramBuffer> Shown(Program program) =>
        program.Of(BufferKind.Output).Concat(program.Of(BufferKind.Input).Where(b => b.IsInout));

    /// <summary>The files of the results that are written to files, each with its option.</summary>
    private static Dictionary<int, (string Option, string Path)> Targets(Program program, string? only, string[] named)
    {
        var labels = Labels(program);
        var targets = new Dictionary<int, (string, string)>();
        if (only is not null)
        {
            if (labels.Count != 1)
                throw CommonOptions.Usage($"'{program.Name}' has {labels.Count} results, -o takes one",
                    "--out 0=file.npy names the first");
            targets[0] = ("-o", only);
        }
        foreach (var text in named)
        {
            var at = text.IndexOf('=');
            if (at <= 0 || at == text.Length - 1) throw CommonOptions.Usage($"--out {text} is not name=FILE");
            var name = text[..at];
            var index = int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var i)
                ? i : labels.IndexOf(name);
            if (index < 0 || index >= labels.Count)
                throw new CliException($"'{program.Name}' has no result '{name}'",
                    Nearest.Help(name, labels.Select((l, n) => l.Length > 0 ? l : $"{n}"), "results"));
            if (!targets.TryAdd(index, ($"--out {name}", text[(at + 1)..])))
                throw CommonOptions.Usage($"the result '{name}' is written twice");
        }
        return targets;
    }

    private static void Write(Tensor[] results, List<string> labels,
        Dictionary<int, (string Option, string Path)> targets, TextWriter output)
    {
        for (var i = 0; i < results.Length; i++)
        {
            var name = labels[i].Length > 0 ? labels[i] + ": " : results.Length > 1 ? $"{i}: " : "";
            if (targets.TryGetValue(i, out var target))
            {
                Npy.Write(target.Path, results[i]);
                output.Write(
                    $"{name}{results[i].ToString().Split('\n')[0]} in {VisibleText.Word(target.Path)}\n");
            }
            else
            {
                output.Write($"{name}{results[i]}\n");
            }
        }
    }
}
