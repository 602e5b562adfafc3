// In: nothing. Out: Llamas with the 1.1 B model's sizes as benchmarks: llama.cpp's weight formats, decoding and
// prompts.
using System.Globalization;
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Registry;

/// <summary>
/// The models of bench/peers/make_llama.py: every format rounds the same seeded weights, and the reference is a forward
/// pass in NumPy on the values in each format's file. Ours runs in f32.
/// </summary>
internal static class BuiltinLlama
{
    /// <summary>
    /// Weight formats: the bits of a weight with its share of the block's scale, and the error allowed for llama.cpp,
    /// which keeps the cache in f16, rounds a product's other operand to the format's companion (of q8_0 and q4_0 to 8
    /// bits), and sums 2048 to 5632 terms. Measured on two layers: 1e-3 with f32 and f16, 5e-3 with bf16, 2e-2 with 8
    /// and 4 bits.
    /// </summary>
    private static readonly Dictionary<string, (double Bits, double Bound)> Formats = new()
    {
        ["f32"] = (32, 1e-2),
        ["f16"] = (16, 1e-2),
        ["bf16"] = (16, 3e-2),
        ["q8_0"] = (8.5, 0.1),
        ["q4_0"] = (4.5, 0.1),
    };

    private const double Width = 2048;
    private const double Vocabulary = 32000;
    private const double LayerWeights = 2 * Width * Width + 2 * Width * 256 + 3 * Width * 5632;

    public static IReadOnlyList<BenchmarkDefinition> All { get; } =
    [
        new("llama_prompt", "precision", "Llama of 1.1 B parameters' sizes: a prompt, and its last token's logits",
            [new("layers", "22", "l"), new("tokens", "128", "t"), new("weights", "f32", "")],
            v => Case(v, isDecode: false, v.Number("tokens"))),
        new("llama_decode", "precision", "Llama of 1.1 B parameters' sizes: one token behind cached ones",
            [new("layers", "22", "l"), new("cached", "128", "c"), new("weights", "f32", "")],
            v => Case(v, isDecode: true, v.Number("cached"))),
    ];

    private static CaseDefinition Case(ParameterValues v, bool isDecode, long count)
    {
        var (layers, form) = (v.Number("layers"), v["weights"]);
        if (!Formats.TryGetValue(form, out var format))
            throw new FormatException($"there is no format of weights '{form}': {string.Join(", ", Formats.Keys)}");
        var what = isDecode ? $"decode step, {count} cached" : $"prompt of {count}";
        var title = $"Llama, {layers} layers, {what}, {form}";
        string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
        var peer = new PeerCall("llama.cpp", "llamacpp",
            [
                "{threads}", "{llamacpp}", $"{{models}}/llama_l{layers}_{form}.gguf", isDecode ? "decode" : "prompt",
                Text(count),
            ])
        {
            Results = new Dictionary<string, string> { ["logits"] = "logits" },
            Bound = format.Bound,
        };
        var ours = new OurCall("",
        [
            "examples/models/llama.acc", "last", "ids=@{data}/ids.npy", $"pos={(isDecode ? count : 0)}",
            "cache=@{data}/cache.npy", "--weights", "{data}/weights.safetensors",
            .. new[] { $"depth={layers}", "width=2048", "heads=32", "groups=4", "inner=5632" }
                .SelectMany(s => new[] { "--set", s }),
            "--dim", "b=1", "--dim", $"t={(isDecode ? 1 : count)}", "--dim", $"cap={count + 1}",
        ])
        { Results = new Dictionary<string, string> { ["0"] = "logits" } };
        var tokens = isDecode ? 1 : count;
        // Attention over the preceding tokens; the head is computed for one token.
        var macs = tokens * layers * (LayerWeights + 2 * Width * (isDecode ? count + 1 : (count + 1) / 2.0))
            + Width * Vocabulary;
        return new(title, form == "f32" ? [ours] : [])
        {
            HasData = true,
            Reference = "numpy",
            Peers = [peer],
            Lines = [new(title, "", [peer.Name], "Llama")],
            Unsupported = form == "f32" ? null : $"not supported: weights in {form}",
            Flops = 2 * macs,
            Bytes = (layers * LayerWeights + Width * Vocabulary) * format.Bits / 8,
            Items = tokens,
            Model = new($"llama {layers} layers", "transformer",
                (long)(layers * (LayerWeights + 2 * Width) + 2 * Width * Vocabulary + Width)),
        };
    }
}
