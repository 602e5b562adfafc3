// In: a network's name, its state by name. Out: its forward pass as it is trained, that of bench/peers/networks.py.
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Accelerate.Peers;

internal sealed class Networks(Dictionary<string, Tensor> state)
{
    private const int Heads = 12;

    public Func<Tensor, Tensor> Of(string name) => name switch
    {
        "mlp" or "mlp_adamw" => x => Linear(F.relu(Linear(F.relu(Linear(x, "a")), "b")), "c"),
        "cnn" => x => Linear(Pooled(Pooled(x, "c1"), "c2").flatten(1), "fc"),
        "resnet50" => ResNet50,
        "bert_block" => BertBlock,
        "gpt2_block" => Gpt2Block,
        "lstm" => Lstm(),
        _ => throw new InvalidOperationException($"there is no network '{name}'"),
    };

    private Tensor Linear(Tensor x, string name) => F.linear(x, state[name + ".weight"], state[name + ".bias"]);

    private Tensor Pooled(Tensor x, string name) => F.max_pool2d(
        F.relu(F.conv2d(x, state[name + ".weight"], state[name + ".bias"], padding: [1, 1])), 2);

    private Tensor ResNet50(Tensor x)
    {
        Tensor Conv(Tensor y, string name, long stride = 1, long padding = 0) =>
            F.conv2d(y, state[name + ".weight"], null, [stride, stride], [padding, padding]);
        Tensor Norm(Tensor y, string name) => F.batch_norm(y, state[name + ".running_mean"],
            state[name + ".running_var"], state[name + ".weight"], state[name + ".bias"], training: true);
        x = F.max_pool2d(Norm(Conv(x, "conv1", 2, 3), "bn1").relu_(), 3, 2, 1);
        foreach (var (layer, depth) in (ReadOnlySpan<(int, int)>)[(1, 3), (2, 4), (3, 6), (4, 3)])
        {
            for (var i = 0; i < depth; i++)
            {
                var (block, stride) = ($"layer{layer}.{i}.", layer > 1 && i == 0 ? 2 : 1);
                var y = Norm(Conv(x, block + "conv1"), block + "bn1").relu_();
                y = Norm(Conv(y, block + "conv2", stride, 1), block + "bn2").relu_();
                y = Norm(Conv(y, block + "conv3"), block + "bn3");
                if (i == 0) x = Norm(Conv(x, block + "downsample.0", stride), block + "downsample.1");
                x = y.add_(x).relu_();
            }
        }
        return Linear(F.adaptive_avg_pool2d(x, 1).flatten(1), "fc");
    }

    private Tensor BertBlock(Tensor x)
    {
        x = LayerNorm(x + Linear(Attend(Linear(x, "q"), Linear(x, "k"), Linear(x, "v"), false), "o"), "l1", 1e-12);
        return LayerNorm(x + Linear(F.gelu(Linear(x, "f1")), "f2"), "l2", 1e-12);
    }

    private Tensor Gpt2Block(Tensor x)
    {
        var parts = Linear(LayerNorm(x, "l1", 1e-5), "qkv").chunk(3, -1);
        x += Linear(Attend(parts[0], parts[1], parts[2], true), "o");
        var inner = F.gelu(Linear(LayerNorm(x, "l2", 1e-5), "f1"), TorchSharp.Modules.GELU.Approximate.tanh);
        return x + Linear(inner, "f2");
    }

    /// <summary>All outputs of torch's own layer, whose parameters take the place of the ones read.</summary>
    private Func<Tensor, Tensor> Lstm()
    {
        var layer = nn.LSTM(128, 256, batchFirst: true);
        using var constant = no_grad();
        foreach (var (name, parameter) in layer.named_parameters())
        {
            parameter.copy_(state["lstm." + name]);
            state["lstm." + name] = parameter;
        }
        return x => layer.call(x).Item1;
    }

    private Tensor LayerNorm(Tensor x, string name, double eps) =>
        F.layer_norm(x, [x.shape[^1]], state[name + ".weight"], state[name + ".bias"], eps);

    private static Tensor Attend(Tensor q, Tensor k, Tensor v, bool isCausal)
    {
        Tensor Split(Tensor y) => y.view(y.shape[0], y.shape[1], Heads, -1).transpose(1, 2);
        return F.scaled_dot_product_attention(Split(q), Split(k), Split(v), is_casual: isCausal)
            .transpose(1, 2).flatten(2);
    }
}
