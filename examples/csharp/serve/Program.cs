// One executable, a session for each caller: state of their own, calls that time out, a checkpoint.
// dotnet run --project examples/csharp/serve
using System.Numerics.Tensors;
using Accelerate;
using Tensor = Accelerate.Tensor; // System.Numerics.Tensors has one too

var compilation = Compilation.FromFile(Path.Combine(AppContext.BaseDirectory, "serve.acc"));
foreach (var diagnostic in compilation.Diagnostics) Console.Error.WriteLine(diagnostic);
if (compilation.Diagnostics.Length > 0) return 1;

var backend = Executables.IsAvailable(Backend.Llvm, out _) ? Backend.Llvm : Backend.Interpreter;
using var executable = Executables.Create(backend, compilation, new ExecutableOptions { MemoryLimit = 1L << 30 });

// Code and frozen weights are shared by all threads; what a call changes belongs to its session.
var means = new float[4];
Parallel.For(0, means.Length, caller =>
{
    using var session = executable.CreateSession();
    for (var i = 0; i < 10; i++)
    {
        using var x = Tensor.From([caller, (float)caller + 2], 2);
        using var result = session.Run("observe", x);
        means[caller] = result["mean"].ToArray<float>()[0];
    }
});
Console.WriteLine($"means: {string.Join(", ", means)}");

// A call stops soon after its token is cancelled: before its next kernel or turn of a loop.
using var server = executable.CreateSession();
using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
using var start = Tensor.From([0.1f, 0.2f, 0.3f], 3);
try
{
    server.Run("iterate", [start], new Dictionary<string, long> { ["steps"] = 1_000_000_000_000 }, timeout.Token);
}
catch (OperationCanceledException)
{
    Console.WriteLine("the long call was stopped");
}

// It had written no state, so the session goes on. Inputs may come by name.
var few = new Dictionary<string, long> { ["steps"] = 3 };
using (var result = server.Run("iterate", new Dictionary<string, Tensor> { ["x"] = start }, few))
{
    // Views for System.Numerics.Tensors share memory with the tensor.
    ReadOnlyTensorSpan<float> span = result["iterate"].AsReadOnlyTensorSpan<float>();
    Console.WriteLine($"{span.FlattenedLength} values, the largest {System.Numerics.Tensors.Tensor.Max(span):F4}");
}

// A checkpoint of a session, and a part of its state from it.
using (server.Run("observe", start)) { }
var checkpoint = server.State.ToDictionary(s => s.Key, s => s.Value.Clone());
server.Reset();
server.LoadState(checkpoint);
server.LoadStatePart(new Dictionary<string, Tensor> { ["count"] = Tensor.Scalar(6) });
var (count, total) = (server.State["count"].ToArray<int>()[0], server.State["total"].ToArray<float>()[0]);
Console.WriteLine($"count {count}, total {total:F1}");
foreach (var tensor in checkpoint.Values) tensor.Dispose();
return 0;
