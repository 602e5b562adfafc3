// Compiles a model, saves and loads its weights, and runs it: by position, by name, and without allocating.
// dotnet run --project examples/csharp/predict
using Accelerate;

var compilation = Compilation.FromFile(Path.Combine(AppContext.BaseDirectory, "predict.acc"));
if (compilation.Diagnostics.Length > 0)
{
    foreach (var diagnostic in compilation.Diagnostics) Console.Error.WriteLine(diagnostic);
    return 1;
}

// LLVM gives the machine code; where it is missing, the interpreter gives the same results.
var backend = Executables.IsAvailable(Backend.Llvm, out _) ? Backend.Llvm : Backend.Interpreter;
var weights = Path.Combine(Path.GetTempPath(), $"predict-{Environment.ProcessId}.safetensors");
try
{
    // A first executable begins with the values that the program initialises its weights to.
    using (var untrained = Executables.Create(backend, compilation))
    using (var session = untrained.CreateSession())
        Safetensors.Write(weights, session.State);

    // An application reads them from a file. What does not fit the program is a DataException that names it.
    using var executable = Executables.Create(backend, compilation, weights: compilation.Model.ReadWeights(weights));
    using var predictor = executable.CreateSession();
    foreach (var entry in executable.Entries)
        Console.WriteLine($"{entry.Name}({string.Join(", ", entry.Inputs)}) -> {string.Join(", ", entry.Outputs)}");

    // Results go by position and by name.
    using var x = Tensor.From([5.1f, 3.5f, 1.4f, 0.2f, 6.7f, 3.0f, 5.2f, 2.3f], 2, 4);
    using (var result = predictor.Run("classify", x))
    {
        ReadOnlySpan<float> probabilities = result["probabilities"].AsReadOnlySpan<float>();
        Console.WriteLine($"the probabilities of the first row sum to {probabilities[..3].ToArray().Sum():F3}");
        Console.WriteLine($"classes: {string.Join(", ", result["class"].ToArray<int>())}");
    }

    // The same call many times: results are written into tensors that are there already.
    Tensor[] results = [Tensor.Uninitialized(DType.F32, 2, 3), Tensor.Uninitialized(DType.I32, 2)];
    for (var i = 0; i < 1000; i++)
    {
        x.AsSpan<float>()[0] = i;
        predictor.RunInto("classify", [x], results);
    }
    Console.WriteLine($"after 1000 calls: {results[1].Count} classes");
    foreach (var tensor in results) tensor.Dispose();

    // An input of another shape is an ExecutionException that says what was wanted; nothing has run.
    try
    {
        using var wrong = Tensor.Zeros(DType.F32, 2, 5);
        predictor.Run("classify", wrong);
    }
    catch (ExecutionException e) when (e.Code == ExecutionCode.EntryCheck)
    {
        Console.WriteLine(e.Message);
    }
    return 0;
}
catch (AccelerateException e)
{
    // Everything that is no mistake of this program: memory, files, a backend that is missing.
    Console.Error.WriteLine(e.Message);
    return 1;
}
finally
{
    File.Delete(weights);
}
