// In: a network's name, a case's files. Out: training steps of it, and what the first of them gives.
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Accelerate.Peers;

/// <summary>Cross-entropy, and SGD with a rate of 0.01, as bench/peers/make_training.py computes them in f64.</summary>
internal sealed class Training
{
    private readonly Tensor x;
    private readonly Tensor labels;
    private readonly Dictionary<string, TorchSharp.Modules.Parameter> parameters = [];
    private readonly optim.Optimizer optimizer;
    private readonly bool isMlp;

    public Training(string network, string folder)
    {
        isMlp = network == "mlp";
        x = TensorFiles.Read(Path.Combine(folder, "x.npy"));
        labels = TensorFiles.Read(Path.Combine(folder, "labels.npy"));
        foreach (var (name, value) in TensorFiles.ReadWeights(Path.Combine(folder, "weights.safetensors")))
            parameters[name] = new(value);
        optimizer = optim.SGD(parameters.Values, 0.01);
    }

    public Tensor Step()
    {
        optimizer.zero_grad();
        var loss = F.cross_entropy(Forward(), labels);
        loss.backward();
        optimizer.step();
        return loss;
    }

    /// <summary>The loss, each gradient and each parameter behind the first step.</summary>
    public void WriteStep(string folder)
    {
        TensorFiles.Write(Path.Combine(folder, "loss.npy"), Step());
        foreach (var (name, parameter) in parameters)
        {
            TensorFiles.Write(Path.Combine(folder, $"grad.{name}.npy"), parameter.grad!);
            TensorFiles.Write(Path.Combine(folder, $"{name}.npy"), parameter);
        }
    }

    private Tensor Forward()
    {
        Tensor Linear(Tensor y, string name) => F.linear(y, parameters[name + ".weight"], parameters[name + ".bias"]);
        if (isMlp) return Linear(F.relu(Linear(F.relu(Linear(x, "a")), "b")), "c");
        Tensor Pooled(Tensor y, string name) => F.max_pool2d(
            F.relu(F.conv2d(y, parameters[name + ".weight"], parameters[name + ".bias"], padding: [1, 1])), 2);
        return Linear(Pooled(Pooled(x, "c1"), "c2").flatten(1), "fc");
    }
}
