// In: `accc train` on small sets that the test makes. Out: whether it learns, goes on to the same bits, and says what
// is wrong.
using System.Diagnostics;
using System.Text.Json.Nodes;
using Accelerate.Backends;
using Accelerate.Cli;
using Accelerate.Compiler;
using Accelerate.Data;
using Accelerate.Runtime;
using Accelerate.Tests.Cli;
using Accelerate.Tests.Support;
using Accelerate.Training;

namespace Accelerate.Tests.Train;

public sealed class TrainTests : CommandLine
{
    /// <summary>Everything that a resumed run has to have kept: moments, a step count, a schedule, dropout.</summary>
    private const string Program = """
        use nn
        use optim

        module Net {
            let fc1 = Linear(8, 16)
            let fc2 = Linear(16, 3)
            fn logits(x: f32[n, 8], key: i64) -> f32[n, 3] = dropout(x |> fc1 |> relu, 0.1, key) |> fc2
            fn loss(x: f32[n, 8], y: i32[n], key: i64) -> f32 = mean(cross_entropy(logits(x, key), y))
        }
        module Trainer {
            let net = Net()
            let opt = AdamW(net.params)
            buffer unused: f32[2] = 7

            export fn step(x: f32[n, 8], y: i32[n], key: i64, step: i32, rate: f32) -> f32 {
                let loss, gs = value_and_grad(net.loss, wrt: net.params)(x, y, key)
                opt.step(gs, rate * cosine(step, 2, 100, 1))
                return loss
            }
            export fn check(x: f32[n, 8], y: i32[n]) -> (accuracy: f32, loss: f32) {
                let z = x |> net.fc1 |> relu |> net.fc2
                return mean(f32(argmax(z, axis: 1) == y)), mean(cross_entropy(z, y))
            }
            export fn spare() -> f32[2] = unused
        }
        """;

    /// <summary>Steps that count, and fail or are no number when they are told to.</summary>
    private const string Counter = """
        module Counter {
            buffer count: f32 = 0
            export fn step(x: f32[n], step: i32, bad: i32) -> f32 {
                count += 1
                return if step == bad { nan } else { mean(x) - count }
            }
            export fn worse(x: f32[n]) -> f32 = count
        }
        """;

    private const int Examples = 70;

    public TrainTests()
    {
        Write("m.acc", Program);
        Write("c.acc", Counter);
        var (x, y) = (new float[Examples * 8], new byte[Examples]);
        for (var i = 0; i < Examples; i++)
        {
            y[i] = (byte)(i % 3);
            for (var j = 0; j < 8; j++) x[8 * i + j] = MathF.Sin(i * 8 + j) + (j % 3 == y[i] ? 2 : 0);
        }
        Npy.Write(this["x.npy"], Tensor.From(x, Examples, 2, 4));
        Npy.Write(this["y.npy"], Tensor.From(y, Examples));
        Npy.Write(this["v.npy"], Tensor.From([.. Enumerable.Range(0, 10).Select(i => (float)i)], 10));
    }

    private string[] Words(params string[] more) =>
    [
        "train", "m.acc", "--data", $"x={this["x.npy"]},y={this["y.npy"]}", "--batch", "16", "--arg", "rate=0.01",
        "--seed", "3", "--backend", "interpreter", "--threads", "1", .. more,
    ];

    private string[] Counts(params string[] more) =>
    [
        "train", "c.acc", "--data", $"x={this["v.npy"]}", "--batch", "2", "--backend", "interpreter", .. more,
    ];

    private byte[] Bytes(string name) => File.ReadAllBytes(this[name]);

    private float Count(string name)
    {
        using var file = Safetensors.Open(this[name]);
        return file.Read("count").ToArray<float>()[0];
    }

    private List<JsonNode> Log(string name) => [.. File.ReadLines(this[name]).Select(l => JsonNode.Parse(l)!)];

    [Fact]
    public void TheLossFallsAndTheCurveIsDrawn()
    {
        var output = Output(Words("--epochs", "10", "--log", this["log"], "--curve", this["c.svg"], "--curve",
            this["c.png"], "--valid", "check", "--valid-split", "0.1"));
        var log = Log("log");
        double Loss(JsonNode line) => (double)line["train"]!["loss"]!;
        var steps = log.Where(l => (string)l["kind"]! == "step").ToList();
        // 63 examples train, in 3 batches of 16.
        Assert.Equal(30, steps.Count);
        Assert.True(Loss(steps[^1]) < Loss(steps[0]) / 2, $"{Loss(steps[0])} to {Loss(steps[^1])}");
        var epochs = log.Where(l => (string)l["kind"]! == "epoch").ToList();
        Assert.Equal(10, epochs.Count);
        Assert.Equal(Loss(epochs[0]), steps.Take(3).Average(Loss), 12);
        Assert.True((double)epochs[^1]["valid"]!["accuracy"]! > 0.8);
        Assert.Contains("3 steps an epoch, 30 in all\n", output);
        Assert.Contains("epoch 10: loss ", output);
        Assert.StartsWith("<?xml", File.ReadAllText(this["c.svg"]));
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], Bytes("c.png")[..4]);
    }

    /// <summary>
    /// From the last step of an epoch that is not judged (3 steps each), from within one (4), from where it stopped;
    /// the log has lines behind the first two.
    /// </summary>
    [Theory]
    [InlineData(6, "drop")]
    [InlineData(6, "keep")]
    [InlineData(8, "drop")]
    public void ARunGoesOnToTheSameBits(int from, string last)
    {
        string[] all = ["--epochs", "4", "--last", last, "--valid", "check", "--valid-split", "0.1"];
        Output([.. Words(all), "--save-state", this["whole"], "--log", this["whole.log"]]);
        Output([.. Words(all), "--steps", "8", "--checkpoint", this["ck"], "--every", "3", "--log", this["log"]]);
        var output = Output([.. Words(all), "--resume", this[$"ck/step-{from:00000000}.safetensors"], "--save-state",
            this["resumed"], "--log", this["log"]]);
        Assert.Contains($"from step {from}\n", output);
        Assert.Equal(Bytes("whole"), Bytes("resumed"));
        List<string> Lines(string name) => [.. Log(name).Where(l => (string)l["kind"]! != "valid").Select(l =>
        {
            l.AsObject().Remove("seconds");
            return l.ToJsonString();
        })];
        // Metrics too, though the run was stopped inside an epoch.
        Assert.Equal(Lines("whole.log"), Lines("log"));
    }

    [LlvmFact]
    public void NativeCodeGoesOnToTheSameBits()
    {
        string[] native = ["--backend", "llvm", "--threads", "2"];
        string[] given = ["--backend", "interpreter", "--threads", "1"];
        string[] words = [.. Words("--epochs", "3").Where(w => !given.Contains(w)), .. native];
        Output([.. words, "--save-state", this["whole"]]);
        Output([.. words, "--steps", "5", "--checkpoint", this["ck"]]);
        Output([.. words, "--resume", this["ck"], "--save-state", this["resumed"]]);
        Assert.Equal(Bytes("whole"), Bytes("resumed"));
    }

    [Fact]
    public async Task AKilledRunGoesOnToTheSameBits()
    {
        Output(Words("--epochs", "400", "--save-state", this["whole"]));
        using (var process = Started(Words("--epochs", "400", "--checkpoint", this["ck"], "--every", "3")))
        {
            await Reaches(process, 30);
            process.Kill();
            process.WaitForExit();
        }
        Assert.False(File.Exists(this["ck/step-00001600.safetensors"]));
        Assert.Equal(3, Directory.GetFiles(this["ck"], "step-*").Length);
        Output(Words("--epochs", "400", "--resume", this["ck"], "--save-state", this["resumed"]));
        Assert.Equal(Bytes("whole"), Bytes("resumed"));
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task ASignalLeavesACheckpoint(string signal)
    {
        // The program writes nothing between its epochs, and these are long: what is there is the signal's.
        using var process = Started(Words("--epochs", "100000", "--checkpoint", this["ck"], "--every", "1000000",
            "--log", this["log"]));
        for (var i = 0; i < 600 && !(File.Exists(this["log"]) && File.ReadLines(this["log"]).Any()); i++)
            await Task.Delay(100);
        Process.Start("kill", [$"-{signal}", $"{process.Id}"])!.WaitForExit();
        var error = await process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        Assert.Equal(130, process.ExitCode);
        Assert.Contains("interrupted after step ", error);
        var saved = Checkpoints.Position(Checkpoints.Latest(this["ck"])!).Step;
        Assert.Equal(saved, Log("log").Where(l => (string)l["kind"]! == "step").Max(l => (long)l["step"]!));
        var more = $"{saved + 5}";
        Output(Words("--steps", more, "--resume", this["ck"], "--save-state", this["resumed"]));
        Output(Words("--steps", more, "--save-state", this["whole"]));
        Assert.Equal(Bytes("whole"), Bytes("resumed"));
    }

    private Process Started(string[] words)
    {
        var process = Process.Start(ChildProcess.StartInfo(words.Select(w => w == "m.acc" ? this[w] : w)))!;
        process.StandardInput.Close();
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    private async Task Reaches(Process process, long step)
    {
        for (var i = 0; i < 600; i++)
        {
            if (Checkpoints.Latest(this["ck"]) is { } path && string.CompareOrdinal(Path.GetFileName(path),
                $"step-{step:00000000}") >= 0) return;
            Assert.False(process.HasExited, process.HasExited ? process.StandardError.ReadToEnd() : "");
            await Task.Delay(20);
        }
        Assert.Fail($"no checkpoint of step {step}");
    }

    [Fact]
    public void CheckpointsHoldAllStateAndTheNewestStay()
    {
        Output(Words("--epochs", "5", "--checkpoint", this["ck"], "--keep", "2", "--save-state", this["end"]));
        Assert.Equal(["best.safetensors", "step-00000016.safetensors", "step-00000020.safetensors"],
            Directory.GetFiles(this["ck"]).Select(Path.GetFileName).Order());
        using (var file = Safetensors.Open(this["ck/step-00000020.safetensors"]))
            Assert.Equal([7f, 7], file.Read("unused").ToArray<float>());
        // What the weights of a run are read by.
        string Checked(string weights) => Output("run", "m.acc", "check", "x=random:seed=1", "y=zeros", "n=2",
            "--weights", this[weights], "--backend", "interpreter");
        Assert.Equal(Checked("end"), Checked("ck/step-00000020.safetensors"));
        Assert.Contains("an earlier run has left step-00000020.safetensors", Error(1,
            Words("--epochs", "5", "--checkpoint", this["ck"])));
        Assert.StartsWith("error: the checkpoint was made with --seed 3, and now it is 4\n",
            Error(1, [.. Words("--epochs", "6", "--resume", this["ck"]).Select(w => w == "3" ? "4" : w)]));
        Assert.Contains("nothing is left: 20 of 20", Output(Words("--epochs", "5", "--resume", this["ck"])));
    }

    [Fact]
    public void AnotherProgramDoesNotGoOn()
    {
        Output(Words("--steps", "2", "--checkpoint", this["ck"]));
        Write("m.acc", Program.Replace("16", "17", StringComparison.Ordinal));
        Assert.StartsWith("error: ck/step-00000002.safetensors has net.fc1.weight: f32[16,8], and the program has "
            + "net.fc1.weight: f32[17,8]\n", Error(1, Words("--steps", "4", "--resume", this["ck"])));
        Write("m.acc", Program.Replace("buffer unused", "buffer more: i32 = 1\n    buffer unused",
            StringComparison.Ordinal));
        Assert.StartsWith("error: ck/step-00000002.safetensors has no more, and the program has more: i32\n",
            Error(1, Words("--steps", "4", "--resume", this["ck"])));
    }

    /// <summary>A mean counts each batch by its examples; a key is made of seed and step.</summary>
    [Fact]
    public void ALastBatchCountsByItsExamples()
    {
        Write("k.acc", """
            export fn step(x: f32[n], key: i64, step: i32) -> (loss: f32, other: f32) {
                return mean(x), if key == fold(9, step) { 0.0 } else { 1.0 }
            }
            export fn judge(x: f32[n]) -> f32 = mean(x)
            """);
        var output = Output("train", "k.acc", "--data", $"x={this["v.npy"]}", "--batch", "4", "--last", "keep",
            "--seed", "9", "--valid", "judge", "--valid-data", $"x={this["v.npy"]}", "--backend", "interpreter");
        // 0 to 9, in batches of 4, 4 and 2.
        Assert.Contains("3 steps an epoch, 3 in all\nepoch 1: loss 4.5 other 0; valid judge 4.5 (best);", output);
    }

    [Fact]
    public void TheEndsOfALossThatIsNoNumber()
    {
        string[] bad = ["--epochs", "2", "--arg", "bad=3", "--save-state", this["s"]];
        var (code, _, error) = Run([.. Counts(bad), "--on-nan", "stop"]);
        Assert.Equal(1, code);
        Assert.StartsWith("error: the loss is NaN at step 4 (epoch 1)\n  = help: --on-nan skip", error);
        Assert.False(File.Exists(this["s"]));
        (code, _, error) = Run([.. Counts(bad), "--on-nan", "skip"]);
        Assert.Equal((0, "step 4 is skipped: loss NaN\n"), (code, error));
        // Ten steps, one of which never was.
        Assert.Equal(9, Count("s"));
        Output([.. Counts(bad), "--on-nan", "ignore"]);
        Assert.Equal(10, Count("s"));
    }

    /// <summary>
    /// What is infinite on purpose is no finding: a mask, a branch that is not taken. The slope of a root at 0 is one
    /// that only the state behind the step shows.
    /// </summary>
    [Fact]
    public void TheOperationThatGivesWhatIsNotFiniteIsNamed()
    {
        Write("n.acc", """
            module Roots {
                param w: f32[2] = 1
                fn loss(x: f32[n]) -> f32 {
                    let shown = max(select(x > 100, -inf, x))
                    return 0 * shown + mean(sqrt(abs(x - w[0])))
                }
                export fn roots(x: f32[n]) -> f32 {
                    let loss, g = value_and_grad(loss, wrt: w)(x)
                    w -= 0.1 * g
                    return loss
                }
                export fn logs(x: f32[n]) -> f32 {
                    w = 2 * w
                    let far = select(x > 3, -inf, x)
                    return sum(exp(far)) + sum(log(5 - x)) * w[1]
                }
            }
            """);
        (int, string) Trained(string step, params string[] more)
        {
            var (code, _, error) = Run(["train", "n.acc", "--step", step, "--data", $"x={this["v.npy"]}", "--batch", "2",
                "--in-order", "--backend", "interpreter", "--detect-nan", .. more]);
            return (code, error);
        }
        // The first batch is 0 and 1, and w is 1.
        var (code, error) = Trained("roots");
        Assert.Equal(1, code);
        Assert.StartsWith("error: w is no longer finite at step 1 (epoch 1): `", error);
        Assert.Contains(" of a gradient at n.acc:5:", error);
        // The third one is 4 and 5: log 0.
        (code, error) = Trained("logs");
        Assert.Equal(1, code);
        Assert.StartsWith("error: the loss is -Infinity at step 3 (epoch 1): `log` at n.acc:15:", error);
        Assert.Contains(" gives -inf in 1 of its 2 elements, of an operand that is 0 to 1\n", error);
        (code, error) = Trained("logs", "--on-nan", "skip");
        Assert.Equal(2, code);
        Assert.StartsWith("error: --detect-nan ends training where something is not finite, and --on-nan skip goes on",
            error);
    }

    [Fact]
    public void PatienceEndsARunAndTheBestStays()
    {
        var output = Output(Counts("--epochs", "9", "--arg", "bad=-1", "--valid", "worse", "--valid-data",
            $"x={this["v.npy"]}", "--patience", "2", "--checkpoint", this["ck"]));
        Assert.Equal(3, output.Split("epoch ").Count(l => l.Contains("; valid worse ")));
        Assert.Contains("epoch 1: loss 1.5; valid worse 5 (best);", output);
        Assert.Equal((5f, 15f), (Count("ck/best.safetensors"), Count("ck/step-00000015.safetensors")));
        output = Output(Counts("--epochs", "4", "--arg", "bad=-1", "--valid", "worse", "--valid-data",
            $"x={this["v.npy"]}", "--patience", "1", "--best", "max:worse", "--valid-every", "3"));
        Assert.Equal(6, output.Split("; valid worse ").Length - 1);
    }

    [Fact]
    public void WhatDoesNotFitIsSaidWithBothFacts()
    {
        string[] Data(string data) =>
            [.. Words().Select(w => w.StartsWith("x=", StringComparison.Ordinal) ? data : w)];
        var both = $"x={this["x.npy"]},y={this["v.npy"]}";
        Assert.StartsWith("error: x.npy: has 70 examples of x, and v.npy has 10 of y: they belong together",
            Error(1, Data(both)));
        Assert.StartsWith("error: v.npy: an example is f32[], which does not fit x: f32[n,8]\n",
            Error(1, Data($"x={this["v.npy"]},y={this["y.npy"]}")));
        Assert.StartsWith("error: --data: 'step' has no parameter 'z'\n", Error(1, Data($"z={this["v.npy"]}")));
        Assert.StartsWith("error: 'step' needs a value for y: i32[n]\n  = help: --data y=FILE",
            Error(1, Data($"x={this["x.npy"]}")));
        Assert.StartsWith("error: 'step' needs a value for rate: f32[]\n  = help: --arg rate=…",
            Error(1, [.. Words().Where(w => w is not ("--arg" or "rate=0.01"))]));
        Assert.StartsWith("error: a batch of 71 is more than the 70 examples that train\n",
            Error(1, [.. Words().Select(w => w == "16" ? "71" : w)]));
        Assert.StartsWith("error: --valid check has no data\n", Error(2, Words("--valid", "check")));
        Assert.StartsWith("error: --on-nan 0: it takes stop, skip or ignore\n", Error(2, Words("--on-nan", "0")));
        Directory.CreateDirectory(this["e"]);
        Assert.Contains("the folder has no checkpoint", Error(1, Words("--resume", this["e"])));
        Assert.StartsWith("error: --log x.npy would write over the data of x ",
            Error(2, Words("--log", this["x.npy"])));
        Assert.Contains("m.acc exports no function 'stepp'", Error(1, Words("--step", "stepp")));
    }

    [Fact]
    public void ALabelOutOfRangeIsNamedWithItsStep()
    {
        Npy.Write(this["y.npy"], Tensor.From([.. Enumerable.Range(0, Examples).Select(i => i == 40 ? 3 : 0)],
            Examples));
        var (code, _, error) = Run(Words("--in-order", "--epochs", "1"));
        Assert.Equal(1, code);
        Assert.StartsWith("error: step 3 (epoch 1): ", error);
    }

    [Fact]
    public void FloatsThatAreNoIntegersAreRefused()
    {
        Npy.Write(this["y.npy"], Tensor.From([.. Enumerable.Range(0, Examples).Select(i => i * 0.5f)], Examples));
        var (code, _, error) = Run(Words("--in-order"));
        Assert.Equal(1, code);
        Assert.Contains("y.npy: example 1 of f32 has 0.5, which is no i32", error);
    }

    /// <summary>Without the command line: what a C# program writes.</summary>
    [Fact]
    public void ALibraryTrainsASession()
    {
        var compilation = Compilation.FromFile(this["m.acc"]);
        using var executable = Executables.Create("interpreter", compilation);
        using var session = executable.CreateSession();
        var entry = executable.Entries.Single(e => e.Name == "step");
        using var feed = Feed.Open(entry, [new("x", this["x.npy"]), new("y", this["y.npy"])]);
        var trainer = new Trainer(executable.Entries, feed, new("step")
        {
            Batch = 16,
            Epochs = 2,
            Seed = 3,
            Arguments = new Dictionary<string, Tensor> { ["rate"] = Tensor.Scalar(0.01f) },
        });
        Assert.Equal(TrainingEnd.Done, trainer.Run(session));
        Assert.Equal((8, 2), (trainer.Position.Step, trainer.Position.Epoch));
        Output(Words("--epochs", "2", "--save-state", this["s"]));
        using var state = Safetensors.Open(this["s"]);
        Assert.True(session.State["net.fc1.weight"].SameBits(state.Read("net.fc1.weight")));
    }

    [Fact]
    public void KeysAreThoseOfTheLanguage()
    {
        Write("k.acc", "export fn f(key: i64, i: i64) -> i64 = fold(key, i)\n");
        foreach (var (key, i) in ((long, long)[])[(0, 0), (3, 7), (-5, 1L << 40), (long.MaxValue, -2)])
            Assert.Equal($"i64[]\n{Keys.Fold(key, i)}\n",
                Output("run", "k.acc", "f", $"key={key}", $"i={i}", "--backend", "interpreter"));
    }

    [Fact]
    public void TheOrderIsOfSeedAndEpochAndAPartIsHeldBack()
    {
        var entry = new EntrySpec("f", [new("x", DType.F32, ["n", "8"])], [], ["n"]);
        using var feed = Feed.Open(entry, [new("x", this["x.npy"])]);
        var order = ExampleOrder.Of(feed, seed: 1, validation: 0.2);
        Assert.Equal((56, 14), (order.Count, order.Validation.Count));
        Assert.Equal(Enumerable.Range(0, 70), order.Epoch(0).Concat(order.Validation).Order());
        Assert.Equal(order.Epoch(1), ExampleOrder.Of(feed, 1, 0.2).Epoch(1));
        Assert.NotEqual(order.Epoch(1), order.Epoch(0));
        Assert.NotEqual(order.Epoch(1), ExampleOrder.Of(feed, 2, 0.2).Epoch(1));
        File.WriteAllText(this["t.txt"], new string('a', 100));
        var text = new EntrySpec("f", [new("x", DType.U8, ["n", "10"])], [], ["n"]);
        using var windows = Feed.Open(text, [new("x", this["t.txt"])], new(Stride: 2));
        var cut = ExampleOrder.Of(windows, seed: 1, validation: 0.25);
        // 46 windows, 2 bytes apart: no byte is in both parts.
        Assert.Equal((34, 35 - 1 + 12), (cut.Validation[0], cut.Validation[^1] + 1));
        Assert.True(2 * cut.Epoch(0).Max() + 10 <= 2 * cut.Validation[0]);
    }

    /// <summary>30 steps of PyTorch's: windows of a text in its order, the batches of the reference.</summary>
    [SharedFact("data/models/train_gpt_adamw")]
    public void AGptTakesTheStepsOfPyTorch()
    {
        string Reference(string name) => Shared.PathTo("data", "models", "train_gpt_adamw", name);
        var text = Shared.PathTo("data", "text", "tinyshakespeare.txt");
        File.Copy(Path.Combine(Shared.Repository, "examples", "models", "gpt2.acc"), this["gpt2.acc"]);
        Write("gpt.acc", """
            use nn
            use optim
            use gpt2

            module Trainer {
                let net = Gpt2(256, 64, 2, 64, 4)
                let opt = AdamW(net.params)
                fn loss(x: i64[b, t], y: i64[b, t]) -> f32 =
                    mean(cross_entropy(reshape(net.logits(x), [b * t, 256]), reshape(y, [b * t])))
                export fn step(x: i64[b, t], y: i64[b, t], rate: f32) -> (loss: f32, norm: f32) {
                    let loss, gs = value_and_grad(loss, wrt: net.params)(x, y)
                    let clipped, norm = clip(gs, 1.0)
                    opt.step(clipped, rate)
                    return loss, norm
                }
            }
            """);
        Output("train", "gpt.acc", "--data", $"x={text},y={text}[1:]", "--window", "32", "--batch", "8", "--in-order",
            "--steps", "30", "--arg", "rate=3e-4", "--weights", $"net={Reference("weights_initial.safetensors")}",
            "--log", this["log"]);
        var steps = Log("log").Where(l => (string)l["kind"]! == "step").ToList();
        foreach (var (file, metric) in ((string, string)[])[("loss.npy", "loss"), ("grad_norm.npy", "norm")])
            foreach (var (given, step) in Npy.Read(Reference(file)).ToDoubles().Zip(steps))
                Assert.Equal(given, (double)step["train"]![metric]!, 3e-5);
        Assert.Equal(30, steps.Count);
    }

    [SharedFact("data/mnist/t10k-images-idx3-ubyte.gz")]
    public void MnistIsLearned()
    {
        string Mnist(string name) => Shared.PathTo("data", "mnist", $"t10k-{name}-ubyte.gz");
        var output = Output("train", Path.Combine(Shared.Repository, "examples", "train", "mnist_mlp.acc"), "--data",
            $"x={Mnist("images-idx3")},y={Mnist("labels-idx1")}", "--epochs", "2", "--valid", "evaluate",
            "--valid-split", "0.1", "--log", this["log"]);
        Assert.Contains("140 steps an epoch, 280 in all", output);
        var accuracy = (double)Log("log")[^1]["valid"]!["accuracy"]!;
        Assert.True(accuracy > 0.9, $"{accuracy}");
    }
}
