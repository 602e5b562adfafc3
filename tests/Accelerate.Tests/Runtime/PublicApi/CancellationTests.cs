// A call with a token: stopped before it begins, in a loop of kernels, in a loop without any, after it has written
// state.
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Runtime.PublicApi;

public sealed class CancellationTests
{
    private const string Source = """
        module Model {
            buffer seen: f32 = 0

            export fn endless(x: f32[n]) -> f32[n] {
                let y = x
                while sum(x) >= 0 { y = y + 1 }
                return y
            }
            export fn swapped(x: f32[n], y: f32[n], k: int) -> (a: f32[n], b: f32[n]) {
                let a = x
                let b = y
                for i in 0:k {
                    let t = a
                    a = b
                    b = t
                }
                return a, b
            }
            export fn written(x: f32[n]) -> f32[n] {
                seen += 1
                let y = x
                while sum(x) >= 0 {
                    print("{}", seen)
                    y = y + seen
                }
                return y
            }
            export fn said(x: f32[n]) -> f32[n] {
                seen += 1
                print("{}", seen)
                seen += sum(x)
                return x + seen
            }
            export fn short(x: f32[n]) -> f32[n] = x + seen
        }
        """;

    private static readonly Tensor X = Tensor.From([1f, 2, 3], 3);

    public static TheoryData<string, int> Backends =>
        new() { { "interpreter", 1 }, { "interpreter", 2 }, { "llvm", 1 }, { "llvm", 2 }, { "opencl", 1 } };

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_loop_of_kernels_stops(string backend, int threads) => With(backend, threads, session =>
    {
        Stops(token => session.Run("endless", [X], cancellation: token));
        Stops(token => session.Run("endless", new Dictionary<string, Tensor> { ["x"] = X },
            cancellation: token));
        Stops(token => session.RunInto("endless", [X], new Tensor[1], cancellation: token));
        // No state was written, and nothing of the stopped calls is left.
        Assert.Equal([1f, 2, 3], session.Run("short", X)["short"].ToArray<float>());
    });

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_loop_without_kernels_stops(string backend, int threads) => With(backend, threads, session =>
    {
        var sizes = new Dictionary<string, long> { ["k"] = 100_000_000_000_000 };
        Stops(token => session.Run("swapped", [X, Tensor.Zeros(DType.F32, 3)], sizes, token));
    });

    /// <summary>Without a loop: what prints cancels, and the kernels after it do not run.</summary>
    [Theory]
    [MemberData(nameof(Backends))]
    public void The_next_kernel_does_not_run(string backend, int threads) => With(backend, threads, session =>
    {
        using var source = new CancellationTokenSource();
        session.Output = new Canceller(source);
        Assert.Throws<OperationCanceledException>(() => session.Run("said", [X], cancellation: source.Token));
    });

    [Theory]
    [MemberData(nameof(Backends))]
    public void State_that_was_written_breaks_the_session(string backend, int threads) =>
        With(backend, threads, session =>
    {
        using var source = new CancellationTokenSource();
        session.Output = new Canceller(source); // by then it is written
        Assert.Throws<OperationCanceledException>(() => session.Run("written", [X], cancellation: source.Token));
        if (backend == "opencl") // its state is on the device until a call has succeeded
        {
            Assert.Equal(0, session.State["seen"].ToArray<float>()[0]);
            return;
        }
        Assert.Contains("may be half written",
            Assert.Throws<InvalidOperationException>(() => session.Run("short", X)).Message);
        session.Reset();
        Assert.Equal([1f, 2, 3], session.Run("short", X)[0].ToArray<float>());
    });

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_cancelled_token_stops_a_call_before_it_begins(string backend, int threads) =>
        With(backend, threads, session =>
    {
        var cancelled = new CancellationToken(canceled: true);
        var e = Assert.Throws<OperationCanceledException>(
            () => session.Run("short", [X], cancellation: cancelled));
        Assert.Equal(cancelled, e.CancellationToken);
        Assert.Equal([1f, 2, 3], session.Run("short", X)[0].ToArray<float>());
    });

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_token_that_is_cancelled_after_its_call_stops_no_other(string backend, int threads) =>
        With(backend, threads, session =>
    {
        for (var i = 0; i < 100; i++)
        {
            using var source = new CancellationTokenSource();
            session.Run("short", [X], cancellation: source.Token).Dispose();
            source.Cancel();
            session.Run("short", X).Dispose();
        }
    });

    /// <summary>Cancels a call that would never end: it ends, by the exception that has the token.</summary>
    private static void Stops(Action<CancellationToken> call)
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(30));
        var task = Task.Run(() => Assert.Throws<OperationCanceledException>(() => call(source.Token)));
        Assert.True(task.Wait(TimeSpan.FromSeconds(60)), "the call was not stopped");
        Assert.Equal(source.Token, task.Result.CancellationToken);
    }

    /// <summary>Cancels when something is written.</summary>
    private sealed class Canceller(CancellationTokenSource source) : StringWriter
    {
        public override void Write(string? value) => source.Cancel();
    }

    private static void With(string backend, int threads, Action<Session> test)
    {
        if (!Executables.IsAvailable(Enum.Parse<Backend>(backend, ignoreCase: true), out _)) return;
        var compilation = Compilation.FromText(Source);
        Assert.Empty(compilation.Diagnostics);
        using var executable = Executables.Create(backend, compilation, new ExecutableOptions { Threads = threads });
        using var session = executable.CreateSession();
        test(session);
    }
}
