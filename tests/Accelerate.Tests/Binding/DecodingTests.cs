// GPT-2 and Llama with their caches: logits and caches are PyTorch's, token by token, and so are greedily chosen
// tokens.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public sealed class DecodingTests
{
    private static readonly string[] Gpt2 = ["vocab=256", "positions=64", "layers=2", "width=64", "heads=4"];
    private static readonly string[] Llama = ["vocab=256", "depth=2", "width=64", "heads=8", "groups=2", "inner=176"];

    [SharedFact("data/models/gpt2_l2_h64")]
    public void Gpt2Cached() => Cached("04_gpt2.acc", "gpt2_l2_h64", Gpt2, [2, 2, 2, 4, 24, 16]);

    [SharedFact("data/models/llama_l2_h64")]
    public void LlamaCached() => Cached("05_llama.acc", "llama_l2_h64", Llama, [2, 2, 2, 2, 24, 8]);

    [SharedFact("data/models/gpt2_l2_h64")]
    public void Gpt2Greedy() => Greedy("04_gpt2.acc", "generate", "gpt2_l2_h64", Gpt2,
        [ReferenceValue.Of(DType.F32, [], [0.0]), ReferenceValue.Of(DType.I64, [], [1L])]);

    [SharedFact("data/models/llama_l2_h64")]
    public void LlamaGreedy() => Greedy("05_llama.acc", "greedy", "llama_l2_h64", Llama, []);

    private static void Cached(string program, string model, string[] set, long[] shape)
    {
        var bound = NetworkTests.Design(program, set);
        var state = NetworkTests.Weights(bound, model, "weights.safetensors");
        var ids = ReferenceValue.Of(Npy.Read(Shared.PathTo("data", "models", model, "input_ids.npy"))).Integers;
        var cache = ReferenceValue.Of(DType.F32, shape, new double[shape.Aggregate(1L, (p, s) => p * s)]);
        var (batch, length, vocab) = (2, 24, 256);
        var logits = new double[batch * length * vocab];
        for (var (pos, count) = (0, 8); pos < length; (pos, count) = (pos + count, 1))
        {
            var tokens = ReferenceValue.Of(DType.I64, [batch, count],
                [.. Enumerable.Range(0, batch).SelectMany(b => ids.Skip(b * length + pos).Take(count))]);
            var result =
                GraphInterpreter.Run(bound.Entry("forward")!,
                    [tokens, ReferenceValue.Of(DType.I32, [], [(long)pos]), cache], state,
                new Dictionary<string, long>(),
                    InterpreterOptions.Default with { Assign = (_, value) => cache = value })[0];
            for (var b = 0; b < batch; b++)
                result.Values.AsSpan(b * count * vocab, count * vocab)
                    .CopyTo(logits.AsSpan((b * length + pos) * vocab));
        }
        NetworkTests.Close(Npy.Read(Shared.PathTo("data", "models", model, "output_logits_cached_f64.npy"))
            .ToDoubles(), logits);
        NetworkTests.Close(Npy.Read(Shared.PathTo("data", "models", model, "output_kv_cache_f64.npy"))
            .ToDoubles(), cache.Values);
    }

    private static void Greedy(string program, string entry, string model, string[] set, ReferenceValue[] rest)
    {
        var bound = NetworkTests.Design(program, set);
        var state = NetworkTests.Weights(bound, model, "weights.safetensors");
        var ids = ReferenceValue.Of(Npy.Read(Shared.PathTo("data", "models", model, "input_ids.npy"))).Integers;
        var prompt = ReferenceValue.Of(DType.I64, [2, 8], [.. ids.Take(8).Concat(ids.Skip(24).Take(8))]);
        var function = bound.Entry(entry)!;
        Assert.Single(function.Nodes.OfType<Scan>());
        var tokens =
            GraphInterpreter.Run(function, [prompt, .. rest], state,
                new Dictionary<string, long> { ["count"] = 16 })[0];
        Assert.Equal(ReferenceValue.Of(Npy.Read(Shared.PathTo("data", "models", model, "output_greedy.npy"))).Integers,
            tokens.Integers);
    }
}
