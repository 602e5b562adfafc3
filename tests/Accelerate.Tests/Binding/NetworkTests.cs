// Whole networks with stored weights come in; the graph interpreter gives the stored outputs.
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Binding;

public sealed class NetworkTests
{
    [SharedFact("data/models/resnet50_w8")]
    public void ResNet50()
    {
        var program = Example("models/resnet50.acc", "width=8", "classes=10");
        // Every extent and every sum of branches is proved; what a call is asked is that the image has places.
        Assert.All(program.Entries.SelectMany(e => e.Checks),
            c => Assert.Matches(@"^`\w+` at \S+ needs (each\(dilation, 2\)\[[01]\] <= [hw]|[hw] >= 1)$", c.Message));
        Agrees(program, "classify", "resnet50_w8", "weights.safetensors", ["input.npy"], ["output_f64.npy"]);
    }

    [SharedFact("data/models/mnist_cnn")]
    public void MnistCnn()
    {
        const int count = 100;
        var program = Example("mnist_cnn.acc");
        using var images = Idx.Read(Shared.PathTo("data", "mnist", "t10k-images-idx3-ubyte.gz"));
        var pixels = images.AsSpan<byte>()[..(count * 784)].ToArray().Select(b => (double)b).ToArray();
        var state = Weights(program, "mnist_cnn", "mnist.safetensors");
        var x = ReferenceValue.Of(DType.F32, [count, 28, 28], pixels);
        var result = GraphInterpreter.Run(program.Entry("log_probs")!, [x], state, new Dictionary<string, long>())[0];
        Close(Npy.Read(Shared.PathTo("data", "models", "mnist_cnn", "expected_log_probs_first100_f64.npy"))
            .ToDoubles(), result.Values);
    }

    [SharedFact("data/models/mobilenetv2_w025")]
    public void MobileNetV2() =>
        Agrees(Design("02_mobilenetv2.acc", "width=0.25", "classes=10"), "classify", "mobilenetv2_w025",
        "weights.safetensors", ["input.npy"], ["output_f64.npy"]);

    [SharedFact("data/models/bert_l2_h64")]
    public void Bert() => Agrees(
        Design("03_bert.acc", "vocab=128", "positions=32", "layers=2", "h=64", "heads=4", "inner=256"), "encode",
            "bert_l2_h64",
        "weights.safetensors", ["input_ids.npy", "attention_mask.npy", "token_type_ids.npy"],
        ["output_last_hidden_state_f64.npy", "output_pooler_output_f64.npy"]);

    [SharedFact("data/models/t5_l2_h64")]
    public void T5() =>
        Agrees(Design("06_t5.acc", "vocab=128", "layers=2", "h=64", "heads=4", "d=16", "inner=128"), "run", "t5_l2_h64",
        "weights.safetensors", ["input_ids.npy", "attention_mask.npy", "decoder_input_ids.npy"],
        ["output_encoder_last_hidden_state_f64.npy", "output_logits_f64.npy"],
        // A distance of 16 is bucket log(2) / log(16) * 8, which is 2 only if both logarithms are rounded alike.
        new InterpreterOptions { RoundToDType = true });

    [SharedFact("data/models/unet_tiny")]
    public void UNet() => Agrees(Design("08_unet.acc"), "denoise", "unet_tiny", "weights.safetensors",
        ["input_sample.npy", "input_timestep.npy"], ["output_f64.npy"]);

    [SharedFact("data/models/vit_l2_h64")]
    public void ViT() => Agrees(
        Design("extra_vit.acc", "image=32", "patch=8", "layers=2", "h=64", "heads=4", "inner=256", "classes=10"),
            "classify",
        "vit_l2_h64", "weights.safetensors", ["input.npy"], ["output_tokens_f64.npy", "output_f64.npy"]);

    [SharedFact("data/models/whisper_l2_h64")]
    public void Whisper() => Agrees(Design("extra_whisper.acc"), "run", "whisper_l2_h64", "weights.safetensors",
        ["input_features.npy", "decoder_input_ids.npy"],
            ["output_encoder_last_hidden_state_f64.npy", "output_logits_f64.npy"]);

    [SharedFact("data/models/gpt2_l2_h64")]
    public void Gpt2() =>
        Agrees(Design("04_gpt2.acc", "vocab=256", "positions=64", "layers=2", "width=64", "heads=4"), "logits",
        "gpt2_l2_h64", "weights.safetensors", ["input_ids.npy"], ["output_logits_f64.npy"]);

    [SharedFact("data/models/lstm_h32")]
    public void Lstm() => Agrees(Design("07_lstm.acc"), "run", "lstm_h32", "weights.safetensors",
        ["input.npy", "input_h0.npy", "input_c0.npy"],
        ["output_f64.npy", "output_rnn_f64.npy", "output_hn_f64.npy", "output_cn_f64.npy"]);

    [SharedFact("data/models/gru_h32")]
    public void Gru() => Agrees(Design("extra_gru.acc"), "run", "gru_h32", "weights.safetensors",
        ["input.npy", "input_h0.npy"], ["output_f64.npy", "output_rnn_f64.npy", "output_hn_f64.npy"]);

    private static BoundProgram Example(string name, params string[] set) =>
        Load(Path.Combine(Shared.Repository, "examples", name), set);

    internal static BoundProgram Design(string name, params string[] set) =>
        Load(Shared.PathTo("design", "language", "programs", name), set);

    private static BoundProgram Load(string path, string[] set)
    {
        var bag = new DiagnosticBag();
        var options = new BindOptions { Set = set.Select(s => s.Split('=')).ToDictionary(s => s[0], s => s[1]) };
        var program = Binder.Bind(SourceText.Read(path), options, bag);
        Assert.True(bag.Count == 0, PrettyRenderer.Render(bag.Sorted()));
        return program!;
    }

    /// <summary>The state of the weights file, which has exactly the keys that the program declares.</summary>
    internal static Func<string, ReferenceValue> Weights(BoundProgram program, string model, string file)
    {
        var weights = Safetensors.Open(Shared.PathTo("data", "models", model, file));
        var keys = weights.Tensors.ToDictionary(t => t.Name, t =>
            new TensorType(t.Type, [.. t.Shape.Select(SizeReader.Read)]));
        var bag = new DiagnosticBag();
        var map =
            WeightMap.Map(keys, program.State, program.WeightRules.Whole, new Span(new SourceText(file, ""), 0, 0),
            bag);
        Assert.True(bag.Count == 0, PrettyRenderer.Render(bag.Sorted()));
        return path => ReferenceValue.Of(weights.Read(map[path]));
    }

    private static void Agrees(BoundProgram program, string entry, string model, string file, string[] inputs,
        string[] outputs,
        InterpreterOptions? options = null)
    {
        var state = Weights(program, model, file);
        var results = GraphInterpreter.Run(program.Entry(entry)!,
            [.. inputs.Select(i => ReferenceValue.Of(Npy.Read(Shared.PathTo("data", "models", model, i))))], state,
            new Dictionary<string, long>(), options);
        Assert.Equal(outputs.Length, results.Count);
        foreach (var (output, result) in outputs.Zip(results))
            Close(Npy.Read(Shared.PathTo("data", "models", model, output)).ToDoubles(), result.Values);
    }

    internal static void Close(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var most = expected.Max(Math.Abs);
        var error = expected.Zip(actual).Max(p => Math.Abs(p.First - p.Second));
        Assert.True(error <= 1e-4 * most, $"off by {error}, the largest value is {most}");
    }
}
