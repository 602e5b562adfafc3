// Two threads at once, callbacks that come back in, and the worker pool: what is allowed to win, and what never is.
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime.PublicApi;

internal sealed partial class ApiWorld
{
    /// <summary>A call on another thread while this one does something to what it uses.</summary>
    private void Race()
    {
        var held = AnySession();
        if (held.Refuses is not null) return;
        var kind = random.Next(9);
        var n = random.Next(3) switch { 0 => 3, 1 => 1000, _ => 100_000 };
        var k = 1 + 20_000 / n;
        Log($"race {kind} with session {sessions.IndexOf(held)}, n = {n}");
        var x = Tensor.FromDoubles(DType.F32, [.. Enumerable.Repeat(1.0, n)], n);
        Tensor[] inputs = [x];
        Tensor[]? results = null;
        Exception? failure = null;
        var sizes = new Dictionary<string, long> { ["k"] = k };
        using var begun = new ManualResetEventSlim();
        var caller = new Thread(() =>
        {
            begun.Set();
            failure = Thrown(() => results = [.. held.Session.Run("slow", inputs, sizes)]);
        });
        var wait = random.Next(4) * 200;
        caller.Start();
        begun.Wait();
        Thread.SpinWait(wait);
        Type[] allowed = [];
        var executed = held.Executed;
        try
        {
            switch (kind)
            {
                case 0 when !executed.IsCommon:
                    Expect(null, executed.Executable.Dispose, "Executable.Dispose during a call");
                    executed.IsDisposed = true;
                    allowed = [typeof(ObjectDisposedException)];
                    break;
                case 1:
                    Expect(null, held.Session.Dispose, "Session.Dispose during a call");
                    held.IsDisposed = true;
                    allowed = [typeof(ObjectDisposedException)];
                    break;
                case 2:
                    x.Dispose();
                    allowed = [typeof(ObjectDisposedException)];
                    break;
                case 3:
                    inputs[0] = null!;
                    allowed = [typeof(ArgumentNullException)];
                    x = null!;
                    GC.Collect(0);
                    break;
                case 4:
                    OneAtATime(Thrown(held.Session.Reset));
                    allowed = [typeof(InvalidOperationException)];
                    break;
                case 5:
                    OneAtATime(Thrown(() => held.Session.Run("scale", Tensor.Zeros(DType.F32, 2, 3))));
                    allowed = [typeof(InvalidOperationException)];
                    break;
                case 6:
                    using (var second = executed.Executable.CreateSession())
                        Check(second.Run("scale", Tensor.Zeros(DType.F32, 2, 3))[0].Count == 6, "two at once");
                    break;
                case 7:
                    OneAtATime(Thrown(() => held.Session.LoadState(Loadable(out _))));
                    allowed = [typeof(InvalidOperationException)];
                    break;
                default:
                    ReadWhileDisposed();
                    break;
            }
        }
        finally
        {
            caller.Join(); // a difference that is found must not free what the call still runs on
        }
        Check(failure is null || allowed.Contains(failure.GetType()), $"race {kind}: {failure}");
        Check(failure is not null || results![0].ToDoubles().All(v => v == 1 + k), $"race {kind}: the values");
        if (held.Refuses is not null)
        {
            Expect(held.Refuses, () => held.Session.Run("scale", Tensor.Zeros(DType.F32, 2, 3)), $"behind race {kind}");
        }
        else
        {
            if (kind is 4 or 7) held.Session.Reset();
            if (kind is 4 or 7) held.State = ApiState.Initial;
            CheckState(held, $"behind race {kind}");
        }

        void OneAtATime(Exception? e) =>
            Check(e is null || e.GetType() == typeof(InvalidOperationException), $"race {kind}: {e}");
    }

    private void ReadWhileDisposed()
    {
        var t = Tensor.FromDoubles(DType.F32, [.. Enumerable.Repeat(1.0, 200_000)], 200_000);
        var disposer = new Thread(t.Dispose);
        disposer.Start();
        for (var i = 0; i < 5; i++)
        {
            double[]? values = null;
            var e = Thrown(() => values = i % 2 == 0 ? t.ToDoubles() : t.Clone().ToDoubles());
            Check(e is null or ObjectDisposedException, $"a tensor disposed while it is read: {e}");
            Check(values is null || values.All(v => v == 1), "a tensor disposed while it is read: the values");
        }
        disposer.Join();
    }

    /// <summary>A writer that does something to the session that prints into it.</summary>
    private sealed class Callback(Action act) : StringWriter
    {
        public override void Write(string? value) => act();
    }

    private void Reenter()
    {
        var held = AnySession();
        if (held.Refuses is not null) return;
        var kind = random.Next(8);
        var arguments = Right(ApiModel.Entry("say"));
        Log($"reenter {kind} session {sessions.IndexOf(held)}: {arguments}");
        var (session, executed, answer) = (held.Session, held.Executed, arguments.Answer(held.State));
        Exception? inside = null;
        var probe = Tensor.Zeros(DType.F32, 2, 3);
        Action act = kind switch
        {
            0 => () => throw new FormatException("the callback"),
            1 => () => inside = Thrown(() => session.Run("scale", probe)),
            2 => () => inside = Thrown(session.Reset),
            3 => () => { session.Dispose(); held.IsDisposed = true; }
            ,
            4 when !executed.IsCommon => () => { executed.Executable.Dispose(); executed.IsDisposed = true; }
            ,
            5 => () => { foreach (var box in arguments.Inputs) box.Tensor.Dispose(); }
            ,
            6 => () =>
            {
                using var other = executed.Executable.CreateSession();
                other.Run("scale", probe)[0].Dispose();
            }
            ,
            _ => () => GC.Collect(0),
        };
        session.Output = new Callback(act);
        Tensor[]? results = null;
        var failure = Thrown(() => results = [.. session.Run("say", arguments.Tensors)]);
        if (!held.IsDisposed) session.Output = TextWriter.Null;
        if (kind == 5) foreach (var box in arguments.Inputs) box.IsDisposed = true;
        if (kind == 0)
        {
            Check(failure is ExecutionException { Code: ExecutionCode.Host, InnerException: FormatException },
                $"{failure}");
            Settle(held, "a callback that throws");
            return;
        }
        Check(failure is null, $"reenter {kind}: {failure}");
        Check(results![0].ToDoubles().SequenceEqual(answer.Results[0]), $"reenter {kind}: the values");
        if (kind is 1 or 2) Check(inside?.GetType() == typeof(InvalidOperationException), $"reenter {kind}: {inside}");
        held.State = answer.State;
        if (held.Refuses is { } refusal) Expect(refusal, () => session.Run("scale", probe), $"behind reenter {kind}");
        else CheckState(held, $"behind reenter {kind}");
    }

    private void Pool()
    {
        var kind = random.Next(6);
        Log($"pool {kind}");
        using var pool = new WorkerPool(random.Next(1, 4));
        long sum = 0;
        int Add(long begin, long end, long part)
        {
            for (var i = begin; i < end; i++) Interlocked.Add(ref sum, i);
            return 0;
        }
        switch (kind)
        {
            case 0:
                pool.Dispose();
                Expect(typeof(ObjectDisposedException), () => pool.Run(Add, 10), "a disposed pool");
                return;
            case 1:
                Expect(typeof(ArgumentNullException), () => pool.Run(null!, 10), "no body");
                break;
            case 2:
                Expect(typeof(FormatException), () => pool.Run((_, _, _) => throw new FormatException(), 10));
                break;
            case 3:
                Exception? inside = null;
                pool.Run((_, _, _) =>
                {
                    inside ??= Thrown(pool.Dispose);
                    return 0;
                }, 1);
                Check(inside?.GetType() == typeof(InvalidOperationException), $"a pool disposed inside: {inside}");
                break;
            case 4:
                var other = new Thread(pool.Dispose);
                other.Start();
                var e = Thrown(() => pool.Run(Add, 1000));
                other.Join();
                Check(e is null or ObjectDisposedException, $"a pool disposed during a loop: {e}");
                Check(e is not null || sum == 499_500, "a pool disposed during a loop: the sum");
                return;
        }
        Check(pool.Run(Add, 1000) == 0 && sum == 499_500, "the pool runs every job once");
    }
}
