// What a C# developer gets back: results by name and position, tensors as those of System.Numerics.Tensors, a part of
// the state replaced, and errors of the types that are documented.
using System.Numerics.Tensors;
using Accelerate.Tests.Support;
using Tensor = Accelerate.Tensor;

namespace Accelerate.Tests.Runtime.PublicApi;

public sealed class ResultTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Executable executable = Executables.Create(Backend.Interpreter, ApiModel.Model);

    public void Dispose()
    {
        executable.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void ResultsGoByNameAndByPosition()
    {
        using var session = executable.CreateSession();
        using var results = session.Run("step", Tensor.From([1f, 2, 3], 3));
        Assert.Equal(2, results.Count);
        Assert.Same(results[0], results["y"]);
        Assert.Same(results[1], results["k"]);
        Assert.False(results.TryGet("z", out _));
        Assert.False(results.TryGet("step", out _)); // of several results none goes by the function's name
        Assert.Contains("its results are y: f32[3], k: i32[]",
            Assert.Throws<ArgumentException>(() => results["z"]).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => results[2]);
        Assert.Throws<ArgumentOutOfRangeException>(() => results[-1]);
        using (var one = session.Run("scale", Tensor.Zeros(DType.F32, 2, 3))) Assert.Same(one[0], one["scale"]);
        var y = results[0];
        results.Dispose();
        Assert.Throws<ObjectDisposedException>(() => y.ToArray<float>());
    }

    [Fact]
    public void TensorsAreThoseOfSystemNumerics()
    {
        using var tensor = Tensor.From([1f, 2, 3, 4, 5, 6], 2, 3);
        var span = tensor.AsTensorSpan<float>();
        Assert.Equal([2, 3], span.Lengths.ToArray().Select(n => (int)n));
        span[1, 0] = 40;
        Assert.Equal(40, tensor.AsReadOnlySpan<float>()[3]);
        Assert.Equal(40, tensor.AsReadOnlyTensorSpan<float>()[1, 0]);
        using var back = Tensor.From(tensor.AsReadOnlyTensorSpan<float>());
        Assert.True(back.SameBits(tensor));

        // A slice is not dense: rows 0 and 1, columns 1 and 2.
        using var slice = Tensor.From(tensor.AsReadOnlyTensorSpan<float>().Slice(0..2, 1..3));
        Assert.Equal([2L, 2], slice.Shape.ToArray());
        Assert.Equal([2f, 3, 5, 6], slice.ToArray<float>());

        using var scalar = Tensor.Scalar(7L);
        Assert.Equal([1], scalar.AsReadOnlyTensorSpan<long>().Lengths.ToArray().Select(n => (int)n));
        using var empty = Tensor.Zeros(DType.U8, 0, 3);
        Assert.True(empty.AsReadOnlyTensorSpan<byte>().IsEmpty);
        using var emptyAgain = Tensor.From(empty.AsReadOnlyTensorSpan<byte>());
        Assert.Equal([0L, 3], emptyAgain.Shape.ToArray());

        Assert.Throws<InvalidOperationException>(() => tensor.AsTensorSpan<double>());
        using var frozen = tensor.AsReadOnly();
        Assert.Throws<InvalidOperationException>(() => frozen.AsTensorSpan<float>());
        tensor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.AsReadOnlyTensorSpan<float>());
    }

    [Fact]
    public void APartOfTheStateIsReplaced()
    {
        using var session = executable.CreateSession();
        session.LoadStatePart(new Dictionary<string, Tensor> { ["v"] = Tensor.From([5f, 6, 7], 3) });
        session.Run("step", Tensor.Zeros(DType.F32, 3));
        session.LoadStatePart(new Dictionary<string, Tensor> { ["w"] = Tensor.From([3f, 3, 3], 3) }); // a frozen one
        Assert.Equal([5f, 6, 7], session.State["v"].ToArray<float>());
        Assert.Equal(1, session.State["seen"].ToArray<int>()[0]);
        Assert.Equal([15f, 18, 21], session.Run("step", Tensor.Zeros(DType.F32, 3))["y"].ToArray<float>());
        session.LoadStatePart(new Dictionary<string, Tensor>());
        var wrong = new Dictionary<string, Tensor> { ["v"] = Tensor.Zeros(DType.F32, 3), ["u"] = Tensor.Scalar(1f) };
        Assert.Contains("no state named 'u'",
            Assert.Throws<ArgumentException>(() => session.LoadStatePart(wrong)).Message);
        Assert.Equal([5f, 6, 7], session.State["v"].ToArray<float>()); // nothing changes on an error
    }

    [Fact]
    public void HalfWrittenStateIsReplacedAsAWhole()
    {
        using var failing = Executables.Create(Backend.Interpreter, Compilation.FromText("""
            module Sum {
                buffer total: f32 = 0
                export fn add(x: f32[n]) -> f32 {
                    for i in 0:n {
                        total += x[i]
                        assert(total < 5, "too much")
                    }
                    return total
                }
            }
            """));
        using var session = failing.CreateSession();
        Assert.Throws<ExecutionException>(() => session.Run("add", Tensor.From([1f, 9], 2)));
        var part = new Dictionary<string, Tensor> { ["total"] = Tensor.Scalar(1f) };
        Assert.Throws<InvalidOperationException>(() => session.LoadStatePart(part));
        session.LoadState(part);
        Assert.Equal(3, session.Run("add", Tensor.From([2f], 1))["add"].ToArray<float>()[0]);
        session.LoadStatePart(part);
    }

    [Fact]
    public void WeightsAreReadByTheProgramsRules()
    {
        var compilation = Compilation.FromText("""
            module Layer { param a: f32[2] = 0 }
            module Model {
                let part = Layer()
                weights { "alpha.**" -> "part.$1" }
                export fn f(x: f32[2]) -> f32[2] = x + part.a
            }
            """);
        Assert.Empty(compilation.Diagnostics);
        Safetensors.Write(folder["whole"], [new("alpha.a", Tensor.FromDoubles(DType.F64, [1, 2], 2))]);
        var whole = compilation.Model.ReadWeights(folder["whole"]);
        Assert.Equal([1f, 2], whole["part.a"].ToArray<float>()); // rounded to the program's dtype
        Safetensors.Write(folder["part"], [new("a", Tensor.From([3f, 4], 2))]);
        var part = compilation.Model.ReadWeights(folder["part"], "part");
        using var executable = Executables.Create(Backend.Interpreter, compilation, weights: part);
        using var session = executable.CreateSession();
        Assert.Equal([3f, 4], session.Run("f", Tensor.Zeros(DType.F32, 2))["f"].ToArray<float>());
        session.LoadStatePart(whole);
        Assert.Equal([1f, 2], session.Run("f", Tensor.Zeros(DType.F32, 2))["f"].ToArray<float>());

        var e = Assert.Throws<DataException>(() => compilation.Model.ReadWeights(folder["part"]));
        Assert.Contains("no key for part.a", e.Message);
        Assert.Contains("has a (f32[2]), which the program has no place for", e.Message);
        Assert.Throws<DataException>(() => compilation.Model.ReadWeights(folder["none"]));
        Assert.Throws<ArgumentException>(() => compilation.Model.ReadWeights(folder["part"], "other"));
    }

    [Fact]
    public void ADiagnosticIsTextAndPlace()
    {
        var compilation = Compilation.FromText("export fn f(x: f32[n]) -> f32[n] = x + y", path: "net.acc");
        var diagnostic = Assert.Single(compilation.Diagnostics);
        Assert.Equal(DiagnosticClass.UserError, diagnostic.Class);
        Assert.Equal((1, 40), (diagnostic.Span.Line, diagnostic.Span.Column));
        Assert.StartsWith("error[ACC", $"{diagnostic}", StringComparison.Ordinal);
        Assert.Contains("export fn f(x: f32[n]) -> f32[n] = x + y", $"{diagnostic}");
        Assert.Contains("net.acc:1:40", Assert.Throws<InvalidOperationException>(
            () => Executables.Create(compilation)).Message);
    }

    [Fact]
    public void OptionsAreSetWithoutTheCompilersTypes()
    {
        const string Text = "module M(width = 2) { export fn f(x: f32[n, width]) -> f32[n, width] = x + f32(n) }";
        var compilation = Compilation.FromText(Text, new CompilationOptions
        {
            Set = new Dictionary<string, string> { ["width"] = "3" },
            Dims = new Dictionary<string, long> { ["n"] = 1 },
        });
        Assert.Empty(compilation.Diagnostics);
        using var executable = Executables.Create(Backend.Interpreter, compilation);
        Assert.Equal("x: f32[1,3]", $"{executable.Entries[0].Inputs[0]}");
        Assert.Equal(Backend.Interpreter, executable.Backend);
        Assert.Throws<ArgumentNullException>(() => new CompilationOptions { Dims = null! });
    }

    /// <summary>What the library throws of itself is one type to catch, or a type of .NET's for misuse.</summary>
    [Fact]
    public void ErrorsAreOfTheDocumentedTypes()
    {
        Assert.IsAssignableFrom<AccelerateException>(Record.Exception(() => Compilation.FromFile(folder["none.acc"])));
        Assert.IsAssignableFrom<AccelerateException>(Record.Exception(() => Compilation.FromFile(folder["."])));
        using var session = executable.CreateSession();
        Assert.IsAssignableFrom<AccelerateException>(
            Record.Exception(() => session.Run("few", Tensor.Zeros(DType.F32, 9))));
        Assert.IsAssignableFrom<AccelerateException>(
            Record.Exception(() => Tensor.Uninitialized(DType.F32, 1L << 60)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Executables.Create((Backend)99, ApiModel.Model));
        Assert.Throws<ArgumentOutOfRangeException>(() => Executables.IsAvailable((Backend)99, out _));
        Assert.True(Executables.IsAvailable(Backend.Interpreter, out var reason));
        Assert.Null(reason);
        Type[] libraries = [typeof(Tensor), typeof(Compilation), typeof(Executables)];
        foreach (var type in libraries.SelectMany(t => t.Assembly.GetExportedTypes())
            .Where(t => t.IsAssignableTo(typeof(Exception))))
            Assert.True(type.IsAssignableTo(typeof(AccelerateException)), $"{type} has the common base");
    }

    [Fact]
    public void AnUndocumentedExceptionIsABugWithItsCause()
    {
        var e = Assert.Throws<InternalErrorException>(() => Accelerate.Runtime.Boundary.Guard<int>("compiling",
            () => throw new NullReferenceException("oops")));
        Assert.IsType<NullReferenceException>(e.InnerException);
        Assert.Throws<MemoryException>(() => Accelerate.Runtime.Boundary.Guard<int>("compiling",
            () => throw new OutOfMemoryException()));
        Assert.Throws<LimitationException>(() => Accelerate.Runtime.Boundary.Guard<int>("compiling",
            () => throw new OverflowException()));
        Assert.Throws<OperationCanceledException>(() => Accelerate.Runtime.Boundary.Guard<int>("compiling",
            () => throw new OperationCanceledException()));
    }
}
