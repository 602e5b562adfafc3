// In: docs/TRAINING.md. Out: whether what it shows is what accc prints, and its program trains.
using System.Text.RegularExpressions;
using Accelerate.Cli;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Train;

public sealed partial class TrainingPageTests : IDisposable
{
    private const string Images = "data/mnist/train-images-idx3-ubyte.gz";

    private static readonly string Page =
        File.ReadAllText(Path.Combine(Shared.Repository, "docs", "TRAINING.md")).ReplaceLineEndings("\n");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static string Block(string language)
    {
        var at = Page.IndexOf($"```{language}\n", StringComparison.Ordinal) + language.Length + 4;
        return Page[at..Page.IndexOf("```", at, StringComparison.Ordinal)];
    }

    /// <summary>But for the rates, which are the machine's.</summary>
    [SharedFact(Images)]
    public void TheConsoleShowsRealOutput()
    {
        var runs = Block("console").Split("$ ./accc ", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, runs.Length);
        foreach (var run in runs)
        {
            var (command, expected) = (run[..run.IndexOf('\n')], run[(run.IndexOf('\n') + 1)..]);
            var (output, error) = (new StringWriter(), new StringWriter());
            var code = Accc.Run([.. command.Replace("$MNIST", Shared.PathTo("data", "mnist"), StringComparison.Ordinal)
                .Replace("runs/", folder.Root + "/", StringComparison.Ordinal)
                .Replace("examples/", Shared.Repository + "/examples/", StringComparison.Ordinal).Split(' ')], output,
                error);
            Assert.True(code == 0, error.ToString());
            Assert.Equal(Rate().Replace(expected, "N examples/s"), Rate().Replace(output.ToString(), "N examples/s"));
        }
    }

    [SharedFact(Images)]
    public void TheProgramTrains()
    {
        File.WriteAllText(folder["m.acc"], Block("acc"));
        string Mnist(string name) => Shared.PathTo("data", "mnist", $"t10k-{name}-ubyte.gz");
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = Accc.Run(["train", folder["m.acc"], "--data", $"x={Mnist("images-idx3")},y={Mnist("labels-idx1")}",
            "--steps", "3"], output, error);
        Assert.True(code == 0, error.ToString());
        Assert.Contains("156 steps an epoch, 3 in all\nstep 3: loss 2.", output.ToString());
    }

    [GeneratedRegex(@"\d+ examples/s")]
    private static partial Regex Rate();
}
