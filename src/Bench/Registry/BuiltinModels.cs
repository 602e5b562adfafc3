// In: nothing. Out: the bundled networks as benchmarks: those of the table, with peers, and all of examples/models.
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Registry;

/// <summary>
/// For the networks of the table, `bench/peers/build` makes weights and inputs, which the peers read too. The others
/// run on seeded weights and inputs, with the sizes of their papers and in a small variant.
/// </summary>
internal static class BuiltinModels
{
    private const double LayerWeights = 4.0 * 768 * 768 + 2.0 * 768 * 3072; // Of a transformer layer of width 768.

    private static readonly BenchmarkParameter Precision = new("precision", "f32", "");
    private static readonly BenchmarkParameter Variant = new("variant", "real", "");

    public static IReadOnlyList<BenchmarkDefinition> All { get; } =
    [
        new("mlp", "models", "784-512-512-10 perceptron", [new("batch", "64", "b"), Precision], v => Table(v,
            "MLP 784-512-512-10, batch " + v["batch"], new("mlp", "mlp", 669_706), $"mlp_b{v["batch"]}",
            macs: v.Number("batch") * (784.0 * 512 + 512 * 512 + 512 * 10),
            ["bench/mlp.acc", "classify", "x=@{data}/x.npy", "--dim", $"n={v["batch"]}"], "MLP")),
        Image("resnet50", "ResNet-50", 25_557_032, 4.089e9, hasWinograd: true),
        Image("mobilenetv2", "MobileNetV2", 3_504_872, 0.3008e9),
        new("bert_encoder", "models", "the 12 layers of BERT-base on embedded tokens",
            [new("batch", "1", "b"), new("sequence", "128", "s"), Precision], v =>
            {
                var (b, t) = (v.Number("batch"), v.Number("sequence"));
                return Table(v, $"BERT-base, {t} tokens", new("bert_encoder", "transformer", 85_054_464), "bert_base_s128",
                    12.0 * b * (t * LayerWeights + 2.0 * t * t * 768),
                    ["bench/bert.acc", "encode", "x=@{data}/x.npy", "--dim", $"n={b}", "--dim", $"t={t}"]);
            }),
        new("vit_b16", "models", "ViT-B/16 on 224² images", [new("batch", "1", "b"), Precision], v => Table(v,
            "ViT-B/16", new("vit_b16", "transformer", 86_567_656), "vit_b16",
            v.Number("batch") * (12 * (197 * LayerWeights + 2.0 * 197 * 197 * 768) + 196.0 * 768 * 768 + 768_000),
            ["examples/models/vit.acc", "classify", "x=@{data}/x.npy", "--dim", $"n={v["batch"]}"],
            results: new() { ["logits"] = "y" })),
        new("gpt2_decode", "models", "one decoding step of GPT-2 behind cached tokens",
            [new("batch", "1", "b"), new("cached", "128", "c"), Precision], v =>
            {
                var cached = v.Number("cached");
                return Table(v, $"GPT-2 decode step, {cached} cached", new("gpt2", "transformer", 124_439_808),
                    "gpt2_decode_kv128", 12.0 * (LayerWeights + 2.0 * (cached + 1) * 768) + 768.0 * 50257,
                    [
                        "examples/models/gpt2.acc", "forward", "ids=@{data}/ids.npy", $"pos={cached}",
                        "cache=@{data}/cache.npy", "--dim", $"b={v["batch"]}", "--dim", "t=1", "--dim", $"cap={cached + 1}",
                    ], bytes: 4.0 * (123.65e6 + 2.0 * 12 * (cached + 1) * 768));
            }),
        .. Examples(),
        Generator("gpt2", "layers=2 width=64 heads=4 vocab=256"),
        Generator("llama", "depth=2 width=64 heads=4 groups=2 inner=128 vocab=256", LlamaReal),
        Generator("qwen", "depth=2 width=64 heads=4 groups=2 inner=128 vocab=256"),
    ];

    // The 7B model does not fit in memory next to anything else; 1.1B parameters do.
    private const string LlamaReal = "depth=22 width=2048 heads=32 groups=4 inner=5632";

    /// <summary>
    /// The networks that `bench/peers/networks.py` can make, each with the values that it is written for.
    /// </summary>
    private static readonly string[] Made =
    [
        "mlp_b64", "mlp_b1", "resnet50", "mobilenetv2", "bert_base_s128", "vit_b16", "gpt2_decode_kv128",
    ];

    private static BenchmarkDefinition Image(string name, string title, long parameters, double macs,
        bool hasWinograd = false) =>
        new(name, "models", $"{title} on square images",
            [new("batch", "1", "b"), new("size", "224", "h"), Precision], v =>
            {
                var (b, size) = (v.Number("batch"), v["size"]);
                // Multiply-adds grow with the area, except for the last layer's, which are a thousandth.
                var area = (double)v.Number("size") * v.Number("size") / (224.0 * 224);
                return Table(v, $"{title}, batch {b}, {size}²", new(name, "cnn", parameters), name, b * macs * area,
                    [
                        $"examples/models/{name}.acc", "classify", "x=@{data}/x.npy", "--dim", $"n={b}",
                        "--dim", $"x_2={size}", "--dim", $"x_3={size}",
                    ], hasWinograd: hasWinograd);
            });

    private static CaseDefinition Table(ParameterValues v, string title, ModelRecord model, string network, double macs,
        string[] call, string part = "whole models", Dictionary<string, string>? results = null, double? bytes = null,
        bool hasWinograd = false)
    {
        // Files exist for the values of the table; others run on seeded values, without peers.
        var isMade = Made.Contains(network) && v.Key == TableKey(network);
        string[] weights = isMade ? ["--weights", "{data}/weights.safetensors"] : [];
        string[] arguments = [.. call.Select(a => isMade ? a : Builtin.Seeded(a)), .. weights, .. Compute(v)];
        OurCall Way(string name, params string[] more) => new(name, [.. arguments, .. more])
        {
            Results = results ?? new() { ["0"] = "y" },
        };
        var torch = from how in (string[])["eager", "jit"]
                    from blas in (string[])["openblas", "haswell", "blis"]
                    select new PeerCall($"torch_{how}_{blas}", "torch", ["{threads}", blas, how, network], IsSlow: true);
        var isMlp = network.StartsWith("mlp", StringComparison.Ordinal);
        PeerCall[] own = isMlp ? [Builtin.Torch("libtorch", "mlp")] : [];
        PeerCall[] peers = isMade && v["precision"] == "f32" ? [Builtin.Ort(), .. own, .. torch] : [];
        string[] names = [.. peers.Select(p => p.Name)];
        OurCall[] ours = hasWinograd ? [Way(""), Way("direct", "--conv", "direct")] : [Way("")];
        ComparisonLine[] lines = hasWinograd
            ?
            [
                new(title, "", names, part, "direct"),
                new($"{title}, without Winograd", "direct", names, "without Winograd"),
            ]
            : [new(title, "", names, part)];
        return new(title, ours)
        {
            HasData = isMade,
            Peers = peers,
            Lines = lines,
            Flops = 2 * macs,
            Bytes = bytes ?? 4.0 * model.Parameters,
            Items = v.NumberOrNull("batch") ?? 1,
            Model = model,
        };
    }

    private static string TableKey(string network) => network switch
    {
        "mlp_b64" => "b64_f32",
        "mlp_b1" => "b1_f32",
        "resnet50" or "mobilenetv2" => "b1_h224_f32",
        "bert_base_s128" => "b1_s128_f32",
        "vit_b16" => "b1_f32",
        _ => "b1_c128_f32",
    };

    private static string[] Compute(ParameterValues v) => v["precision"] switch
    {
        "f32" => [],
        "bf16" or "f16" => ["--compute", v["precision"]],
        var other => throw new FormatException($"there is no precision '{other}': f32, bf16, f16"),
    };

    /// <summary>The networks of examples/models that are not in the table.</summary>
    private static IEnumerable<BenchmarkDefinition> Examples()
    {
        yield return Example("bert", "transformer", "encode", "128", "layers=2 h=64 heads=4 vocab=256", (b, s) =>
            [Dim("b", b), Dim("t", s), "input_ids=random:high=255", "attention_mask=ones", "token_type_ids=zeros"]);
        yield return Example("gpt2", "transformer", "logits", "128", "layers=2 width=64 heads=4 vocab=256", (b, s) =>
            [Dim("b", b), Dim("t", s), "ids=random:high=255"]);
        yield return Example("llama", "transformer", "logits", "32",
            "depth=2 width=64 heads=4 groups=2 inner=128 vocab=256",
            (b, s) => [Dim("b", b), Dim("t", s), "ids=random:high=255"],
            LlamaReal);
        yield return Example("qwen", "transformer", "logits", "32",
            "depth=2 width=64 heads=4 groups=2 inner=128 vocab=256",
            (b, s) => [Dim("b", b), Dim("t", s), "ids=random:high=255"]);
        yield return Example("t5", "transformer", "run", "32", "layers=2 h=64 heads=4 d=16 inner=128 vocab=256", (b, s) =>
        [
            Dim("b", b), Dim("s", s), Dim("t", s), "input_ids=random:high=255", "attention_mask=ones",
            "decoder_input_ids=random:high=255",
        ]);
        yield return Example("clip", "transformer", "similarity", "77", "layers=2 h=64 heads=4 vocab=256", (b, s) =>
            [Dim("n", b), Dim("m", b), Dim("t", s), "x=random", "ids=random:high=255"]);
        yield return Example("whisper", "transformer", "run", "16",
            "layers=2 h=64 heads=4 vocab=256", (b, s) =>
            [Dim("b", b), Dim("t", s), "features=random", "ids=random:high=255"]);
        yield return Example("wav2vec2", "transformer", "encode", "16000", "layers=2 h=64 heads=4 c=32 groups=4", (b, s) =>
            [Dim("n", b), Dim("samples", s), "wave=random"]);
        yield return Example("detr", "transformer", "detect", "224", "layers=2 d=32 heads=4 inner=64 width=8", (b, s) =>
            [Dim("n", b), Dim("x_2", s), Dim("x_3", s), "x=random"]);
        yield return Example("yolov5", "cnn", "detect", "320", "width=0.125", (b, s) =>
            [Dim("n", b), Dim("h", s), Dim("w", s), "x=random"]);
        yield return Example("unet", "diffusion", "denoise", "32", "", (b, s) =>
            [Dim("n", b), Dim("h", s), Dim("w", s), "sample=random", "timestep=random:high=999"]);
        yield return Example("stable_diffusion", "diffusion", "denoise", "32", "", (b, s) =>
        [
            Dim("n", b), Dim("h", s), Dim("w", s), Dim("s", 77), "sample=random", "timestep=random:high=999",
            "states=random",
        ]);
        yield return Example("lstm", "rnn", "run", "64", "h=16", (b, s) =>
            [Dim("n", b), Dim("t", s), "x=random", "h0=zeros", "c0=zeros"], "i=256 h=512 o=256");
        yield return Example("gru", "rnn", "run", "64", "h=16", (b, s) =>
            [Dim("n", b), Dim("t", s), "x=random", "h0=zeros"], "i=256 h=512 o=256");
    }

    private static string Sets(string name, string variant, string small, string real) => variant switch
    {
        "real" => real,
        "small" => small,
        var other => throw new FormatException($"benchmark '{name}': there is no variant '{other}': real, small"),
    };

    /// <summary>A text: the time to the first token and of each further one.</summary>
    private static BenchmarkDefinition Generator(string name, string small, string real = "") =>
        new($"{name}_generate", "models",
            $"a text of examples/models/{name}.acc: first token and next tokens; seeded weights",
            [
                new("batch", "1", "b"), new("prompt", "64", "p"), new("tokens", "16", "t"), Variant, Precision,
            ], v =>
            {
                string[] words =
                [
                    $"examples/models/{name}.acc", "last",
                    .. Sets($"{name}_generate", v["variant"], small, real)
                        .Split(' ', StringSplitOptions.RemoveEmptyEntries).SelectMany(s => new[] { "--set", s }),
                    "--dim", $"b={v["batch"]}", "ids=random:high=255", "--prompt", v["prompt"], "--tokens", v["tokens"],
                    .. Compute(v),
                ];
                return new($"{name}, {v["variant"]}, {v["tokens"]} tokens behind {v["prompt"]}", [new("", words)])
                {
                    Items = v.Number("batch") * v.Number("tokens"),
                    Model = new(v["variant"] == "real" ? name : $"{name} small", "transformer", 0),
                };
            })
        { Models = [name] };

    private static string Dim(string name, long value) => $"--dim {name}={value}";

    /// <param name="small">Hyper-parameters of the small variant, `name=value` each; empty if the file's defaults are
    /// small.</param>
    /// <param name="real">Hyper-parameters of the real network, if they are not the file's defaults.</param>
    private static BenchmarkDefinition Example(string name, string architecture, string function, string sequence,
        string small, Func<long, long, string[]> arguments, string real = "") =>
        new(name, "models", $"examples/models/{name}.acc, {function}; seeded weights",
            [new("batch", "1", "b"), new("sequence", sequence, "s"), Variant, Precision], v =>
            {
                var sets = Sets(name, v["variant"], small, real);
                var (batch, length) = (v.Number("batch"), v.Number("sequence"));
                string[] words =
                [
                    $"examples/models/{name}.acc", function,
                    .. sets.Split(' ', StringSplitOptions.RemoveEmptyEntries).SelectMany(s => new[] { "--set", s }),
                    .. arguments(batch, length).SelectMany(a => a.StartsWith("--", StringComparison.Ordinal)
                        ? a.Split(' ') : [a]),
                    .. Compute(v),
                ];
                return new($"{name}, {v["variant"]}", [new("", words)])
                {
                    Items = batch,
                    Model = new(v["variant"] == "real" ? name : $"{name} small", architecture, 0),
                };
            })
        { Models = [name] };
}
