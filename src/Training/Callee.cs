// In: an exported function, fixed arguments, batches. Out: calls of the function and the values of their scalar
// results.
using Accelerate.Data;
using Accelerate.Runtime;

namespace Accelerate.Training;

/// <summary>A function as the training loop calls it.</summary>
internal sealed class Callee
{
    private readonly EntrySpec entry;
    private readonly TrainingOptions options;
    private readonly Dictionary<string, long> sizes = new(StringComparer.Ordinal);
    private readonly Source[] sources;
    private readonly List<(int Result, string Name)> metrics = [];
    private readonly Tensor[] inputs;

    private enum Source
    {
        Data, Argument, Key, Step,
    }

    /// <exception cref="TrainingException">A parameter has no source for its value, or the function has no scalar float
    /// result.</exception>
    public Callee(EntrySpec entry, TrainingOptions options, IEnumerable<string> data, string defaultName)
    {
        (this.entry, this.options) = (entry, options);
        var fed = data.ToHashSet();
        sources = [.. entry.Inputs.Select(i => Of(i, fed))];
        inputs = new Tensor[sources.Length];
        var bound = entry.Inputs.SelectMany(i => i.Shape).ToHashSet();
        foreach (var name in entry.Sizes.Where(s => !bound.Contains(s)))
            sizes[name] = options.Sizes.TryGetValue(name, out var value) ? value
                : throw new TrainingException($"'{entry.Name}' needs a value for {name}: int", $"--arg {name}=4");
        for (var i = 0; i < entry.Outputs.Count; i++)
        {
            var result = entry.Outputs[i];
            if (result.Shape.Count > 0 || !result.Type.IsFloat) continue;
            metrics.Add((i, result.IsNamed ? result.Name
                : metrics.Count == 0 ? defaultName : $"{defaultName}.{i}"));
        }
        if (metrics.Count == 0)
            throw new TrainingException($"'{entry.Name}' has no result that is a scalar of floats",
                "training watches the loss: return it as f32");
    }

    public IReadOnlyList<string> Metrics => [.. metrics.Select(m => m.Name)];

    /// <summary>Values of the `int` parameters that no input's shape determines.</summary>
    public IReadOnlyDictionary<string, long> Sizes => sizes;

    /// <summary>Runs one batch and returns its metrics; the results' tensors are freed.</summary>
    public IReadOnlyList<Metric> Call(Session session, Batch batch, long number) => With(batch, number, given =>
    {
        var results = session.Run(entry.Name, given, sizes);
        try
        {
            return metrics.Select(m => new Metric(m.Name, results[m.Result].ToDoubles()[0])).ToArray();
        }
        finally
        {
            foreach (var result in results) result.Dispose();
        }
    });

    /// <summary>
    /// Calls a function with the arguments of a step. The tensors of its key and step number are freed afterwards.
    /// </summary>
    public T With<T>(Batch batch, long number, Func<Tensor[], T> use)
    {
        using var key = Tensor.Scalar(Keys.Fold(options.Seed, number));
        using var step = Tensor.Scalar((int)number);
        for (var i = 0; i < sources.Length; i++)
        {
            var name = entry.Inputs[i].Name;
            inputs[i] = sources[i] switch
            {
                Source.Data => batch.Tensors[name],
                Source.Argument => options.Arguments[name],
                Source.Key => key,
                _ => step,
            };
        }
        return use(inputs);
    }

    private Source Of(TensorSpec input, HashSet<string> fed)
    {
        if (input.IsInout)
            throw new TrainingException($"'{entry.Name}' writes into its argument {input.Name}",
                "what training keeps from step to step is state: a buffer of the module");
        if (fed.Contains(input.Name)) return Source.Data;
        if (options.Arguments.ContainsKey(input.Name)) return Source.Argument;
        var isScalar = input.Shape.Count == 0;
        if (isScalar && input is { Name: "key" or "seed", Type: DType.I64 }) return Source.Key;
        if (isScalar && input is { Name: "step", Type: DType.I32 }) return Source.Step;
        throw new TrainingException($"'{entry.Name}' needs a value for {input}",
            isScalar ? $"--arg {input.Name}=…"
                : $"--data {input.Name}=FILE, or --arg {input.Name}=… for what is the same in every step");
    }
}
