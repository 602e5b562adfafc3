// In: weight files, each for a part of the model. Out: the tensors by path, or the misfits.
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class WeightFiles
{
    /// <summary>Reads each file for the whole model or for a part of it, like <see cref="WeightReader"/>.</summary>
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

    /// <summary>The same, with misfits collected in a bag; the tensors are usable if it stays empty.</summary>
    public static IReadOnlyDictionary<string, Tensor> Read(
        IReadOnlyList<(string Path, string File)> files, CompiledModel model, DiagnosticBag bag)
    {
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (part, path) in files)
        {
            var declared = WeightReader.Declared(model, part);
            if (declared.Count == 0)
            {
                throw part.Length == 0
                    ? new CliException($"--weights {path}: the model has no state")
                    : new CliException($"--weights {part}={path}: the model has no part '{part}' with state",
                        Nearest.Help(part, model.State.SelectMany(s => Prefixes(s.Path)).Distinct(),
                            "parts"));
            }
            using var file = Opened(path);
            foreach (var (name, tensor) in WeightReader.Read(file, path, part, model, bag,
                message => throw new CliException(message)))
            {
                if (!tensors.TryAdd(name, tensor))
                    throw new CliException($"--weights {path}: {name} is already given by another file");
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
            // A file named like a safetensors file is malformed, so the reader's error is reported.
            throw kind is null or { Name: "a safetensors file" } ? new CliException(e.Message,
                    "weights are read from safetensors files, as safetensors.torch.save_file writes them")
                : new CliException($"--weights {path}: this is {kind.Name}, and weights are read from safetensors "
                    + "files",
                    kind.Weights is { } help ? ForeignFiles.For(help, path) : "give the model's .safetensors file");
        }
    }

    private static IEnumerable<string> Prefixes(string path)
    {
        for (var dot = path.IndexOf('.'); dot >= 0; dot = path.IndexOf('.', dot + 1)) yield return path[..dot];
    }
}
