// Compilations and executables: made right and wrong, from weights that go away, under a limit, by many threads.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime.PublicApi;

internal sealed partial class ApiWorld
{
    private string BackendName => backend.Split(' ')[0];

    private void Compile()
    {
        var kind = random.Next(5);
        Log($"compile {kind}");
        switch (kind)
        {
            case 0:
                Expect(typeof(ArgumentNullException), () => Compilation.FromSource(null!), "no source");
                break;
            case 1:
                Expect(typeof(ArgumentNullException), () => Compilation.FromFile(null!), "no path");
                break;
            case 2:
                var wrong = Compilation.FromSource(new SourceText("wrong.acc", "export fn f(x: f32[n]) -> f32[n] = y"));
                Check(wrong.ExitCode == 1 && wrong.Programs.Count == 0, "a wrong program");
                Expect(typeof(InvalidOperationException), () => Executables.Create(BackendName, wrong));
                break;
            case 3:
                Expect(typeof(ArgumentNullException), () => new SourceText("no text.acc", null!), "no text");
                Expect(typeof(ArgumentNullException), () => new SourceText(null!, ""), "no path");
                break;
            default:
                Expect(typeof(DataException),
                    () => Compilation.FromFile(Path.Combine(folder, "none.acc")), "no file");
                break;
        }
    }

    private void Create()
    {
        var kind = random.Next(9);
        Log($"create {kind}");
        Dictionary<string, Tensor> weights =
            new() { ["w"] = Tensor.From([2f, 2, 2], 3), ["v"] = Tensor.From([5f, 6, 7], 3) };
        var model = ApiModel.Model;
        void Make() => Executables.Create(BackendName, model, weights: weights).Dispose();
        switch (kind)
        {
            case 0: Expect(typeof(BackendException), () => Executables.Create("none", model), "no such one"); break;
            case 1: Expect(typeof(ArgumentNullException), () => Executables.Create(null!, model), "no name"); break;
            case 2:
                Expect(typeof(ArgumentNullException), () => Executables.Create(BackendName, (CompiledModel)null!));
                break;
            case 3:
                weights["w"] = null!;
                Expect(typeof(ArgumentNullException), Make, "a null weight");
                break;
            case 4:
                weights["v"].Dispose();
                Expect(typeof(ObjectDisposedException), Make, "a disposed weight");
                break;
            case 5:
                weights["w"] = Tensor.Zeros(DType.F32, 4);
                Expect(typeof(ArgumentException), Make, "a weight of another shape");
                break;
            case 6:
                Expect(typeof(ArgumentException), () => Executables.Create(BackendName,
                    [model.Programs[0], model.Programs[0]]), "two of one name");
                break;
            default:
                if (!Chance(30)) return; // it is the dear one
                var executed = new Executed(Executables.Create(BackendName, model, weights: weights), false);
                // Whose they were is done with them; the executable is not.
                foreach (var tensor in weights.Values) tensor.Dispose();
                var held = new Held(executed.Executable.CreateSession(), executed, new([5, 6, 7], 0));
                CheckState(held, "weights that were disposed");
                held.Session.Reset();
                CheckState(held, "weights that were disposed, again");
                executed.Executable.Dispose();
                Expect(typeof(ObjectDisposedException), held.Session.Reset, "Reset behind the executable");
                held.Session.Dispose();
                break;
        }
    }

    /// <summary>Sessions of one executable on several threads, the executable disposed among them.</summary>
    private void Crowd()
    {
        var executed = Any(executables);
        Log($"crowd on executable {executables.IndexOf(executed)}");
        if (executed.IsDisposed) return;
        var (wrong, ends) = (0, !executed.IsCommon && Chance(70));
        var threads = Enumerable.Range(0, 3).Select(number => new Thread(() =>
        {
            for (var i = 0; i < 4; i++)
            {
                var e = Thrown(() =>
                {
                    using var session = executed.Executable.CreateSession();
                    using var x = Tensor.From([1f * number, 2, 3], 3);
                    for (var call = 1; call < 5; call++)
                    {
                        var results = session.Run("step", x);
                        if (results[0].ToDoubles()[0] != 2 * (1 + number * call)) Interlocked.Increment(ref wrong);
                        foreach (var result in results) result.Dispose();
                    }
                });
                if (e is not null && !(ends && e is ObjectDisposedException)) Interlocked.Increment(ref wrong);
            }
        })).ToList();
        foreach (var thread in threads) thread.Start();
        Thread.SpinWait(random.Next(5000));
        if (ends) executed.Executable.Dispose();
        executed.IsDisposed |= ends;
        foreach (var thread in threads) thread.Join();
        Check(wrong == 0, $"{wrong} of the crowd's calls were wrong");
    }

    private static readonly Dictionary<string, Executable> Limited = [];

    /// <summary>28 bytes of state and a call of 100 floats are within the limit, a call of 1,000 is not.</summary>
    private void LimitMemory()
    {
        Log("limit memory");
        if (!Limited.TryGetValue(backend, out var executable))
        {
            Limited[backend] = executable = Executables.Create(BackendName, ApiModel.Model,
                new ExecutableOptions { Threads = 1, OptLevel = 1, MemoryLimit = 4000 });
            Expect(typeof(MemoryException), () => Executables.Create(BackendName, ApiModel.Model,
                new ExecutableOptions { MemoryLimit = 20 }), "weights beyond the limit");
        }
        using var session = executable.CreateSession();
        foreach (var (name, n) in (IEnumerable<(string, int)>)[("few", 4), ("say", 1000), ("say", 100), ("say", 1000)])
        {
            session.Output = TextWriter.Null;
            using var x = Tensor.Zeros(DType.F32, n);
            var wanted = n > 100 ? typeof(MemoryException) : null;
            if (Expect(wanted, () => session.Run(name, x), $"n = {n}") is not MemoryException e) continue;
            Check(e.Limit == 4000 && e.Uses[0].Bytes == 4000, $"{e}");
            Check(e.Message.Contains("x: f32[1000] takes 3.91 KiB", StringComparison.Ordinal), e.Message);
        }
        Check(session.State["seen"].ToDoubles()[0] == 1, "a call beyond the limit changes nothing");
        Expect(typeof(MemoryException), () => Tensor.Zeros(DType.F32, 99_999_999_999), "beyond the machine");
        Expect(typeof(MemoryException), () => Tensor.Uninitialized(DType.F32, 1L << 60), "beyond all machines");
    }
}
