// In: a network's name, a case's files. Out: training steps of it, and what the first of them gives.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Accelerate.Peers;

/// <summary>As bench/peers/make_training.py computes it in f64: SGD with a rate of 0.01, or torch's AdamW.</summary>
internal sealed class Training
{
    private readonly Tensor x;
    private readonly Tensor target;
    private readonly Dictionary<string, Tensor> state = [];
    private readonly Func<Tensor, Tensor> forward;
    private readonly Func<Tensor, Tensor, Tensor> loss;
    private readonly optim.Optimizer optimizer;
    private readonly Action update;

    /// <param name="network">One of <see cref="Networks"/>.</param>
    /// <param name="folder">The case's.</param>
    /// <param name="isLast">Whether images and filters have their channels innermost.</param>
    public Training(string network, string folder, bool isLast)
    {
        Tensor Placed(Tensor value) => isLast && value.dim() == 4 ? Scripts.ChannelsLast(value) : value;
        x = Placed(TensorFiles.Read(Path.Combine(folder, "x.npy")));
        var labels = Path.Combine(folder, "labels.npy");
        var isClassifier = File.Exists(labels);
        target = TensorFiles.Read(isClassifier ? labels : Path.Combine(folder, "target.npy"));
        loss = isClassifier ? (y, t) => F.cross_entropy(y, t) : (y, t) => F.mse_loss(y, t);
        foreach (var (name, value) in TensorFiles.ReadWeights(Path.Combine(folder, "weights.safetensors")))
        {
            var isStatistic = name.EndsWith(".running_mean", StringComparison.Ordinal)
                || name.EndsWith(".running_var", StringComparison.Ordinal);
            state[name] = isStatistic ? value : new Parameter(Placed(value));
        }
        forward = new Networks(state).Of(network);
        Parameter[] parameters = [.. state.Values.OfType<Parameter>()];
        optimizer = optim.SGD(parameters, 0.01);
        update = network.EndsWith("_adamw", StringComparison.Ordinal) ? AdamW(parameters) : () => optimizer.step();
    }

    public Tensor Step()
    {
        optimizer.zero_grad();
        var value = loss(forward(x), target);
        value.backward();
        update();
        return value;
    }

    /// <summary>The loss, each gradient and the state behind the first step.</summary>
    public void WriteStep(string folder)
    {
        TensorFiles.Write(Path.Combine(folder, "loss.npy"), Step());
        foreach (var (name, value) in state)
        {
            TensorFiles.Write(Path.Combine(folder, $"{name}.npy"), value);
            if (value is Parameter) TensorFiles.Write(Path.Combine(folder, $"grad.{name}.npy"), value.grad!);
        }
    }

    private static Action AdamW(Tensor[] parameters)
    {
        Tensor[] m = [.. parameters.Select(p => zeros_like(p))], v = [.. parameters.Select(p => zeros_like(p))];
        Tensor[] steps = [.. parameters.Select(_ => tensor(0f))];
        return () => Scripts.AdamW(parameters, [.. parameters.Select(p => p.grad!)], m, v, steps);
    }
}
