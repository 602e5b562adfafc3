// In: an example, its hyper-parameters, a weights file. Out: its graphs, programs and state: what every executor is
// given.
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Models;

/// <summary>A model of the shared folder, compiled with its trained (or seeded) weights.</summary>
internal sealed class Model
{
    private Model(Compilation compilation, IReadOnlyDictionary<string, Tensor> state) =>
        (Compilation, State) = (compilation, state);

    public Compilation Compilation { get; }

    public IReadOnlyDictionary<string, Tensor> State { get; }

    public static Model Mnist(params string[] entries) =>
        Load("examples/mnist_cnn.acc", "mnist_cnn/mnist.safetensors", [], entries);

    public static Model ResNet(params string[] entries) =>
        Load("examples/models/resnet50.acc", "resnet50_w8/weights.safetensors",
        new() { ["width"] = "8", ["classes"] = "10" }, entries);

    public CompiledEntry Entry(string name) => Compilation.Entries.Single(e => e.Name == name);

    /// <summary>The f64 reference of an entry on the given inputs.</summary>
    public IReadOnlyList<ReferenceValue> Reference(string entry, IReadOnlyDictionary<string, long> sizes,
        params Tensor[] inputs) =>
        GraphInterpreter.Run(Entry(entry).Optimised!, [.. inputs.Select(ReferenceValue.Of)], path =>
            ReferenceValue.Of(State[path]), sizes,
            new InterpreterOptions { Propagation = Propagation.Likely });

    public static Model Load(string example, string weights, Dictionary<string, string> set, string[] entries)
    {
        var compilation = Compilation.FromFile(Path.Combine(Shared.Repository, example), new CompilationOptions
        {
            Binding = new BindOptions { Set = set },
            Entries = entries.Length == 0 ? null : entries,
        });
        Assert.True(compilation.Diagnostics.IsEmpty,
            string.Join('\n', compilation.Diagnostics.Select(MsBuildRenderer.Render)));
        using var file = Safetensors.Open(Shared.PathTo("data", "models", weights));
        var keys = file.Tensors.ToDictionary(t => t.Name,
            t => new TensorType(t.Type, [.. t.Shape.Select(s => SizeReader.Read(s))]));
        var bag = new DiagnosticBag();
        var source = new SourceText(weights, "");
        var map =
            WeightMap.Map(keys, compilation.Bound!.State, compilation.Bound.WeightRules.Whole, new Span(source, 0, 0),
                bag,
            compilation.Bound.WeightRules.Modules);
        Assert.Empty(bag.All);
        return new(compilation, map.ToDictionary(p => p.Key, p => file.Read(p.Value)));
    }
}
