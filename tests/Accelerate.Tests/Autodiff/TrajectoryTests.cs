// Four training runs of PyTorch, step for step: the losses, the norms of the gradients and the final weights, on LLVM;
// the first steps also on the kernel interpreter, to the bit.
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Autodiff;

public sealed class TrajectoryTests(ITestOutputHelper output)
{
    private const string Mlp = """
        use nn
        use optim

        module Net {
            let fc1 = Linear(784, 128)
            let fc2 = Linear(128, 10)
            fn loss(x: f32[n, 784], y: i32[n]) -> f32 = mean(cross_entropy(x |> fc1 |> relu |> fc2, y))
        }
        module Trainer {
            let net = Net()
            let opt = OPTIMISER
            export fn steps(images: u8[m, 28, 28], labels: u8[m], count: int) -> f32[count] {
                let losses: f32[count] = 0
                for i in 0:count {
                    let x = f32(reshape(images[64 * i : 64 * i + 64], [64, 784])) / 255
                    let y = i32(labels[64 * i : 64 * i + 64])
                    let l, gs = value_and_grad(net.loss, wrt: net.params)(x, y)
                    opt.step(gs, RATE)
                    losses[i] = l
                }
                return losses
            }
            export fn gradient(images: u8[m, 28, 28], labels: u8[m])
                -> (fc1_weight: f32[128, 784], fc1_bias: f32[128], fc2_weight: f32[10, 128], fc2_bias: f32[10]) {
                let gs = grad(net.loss, wrt: net.params)(f32(reshape(images[:64], [64, 784])) / 255, i32(labels[:64]))
                return gs[0], gs[1], gs[2], gs[3]
            }
        }
        """;

    private const string Cnn = """
        use nn
        use optim

        module Net {
            let conv1 = Conv2d(1, 8, 3, biased: true)
            let conv2 = Conv2d(8, 16, 3, biased: true)
            let fc = Linear(400, 10)
            fn loss(x: f32[n, 1, 28, 28], y: i32[n]) -> f32 {
                let h = x |> conv1 |> relu |> max_pool(2) |> conv2 |> relu |> max_pool(2)
                return mean(cross_entropy(fc(reshape(h, [n, 400])), y))
            }
        }
        module Trainer {
            let net = Net()
            let opt = SGD(net.params)
            export fn steps(images: u8[m, 28, 28], labels: u8[m], count: int) -> f32[count] {
                let losses: f32[count] = 0
                for i in 0:count {
                    let x = f32(reshape(images[32 * i : 32 * i + 32], [32, 1, 28, 28])) / 255
                    let y = i32(labels[32 * i : 32 * i + 32])
                    let l, gs = value_and_grad(net.loss, wrt: net.params)(x, y)
                    opt.step(gs, 0.05)
                    losses[i] = l
                }
                return losses
            }
        }
        """;

    private const string Gpt = """
        use nn
        use optim
        use gpt2

        module Trainer {
            let net = Gpt2(256, 64, 2, 64, 4)
            let opt = AdamW(net.params)
            fn loss(x: i64[b, t], y: i64[b, t]) -> f32 = mean(cross_entropy(net.logits(x), y))
            export fn steps(text: u8[m], count: int) -> (losses: f32[count], norms: f32[count]) {
                let losses: f32[count] = 0
                let norms: f32[count] = 0
                for i in 0:count {
                    let x = i64(reshape(text[256 * i : 256 * i + 256], [8, 32]))
                    let y = i64(reshape(text[256 * i + 1 : 256 * i + 257], [8, 32]))
                    let l, gs = value_and_grad(loss, wrt: net.params)(x, y)
                    let clipped, norm = clip(gs, 1.0)
                    opt.step(clipped, 3e-4)
                    losses[i] = l
                    norms[i] = norm
                }
                return losses, norms
            }
        }
        """;

    private static Compilation Compiled(string text, string folder = "")
    {
        var compilation = Compilation.FromText(text, new CompilationOptions { Folder = folder.Length > 0 ? folder : null });
        Assert.True(compilation.Diagnostics.IsEmpty, string.Join('\n', compilation.Diagnostics));
        return compilation;
    }

    private static Tensor[] Mnist() =>
        [Idx.Read(Shared.PathTo("data", "mnist", "train-images-idx3-ubyte.gz")),
            Idx.Read(Shared.PathTo("data", "mnist", "train-labels-idx1-ubyte.gz"))];

    /// <summary>
    /// The tolerances are a few times the distance between torch's f32 run and its f64 run, which the READMEs give.
    /// </summary>
    private void Hold(string run, Compilation compilation, Tensor[] inputs, int count, int few, double losses, double weights)
    {
        var folder = Shared.PathTo("data", "models", run);
        using var llvm = Executables.Create(Backend.Llvm, compilation);
        using var session = llvm.CreateSession();
        session.LoadStatePart(compilation.Model.ReadWeights(Path.Combine(folder, "weights_initial.safetensors"), "net"));
        var results = session.Run("steps", inputs, new Dictionary<string, long> { ["count"] = count });
        Near(Npy.Read(Path.Combine(folder, "loss.npy")), results[0], losses, "loss");
        if (File.Exists(Path.Combine(folder, "grad_norm.npy")))
            Near(Npy.Read(Path.Combine(folder, "grad_norm.npy")), results[1], 10 * losses, "norm");
        using var final = Safetensors.Open(Path.Combine(folder, "weights_final.safetensors"));
        foreach (var tensor in final.Tensors)
            Near(final.Read(tensor.Name), session.State[$"net.{tensor.Name}"], weights, tensor.Name);

        using var interpreter = Executables.Create(Backend.Interpreter, compilation);
        using var slow = interpreter.CreateSession();
        using var fast = llvm.CreateSession();
        Tensor[] first(Session s)
        {
            s.LoadStatePart(compilation.Model.ReadWeights(Path.Combine(folder, "weights_initial.safetensors"), "net"));
            return [.. s.Run("steps", inputs, new Dictionary<string, long> { ["count"] = few })];
        }
        Assert.Equal(first(slow)[0].ReadOnlyBytes.ToArray(), first(fast)[0].ReadOnlyBytes.ToArray());
        foreach (var (name, value) in slow.State)
            Assert.True(value.ReadOnlyBytes.SequenceEqual(fast.State[name].ReadOnlyBytes), name);
    }

    private void Near(Tensor expected, Tensor actual, double near, string what)
    {
        Assert.Equal(expected.Shape.ToArray(), actual.Shape.ToArray());
        var worst = expected.ToDoubles().Zip(actual.ToDoubles()).Max(p => Math.Abs(p.First - p.Second));
        output.WriteLine($"{what}: {worst:G3}");
        Assert.True(worst <= near, $"{what} is {worst:G3} away, more than {near:G3}");
    }

    [SharedTheory("data/models/train_mlp_sgd")]
    [InlineData("train_mlp_sgd", "SGD(net.params, momentum: 0.9)", "0.1", 2e-6, 1e-6)]
    [InlineData("train_mlp_adamw", "AdamW(net.params)", "1e-3", 2e-5, 4e-5)]
    public void AnMlpLearnsAsInTorch(string run, string optimiser, string rate, double losses, double weights) =>
        Hold(run, Compiled(Mlp.Replace("OPTIMISER", optimiser).Replace("RATE", rate)), Mnist(), 50, 2, losses, weights);

    [SharedFact("data/models/train_mlp_sgd")]
    public void TheFirstGradientIsTorchs()
    {
        var folder = Shared.PathTo("data", "models", "train_mlp_sgd");
        var compilation = Compiled(Mlp.Replace("OPTIMISER", "SGD(net.params)").Replace("RATE", "0.1"));
        using var llvm = Executables.Create(Backend.Llvm, compilation);
        using var session = llvm.CreateSession();
        session.LoadStatePart(compilation.Model.ReadWeights(Path.Combine(folder, "weights_initial.safetensors"), "net"));
        var results = session.Run("gradient", Mnist());
        using var expected = Safetensors.Open(Path.Combine(folder, "grad_step0.safetensors"));
        string[] names = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"];
        for (var i = 0; i < names.Length; i++) Near(expected.Read(names[i]), results[i], 5e-8, names[i]);
    }

    [SharedFact("data/models/train_cnn_sgd")]
    public void ACnnLearnsAsInTorch() => Hold("train_cnn_sgd", Compiled(Cnn), Mnist(), 30, 1, 4e-6, 1e-5);

    [SharedFact("data/models/train_gpt_adamw")]
    public void AGptLearnsAsInTorch()
    {
        var text = File.ReadAllBytes(Shared.PathTo("data", "text", "tinyshakespeare.txt"));
        using var bytes = Tensor.From(text.AsSpan(0, 8000), 8000);
        Hold("train_gpt_adamw", Compiled(Gpt, Path.Combine(Shared.Repository, "examples", "models")), [bytes], 30, 1, 2e-5,
            2e-5);
    }
}
