// In: weight files, each for a part of the model. Out: the tensors by path, or what does not fit.
using Accelerate.Compiler;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class WeightFiles
{
    public static IReadOnlyDictionary<string, Tensor> Read(
        IReadOnlyList<(string Path, string File)> files, Compilation compilation, Terminal terminal, DiagnosticFormat format)
    {
        if (files.Count > 0) throw new CliException("not supported: --weights", null, ExitCodes.Limitation);
        return new Dictionary<string, Tensor>();
    }
}
