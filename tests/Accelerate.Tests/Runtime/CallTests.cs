// Calls through a session: results given by the caller, plans remembered by shapes, no allocation in a repeated call.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Runtime;

public sealed class CallTests
{
    private const string Source = """
        module M {
            param w: f32[3] = 2
            buffer seen: f32 = 0

            export fn f(x: f32[n, 3]) -> (y: f32[n, 3], total: f32) where n <= 40 {
                seen += 1
                let y = x * w
                return y, sum(y) + seen
            }
            export fn g(inout x: f32[n], y: f32[n]) -> f32[n] {
                x += y
                return x + y
            }
            export fn power(x: f32, k: int) -> f32[k] = [i < k] => x + f32(i)
        }
        """;

    [LlvmTheory]
    [InlineData("llvm")]
    [InlineData("interpreter")]
    public void ResultsGoIntoTheTensorsGiven(string backend)
    {
        using var executable = Make(backend);
        using var session = executable.CreateSession();
        var y = Tensor.Zeros(DType.F32, 2, 3);
        Tensor[] results = [y, null!];
        session.RunInto("f", [Ones(2, 3)], results);
        Assert.Same(y, results[0]);
        Assert.Equal([2f, 2, 2, 2, 2, 2], y.ToArray<float>());
        Assert.Equal([13f], results[1].ToArray<float>());
        session.RunInto("f", [Ones(2, 3)], results);
        Assert.Equal([14f], results[1].ToArray<float>());
        var k = new Dictionary<string, long> { ["k"] = 2 };
        var powers = Tensor.Zeros(DType.F32, 2);
        session.RunInto("power", [Tensor.Scalar(5f)], new[] { powers }, k);
        Assert.Equal([5f, 6], powers.ToArray<float>());
    }

    [LlvmFact]
    public void ResultsThatDoNotFitAreRefusedBeforeAnythingIsWritten()
    {
        using var executable = Make("llvm");
        using var session = executable.CreateSession();
        var x = Ones(2, 3);
        Refused("has 2 results, not 1", session, x, Ones(2, 3));
        Refused("result 0 must be f32[2,3]", session, x, Ones(3, 2), null!);
        Refused("result 1 must be f32[]", session, x, null!, Tensor.Scalar(1));
        Refused("the result 0 shares memory", session, x, x, null!);
        Refused("the result 0 shares memory", session, x, x.Reshape(2, 3), null!);
        Refused("the result 1 shares memory", session, x, null!, session.State["seen"]);
        var one = Ones(2, 3);
        Refused("the result 0 shares memory", session, x, one, one.Reshape(6).Slice(2, 3).Reshape());
        Assert.Equal(0, session.State["seen"].ToDoubles()[0]);
        Assert.Equal(1 + 12, session.Run("f", x)[1].ToDoubles()[0]);
        var a = Ones(4);
        Assert.Contains("the inout 'x' shares memory",
            Assert.Throws<ExecutionException>(() => session.Run("g", a, a)).Message);
        Assert.Equal([3f, 3, 3, 3], session.Run("g", a, Ones(4))[0].ToArray<float>());
    }

    [LlvmTheory]
    [InlineData("llvm")]
    [InlineData("interpreter")]
    public void EveryShapeHasItsOwnChecksAndSizes(string backend)
    {
        using var executable = Make(backend);
        using var session = executable.CreateSession();
        // More shapes than are remembered, forwards and back, with one that is refused in between.
        var calls = 0;
        foreach (var n in Enumerable.Range(1, 20).Concat(Enumerable.Range(1, 20).Reverse()))
        {
            Assert.Throws<ExecutionException>(() => session.Run("f", Ones(41, 3)));
            Assert.Throws<ExecutionException>(() => session.Run("f", Tensor.Zeros(DType.F64, n, 3)));
            var results = session.Run("f", Ones(n, 3));
            Assert.Equal([n, 3], results[0].Shape.ToArray());
            Assert.Equal((6 * n) + ++calls, results[1].ToDoubles()[0]);
        }
        foreach (var k in (long[])[3, 1, 3])
            Assert.Equal(k,
                session.Run("power", [Tensor.Scalar(1f)], new Dictionary<string, long> { ["k"] = k })[0].Count);
        // The plans hold the addresses of the state; what replaces it has others.
        session.LoadState(
            new Dictionary<string, Tensor> { ["w"] = Tensor.From([1f, 0, 0], 3), ["seen"] = Tensor.Scalar(0f) });
        Assert.Equal(6, session.Run("f", Ones(5, 3))[1].ToDoubles()[0]);
        session.Reset();
        Assert.Equal(31, session.Run("f", Ones(5, 3))[1].ToDoubles()[0]);
    }

    [LlvmTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void ARepeatedCallAllocatesNothing(int threads)
    {
        using var executable = Make("llvm", threads);
        using var session = executable.CreateSession();
        Tensor[] inputs = [Ones(2, 3)];
        Tensor[] results = [Ones(2, 3), Tensor.Scalar(0f)];
        for (var i = 0; i < 100; i++) session.RunInto("f", inputs, results);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) session.RunInto("f", inputs, results);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void MoreAxesThanATensorHasAreALimitation()
    {
        static Compilation Of(int axes) => Compilation.FromSource(new SourceText("deep.acc",
            $"export fn f(x: f32[2]) -> f32[2{string.Concat(Enumerable.Repeat(", 1", axes - 1))}] = "
                + $"reshape(x, [2{string.Concat(Enumerable.Repeat(", 1", axes - 1))}])"));
        using (var executable = Executables.Create("interpreter", Of(64)))
        using (var session = executable.CreateSession())
            Assert.Equal(64, session.Run("f", Tensor.From([1f, 2f], 2))[0].Rank);
        Assert.Contains("has 65 axes; a tensor has at most 64",
            Assert.Throws<LimitationException>(() => Executables.Create("interpreter", Of(65))).Message);
    }

    private static Executable Make(string backend, int threads = 1)
    {
        var compilation = Compilation.FromSource(new SourceText("call.acc", Source));
        return Executables.Create(backend, compilation, new ExecutableOptions { Threads = threads });
    }

    private static Tensor Ones(params long[] shape) =>
        Tensor.FromDoubles(DType.F32, [.. Enumerable.Repeat(1.0, (int)shape.Aggregate(1L, (p, e) => p * e))], shape);

    private static void Refused(string message, Session session, Tensor x, params Tensor[] results)
    {
        var error = Assert.Throws<ExecutionException>(() => session.RunInto("f", [x], results));
        Assert.Equal(ExecutionCode.EntryCheck, error.Code);
        Assert.Contains(message, error.Message);
    }
}
