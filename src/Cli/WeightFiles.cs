// In: weight files, each for a part of the model. Out: the tensors by path, or what does not fit.
using System.Collections.Immutable;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class WeightFiles
{
    /// <summary>
    /// The file for the whole model goes by the program's `weights` rules, one for a part by those of the part's
    /// module. A part's keys are its paths without the part's own; the file must have all state of the part and nothing
    /// else.
    /// </summary>
    public static IReadOnlyDictionary<string, Tensor> Read(
        IReadOnlyList<(string Path, string File)> files, CompiledModel model, Terminal terminal,
            DiagnosticFormat format)
    {
        var bag = new DiagnosticBag();
        var tensors = Read(files, model, bag);
        if (bag.Count == 0) return tensors;
        terminal.Report(bag.Sorted(), format);
        throw new ReportedException(bag.ExitCode);
    }

    /// <summary>The same with what does not fit in a bag; the tensors are of use where it stays empty.</summary>
    public static IReadOnlyDictionary<string, Tensor> Read(
        IReadOnlyList<(string Path, string File)> files, CompiledModel model, DiagnosticBag bag)
    {
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (part, path) in files)
        {
            var declared = Part(part, model.State);
            if (declared.Count == 0)
            {
                throw part.Length == 0
                    ? new CliException($"--weights {path}: the model has no state")
                    : new CliException($"--weights {part}={path}: the model has no part '{part}' with state",
                        Nearest.Help(part, model.State.SelectMany(s => Prefixes(s.Path)).Distinct(),
                            "parts"));
            }
            // The tensors stay valid without the file object: they hold the mapping.
            using var file = Opened(path);
            var keys = file.Tensors.ToDictionary(t => t.Name,
                t => new TensorType(t.Type, [.. t.Shape.Select(s =>
                    Size.Constant(long.Parse(s, System.Globalization.CultureInfo.InvariantCulture)))]));
            var rules = part.Length == 0 ? model.Rules.Whole : model.Rules.Parts.GetValueOrDefault(part, []);
            var span = new SourceText(path, "").All;
            foreach (var (name, key) in WeightMap.Map(keys, declared, rules, span, bag,
                part.Length == 0 ? model.Rules.Modules : null))
            {
                var full = part.Length == 0 ? name : $"{part}.{name}";
                if (bag.Count > 0) continue;
                var wanted = declared.First(s => s.Path == name).Type.DType;
                if (!tensors.TryAdd(full, Converted(file.Read(key), wanted, key)))
                    throw new CliException($"--weights {path}: {full} is already given by another file");
            }
        }
        return tensors;
    }

    private static Safetensors Opened(string path)
    {
        try
        {
            return Safetensors.Open(path);
        }
        catch (DataException e) when (FileStatus.Of(path) is { Kind: FileKind.Regular })
        {
            var kind = ForeignFiles.Of(path);
            // One that is called so, and is not, has something wrong inside.
            throw kind is null or { Name: "a safetensors file" } ? new CliException(e.Message,
                    "weights are read from safetensors files, as safetensors.torch.save_file writes them")
                : new CliException($"--weights {path}: this is {kind.Name}, and weights are read from safetensors "
                    + "files",
                    kind.Weights is { } help ? ForeignFiles.For(help, path) : "give the model's .safetensors file");
        }
    }

    private static IReadOnlyList<StateSpec> Part(string part, ImmutableArray<StateSpec> state) =>
        part.Length == 0
        ? state
        : [.. state.Where(s => s.Path.StartsWith(part + ".", StringComparison.Ordinal)).Select(s =>
            s with { Path = s.Path[(part.Length + 1)..] })];

    private static IEnumerable<string> Prefixes(string path)
    {
        for (var dot = path.IndexOf('.'); dot >= 0; dot = path.IndexOf('.', dot + 1)) yield return path[..dot];
    }

    /// <summary>
    /// Checkpoints keep floats at other widths than the program; each value is rounded once. An integer has to fit.
    /// </summary>
    private static Tensor Converted(Tensor tensor, DType type, string key)
    {
        if (tensor.Type == type) return tensor;
        return LargeValues.Convert(tensor, type, (value, back) =>
        {
            if (!type.IsFloat && value != back)
                throw new CliException($"{key}: {value} of the weights file does not fit {type.Name()}");
        });
    }
}
