// Sessions: entry checks, one call at a time, refusal after a failure, state in and out, the arena.
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime;

public sealed class SessionTests
{
    [Fact]
    public void RunsByPositionAndByName()
    {
        using var program = new Doubler();
        using Session session = program.CreateSession();
        Tensor x = Tensor.From(new[] { 1f, 2f }, 2);
        Tensor y = Tensor.Zeros(DType.F32, 5);
        Assert.Equal([2, 4], session.Run("f", x, y)[0].ToDoubles());
        Assert.Equal([2, 4], session.Run("f", new Dictionary<string, Tensor> { ["y"] = y, ["x"] = x })[0].ToDoubles());
        Assert.Equal(2, session.State["steps"].ToDoubles()[0]);
    }

    [Fact]
    public void EntryChecksNameWhatIsWrongAndBreakNothing()
    {
        using var program = new Doubler();
        using Session session = program.CreateSession();
        Tensor x = Tensor.Zeros(DType.F32, 2);
        Tensor y = Tensor.Zeros(DType.F32, 5);
        Assert.Contains("exports no 'g'", Assert.Throws<ArgumentException>(() => session.Run("g")).Message);
        Check("'f' takes 2 inputs, not 1", () => session.Run("f", x));
        Check("'f' wants x: f32[n], not i32[2]", () => session.Run("f", Tensor.Zeros(DType.I32, 2), y));
        Check("'f' wants y: f32[2*n + floor(max(n,1),2)], not f32[2], where 2*n + floor(max(n,1),2) is 5 (axis 0)",
            () => session.Run("f", x, x));
        Check("needs the input 'y: ", () => session.Run("f", new Dictionary<string, Tensor> { ["x"] = x }));
        Check("has no input 'z'", () =>
            session.Run("f", new Dictionary<string, Tensor> { ["x"] = x, ["y"] = y, ["z"] = x }));
        session.Run("f", x, y);
    }

    [Fact]
    public void AFailureBlocksTheSessionUntilItsStateIsReplaced()
    {
        using var program = new Doubler();
        using Session session = program.CreateSession();
        Tensor x = Tensor.Zeros(DType.F32, 2);
        Tensor y = Tensor.Zeros(DType.F32, 5);
        program.Fault = new ExecutionException(ExecutionCode.EntryCheck, "early");
        Assert.Throws<ExecutionException>(() => session.Run("f", x, y));
        program.Fault = new ExecutionException(ExecutionCode.DriverCheck, "before any write");
        Assert.Throws<ExecutionException>(() => session.Run("f", x, y));
        program.Fault = new ExecutionException(ExecutionCode.DriverCheck, "late");
        program.FaultIsBehindAWrite = true;
        Assert.Throws<ExecutionException>(() => session.Run("f", x, y));
        program.Fault = null;
        var error = Assert.Throws<InvalidOperationException>(() => session.Run("f", x, y));
        Assert.Contains("('f' failed: late); call Reset or LoadState first", error.Message);
        session.Reset();
        session.Run("f", x, y);
        Assert.Equal(1, session.State["steps"].ToDoubles()[0]);
        session.LoadState(new Dictionary<string, Tensor> { ["steps"] = Tensor.Scalar(41L) });
        session.Run("f", x, y);
        Assert.Equal(42, session.State["steps"].ToDoubles()[0]);
        Assert.Contains("must be i64[], not i32[]", Assert.Throws<ArgumentException>(() =>
            session.LoadState(new Dictionary<string, Tensor> { ["steps"] = Tensor.Scalar(1) })).Message);
        Assert.Throws<ArgumentException>(() => session.LoadState(new Dictionary<string, Tensor>()));
    }

    [Fact]
    public void ASecondCallAtOnceIsRefused()
    {
        using var program = new Doubler();
        using Session session = program.CreateSession();
        program.Inside = () =>
        {
            var error = Assert.Throws<InvalidOperationException>(session.Reset);
            Assert.Contains("a session takes one at a time", error.Message);
        };
        session.Run("f", Tensor.Zeros(DType.F32, 2), Tensor.Zeros(DType.F32, 5));
        program.Inside = null;
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Run("f", Tensor.Scalar(1), Tensor.Scalar(1)));
    }

    [Fact]
    public void AnExecutableDisposedInsideACallIsFreedBehindIt()
    {
        var program = new Doubler();
        using Session session = program.CreateSession();
        using Session idle = program.CreateSession();
        Tensor x = Tensor.From(new[] { 1f, 2f }, 2);
        Tensor y = Tensor.Zeros(DType.F32, 5);
        program.Inside = () =>
        {
            program.Dispose();
            program.Dispose();
            Assert.Equal(0, program.TimesFreed);
            Assert.Throws<ObjectDisposedException>(() => idle.Run("f", x, y));
        };
        Assert.Equal([2, 4], session.Run("f", x, y)[0].ToDoubles());
        Assert.Equal(1, program.TimesFreed);
        Assert.Throws<ObjectDisposedException>(() => session.Run("f", x, y));
        Assert.Throws<ObjectDisposedException>(session.Reset);
        Assert.Throws<ObjectDisposedException>(program.CreateSession);
        Assert.Equal(1, session.State["steps"].ToDoubles()[0]); // the state is the session's
    }

    [Fact]
    public void ASessionDisposedInsideACallIsFreedBehindIt()
    {
        using var program = new Doubler();
        Session session = program.CreateSession();
        Tensor x = Tensor.From(new[] { 1f, 2f }, 2);
        Tensor steps = session.State["steps"];
        program.Inside = () =>
        {
            session.Dispose();
            Assert.Equal(0, steps.ToDoubles()[0]);
        };
        Assert.Equal([2, 4], session.Run("f", x, Tensor.Zeros(DType.F32, 5))[0].ToDoubles());
        Assert.Throws<ObjectDisposedException>(() => steps.ToDoubles());
        Assert.Throws<ObjectDisposedException>(() => session.State);
        Assert.Throws<ObjectDisposedException>(() => session.Output = TextWriter.Null);
        session.Dispose();
    }

    [Fact]
    public void ArgumentsAreHeldWhileACallRuns()
    {
        using var program = new Doubler();
        using Session session = program.CreateSession();
        Tensor x = Tensor.From(new[] { 1f, 2f }, 2);
        Tensor[] inputs = [x, Tensor.Zeros(DType.F32, 5)];
        Tensor[] results = [null!];
        program.Inside = () =>
        {
            (inputs[0], inputs[1]) = (null!, null!);
            session.State["steps"].Dispose();
        };
        session.RunInto("f", inputs, results);
        Assert.Equal([2, 4], results[0].ToDoubles());
        Assert.Equal(1, session.State["steps"].ToDoubles()[0]);
        program.Inside = null;
        Assert.Contains("the input x is null",
            Assert.Throws<ArgumentNullException>(() => session.RunInto("f", inputs, results)).Message);
        x.Dispose();
        Assert.Contains("given for x is disposed", Assert.Throws<ObjectDisposedException>(() =>
            session.Run("f", x, Tensor.Zeros(DType.F32, 5))).Message);
        Tensor y = Tensor.Zeros(DType.F32, 2);
        session.Run("f", y, Tensor.Zeros(DType.F32, 5)); // neither has broken it
    }

    [Fact]
    public unsafe void TheArenaOnlyGrows()
    {
        using var arena = new Arena();
        void* small = arena.Ensure(100);
        Assert.Equal(0u, (nuint)small % 64);
        Assert.True(small == arena.Ensure(10));
        arena.Ensure(1000);
        Assert.Equal(1000, arena.Capacity);
        Assert.Throws<ArgumentOutOfRangeException>(() => (nint)arena.Ensure(-1));
    }

    private static void Check(string message, Action action)
    {
        var error = Assert.Throws<ExecutionException>(action);
        Assert.Equal(ExecutionCode.EntryCheck, error.Code);
        Assert.Contains(message, error.Message);
    }

    private sealed class Doubler : Executable
    {
        public Exception? Fault { get; set; }

        public bool FaultIsBehindAWrite { get; set; }

        public Action? Inside { get; set; }

        public int TimesFreed { get; private set; }

        public override Backend Backend => Backend.Interpreter;

        public override IReadOnlyList<EntrySpec> Entries { get; } =
        [
            new("f", [new("x", DType.F32, ["n"]), new("y", DType.F32, ["2*n + floor(max(n,1),2)"])],
                [new("r", DType.F32, ["n"])], ["n"]),
        ];

        internal override void Dispose(bool disposing) => TimesFreed++;

        internal override void Initialize(SessionState state) => state.Tensors["steps"] = Tensor.Scalar(0L);

        internal override void Invoke(
            SessionState state, int entry, ReadOnlySpan<Tensor> inputs, CallSizes sizes, Span<Tensor> results)
        {
            if (Fault is not null)
            {
                state.IsWritten = FaultIsBehindAWrite;
                throw Fault;
            }
            Inside?.Invoke();
            state.IsWritten = true;
            state.Tensors["steps"].AsSpan<long>()[0]++;
            double[] doubled = [.. inputs[0].ToDoubles().Select(v => v * 2)];
            results[0] = Tensor.FromDoubles(DType.F32, doubled, sizes.Values["n"]);
        }
    }
}
