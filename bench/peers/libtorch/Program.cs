// libtorch THREADS DATA OP WORDS…: libtorch 2.10 through TorchSharp on a case's files; prints one JSON line.
//   matmul [bf16]                            a · b as they are given
//   linear [bf16]                            the same with b as a layer's weight, which MKL may pack
//   conv STRIDE PAD GROUPS first|last        the channels' place in memory
//   softmax · layernorm · mlp
//   train NETWORK [last]                     one step: forward, backward, SGD with rate 0.01 or AdamW
// With RESULTS the first call's results go there as NAME.npy, for the harness to compare, before anything is timed.
using System.Globalization;
using Accelerate.Peers;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

if (args is not [var count, var folder, var operation, ..])
{
    Console.Error.WriteLine("usage: libtorch THREADS DATA OP WORDS...");
    return 2;
}
try
{
    var threads = int.Parse(count, CultureInfo.InvariantCulture);
    set_num_threads(threads);
    set_num_interop_threads(1);
    using var all = NewDisposeScope();
    var words = args[3..];
    var results = Environment.GetEnvironmentVariable("RESULTS");
    if (operation == "train")
    {
        var training = new Training(words[0], folder, words is [_, "last"]);
        if (results is not null) training.WriteStep(results);
        Timing.Print(threads, () =>
        {
            using var step = NewDisposeScope();
            training.Step();
        });
        return 0;
    }
    using var inference = inference_mode();
    var call = Call(operation, words, folder);
    if (results is not null) TensorFiles.Write(Path.Combine(results, "y.npy"), call());
    Timing.Print(threads, () =>
    {
        using var step = NewDisposeScope();
        call();
    });
    return 0;
}
catch (Exception e)
{
    // The harness takes the last line.
    Console.Error.WriteLine($"libtorch: {e.Message.Split('\n')[0]}");
    return 1;
}

static Func<Tensor> Call(string operation, string[] words, string folder)
{
    Tensor Input(string name) => TensorFiles.Read(Path.Combine(folder, name + ".npy"));
    Dictionary<string, Tensor> Weights() => TensorFiles.ReadWeights(Path.Combine(folder, "weights.safetensors"));
    switch (operation)
    {
        case "matmul" or "linear":
            {
                var type = words is ["bf16"] ? bfloat16 : float32;
                var (a, b) = (Input("a").to(type), Input("b").to(type));
                if (operation == "matmul") return () => torch.matmul(a, b);
                var weight = b.t().contiguous();
                return () => F.linear(a, weight);
            }
        case "conv":
            {
                var w = Weights();
                var (x, weight, bias) = (Input("x"), w["conv.weight"], w["conv.bias"]);
                long Number(int i) => long.Parse(words[i], CultureInfo.InvariantCulture);
                var (stride, padding, groups) = (Number(0), Number(1), Number(2));
                if (words[3] == "last") (x, weight) = (Scripts.ChannelsLast(x), Scripts.ChannelsLast(weight));
                return () => F.conv2d(x, weight, bias, [stride, stride], [padding, padding], null, groups);
            }
        case "softmax":
            {
                var x = Input("x");
                return () => F.softmax(x, -1);
            }
        case "layernorm":
            {
                var (x, w) = (Input("x"), Weights());
                return () => F.layer_norm(x, [x.shape[^1]], w["norm.weight"], w["norm.bias"], 1e-5);
            }
        case "mlp":
            {
                var (x, w) = (Input("x"), Weights());
                Tensor Layer(Tensor y, string name) => F.linear(y, w[name + ".weight"], w[name + ".bias"]);
                return () => F.softmax(Layer(F.relu(Layer(F.relu(Layer(x, "a")), "b")), "c"), -1);
            }
        default:
            throw new InvalidOperationException($"there is no operation '{operation}'");
    }
}
