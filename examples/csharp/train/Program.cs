// Trains a classifier of MNIST's digits, keeps its weights, and reads the test set once.
// dotnet run --project examples/csharp/train -c Release -- FOLDER [EPOCHS], with the four files of MNIST in FOLDER.
using Accelerate;
using Accelerate.Data;
using Accelerate.Training;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: Train FOLDER [EPOCHS], with MNIST's idx3-ubyte.gz and idx1-ubyte.gz files in FOLDER");
    return 2;
}
string File(string name) => Path.Combine(args[0], name);
DataSpec[] Digits(string set) =>
    [new("x", File($"{set}-images-idx3-ubyte.gz")), new("y", File($"{set}-labels-idx1-ubyte.gz"))];

try
{
    var compilation = Compilation.FromFile(Path.Combine(AppContext.BaseDirectory, "train.acc"));
    foreach (var diagnostic in compilation.Diagnostics) Console.Error.WriteLine(diagnostic);
    if (compilation.Diagnostics.Length > 0) return 1;
    var backend = Executables.IsAvailable(Backend.Llvm, out _) ? Backend.Llvm : Backend.Interpreter;
    using var executable = Executables.Create(backend, compilation);
    using var session = executable.CreateSession();
    EntrySpec Entry(string name) => executable.Entries.Single(e => e.Name == name);

    // Files are read example by example, by a thread that is ahead of training. A tenth of them judges it.
    using var digits = Feed.Open(Entry("step"), Digits("train"));
    using var held = Feed.Open(Entry("evaluate"), Digits("train"));
    var options = new TrainingOptions("step")
    {
        Epochs = args.Length > 1 ? int.Parse(args[1]) : 3,
        Validate = "evaluate",
        ValidationSplit = 0.1,
    };
    new Trainer(executable.Entries, digits, options, held).Run(session, new Told());
    Safetensors.Write("mnist.safetensors", session.State);

    // The session has the trained weights now, and any of its functions can be called.
    using var test = Feed.Open(Entry("classify"), [Digits("t10k")[0]]);
    using var labels = TensorFile.Load(Digits("t10k")[1].Path);
    var (at, right) = (0, 0);
    using var batches = new Batches(test, [.. Enumerable.Range(0, (int)test.Count)], 500);
    foreach (var batch in batches)
    {
        using var result = session.Run("classify", batch.Tensors["x"]);
        foreach (var digit in result["digit"].AsReadOnlySpan<int>())
            if (digit == labels.AsReadOnlySpan<byte>()[at++]) right++;
        batch.Dispose();
    }
    Console.WriteLine($"{right} of {at} digits of the test set are right");
    return 0;
}
catch (AccelerateException e)
{
    // Files that are missing or do not fit, a loss that is not finite, memory.
    Console.Error.WriteLine(e.Message);
    return 1;
}

/// <summary>Tells of each epoch.</summary>
internal sealed class Told : ITrainingObserver
{
    public void Judges(EpochReport report) =>
        Console.WriteLine($"epoch {report.Epoch}: loss {report.Training[0].Value:F4}, "
            + $"accuracy of the held back {report.Validation[1].Value:F4}");
}
