// In: nothing. Out: the reference networks: which example, which stored weights, inputs and outputs, which calls.
using System.Collections.Concurrent;
using System.Collections.Immutable;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Models;

/// <summary>A call of a network: inputs by file name, results by file name; null where none is stored.</summary>
internal sealed record NetworkCall(string Entry, string[] Inputs, params string?[] Outputs);

/// <summary>A network of examples/models with the weights and outputs that PyTorch stored for it.</summary>
/// <param name="Name">The example's file, without its suffix.</param>
/// <param name="Folder">The folder of data/models.</param>
/// <param name="Set">The hyper-parameters of the stored weights.</param>
/// <param name="Calls">Each is made on every executor.</param>
internal sealed record Network(string Name, string Folder, string Set, params NetworkCall[] Calls)
{
    public static readonly ImmutableArray<Network> All =
    [
        new("resnet50", "resnet50_w8", "width=8 classes=10",
            new("classify", ["input"], "output"),
            new("hidden", ["input"], [null])),
        new("mobilenetv2", "mobilenetv2_w025", "width=0.25 classes=10",
            new("classify", ["input"], "output"),
            new("hidden", ["input"], [null])),
        new("vit", "vit_l2_h64", "image=32 patch=8 layers=2 h=64 heads=4 inner=256 classes=10",
            new NetworkCall("classify", ["input"], "output_tokens", "output")),
        new("bert", "bert_l2_h64", "vocab=128 positions=32 layers=2 h=64 heads=4 inner=256",
            new NetworkCall("encode", ["input_ids", "attention_mask", "token_type_ids"],
                "output_last_hidden_state", "output_pooler_output")),
        new("t5", "t5_l2_h64", "vocab=128 layers=2 h=64 heads=4 d=16 inner=128",
            new NetworkCall("run", ["input_ids", "attention_mask", "decoder_input_ids"],
                "output_encoder_last_hidden_state", "output_logits")),
        new("whisper", "whisper_l2_h64",
            "vocab=128 positions=24 frames=32 layers=2 h=64 heads=4 inner=256",
            new NetworkCall("run", ["input_features", "decoder_input_ids"],
                "output_encoder_last_hidden_state", "output_logits")),
        new("lstm", "lstm_h32", "layers=2",
            new NetworkCall("run", ["input", "input_h0", "input_c0"], "output", "output_rnn", "output_hn",
                "output_cn")),
        new("gru", "gru_h32", "layers=2",
            new NetworkCall("run", ["input", "input_h0"], "output", "output_rnn", "output_hn")),
        new("unet", "unet_tiny", "c0=16 c1=32",
            new NetworkCall("denoise", ["input_sample", "input_timestep"], "output"),
            new NetworkCall("hidden", ["input_sample", "input_timestep"], [null])),
        new("gpt2", "gpt2_l2_h64", "vocab=256 positions=64 layers=2 width=64 heads=4",
            new NetworkCall("logits", ["input_ids"], "output_logits"))
        {
            Decoding = ["forward", "generate"],
        },
        new("llama", "llama_l2_h64", "vocab=256 depth=2 width=64 heads=8 groups=2 inner=176",
            new NetworkCall("logits", ["input_ids"], "output_logits"))
        {
            Decoding = ["forward", "greedy_text"],
        },
    ];

    /// <summary>Entries with a cache: one call of some tokens more, and one that writes a text.</summary>
    public string[] Decoding { get; init; } = [];

    public string PathTo(string file) => Shared.PathTo("data", "models", Folder, file + ".npy");

    public Tensor Read(string file) => Npy.Read(PathTo(file));

    public Tensor[] Read(NetworkCall call) => [.. call.Inputs.Select(Read)];

    /// <summary>The network compiled and loaded, once for all tests.</summary>
    public Model Model => Loaded.GetOrAdd(Name, _ => new(() => Model.Load($"examples/models/{Name}.acc",
        $"{Folder}/weights.safetensors", Set.Split(' ').Select(s => s.Split('=')).ToDictionary(s => s[0], s => s[1]),
        [.. Calls.Select(c => c.Entry).Distinct(), .. Decoding]))).Value;

    /// <summary>What the f64 graph interpreter makes of a call, once for all tests.</summary>
    public IReadOnlyList<ReferenceValue> Reference(NetworkCall call) => References.GetOrAdd((Name, call.Entry),
        _ => new(() => Model.Reference(call.Entry, ImmutableDictionary<string, long>.Empty, Read(call)))).Value;

    private static readonly ConcurrentDictionary<string, Lazy<Model>> Loaded = new();

    private static readonly ConcurrentDictionary<(
        string, string), Lazy<IReadOnlyList<ReferenceValue>>> References = new();

    public override string ToString() => Name;
}
