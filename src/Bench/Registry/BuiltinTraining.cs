// In: nothing. Out: training steps as benchmarks: forward pass, backward pass and update of a network in one call.
namespace Accelerate.Bench.Registry;

/// <summary>
/// bench/peers/make_training.py makes the inputs, and PyTorch 1.13 in f64 the expected results: the loss, each gradient
/// and the state after the first step. libtorch is compared with all of them, ours with the loss at a rate of 0, which
/// leaves the weights unchanged, so that every call repeats the first one.
/// </summary>
internal static class BuiltinTraining
{
    private static readonly BenchmarkParameter Precision = new("precision", "f32", "");
    private static readonly BenchmarkParameter Tokens = new("sequence", "128", "s");

    public static IReadOnlyList<BenchmarkDefinition> All { get; } =
    [
        Classifier("mlp", "MLP batch {batch}", "n={batch}", [Batch(64)]),
        Classifier("mlp_adamw", "MLP batch {batch}, AdamW", "n={batch}", [Batch(64)]),
        Classifier("cnn", "CNN batch {batch}", "n={batch}", [Batch(64)], hasImages: true),
        Classifier("resnet50", "ResNet-50 batch {batch}, {size}²", "n={batch} s={size}",
            [Batch(8), new("size", "64", "h")], "examples/models", hasImages: true),
        Sequences("bert_block", "BERT-base layer, batch {batch} × {sequence} tokens", [Batch(8), Tokens]),
        Sequences("gpt2_block", "GPT-2 layer, batch {batch} × {sequence} tokens", [Batch(4), Tokens]),
        Sequences("lstm", "LSTM 128-256, batch {batch} × {sequence} steps", [Batch(32), new("sequence", "64", "s")]),
    ];

    private static BenchmarkParameter Batch(int count) => new("batch", $"{count}", "b");

    private static BenchmarkDefinition Classifier(string network, string title, string sizes,
        BenchmarkParameter[] parameters, string folder = "bench", bool hasImages = false) =>
        Step(network, title, sizes, parameters, "labels", folder, hasImages);

    private static BenchmarkDefinition Sequences(string network, string title, BenchmarkParameter[] parameters) =>
        Step(network, title, "n={batch} t={sequence}", parameters, "target", "bench", hasImages: false);

    /// <param name="network">The row without `train_`: the name of our file and of libtorch's network.</param>
    /// <param name="title">The title, with placeholders for values such as `{batch}`.</param>
    /// <param name="sizes">The sizes of the program, `name=value` each.</param>
    /// <param name="parameters">The parameters of a case, including the precision.</param>
    /// <param name="target">The input with the target outputs of the network.</param>
    /// <param name="folder">The folder of our file, next to the network that it uses.</param>
    /// <param name="hasImages">Whether peers may have channels innermost.</param>
    private static BenchmarkDefinition Step(string network, string title, string sizes, BenchmarkParameter[] parameters,
        string target, string folder, bool hasImages)
    {
        var name = $"train_{network}";
        var update = network.EndsWith("_adamw", StringComparison.Ordinal) ? "AdamW" : "SGD";
        var what = title.Split([',', '{'])[0].Replace(" batch ", "", StringComparison.Ordinal);
        var description = $"training step, {what}: forward, backward, {update}";
        return new(name, "training", description, [.. parameters, Precision], v =>
        {
            string Filled(string text) => parameters.Aggregate(text,
                (t, p) => t.Replace($"{{{p.Name}}}", v[p.Name], StringComparison.Ordinal));
            var isSupported = v["precision"] == "f32";
            PeerCall Libtorch(string suffix, params string[] words) =>
                Builtin.Torch($"libtorch_train{suffix}", ["train", network, .. words]) with
                {
                    Results = PeerCall.Every,
                    BoundOf = result => BoundOf(network, result),
                };
            var torch = from blas in (string[])["openblas", "haswell", "blis"]
                        select new PeerCall($"torch_train_{blas}", "torch",
                            ["{threads}", blas, "train", name, "{data}"]);
            PeerCall[] peers = !isSupported ? []
                : [Libtorch(""), .. hasImages ? [Libtorch("_last", "last")] : (PeerCall[])[], .. torch];
            string[] words =
            [
                $"{folder}/{name}.acc", "step", "x=@{data}/x.npy", $"{target}=@{{data}}/{target}.npy", "rate=0",
                "--weights", "{data}/weights.safetensors",
                .. Filled(sizes).Split(' ').SelectMany(s => new[] { "--dim", s }),
            ];
            var line = $"training step, {Filled(title)}";
            return new(line, isSupported ? [new("", words) { Results = Loss }] : [])
            {
                HasData = true,
                Reference = "torch f64",
                Peers = peers,
                Lines = [new(line, "", [.. peers.Select(p => p.Name)], "training")],
                Items = v.Number("batch"),
                Unsupported = isSupported ? null : $"not supported: training in {v["precision"]}",
            };
        });
    }

    private static double BoundOf(string network, string result) => network switch
    {
        // In f32, some of the millions of values fall on the other side of relu's 0, and where a filter sums over only
        // 32 places, one of them is visible: PyTorch 1.13's own gradients in f32 differ by 0.23, and by 0.02 in the
        // norm.
        "resnet50" when result != "loss" && !result.Contains(".running_", StringComparison.Ordinal) => 0.5,
        // Its first step is g / (|g| + 1e-8): for g near 1e-8, the rounding error in f32 is a fraction of the rate.
        // Measured: 4e-4.
        "mlp_adamw" when result != "loss" && !result.StartsWith("grad.", StringComparison.Ordinal) => 2e-3,
        _ => 1e-4,
    };

    private static Dictionary<string, string> Loss { get; } = new() { ["0"] = "loss" };
}
