// In: a weights file, the part of a model that it is for. Out: its tensors by path of the state, in the dtypes of the
// program, or diagnostics about what does not fit.
using System.Collections.Immutable;
using System.Globalization;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler;

/// <summary>
/// A file for the whole model is read by the program's `weights` rules, one for a part by those of the part's module. A
/// part's keys are its paths without the part's own; the file must contain all state of the part and nothing else.
/// </summary>
internal static class WeightReader
{
    /// <summary>The state of a part by its paths inside the part; all state for an empty path.</summary>
    public static IReadOnlyList<StateSpec> Declared(CompiledModel model, string part) => part.Length == 0
        ? model.State
        : [.. model.State.Where(s => s.Path.StartsWith(part + ".", StringComparison.Ordinal)).Select(s =>
            s with { Path = s.Path[(part.Length + 1)..] })];

    /// <summary>The tensors by their whole path; only valid if the bag stays empty.</summary>
    /// <param name="file">The file. The tensors stay valid without it: they hold the mapping.</param>
    /// <param name="path">Its name.</param>
    /// <param name="part">The part it is for, or an empty path.</param>
    /// <param name="model">The model.</param>
    /// <param name="bag">Receives the diagnostics: weights that are missing, left over or of another shape.</param>
    /// <param name="refuse">Called with the reason if a value does not fit its dtype; it throws.</param>
    public static IReadOnlyDictionary<string, Tensor> Read(Safetensors file, string path, string part,
        CompiledModel model, DiagnosticBag bag, Action<string> refuse)
    {
        var declared = Declared(model, part);
        var keys = file.Tensors.ToDictionary(t => t.Name, t => new TensorType(t.Type,
            [.. t.Shape.Select(s => Size.Constant(long.Parse(s, CultureInfo.InvariantCulture)))]));
        var rules = part.Length == 0 ? model.Rules.Whole : model.Rules.Parts.GetValueOrDefault(part, []);
        var map = WeightMap.Map(keys, declared, rules, new SourceText(path, "").All, bag,
            part.Length == 0 ? model.Rules.Modules : null);
        var tensors = new Dictionary<string, Tensor>();
        if (bag.Count > 0) return tensors;
        var types = declared.ToDictionary(s => s.Path, s => s.Type.DType);
        foreach (var (name, key) in map)
            tensors[part.Length == 0 ? name : $"{part}.{name}"] = Converted(file.Read(key), types[name], key, refuse);
        return tensors;
    }

    /// <summary>
    /// Checkpoints may store floats at other widths than the program; each value is rounded once. An integer must fit.
    /// </summary>
    private static Tensor Converted(Tensor tensor, DType type, string key, Action<string> refuse)
    {
        if (tensor.Type == type) return tensor;
        return LargeValues.Convert(tensor, type, (value, back) =>
        {
            if (!type.IsFloat && value != back)
                refuse($"{key}: {value} of the weights file does not fit {type.Name()}");
        });
    }
}
